/* tests/fuzz/fuzz_json.c -- JSON: what was parsed is written in both styles, and both read the same again, the one as
 * the other; as ASCII alone too. */
#include "fuzz.h"

#include "base/unicode.h"

static Str written_again(Arena *arena, Str text, JsonStyle style)
{
    const Json *json;
    JsonError error;
    must(utf8_is_valid(text));
    must(json_parse(arena, text, &json, &error));
    return json_format(arena, json, style);
}

static void check_styles(Arena *arena, const Json *json)
{
    Str wire = json_format(arena, json, JSON_WIRE), stored = json_format(arena, json, JSON_STORED);
    Buf ascii;
    buf_init(&ascii, arena, wire.n + 64);
    json_write_ascii(&ascii, wire);
    for (size_t i = 0; i < ascii.n; i++)
        must((unsigned char)ascii.p[i] < 0x7F);
    must(str_eq(written_again(arena, wire, JSON_WIRE), wire));
    must(str_eq(written_again(arena, stored, JSON_STORED), stored));
    must(str_eq(written_again(arena, stored, JSON_WIRE), wire));
    must(str_eq(written_again(arena, buf_view(&ascii), JSON_WIRE), wire));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Str text = { (const char *)data, size };
    const Json *json;
    JsonError error;
    if (json_parse(arena, text, &json, &error)) {
        check_styles(arena, json);
    } else {
        must(error.message && error.position <= size);
    }
    arena_free(arena);
    return 0;
}
