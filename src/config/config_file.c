/* config/config_file.c -- reads orion.toml, checks each line, and changes single lines. */
#include "config/config_file.h"

#include <ctype.h>

#include "config/file_write.h"
#include "config/setting_value.h"

#define NO_TABLES "this file has no tables: write settings as NAME = value, without [headers] and dots"

/* ---- problems ---- */

void config_file_add_problem(Arena *arena, ConfigFile *file, ConfigGravity gravity, unsigned line, Str name,
                             Str message)
{
    ConfigProblem *problem = arena_new_of(arena, ConfigProblem), **place = &file->problems;
    while (*place && (line == 0 || ((*place)->line && (*place)->line <= line)))
        place = &(*place)->next;
    *problem = (ConfigProblem){ .gravity = gravity, .line = line, .name = arena_str(arena, name),
                                .message = arena_str(arena, message), .next = *place };
    *place = problem;
}

Str config_problem_text(Arena *arena, const ConfigFile *file, const ConfigProblem *problem)
{
    Buf out;
    buf_init(&out, arena, 256);
    if (problem->line)
        buf_printf(&out, "%s:%u: ", file->path, problem->line);
    if (problem->name.p)
        buf_printf(&out, "%.*s: ", STR_ARG(problem->name));
    buf_str(&out, problem->message);
    return str_from(buf_cstr(&out));
}

static void add_of_entry(Arena *arena, ConfigFile *file, ConfigGravity gravity, const ConfigEntry *entry, Str message)
{
    config_file_add_problem(arena, file, gravity, entry->line, entry->name, message);
}

/* ---- reading ---- */

const ConfigEntry *config_file_find(const ConfigFile *file, const Setting *setting)
{
    const char *name = setting->name;
    for (size_t i = 0; name; name = setting_alias(setting->name, i++))
        for (const ConfigEntry *entry = file->entries; entry; entry = entry->next)
            if (entry->setting == setting && !entry->is_ignored && str_is(entry->name, name))
                return entry;
    return NULL;
}

static void ignore(Arena *arena, ConfigFile *file, ConfigGravity gravity, ConfigEntry *entry, Str message)
{
    entry->is_ignored = true;
    add_of_entry(arena, file, gravity, entry, message);
}

static void check_entry(Arena *arena, ConfigFile *file, ConfigEntry *entry)
{
    SettingValue value;
    SettingProblem problem;
    if (entry->kind == TOML_TABLE)
        ignore(arena, file, CONFIG_ERROR, entry, STR(NO_TABLES));
    else if (!entry->setting)
        ignore(arena, file, CONFIG_WARNING, entry, STR("there is no setting of this name"));
    else if (str_is(entry->name, "ORION_CONFIG"))
        ignore(arena, file, CONFIG_WARNING, entry,
               STR("it names this file, so only the environment and --config can set it"));
    else if (entry->setting->flags & SETTING_CLIENT)
        ignore(arena, file, CONFIG_NOTE, entry, STR("it has no effect here: only the Python client obeys it"));
    else if (entry->kind == TOML_OTHER)
        ignore(arena, file, CONFIG_ERROR, entry,
               STR("the value is neither a string, nor a number, nor true or false"));
    else if (!setting_parse(entry->setting, entry->kind, entry->text, arena, &value, &problem))
        ignore(arena, file, CONFIG_ERROR, entry, problem.message);
}

/* Several names of one setting are fine if their values are equal. */
static void check_second_names(Arena *arena, ConfigFile *file)
{
    for (const ConfigEntry *entry = file->entries; entry; entry = entry->next) {
        const ConfigEntry *used = entry->setting ? config_file_find(file, entry->setting) : NULL;
        if (!used || used == entry || entry->is_ignored || str_eq(used->text, entry->text))
            continue;
        add_of_entry(arena, file, CONFIG_WARNING, entry,
                     arena_printf(arena, "another name for %.*s, which line %u sets to another value; that one is used",
                                  STR_ARG(used->name), used->line));
    }
}

bool config_file_parse(Arena *arena, const char *path, Str text, ConfigFile *ret, Error *error)
{
    Toml *root;
    *ret = (ConfigFile){ .path = path, .is_there = true, .text = STR("") };
    if (!toml_parse_file(arena, path, text, &root, error))
        return false;
    ret->text = text;
    ConfigEntry **place = &ret->entries;
    for (const Toml *node = root->child; node; node = node->next, place = &(*place)->next) {
        *place = arena_new_of(arena, ConfigEntry);
        **place = (ConfigEntry){ .name = node->key, .setting = setting_find_any(node->key), .kind = node->kind,
                                 .text = node->text, .literal = node->literal, .line = node->line };
        check_entry(arena, ret, *place);
    }
    check_second_names(arena, ret);
    return true;
}

bool config_file_load(Arena *arena, const char *path, ConfigFile *ret, Error *error)
{
    Str text;
    *ret = (ConfigFile){ .path = path, .text = STR("") };
    if (!file_read(arena, path, &text, error))
        return false;
    return !text.p || config_file_parse(arena, path, text, ret, error);
}

/* ---- changing ---- */

static void add_range(Buf *out, const char *from, const char *to)
{
    buf_add(out, from, (size_t)(to - from));
}

/* Numbers and booleans are written bare; all else as a string. */
static void write_value(Buf *out, const Setting *setting, Str value)
{
    bool bare = setting->kind == SETTING_BOOL && (str_is(value, "true") || str_is(value, "false"));
    if (setting->kind == SETTING_INT && value.n > 0 && value.n < 19 && value.p[0] != '0')
        for (size_t i = 0; i < value.n && (bare = isdigit((unsigned char)value.p[i]) != 0); i++)
            continue;
    if (bare)
        buf_str(out, value);
    else
        toml_write_string(out, value);
}

static Str with_value(Arena *arena, const ConfigFile *file, const Setting *setting, Str value)
{
    const ConfigEntry *entry = file->entries;
    const ConfigEntry *used = config_file_find(file, setting);
    while (entry && (used ? entry != used : entry->setting != setting)) /* a bad value is replaced too */
        entry = entry->next;
    const char *start = file->text.p, *end = start + file->text.n;
    Buf out;
    buf_init(&out, arena, file->text.n + value.n + 80);
    if (entry) {
        add_range(&out, start, entry->literal.p);
        write_value(&out, setting, value);
        add_range(&out, entry->literal.p + entry->literal.n, end);
        return buf_view(&out);
    }
    add_range(&out, start, end);
    if (end > start && end[-1] != '\n')
        buf_char(&out, '\n');
    buf_printf(&out, "%s = ", setting->name);
    write_value(&out, setting, value);
    buf_char(&out, '\n');
    return buf_view(&out);
}

/* A value begins on the line of its name, and only a comment can follow it. */
static Str without_lines(Arena *arena, const ConfigFile *file, const ConfigEntry *entry)
{
    const char *start = file->text.p, *end = start + file->text.n;
    const char *from = entry->literal.p, *to = memchr(from + entry->literal.n, '\n',
                                                      (size_t)(end - from) - entry->literal.n);
    while (from > start && from[-1] != '\n')
        from--;
    Buf out;
    buf_init(&out, arena, file->text.n + 1);
    add_range(&out, start, from);
    if (to)
        add_range(&out, to + 1, end);
    return out.n ? buf_view(&out) : STR("");
}

bool config_file_set(Arena *arena, const ConfigFile *file, const Setting *setting, Str value, ConfigFile *ret,
                     Error *error)
{
    ConfigFile changed;
    for (const ConfigEntry *entry = file->entries; entry; entry = entry->next)
        if (entry->kind == TOML_TABLE) /* a line appended at the end would be part of the table */
            return fail(error, ERR_INVALID, "%s:%u: %s", file->path, entry->line, NO_TABLES);
    if (!config_file_parse(arena, file->path, with_value(arena, file, setting, value), &changed, error))
        return false;
    for (const ConfigEntry *entry = changed.entries, *used = config_file_find(&changed, setting); entry;) {
        if (entry->setting != setting || entry == used) {
            entry = entry->next;
            continue;
        }
        if (!config_file_parse(arena, file->path, without_lines(arena, &changed, entry), &changed, error))
            return false;
        used = config_file_find(&changed, setting);
        entry = changed.entries;
    }
    *ret = changed;
    return true;
}

bool config_file_unset(Arena *arena, const ConfigFile *file, Str name, ConfigFile *ret, bool *ret_found, Error *error)
{
    const Setting *setting = setting_find_any(name);
    ConfigFile changed = *file;
    bool found = false;
    for (const ConfigEntry *entry = changed.entries; entry;) {
        if (entry->kind == TOML_TABLE || !(setting ? entry->setting == setting : str_eq(entry->name, name))) {
            entry = entry->next;
            continue;
        }
        if (!config_file_parse(arena, file->path, without_lines(arena, &changed, entry), &changed, error))
            return false;
        found = true;
        entry = changed.entries;
    }
    *ret = changed;
    *ret_found = found;
    return true;
}
