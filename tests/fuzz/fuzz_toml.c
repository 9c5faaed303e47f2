/* tests/fuzz/fuzz_toml.c -- profiles.toml and orion.toml: strings and keys that were read are read the same when they
 * are written, a changed line leaves the others as they are, and both readers take what they read or say what is
 * wrong. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/unicode.h"
#include "config/config_file.h"
#include "config/profiles.h"

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

/* As `config check` shows what is wrong with lines. */
static void check_problems(Arena *arena, Str text)
{
    Error error = { .code = ERR_NONE };
    ConfigFile file;
    unsigned line = 0;
    if (!config_file_parse(arena, "f", text, &file, &error)) {
        must(error.message[0] != '\0');
        return;
    }
    for (const ConfigProblem *problem = file.problems; problem; problem = problem->next) {
        must(utf8_is_valid(config_problem_text(arena, &file, problem)) && problem->line >= line);
        line = problem->line;
    }
}

/* The reader takes a path: it is that of a file in memory. */
static void check_profiles(Arena *arena, Str text)
{
    static int fd = -1;
    char path[64];
    Error error = { .code = ERR_NONE };
    Profiles profiles;
    if (fd < 0)
        fd = memfd_create("profiles", 0);
    must(ftruncate(fd, 0) == 0 && pwrite(fd, text.p, text.n, 0) == (ssize_t)text.n);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (!profiles_load(arena, path, &profiles, &error)) {
        must(error.message[0] != '\0');
        return;
    }
    for (const Profile *profile = profiles.first; profile; profile = profile->next) {
        must(profiles_find(&profiles, profile->name) == profile);
        for (const ProfileEntry *entry = profile->entries; entry; entry = entry->next)
            must(profile_get(profile, entry->name) == entry);
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
        check_problems(arena, text);
        check_profiles(arena, text);
    }
    arena_free(arena);
    return 0;
}
