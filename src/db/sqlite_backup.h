/* db/sqlite_backup.h -- SQLite files as a whole: copied while they are in use, checked, put in a database's place. */
#ifndef ORION_SQLITE_BACKUP_H
#define ORION_SQLITE_BACKUP_H

#include "db/driver.h"

/* The driver's backup and replace. */
bool sqlite_backup(const DbPlace *place, const char *path, const Onlooker *onlooker, Error *error) MUST_CHECK;
bool sqlite_replace(const DbPlace *place, const char *path, bool must_be_sound, Error *error) MUST_CHECK;
/* Rewrites it without the pages that are not in use. A failure leaves it as it was. */
bool sqlite_vacuum(const DbPlace *place, const Onlooker *onlooker, Error *error) MUST_CHECK;
/* Whether no other process uses the database, as far as its locks tell. False: *error names one. */
bool sqlite_is_free(const DbPlace *place, Error *error) MUST_CHECK;

/* Looks at every page of a file that nobody changes. False: *error says what is damaged. */
bool sqlite_file_check(const char *path, const Onlooker *onlooker, Error *error) MUST_CHECK;
/* The place of such a file, to be opened without a log. */
DbPlace sqlite_file_place(Arena *arena, const char *path, bool is_read_only);
int64_t sqlite_log_bytes(const DbPlace *place); /* the driver's */

#endif
