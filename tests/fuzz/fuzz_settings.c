/* tests/fuzz/fuzz_settings.c -- settings: a line NAME=value for each variable of the environment. A value that is
 * shown means the same when it is set again. If the first line begins with "s", "r" or "c", all settings are loaded
 * to serve, to repair or to check, which takes milliseconds; then all values can be read in every way. */
#include "fuzz.h"

#include "base/text.h"
#include "base/unicode.h"
#include "config/config_file.h"
#include "config/setting_value.h"

extern char **environ;

enum { VARIABLES_MAX = 64 };

/* They name files, which are no part of the input. */
static bool names_file(Str line)
{
    static const char *const names[] = { "ORION_CONFIG", "PREFECT_HOME", "PREFECT_PROFILES_PATH", "HOME" };
    Str name = str_cut(line, 0, str_find(line, '='));
    const Setting *setting = setting_find_any(name);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_same_word(name, str_from(names[i])) || (setting && strcmp(setting->name, names[i]) == 0))
            return true;
    return false;
}

static char **read_environment(Arena *arena, Str text)
{
    char **variables = arena_zalloc(arena, (VARIABLES_MAX + 2) * sizeof *variables);
    size_t count = 0;
    variables[count++] = arena_cstr(arena, STR("HOME=/nonexistent"));
    while (text.n && count < VARIABLES_MAX) {
        Str line = cut_line(&text);
        if (str_find(line, '=') < line.n && !memchr(line.p, '\0', line.n) && !names_file(line))
            variables[count++] = arena_cstr(arena, line);
    }
    return variables;
}

static void check_value(Arena *arena, const Setting *setting, Str text)
{
    SettingValue value, again;
    SettingProblem problem;
    if (!utf8_is_valid(text) || !setting_parse(setting, TOML_STRING, text, arena, &value, &problem))
        return;
    must(utf8_is_valid(value.text) && setting_parse(setting, TOML_STRING, value.text, arena, &again, &problem));
    if (!str_eq(value.text, again.text)) {
        fprintf(stderr, "%s: %.*s -> %.*s -> %.*s\n", setting->name, STR_ARG(text), STR_ARG(value.text),
                STR_ARG(again.text));
        abort();
    }
}

static void check_values(Arena *arena, char **variables)
{
    for (; *variables; variables++) {
        Str line = str_from(*variables), name = str_cut(line, 0, str_find(line, '='));
        const Setting *setting = setting_find_any(name);
        if (setting)
            check_value(arena, setting, arena_str(arena, str_cut(line, name.n + 1, line.n)));
    }
}

static void check_setting(Arena *arena, const Settings *settings, const Setting *setting)
{
    Str text = settings_text(settings, setting->name), where = settings_where(settings, setting->name, arena);
    must(!text.p || text.p[text.n] == '\0');
    must((settings_source(settings, setting->name) == FROM_DEFAULT) == !where.p);
    if (setting->kind == SETTING_BOOL)
        (void)settings_bool(settings, setting->name);
    if (setting->kind == SETTING_INT)
        (void)settings_int(settings, setting->name);
    if (setting->kind == SETTING_SECONDS || setting->kind == SETTING_TIME || setting->kind == SETTING_SIZE ||
        setting->kind == SETTING_FLOAT)
        (void)settings_float(settings, setting->name);
}

static void check_settings(Arena *arena, const Settings *settings)
{
    const Json *json;
    JsonError error;
    for (size_t i = 0; i < setting_count; i++)
        check_setting(arena, settings, &setting_table[i]);
    must(json_parse(arena, settings_json(settings, arena), &json, &error));
}

/* What settings_load says on standard error is not looked at. */
static Settings *load(SettingsUse use, char **variables, Error *error)
{
    static FILE *nowhere;
    FILE *kept_stream = stderr;
    char **kept = environ;
    if (!nowhere)
        must((nowhere = fopen("/dev/null", "w")) != NULL);
    stderr = nowhere;
    environ = variables;
    Settings *settings = settings_load(&(SettingsCall){ .use = use }, error);
    environ = kept;
    stderr = kept_stream;
    return settings;
}

static void load_and_check(Arena *arena, SettingsUse use, char **variables)
{
    Error error = { .code = ERR_NONE };
    Settings *settings = load(use, variables, &error);
    if (settings)
        check_settings(arena, settings);
    else
        must(error.message[0] != '\0');
    settings_free(settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char uses[] = "src";
    Arena *arena = arena_new();
    Str rest = { (const char *)data, size };
    const char *use = size && data[0] ? strchr(uses, (char)data[0]) : NULL;
    if (use)
        (void)cut_line(&rest);
    char **variables = read_environment(arena, rest);
    if (use)
        load_and_check(arena, (SettingsUse)(use - uses), variables);
    else
        check_values(arena, variables);
    arena_free(arena);
    return 0;
}
