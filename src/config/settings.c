/* config/settings.c -- the values: gathered from environment, files and table, checked, derived, and read. */
#include "config/settings.h"

#include <assert.h>
#include <math.h>
#include <strings.h>
#include <unistd.h>

#include "base/json.h"
#include "base/unicode.h"
#include "config/config_file.h"
#include "config/file_write.h"
#include "config/profiles.h"
#include "config/project_files.h"
#include "config/setting_derive.h"
#include "config/setting_value.h"

extern char **environ;

typedef struct Given { /* a value before it is checked; null text: the default */
    TomlKind kind;
    Str text;
    SettingSource source;
} Given;

/* Made by settings_load and ended, with its arena, by settings_free. Once the server's threads run, they only read
 * it. */
struct Settings {
    Arena *arena;
    SettingsCall call;
    ConfigFile file;        /* its path is NULL until the file was looked for */
    bool is_3;
    ProjectEntry *project;  /* NULL for generation 2.7 */
    const Profile *profile; /* NULL until one is chosen */
    SettingValue *values;   /* one for each row of the table, like all below */
    Str *used;              /* with templates expanded */
    SettingSource *sources;
};

Arena *settings_arena(Settings *settings)
{
    return settings->arena;
}

const char *settings_file_path(const Settings *settings)
{
    return settings->file.path;
}

static size_t index_of(const char *name)
{
    const Setting *setting = setting_find(str_from(name));
    assert(setting && "a name that is not in the table");
    return (size_t)(setting - setting_table);
}

/* ---- gathering ---- */

/* Names of variables are compared without regard to case, as in pydantic; an exact match counts first. */
static const char *from_environment(const char *name)
{
    size_t n = strlen(name);
    const char *exact = getenv(name);
    for (char **entry = environ; !exact && entry && *entry; entry++)
        if (strncasecmp(*entry, name, n) == 0 && (*entry)[n] == '=')
            return *entry + n + 1;
    return exact;
}

/* Path settings of our own that are set to an empty string are ignored. */
static const char *from_environment_any(const Settings *settings, const Setting *setting)
{
    const char *value = from_environment(setting->name), *alias;
    for (size_t i = 0; !value && (alias = setting_alias(setting->name, i)); i++)
        value = from_environment(alias);
    if (settings->call.file && strcmp(setting->name, "ORION_CONFIG") == 0)
        value = settings->call.file;
    bool is_own_path = setting->flags & SETTING_OWN && setting->kind == SETTING_PATH;
    return value && !*value && is_own_path ? NULL : value;
}

static bool is_own_name(Str name)
{
    return str_starts(name, "ORION_");
}

/* Names that the client refuses are ignored in profiles, which it reads. */
static const ProfileEntry *from_profile_any(const Profile *profile, const char *name)
{
    const ProfileEntry *entry = is_own_name(str_from(name)) ? NULL : profile_get(profile, str_from(name));
    const char *alias;
    for (size_t i = 0; !entry && (alias = setting_alias(name, i)); i++)
        entry = profile_get(profile, str_from(alias));
    return entry;
}

/* Of Prefect 3's files the first that sets it, under any of its names. */
static const ProjectEntry *from_project_any(const Settings *settings, const Setting *setting)
{
    const ProjectEntry *entry = NULL;
    for (SettingSource source = FROM_DOTENV; !entry && source >= FROM_PYPROJECT; source--) {
        const char *name = setting->name;
        for (size_t i = 0; !entry && name; name = setting_alias(setting->name, i++))
            entry = is_own_name(str_from(name)) ? NULL : project_find(settings->project, source, str_from(name));
    }
    return entry;
}

/* `over`: the profile overrides the other sources. */
static Given given_of(const Settings *settings, const Setting *setting, const Profile *profile, bool over)
{
    const char *environment = from_environment_any(settings, setting);
    const ConfigEntry *line = config_file_find(&settings->file, setting);
    const ProfileEntry *entry = profile ? from_profile_any(profile, setting->name) : NULL;
    const ProjectEntry *shared = from_project_any(settings, setting);
    if (environment && !(entry && over))
        return (Given){ .kind = TOML_STRING, .text = str_from(environment), .source = FROM_ENVIRONMENT };
    if (line && !(entry && over))
        return (Given){ .kind = line->kind, .text = line->text, .source = FROM_FILE };
    if (shared && !(entry && over))
        return (Given){ .kind = shared->kind, .text = shared->text, .source = shared->source };
    if (entry)
        return (Given){ .kind = entry->kind, .text = entry->text, .source = FROM_PROFILE };
    return (Given){ .kind = TOML_STRING, .text = STR_NULL, .source = FROM_DEFAULT };
}

static void gather(const Settings *settings, Given *given, const Profile *profile, bool over)
{
    for (size_t i = 0; i < setting_count; i++)
        given[i] = given_of(settings, &setting_table[i], profile, over);
}

/* ---- checking ---- */

static size_t add_set_problems(const Settings *settings, SettingProblem *problems, size_t count)
{
    /* Settings are compared only once each is valid by itself. */
    int64_t batch = settings->values[index_of("PREFECT_LOGGING_ORION_BATCH_SIZE")].integer;
    int64_t line = settings->values[index_of("PREFECT_LOGGING_ORION_MAX_LOG_SIZE")].integer;
    if (count > 0 || batch >= line || settings->call.use == SETTINGS_TO_CHECK) /* the command checks this itself */
        return count;
    problems[0] = (SettingProblem){ .name = "__root__", .type = "value_error",
        .message = STR("`PREFECT_LOGGING_ORION_MAX_LOG_SIZE` cannot be larger than "
                       "`PREFECT_LOGGING_ORION_BATCH_SIZE`") };
    return 1;
}

/* Fills the values; returns the number of problems. */
static size_t check(Settings *settings, const Given *given, SettingProblem *problems)
{
    size_t count = 0;
    for (size_t i = 0; i < setting_count; i++) {
        const Setting *setting = &setting_table[i];
        bool is_default = !given[i].text.p;
        Str text = is_default ? str_from(setting->fallback) : arena_str(settings->arena, given[i].text);
        settings->sources[i] = given[i].source;
        settings->values[i] = (SettingValue){ .text = STR_NULL };
        /* A default duration is a number of seconds, not a duration as text. */
        TomlKind kind = is_default && setting->kind == SETTING_SECONDS ? TOML_INT : given[i].kind;
        if (text.p && !setting_parse(setting, kind, text, settings->arena, &settings->values[i], &problems[count]))
            count++;
    }
    return add_set_problems(settings, problems, count);
}

/* ---- warnings ---- */

static bool names(Str text, const char *setting)
{
    return memmem(text.p, text.n, setting, strlen(setting)) != NULL;
}

static void warn_of_unused_password(const Settings *settings)
{
    Str password = settings_given(settings, "PREFECT_ORION_DATABASE_PASSWORD");
    Str url = settings_given(settings, "PREFECT_ORION_DATABASE_CONNECTION_URL");
    static const char name[] = "PREFECT_ORION_DATABASE_PASSWORD";
    bool used = names(url, name);
    const char *alias;
    for (size_t i = 0; (alias = setting_alias(name, i)); i++)
        used = used || names(url, alias);
    if (password.n == 0 || str_starts(password, "****") || used)
        return;
    fputs("PREFECT_ORION_DATABASE_PASSWORD is set but not included in the PREFECT_ORION_DATABASE_CONNECTION_URL. "
          "The provided password will be ignored.\n", stderr);
}

/* Of several names of one setting the first that is set counts: its own, then those of later releases. */
static void warn_of_second_names(const Profile *profile, const char *name)
{
    const char *used[2] = { NULL, NULL }, *given = name; /* in the environment, in the profile */
    for (size_t i = 0; given; given = setting_alias(name, i++)) {
        const bool found[2] = { from_environment(given) != NULL, profile_get(profile, str_from(given)) != NULL };
        for (size_t k = 0; k < 2; k++) {
            if (found[k] && used[k])
                fprintf(stderr, "WARNING: %s is another name for %s, which is also set in the %s: %s is used.\n", given,
                        used[k], k ? "profile" : "environment", used[k]);
            if (found[k] && !used[k])
                used[k] = given;
        }
    }
}

/* The value from one source under exactly this name, or null. */
static Str named_value(const Settings *settings, SettingSource source, const char *name)
{
    if (source == FROM_ENVIRONMENT)
        return str_from(from_environment(name));
    if (source == FROM_PROFILE) {
        const ProfileEntry *entry =
            is_own_name(str_from(name)) ? NULL : profile_get(settings->profile, str_from(name));
        return entry ? entry->text : STR_NULL;
    }
    if (source != FROM_FILE) {
        const ProjectEntry *entry =
            is_own_name(str_from(name)) ? NULL : project_find(settings->project, source, str_from(name));
        return entry ? entry->text : STR_NULL;
    }
    const ConfigEntry *line = settings->file.entries;
    while (line && !str_is(line->name, name))
        line = line->next;
    return line ? line->text : STR_NULL;
}

/* The value that applies under exactly this name; null if not set. */
static Str given_as(const Settings *settings, const char *name)
{
    Str value = STR_NULL;
    for (SettingSource source = FROM_ENVIRONMENT; source > FROM_DEFAULT && !value.p; source--)
        value = named_value(settings, source, name);
    return value;
}

bool settings_names_agree(const Settings *settings, const char *name, const char **ret_first, const char **ret_second)
{
    const char *used = NULL, *given = name;
    Str first = STR_NULL;
    for (size_t i = 0; given; given = setting_alias(name, i++)) {
        Str value = given_as(settings, given);
        if (first.p && value.p && !str_eq(first, value)) {
            *ret_first = used;
            *ret_second = given;
            return false;
        }
        if (!first.p && value.p) {
            first = value;
            used = given;
        }
    }
    return true;
}

/* Of Prefect 3's names those that only its client reads. */
static bool is_of_client_3(Str name)
{
    const Setting3 *setting = setting_3_find(name);
    return setting && (!str_starts(str_from(setting->path), "server.") ||
                       str_starts(str_from(setting->path), "server.ephemeral."));
}

static void add_unknown(const Settings *settings, Buf *list, Str name)
{
    /* The client passes PREFECT__ names to processes of its own. */
    if (str_starts(name, "PREFECT__") || str_is(name, "PREFECT_PROFILE") || setting_find_any(name) ||
        (settings->is_3 && is_of_client_3(name)))
        return;
    if (list->n)
        buf_text(list, ", ");
    buf_str(list, name);
}

/* Only names: the values may be secrets. */
static void warn_of_unknown_names(const Settings *settings)
{
    Arena *arena = settings->arena;
    Buf list;
    buf_init(&list, arena, 256);
    for (char **entry = environ; entry && *entry; entry++)
        if (str_starts(str_from(*entry), "PREFECT_"))
            add_unknown(settings, &list, (Str){ *entry, strcspn(*entry, "=") });
    for (const ProjectEntry *entry = settings->project; entry; entry = entry->next)
        add_unknown(settings, &list, entry->name);
    for (const ProfileEntry *entry = settings->profile->entries; entry; entry = entry->next)
        if (!is_own_name(entry->name) && !from_environment(arena_cstr(arena, entry->name)))
            add_unknown(settings, &list, entry->name);
    if (!list.n)
        return;
    utf8_blank_invalid(list.p, list.n);
    fprintf(stderr, "WARNING: settings that this server does not know are kept but not used: %s\n", buf_cstr(&list));
}

/* Warns of ORION_ settings that an earlier release wrote into the profile. */
static void warn_of_own_names(const Settings *settings)
{
    for (const ProfileEntry *entry = settings->profile->entries; entry; entry = entry->next)
        if (is_own_name(entry->name))
            fprintf(stderr,
                    "WARNING: %.*s is not used from profile %.*s: it belongs in orion.toml (`orion config set %.*s=…` "
                    "moves it).\n",
                    STR_ARG(entry->name), STR_ARG(json_python_repr(settings->arena, settings->profile->name)),
                    STR_ARG(entry->name));
}

static void warn_of_names(const Settings *settings)
{
    warn_of_own_names(settings);
    for (size_t i = 0; i < setting_count; i++)
        warn_of_second_names(settings->profile, setting_table[i].name);
    warn_of_unknown_names(settings);
    warn_of_unused_password(settings);
}

static bool fail_with_problems(const SettingProblem *problems, size_t count, Arena *arena, Error *error)
{
    Buf out;
    buf_init(&out, arena, 256);
    for (size_t i = 0; i < count; i++)
        buf_printf(&out, "\n%s\n  %.*s (type=%s)", problems[i].name, STR_ARG(problems[i].message), problems[i].type);
    return fail(error, ERR_INVALID, "%zu validation error%s for Settings%s", count, count == 1 ? "" : "s",
                buf_cstr(&out));
}

/* ---- deriving ---- */

bool settings_derive(Settings *settings, const char *name, Str *ret, Error *error)
{
    size_t i = index_of(name);
    Str value = settings->values[i].text;
    if (setting_table[i].derive && !setting_table[i].derive(settings, &value, error))
        return false;
    *ret = value;
    return true;
}

/* The line of orion.toml that set the value, or NULL. */
static const ConfigEntry *line_of(const Settings *settings, size_t i)
{
    return settings->sources[i] == FROM_FILE ? config_file_find(&settings->file, &setting_table[i]) : NULL;
}

static bool fail_to_derive(Settings *settings, size_t i, const Error *cause, Error *error)
{
    const char *name = setting_table[i].name;
    const ConfigEntry *line = line_of(settings, i);
    if (settings->call.use == SETTINGS_TO_CHECK)
        config_file_add_problem(settings->arena, &settings->file, CONFIG_ERROR, line ? line->line : 0, str_from(name),
                                str_from(cause->message));
    if (line)
        return fail(error, ERR_INVALID, "%s:%u: %s: %s", settings->file.path, line->line, name, cause->message);
    return fail(error, ERR_INVALID, "%s: %s", name, cause->message);
}

/* A template that cannot be expanded yields null; it is an error unless only the client reads the setting. */
static bool derive_all(Settings *settings, Error *error)
{
    bool ok = true;
    for (size_t i = 0; i < setting_count; i++) {
        Error cause = { .code = ERR_NONE };
        Str value = STR_NULL;
        bool derived = settings_derive(settings, setting_table[i].name, &value, &cause);
        settings->used[i] = derived ? arena_str(settings->arena, value) : STR_NULL;
        if (!derived && !(setting_table[i].flags & SETTING_CLIENT))
            ok = fail_to_derive(settings, i, &cause, error);
    }
    return ok;
}

/* ---- loading ---- */

static Settings *settings_new(void)
{
    Arena *arena = arena_new();
    Settings *settings = arena_new_of(arena, Settings);
    settings->arena = arena;
    settings->values = arena_zalloc(arena, setting_count * sizeof(SettingValue));
    settings->used = arena_zalloc(arena, setting_count * sizeof(Str));
    settings->sources = arena_zalloc(arena, setting_count * sizeof(SettingSource));
    return settings;
}

void settings_free(Settings *settings)
{
    if (settings)
        arena_free(settings->arena);
}

static bool fill(Settings *settings, const Profile *profile, bool over, Error *error)
{
    Given *given = arena_zalloc(settings->arena, setting_count * sizeof(Given));
    SettingProblem *problems = arena_zalloc(settings->arena, SETTING_PROBLEMS_MAX * sizeof(SettingProblem));
    gather(settings, given, profile, over);
    size_t count = check(settings, given, problems);
    return count == 0 || fail_with_problems(problems, count, settings->arena, error);
}

/* The profile named by -p, else by PREFECT_PROFILE, else the file's active one. An unknown name is an error with -p;
 * otherwise the default profile is used, with a warning. */
static bool choose_profile(const Profiles *profiles, const char *option, Profile **ret, Error *error)
{
    const char *environment = getenv("PREFECT_PROFILE");
    Str name = option ? str_from(option) : environment ? str_from(environment) : profiles->active;
    if (!utf8_is_valid(name))
        return fail(error, ERR_INVALID, "The profile's name in PREFECT_PROFILE is not UTF-8.");
    *ret = profiles_find(profiles, name);
    if (*ret)
        return true;
    Str shown = json_python_repr(profiles->arena, name);
    if (option)
        return fail(error, ERR_INVALID, "Unknown profile %.*s.", STR_ARG(shown));
    fprintf(stderr, "WARNING: Active profile %.*s set %s not found. The default profile will be used instead. \n",
            STR_ARG(shown), environment ? "by environment variable" : "in the profiles file");
    *ret = profiles->first; /* the built-in one */
    return true;
}

/* Under the lock, since files written in place could be read half-written. */
static bool load_profiles(const Settings *settings, const char *path, Profiles *ret, Error *error)
{
    Arena *arena = settings->arena;
    int lock;
    if (!file_lock(arena, path, FILE_READ, &lock, error))
        return false;
    bool ok = settings->is_3 ? profiles_load_3(arena, path, ret, error) : profiles_load(arena, path, ret, error);
    if (lock >= 0)
        close(lock);
    return ok;
}

static bool load_lines(Arena *arena, const char *path, ConfigFile *ret, Error *error)
{
    int lock;
    *ret = (ConfigFile){ .path = path };
    if (!file_lock(arena, path, FILE_READ, &lock, error))
        return false;
    bool ok = config_file_load(arena, path, ret, error);
    if (lock >= 0)
        close(lock);
    return ok;
}

/* Reports problems of orion.toml; for `config check` they are only kept. False: *error has the first that prevents a
 * start. */
static bool report_file(const Settings *settings, Error *error)
{
    bool serves = settings->call.use == SETTINGS_TO_SERVE;
    const ConfigProblem *fatal = NULL;
    unsigned others = 0;
    for (const ConfigProblem *problem = settings->file.problems; problem; problem = problem->next) {
        if (problem->gravity == CONFIG_ERROR && serves) {
            others += fatal != NULL;
            fatal = fatal ? fatal : problem;
        } else if (problem->gravity != CONFIG_NOTE) {
            fprintf(stderr, "WARNING: %s\n", config_problem_text(settings->arena, &settings->file, problem).p);
        }
    }
    if (!fatal)
        return true;
    const char *text = config_problem_text(settings->arena, &settings->file, fatal).p;
    return others ? fail(error, ERR_INVALID, "%s\n%u more: see `orion config check`.", text, others)
                  : fail(error, ERR_INVALID, "%s", text);
}

/* A file named explicitly must exist: its settings may be what protects the server. */
static bool load_file(Settings *settings, Error *error)
{
    Str path;
    Error cause = { .code = ERR_NONE };
    if (!settings_derive(settings, "ORION_CONFIG", &path, &cause))
        return settings->call.use != SETTINGS_TO_SERVE || fail(error, cause.code, "%s", cause.message);
    const char *name = arena_cstr(settings->arena, path);
    bool ok = load_lines(settings->arena, name, &settings->file, &cause);
    if (ok && !settings->file.is_there && settings_source(settings, "ORION_CONFIG") != FROM_DEFAULT)
        ok = fail(&cause, ERR_INVALID, "There is no %s, which %s names.", name,
                  settings->call.file ? "--config" : "ORION_CONFIG");
    if (!ok)
        config_file_add_problem(settings->arena, &settings->file, CONFIG_ERROR, 0, STR_NULL, str_from(cause.message));
    return settings->call.use == SETTINGS_TO_CHECK || report_file(settings, error);
}

/* Once orion.toml may have chosen the generation. */
static bool load_project(Settings *settings, Error *error)
{
    settings->is_3 = settings->call.is_3 || str_is(settings_given(settings, "ORION_GENERATION"), "3");
    return !settings->is_3 ||
           (project_files_load(settings->arena, &settings->project, error) && fill(settings, NULL, false, error));
}

/* orion.toml is located from the environment only, the profiles from environment and orion.toml: no file can give its
 * own location. */
static bool load(Settings *settings, Error *error)
{
    Str path;
    Profiles profiles;
    Profile *profile;
    const char *option = settings->call.profile;
    if (!fill(settings, NULL, false, error) || !load_file(settings, error) || !fill(settings, NULL, false, error) ||
        !load_project(settings, error) || !settings_derive(settings, "PREFECT_PROFILES_PATH", &path, error) ||
        !load_profiles(settings, arena_cstr(settings->arena, path), &profiles, error) ||
        !choose_profile(&profiles, option, &profile, error) || !fill(settings, profile, option != NULL, error))
        return false;
    settings->profile = profile;
    warn_of_names(settings);
    return true;
}

Settings *settings_load(const SettingsCall *call, Error *error)
{
    Settings *settings = settings_new();
    Error template_error = { .code = ERR_NONE };
    if (call)
        settings->call = *call;
    bool ok = load(settings, error);
    if (ok && !derive_all(settings, &template_error) && settings->call.use == SETTINGS_TO_SERVE)
        ok = fail(error, template_error.code, "%s", template_error.message);
    if (ok)
        return settings;
    settings_free(settings);
    return NULL;
}

bool settings_override(Settings *settings, const char *name, Str value, Error *error)
{
    size_t i = index_of(name);
    SettingProblem problem;
    if (!setting_parse(&setting_table[i], TOML_STRING, arena_str(settings->arena, value), settings->arena,
                       &settings->values[i], &problem))
        return fail_with_problems(&problem, 1, settings->arena, error);
    /* Options are not a source of their own. */
    settings->sources[i] = FROM_ENVIRONMENT;
    return derive_all(settings, error);
}

size_t settings_check_profile(const Profile *profile, Arena *arena, SettingProblem *ret_problems)
{
    Settings *settings = settings_new();
    Given *given = arena_zalloc(arena, setting_count * sizeof(Given));
    gather(settings, given, profile, true);
    size_t count = check(settings, given, ret_problems);
    /* The problems outlive the settings that they were found in. */
    for (size_t i = 0; i < count; i++) {
        ret_problems[i].message = arena_str(arena, ret_problems[i].message);
        ret_problems[i].type = arena_cstr(arena, str_from(ret_problems[i].type));
    }
    settings_free(settings);
    return count;
}

/* ---- reading ---- */

Str settings_text(const Settings *settings, const char *name)
{
    return settings->used[index_of(name)];
}

Generation settings_generation(const Settings *settings)
{
    return str_is(settings_text(settings, "ORION_GENERATION"), "3") ? GEN_3 : GEN_2_7;
}

bool settings_bool(const Settings *settings, const char *name)
{
    return settings->values[index_of(name)].integer != 0;
}

int64_t settings_int(const Settings *settings, const char *name)
{
    return settings->values[index_of(name)].integer;
}

double settings_float(const Settings *settings, const char *name)
{
    return settings->values[index_of(name)].number;
}

SettingSource settings_source(const Settings *settings, const char *name)
{
    return settings->sources[index_of(name)];
}

Str settings_where(const Settings *settings, const char *name, Arena *arena)
{
    size_t i = index_of(name);
    const ConfigEntry *line = line_of(settings, i);
    switch (settings->sources[i]) {
    case FROM_ENVIRONMENT:
        return STR("environment");
    case FROM_FILE:
        return arena_printf(arena, "%s:%u", settings->file.path, line ? line->line : 0);
    case FROM_DOTENV:
    case FROM_PREFECT_TOML:
    case FROM_PYPROJECT: {
        const ProjectEntry *entry = from_project_any(settings, &setting_table[i]);
        return entry ? arena_printf(arena, "%s:%u", entry->file, entry->line) : STR_NULL;
    }
    case FROM_PROFILE:
        return arena_printf(arena, "profile %.*s", STR_ARG(json_python_repr(arena, settings->profile->name)));
    case FROM_DEFAULT:
        break;
    }
    return STR_NULL;
}

bool settings_source_agrees(const Settings *settings, SettingSource source, const char *name)
{
    Str first = STR_NULL;
    const char *given = name;
    for (size_t i = 0; given; given = setting_alias(name, i++)) {
        Str value = named_value(settings, source, given);
        if (first.p && value.p && !str_eq(first, value))
            return false;
        first = first.p ? first : value;
    }
    return true;
}

static Str named_value_3(const Settings *settings, const Setting3 *setting, SettingSource source)
{
    const Setting *ours = setting_3_obeyed(setting);
    Str value = ours ? named_value(settings, source, ours->name) : STR_NULL;
    const char *alias;
    for (size_t i = 0; ours && !value.p && (alias = setting_alias(ours->name, i)); i++)
        value = named_value(settings, source, alias);
    Str name;
    for (size_t i = 0; !value.p && (name = setting_3_name(setting, i, settings->arena)).p; i++)
        value = named_value(settings, source, name.p);
    return value;
}

Str settings_given_3(const Settings *settings, const Setting3 *setting, SettingSource *ret_source)
{
    Str value = STR_NULL;
    SettingSource source = FROM_ENVIRONMENT;
    while (source > FROM_DEFAULT && !(value = named_value_3(settings, setting, source)).p)
        source--;
    *ret_source = source;
    return value;
}

Generation settings_choose_generation(const char *file)
{
    Settings *settings = settings_new();
    Error ignored = { .code = ERR_NONE };
    settings->call = (SettingsCall){ .file = file, .use = SETTINGS_TO_CHECK };
    bool is_3 = fill(settings, NULL, false, &ignored) && load_file(settings, &ignored) &&
                fill(settings, NULL, false, &ignored) && str_is(settings_given(settings, "ORION_GENERATION"), "3");
    settings_free(settings);
    return is_3 ? GEN_3 : GEN_2_7;
}

bool settings_are_3(const Settings *settings)
{
    return settings->is_3;
}

const ConfigFile *settings_file(const Settings *settings)
{
    return &settings->file;
}

const char *settings_profile(const Settings *settings)
{
    return settings->profile->name.p;
}

const Profile *settings_active_profile(const Settings *settings)
{
    return settings->profile;
}

Str settings_given(const Settings *settings, const char *name)
{
    return settings->values[index_of(name)].text;
}

static void write_value(JsonWriter *w, const Setting *setting, const SettingValue *value)
{
    if (setting->flags & SETTING_SECRET)
        json_text(w, "********");
    else if (!value->text.p || !isfinite(value->number))
        json_null(w); /* JSON has no infinities */
    else if (setting->kind == SETTING_BOOL)
        json_bool(w, value->integer != 0);
    else if (setting->kind == SETTING_INT)
        json_value(w, &(Json){ .kind = JSON_INT, .text = value->text });
    else if (setting->kind == SETTING_FLOAT || setting->kind == SETTING_SECONDS)
        json_float(w, value->number);
    else
        json_str(w, value->text);
}

Str settings_json(const Settings *settings, Arena *arena)
{
    Buf out;
    JsonWriter w;
    buf_init(&out, arena, 8192);
    json_writer_init(&w, &out, JSON_WIRE);
    json_object(&w);
    for (size_t i = 0; i < setting_count; i++) {
        if (setting_table[i].flags & SETTING_OWN)
            continue;
        json_key(&w, setting_table[i].name);
        write_value(&w, &setting_table[i], &settings->values[i]);
    }
    json_object_end(&w);
    return buf_view(&out);
}
