/* tests/unit/test_json_schema.c -- what fits a schema, and the words for what does not:
 * expected values are those of jsonschema.validate. */
#include "unit.h"

#include "python/json_schema.h"

typedef struct Case {
    const char *schema, *value;
    const char *message; /* NULL: it fits */
} Case;

static const Case cases[] = {
    { "{\"type\": \"object\", \"required\": [\"a\", \"b\"]}",
      "{\"a\": 1}", "'b' is a required property" },
    { "{\"type\": \"object\", \"required\": [\"a\"]}",
      "null", "None is not of type 'object'" },
    { "{\"type\": [\"string\", \"null\"]}",
      "5", "5 is not of type 'string', 'null'" },
    { "{\"type\": \"integer\"}",
      "1.0", NULL },
    { "{\"type\": \"integer\"}",
      "true", "True is not of type 'integer'" },
    { "{\"type\": \"number\"}",
      "false", "False is not of type 'number'" },
    { "{\"enum\": [1, \"a\", null, [true]]}",
      "1.0", NULL },
    { "{\"enum\": [1, \"a\"]}",
      "true", "True is not one of [1, 'a']" },
    { "{\"const\": {\"a\": [1, 2.5]}}",
      "{\"a\": [1, 2.5]}", NULL },
    { "{\"const\": \"it's\"}",
      "\"x\"", "\"it's\" was expected" },
    { "{\"minimum\": 2}",
      "1", "1 is less than the minimum of 2" },
    { "{\"maximum\": 100000000000000000000}",
      "100000000000000000001", "100000000000000000001 is greater than the maximum of 100000000000000000000" },
    { "{\"exclusiveMinimum\": 1.5}",
      "1.5", "1.5 is less than or equal to the minimum of 1.5" },
    { "{\"exclusiveMaximum\": 3}",
      "3", "3 is greater than or equal to the maximum of 3" },
    { "{\"multipleOf\": 0.1}",
      "0.3", "0.3 is not a multiple of 0.1" },
    { "{\"multipleOf\": 2}",
      "100000000000000000001", "100000000000000000001 is not a multiple of 2" },
    { "{\"multipleOf\": 1.5}",
      "4.5", NULL },
    { "{\"minLength\": 3}",
      "\"éé\"", "'éé' is too short" },
    { "{\"minLength\": 1}",
      "\"\"", "'' should be non-empty" },
    { "{\"maxLength\": 2}",
      "\"ééé\"", "'ééé' is too long" },
    { "{\"maxLength\": 0}",
      "\"x\"", "'x' is expected to be empty" },
    { "{\"pattern\": \"^\\\\d{2,3}$\"}",
      "\"12\\n\"", NULL },
    { "{\"pattern\": \"^\\\\d{2,3}$\"}",
      "\"1234\"", "'1234' does not match '^\\\\d{2,3}$'" },
    { "{\"pattern\": \"^.{2}$\"}",
      "\"éx\"", NULL },
    { "{\"pattern\": \"^(?:a|b)[\\\\w-]+?$\"}",
      "\"a-_1\"", NULL },
    { "{\"pattern\": \"^\\\\<a\\\\>$\"}",
      "\"<a>\"", NULL },
    { "{\"minItems\": 2}",
      "[1]", "[1] is too short" },
    { "{\"maxItems\": 0}",
      "[1]", "[1] is expected to be empty" },
    { "{\"uniqueItems\": true}",
      "[1, true, 1.0]", "[1, True, 1.0] has non-unique elements" },
    { "{\"uniqueItems\": true}",
      "[{\"a\": 1}, {\"a\": 1.0}]", "[{'a': 1}, {'a': 1.0}] has non-unique elements" },
    { "{\"uniqueItems\": true}",
      "[1, true, \"1\"]", NULL },
    { "{\"prefixItems\": [{\"type\": \"string\"}], \"items\": false}",
      "[\"a\", 1]", "Expected at most 1 item but found 1 extra: 1" },
    { "{\"prefixItems\": [{}], \"items\": false}",
      "[1, 2, 3]", "Expected at most 1 item but found 2 extra: [2, 3]" },
    { "{\"items\": {\"type\": \"string\"}}",
      "[\"a\", 1, null]", "None is not of type 'string'" },
    { "{\"contains\": {\"const\": 1}}",
      "[2, 3]", "[2, 3] does not contain items matching the given schema" },
    { "{\"contains\": {\"const\": 1}, \"maxContains\": 1}",
      "[1, 1]", "Too many items match the given schema (expected at most 1)" },
    { "{\"contains\": {\"const\": 1}, \"minContains\": 2}",
      "[1, 2]", "Too few items match the given schema (expected at least 2 but only 1 matched)" },
    { "{\"contains\": {\"const\": 1}, \"minContains\": 0}",
      "[]", NULL },
    { "{\"properties\": {\"a\": {\"type\": \"string\"}, \"b\": {\"type\": \"integer\"}}}",
      "{\"a\": 1, \"b\": \"x\"}", "'x' is not of type 'integer'" },
    { "{\"properties\": {\"a\": {}}, \"additionalProperties\": false}",
      "{\"a\": 1, \"z\": 1, \"y\": 2}", "Additional properties are not allowed ('y', 'z' were unexpected)" },
    { "{\"patternProperties\": {\"^x\": {\"type\": \"integer\"}}, \"additionalProperties\": false}",
      "{\"x1\": 1, \"y\": 2}", "'y' does not match any of the regexes: '^x'" },
    { "{\"additionalProperties\": {\"type\": \"integer\"}}",
      "{\"a\": \"b\"}", "'b' is not of type 'integer'" },
    { "{\"propertyNames\": {\"maxLength\": 1}}",
      "{\"ab\": 1}", "'ab' is too long" },
    { "{\"dependentRequired\": {\"a\": [\"b\"]}}",
      "{\"a\": 1}", "'b' is a dependency of 'a'" },
    { "{\"dependentSchemas\": {\"a\": {\"required\": [\"c\"]}}}",
      "{\"a\": 1}", "'c' is a required property" },
    { "{\"minProperties\": 1}",
      "{}", "{} should be non-empty" },
    { "{\"maxProperties\": 1}",
      "{\"a\": 1, \"b\": 2}", "{'a': 1, 'b': 2} has too many properties" },
    { "{\"anyOf\": [{\"type\": \"string\"}, {\"minimum\": 5}]}",
      "1", "1 is not valid under any of the given schemas" },
    { "{\"anyOf\": [{\"properties\": {\"a\": {\"type\": \"string\"}}}, {\"type\": \"null\"}]}",
      "{\"a\": 1}", "1 is not of type 'string'" },
    { "{\"oneOf\": [{\"type\": \"integer\"}, {\"minimum\": 0}]}",
      "3", "3 is valid under each of {'minimum': 0}, {'type': 'integer'}" },
    { "{\"oneOf\": [{\"type\": \"string\"}]}",
      "3", "3 is not of type 'string'" },
    { "{\"allOf\": [{\"minimum\": 5}, {\"maximum\": 0}]}",
      "3", "3 is less than the minimum of 5" },
    { "{\"not\": {\"type\": \"string\"}}",
      "\"x\"", "'x' should not be valid under {'type': 'string'}" },
    { "{\"if\": {\"type\": \"string\"}, \"then\": {\"minLength\": 2}, \"else\": {\"minimum\": 3}}",
      "\"x\"", "'x' is too short" },
    { "{\"if\": {\"type\": \"string\"}, \"then\": {\"minLength\": 2}, \"else\": {\"minimum\": 3}}",
      "1", "1 is less than the minimum of 3" },
    { "{\"properties\": {\"a\": false}}",
      "{\"a\": 1}", "False schema does not allow 1" },
    { "{\"$ref\": \"#/definitions/a~1b%20c\", \"definitions\": {\"a/b c\": {\"type\": \"null\"}}}",
      "0", "0 is not of type 'null'" },
    { "{\"$ref\": \"#/properties/a\", \"properties\": {\"a\": {\"type\": [\"null\", \"object\"]}}}",
      "[]", "[] is not of type 'null', 'object'" },
    { "{\"format\": \"date\"}",
      "\"never\"", NULL },
    { "{\"type\": \"object\", \"properties\": {\"env\": {\"type\": \"object\", \"additionalProperties\": {"
      "\"type\": \"string\"}}, \"cpu\": {\"type\": \"integer\"}}, \"required\": [\"image\"]}",
      "{\"env\": {\"A\": 1}, \"cpu\": \"x\"}", "'image' is a required property" },
};

static bool check(Arena *arena, const char *schema_text, const char *value_text, Buf *message)
{
    const Json *schema, *value;
    JsonError error;
    assert_true(json_parse(arena, str_from(schema_text), &schema, &error));
    assert_true(json_parse(arena, str_from(value_text), &value, &error));
    buf_init(message, arena, 64);
    return json_schema_check(arena, schema, value, message);
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Arena *arena = arena_new();
        Buf message;
        bool fits = check(arena, cases[i].schema, cases[i].value, &message);
        if (fits != !cases[i].message)
            print_error("%s: %s\n", cases[i].schema, cases[i].value);
        assert_int_equal(fits, !cases[i].message);
        if (!fits)
            assert_string_equal(buf_cstr(&message), cases[i].message);
        arena_free(arena);
    }
}

static void test_schemas_that_never_end(void **state)
{
    static const char *const schemas[] = {
        "{\"$ref\": \"#\"}",
        "{\"anyOf\": [{\"$ref\": \"#\"}, {\"$ref\": \"#\"}]}",
        "{\"properties\": {\"a\": {\"$ref\": \"#/properties/a\"}}}",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(schemas); i++) {
        Arena *arena = arena_new();
        Buf message;
        assert_false(check(arena, schemas[i], "{\"a\": 1}", &message));
        assert_string_equal(buf_cstr(&message), "The schema is too deep or too large, or refers to itself for ever");
        arena_free(arena);
    }
}

/* An object with `count` members whose keys begin like `each`. */
static Str repeated(Arena *arena, const char *before, const char *each, int count, const char *after)
{
    Buf text;
    buf_init(&text, arena, 1 << 16);
    buf_text(&text, before);
    for (int i = 0; i < count; i++)
        buf_printf(&text, "%s%s%d\": {}", i ? ", " : "", each, i);
    buf_text(&text, after);
    return arena_str(arena, buf_view(&text));
}

/* They run among the writes of others: work that grows with the square of what clients send has an end. */
static void test_schemas_too_large(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Str schemas[] = {
        repeated(arena, "{\"properties\": {", "\"a", 20000, "}}"),
        repeated(arena, "{\"patternProperties\": {", "\"x(y|z)*", 20000, "}}"),
        STR("{\"additionalProperties\": {\"enum\": [[1], [2], [3]]}, \"uniqueItems\": true, "
            "\"propertyNames\": {\"pattern\": \"(a|b)*a(a|b){900}\"}}"),
    };
    Str value = repeated(arena, "{", "\"b", 20000, "}");
    for (size_t i = 0; i < COUNT_OF(schemas); i++) {
        Buf message;
        assert_false(check(arena, schemas[i].p, value.p, &message));
        assert_string_equal(buf_cstr(&message), "The schema is too deep or too large, or refers to itself for ever");
    }
    arena_free(arena);
}

static void test_references_to_nowhere(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Buf message;
    assert_false(check(arena, "{\"$ref\": \"#/definitions/x\"}", "1", &message));
    assert_string_equal(buf_cstr(&message), "'#/definitions/x' cannot be resolved");
    arena_free(arena);
}

/* What the library of regular expressions cannot say, or only at a price, counts as found. */
static void test_patterns_beyond(void **state)
{
    static const char *const patterns[] = {
        "(?=x)y", "(?i)y", "((a{1000}){1000}){1000}", "[\\\\d", "y++",
        "y^*", "(y$)+", "((\\\\b|x)?y)", "((^|$|\\\\b)*)*y", "(x(^y))*z", "^$|^$|^y",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        Arena *arena = arena_new();
        Buf message;
        Str schema = arena_printf(arena, "{\"pattern\": \"%s\"}", patterns[i]);
        assert_true(check(arena, schema.p, "\"z\"", &message));
        arena_free(arena);
    }
}

/* Anchors that can meet take the library a time that grows exponentially with their number: it would never return. */
static void test_anchors_are_few(void **state)
{
    static const struct { const char *anchor; size_t count; } meeting[] = {
        { "\\\\b", 300 }, { "(\\\\b)*", 64 }, { "(^|$)", 64 }, { "(^|\\\\b|a)", 64 }, { "$\\\\b^", 64 },
        { "(\\\\b|)", 100 }, { "(\\\\b|a)?", 100 }, { "(^(a)?)", 100 }, { "(\\\\A\\\\Z)", 64 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(meeting); i++) {
        Arena *arena = arena_new();
        Buf schema, message;
        buf_init(&schema, arena, 1024);
        buf_text(&schema, "{\"pattern\": \"");
        for (size_t k = 0; k < meeting[i].count; k++)
            buf_text(&schema, meeting[i].anchor);
        buf_text(&schema, "\"}");
        assert_true(check(arena, buf_cstr(&schema), "\"z\"", &message));
        arena_free(arena);
    }
}

/* Those of real patterns are tried. */
static void test_anchors_that_do_not_meet(void **state)
{
    static const struct { const char *pattern, *value; bool fits; } apart[] = {
        { "^(a|b)$", "c", false }, { "^a$|^b$|^c$|^d$", "d", true }, { "^a$|^b$|^c$|^d$", "dd", false },
        { "(^|,)ab(,|$)", "x,ab", true }, { "(^|,)ab(,|$)", "xab", false },
        { "\\\\bab\\\\b \\\\bcd\\\\b", "ab cd", true }, { "\\\\bab\\\\b \\\\bcd\\\\b", "ab cde", false },
        { "^$|^(ab)+$", "abab", true }, { "^$|^(ab)+$", "aba", false },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(apart); i++) {
        Arena *arena = arena_new();
        Buf message;
        Str schema = arena_printf(arena, "{\"pattern\": \"%s\"}", apart[i].pattern);
        Str value = arena_printf(arena, "\"%s\"", apart[i].value);
        assert_int_equal(check(arena, schema.p, value.p, &message), apart[i].fits);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_schemas_that_never_end),
        cmocka_unit_test(test_schemas_too_large),
        cmocka_unit_test(test_references_to_nowhere),
        cmocka_unit_test(test_patterns_beyond),
        cmocka_unit_test(test_anchors_are_few),
        cmocka_unit_test(test_anchors_that_do_not_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
