/* tests/unit/test_rows.c -- statements, their values and rows, and the operators of the dialect, on both engines. */
#include "engine.h"
#include "memory_db.h"

#include "entity/codec.h"
#include "entity/filter.h"

#define ONE_ID "6f1c0000-0000-4000-8000-000000000001"

enum { MANY_STATEMENTS = 600 };

static bool exec_text(Tx *tx, void *arg)
{
    return db_exec(tx, arg, NULL, 0) >= 0;
}

static void prepare(Fixture *f, const char *sql)
{
    Error error = { 0 };
    bool ok = db_run(f->db, true, f->arena, exec_text, (void *)(uintptr_t)sql, &error);
    assert_string_equal(error.message, "");
    assert_true(ok);
}

static bool nest_same_statement(Tx *tx, void *arg)
{
    int64_t *sum = arg;
    Rows *outer = DB_QUERY(tx, "SELECT k FROM t ORDER BY k");
    while (db_next(outer)) {
        Rows *inner = DB_QUERY(tx, "SELECT k FROM t ORDER BY k");
        while (db_next(inner))
            *sum += 10 * row_int(outer, 0) + row_int(inner, 0);
    }
    return true;
}

static void one_text_can_be_open_twice(void **state)
{
    Fixture *f = *state;
    Error error = { 0 };
    int64_t sum = 0;
    prepare(f, "CREATE TABLE t (k INTEGER, v TEXT)");
    prepare(f, "INSERT INTO t (k) VALUES (1), (2), (3)");
    assert_true(db_run(f->db, false, f->arena, nest_same_statement, &sum, &error));
    assert_int_equal(sum, 3 * 60 + 3 * 6);
}

static bool leave_rows_open(Tx *tx, void *arg)
{
    (void)arg;
    Rows *rows = DB_QUERY(tx, "SELECT k FROM t");
    Rows *more = DB_QUERY(tx, "SELECT k + 1 FROM t");
    return db_next(rows) && db_next(more) &&
           DB_EXEC(tx, "UPDATE t SET v = 'u' WHERE k = $1", v_int(row_int(rows, 0))) == 1;
}

static void open_rows_end_with_their_job(void **state)
{
    Fixture *f = *state;
    prepare(f, "CREATE TABLE t (k INTEGER, v TEXT)");
    prepare(f, "INSERT INTO t (k) VALUES (1), (2)");
    for (int i = 0; i < 3; i++) {
        Error error = { 0 };
        assert_true(db_run(f->db, true, f->arena, leave_rows_open, NULL, &error));
    }
    prepare(f, "DROP TABLE t"); /* which an open statement on it would forbid */
}

static bool many_statements(Tx *tx, void *arg)
{
    (void)arg;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < MANY_STATEMENTS; i++) {
            Str text = arena_printf(tx->arena, "SELECT %d + $1", i);
            const Value value = v_int(round);
            if (db_int(tx, -1, text.p, &value, 1) != i + round)
                return false;
        }
    return true;
}

static void more_statements_than_are_kept(void **state)
{
    Fixture *f = *state;
    Error error = { 0 };
    assert_true(db_run(f->db, false, f->arena, many_statements, NULL, &error));
    assert_true(db_run(f->db, true, f->arena, many_statements, NULL, &error));
}

static bool places(Tx *tx, void *arg)
{
    (void)arg;
    assert_int_equal(DB_INT(tx, -1, "SELECT $2 * 100 + $1 * 10 + $2", v_int(3), v_int(7)), 737);
    assert_int_equal(DB_INT(tx, -1, "SELECT 100 * $11 + 0 * (0 + $1 + $2 + $3 + $4 + $5 + $6 + $7 + $8 + $9) + $10",
                            v_int(1), v_int(2), v_int(3), v_int(4), v_int(5), v_int(6), v_int(7), v_int(8), v_int(9),
                            v_int(10), v_int(11)),
                     1110);
    assert_int_equal(DB_INT(tx, -1, "SELECT $1", v_null()), -1);
    assert_false(db_next(DB_QUERY(tx, "SELECT 0 + $1 + $2 + $3", v_int(1))));
    return true;
}

static void values_go_to_their_numbers(void **state)
{
    Fixture *f = *state;
    Error error = { 0 };
    assert_false(db_run(f->db, false, f->arena, places, NULL, &error));
    assert_int_equal(error.code, ERR_INTERNAL);
    assert_non_null(strstr(error.message, by_engine("is missing", "supplies 1 parameters")));
}

static bool round_trip(Tx *tx, void *arg)
{
    (void)arg;
    Time time = 1795401625630785;
    const char *create = by_engine("CREATE TABLE v (i INTEGER, r FLOAT, b BOOLEAN, s VARCHAR, u CHAR(36), t DATETIME, "
                                   "d DATETIME, j JSON, n VARCHAR, e VARCHAR)",
                                   "CREATE TABLE v (i BIGINT, r FLOAT, b BOOLEAN, s VARCHAR, u UUID, t TIMESTAMPTZ, d "
                                   "INTERVAL, j JSON, n VARCHAR, e VARCHAR)");
    db_exec(tx, create, NULL, 0);
    DB_EXEC(tx, "INSERT INTO v VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", v_int(INT64_MIN), v_real(0.1),
            v_bool(true), v_text(STR("h\xc3\xa9 x")), v_uuid(STR("00000000-0000-7000-8000-000000000000")), v_time(time),
            v_interval(90 * SECOND + 5), v_json(STR("{\"a\": [1.10, 12345678901234567890]}")), v_text(STR_NULL),
            v_text(STR("")));
    Rows *rows = DB_QUERY(tx, "SELECT i, r, b, s, u, t, d, j, n, e FROM v");
    assert_true(db_next(rows));
    assert_true(row_int(rows, 0) == INT64_MIN);
    assert_true(row_real(rows, 1) == 0.1);
    assert_true(row_bool(rows, 2));
    assert_true(str_is(row_text(rows, 3), "h\xc3\xa9 x"));
    assert_true(str_is(row_view(rows, 4), "00000000-0000-7000-8000-000000000000"));
    assert_true(row_time(rows, 5) == time);
    assert_true(row_interval(rows, 6) == 90 * SECOND + 5);
    assert_true(str_is(row_text(rows, 7), "{\"a\": [1.10, 12345678901234567890]}"));
    assert_true(row_is_null(rows, 8));
    assert_null(row_text(rows, 8).p);
    assert_true(row_time(rows, 8) == TIME_NULL);
    assert_true(str_eq(row_text(rows, 9), STR("")));
    assert_false(db_next(rows));
    assert_true(row_is_null(rows, 0));
    return true;
}

static void values_come_back(void **state)
{
    Fixture *f = *state;
    Error error = { 0 };
    assert_true(db_run(f->db, true, f->arena, round_trip, NULL, &error));
}

static bool look_into_columns(Tx *tx, void *arg)
{
    (void)arg;
    DB_EXEC(tx, "CREATE TABLE v (b BOOLEAN, s VARCHAR, t DATETIME, d DATETIME)");
    DB_EXEC(tx, "INSERT INTO v VALUES ($1, $2, $3, $4)", v_bool(true), v_text(STR("h\0x")), v_time(1795401625630785),
            v_interval(90 * SECOND + 5));
    Rows *rows = DB_QUERY(tx,
                          "SELECT typeof(b), s, CAST(t AS TEXT), CAST(d AS TEXT), 0, '1970-01-01 00:00:00.5' FROM v");
    assert_true(db_next(rows));
    assert_true(str_is(row_text(rows, 0), "integer"));
    assert_true(str_eq(row_text(rows, 1), STR("h\0x")));
    assert_true(str_is(row_text(rows, 2), "2026-11-23 02:40:25.630785"));
    assert_true(str_is(row_text(rows, 3), "1970-01-01 00:01:30.000005"));
    assert_true(row_interval(rows, 4) == 0);
    assert_true(row_interval(rows, 5) == SECOND / 2);
    return true;
}

static void sqlite_columns_hold_what_the_reference_writes(void **state)
{
    Fixture *f = *state;
    Error error = { 0 };
    assert_true(db_run(f->db, true, f->arena, look_into_columns, NULL, &error));
}

static bool read_bad_time(Tx *tx, void *arg)
{
    (void)arg;
    Rows *rows = DB_QUERY(tx, "SELECT 'yesterday'");
    return db_next(rows) && row_time(rows, 0) == TIME_NULL;
}

static void unreadable_time_is_an_error(void **state)
{
    Fixture *f = *state;
    Error error = { 0 };
    assert_false(db_run(f->db, false, f->arena, read_bad_time, NULL, &error));
    assert_int_equal(error.code, ERR_SPOILED);
    assert_non_null(strstr(error.message, "column 0 of a row is not a valid time"));
}

/* ---- the dialect's operators ---- */

typedef struct OperatorCase {
    SqlOp op;
    const char *column;   /* SQL literal in place of a column */
    const char *type;     /* of it, where PostgreSQL would not guess it */
    Value value;
    bool expected;
} OperatorCase;

static bool operator_holds(Tx *tx, const OperatorCase *c)
{
    Query q;
    query_init(&q, tx->arena, tx->sql);
    buf_text(&q.sql, "SELECT 1 FROM (SELECT ");
    buf_text(&q.sql, c->column);
    if (c->type)
        buf_text(&q.sql, by_engine("", c->type));
    buf_text(&q.sql, " AS x) AS held_by WHERE ");
    query_operator(&q, c->op, "held_by.x", c->value);
    return db_int(tx, 0, buf_cstr(&q.sql), q.values, q.count) == 1;
}

static bool try_operators(Tx *tx, void *arg)
{
    (void)arg;
    const OperatorCase cases[] = {
        { SQL_ANY, "'b'", NULL, v_list(STR("[\"a\", \"b\"]")), true },
        { SQL_ANY, "'c'", NULL, v_list(STR("[\"a\", \"b\"]")), false },
        { SQL_ANY, "NULL", NULL, v_list(STR("[\"a\"]")), false },
        { SQL_ANY, "30", NULL, v_list(STR("[20, 30]")), true },
        { SQL_NOT_ANY, "'c'", NULL, v_list(STR("[\"a\", \"b\"]")), true },
        { SQL_NOT_ANY, "'a'", NULL, v_list(STR("[\"a\", \"b\"]")), false },
        { SQL_NOT_ANY, "NULL", NULL, v_list(STR("[\"a\"]")), false },
        { SQL_ALL, "'[\"a\", \"b\", \"c\"]'", "::jsonb", v_list(STR("[\"a\", \"c\", \"a\"]")), true },
        { SQL_ALL, "'[\"a\"]'", "::jsonb", v_list(STR("[\"a\", \"c\"]")), false },
        { SQL_ALL, "'[]'", "::jsonb", v_list(STR("[]")), true },
        { SQL_LIKE, "'My-Flow'", NULL, v_text(STR("%y-fL%")), true },
        { SQL_LIKE, "'My-Flow'", NULL, v_text(STR("y-f")), false },
        { SQL_BEFORE, "'2026-01-01 00:00:00.000000'", "::timestamptz", v_time(1795401625630785), true },
        { SQL_BEFORE, "'2026-11-23 02:40:25.630785'", "::timestamptz", v_time(1795401625630785), true },
        { SQL_AFTER, "'2026-11-23 02:40:25.630785'", "::timestamptz", v_time(1795401625630785), true },
        { SQL_AFTER, "'2026-11-23 02:40:25.630784'", "::timestamptz", v_time(1795401625630785), false },
        { SQL_GE, "2", NULL, v_int(2), true },
        { SQL_GE, "1", NULL, v_int(2), false },
        { SQL_LE, "2", NULL, v_int(2), true },
        { SQL_LE, "3", NULL, v_int(2), false },
        { SQL_EQ, "1", "::boolean", v_bool(true), true },
        { SQL_EQ, "0", "::boolean", v_bool(true), false },
        { SQL_IS_NULL, "NULL", NULL, v_null(), true },
        { SQL_IS_NULL, "0", NULL, v_null(), false },
        { SQL_IS_NOT_NULL, "0", NULL, v_null(), true },
        { SQL_IS_NOT_NULL, "NULL", NULL, v_null(), false },
        { SQL_JSON_EMPTY, "'[]'", "::jsonb", v_null(), true },
        { SQL_JSON_EMPTY, "'[\"a\"]'", "::jsonb", v_null(), false },
        { SQL_JSON_NOT_EMPTY, "'[\"a\"]'", "::jsonb", v_null(), true },
        { SQL_JSON_NOT_EMPTY, "'[]'", "::jsonb", v_null(), false },
        { SQL_LIKE_ANY, "'Blue'", NULL, v_list(STR("[\"gr\", \"bL\"]")), true },
        { SQL_LIKE_ANY, "'Blue'", NULL, v_list(STR("[\"lue\"]")), false },
        { SQL_LIKE_ANY, "'Blue'", NULL, v_list(STR("[]")), true },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (operator_holds(tx, &cases[i]) != cases[i].expected)
            return fail(tx->error, ERR_INTERNAL, "case %zu", i);
    return true;
}

typedef struct Dated { Str id; int64_t n; Time updated; } Dated;

static const Field dated_fields[] = { FIELD(Dated, n, F_INT), FIELD(Dated, updated, F_TIME, .flags = VIRTUAL) };
static const Model dated_model = MODEL(Dated, dated_fields, .table = "dated");

static Time update_at(Tx *tx, Time now)
{
    const Dated row = { .n = now };
    tx->now = now;
    assert_int_equal(codec_update(tx, &dated_model, STR(ONE_ID), &row, 1), 1);
    assert_int_equal(DB_INT(tx, 0, "SELECT n FROM dated"), now);
    Rows *rows = DB_QUERY(tx, "SELECT updated FROM dated");
    assert_true(db_next(rows));
    Time updated = row_time(rows, 0);
    db_done(rows);
    return updated;
}

static bool update_on_a_clock_set_back(Tx *tx, void *arg)
{
    (void)arg;
    if (DB_EXEC(tx, "INSERT INTO dated (id, n, updated) VALUES ($1, 0, $2)", v_uuid(STR(ONE_ID)), v_time(1000)) != 1)
        return false;
    assert_int_equal(update_at(tx, 1001), 1001);
    assert_int_equal(update_at(tx, 999), 1001);
    assert_int_equal(update_at(tx, -5 * SECOND), 1001);
    assert_int_equal(update_at(tx, 1002), 1002);
    return true;
}

static void updated_never_runs_backwards(void **state)
{
    Fixture *f = *state;
    Error error = { 0 };
    prepare(f, engine_postgres().n ? "CREATE TABLE dated (id UUID, n BIGINT, updated TIMESTAMPTZ)"
                                   : "CREATE TABLE dated (id CHAR(36), n BIGINT, updated DATETIME)");
    bool ok = db_run(f->db, true, f->arena, update_on_a_clock_set_back, NULL, &error);
    assert_string_equal(error.message, "");
    assert_true(ok);
}

static void operators_hold(void **state)
{
    Fixture *f = *state;
    Error error = { 0 };
    bool ok = db_run(f->db, false, f->arena, try_operators, NULL, &error);
    assert_string_equal(error.message, "");
    assert_true(ok);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_empty, close_memory)

int main(void)
{
    const struct CMUnitTest both[] = {
        TEST(one_text_can_be_open_twice),
        TEST(open_rows_end_with_their_job),
        TEST(more_statements_than_are_kept),
        TEST(values_go_to_their_numbers),
        TEST(values_come_back),
        TEST(unreadable_time_is_an_error),
        TEST(operators_hold),
        TEST(updated_never_runs_backwards),
    };
    const struct CMUnitTest of_sqlite[] = {
        TEST(sqlite_columns_hold_what_the_reference_writes),
    };
    int failed = cmocka_run_group_tests_name("rows", both, NULL, NULL);
    return engine_postgres().n ? failed : failed + cmocka_run_group_tests_name("rows of SQLite", of_sqlite, NULL, NULL);
}
