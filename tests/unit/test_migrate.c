/* tests/unit/test_migrate.c -- from nothing to the head and back, and what is refused.
 * tests/schema compares the schema itself. */
#include "engine.h"
#include "memory_db.h"

#include "db/migrate.h"
#include "upgrade/upgrade.h"
#include "db/tables.h"

#define HEAD by_engine("bfe42b7090d6", "2a88656f4a23")
#define OLDER by_engine("1678f2fb8b33", "f98ae6d8e2cc")
#define ID(end) "'00000000-0000-0000-0000-0000000000" end "'"

static Error run(Fixture *f, bool (*job)(Tx *, void *), void *arg)
{
    Error error = { 0 };
    bool ok = db_run(f->db, true, f->arena, job, arg, &error);
    assert_int_equal(ok, error.code == ERR_NONE);
    return error;
}

static void assert_done(Error error)
{
    assert_string_equal(error.message, "");
    assert_int_equal(error.code, ERR_NONE);
}

static bool up(Tx *tx, void *arg)
{
    (void)arg;
    return migrate_up(tx);
}

static bool drop(Tx *tx, void *arg)
{
    (void)arg;
    return migrate_drop(tx);
}

static bool clear(Tx *tx, void *arg)
{
    (void)arg;
    return migrate_clear(tx);
}

static bool stamp(Tx *tx, void *arg)
{
    return migrate_stamp(tx, str_from(arg));
}

static bool script(Tx *tx, void *arg)
{
    return db_exec(tx, arg, NULL, 0) >= 0;
}

static bool plan(Tx *tx, void *arg)
{
    return upgrade_plan(tx, &(Upgrade){ .to = NULL }, arg);
}

typedef struct State {
    SchemaState state;
    Str revision;
    int64_t tables, pools, queues, defaults;
} State;

static bool read_state(Tx *tx, void *arg)
{
    State *s = arg;
    if (!migrate_state(tx, &s->state, &s->revision))
        return false;
    const char *count = by_engine("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'",
                                  "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'");
    s->tables = db_int(tx, -1, count, NULL, 0);
    if (s->state != SCHEMA_HEAD)
        return true;
    s->pools = DB_INT(tx, -1, "SELECT COUNT(*) FROM work_pool");
    s->queues = DB_INT(tx, -1, "SELECT COUNT(*) FROM work_queue");
    s->defaults = DB_INT(tx, -1,
                         "SELECT COUNT(*) FROM work_pool AS p JOIN work_queue AS q ON p.default_queue_id = q.id AND "
                         "q.work_pool_id = p.id"
                         " WHERE p.name = 'default-agent-pool' AND p.type = 'prefect-agent'"
                         " AND q.name = 'default' AND q.priority = 1");
    return tx->error->code == ERR_NONE;
}

static State state_of(Fixture *f)
{
    State s = { 0 };
    assert_done(run(f, read_state, &s));
    return s;
}

static void empty_goes_to_the_head(void **state)
{
    Fixture *f = *state;
    State s = state_of(f);
    assert_int_equal(s.state, SCHEMA_EMPTY);
    assert_null(s.revision.p);
    assert_done(run(f, up, NULL));
    s = state_of(f);
    assert_int_equal(s.state, SCHEMA_HEAD);
    assert_true(str_is(s.revision, HEAD));
    assert_int_equal(s.tables, tables_of(GEN_2_7)->count + 1); /* with alembic_version */
    assert_int_equal(s.pools, 1);
    assert_int_equal(s.queues, 1);
    assert_int_equal(s.defaults, 1);
}

static void head_stays_as_it_is(void **state)
{
    Fixture *f = *state;
    assert_done(run(f, up, NULL));
    assert_done(run(f, script, "INSERT INTO flow (name) VALUES ('kept')"));
    assert_done(run(f, script, "ALTER TABLE flow ADD COLUMN remark VARCHAR"));
    assert_done(run(f, up, NULL));
    assert_int_equal(run(f, script, "INSERT INTO flow (name) VALUES ('kept')").code, ERR_INTEGRITY);
}

/* As the reference's own downgrade leaves it. */
static void an_empty_version_table_is_empty(void **state)
{
    Fixture *f = *state;
    assert_done(run(f, script, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"));
    assert_int_equal(state_of(f).state, SCHEMA_EMPTY);
    assert_done(run(f, up, NULL));
    assert_int_equal(state_of(f).state, SCHEMA_HEAD);
}

static void older_is_refused_with_the_way_out(void **state)
{
    Fixture *f = *state;
    assert_done(run(f, stamp, (void *)(uintptr_t)OLDER));
    assert_int_equal(state_of(f).state, SCHEMA_OLDER);
    Error error = run(f, up, NULL);
    assert_non_null(strstr(error.message, OLDER));
    assert_non_null(strstr(error.message, "orion database upgrade"));
    assert_int_equal(state_of(f).tables, 1);
}

static void newer_is_refused(void **state)
{
    Fixture *f = *state;
    assert_done(run(f, up, NULL));
    assert_done(run(f, script, "UPDATE alembic_version SET version_num = 'ffffffffffff'"));
    assert_int_equal(state_of(f).state, SCHEMA_UNKNOWN);
    assert_non_null(strstr(run(f, up, NULL).message, "ffffffffffff"));
}

static void tables_without_revision_are_refused(void **state)
{
    Fixture *f = *state;
    assert_done(run(f, up, NULL));
    assert_done(run(f, script, "DELETE FROM alembic_version"));
    State s = state_of(f);
    assert_int_equal(s.state, SCHEMA_UNMARKED);
    assert_null(s.revision.p);
    assert_non_null(strstr(run(f, up, NULL).message, "no revision"));
    assert_done(run(f, stamp, (void *)(uintptr_t)HEAD));
    assert_int_equal(state_of(f).state, SCHEMA_HEAD);
}

static void stamp_takes_known_revisions_only(void **state)
{
    Fixture *f = *state;
    assert_string_equal(run(f, stamp, "nonsense").message, "Can't locate revision identified by 'nonsense'");
    assert_int_equal(state_of(f).tables, 0);
}

/* What of the two databases below must not be touched by anything. */
static void assert_all_refused(Fixture *f, const char *word)
{
    bool (*const jobs[])(Tx *, void *) = { up, drop, clear, stamp };
    int64_t tables = state_of(f).tables;
    for (size_t i = 0; i < COUNT_OF(jobs); i++) {
        Error error = run(f, jobs[i], (void *)(uintptr_t)HEAD);
        assert_int_not_equal(error.code, ERR_NONE);
        assert_non_null(strstr(error.message, word));
    }
    assert_int_not_equal(run(f, stamp, (void *)(uintptr_t)OLDER).code, ERR_NONE);
    assert_int_equal(state_of(f).tables, tables);
    assert_done(run(f, script, "INSERT INTO log (id) VALUES (" ID("a2") ")"));
    /* still there */
    assert_int_equal(run(f, script, "INSERT INTO log (id) VALUES (" ID("a1") ")").code, ERR_INTEGRITY);
}

static void a_newer_database_is_left_alone(void **state)
{
    Fixture *f = *state;
    assert_done(run(f, script, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"));
    assert_done(run(f, script, "INSERT INTO alembic_version (version_num) VALUES ('354f1ede7e9f')"));
    assert_done(run(f, script, "CREATE TABLE log (id VARCHAR(36) PRIMARY KEY)"));
    assert_done(run(f, script, "INSERT INTO log (id) VALUES (" ID("a1") ")"));
    assert_all_refused(f, "354f1ede7e9f");
}

static void another_programs_tables_are_left_alone(void **state)
{
    Fixture *f = *state;
    assert_done(run(f, script, "CREATE TABLE log (id VARCHAR(36) PRIMARY KEY)"));
    assert_done(run(f, script, "INSERT INTO log (id) VALUES (" ID("a1") ")"));
    assert_int_equal(state_of(f).state, SCHEMA_UNMARKED);
    assert_int_not_equal(run(f, stamp, (void *)(uintptr_t)HEAD).code, ERR_NONE);
    assert_all_refused(f, "log");
}

/* SQLite finds a table in any case. */
static void tables_in_capitals_are_left_alone(void **state)
{
    Fixture *f = *state;
    assert_done(run(f, script, "CREATE TABLE LOG (id VARCHAR(36) PRIMARY KEY)"));
    assert_done(run(f, script, "INSERT INTO log (id) VALUES (" ID("a1") ")"));
    assert_all_refused(f, "log");
}

static bool mark_older(Tx *tx, void *arg)
{
    (void)arg;
    return DB_EXEC(tx, "UPDATE alembic_version SET version_num = $1", v_text(str_from(OLDER))) == 1;
}

/* A known revision says nothing of what stands where a table of ours was. */
static void another_programs_table_beside_ours_is_left_alone(void **state)
{
    Fixture *f = *state;
    bool (*const jobs[])(Tx *, void *) = { drop, clear, stamp };
    assert_done(run(f, up, NULL));
    assert_done(run(f, script, "DROP TABLE log"));
    assert_done(
        run(f, script,
            "CREATE TABLE log (id VARCHAR(36) PRIMARY KEY, name VARCHAR(10), created INTEGER, updated INTEGER)"));
    assert_done(run(f, script, "INSERT INTO log (id) VALUES (" ID("a1") ")"));
    assert_done(run(f, script, "INSERT INTO flow (name) VALUES ('kept')"));
    assert_non_null(strstr(run(f, up, NULL).message, "table log"));
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < COUNT_OF(jobs); k++) {
            Error error = run(f, jobs[k], (void *)(uintptr_t)OLDER);
            assert_int_equal(error.code, ERR_CONFLICT);
            assert_non_null(strstr(error.message, "table log"));
        }
        /* still there */
        assert_int_equal(run(f, script, "INSERT INTO log (id) VALUES (" ID("a1") ")").code, ERR_INTEGRITY);
        assert_int_equal(run(f, script, "INSERT INTO flow (name) VALUES ('kept')").code, ERR_INTEGRITY);
        assert_done(run(f, mark_older, NULL));
    }
}

static void an_older_database_is_dropped_with_the_columns_of_then(void **state)
{
    Fixture *f = *state;
    assert_done(run(f, up, NULL));
    assert_done(run(f, script, "ALTER TABLE flow_run DROP COLUMN infrastructure_pid"));
    assert_done(run(f, script, "ALTER TABLE flow_run ADD COLUMN flow_runner_type VARCHAR"));
    assert_int_equal(run(f, drop, NULL).code, ERR_CONFLICT);
    assert_done(run(f, mark_older, NULL));
    assert_done(run(f, drop, NULL));
    assert_int_equal(state_of(f).tables, 0);
}

static void a_type_of_another_program_is_left_alone(void **state)
{
    Fixture *f = *state;
    if (!engine_postgres().n)
        skip();
    assert_done(run(f, script, "CREATE TYPE state_type AS ENUM ('solid', 'liquid')"));
    assert_done(run(f, drop, NULL));
    assert_int_not_equal(run(f, script, "CREATE TYPE state_type AS ENUM ('gas')").code, ERR_NONE); /* still there */
    assert_done(run(f, script, "DROP TYPE state_type"));
}

static void two_revisions_are_none(void **state)
{
    Fixture *f = *state;
    assert_done(run(f, up, NULL));
    assert_done(run(f, script, "INSERT INTO alembic_version (version_num) VALUES ('ffffffffffff')"));
    assert_int_equal(state_of(f).state, SCHEMA_UNKNOWN);
    assert_int_not_equal(run(f, drop, NULL).code, ERR_NONE);
}

static void the_head_is_stamped_on_its_own_tables_only(void **state)
{
    Fixture *f = *state;
    assert_non_null(strstr(run(f, stamp, (void *)(uintptr_t) "head").message, "has no table"));
    assert_done(run(f, up, NULL));
    assert_done(run(f, script, "DROP TABLE alembic_version"));
    assert_done(run(f, script, "ALTER TABLE deployment ADD COLUMN paused BOOLEAN"));
    assert_non_null(strstr(run(f, stamp, (void *)(uintptr_t)HEAD).message, "table deployment has other columns"));
    assert_non_null(strstr(run(f, stamp, (void *)(uintptr_t)OLDER).message, "no revision"));
    assert_done(run(f, script, "ALTER TABLE deployment DROP COLUMN paused"));
    assert_done(run(f, stamp, (void *)(uintptr_t)HEAD));
    assert_done(run(f, drop, NULL));
    assert_int_equal(state_of(f).state, SCHEMA_EMPTY);
}

/* A row in each table that refers to others, so that the order of deletion is tried. */
static void fill(Fixture *f)
{
    static const char *const inserts[] = {
        "INSERT INTO flow (id, name) VALUES (" ID("f0") ", 'flow')",
        "INSERT INTO block_type (id, name, slug) VALUES (" ID("b1") ", 'type', 'type')",
        "INSERT INTO block_schema (id, checksum, block_type_id) VALUES (" ID("b2") ", 'sum', " ID("b1") ")",
        "INSERT INTO block_schema_reference (name, parent_block_schema_id, reference_block_schema_id) VALUES ('r', "
            ID("b2") ", " ID("b2") ")",
        "INSERT INTO block_document (id, name, block_schema_id, block_type_id) VALUES (" ID("b3") ", 'document', "
            ID("b2") ", " ID("b1") ")",
        "INSERT INTO block_document_reference (name, parent_block_document_id, reference_block_document_id) VALUES "
        "('r', " ID("b3") ", " ID("b3") ")",
        "INSERT INTO agent (name, work_queue_id) SELECT 'agent', id FROM work_queue",
        "INSERT INTO worker (name, work_pool_id) SELECT 'worker', id FROM work_pool",
        "INSERT INTO deployment (id, name, flow_id, infrastructure_document_id, work_queue_id) SELECT " ID("d0")
            ", 'd', " ID("f0") ", " ID("b3") ", id FROM work_queue",
        "INSERT INTO flow_run (id, name, flow_id, deployment_id, work_queue_id) SELECT " ID("e0") ", 'run', " ID("f0")
            ", " ID("d0") ", id FROM work_queue",
        "INSERT INTO task_run (id, name, task_key, dynamic_key, flow_run_id) VALUES (" ID("c0") ", 'task', 'k', '0', "
            ID("e0") ")",
        "INSERT INTO artifact (id, flow_run_id, task_run_id) VALUES (" ID("a0") ", " ID("e0") ", " ID("c0") ")",
        "INSERT INTO flow_run_state (id, type, name, flow_run_id, result_artifact_id) VALUES (" ID("50")
            ", 'RUNNING', 'Running', " ID("e0") ", " ID("a0") ")",
        "INSERT INTO task_run_state (id, type, name, task_run_id, result_artifact_id) VALUES (" ID("50")
            ", 'RUNNING', 'Running', " ID("c0") ", " ID("a0") ")",
        "UPDATE flow_run SET state_id = " ID("50") ", parent_task_run_id = " ID("c0"),
        "UPDATE task_run SET state_id = " ID("50"),
        "INSERT INTO flow_run_notification_policy (id, message_template, block_document_id) VALUES (" ID("90") ", '', "
            ID("b3") ")",
        "INSERT INTO flow_run_notification_queue (flow_run_notification_policy_id, flow_run_state_id) VALUES (" ID("90")
            ", " ID("50") ")",
        "INSERT INTO log (name, level, flow_run_id, message, timestamp) VALUES ('l', 20, " ID("e0")
            ", 'm', '2026-01-01 00:00:00.000000')",
    };
    for (size_t i = 0; i < COUNT_OF(inserts); i++)
        assert_done(run(f, script, (void *)(uintptr_t)inserts[i]));
}

static void clear_empties_all_tables(void **state)
{
    Fixture *f = *state;
    assert_done(run(f, up, NULL));
    fill(f);
    assert_done(run(f, clear, NULL));
    State s = state_of(f);
    assert_int_equal(s.state, SCHEMA_HEAD);
    assert_int_equal(s.tables, tables_of(GEN_2_7)->count + 1); /* with alembic_version */
    assert_int_equal(s.pools, 0);
    assert_int_equal(s.queues, 0);
    static const char *const inserts[] = { /* names that fill() gave to rows with unique names */
        "INSERT INTO flow (id, name) VALUES (" ID("f0") ", 'flow')",
        "INSERT INTO block_type (id, name, slug) VALUES (" ID("b1") ", 'type', 'type')",
        "INSERT INTO flow_run (id, name, flow_id) VALUES (" ID("e0") ", 'run', " ID("f0") ")",
        "INSERT INTO task_run (id, name, task_key, dynamic_key, flow_run_id) VALUES (" ID("c0") ", 'task', 'k', '0', "
            ID("e0") ")",
        "INSERT INTO artifact (id, flow_run_id, task_run_id) VALUES (" ID("a0") ", " ID("e0") ", " ID("c0") ")",
    };
    for (size_t i = 0; i < COUNT_OF(inserts); i++)
        assert_done(run(f, script, (void *)(uintptr_t)inserts[i]));
}

static void drop_leaves_nothing(void **state)
{
    Fixture *f = *state;
    assert_done(run(f, up, NULL));
    fill(f);
    assert_done(run(f, drop, NULL));
    assert_int_equal(state_of(f).state, SCHEMA_EMPTY);
    assert_int_equal(state_of(f).tables, 0);
    assert_done(run(f, drop, NULL));
    assert_done(run(f, up, NULL));
    assert_int_equal(state_of(f).pools, 1);
}

static void plan_is_what_up_would_run(void **state)
{
    Fixture *f = *state;
    Str text;
    assert_done(run(f, plan, &text));
    assert_non_null(strstr(text.p, "CREATE TABLE flow_run ("));
    assert_non_null(strstr(text.p, by_engine("VALUES ('bfe42b7090d6');", "VALUES ('2a88656f4a23');")));
    assert_int_equal(state_of(f).tables, 0);
    assert_done(run(f, up, NULL));
    assert_done(run(f, plan, &text));
    assert_int_equal(text.n, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_empty, close_memory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(empty_goes_to_the_head),
        TEST(head_stays_as_it_is),
        TEST(an_empty_version_table_is_empty),
        TEST(older_is_refused_with_the_way_out),
        TEST(newer_is_refused),
        TEST(tables_without_revision_are_refused),
        TEST(stamp_takes_known_revisions_only),
        TEST(a_newer_database_is_left_alone),
        TEST(another_programs_tables_are_left_alone),
        TEST(tables_in_capitals_are_left_alone),
        TEST(another_programs_table_beside_ours_is_left_alone),
        TEST(an_older_database_is_dropped_with_the_columns_of_then),
        TEST(a_type_of_another_program_is_left_alone),
        TEST(two_revisions_are_none),
        TEST(the_head_is_stamped_on_its_own_tables_only),
        TEST(clear_empties_all_tables),
        TEST(drop_leaves_nothing),
        TEST(plan_is_what_up_would_run),
    };
    return cmocka_run_group_tests_name("migrate", tests, NULL, NULL);
}
