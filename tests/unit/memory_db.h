/* tests/unit/memory_db.h -- an empty database for each test, as set-up and tear-down of cmocka:
 * in memory, or of either engine. */
#ifndef ORION_MEMORY_DB_H
#define ORION_MEMORY_DB_H

#include "engine.h"

typedef struct Fixture {
    Db *db;
    Arena *arena;
} Fixture;

static inline int open_fixture(void **state, Db *db)
{
    Fixture *f = xcalloc(1, sizeof *f);
    f->arena = arena_new();
    f->db = db;
    *state = f;
    return 0;
}

/* SQLite's, whatever engine is asked for. */
static inline int open_memory(void **state)
{
    return open_fixture(state, engine_open_memory());
}

static inline int open_empty(void **state)
{
    return open_fixture(state, engine_open());
}

static inline int close_memory(void **state)
{
    Fixture *f = *state;
    db_close(f->db);
    arena_free(f->arena);
    free(f);
    return 0;
}

#endif
