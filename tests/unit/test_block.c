/* tests/unit/test_block.c -- checksums of block schemas, hiding and merging of block data;
 * values of the reference's functions. */
#include "unit.h"

#include "blocks/block.h"
#include "blocks/block_data.h"
#include "blocks/block_dict.h"
#include "blocks/block_fields.h"

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
    const Json *fields =
        parse(arena,
              "{\"title\": \"X\", \"type\": \"object\", \"properties\": {\"b\": {\"title\": \"\\u00e9\", "
              "\"type\": \"string\", \"secret_fields\": 1}, \"a\": {\"type\": \"integer\", \"default\": 1.1}},"
              " \"block_type_slug\": \"x\", \"secret_fields\": [\"b\"], \"block_schema_references\": {}, "
              "\"list\": [{\"secret_fields\": 2, \"z\": 1, \"y\": 2}]}");
    Str checksum = block_fields_checksum(arena, fields);
    assert_true(str_is(checksum, "sha256:2ec9ed3dff16a1593c781d8ce1e513f735e256f07ff96a8362e8a9b20bbc5fe1"));
    arena_free(arena);
    (void)state;
}

static void secrets_are_hidden(void **state)
{
    Arena *arena = arena_new();
    const Json *data =
        parse(arena,
              "{\"token\":\"abc\",\"deep\":{\"key\":\"k\",\"other\":1},\"all\":{\"x\":{\"y\":2}},\"open\":\"o\"}");
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
    assert_true(str_is(json_format(arena, merged, JSON_WIRE),
                       "{\"token\":\"abc\",\"all\":{\"x\":\"s\"},\"open\":\"p\",\"new\":1}"));
    arena_free(arena);
    (void)state;
}

static void replacing_drops_what_was_not_sent(void **state)
{
    Arena *arena = arena_new();
    const Json *current = parse(arena, "{\"token\":\"abc\",\"open\":\"o\"}");
    const Json *replaced = block_data_update(arena, current, parse(arena, "{\"token\":\"new\"}"), parse(arena, FIELDS),
                                             false);
    assert_true(str_is(json_format(arena, replaced, JSON_WIRE), "{\"token\":\"new\"}"));
    arena_free(arena);
    (void)state;
}

static void references_are_told_apart(void **state)
{
    Arena *arena = arena_new();
    Error error = { .code = ERR_NONE };
    BlockReference *references;
    const Json *data = parse(arena, "{\"a\":1,\"b\":{\"$ref\":{\"block_document_id\":"
                                    "\"00000000-0000-4000-8000-000000000001\"}},\"c\":{\"d\":{\"$ref\":5}}}");
    const Json *plain = block_data_separate(arena, data, &references, &error);
    assert_true(str_is(json_format(arena, plain, JSON_WIRE), "{\"a\":1,\"c\":{\"d\":{\"$ref\":5}}}"));
    assert_true(str_is(references->name, "b") && !references->next);
    assert_null(block_data_separate(arena, parse(arena, "{\"k\":{\"$ref\":{}}}"), &references, &error));
    assert_string_equal(error.message, "Received block reference without a block_document_id in key k");
    arena_free(arena);
    (void)state;
}

static void keys_of_a_dict_keep_their_places(void **state)
{
    Arena *arena = arena_new();
    Dict dict;
    dict_init(&dict, arena, parse(arena, "{\"a\":1,\"b\":2,\"c\":3}"));
    dict_put(&dict, STR("b"), parse(arena, "[4]"));
    dict_drop(&dict, STR("a"));
    dict_put(&dict, STR("d"), parse(arena, "5"));
    assert_null(dict_get(&dict, STR("a")));
    assert_true(str_is(json_format(arena, dict_object(&dict), JSON_WIRE), "{\"b\":[4],\"c\":3,\"d\":5}"));
    for (int i = 0; i < 5000; i++)
        dict_put(&dict, arena_printf(arena, "key%d", i % 2500), parse(arena, "6"));
    dict_put(&dict, STR("a"), parse(arena, "7"));
    assert_int_equal(dict_object(&dict)->count, 2504);
    assert_true(str_is(dict_get(&dict, STR("key2499"))->text, "6") && str_is(dict_get(&dict, STR("a"))->text, "7"));
    arena_free(arena);
    (void)state;
}

static void only_definitions_of_no_block_are_stored(void **state)
{
    Arena *arena = arena_new();
    const Json *fields = parse(arena, "{\"title\":\"T\",\"x\":[{\"$ref\":\"#/definitions/P\"},"
                                      "{\"$ref\":\"#/definitions/B\"}],\"block_schema_references\":{\"x\":{}},"
                                      "\"definitions\":{\"B\":{\"block_type_slug\":\"b\"},"
                                      "\"P\":{\"y\":{\"$ref\":\"#/definitions/P\"}},\"U\":{\"z\":1}}}");
    Str stored = json_format(arena, block_fields_stored(arena, fields), JSON_WIRE);
    assert_true(str_is(stored, "{\"title\":\"T\",\"x\":[{\"$ref\":\"#/definitions/P\"},{\"$ref\":\"#/definitions/B\"}],"
                               "\"definitions\":{\"P\":{\"y\":{\"$ref\":\"#/definitions/P\"}}}}"));
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
        cmocka_unit_test(references_are_told_apart),
        cmocka_unit_test(keys_of_a_dict_keep_their_places),
        cmocka_unit_test(only_definitions_of_no_block_are_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
