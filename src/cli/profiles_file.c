/* cli/profiles_file.c -- the file of profiles as commands open and store it. */
#include "cli/profiles_file.h"

#include <unistd.h>

#include "config/file_write.h"

static int profiles_path(const Cli *cli, const char **ret)
{
    Str path = settings_text(cli->settings, "PREFECT_PROFILES_PATH");
    if (!path.p)
        return cli_bad(cli,
                       "PREFECT_PROFILES_PATH contains a template, or PREFECT_HOME a \"~\", that cannot be expanded.");
    *ret = arena_cstr(cli->arena, path);
    return 0;
}

int profiles_open(const Cli *cli, Profiles *ret)
{
    Error error = { .code = ERR_NONE };
    const char *path = NULL;
    int status = profiles_path(cli, &path);
    if (status)
        return status;
    bool ok = settings_are_3(cli->settings) ? profiles_load_3(cli->arena, path, ret, &error)
                                            : profiles_load(cli->arena, path, ret, &error);
    if (!ok)
        status = cli_bad(cli, "%s", error.message);
    return status;
}

int profiles_open_to_change(const Cli *cli, Profiles *ret, int *ret_lock)
{
    Error error = { .code = ERR_NONE };
    const char *path = NULL;
    int status = profiles_path(cli, &path);
    if (!status && !file_lock(cli->arena, path, FILE_CHANGE, ret_lock, &error))
        status = cli_bad(cli, "%s", error.message);
    return status ? status : profiles_open(cli, ret);
}

int profiles_store(const Cli *cli, const Profiles *profiles, int lock)
{
    Error error = { .code = ERR_NONE };
    const char *path = NULL;
    int status = profiles_path(cli, &path);
    if (!status && !profiles_save(path, profiles, &error))
        status = cli_bad(cli, "%s", error.message);
    if (lock >= 0)
        close(lock);
    return status;
}

Profile *profiles_current(const Cli *cli, Profiles *profiles)
{
    const Profile *used = settings_active_profile(cli->settings);
    Profile *profile = profiles_find(profiles, used->name);
    if (profile && !profile->built_in)
        return profile; /* as the file has it now: the settings in use were read before it was locked */
    if (!profile)
        profile = profiles_add(profiles, used->name);
    profile_merge(cli->arena, profile, used);
    return profile;
}
