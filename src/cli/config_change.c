/* cli/config_change.c -- opens profiles.toml and orion.toml, and stores them together. */
#include "cli/config_change.h"

#include <unistd.h>

#include "config/file_write.h"

static int open_file(const Cli *cli, ConfigChange *change)
{
    Error error = { .code = ERR_NONE };
    Str path = settings_text(cli->settings, "ORION_CONFIG");
    if (!path.p)
        return cli_bad(cli, "PREFECT_HOME has a \"~\" that cannot be expanded: name the file with --config.");
    if (!file_lock_too(cli->arena, path.p, FILE_CHANGE, change->profiles_lock, &change->file_lock, &error) ||
        !config_file_load(cli->arena, path.p, &change->file, &error))
        return cli_bad(cli, "%s", error.message);
    change->old_file = change->file;
    return 0;
}

int config_change_open(const Cli *cli, bool with_file, ConfigChange *ret)
{
    *ret = (ConfigChange){ .profiles_lock = -1, .file_lock = -1 };
    int status = profiles_open_to_change(cli, &ret->profiles, &ret->profiles_lock);
    if (!status && with_file)
        status = open_file(cli, ret);
    if (!status)
        ret->profile = profiles_current(cli, &ret->profiles);
    return status;
}

static void put_back(const Cli *cli, const ConfigFile *file)
{
    Error error = { .code = ERR_NONE };
    if (!file->is_there)
        unlink(file->path);
    else if (!file_write(cli->arena, file->path, file->text, &error))
        (void)cli_bad(cli, "%s It is changed, although the profile is not.", error.message);
}

int config_change_store(const Cli *cli, ConfigChange *change)
{
    Error error = { .code = ERR_NONE };
    if (change->changes_file && !file_write(cli->arena, change->file.path, change->file.text, &error))
        return cli_bad(cli, "%s", error.message);
    int status = change->changes_profile ? profiles_store(cli, &change->profiles, change->profiles_lock) : 0;
    if (status && change->changes_file)
        put_back(cli, &change->old_file);
    if (change->file_lock >= 0)
        close(change->file_lock);
    if (change->profiles_lock >= 0 && !change->changes_profile) /* else profiles_store has closed it */
        close(change->profiles_lock);
    return status;
}
