/* tests/power/vfs.h -- SQLite's default file system, on a disk of disk.h. */
#ifndef ORION_POWER_VFS_H
#define ORION_POWER_VFS_H

#include "disk.h"

/* Makes it the default for all connections from now on. Once. */
void power_vfs_install(void);
/* The disk that files are opened on from now on. No file of another may be open. Without shared memory SQLite cannot
 * have a write-ahead log. */
void power_vfs_use(Disk *disk, bool has_shared_memory);

#endif
