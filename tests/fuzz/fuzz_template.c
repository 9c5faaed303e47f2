/* tests/fuzz/fuzz_template.c -- templates of notifications, and JSON schemas of work pools: the first line is the one
 * or the other kind, "t" or "s"; then the template, or a line with the schema and then the value. */
#include "fuzz.h"

#include "base/unicode.h"
#include "python/json_schema.h"
#include "python/message_template.h"

static void fill(Arena *arena, Str template)
{
    static const TemplateValue values[] = {
        { "flow_run_name", { "quick-\xc3\xa9", 8 }, { "'quick-\xc3\xa9'", 10 } },
        { "flow_run_state_message", { "None", 4 }, { "None", 4 } },
    };
    Str text;
    TemplateFault fault;
    if (message_template_fill(arena, template, values, COUNT_OF(values), &text, &fault))
        must(utf8_is_valid(text));
}

static void check_schema(Arena *arena, Str schema_text, Str value_text)
{
    const Json *schema, *value;
    JsonError error;
    Buf message;
    buf_init(&message, arena, 64);
    if (json_parse(arena, schema_text, &schema, &error) && json_parse(arena, value_text, &value, &error)
        && !json_schema_check(arena, schema, value, &message))
        must(utf8_is_valid(buf_view(&message)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Str rest = { (const char *)data, size }, kind = cut_line(&rest);
    if (!utf8_is_valid(rest)) {
        arena_free(arena);
        return 0;
    }
    if (kind.n && kind.p[0] == 's') {
        Str schema = cut_line(&rest);
        check_schema(arena, schema, rest);
    } else {
        fill(arena, rest);
    }
    arena_free(arena);
    return 0;
}
