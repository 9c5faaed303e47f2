/* tests/fuzz/fuzz_toml.c -- profiles.toml: strings and keys that were read are read the same when they are written. */
#include "fuzz.h"

#include "base/unicode.h"
#include "config/toml.h"

static void check_member(Arena *arena, const Toml *value)
{
    Buf out;
    Toml *root;
    Error error = { .code = ERR_NONE };
    buf_init(&out, arena, 64);
    toml_write_key(&out, value->key);
    buf_text(&out, " = ");
    toml_write_string(&out, value->text);
    buf_char(&out, '\n');
    must(toml_parse(arena, buf_view(&out), &root, &error));
    must(root->child && !root->child->next && root->child->kind == TOML_STRING);
    must(str_eq(root->child->key, value->key) && str_eq(root->child->text, value->text));
}

static void check_table(Arena *arena, const Toml *table)
{
    for (const Toml *member = table->child; member; member = member->next) {
        if (member->kind == TOML_TABLE)
            check_table(arena, member);
        else if (member->kind != TOML_OTHER)
            check_member(arena, member);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Toml *root;
    Error error = { .code = ERR_NONE };
    Str text = { (const char *)data, size };
    if (utf8_is_valid(text)) { /* what is none does not get as far as this parser */
        if (toml_parse(arena, text, &root, &error))
            check_table(arena, root);
        else
            must(error.message[0] != '\0');
    }
    arena_free(arena);
    return 0;
}
