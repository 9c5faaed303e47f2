/* tests/fuzz/fuzz_toml.c -- profiles.toml and orion.toml: strings and keys that were read are read the same when they
 * are written, and a changed line leaves the others as they are. */
#include "fuzz.h"

#include "base/unicode.h"
#include "config/config_file.h"

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

static const ConfigEntry *named(const ConfigFile *file, Str name)
{
    const ConfigEntry *entry = file->entries;
    while (entry && !str_eq(entry->name, name))
        entry = entry->next;
    return entry;
}

static void check_change(Arena *arena, Str text)
{
    Error error = { .code = ERR_NONE };
    ConfigFile file, changed;
    bool found;
    const Setting *setting = setting_find(STR("ORION_CORS_ORIGINS"));
    if (!config_file_parse(arena, "f", text, &file, &error) ||
        !config_file_set(arena, &file, setting, STR("new\"\n"), &changed, &error))
        return;
    const ConfigEntry *entry = config_file_find(&changed, setting);
    must(entry && str_is(entry->text, "new\"\n"));
    must(config_file_unset(arena, &changed, str_from(setting->name), &changed, &found, &error) && found);
    for (entry = file.entries; entry; entry = entry->next) {
        const ConfigEntry *same = named(&changed, entry->name);
        must(entry->setting == setting ? !same : same && same->kind == entry->kind &&
                                                     str_eq(same->literal, entry->literal));
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
        check_change(arena, text);
    }
    arena_free(arena);
    return 0;
}
