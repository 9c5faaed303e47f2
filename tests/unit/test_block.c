/* tests/unit/test_block.c -- checksums of block schemas, hiding and merging of block data; values of the reference's functions. */
#include "unit.h"

#include "model/block.h"
#include "model/block_data.h"
#include "model/block_fields.h"

#define FIELDS "{\"secret_fields\": [\"token\", \"deep.key\", \"all.*\"]}"

static const Json *parse(Arena *arena, const char *text)
{
    const Json *json;
    JsonError error;
    assert_true(json_parse(arena, str_from(text), &json, &error));
    return json;
}

static void checksum_is_the_references(void **state)
{
    Arena *arena = arena_new();
    const Json *fields = parse(arena, "{\"title\": \"X\", \"type\": \"object\", \"properties\": {\"b\": {\"title\": \"\\u00e9\", \"type\": \"string\","
                     " \"secret_fields\": 1}, \"a\": {\"type\": \"integer\", \"default\": 1.1}}, \"block_type_slug\": \"x\","
                     " \"secret_fields\": [\"b\"], \"block_schema_references\": {}, \"list\": [{\"secret_fields\": 2, \"z\": 1, \"y\": 2}]}");
    Str checksum = block_fields_checksum(arena, fields);
    assert_true(str_is(checksum, "sha256:2ec9ed3dff16a1593c781d8ce1e513f735e256f07ff96a8362e8a9b20bbc5fe1"));
    arena_free(arena);
    (void)state;
}

static void secrets_are_hidden(void **state)
{
    Arena *arena = arena_new();
    const Json *data = parse(arena, "{\"token\":\"abc\",\"deep\":{\"key\":\"k\",\"other\":1},\"all\":{\"x\":{\"y\":2}},\"open\":\"o\"}");
    Str shown = json_format(arena, block_data_obfuscate(arena, data, parse(arena, FIELDS)), JSON_WIRE);
    assert_true(str_is(shown, "{\"token\":\"********\",\"deep\":{\"key\":\"********\",\"other\":1},"
                              "\"all\":{\"x\":{\"y\":\"********\"}},\"open\":\"o\"}"));
    arena_free(arena);
    (void)state;
}

static void hidden_secrets_sent_back_change_nothing(void **state)
{
    Arena *arena = arena_new();
    const Json *current = parse(arena, "{\"token\":\"abc\",\"all\":{\"x\":\"s\"},\"open\":\"o\"}");
    const Json *update = parse(arena, "{\"open\":\"p\",\"token\":\"********\",\"all\":{\"x\":\"********\"},\"new\":1}");
    const Json *merged = block_data_update(arena, current, update, parse(arena, FIELDS), true);
    assert_true(str_is(json_format(arena, merged, JSON_WIRE), "{\"token\":\"abc\",\"all\":{\"x\":\"s\"},\"open\":\"p\",\"new\":1}"));
    arena_free(arena);
    (void)state;
}

static void replacing_drops_what_was_not_sent(void **state)
{
    Arena *arena = arena_new();
    const Json *current = parse(arena, "{\"token\":\"abc\",\"open\":\"o\"}");
    const Json *replaced = block_data_update(arena, current, parse(arena, "{\"token\":\"new\"}"), parse(arena, FIELDS), false);
    assert_true(str_is(json_format(arena, replaced, JSON_WIRE), "{\"token\":\"new\"}"));
    arena_free(arena);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksum_is_the_references),
        cmocka_unit_test(secrets_are_hidden),
        cmocka_unit_test(hidden_secrets_sent_back_change_nothing),
        cmocka_unit_test(replacing_drops_what_was_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
