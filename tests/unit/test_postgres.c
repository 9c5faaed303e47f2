/* tests/unit/test_postgres.c -- the PostgreSQL driver against a server: values in and out, rows,
 * statements and pipelines. What happens when something else goes wrong is in test_postgres_faults.c. */
#include "postgres_db.h"

#include <math.h>

enum { MANY_ROWS = 100000, MANY_STATEMENTS = 600, MEGABYTE = 1 << 20 };

#define DAYS (86400 * SECOND)

/* ---- values ---- */

/* The value on its way there and back; the row is left open. */
static Rows *echo_of(Session *s, const char *sql, Value value)
{
    Rows *rows = db_query(begin_write(s), sql, &value, 1);
    bool found = db_next(rows);
    assert_string_equal(s->error.message, "");
    assert_true(found);
    return rows;
}

static Error refusal_of(Session *s, const char *sql, Value value)
{
    Rows *rows = db_query(begin_write(s), sql, &value, 1);
    assert_false(db_next(rows));
    return end(s);
}

static void integers(void **state)
{
    Session *s = *state;
    static const int64_t big[] = { 0, 1, -1, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN };
    for (size_t i = 0; i < COUNT_OF(big); i++) {
        assert_true(row_int(echo_of(s, "SELECT $1::int8", v_int(big[i])), 0) == big[i]);
        assert_end(s);
    }
    assert_int_equal(row_int(echo_of(s, "SELECT $1::int4", v_int(INT32_MIN)), 0), INT32_MIN);
    assert_end(s);
    assert_int_equal(row_int(echo_of(s, "SELECT $1::int2", v_int(-32768)), 0), -32768);
    assert_end(s);
    assert_true(row_int(echo_of(s, "SELECT $1::oid", v_int(4294967295)), 0) == 4294967295);
    assert_end(s);
    assert_true(str_is(row_text(echo_of(s, "SELECT $1::int8", v_int(INT64_MIN)), 0), "-9223372036854775808"));
    assert_end(s);
    assert_int_equal(refusal_of(s, "SELECT $1::int4", v_int(2147483648)).code, ERR_INVALID);
    assert_int_equal(refusal_of(s, "SELECT $1::int2", v_int(40000)).code, ERR_INVALID);
}

static void booleans(void **state)
{
    Session *s = *state;
    assert_true(row_bool(echo_of(s, "SELECT $1::bool", v_bool(true)), 0));
    assert_end(s);
    Rows *rows = echo_of(s, "SELECT $1::bool", v_bool(false));
    assert_false(row_bool(rows, 0));
    assert_false(row_is_null(rows, 0));
    assert_true(str_is(row_text(rows, 0), "false"));
    assert_end(s);
}

static void reals(void **state)
{
    Session *s = *state;
    static const double some[] = { 0.0,    -0.0, 0.1,  1e308,    -1.7976931348623157e308,
                                   5e-324, 2.5,  1e22, INFINITY, -INFINITY };
    for (size_t i = 0; i < COUNT_OF(some); i++) {
        double back = row_real(echo_of(s, "SELECT $1::float8", v_real(some[i])), 0);
        assert_memory_equal(&back, &some[i], sizeof back);
        assert_end(s);
    }
    assert_true(isnan(row_real(echo_of(s, "SELECT $1::float8", v_real(NAN)), 0)));
    assert_end(s);
    assert_true(row_real(echo_of(s, "SELECT $1::float4", v_real(-2.5)), 0) == -2.5);
    assert_end(s);
    assert_true(row_real(echo_of(s, "SELECT $1::int4", v_int(-3)), 0) == -3.0);
    assert_end(s);
    assert_int_equal(refusal_of(s, "SELECT $1::float4", v_real(1e300)).code, ERR_INVALID);
}

static void texts(void **state)
{
    Session *s = *state;
    static const char *const some[] = {
        "", " ", "NULL", "it's", "\"\\\"\\\\", "h\xc3\xa9 \xf0\x9f\xa6\x86", "a\tb\nc\r", "%s $1 ?", "{}", "\x01\x7f"
    };
    for (size_t i = 0; i < COUNT_OF(some); i++) {
        Rows *rows = echo_of(s, "SELECT $1::text, $1::varchar(100)", v_text(str_from(some[i])));
        assert_false(row_is_null(rows, 0));
        assert_true(str_is(row_text(rows, 0), some[i]));
        assert_true(str_is(row_view(rows, 1), some[i]));
        assert_end(s);
    }
    char *large = arena_alloc(s->arena, MEGABYTE);
    for (int i = 0; i < MEGABYTE; i++)
        large[i] = (char)('a' + i % 26);
    assert_true(
        str_eq(row_text(echo_of(s, "SELECT $1::text", v_text((Str){ large, MEGABYTE })), 0), (Str){ large, MEGABYTE }));
    assert_end(s);
    Rows *rows = echo_of(s, "SELECT $1::text", v_null());
    assert_true(row_is_null(rows, 0));
    assert_null(row_text(rows, 0).p);
    assert_int_equal(row_int(rows, 0), 0);
    assert_true(row_time(rows, 0) == TIME_NULL);
    assert_end(s);
}

static void texts_that_cannot_be_stored(void **state)
{
    Session *s = *state;
    Error error = refusal_of(s, "SELECT $1::text", v_text(STR("a\0b")));
    assert_int_equal(error.code, ERR_INVALID);
    assert_non_null(strstr(error.message, "U+0000"));
    assert_int_equal(refusal_of(s, "SELECT $1::text", v_text(STR("\xff\xfe"))).code, ERR_INVALID);
    assert_int_equal(refusal_of(s, "SELECT $1::uuid", v_uuid(STR("no-id"))).code, ERR_INVALID);
    must(s, "CREATE TABLE short (v VARCHAR(3))");
    assert_int_equal(refusal_of(s, "INSERT INTO short VALUES ($1)", v_text(STR("abcd"))).code, ERR_INVALID);
    assert_int_equal(number(s, "SELECT 1"), 1);
}

static void ids_names_and_enums(void **state)
{
    Session *s = *state;
    Rows *rows = echo_of(s, "SELECT $1::uuid", v_uuid(STR("FEDCBA98-7654-3210-0123-456789abcdef")));
    assert_true(str_is(row_text(rows, 0), "fedcba98-7654-3210-0123-456789abcdef"));
    assert_end(s);
    must(s, "CREATE TYPE state_type AS ENUM ('SCHEDULED', 'RUNNING')");
    assert_true(str_is(row_text(echo_of(s, "SELECT $1::state_type", v_text(STR("RUNNING"))), 0), "RUNNING"));
    assert_end(s);
    assert_int_equal(refusal_of(s, "SELECT $1::state_type", v_text(STR("LOST"))).code, ERR_INVALID);
    assert_true(str_is(row_text(echo_of(s, "SELECT 'some'::name, $1::text", v_null()), 0), "some"));
    assert_end(s);
    assert_true(str_is(row_text(echo_of(s, "SELECT $1::char(3)", v_text(STR("a"))), 0), "a  "));
    assert_end(s);
}

static void times(void **state)
{
    Session *s = *state;
    static const struct { Time time; const char *text; } some[] = {
        { -62135596800 * SECOND, "-infinity" }, { 253402300799 * SECOND + 999999, "infinity" },
        { 0, "1970-01-01 00:00:00" }, { -1, "1969-12-31 23:59:59.999999" },
        { 946684799 * SECOND + 999999, "1999-12-31 23:59:59.999999" }, { 946684800 * SECOND, "2000-01-01 00:00:00" },
        { 1795401625630785, "2026-11-23 02:40:25.630785" },
    };
    must(s, "SET TIME ZONE 'Asia/Kolkata'");
    for (size_t i = 0; i < COUNT_OF(some); i++) {
        Rows *rows = echo_of(s,
                             "SELECT $1::timestamptz, ($1::timestamptz AT TIME ZONE 'UTC')::text, $1::timestamptz AT "
                             "TIME ZONE 'UTC'",
                             v_time(some[i].time));
        assert_true(row_time(rows, 0) == some[i].time);
        assert_true(str_is(row_text(rows, 1), some[i].text));
        assert_true(row_time(rows, 2) == some[i].time);
        assert_end(s);
    }
    must(s, "RESET TIME ZONE");
}

/* No client can read a year that has not four digits: one such row must not spoil a list. */
static void times_beyond_the_years_are_the_nearest(void **state)
{
    Session *s = *state;
    static const struct { const char *sql; Time time; } some[] = {
        { "SELECT '-infinity'::timestamptz", TIME_FIRST },
        { "SELECT '0044-03-15 12:00+00 BC'::timestamptz", TIME_FIRST },
        { "SELECT 'infinity'::timestamptz", TIME_END - 1 },
        { "SELECT '10000-01-01 00:00+00'::timestamptz", TIME_END - 1 },
        { "SELECT '294276-12-31 23:59:59.999999+00'::timestamptz", TIME_END - 1 },
        { "SELECT '9999-12-31 23:59:59.999998+00'::timestamptz", TIME_END - 2 },
    };
    for (size_t i = 0; i < COUNT_OF(some); i++) {
        Rows *rows = db_query(begin_write(s), some[i].sql, NULL, 0);
        assert_true(db_next(rows));
        assert_true(row_time(rows, 0) == some[i].time);
        assert_end(s);
    }
}

static void times_that_are_none(void **state)
{
    Session *s = *state;
    static const char *const some[] = { "SELECT 5", "SELECT '2026-01-01'::text" };
    for (size_t i = 0; i < COUNT_OF(some); i++) {
        Rows *rows = db_query(begin_write(s), some[i], NULL, 0);
        assert_true(db_next(rows));
        row_time(rows, 0);
        assert_int_equal(end(s).code, ERR_SPOILED);
    }
}

static void intervals(void **state)
{
    Session *s = *state;
    static const int64_t some[] = {
        0, 1, -1, SECOND, -SECOND, 2147483648, -2147483649, 90 * 60 * SECOND, DAYS - 1, DAYS, -DAYS, -DAYS - 1,
        36500 * DAYS + 5, -400 * DAYS + 1,
        INT64_MAX, -106751991 * DAYS,
    };
    for (size_t i = 0; i < COUNT_OF(some); i++) {
        Rows *rows = echo_of(s, "SELECT $1::interval", v_interval(some[i]));
        assert_true(row_interval(rows, 0) == some[i]);
        assert_end(s);
    }
}

/* As asyncpg reads them, and stored as it stores them, in days and a time of the day. */
static void intervals_of_others(void **state)
{
    Session *s = *state;
    static const struct { const char *sql; int64_t us; } some[] = {
        { "SELECT INTERVAL '1 month'", 30 * DAYS },
        { "SELECT INTERVAL '14 months 3 days 00:00:01'", (365 + 60 + 3) * DAYS + SECOND },
        { "SELECT INTERVAL '-1 year -1 month'", -395 * DAYS }, { "SELECT INTERVAL '36:00:00'", 36 * 3600 * SECOND },
        { "SELECT INTERVAL '1 day -00:00:01'", DAYS - SECOND },
    };
    for (size_t i = 0; i < COUNT_OF(some); i++) {
        Rows *rows = db_query(begin_write(s), some[i].sql, NULL, 0);
        assert_true(db_next(rows));
        assert_int_equal(row_interval(rows, 0), some[i].us);
        assert_end(s);
    }
    Rows *rows = echo_of(s, "SELECT $1::interval::text", v_interval(-DAYS / 2));
    assert_true(str_is(row_text(rows, 0), "-1 days +12:00:00"));
    assert_end(s);
    /* more than 64 bits of microseconds */
    rows = db_query(begin_write(s), "SELECT INTERVAL '170000000 years'", NULL, 0);
    assert_true(db_next(rows));
    row_interval(rows, 0);
    assert_int_equal(end(s).code, ERR_SPOILED);
}

static void json(void **state)
{
    Session *s = *state;
    Rows *rows = echo_of(s, "SELECT $1::json, $1::jsonb",
                         v_json(STR("{\"b\": [1.10, 12345678901234567890], \"a\": \"\\\\u0000\"}")));
    assert_true(str_is(row_text(rows, 0), "{\"b\": [1.10, 12345678901234567890], \"a\": \"\\\\u0000\"}"));
    assert_true(str_is(row_text(rows, 1), "{\"a\": \"\\\\u0000\", \"b\": [1.10, 12345678901234567890]}"));
    assert_end(s);
    assert_true(row_is_null(echo_of(s, "SELECT $1::jsonb", v_json(STR_NULL)), 0));
    assert_end(s);
    assert_true(str_is(row_text(echo_of(s, "SELECT $1::jsonb", v_json(STR("null"))), 0), "null"));
    assert_end(s);
    static const char *const zeros[] = { "{\"a\": \"x\\u0000\"}", "[{\"\\u0000\": 1}]", "\"\\\\\\u0000\"",
                                         "{\"a\": [[\"\\u0000\\\\u0000\"]]}" };
    for (size_t i = 0; i < COUNT_OF(zeros); i++) {
        Error error = refusal_of(s, "SELECT $1::jsonb", v_json(str_from(zeros[i])));
        assert_int_equal(error.code, ERR_INVALID);
        assert_non_null(strstr(error.message, "U+0000"));
    }
    assert_int_equal(refusal_of(s, "SELECT $1::jsonb", v_json(STR("{"))).code, ERR_INVALID);
}

static void lists(void **state)
{
    Session *s = *state;
    static const struct { const char *list, *array; int64_t count; } some[] = {
        { "[]", "[]", 0 }, { "[\"a\"]", "[\"a\"]", 1 },
        { "[\"\", null, \"NULL\", \"null\"]", "[\"\",null,\"NULL\",\"null\"]", 4 },
        { "[\"\\\"\", \"\\\\\", \"a,b\", \"{c}\", \" d \", \"'\"]", "[\"\\\"\",\"\\\\\",\"a,b\",\"{c}\",\" d \",\"'\"]",
          6 },
        { "[1, -2, 3.5]", "[\"1\",\"-2\",\"3.5\"]", 3 },
        { "[\"\\u00e9\\ud83e\\udd86\", \"\\n\"]", "[\"\xc3\xa9\xf0\x9f\xa6\x86\",\"\\n\"]", 2 },
        { "[\"\\\\u0000\"]", "[\"\\\\u0000\"]", 1 },
    };
    for (size_t i = 0; i < COUNT_OF(some); i++) {
        Rows *rows = echo_of(s, "SELECT array_to_json($1::text[]), cardinality($1::text[])",
                             v_list(str_from(some[i].list)));
        assert_string_equal(row_text(rows, 0).p, some[i].array);
        assert_int_equal(row_int(rows, 1), some[i].count);
        assert_end(s);
    }
    assert_int_equal(row_int(echo_of(s, "SELECT cardinality($1::uuid[])",
                                     v_list(STR("[\"00000000-0000-7000-8000-000000000000\"]"))),
                             0),
                     1);
    assert_end(s);
    assert_true(row_bool(echo_of(s, "SELECT 20 = ANY($1)", v_list(STR("[10, 20]"))), 0));
    assert_end(s);
    assert_int_equal(refusal_of(s, "SELECT cardinality($1::text[])", v_list(STR("[\"a\\u0000\"]"))).code, ERR_INVALID);
    assert_int_equal(refusal_of(s, "SELECT cardinality($1::text[])", v_list(STR("{}"))).code, ERR_INTERNAL);
}

/* Their bytes on the wire would be taken for text. */
static void types_that_are_not_expected_are_refused(void **state)
{
    Session *s = *state;
    static const char *const some[] = {
        "SELECT 1.5::numeric", "SELECT '2026-01-01'::date", "SELECT ARRAY['a']", "SELECT '\\x00'::bytea",
        "SELECT 1.5::float8", "SELECT now()",
    };
    for (size_t i = 0; i < COUNT_OF(some); i++) {
        Rows *rows = db_query(begin_write(s), some[i], NULL, 0);
        assert_true(db_next(rows));
        row_text(rows, 0);
        Error error = end(s);
        assert_int_equal(error.code, ERR_INTERNAL);
        assert_non_null(strstr(error.message, "type"));
    }
    Rows *rows = db_query(begin_write(s), "SELECT 'a'::text", NULL, 0);
    assert_true(db_next(rows));
    assert_int_equal(row_int(rows, 0), 0);
    assert_int_equal(end(s).code, ERR_INTERNAL);
}

/* ---- rows ---- */

static void one_text_can_be_open_twice(void **state)
{
    Session *s = *state;
    int64_t sum = 0;
    Tx *tx = begin_write(s);
    Rows *outer = DB_QUERY(tx, "SELECT k FROM generate_series(1, 30) AS k");
    while (db_next(outer)) {
        Rows *inner = DB_QUERY(tx, "SELECT k FROM generate_series(1, 30) AS k");
        while (db_next(inner))
            sum += 100 * row_int(outer, 0) + row_int(inner, 0);
    }
    assert_end(s);
    assert_int_equal(sum, 30 * 101 * 465);
}

/* Neither knows of the other, whichever is read first. */
static void open_rows_are_read_in_any_order(void **state)
{
    Session *s = *state;
    Tx *tx = begin_write(s);
    Rows *first = DB_QUERY(tx, "SELECT k, 'first'::text FROM generate_series(1, 50) AS k");
    Rows *second = DB_QUERY(tx, "SELECT k, 'second'::text FROM generate_series(1, 60) AS k");
    for (int i = 1; i <= 60; i++) {
        assert_true(db_next(second));
        assert_int_equal(row_int(second, 0), i);
        assert_int_equal(db_next(first), i <= 50);
        assert_int_equal(row_int(first, 0), i <= 50 ? i : 0);
        assert_true(str_is(row_view(second, 1), "second"));
    }
    assert_false(db_next(second));
    assert_false(db_next(first));
    assert_int_equal(DB_INT(tx, -1, "SELECT 7"), 7);
    assert_end(s);
}

static void rows_may_be_abandoned(void **state)
{
    Session *s = *state;
    for (int i = 0; i < 5; i++) {
        Tx *tx = begin(s, i % 2 ? STEP_BEGIN_READ : STEP_BEGIN_WRITE);
        Rows *some = DB_QUERY(tx, "SELECT k FROM generate_series(1, 1000) AS k");
        Rows *unread = DB_QUERY(tx, "SELECT k FROM generate_series(1, 1000) AS k");
        Rows *done = DB_QUERY(tx, "SELECT k FROM generate_series(1, 1000) AS k");
        assert_true(db_next(some));
        assert_true(db_next(done));
        db_done(done);
        db_done(unread);
        assert_false(db_next(done));
        assert_int_equal(DB_INT(tx, -1, "SELECT $1::int4", v_int(i)), i);
        assert_true(db_next(some));
        assert_int_equal(row_int(some, 0), 2);
        assert_end(s);
    }
}

/* How many results there are at a time: counted in what the driver calls. */
static struct { __typeof__(&PQgetResult) get; __typeof__(&PQclear) clear; int64_t now, most; } results;

static PGresult *count_result(PGconn *pg)
{
    PGresult *result = results.get(pg);
    results.now += result != NULL;
    results.most = results.now > results.most ? results.now : results.most;
    return result;
}

static void count_clear(PGresult *result)
{
    results.now -= result != NULL;
    results.clear(result);
}

static void many_rows_take_little_memory(void **state)
{
    Session *s = *state;
    Libpq *pq = (Libpq *)(uintptr_t)pg_of(s)->pq;
    results.get = pq->getResult;
    results.clear = pq->clear;
    pq->getResult = count_result;
    pq->clear = count_clear;
    Tx *tx = begin(s, STEP_BEGIN_READ);
    int64_t count = 0;
    Rows *rows = DB_QUERY(tx, "SELECT k, repeat('x', 100) FROM generate_series(1, $1::int4) AS k", v_int(MANY_ROWS));
    while (db_next(rows))
        assert_int_equal(row_int(rows, 0), ++count);
    assert_end(s);
    assert_int_equal(count, MANY_ROWS);
    assert_in_range(results.most, 1, 3);
    tx = begin(s, STEP_BEGIN_READ);
    Rows *left = DB_QUERY(tx, "SELECT k FROM generate_series(1, $1::int4) AS k", v_int(MANY_ROWS));
    assert_true(db_next(left));
    assert_end(s);
    assert_int_equal(number(s, "SELECT 5"), 5);
    assert_in_range(results.most, 1, 3);
    assert_int_equal(results.now, 0);
    pq->getResult = results.get;
    pq->clear = results.clear;
}

static void changed_rows_are_counted(void **state)
{
    Session *s = *state;
    must(s, "CREATE TABLE t (k INTEGER)");
    Tx *tx = begin_write(s);
    Rows *open = DB_QUERY(tx, "SELECT k FROM generate_series(1, 100) AS k");
    assert_int_equal(DB_EXEC(tx, "INSERT INTO t VALUES (1), (2), (3)"), 3);
    assert_true(db_next(open));
    assert_true(DB_SEND(tx, "INSERT INTO t VALUES (4)"));
    assert_int_equal(DB_EXEC(tx, "UPDATE t SET k = k + $1 WHERE k > 1", v_int(10)), 3);
    assert_int_equal(DB_EXEC(tx, "UPDATE t SET k = 0 WHERE k = 99"), 0);
    assert_true(db_next(open));
    assert_int_equal(row_int(open, 0), 2);
    assert_int_equal(DB_EXEC(tx, "CREATE TABLE other (x INTEGER)"), 0);
    assert_int_equal(DB_EXEC(tx, "DELETE FROM t"), 4);
    assert_end(s);
}

/* ---- pipelines ---- */

static void a_sent_failure_is_found_by_the_next_statement(void **state)
{
    Session *s = *state;
    must(s, "CREATE TABLE t (k INTEGER PRIMARY KEY)");
    for (int i = 0; i < 3; i++) {
        Tx *tx = begin_write(s);
        Rows *rows = DB_QUERY(tx, "SELECT k FROM generate_series(1, 3) AS k");
        assert_true(DB_SEND(tx, "INSERT INTO t VALUES (1), (1)"));
        assert_true(DB_SEND(tx, "INSERT INTO t VALUES (2)"));
        if (i == 0)
            assert_int_equal(DB_EXEC(tx, "INSERT INTO t VALUES (3)"), -1);
        if (i == 1)
            assert_int_equal(DB_INT(tx, -1, "SELECT COUNT(*) FROM t"), -1);
        assert_true(db_next(rows) || i < 2); /* what was asked for before is there */
        assert_int_equal(end(s).code, ERR_INTEGRITY);
        assert_int_equal(number(s, "SELECT COUNT(*) FROM t"), 0);
    }
}

static void a_sent_failure_is_found_by_the_commit(void **state)
{
    Session *s = *state;
    must(s, "CREATE TABLE t (k INTEGER PRIMARY KEY)");
    Tx *tx = begin_write(s);
    assert_true(DB_SEND(tx, "INSERT INTO t VALUES (1)"));
    assert_true(DB_SEND(tx, "INSERT INTO t VALUES (1)"));
    assert_true(DB_SEND(tx, "SELECT no_such_function()"));
    Error error = end(s);
    assert_int_equal(error.code, ERR_INTEGRITY);
    assert_non_null(strstr(error.message, "t_pkey"));
    tx = begin_write(s);
    assert_true(DB_SEND(tx, "INSERT INTO t VALUES (1)"));
    assert_end(s);
    assert_int_equal(number(s, "SELECT COUNT(*) FROM t"), 1);
}

static void a_constraint_that_waits_for_the_commit(void **state)
{
    Session *s = *state;
    must(s, "CREATE TABLE t (k INTEGER PRIMARY KEY)");
    must(s, "CREATE TABLE child (parent INTEGER REFERENCES t (k) DEFERRABLE INITIALLY DEFERRED)");
    int64_t pid = number(s, "SELECT pg_backend_pid()");
    assert_int_equal(try_sql(s, "INSERT INTO child VALUES (99)").code, ERR_INTEGRITY);
    assert_int_equal(number(s, "SELECT COUNT(*) FROM child"), 0);
    assert_int_equal(number(s, "SELECT pg_backend_pid()"), pid);
}

static void many_are_sent_at_once(void **state)
{
    Session *s = *state;
    must(s, "CREATE TABLE t (k INTEGER)");
    Tx *tx = begin_write(s);
    for (int i = 0; i < 20000; i++)
        assert_true(DB_SEND(tx, "INSERT INTO t VALUES ($1)", v_int(i)));
    assert_end(s);
    assert_int_equal(number(s, "SELECT COUNT(DISTINCT k) FROM t"), 20000);
}

/* Both sides have more to say than the sockets hold. */
static void much_goes_both_ways(void **state)
{
    Session *s = *state;
    must(s, "CREATE TABLE t (v TEXT)");
    char *large = arena_alloc(s->arena, MEGABYTE);
    memset(large, 'x', MEGABYTE);
    Tx *tx = begin_write(s);
    Rows *rows = DB_QUERY(tx, "SELECT repeat('y', 1000) FROM generate_series(1, 20000) AS k");
    for (int i = 0; i < 20; i++)
        assert_true(DB_SEND(tx, "INSERT INTO t VALUES ($1)", v_text((Str){ large, MEGABYTE })));
    assert_int_equal(DB_EXEC(tx, "INSERT INTO t VALUES ('')"), 1);
    int count = 0;
    while (db_next(rows))
        count++;
    assert_end(s);
    assert_int_equal(count, 20000);
    assert_int_equal(number(s, "SELECT SUM(length(v)) FROM t"), 20 * (int64_t)MEGABYTE);
}

static void a_transaction_of_nothing(void **state)
{
    Session *s = *state;
    for (int i = 0; i < 3; i++) {
        begin(s, i % 2 ? STEP_BEGIN_READ : STEP_BEGIN_WRITE);
        assert_end(s);
        begin_write(s);
        (void)!fail(&s->error, ERR_NOT_FOUND, "not there");
        assert_int_equal(end(s).code, ERR_NOT_FOUND);
    }
    assert_int_equal(number(s, "SELECT 1"), 1);
}

/* ---- statements kept on the server ---- */

static void run_many_statements(Session *s, int times)
{
    Tx *tx = begin_write(s);
    for (int round = 0; round < times; round++)
        for (int i = 0; i < MANY_STATEMENTS; i++) {
            Str text = arena_printf(tx->arena, "SELECT %d + $1", i);
            const Value value = v_int(round);
            assert_int_equal(db_int(tx, -1, text.p, &value, 1), i + round);
        }
    assert_end(s);
}

static void statements_are_kept_up_to_a_bound(void **state)
{
    Session *s = *state;
    run_many_statements(s, 2);
    assert_in_range(number(s, "SELECT COUNT(*) FROM pg_prepared_statements"), PG_STATEMENTS - 1, PG_STATEMENTS);
    assert_int_equal(pg_of(s)->statement_count, PG_STATEMENTS);
    static const char prepared[] =
        "SELECT (EXTRACT(EPOCH FROM prepare_time) * 1000000)::int8 FROM pg_prepared_statements"
        " WHERE statement = 'SELECT 42'";
    assert_int_equal(number(s, "SELECT 42"), 42);
    int64_t first = number(s, prepared);
    for (int i = 0; i < 10; i++)
        assert_int_equal(number(s, "SELECT 42"), 42);
    assert_int_equal(number(s, prepared), first);
}

/* Room is made while rows are open and other statements are on their way. */
static void room_is_made_in_the_middle(void **state)
{
    Session *s = *state;
    must(s, "CREATE TABLE t (k INTEGER)");
    Tx *tx = begin_write(s);
    Rows *rows = DB_QUERY(tx, "SELECT k FROM generate_series(1, 1000) AS k");
    for (int i = 0; i < MANY_STATEMENTS; i++)
        assert_true(db_send(tx, arena_printf(tx->arena, "INSERT INTO t VALUES (%d)", i).p, NULL, 0));
    int64_t count = 0;
    while (db_next(rows))
        assert_int_equal(row_int(rows, 0), ++count);
    assert_int_equal(count, 1000);
    assert_end(s);
    assert_int_equal(number(s, "SELECT COUNT(DISTINCT k) FROM t"), MANY_STATEMENTS);
}

static void failed_texts_are_not_kept(void **state)
{
    Session *s = *state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(try_sql(s, "SELECT x FROM no_such_table").code, ERR_INTERNAL);
        assert_non_null(strstr(s->error.message, "no_such_table"));
        assert_non_null(strstr(s->error.message, "42P01"));
    }
    must(s, "CREATE TABLE no_such_table (x INTEGER)");
    must(s, "SELECT x FROM no_such_table");
    assert_int_equal(number(s, "SELECT COUNT(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT x%'"), 1);
}

static void nothing_is_compiled_unless_the_url_wants_it(void **state)
{
    Session *s = *state, session;
    static const struct { const char *parameters, *jit; } cases[] = {
        { "", "off" }, { "?options=-c%20jit%3Don", "on" }
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Str url = arena_printf(s->arena, "%.*s%s", STR_ARG(postgres_url()), cases[i].parameters);
        DbConfig config = { .url = url, .timeout = 7, .connect_timeout = 5 };
        assert_true(session_open(&session, &config));
        Tx *tx = begin_write(&session);
        assert_true(str_is(DB_TEXT(tx, "SELECT current_setting('jit')"), cases[i].jit));
        assert_end(&session);
        session_close(&session);
    }
}

static void a_pooled_session_keeps_nothing(void **state)
{
    Session *s = *state, pooled;
    static const struct { const char *parameters; bool pgbouncer; } cases[] = {
        { "", true }, { "?statement_cache_size=0", false }
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Str url = arena_printf(s->arena, "%.*s%s", STR_ARG(postgres_url()), cases[i].parameters);
        DbConfig config = { .url = url, .timeout = 7, .connect_timeout = 5, .pgbouncer = cases[i].pgbouncer };
        assert_true(session_open(&pooled, &config));
        run_many_statements(&pooled, 1);
        Tx *tx = begin_write(&pooled);
        assert_int_equal(DB_INT(tx, -1, "SELECT COUNT(*) FROM pg_prepared_statements"), 0);
        assert_true(str_is(DB_TEXT(tx, "SELECT current_setting('statement_timeout')"), "6750ms"));
        assert_end(&pooled);
        Rows *rows = echo_of(&pooled,
                             "SELECT setting::text, $1::text FROM pg_settings WHERE name = 'statement_timeout'"
                             " AND source = 'session'",
                             v_null());
        db_done(rows);
        assert_end(&pooled);
        assert_int_equal(number(&pooled, "SELECT reset_val::int4 FROM pg_settings WHERE name = 'statement_timeout'"),
                         0);
        session_close(&pooled);
    }
}

/* ---- scripts ---- */

static void scripts(void **state)
{
    Session *s = *state;
    Tx *tx = begin_write(s);
    assert_true(DB_SEND(tx, "CREATE TABLE before (k INTEGER)"));
    assert_true(db_script(tx,
                          "CREATE TABLE t (k INTEGER); INSERT INTO t VALUES (1), (2);\n-- a comment; with a semicolon\n"
                          "CREATE FUNCTION f() RETURNS INTEGER LANGUAGE plpgsql AS $$ BEGIN RETURN 5; END $$;;"
                          " SELECT * FROM t;"));
    assert_true(db_script(tx, ""));
    assert_true(db_script(tx, "-- nothing"));
    assert_int_equal(DB_INT(tx, -1, "SELECT COUNT(*) + f() FROM t"), 7);
    assert_end(s);
    assert_int_equal(number(s, "SELECT COUNT(*) FROM t, (SELECT COUNT(*) FROM before) AS b"), 2);
}

static void a_script_fails_as_a_whole(void **state)
{
    Session *s = *state;
    Tx *tx = begin_write(s);
    DB_EXEC(tx, "CREATE TABLE before (k INTEGER)");
    assert_false(db_script(tx, "CREATE TABLE t (k INTEGER); SELECT 1 / 0; CREATE TABLE u (k INTEGER)"));
    assert_int_equal(DB_EXEC(tx, "CREATE TABLE later (k INTEGER)"), -1);
    Error error = end(s);
    assert_int_equal(error.code, ERR_INVALID);
    assert_non_null(strstr(error.message, "division by zero"));
    assert_int_equal(number(s, "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'"), 0);
    tx = begin_write(s);
    assert_true(DB_SEND(tx, "SELECT 1 / 0"));
    assert_false(db_script(tx, "CREATE TABLE t (k INTEGER)"));
    assert_int_equal(end(s).code, ERR_INVALID);
    assert_int_equal(number(s, "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'"), 0);
}

static void rows_stay_readable_behind_a_script(void **state)
{
    Session *s = *state;
    Tx *tx = begin_write(s);
    Rows *rows = DB_QUERY(tx, "SELECT k FROM generate_series(1, 10) AS k");
    assert_true(db_next(rows));
    assert_true(db_script(tx, "CREATE TABLE t (k INTEGER); DROP TABLE t"));
    int64_t sum = row_int(rows, 0);
    while (db_next(rows))
        sum += row_int(rows, 0);
    assert_int_equal(sum, 55);
    assert_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(integers),
        SESSION_TEST(booleans),
        SESSION_TEST(reals),
        SESSION_TEST(texts),
        SESSION_TEST(texts_that_cannot_be_stored),
        SESSION_TEST(ids_names_and_enums),
        SESSION_TEST(times),
        SESSION_TEST(times_beyond_the_years_are_the_nearest),
        SESSION_TEST(times_that_are_none),
        SESSION_TEST(intervals),
        SESSION_TEST(intervals_of_others),
        SESSION_TEST(json),
        SESSION_TEST(lists),
        SESSION_TEST(types_that_are_not_expected_are_refused),
        SESSION_TEST(one_text_can_be_open_twice),
        SESSION_TEST(open_rows_are_read_in_any_order),
        SESSION_TEST(rows_may_be_abandoned),
        SESSION_TEST(many_rows_take_little_memory),
        SESSION_TEST(changed_rows_are_counted),
        SESSION_TEST(a_sent_failure_is_found_by_the_next_statement),
        SESSION_TEST(a_sent_failure_is_found_by_the_commit),
        SESSION_TEST(a_constraint_that_waits_for_the_commit),
        SESSION_TEST(many_are_sent_at_once),
        SESSION_TEST(much_goes_both_ways),
        SESSION_TEST(a_transaction_of_nothing),
        SESSION_TEST(statements_are_kept_up_to_a_bound),
        SESSION_TEST(room_is_made_in_the_middle),
        SESSION_TEST(failed_texts_are_not_kept),
        SESSION_TEST(nothing_is_compiled_unless_the_url_wants_it),
        SESSION_TEST(a_pooled_session_keeps_nothing),
        SESSION_TEST(scripts),
        SESSION_TEST(a_script_fails_as_a_whole),
        SESSION_TEST(rows_stay_readable_behind_a_script),
    };
    return cmocka_run_group_tests_name("postgres", tests, need_postgres, NULL);
}
