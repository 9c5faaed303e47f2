/* cli/cmd_config.c -- `orion config`: shows and changes the settings in use: this server's own in orion.toml, the
 * others in the current profile. */
#include <unistd.h>

#include "cli/cli.h"
#include "cli/config_change.h"
#include "config/setting_value.h"
#include "config/settings_3.h"

/* An argument of `set` or `unset`. */
typedef struct Item {
    Str given;
    Str name;               /* the setting's main name, which every client of this server reads; else as given */
    Str value;              /* null for `unset` */
    const Setting *setting; /* NULL: unknown, but a value may be stored under the name */
    const Setting3 *newer;  /* for generation 3 what it is there, with that name; or NULL */
    bool is_own;            /* belongs in orion.toml */
} Item;

static Item item_of(const Cli *cli, Str name, Str value)
{
    const Setting *setting = setting_find_any(name);
    bool is_own = setting ? (setting->flags & SETTING_OWN) != 0 : str_starts(name, "ORION_");
    Item item = { name, setting ? str_from(setting->name) : name, value, setting, NULL, is_own };
    if (!settings_are_3(cli->settings) || str_starts(name, "ORION_"))
        return item;
    item.newer = setting_3_find(name);
    if (!item.newer && setting)
        item.newer = setting_3_of(setting);
    if (!item.newer)
        return item;
    item.name = setting_3_name(item.newer, 0, cli->arena);
    item.is_own = false;
    return item;
}

/* The value as it may be shown, quoted. */
static const char *shown(const Cli *cli, const Item *item, Str value)
{
    unsigned flags = (item->setting ? item->setting->flags : 0) | (item->newer ? item->newer->flags : 0);
    return flags & SETTING_SECRET ? "'********'" : cli_quoted(cli, value);
}

/* Prefect 3 must know these before it reads a profile. */
static bool is_beyond_profiles(const Item *item)
{
    return item->newer && (str_is(item->name, "PREFECT_HOME") || str_is(item->name, "PREFECT_PROFILES_PATH"));
}

/* Parses and checks "NAME=VALUE"; returns 0, or the exit status after a message. */
static int read_item(const Cli *cli, const char *text, Item *ret)
{
    SettingValue value;
    SettingProblem problem;
    const char *equals = strchr(text, '=');
    if (!equals)
        return cli_bad(cli, "Failed to parse argument %s. Use the format 'VAR=VAL'.", cli_quoted(cli, str_from(text)));
    Str name = { text, (size_t)(equals - text) };
    *ret = item_of(cli, name, str_from(equals + 1));
    if (!ret->setting && !ret->newer)
        return cli_bad(cli, "Unknown setting name %s.", cli_quoted(cli, name));
    if (is_beyond_profiles(ret))
        return cli_bad(cli, "Setting %s cannot be changed with this command. Use an environment variable instead.",
                       cli_quoted(cli, name));
    if (str_is(ret->name, "ORION_CONFIG"))
        return cli_bad(cli, "ORION_CONFIG names the file of settings: only the environment and --config can set it.");
    if (!ret->is_own || setting_parse(ret->setting, TOML_STRING, ret->value, cli->arena, &value, &problem))
        return 0;
    (void)cli_bad(cli, "Validation error for setting '%s': %.*s", problem.name, STR_ARG(problem.message));
    return cli_bad(cli, "Invalid setting value.");
}

static bool unset_name(Profile *profile, Str name)
{
    bool found = profile_get(profile, name) != NULL;
    profile_unset(profile, name);
    return found;
}

/* Removes a setting under all names but the one that it is stored by; returns whether it was there. */
static bool unset_other_names(const Cli *cli, Profile *profile, const Item *item)
{
    const char *given = item->setting ? item->setting->name : NULL;
    bool found = false;
    for (size_t i = 0; given; given = setting_alias(item->setting->name, i++))
        if (!str_is(item->name, given))
            found = unset_name(profile, str_from(given)) || found;
    Str newer;
    for (size_t i = 1; item->newer && (newer = setting_3_name(item->newer, i, cli->arena)).p; i++)
        found = unset_name(profile, newer) || found;
    return found;
}

static bool unset_all_names(const Cli *cli, Profile *profile, const Item *item)
{
    bool found = unset_other_names(cli, profile, item);
    return unset_name(profile, item->name) || found;
}

/* So that the profile holds it only once. */
static void set_in_profile(const Cli *cli, ConfigChange *change, const Item *item)
{
    (void)unset_other_names(cli, change->profile, item);
    profile_set(cli->arena, change->profile, item->name, item->value);
    change->changes_profile = true;
}

/* Moves the setting if an earlier release put it into the profile. False: *error. */
static bool set_in_file(const Cli *cli, ConfigChange *change, const Item *item, Error *error)
{
    if (unset_all_names(cli, change->profile, item))
        change->changes_profile = true;
    change->changes_file = true;
    return config_file_set(cli->arena, &change->file, item->setting, item->value, &change->file, error);
}

static int check_profile(const Cli *cli, const Profile *profile)
{
    int status = settings_are_3(cli->settings) ? config_3_check(cli, profile) : 0;
    if (status)
        return status;
    SettingProblem problems[SETTING_PROBLEMS_MAX];
    size_t count = settings_check_profile(profile, cli->arena, problems);
    for (size_t i = 0; i < count; i++)
        cli_bad(cli, "Validation error for setting '%s': %.*s", problems[i].name, STR_ARG(problems[i].message));
    return count ? cli_bad(cli, "Invalid setting value.") : 0;
}

static void say_set(const Cli *cli, const Item *item)
{
    const char *text = arena_cstr(cli->arena, item->newer ? item->given : item->name);
    printf("Set '%s' to %s.\n", text, shown(cli, item, item->value));
    if (getenv(text))
        cli_note(cli,
                 "%s is also set by an environment variable which will override your config value. "
                 "Run `unset %s` to clear it.",
                 text, text);
    const ConfigFile *file = settings_file(cli->settings);
    const ConfigEntry *line = item->is_own || !item->setting ? NULL : config_file_find(file, item->setting);
    if (line)
        cli_note(cli, "%s is also set in line %u of %s, which will override the profile.", text, line->line,
                 file->path);
}

/* Not refused: of two settings that belong together one is set first. */
static void note_what_stops_a_server(const Cli *cli)
{
    Error error = { .code = ERR_NONE };
    const SettingsCall call = { .profile = cli->profile, .file = cli->file, .use = SETTINGS_TO_SERVE };
    Cli changed = *cli;
    changed.settings = settings_load(&call, &error);
    if (!changed.settings || !cli_check_settings(&changed, &error))
        cli_note(cli, "A server does not start with these settings: %s", error.message);
    settings_free(changed.settings);
}

static void say_updated(const Cli *cli, const ConfigChange *change)
{
    if (change->changes_file) {
        cli_good(cli, "Updated %s.", change->file.path);
        note_what_stops_a_server(cli);
    }
    if (change->changes_profile)
        cli_good(cli, "Updated profile %s.", cli_quoted(cli, change->profile->name));
}

int cmd_config_set(Cli *cli)
{
    Error error = { .code = ERR_NONE };
    ConfigChange change;
    Item *items = arena_zalloc(cli->arena, cli->arg_count * sizeof *items);
    bool any_own = false;
    int status = 0;
    for (size_t i = 0; i < cli->arg_count && !status; i++) {
        status = read_item(cli, cli->args[i], &items[i]);
        any_own = any_own || items[i].is_own;
    }
    if (status || (status = config_change_open(cli, any_own, &change)))
        return status;
    for (size_t i = 0; i < cli->arg_count; i++)
        if (!items[i].is_own)
            set_in_profile(cli, &change, &items[i]);
        else if (!set_in_file(cli, &change, &items[i], &error))
            return cli_bad(cli, "%s", error.message);
    if ((change.changes_profile && (status = check_profile(cli, change.profile))) ||
        (status = config_change_store(cli, &change)))
        return status;
    for (size_t i = 0; i < cli->arg_count; i++)
        say_set(cli, &items[i]);
    say_updated(cli, &change);
    return 0;
}

static void say_unset(const Cli *cli, const char *name)
{
    printf("Unset '%s'.\n", name);
    if (getenv(name))
        cli_note(cli, "'%s' is also set by an environment variable. Use `unset %s` to clear it.", name, name);
}

static bool is_stored(const ConfigChange *change, Str name)
{
    const ConfigEntry *entry = change->file.entries;
    while (entry && !str_eq(entry->name, name))
        entry = entry->next;
    return entry || profile_get(change->profile, name);
}

static bool is_known(const Cli *cli, Str name)
{
    Item item = item_of(cli, name, STR_NULL);
    return item.setting || item.newer;
}

/* 0, or the exit status after a message. */
static int unset(const Cli *cli, ConfigChange *change, const Item *item, const char *given)
{
    Error error = { .code = ERR_NONE };
    bool in_file = false, in_profile = unset_all_names(cli, change->profile, item);
    if (item->is_own && !config_file_unset(cli->arena, &change->file, item->name, &change->file, &in_file, &error))
        return cli_bad(cli, "%s", error.message);
    change->changes_file = change->changes_file || in_file;
    change->changes_profile = change->changes_profile || in_profile;
    if (in_file || in_profile)
        return 0;
    if (item->is_own)
        return cli_bad(cli, "'%s' is not set in %s.", given, change->file.path);
    const ConfigEntry *line = item->setting ? config_file_find(settings_file(cli->settings), item->setting) : NULL;
    if (line)
        return cli_bad(cli, "'%s' is not set in profile %s, but in line %u of %s.", given,
                       cli_quoted(cli, change->profile->name), line->line, settings_file(cli->settings)->path);
    return cli_bad(cli, "'%s' is not set in profile %s.", given, cli_quoted(cli, change->profile->name));
}

/* As Prefect 3 does on a terminal. 0: continue; else the exit status. */
static int ask_to_unset(const Cli *cli)
{
    Buf names;
    buf_init(&names, cli->arena, 128);
    for (size_t i = 0; i < cli->arg_count; i++)
        buf_printf(&names, "%s%s", i ? " " : "", cli_quoted(cli, str_from(cli->args[i])));
    if (!isatty(STDOUT_FILENO))
        return 0;
    Str question = arena_printf(cli->arena, "Are you sure you want to unset the following setting(s): %s?",
                                buf_cstr(&names));
    return cli_ask(cli, question.p, "Unset aborted.");
}

int cmd_config_unset(Cli *cli)
{
    ConfigChange change;
    bool any_own = false;
    for (size_t i = 0; i < cli->arg_count; i++)
        any_own = any_own || item_of(cli, str_from(cli->args[i]), STR_NULL).is_own;
    int status = config_change_open(cli, any_own, &change);
    if (status)
        return status;
    for (size_t i = 0; i < cli->arg_count; i++)
        if (!is_known(cli, str_from(cli->args[i])) && !is_stored(&change, str_from(cli->args[i])))
            return cli_bad(cli, "Unknown setting name %s.", cli_quoted(cli, str_from(cli->args[i])));
    if (settings_are_3(cli->settings) && (status = ask_to_unset(cli)))
        return status;
    for (size_t i = 0; i < cli->arg_count && !status; i++) {
        Item item = item_of(cli, str_from(cli->args[i]), STR_NULL);
        status = unset(cli, &change, &item, cli->args[i]);
    }
    if (status || (status = config_change_store(cli, &change)))
        return status;
    for (size_t i = 0; i < cli->arg_count; i++)
        say_unset(cli, cli->args[i]);
    say_updated(cli, &change);
    return 0;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *view_line(const Cli *cli, const Setting *setting)
{
    static const char *const sources[] = {
        [FROM_DEFAULT] = "defaults", [FROM_PROFILE] = "profile", [FROM_PYPROJECT] = "pyproject.toml",
        [FROM_PREFECT_TOML] = "prefect.toml", [FROM_DOTENV] = ".env file", [FROM_FILE] = "orion.toml",
        [FROM_ENVIRONMENT] = "env"
    };
    Str value = settings_given(cli->settings, setting->name);
    if (setting->flags & SETTING_SECRET && !cli_switch(cli, "show-secrets", false))
        value = STR("********");
    else if (!value.p)
        value = STR("None");
    Str line = arena_printf(cli->arena, "%s='%.*s'", setting->name, STR_ARG(value));
    if (cli_switch(cli, "show-sources", true))
        line = arena_printf(cli->arena, "%s (from %s)", line.p, sources[settings_source(cli->settings, setting->name)]);
    return line.p;
}

int cmd_config_view(Cli *cli)
{
    const char **lines = arena_zalloc(cli->arena, setting_count * sizeof *lines);
    size_t count = 0;
    for (size_t i = 0; i < setting_count; i++)
        if (settings_source(cli->settings, setting_table[i].name) != FROM_DEFAULT ||
            cli_switch(cli, "show-defaults", false))
            lines[count++] = view_line(cli, &setting_table[i]);
    qsort(lines, count, sizeof *lines, compare_lines);
    printf("PREFECT_PROFILE=%s\n", cli_quoted(cli, str_from(settings_profile(cli->settings))));
    for (size_t i = 0; i < count; i++)
        puts(lines[i]);
    return 0;
}
