/* tests/unit/memory_db.h -- an empty database for each test (engine.h), as set-up and tear-down of cmocka. */
#ifndef ORION_MEMORY_DB_H
#define ORION_MEMORY_DB_H

#include "engine.h"

typedef struct Fixture {
    Db *db;
    Arena *arena;
} Fixture;

static int open_memory(void **state)
{
    Fixture *f = xcalloc(1, sizeof *f);
    f->arena = arena_new();
    f->db = engine_open();
    *state = f;
    return 0;
}

static int close_memory(void **state)
{
    Fixture *f = *state;
    db_close(f->db);
    arena_free(f->arena);
    free(f);
    return 0;
}

#endif
