/* tests/unit/engine.h -- the database of tests that hold for both engines: one in memory, or the PostgreSQL
 * database that ORION_TEST_DATABASE_URL names. That one is emptied for each test. tools/run_tests runs what
 * includes this file (or world.h) on both. */
#ifndef ORION_ENGINE_H
#define ORION_ENGINE_H

#include "unit.h"

#include "db/driver.h"

/* The URL; null: in memory. */
static inline Str engine_postgres(void)
{
    return str_from(getenv("ORION_TEST_DATABASE_URL"));
}

/* What differs: types of columns, mostly. */
static inline const char *by_engine(const char *sqlite, const char *postgres)
{
    return engine_postgres().n ? postgres : sqlite;
}

static inline bool engine_empty(Tx *tx, void *arg)
{
    (void)arg;
    return db_script(tx, "SET LOCAL client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public");
}

static inline Db *engine_open_url(Str url)
{
    Error error = { .code = ERR_NONE };
    Db *db = db_open(&(DbConfig){ .url = url, .timeout = 10, .connect_timeout = 5, .readers = 1, .connections = 2 },
                     &error);
    assert_string_equal(error.message, "");
    assert_non_null(db);
    return db;
}

static inline Db *engine_open_memory(void)
{
    return engine_open_url(STR("sqlite+aiosqlite:///file::memory:?cache=shared&uri=true&check_same_thread=false"));
}

/* The database as the last test left it; in memory a new one. */
static inline Db *engine_open_as_it_is(void)
{
    return engine_postgres().n ? engine_open_url(engine_postgres()) : engine_open_memory();
}

/* An empty database. */
static inline Db *engine_open(void)
{
    Db *db = engine_open_as_it_is();
    if (engine_postgres().n) {
        Arena *arena = arena_new();
        Error error = { .code = ERR_NONE };
        bool ok = db_run(db, true, arena, engine_empty, NULL, &error);
        assert_string_equal(error.message, "");
        assert_true(ok);
        arena_free(arena);
    }
    return db;
}

#endif
