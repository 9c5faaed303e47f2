/* cli/profiles_file.c -- the file of profiles as commands open and store it. */
#include "cli/profiles_file.h"

static int profiles_path(const Cli *cli, const char **ret)
{
    Str path = settings_text(cli->settings, "PREFECT_PROFILES_PATH");
    if (!path.p)
        return cli_bad(cli, "PREFECT_PROFILES_PATH holds a template that cannot be expanded.");
    *ret = arena_cstr(cli->arena, path);
    return 0;
}

int profiles_open(const Cli *cli, Profiles *ret)
{
    Error error = { .code = ERR_NONE };
    const char *path = NULL;
    int status = profiles_path(cli, &path);
    if (!status && !profiles_load(cli->arena, path, ret, &error))
        status = cli_bad(cli, "%s", error.message);
    return status;
}

int profiles_store(const Cli *cli, const Profiles *profiles)
{
    Error error = { .code = ERR_NONE };
    const char *path = NULL;
    int status = profiles_path(cli, &path);
    if (!status && !profiles_save(path, profiles, &error))
        status = cli_bad(cli, "%s", error.message);
    return status;
}

Profile *profiles_current(const Cli *cli, Profiles *profiles)
{
    const Profile *used = settings_active_profile(cli->settings);
    Profile *profile = profiles_find(profiles, used->name);
    if (!profile)
        profile = profiles_add(profiles, used->name);
    profile_merge(cli->arena, profile, used);
    return profile;
}
