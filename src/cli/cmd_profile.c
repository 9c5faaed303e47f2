/* cli/cmd_profile.c -- `orion profile`: profiles listed, made, chosen, renamed, deleted. */
#include "cli/api_health.h"
#include "cli/profiles_file.h"

static int not_found(const Cli *cli, Str name)
{
    return cli_bad(cli, "Profile %s not found.", cli_quoted(cli, name));
}

int cmd_profile_ls(Cli *cli)
{
    Profiles profiles;
    int status = profiles_open(cli, &profiles);
    if (status)
        return status;
    puts("Available profiles (* is the active one):");
    for (const Profile *profile = profiles.first; profile; profile = profile->next) {
        bool active = str_is(profile->name, settings_profile(cli->settings));
        if (active)
            cli_good(cli, "* %.*s", STR_ARG(profile->name));
        else
            printf("  %.*s\n", STR_ARG(profile->name));
    }
    return 0;
}

int cmd_profile_create(Cli *cli)
{
    Profiles profiles;
    int lock = -1;
    Str name = str_from(cli->args[0]), from = str_from(cli_option(cli, "from"));
    const char *quoted = cli_quoted(cli, name);
    int status = profiles_open_to_change(cli, &profiles, &lock);
    if (status)
        return status;
    if (profiles_find(&profiles, name))
        return cli_bad(cli,
                       "Profile %s already exists.\nTo create a new profile, remove the existing profile first:\n\n    "
                       "%s profile delete %s",
                       quoted, cli->program, quoted);
    const Profile *source = from.n ? profiles_find(&profiles, from) : NULL;
    if (from.n && !source)
        return not_found(cli, from);
    Profile *profile = profiles_add(&profiles, name);
    if (source)
        profile_merge(cli->arena, profile, source);
    if ((status = profiles_store(cli, &profiles, lock)))
        return status;
    cli_good(cli, "Created profile %s%s%s.", quoted, source ? " from " : "", source ? cli_quoted(cli, from) : "");
    printf("\nUse it from now on:\n    %s profile use %s\nUse it for one command:\n    %s -p %s config view\n",
           cli->program, quoted, cli->program, quoted);
    return 0;
}

/* The address of the API once the profile is the active one. */
static Str api_url_of(const Profile *profile)
{
    const char *environment = getenv("PREFECT_API_URL");
    const ProfileEntry *entry = profile_get(profile, STR("PREFECT_API_URL"));
    return environment ? str_from(environment) : entry ? entry->text : STR_NULL;
}

static int report_health(const Cli *cli, const char *name, Str url)
{
    if (url.n == 0) {
        cli_good(cli, "No Prefect Orion instance specified using profile %s - the API will run in ephemeral mode.",
                 name);
        return 0;
    }
    switch (api_health(cli->arena, url)) {
    case API_CONNECTED:
        cli_good(cli, "Connected to Prefect Orion using profile %s", name);
        return 0;
    case API_UNCHECKED:
        cli_good(cli,
                 "Profile %s is active. Its API uses TLS, which this command does not support: "
                 "the connection was not tested.",
                 name);
        return 0;
    case API_ERROR:
        return cli_bad(cli, "Error connecting to Prefect Orion using profile %s", name);
    case API_UNREACHABLE:
        break;
    }
    return cli_bad(cli, "Error connecting to Prefect API URL");
}

int cmd_profile_use(Cli *cli)
{
    Profiles profiles;
    int lock = -1;
    Str name = str_from(cli->args[0]);
    int status = profiles_open_to_change(cli, &profiles, &lock);
    if (status)
        return status;
    const Profile *profile = profiles_find(&profiles, name);
    if (!profile)
        return not_found(cli, name);
    profiles.active = name;
    if ((status = profiles_store(cli, &profiles, lock)))
        return status;
    /* The profile stays chosen even if its API does not answer: the server may be started later. */
    return report_health(cli, cli_quoted(cli, name), api_url_of(profile));
}

int cmd_profile_delete(Cli *cli)
{
    Profiles profiles;
    int lock = -1;
    Str name = str_from(cli->args[0]);
    int status = profiles_open_to_change(cli, &profiles, &lock);
    if (status)
        return status;
    if (!profiles_find(&profiles, name))
        return not_found(cli, name);
    if (str_is(name, settings_profile(cli->settings)))
        return cli_bad(cli, "Profile %s is the active profile. You must switch profiles before it can be deleted.",
                       cli_quoted(cli, name));
    profiles_remove(&profiles, name);
    if ((status = profiles_store(cli, &profiles, lock)))
        return status;
    /* The built-in `default` takes the place of one that is deleted. */
    cli_good(cli, "%s profile %s.", str_is(name, "default") ? "Reset" : "Removed", cli_quoted(cli, name));
    return 0;
}

int cmd_profile_rename(Cli *cli)
{
    Profiles profiles;
    int lock = -1;
    Str name = str_from(cli->args[0]), new_name = str_from(cli->args[1]);
    const char *old_quoted = cli_quoted(cli, name), *new_quoted = cli_quoted(cli, new_name),
               *chosen = getenv("PREFECT_PROFILE");
    int status = profiles_open_to_change(cli, &profiles, &lock);
    if (status)
        return status;
    const Profile *profile = profiles_find(&profiles, name);
    if (!profile)
        return not_found(cli, name);
    if (profiles_find(&profiles, new_name))
        return cli_bad(cli, "Profile %s already exists.", new_quoted);
    profile_merge(cli->arena, profiles_add(&profiles, new_name), profile);
    profiles_remove(&profiles, name);
    if (str_eq(profiles.active, name))
        profiles.active = new_name;
    if (chosen && str_is(name, chosen))
        printf("You have set your current profile to %s with the PREFECT_PROFILE environment variable. You must update "
               "this variable to %s to continue using the profile.\n",
               old_quoted, new_quoted);
    if ((status = profiles_store(cli, &profiles, lock)))
        return status;
    cli_good(cli, "Renamed profile %s to %s.", old_quoted, new_quoted);
    return 0;
}

int cmd_profile_inspect(Cli *cli)
{
    Profiles profiles;
    Str name = cli->arg_count ? str_from(cli->args[0]) : str_from(settings_profile(cli->settings));
    const char *quoted = cli_quoted(cli, name);
    int status = profiles_open(cli, &profiles);
    if (status)
        return status;
    if (cli->arg_count == 0)
        printf("No name provided, defaulting to %s\n", quoted);
    const Profile *profile = profiles_find(&profiles, name);
    if (!profile)
        return not_found(cli, name);
    if (!profile->entries)
        printf("Profile %s is empty.\n", quoted);
    for (const ProfileEntry *entry = profile->entries; entry; entry = entry->next) {
        const Setting *setting = setting_find_any(entry->name); /* an unknown setting may be a secret */
        bool hidden = (!setting || setting->flags & SETTING_SECRET) && !cli_switch(cli, "show-secrets", false);
        printf("%.*s='%.*s'\n", STR_ARG(entry->name), STR_ARG(hidden ? STR("********") : entry->text));
    }
    return 0;
}
