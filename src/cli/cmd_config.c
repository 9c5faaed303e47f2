/* cli/cmd_config.c -- `orion config`: the settings in use shown, and the current profile's changed. */
#include "cli/cli.h"
#include "cli/profiles_file.h"

/* The value as it may be shown, quoted. */
static const char *shown(const Cli *cli, const char *name, Str value)
{
    const Setting *setting = setting_find(str_from(name));
    bool secret = setting && setting->flags & SETTING_SECRET;
    return secret ? "'********'" : cli_quoted(cli, value);
}

/* Splits "NAME=VALUE"; 0, or the exit status after a message. */
static int split(const Cli *cli, const char *item, Str *ret_name, Str *ret_value)
{
    const char *equals = strchr(item, '=');
    if (!equals)
        return cli_bad(cli, "Failed to parse argument %s. Use the format 'VAR=VAL'.", cli_quoted(cli, str_from(item)));
    *ret_name = (Str){ item, (size_t)(equals - item) };
    *ret_value = str_from(equals + 1);
    const Setting *setting = setting_find_any(*ret_name);
    if (!setting)
        return cli_bad(cli, "Unknown setting name %s.", cli_quoted(cli, *ret_name));
    *ret_name = str_from(setting->name); /* the name that every client of this server knows */
    return 0;
}

/* Removes a setting under each of its names; returns whether it was there. */
static bool unset_all_names(Profile *profile, Str name)
{
    const Setting *setting = setting_find_any(name);
    const char *given = setting ? setting->name : NULL;
    bool found = profile_get(profile, name) != NULL;
    for (size_t i = 0; given; given = setting_alias(setting->name, i++)) {
        found = found || profile_get(profile, str_from(given));
        profile_unset(profile, str_from(given));
    }
    profile_unset(profile, name);
    return found;
}

/* A profile holds a setting once: its other names are removed. */
static void set(const Cli *cli, Profile *profile, Str name, Str value)
{
    const char *alias;
    for (size_t i = 0; (alias = setting_alias(arena_cstr(cli->arena, name), i)); i++)
        profile_unset(profile, str_from(alias));
    profile_set(cli->arena, profile, name, value);
}

static int check_profile(const Cli *cli, const Profile *profile)
{
    SettingProblem problems[SETTING_PROBLEMS_MAX];
    size_t count = settings_check_profile(profile, cli->arena, problems);
    for (size_t i = 0; i < count; i++)
        cli_bad(cli, "Validation error for setting '%s': %.*s", problems[i].name, STR_ARG(problems[i].message));
    return count ? cli_bad(cli, "Invalid setting value.") : 0;
}

static void say_set(const Cli *cli, Str name, Str value)
{
    const char *text = arena_cstr(cli->arena, name);
    printf("Set '%s' to %s.\n", text, shown(cli, text, value));
    if (getenv(text))
        cli_note(cli,
                 "%s is also set by an environment variable which will override your config value. "
                 "Run `unset %s` to clear it.",
                 text, text);
}

int cmd_config_set(Cli *cli)
{
    Profiles profiles;
    int lock = -1;
    Profile *profile;
    Str name, value;
    int status = 0;
    /* All arguments are checked before the file is locked. */
    for (size_t i = 0; i < cli->arg_count && !status; i++)
        status = split(cli, cli->args[i], &name, &value);
    if (status || (status = profiles_open_to_change(cli, &profiles, &lock)))
        return status;
    profile = profiles_current(cli, &profiles);
    for (size_t i = 0; i < cli->arg_count; i++)
        if (split(cli, cli->args[i], &name, &value) == 0)
            set(cli, profile, name, value);
    if ((status = check_profile(cli, profile)) || (status = profiles_store(cli, &profiles, lock)))
        return status;
    for (size_t i = 0; i < cli->arg_count; i++)
        if (split(cli, cli->args[i], &name, &value) == 0)
            say_set(cli, name, value);
    cli_good(cli, "Updated profile %s.", cli_quoted(cli, profile->name));
    return 0;
}

static void say_unset(const Cli *cli, const char *name)
{
    printf("Unset '%s'.\n", name);
    if (getenv(name))
        cli_note(cli, "'%s' is also set by an environment variable. Use `unset %s` to clear it.", name, name);
}

int cmd_config_unset(Cli *cli)
{
    Profiles profiles;
    int lock = -1;
    int status = profiles_open_to_change(cli, &profiles, &lock);
    if (status)
        return status;
    Profile *profile = profiles_current(cli, &profiles);
    for (size_t i = 0; i < cli->arg_count; i++)
        /* Nothing is stored unless every name is known and set. */
        if (!setting_find_any(str_from(cli->args[i])) && !profile_get(profile, str_from(cli->args[i])))
            return cli_bad(cli, "Unknown setting name %s.", cli_quoted(cli, str_from(cli->args[i])));
    for (size_t i = 0; i < cli->arg_count; i++)
        if (!unset_all_names(profile, str_from(cli->args[i])))
            return cli_bad(cli, "'%s' is not set in profile %s.", cli->args[i], cli_quoted(cli, profile->name));
    if ((status = profiles_store(cli, &profiles, lock)))
        return status;
    for (size_t i = 0; i < cli->arg_count; i++)
        say_unset(cli, cli->args[i]);
    cli_good(cli, "Updated profile %s.", cli_quoted(cli, profile->name));
    return 0;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *view_line(const Cli *cli, const Setting *setting)
{
    static const char *const sources[] = {
        [FROM_DEFAULT] = "defaults", [FROM_PROFILE] = "profile", [FROM_ENVIRONMENT] = "env"
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
