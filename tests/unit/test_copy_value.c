/* tests/unit/test_copy_value.c -- when two values are equal, and which ones no other engine can hold. */
#include "memory_db.h"

#include "db/copy_value.h"

#define print_and_fail(...) (print_error(__VA_ARGS__), assert_true(false))

static Str canonical(Arena *arena, Value value)
{
    Buf out;
    buf_init(&out, arena, 16);
    copy_value_canonical(&out, &value);
    buf_cstr(&out);
    return buf_view(&out);
}

static bool are_equal(Arena *arena, const char *a, const char *b)
{
    return str_eq(canonical(arena, v_json(str_from(a))), canonical(arena, v_json(str_from(b))));
}

static void equal_json_has_one_form(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    static const char *const pairs[][2] = {
        { "{\"a\": 1, \"b\": 2}", "{\"b\":2,\"a\":1}" }, { "{\"a\": 1, \"a\": 2}", "{\"a\": 2}" },
        { "{\"b\": 0, \"aa\": 0}", "{\"aa\": 0, \"b\": 0}" }, { "1.10", "1.1" }, { "1e2", "100" }, { "1E+2", "100.0" },
        { "11e-1", "1.1" }, { "0.0", "-0" }, { "0e5", "0" }, { "0.001", "1e-3" }, { "-120", "-1.2e2" },
        { "1e22", "10000000000000000000000" }, { "100.00", "100" }, { "10.010", "1001e-2" }, { "\"\\u00e9\"", "\"é\"" },
        { "\"\\ud83d\\ude00\"", "\"😀\"" }, { "\"\\/\"", "\"/\"" }, { "[ 1 , 2 ]", "[1,2]" },
        { "{\"x\": [{\"b\": null, \"a\": true}]}", "{\"x\":[{\"a\":true,\"b\":null}]}" },
    };
    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        if (!are_equal(arena, pairs[i][0], pairs[i][1]))
            print_and_fail("%s and %s", pairs[i][0], pairs[i][1]);
    arena_free(arena);
}

static void different_json_has_another(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    static const char *const pairs[][2] = {
        { "1", "2" }, { "1", "10" }, { "1", "-1" }, { "1", "\"1\"" }, { "null", "\"null\"" }, { "true", "1" },
        { "false", "null" }, { "[1, 2]", "[2, 1]" }, { "[1, [2]]", "[[1], 2]" }, { "[12]", "[1, 2]" }, { "{}", "[]" },
        { "[]", "[[]]" }, { "{\"a\": 1}", "{\"a\": 1, \"b\": null}" }, { "{\"ab\": \"c\"}", "{\"a\": \"bc\"}" },
        { "\"\"", "null" }, { "0.1", "0.10000000000000000555" }, { "1.01", "1.1" }, { "101", "11" },
        { "12345678901234567890123", "12345678901234567890124" }, { "1e400", "1e401" }, { "NaN", "Infinity" },
        { "\"e\\u0301\"", "\"\\u00e9\"" },
    };
    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        if (are_equal(arena, pairs[i][0], pairs[i][1]))
            print_and_fail("%s and %s", pairs[i][0], pairs[i][1]);
    arena_free(arena);
}

static void kinds_do_not_mix(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    const Value values[] = { v_null(), v_int(1), v_text(STR("1")), v_text(STR("")), v_json(STR("null")),
                             v_text(STR("null")), v_json(STR("1")) };
    for (size_t i = 0; i < COUNT_OF(values); i++)
        for (size_t j = 0; j < i; j++)
            assert_false(str_eq(canonical(arena, values[i]), canonical(arena, values[j])));
    assert_true(str_eq(canonical(arena, v_uuid(STR("x"))), canonical(arena, v_text(STR("x")))));
    arena_free(arena);
}

/* An expression of SQLite, read as a kind of column. */
typedef struct Case {
    const char *sql;
    ColumnKind kind;
    unsigned flags;
    const char *reason; /* NULL: it can be copied */
} Case;

static bool read_case(Tx *tx, void *arg)
{
    const Case *c = arg;
    Value value;
    Rows *rows = db_query(tx, c->sql, NULL, 0);
    assert_true(db_next(rows));
    const char *reason = copy_value_read(rows, 0, c->kind, c->flags, &value);
    if (c->reason)
        assert_string_equal(reason ? reason : "", c->reason);
    else if (reason)
        print_and_fail("%s: %s", c->sql, reason);
    return true;
}

#define ZERO "contains the character U+0000, which PostgreSQL cannot store"
#define NO_JSON "is not JSON that PostgreSQL accepts (NaN and Infinity are not)"
#define ID "SELECT '0189ff3c-0000-7000-8000-0000000000ab'"

static void what_cannot_be_copied_has_a_reason(void **state)
{
    Fixture *f = *state;
    static const Case cases[] = {
        { "SELECT NULL", KIND_JSON, COPY_STRICT, NULL }, { ID, KIND_UUID, COPY_STRICT, NULL },
        { "SELECT upper('0189ff3c-0000-7000-8000-0000000000ab')", KIND_UUID, COPY_STRICT,
          "is not a UUID in the usual form" },
        { "SELECT 'x'", KIND_UUID, 0, NULL },
        { "SELECT 'a' || char(0)", KIND_TEXT, COPY_STRICT, ZERO }, { "SELECT 'a' || char(0)", KIND_TEXT, 0, NULL },
        { "SELECT CAST(x'ff' AS TEXT)", KIND_TEXT, COPY_STRICT, "is not UTF-8" },
        { "SELECT '\"\\u0000\"'", KIND_JSON, COPY_STRICT, ZERO },
        { "SELECT '{\"\\u0000\": 1}'", KIND_JSON, COPY_STRICT, ZERO },
        { "SELECT '\"\\\\u0000\"'", KIND_JSON, COPY_STRICT, NULL }, { "SELECT '\"\\u0000\"'", KIND_JSON, 0, NULL },
        { "SELECT 'NaN'", KIND_JSON, COPY_STRICT, NO_JSON }, { "SELECT 'NaN'", KIND_JSON, 0, NULL },
        { "SELECT ''", KIND_JSON, COPY_STRICT, NO_JSON },
        { "SELECT 2147483647", KIND_INT, COPY_STRICT, NULL }, { "SELECT -2147483648", KIND_INT, COPY_STRICT, NULL },
        { "SELECT 2147483648", KIND_INT, COPY_STRICT, "is out of range for PostgreSQL's column" },
        { "SELECT 2147483648", KIND_INT, 0, NULL },
        { "SELECT 32768", KIND_SMALL, COPY_STRICT, "is out of range for PostgreSQL's column" },
        { "SELECT 1.5", KIND_INT, 0, "is not an integer" }, { "SELECT 'x'", KIND_INT, 0, "is not an integer" },
        { "SELECT ''", KIND_INT, 0, "is not an integer" },
        { "SELECT 2", KIND_BOOL, 0, "is neither true nor false" }, { "SELECT 1", KIND_BOOL, 0, NULL },
        { "SELECT '2026-01-01 00:00:00.000001'", KIND_TIME, COPY_STRICT, NULL },
        { "SELECT 'yesterday'", KIND_TIME, 0, "is not a valid time" },
        { "SELECT 0", KIND_INTERVAL, 0, NULL }, { "SELECT '1970-01-02 00:00:00.000000'", KIND_INTERVAL, 0, NULL },
        { "SELECT 'soon'", KIND_INTERVAL, 0, "is not a valid duration" },
        { "SELECT 'RUNNING'", KIND_STATE_TYPE, COPY_STRICT, NULL },
        { "SELECT 'Running'", KIND_STATE_TYPE, COPY_STRICT, "is not a state type" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Error error = { 0 };
        Case c = cases[i];
        assert_true(db_run(f->db, true, f->arena, read_case, &c, &error));
    }
}

static bool respell(Tx *tx, void *arg)
{
    (void)arg;
    Value value;
    Rows *rows = DB_QUERY(tx, "SELECT '{\"\xc3\xa9\": [1.10, \"\xf0\x9f\x98\x80\", \"\\n\", 1e22]}'");
    assert_true(db_next(rows));
    assert_null(copy_value_read(rows, 0, KIND_JSON, COPY_RESPELL, &value));
    assert_true(str_is(value.s, "{\"\\u00e9\": [1.10, \"\\ud83d\\ude00\", \"\\n\", 1e22]}"));
    return true;
}

static void json_is_respelled_in_ascii(void **state)
{
    Fixture *f = *state;
    Error error = { 0 };
    assert_true(db_run(f->db, true, f->arena, respell, NULL, &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_json_has_one_form),
        cmocka_unit_test(different_json_has_another),
        cmocka_unit_test(kinds_do_not_mix),
        cmocka_unit_test_setup_teardown(what_cannot_be_copied_has_a_reason, open_memory, close_memory),
        cmocka_unit_test_setup_teardown(json_is_respelled_in_ascii, open_memory, close_memory),
    };
    return cmocka_run_group_tests_name("copy_value", tests, NULL, NULL);
}
