/* tests/unit/test_json.c -- JSON in and out; expected values are those of Python's json module, repr() included. */
#include "unit.h"

#include "base/json.h"

static void assert_str(Str got, const char *expected)
{
    assert_non_null(got.p);
    assert_int_equal(got.n, strlen(expected));
    assert_memory_equal(got.p, expected, got.n);
}

static const Json *parse(Arena *arena, Str text)
{
    const Json *json;
    JsonError error = { 0 };
    bool parsed = json_parse(arena, text, &json, &error);
    if (!parsed)
        print_error("%.*s: %s at %zu\n", STR_ARG(text), error.message, error.position);
    assert_true(parsed);
    return json;
}

static void malformed_text_is_told_as_python_tells_it(void **state)
{
    static const struct { const char *text; size_t position; const char *message; } cases[] = {
        { "", 0, "Expecting value" },
        { " ", 1, "Expecting value" },
        { "[1,]", 3, "Expecting value" },
        { "{\"a\":1,}", 7, "Expecting property name enclosed in double quotes" },
        { "\"abc", 0, "Unterminated string starting at" },
        { "\"a\\u12\"", 3, "Invalid \\uXXXX escape" },
        { "\"a\\x\"", 2, "Invalid \\escape" },
        { "\"\x01\"", 1, "Invalid control character at" },
        { "\"é\t\"", 2, "Invalid control character at" },
        { "-", 0, "Expecting value" },
        { "01", 1, "Extra data" },
        { "1.", 1, "Extra data" },
        { "[1 2]", 3, "Expecting ',' delimiter" },
        { "{a}", 1, "Expecting property name enclosed in double quotes" },
        { "{\"a\" 1}", 5, "Expecting ':' delimiter" },
        { "{\"a\":", 5, "Expecting value" },
        { "[", 1, "Expecting value" },
        { "[1,", 3, "Expecting value" },
        { "\"\\ud83d\\u12x4\"", 8, "Invalid \\uXXXX escape" },
        { "{\"a\":1 \"b\"}", 7, "Expecting ',' delimiter" },
        { "{\"a\":1,", 7, "Expecting property name enclosed in double quotes" },
        { "nul", 0, "Expecting value" },
        { "{", 1, "Expecting property name enclosed in double quotes" },
        { "\"\\", 0, "Unterminated string starting at" },
        { "{\"é😀\" 1}", 6, "Expecting ':' delimiter" },
        { "[1]]", 3, "Extra data" },
        { "{\"a\":[1,{\"b\":tru}]}", 13, "Expecting value" },
        { "{'a':1}", 1, "Expecting property name enclosed in double quotes" },
        { "[\n 1,\n x]", 7, "Expecting value" },
        { "[NaN, \"\\ud800\", x]", 16, "Expecting value" }, /* syntax is told before what only we refuse */
    };
    Arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const Json *json;
        JsonError error = { 0 };
        assert_false(json_parse(arena, str_from(cases[i].text), &json, &error));
        assert_string_equal(error.message, cases[i].message);
        assert_int_equal(error.position, cases[i].position);
    }
    arena_free(arena);
    (void)state;
}

static void what_cannot_be_answered_is_refused(void **state)
{
    static const struct { const char *text; size_t position; } cases[] = {
        { "NaN", 0 }, { "1e309", 0 }, { "[-1.8e308]", 1 }, { "[1e0400]", 1 }, { "[Infinity]", 1 },
        { "{\"a\": -Infinity}", 6 }, { "\"é\\ud800\"", 2 }, { "\"\\udc00\\ud800\"", 1 }, { "\"\\ud800\\u0041\"", 1 },
        { "\"\xC0\xAF\"", 1 }, { "\"\xED\xA0\x80\"", 1 }, { "\"\xF4\x90\x80\x80\"", 1 }, { "\"12345678\xE2\x82\"", 9 },
        { "\x80", 0 }, { "\"\xE0\x80\x80\"", 1 }, { "\"\xF0\x8F\xBF\xBF\"", 1 }, { "\"\xC3", 1 },
    };
    Arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const Json *json;
        JsonError error = { 0 };
        assert_false(json_parse(arena, str_from(cases[i].text), &json, &error));
        assert_int_equal(error.position, cases[i].position);
    }
    arena_free(arena);
    (void)state;
}

static void depth_has_a_limit(void **state)
{
    char text[2 * JSON_DEPTH_MAX + 2];
    for (size_t depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        Arena *arena = arena_new();
        const Json *json;
        JsonError error = { 0 };
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        assert_int_equal(json_parse(arena, (Str){ text, 2 * depth }, &json, &error), depth == JSON_DEPTH_MAX);
        if (depth > JSON_DEPTH_MAX)
            assert_int_equal(error.position, JSON_DEPTH_MAX);
        arena_free(arena);
    }
    (void)state;
}

static void tree_holds_what_was_written(void **state)
{
    Arena *arena = arena_new();
    const Json *json =
        parse(arena,
              STR("\xEF\xBB\xBF {\"a\": [1, -2.50, \"x\\u0000\\ud83d\\ude00\"], \"b\\n\": null, \"\": {\"c\": true}}"));
    assert_int_equal(json->kind, JSON_OBJECT);
    assert_int_equal(json->count, 3);
    const Json *a = json_get(json, "a");
    assert_int_equal(a->kind, JSON_ARRAY);
    assert_int_equal(a->count, 3);
    assert_str(a->text, "[1, -2.50, \"x\\u0000\\ud83d\\ude00\"]");
    assert_int_equal(a->child->kind, JSON_INT);
    assert_str(a->child->text, "1");
    assert_int_equal(a->child->next->kind, JSON_FLOAT);
    assert_str(a->child->next->text, "-2.50");
    Str text = a->child->next->next->text;
    assert_int_equal(text.n, 6);
    assert_memory_equal(text.p, "x\0\xF0\x9F\x98\x80", 6);
    assert_null(a->child->next->next->next);
    assert_str(a->next->key, "b\n");
    assert_true(json_is_null(json_get(json, "b\n")));
    assert_true(json_is_null(json_get(json, "absent")));
    assert_int_equal(json_get(json_get(json, ""), "c")->kind, JSON_TRUE);
    assert_null(json_get(a, "a"));
    assert_null(json_get(NULL, "a"));
    arena_free(arena);
    (void)state;
}

static void what_is_not_json_reads_as_null(void **state)
{
    Arena *arena = arena_new();
    assert_int_equal(json_read(arena, STR("[1, 2]"))->count, 2);
    assert_int_equal(json_read(arena, STR("null"))->kind, JSON_NULL);
    assert_null(json_read(arena, STR("[1, 2")));
    assert_null(json_read(arena, STR("")));
    assert_null(json_read(arena, STR_NULL));
    arena_free(arena);
    (void)state;
}

static void both_styles_are_python_s(void **state)
{
    static const struct { const char *text, *stored, *wire; } cases[] = {
        { "[1.10, 1e5, 1E22, -0.0, -0, 12345678901234567890123, 1e308, 5e-324, 1e-400]",
          "[1.1, 100000.0, 1e+22, -0.0, 0, 12345678901234567890123, 1e+308, 5e-324, 0.0]",
          "[1.1,100000.0,1e+22,-0.0,0,12345678901234567890123,1e+308,5e-324,0.0]" },
        { " {\"b\" : 1, \"a\" : [ ] , \"b\":{\"x\":\"\\u0000\\u00e9\\ud83d\\ude00/\\/\"} } ",
          "{\"b\": {\"x\": \"\\u0000\\u00e9\\ud83d\\ude00//\"}, \"a\": []}",
          "{\"b\":{\"x\":\"\\u0000é😀//\"},\"a\":[]}" },
        { "\"é\x7F\\u2028\"", "\"\\u00e9\\u007f\\u2028\"", "\"é\x7F\xE2\x80\xA8\"" },
        { "[{},[],\"\",null,true,false]", "[{}, [], \"\", null, true, false]", "[{},[],\"\",null,true,false]" },
        { "\"\\b\\f\\n\\r\\t\\\"\\\\\\u001f\"", "\"\\b\\f\\n\\r\\t\\\"\\\\\\u001f\"",
          "\"\\b\\f\\n\\r\\t\\\"\\\\\\u001f\"" },
    };
    Arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const Json *json = parse(arena, str_from(cases[i].text));
        assert_str(json_format(arena, json, JSON_STORED), cases[i].stored);
        assert_str(json_format(arena, json, JSON_WIRE), cases[i].wire);
    }
    arena_free(arena);
    (void)state;
}

/* The same keys over and over: each keeps its first place and has its last value. */
static void duplicates_unite_in_small_and_big_objects(void **state)
{
    static const size_t sizes[] = { 2, 15, 16, 17, 18, 1000 };
    Arena *arena = arena_new();
    for (size_t k = 0; k < COUNT_OF(sizes); k++) {
        size_t keys = (sizes[k] + 1) / 2, n = 0;
        Buf text;
        buf_init(&text, arena, 0);
        buf_char(&text, '{');
        for (size_t i = 0; i < sizes[k]; i++)
            buf_printf(&text, "%s\"k%zu\": %zu", i ? "," : "", i % keys, i);
        buf_char(&text, '}');
        const Json *json = parse(arena, buf_view(&text));
        assert_int_equal(json->count, keys);
        for (const Json *member = json->child; member; member = member->next, n++) {
            size_t last = n + keys < sizes[k] ? n + keys : n;
            assert_str(member->key, arena_cstr(arena, arena_printf(arena, "k%zu", n)));
            assert_str(member->text, arena_cstr(arena, arena_printf(arena, "%zu", last)));
        }
        assert_int_equal(n, json->count);
    }
    arena_free(arena);
    (void)state;
}

static Str text_written(Arena *arena, Str text, JsonStyle style)
{
    Buf out;
    JsonWriter w;
    buf_init(&out, arena, 0);
    json_writer_init(&w, &out, style);
    json_str(&w, text);
    return buf_view(&out);
}

/* Each ASCII character comes out as it does alone, wherever it stands among others. */
static void characters_are_escaped_anywhere(void **state)
{
    Arena *arena = arena_new();
    for (int style = JSON_WIRE; style <= JSON_STORED; style++)
        for (int c = 0; c < 0x80; c++)
            for (int at = 0; at < 20; at++) {
                char text[] = "abcdefgh ijklmno~pqrs";
                text[at] = (char)c;
                Str alone = text_written(arena, (Str){ text + at, 1 }, (JsonStyle)style);
                Str expected = arena_printf(arena, "\"%.*s%.*s%s\"", at, text, (int)alone.n - 2, alone.p + 1,
                                            text + at + 1);
                assert_str(text_written(arena, (Str){ text, sizeof text - 1 }, (JsonStyle)style), expected.p);
            }
    arena_free(arena);
    (void)state;
}

static void writer_keeps_commas_and_keys(void **state)
{
    Arena *arena = arena_new();
    static const char *const expected[] = {
        "{\"a\":[1,null,\"é\",{},1.5,null],\"k\":{\"x\":true,\"y\":\"t\",\"z\":null},\"s\":[1,{\"a\":\"é\"}],"
        "\"n\":null,\"bad\":null,\"v\":null}",
        "{\"a\": [1, null, \"\\u00e9\", {}, 1.5, null], \"k\": {\"x\": true, \"y\": \"t\", \"z\": null}, \"s\": [1, "
        "{\"a\": \"\\u00e9\"}], \"n\": null, \"bad\": null, \"v\": null}",
    };
    for (int style = JSON_WIRE; style <= JSON_STORED; style++) {
        Buf out;
        JsonWriter w;
        buf_init(&out, arena, 0);
        json_writer_init(&w, &out, (JsonStyle)style);
        json_object(&w);
        json_key(&w, "a");
        json_array(&w);
        json_int(&w, 1);
        json_str(&w, STR_NULL);
        json_str(&w, STR("é"));
        json_object(&w);
        json_object_end(&w);
        json_float(&w, 1.5);
        json_float(&w, 1e308 * 10);
        json_array_end(&w);
        json_key_str(&w, STR("k"));
        json_object(&w);
        json_key(&w, "x");
        json_bool(&w, true);
        json_key(&w, "y");
        json_text(&w, "t");
        json_key(&w, "z");
        json_null(&w);
        json_object_end(&w);
        json_key(&w, "s");
        json_stored(&w, STR("[1, {\"a\": \"\\u00e9\"}]"));
        json_key(&w, "n");
        json_stored(&w, STR_NULL);
        json_key(&w, "bad");
        json_stored(&w, STR("[1"));
        json_key(&w, "v");
        json_value(&w, NULL);
        json_object_end(&w);
        assert_str(buf_view(&out), expected[style]);
    }
    arena_free(arena);
    (void)state;
}

/* Trees are given back where the buffer did not grow, and only there: what stands in it must not be written over. */
static void stored_texts_keep_the_buffer_whole(void **state)
{
    static const char text[] = "{\"a\": [1.5, \"\\u00e9\"], "
                               "\"b\": 0.1000000000000000000000000000000000000000000000000000000000000000000000001}";
    static const char wire[] = "{\"a\":[1.5,\"é\"],\"b\":0.1}";
    Arena *arena = arena_new();
    Buf out;
    buf_init(&out, arena, 0);
    for (int i = 0; i < 3000; i++)
        json_write_text(&out, str_from(text), JSON_WIRE);
    assert_int_equal(out.n, 3000 * (sizeof wire - 1));
    for (size_t i = 0; i < 3000; i++)
        assert_memory_equal(out.p + i * (sizeof wire - 1), wire, sizeof wire - 1);
    assert_true(arena_used(arena) < 8 * out.n);
    arena_free(arena);
    (void)state;
}

/* Spaces make the texts long enough. */
static void large_texts_are_written_as_small_ones(void **state)
{
    static const struct { const char *text, *wire; } cases[] = {
        { "[]", "[]" },
        { "{}", "{}" },
        { "[[], {}, [{}]]", "[[],{},[{}]]" },
        { " -0 ", "0" },
        { "[1.10, 1e5, 12345678901234567890123, true, false, null]",
          "[1.1,100000.0,12345678901234567890123,true,false,null]" },
        { "{\"a\": \"\\u00e9\\n\", \"\\ud83d\\ude00\": {\"a\": [1, {\"b\": 2}], \"c\": 3}}",
          "{\"a\":\"é\\n\",\"😀\":{\"a\":[1,{\"b\":2}],\"c\":3}}" },
        { "[{\"a\": 1}, {\"a\": 2}]", "[{\"a\":1},{\"a\":2}]" },
        { "{\"a\": {\"a\": 1}, \"b\": {\"a\": 2}}", "{\"a\":{\"a\":1},\"b\":{\"a\":2}}" },
        { "[{\"a\": 1, \"b\": 2, \"\\u0061\": 3}]", "[{\"a\":3,\"b\":2}]" },
        { "[1, 2", "null" },
        { "[1, NaN]", "null" },
        { "\"\\ud800\"", "null" },
        { "\"\xff\"", "null" },
    };
    enum { PADDING = 65 << 10 };
    Arena *arena = arena_new();
    char *padding = arena_alloc(arena, PADDING);
    memset(padding, ' ', PADDING);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Str large = arena_printf(arena, "%s%.*s", cases[i].text, PADDING, padding);
        Buf out;
        buf_init(&out, arena, 0);
        json_write_text(&out, large, JSON_WIRE);
        assert_str(buf_view(&out), cases[i].wire);
        assert_int_equal(json_is_valid(arena, large), strcmp(cases[i].wire, "null") != 0);
    }
    arena_free(arena);
    (void)state;
}

static void large_texts_need_no_tree(void **state)
{
    enum { NUMBERS = 1000000, BYTES = 3 * NUMBERS };
    Arena *arena = arena_new();
    Buf text;
    buf_init(&text, arena, BYTES);
    for (int i = 0; i < NUMBERS; i++)
        buf_text(&text, i ? ", 0" : "[0");
    buf_char(&text, ']');
    size_t before = arena_used(arena);
    assert_true(json_is_valid(arena, buf_view(&text)));
    assert_int_equal(arena_used(arena), before);
    Buf out;
    buf_init(&out, arena, BYTES);
    json_write_text(&out, buf_view(&text), JSON_WIRE);
    assert_int_equal(out.n, 2 * NUMBERS + 1);
    arena_free(arena);
    (void)state;
}

static void float_is_python_s_repr(void **state)
{
    static const struct { double value; const char *text; } cases[] = {
        { 0.0, "0.0" },
        { -0.0, "-0.0" },
        { 1.0, "1.0" },
        { -2.25, "-2.25" },
        { 100.0, "100.0" },
        { 0.1, "0.1" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 1.1, "1.1" },
        { 1e15, "1000000000000000.0" },
        { 9999999999999998.0, "9999999999999998.0" },
        { 1e16, "1e+16" },
        { 123456789012345678.0, "1.2345678901234568e+17" },
        { 1e22, "1e+22" },
        { 1e23, "1e+23" },
        { 1e100, "1e+100" },
        { 0.0001, "0.0001" },
        { 0.00001, "1e-05" },
        { 0.00012345, "0.00012345" },
        { 3.14159e-10, "3.14159e-10" },
        { 1234567.891, "1234567.891" },
        { 999999999.999999, "999999999.999999" },
        { 1000000000.000001, "1000000000.000001" },
        { -0.000101, "-0.000101" },
        { 0.0001001, "0.0001001" },
        { 1.0 / 3, "0.3333333333333333" },
        { 0x1p-44, "5.684341886080802e-14" },
        { 0x1p-1018, "3.5601181736115222e-307" },
        { 0x1p-1016, "1.424047269444609e-306" },
        { 0x1p-1007, "7.291122019556398e-304" }, /* 16 digits that are not the nearest 16 */
        { 1.7976931348623157e308, "1.7976931348623157e+308" },
        { 2.2250738585072014e-308, "2.2250738585072014e-308" },
        { 5e-324, "5e-324" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[32];
        size_t n = json_float_repr(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(n, strlen(cases[i].text));
    }
    (void)state;
}

static void string_is_python_s_repr(void **state)
{
    static const struct { Str text; const char *repr; } cases[] = {
        { STR("abc"), "'abc'" },
        { STR(""), "''" },
        { STR("it's"), "\"it's\"" },
        { STR("say \"x\""), "'say \"x\"'" },
        { STR("both ' and \""), "'both \\' and \"'" },
        { STR("a\\b\n\r\t\0\x1F\x7F\xC2\xA0\xC2\xAD"), "'a\\\\b\\n\\r\\t\\x00\\x1f\\x7f\\xa0\\xad'" },
        { STR("é漢😀"), "'é漢😀'" },
        { STR("\xE2\x80\x8B\xE2\x80\xA8\xF3\xA0\x80\x81"), "'\\u200b\\u2028\\U000e0001'" },
    };
    Arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_str(json_python_repr(arena, cases[i].text), cases[i].repr);
    arena_free(arena);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_text_is_told_as_python_tells_it),
        cmocka_unit_test(what_cannot_be_answered_is_refused),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(tree_holds_what_was_written),
        cmocka_unit_test(what_is_not_json_reads_as_null),
        cmocka_unit_test(both_styles_are_python_s),
        cmocka_unit_test(duplicates_unite_in_small_and_big_objects),
        cmocka_unit_test(characters_are_escaped_anywhere),
        cmocka_unit_test(writer_keeps_commas_and_keys),
        cmocka_unit_test(stored_texts_keep_the_buffer_whole),
        cmocka_unit_test(large_texts_are_written_as_small_ones),
        cmocka_unit_test(large_texts_need_no_tree),
        cmocka_unit_test(float_is_python_s_repr),
        cmocka_unit_test(string_is_python_s_repr),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
