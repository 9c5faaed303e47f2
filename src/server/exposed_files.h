/* server/exposed_files.h -- a warning about files of the server that other users of the machine can read. */
#ifndef ORION_EXPOSED_FILES_H
#define ORION_EXPOSED_FILES_H

#include "config/settings.h"
#include "db/db.h"

/* One line in the log, with the command that shuts the others out, if they can read or change the home folder, the
 * database's files, the profiles or the keys. Changes nothing: whoever opened a file to others may have meant it. */
void exposed_files_warn(const Settings *settings, Db *db);

#endif
