/* tests/unit/test_copy.c -- a copy whose connections are lost. tests/copy has what it copies, and what it refuses. */
#include "postgres_db.h"

#include "db/copy.h"
#include "db/migrate.h"

#include <pthread.h>

typedef struct Fixture {
    Session *admin;  /* another client of the PostgreSQL database */
    Arena *arena;
    Db *sqlite, *postgres;
} Fixture;

typedef struct CopyWatch {
    Progress last;
    Session *admin;
    bool ends_source;  /* its connection is ended once, at the first rows */
    bool ends_commit;  /* that of the target, while it commits */
    bool has_ended;
    pthread_t thread;
} CopyWatch;

static void watch_copy(void *arg, const Progress *progress)
{
    CopyWatch *watch = arg;
    watch->last = *progress;
    bool is_last = strcmp(progress->doing, "Verifying") == 0 && progress->done == progress->of;
    if (watch->has_ended || !(watch->ends_source || (watch->ends_commit && is_last)))
        return;
    watch->has_ended = true;
    if (watch->ends_commit)
        pthread_create(&watch->thread, NULL, terminate_soon, watch->admin);
    else
        terminate(watch->admin);
}

static bool make_schema(Tx *tx, void *arg)
{
    (void)arg;
    return migrate_up(tx);
}

static Db *open_with_schema(Str url, Arena *arena)
{
    Error error = { .code = ERR_NONE };
    Db *db = db_open(&(DbConfig){ .url = url, .connect_timeout = 2, .connections = 1 }, &error);
    assert_non_null(db);
    assert_true(db_run(db, true, arena, make_schema, NULL, &error));
    return db;
}

static int open_fixture(void **state)
{
    empty_database();
    Fixture *f = xcalloc(1, sizeof(*f));
    f->admin = session_new();
    f->arena = arena_new();
    f->sqlite = open_with_schema(STR("sqlite+aiosqlite:///file::memory:?cache=shared&uri=true"), f->arena);
    f->postgres = open_with_schema(postgres_url(), f->arena);
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    Fixture *f = *state;
    db_close(f->postgres);
    db_close(f->sqlite);
    session_free(f->admin);
    arena_free(f->arena);
    free(f);
    return 0;
}

static void a_copy_whose_source_is_lost_begins_again(void **state)
{
    Fixture *f = *state;
    Error error = { .code = ERR_NONE };
    CopyWatch watch = { .admin = f->admin, .ends_source = true };
    Copy copy = { .from = f->postgres, .to = f->sqlite, .onlooker = &(Onlooker){ .show = watch_copy, .arg = &watch } };
    assert_true(copy_database(&copy, f->arena, &error));
    assert_true(watch.has_ended);
    assert_string_equal(watch.last.doing, "Verifying");
    assert_int_equal(watch.last.of, 2); /* the pool and its queue */
    assert_int_equal(watch.last.done, 2);
}

/* A trigger leaves something that lingers for the commit alone. */
static void a_copy_that_is_lost_in_the_commit_is_told(void **state)
{
    Fixture *f = *state;
    Error error = { .code = ERR_NONE };
    CopyWatch watch = { .admin = f->admin, .ends_commit = true };
    Copy copy = { .from = f->sqlite, .to = f->postgres, .onlooker = &(Onlooker){ .show = watch_copy, .arg = &watch } };
    must(f->admin, "CREATE TABLE t (k INTEGER)");
    must(f->admin, "CREATE FUNCTION linger() RETURNS TRIGGER LANGUAGE plpgsql AS $$ "
                   "BEGIN PERFORM pg_sleep(5); RETURN NULL; END $$");
    must(f->admin, "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
                   "EXECUTE FUNCTION linger()");
    must(f->admin, "CREATE FUNCTION add() RETURNS TRIGGER LANGUAGE plpgsql AS"
                   " $$ BEGIN SET CONSTRAINTS late DEFERRED; INSERT INTO t VALUES (1); RETURN NULL; END $$");
    must(f->admin, "CREATE CONSTRAINT TRIGGER early AFTER INSERT ON work_pool DEFERRABLE INITIALLY DEFERRED FOR EACH "
                   "ROW EXECUTE FUNCTION add()");
    assert_false(copy_database(&copy, f->arena, &error));
    assert_true(watch.has_ended);
    pthread_join(watch.thread, NULL);
    assert_non_null(strstr(error.message, "may be stored or not"));
    assert_true(copy.was_committing);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_copy_whose_source_is_lost_begins_again),
        TEST(a_copy_that_is_lost_in_the_commit_is_told),
    };
    return cmocka_run_group_tests_name("copy", tests, need_postgres, NULL);
}
