/* server/exposed_files.h -- a warning about files of the server that other users of the machine can read. */
#ifndef ORION_EXPOSED_FILES_H
#define ORION_EXPOSED_FILES_H

#include "config/settings.h"
#include "db/db.h"

/* Logs one line, with the command that restricts access, if others can read or change the home folder, the database
 * files, the profiles or the keys. Changes nothing: the permissions may be intended. */
void exposed_files_warn(const Settings *settings, Db *db);

#endif
