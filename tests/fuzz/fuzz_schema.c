/* tests/fuzz/fuzz_schema.c -- JSON schemas of work pools, with Python's regular expressions: a line with the schema,
 * then the value. What fits a schema does not fit its opposite, and the other way round; a pattern of plain
 * characters is found where the characters are. */
#include "fuzz.h"

#include "base/text.h"
#include "base/unicode.h"
#include "python/json_pointer.h"
#include "python/json_schema.h"
#include "python/python_values.h"

static bool fits(Arena *arena, const Json *schema, const Json *value, Str *ret_message)
{
    Buf message;
    buf_init(&message, arena, 64);
    bool ok = json_schema_check(arena, schema, value, &message);
    *ret_message = buf_view(&message);
    must(utf8_is_valid(*ret_message) && (ok || ret_message->n > 0));
    return ok;
}

/* References would point elsewhere inside another schema. A check that was given up says so, and is no opposite of
 * anything. */
static void check_opposite(Arena *arena, Str schema_text, const Json *value, bool ok, Str message)
{
    static const char given_up[] = "The schema is too deep";
    if (memmem(schema_text.p, schema_text.n, "ref", 3) || str_starts(message, given_up))
        return;
    const Json *opposite = json_read(arena, arena_printf(arena, "{\"not\":%.*s}", STR_ARG(schema_text)));
    if (!opposite || schema_text.p[0] != '{') /* escapes may spell the word; depth is limited */
        return;
    Str other;
    bool other_ok = fits(arena, opposite, value, &other);
    must(ok != other_ok || str_starts(other, given_up));
}

static void check_schema(Arena *arena, Str schema_text, Str value_text)
{
    const Json *schema = json_read(arena, schema_text), *value = json_read(arena, value_text);
    Str message;
    if (!schema || !value)
        return;
    bool ok = fits(arena, schema, value, &message);
    check_opposite(arena, schema_text, value, ok, message);
    must(python_equal(value, value) && python_equal(value, json_read(arena, value_text)));
}

static bool is_plain(Str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!char_is_letter(text.p[i]) && !char_is_digit(text.p[i]) && text.p[i] != ' ')
            return false;
    return true;
}

static void check_pattern(Arena *arena, Str pattern, Str text)
{
    size_t steps = 0;
    bool found = python_search(arena, pattern, text, &steps);
    must(steps > 0);
    bool is_tried = pattern.n < 100 && text.n < 1000 && !(text.n && memchr(text.p, '\0', text.n)); /* else found */
    if (is_plain(pattern) && is_tried)
        must(found == (pattern.n == 0 || memmem(text.p, text.n, pattern.p, pattern.n) != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Str rest = { (const char *)data, size }, line = cut_line(&rest);
    size_t steps = 0;
    if (utf8_is_valid(line) && utf8_is_valid(rest)) {
        check_schema(arena, line, rest);
        check_pattern(arena, line, rest);
        (void)json_pointer(arena, json_read(arena, rest), line, &steps);
    }
    arena_free(arena);
    return 0;
}
