/* cli/config_change.h -- the two files that `orion config set` and `unset` change, as one: both, or none. */
#ifndef ORION_CONFIG_CHANGE_H
#define ORION_CONFIG_CHANGE_H

#include "cli/profiles_file.h"
#include "config/config_file.h"

typedef struct ConfigChange {
    Profiles profiles;
    Profile *profile;     /* the current one */
    ConfigFile file;      /* orion.toml */
    ConfigFile old_file;
    int profiles_lock, file_lock; /* -1: none; for the end of the process to close */
    bool changes_profile, changes_file; /* for the caller to say */
} ConfigChange;

/* Reads the profiles, and orion.toml too where it is wanted; both are locked until the command's end. 0, or the exit
 * status after a message. */
int config_change_open(const Cli *cli, bool with_file, ConfigChange *ret) MUST_CHECK;
/* Writes what changed. Where one file cannot be written, neither is changed. 0, or the exit status after a message. */
int config_change_store(const Cli *cli, ConfigChange *change) MUST_CHECK;

#endif
