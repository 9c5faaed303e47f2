/* tests/unit/postgres_db.h -- an empty PostgreSQL database for each test, and sessions on it: connections of the driver
 * that a test drives itself, several at a time in one thread. ORION_TEST_POSTGRES_URL names a database that may be
 * emptied (tests/lib/postgres.py makes one). */
#ifndef ORION_POSTGRES_DB_H
#define ORION_POSTGRES_DB_H

#include "unit.h"

#include "db/postgres.h"

#include <unistd.h>

typedef struct Session {
    DbConnection *connection;
    Arena *arena;
    Error error;
    Tx tx;
    DbPlace place;
    DbConfig config;
} Session;

static inline Str postgres_url(void)
{
    return str_from(getenv("ORION_TEST_POSTGRES_URL"));
}

static inline bool session_open(Session *s, const DbConfig *config)
{
    *s = (Session){ .arena = arena_new(), .config = *config };
    if (!postgres_driver.locate(s->arena, &s->config, &s->place, &s->error))
        return false;
    s->connection = postgres_driver.connect(&s->place, ROLE_WRITER, s->config.timeout, &s->error);
    return s->connection != NULL;
}

/* To the database of the tests, without a limit of time. */
static inline Session *session_new(void)
{
    Session *s = xcalloc(1, sizeof(*s));
    bool ok = session_open(s, &(DbConfig){ .url = postgres_url(), .connect_timeout = 5 });
    assert_string_equal(s->error.message, "");
    assert_true(ok);
    return s;
}

static inline void session_close(Session *s)
{
    if (s->connection)
        postgres_driver.disconnect(s->connection);
    s->connection = NULL;
    arena_free(s->arena);
    s->arena = NULL;
}

static inline void session_free(Session *s)
{
    session_close(s);
    free(s);
}

static inline PgConnection *pg_of(Session *s)
{
    return (PgConnection *)s->connection;
}

static inline Tx *begin(Session *s, TxStep step)
{
    s->error = (Error){ .code = ERR_NONE };
    s->tx = (Tx){ .arena = s->arena, .error = &s->error, .sql = postgres_driver.dialect, .connection = s->connection };
    assert_true(postgres_driver.step(s->connection, step, &s->error));
    return &s->tx;
}

static inline Tx *begin_write(Session *s)
{
    return begin(s, STEP_BEGIN_WRITE);
}

/* As db.c ends a job: with a commit unless something failed, else with a rollback. */
static inline Error end(Session *s)
{
    while (s->connection->open)
        db_done(s->connection->open);
    if (s->error.code != ERR_NONE || !postgres_driver.step(s->connection, STEP_COMMIT, &s->error)) {
        Error ignored = { .code = ERR_NONE };
        assert_true(!postgres_driver.in_transaction(s->connection) ||
                    postgres_driver.step(s->connection, STEP_ROLLBACK, &ignored));
    }
    return s->error;
}

static inline void assert_end(Session *s)
{
    Error error = end(s);
    assert_string_equal(error.message, "");
    assert_int_equal(error.code, ERR_NONE);
}

/* One statement as a transaction of its own. */
static inline Error try_sql(Session *s, const char *sql)
{
    db_exec(begin_write(s), sql, NULL, 0);
    return end(s);
}

static inline void must(Session *s, const char *sql)
{
    Error error = try_sql(s, sql);
    assert_string_equal(error.message, "");
}

static inline int64_t number(Session *s, const char *sql)
{
    int64_t value = db_int(begin_write(s), INT64_MIN, sql, NULL, 0);
    assert_end(s);
    return value;
}

/* Ends all other connections. */
static inline void terminate(Session *admin)
{
    number(admin, "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() "
                  "AND pid <> pg_backend_pid()");
    for (int i = 0;
         i < 500 && number(admin, "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()") > 1; i++)
        usleep(10000);
}

static inline void *terminate_soon(void *arg)
{
    usleep(300000);
    terminate(arg);
    return NULL;
}

static inline void empty_database(void)
{
    Session *s = session_new();
    begin_write(s);
    assert_true(db_script(&s->tx, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"));
    assert_end(s);
    session_free(s);
}

static inline int open_session(void **state)
{
    empty_database();
    *state = session_new();
    return 0;
}

static inline int close_session(void **state)
{
    session_free(*state);
    return 0;
}

static inline int need_postgres(void **state)
{
    (void)state;
    if (postgres_url().n)
        return 0;
    print_error("ORION_TEST_POSTGRES_URL is not set. Let it name a database that may be emptied; .venv/bin/python -m "
                "tests.lib.postgres makes one.\n");
    return -1;
}

#define SESSION_TEST(f) cmocka_unit_test_setup_teardown(f, open_session, close_session)

#endif
