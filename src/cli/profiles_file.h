/* cli/profiles_file.h -- the file of profiles as commands open and store it. */
#ifndef ORION_PROFILES_FILE_H
#define ORION_PROFILES_FILE_H

#include "cli/cli.h"
#include "config/profiles.h"

/* Reads the file that the settings in use name. 0, or the exit status after a message. */
int profiles_open(const Cli *cli, Profiles *ret) MUST_CHECK;
/* The same, with the file locked until profiles_store, which takes over *ret_lock, or until the command ends. */
int profiles_open_to_change(const Cli *cli, Profiles *ret, int *ret_lock) MUST_CHECK;
int profiles_store(const Cli *cli, const Profiles *profiles, int lock) MUST_CHECK;
/* The profile in use. If the file does not hold it (a profile can name another file), it is added, filled with what
 * is in use. */
Profile *profiles_current(const Cli *cli, Profiles *profiles);

#endif
