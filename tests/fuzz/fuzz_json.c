/* tests/fuzz/fuzz_json.c -- JSON: what was parsed is written in both styles, and both read the same again, the one as
 * the other; as ASCII alone too. What is read without a tree is the same. */
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

/* Spaces make a text large enough to be written without a tree. */
static void check_large(Arena *arena, Str text, const Json *json)
{
    static char padding[65 << 10];
    Buf large, out;
    memset(padding, ' ', sizeof padding);
    buf_init(&large, arena, sizeof padding + text.n);
    buf_str(&large, text);
    buf_add(&large, padding, sizeof padding);
    buf_init(&out, arena, text.n);
    json_write_text(&out, buf_view(&large), JSON_WIRE);
    must(str_eq(buf_view(&out), json ? json_format(arena, json, JSON_WIRE) : STR("null")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Str text = { (const char *)data, size };
    const Json *json = NULL;
    JsonError error;
    if (json_parse(arena, text, &json, &error)) {
        check_styles(arena, json);
    } else {
        must(error.message && error.position <= size);
    }
    must(json_is_valid(arena, text) == (json != NULL));
    check_large(arena, text, json);
    arena_free(arena);
    return 0;
}
