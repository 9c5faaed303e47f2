/* tests/power/memory.h -- SQLite's memory, for SQLITE_CONFIG_MALLOC. */
#ifndef ORION_POWER_MEMORY_H
#define ORION_POWER_MEMORY_H

#include <sqlite3.h>

/* Cleared, since SQLite writes what it finds in the unused part of a new page, and a seed must replay exactly. Its
 * library is not compiled for the sanitizer, whose allocator would take most of the time. */
extern const sqlite3_mem_methods power_memory;

#endif
