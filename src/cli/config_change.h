/* cli/config_change.h -- the two files that `orion config set` and `unset` change: both or neither. */
#ifndef ORION_CONFIG_CHANGE_H
#define ORION_CONFIG_CHANGE_H

#include "cli/profiles_file.h"
#include "config/config_file.h"

typedef struct ConfigChange {
    Profiles profiles;
    Profile *profile;     /* the current one */
    ConfigFile file;      /* orion.toml */
    ConfigFile old_file;
    int profiles_lock, file_lock; /* -1: none; closed by config_change_store */
    bool changes_profile, changes_file; /* set by the caller */
} ConfigChange;

/* Reads the profiles, and orion.toml if `with_file`; locks them until config_change_store. Returns 0, or the exit
 * status after a message. */
int config_change_open(const Cli *cli, bool with_file, ConfigChange *ret) MUST_CHECK;
/* Writes the changed files. If one cannot be written, neither is changed. Returns 0, or the exit status after a
 * message. */
int config_change_store(const Cli *cli, ConfigChange *change) MUST_CHECK;

/* cli/cmd_config_3.c: whether pydantic 2 would take a profile of Prefect 3. 0, or the exit status after a message. */
int config_3_check(const Cli *cli, const Profile *profile) MUST_CHECK;

#endif
