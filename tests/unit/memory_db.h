/* tests/unit/memory_db.h -- a database in memory for each test, as set-up and tear-down of cmocka. */
#ifndef ORION_MEMORY_DB_H
#define ORION_MEMORY_DB_H

#include "unit.h"

#include "db/db.h"

typedef struct Fixture {
    Db *db;
    Arena *arena;
} Fixture;

static int open_memory(void **state)
{
    Fixture *f = xcalloc(1, sizeof *f);
    Error error = { 0 };
    f->arena = arena_new();
    f->db = db_open(&(DbConfig){ .url = STR("sqlite+aiosqlite:///:memory:"), .timeout = 5 }, &error);
    assert_non_null(f->db);
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
