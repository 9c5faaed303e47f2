/* tests/fuzz/fuzz_template.c -- templates of notifications. What is filled in is text; a text whose braces are
 * doubled gives itself. */
#include "fuzz.h"

#include "base/unicode.h"
#include "python/message_template.h"

static const TemplateValue values[] = {
    { "flow_run_name", { "quick-\xc3\xa9", 8 }, { "'quick-\xc3\xa9'", 10 } },
    { "flow_run_state_message", { "None", 4 }, { "None", 4 } },
};

static void check_filled(Arena *arena, Str template)
{
    Str text;
    TemplateFault fault = { 0 };
    if (message_template_fill(arena, template, values, COUNT_OF(values), &text, &fault))
        must(utf8_is_valid(text));
    else
        must(fault.type && utf8_is_valid(fault.message));
}

static void check_escaped(Arena *arena, Str plain)
{
    Buf template;
    Str text;
    TemplateFault fault;
    buf_init(&template, arena, 2 * plain.n + 1);
    for (size_t i = 0; i < plain.n; i++) {
        buf_char(&template, plain.p[i]);
        if (char_in(plain.p[i], "{}"))
            buf_char(&template, plain.p[i]);
    }
    must(message_template_fill(arena, buf_view(&template), values, COUNT_OF(values), &text, &fault));
    must(text.n == plain.n && (text.n == 0 || memcmp(text.p, plain.p, text.n) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Str text = { (const char *)data, size };
    if (utf8_is_valid(text)) {
        check_filled(arena, text);
        check_escaped(arena, text);
    }
    arena_free(arena);
    return 0;
}
