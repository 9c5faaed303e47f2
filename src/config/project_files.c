/* config/project_files.c -- reads the files into one list of settings by name. */
#include "config/project_files.h"

#include <ctype.h>
#include <sys/stat.h>

#include "config/dotenv.h"
#include "config/file_write.h"
#include "config/setting_value.h"

typedef struct Reader {
    Arena *arena;
    Error *error;
    SettingSource source;
    const char *file;
    ProjectEntry **place;
} Reader;

static bool add(Reader *r, ProjectEntry entry)
{
    const Setting *setting = entry.is_path ? NULL : setting_find_any(entry.name);
    bool is_obeyed = setting && !(setting->flags & SETTING_CLIENT);
    SettingValue value;
    SettingProblem problem;
    if (is_obeyed && !setting_parse(setting, entry.kind, entry.text, r->arena, &value, &problem))
        return fail(r->error, ERR_INVALID, "%s:%u: %.*s: %.*s", r->file, entry.line, STR_ARG(entry.name),
                    STR_ARG(problem.message));
    entry.source = r->source;
    entry.file = r->file;
    *r->place = arena_new_of(r->arena, ProjectEntry);
    **r->place = entry;
    r->place = &(*r->place)->next;
    return true;
}

/* `path` is null for the top. Paths that no setting has are kept too, to be warned of. */
static bool add_table(Reader *r, const Toml *table, Str path)
{
    for (const Toml *node = table->child; node; node = node->next) {
        Str inner = path.p ? arena_printf(r->arena, "%.*s.%.*s", STR_ARG(path), STR_ARG(node->key)) : node->key;
        const Setting3 *setting = setting_3_of_path(inner);
        bool is_value = node->kind != TOML_TABLE || node->is_array || (setting && setting->flags & SETTING_3_TABLE);
        if (!is_value) {
            if (!add_table(r, node, inner))
                return false;
            continue;
        }
        bool is_plain = node->kind != TOML_TABLE && node->kind != TOML_OTHER;
        ProjectEntry entry = { .name = setting ? setting_3_name(setting, 0, r->arena) : inner, .is_path = !setting,
                               .line = node->line, .kind = is_plain ? node->kind : TOML_OTHER,
                               .text = is_plain ? node->text : toml_inline(r->arena, node) };
        if (!add(r, entry))
            return false;
    }
    return true;
}

/* In .env, as in the environment, the case of letters makes no difference. */
static Str upper(Arena *arena, Str name)
{
    char *copy = arena_cstr(arena, name);
    for (char *p = copy; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return str_from(copy);
}

static bool read_dotenv(Reader *r, Str text)
{
    for (const DotenvEntry *entry = dotenv_parse(r->arena, text); entry; entry = entry->next) {
        Str name = upper(r->arena, entry->name);
        if (str_starts(name, "PREFECT_") &&
            !add(r, (ProjectEntry){ .name = name, .line = entry->line, .kind = TOML_STRING, .text = entry->value }))
            return false;
    }
    return true;
}

static bool read_toml(Reader *r, Str text)
{
    static const char *const header[] = { "tool", "prefect" };
    Error cause = { .code = ERR_NONE };
    Toml *root;
    if (!toml_parse_shared(r->arena, r->file, text, &root, &cause))
        return fail(r->error, ERR_INVALID, "Failed to load Prefect settings from %s: invalid TOML (%s)", r->file,
                    cause.message);
    const Toml *table = root;
    for (size_t i = 0; i < COUNT_OF(header) && table && r->source == FROM_PYPROJECT; i++)
        table = toml_get(table, header[i]);
    return !table || add_table(r, table, STR_NULL);
}

static const struct {
    SettingSource source;
    const char *file;
    bool (*read)(Reader *, Str text);
} files[] = {
    { FROM_DOTENV, ".env", read_dotenv },
    { FROM_PREFECT_TOML, "prefect.toml", read_toml },
    { FROM_PYPROJECT, "pyproject.toml", read_toml },
};

bool project_files_load(Arena *arena, ProjectEntry **ret, Error *error)
{
    Reader r = { .arena = arena, .error = error, .place = ret };
    *ret = NULL;
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct stat found;
        Str text;
        r.source = files[i].source;
        r.file = files[i].file;
        if (stat(r.file, &found) != 0 || !S_ISREG(found.st_mode))
            continue;
        if (!file_read(arena, r.file, &text, error) || (text.p && !files[i].read(&r, text)))
            return false;
    }
    return true;
}

const ProjectEntry *project_find(const ProjectEntry *first, SettingSource source, Str name)
{
    const ProjectEntry *found = NULL;
    for (const ProjectEntry *entry = first; entry; entry = entry->next)
        if (entry->source == source && !entry->is_path && str_eq(entry->name, name))
            found = entry;
    return found;
}
