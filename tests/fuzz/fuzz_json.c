/* tests/fuzz/fuzz_json.c -- JSON: what was parsed is written in both styles, and both read the same again. */
#include "fuzz.h"

#include "base/unicode.h"

static void check_style(Arena *arena, const Json *json, JsonStyle style)
{
    const Json *again;
    JsonError error;
    Str text = json_format(arena, json, style);
    must(utf8_is_valid(text));
    must(json_parse(arena, text, &again, &error));
    must(str_eq(json_format(arena, again, style), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Str text = { (const char *)data, size };
    const Json *json;
    JsonError error;
    if (json_parse(arena, text, &json, &error)) {
        check_style(arena, json, JSON_WIRE);
        check_style(arena, json, JSON_STORED);
    } else {
        must(error.message && error.position <= size);
    }
    arena_free(arena);
    return 0;
}
