/* db/backup.h -- all that a database of either engine holds, in one SQLite file, and the way back. */
#ifndef ORION_BACKUP_H
#define ORION_BACKUP_H

#include "db/db.h"
#include "db/tables.h"
#include "db/onlooker.h"

typedef struct Backup {
    DbConfig from;
    const char *file;
    bool gzip;
    bool force;                  /* replace a file that is there */
    const Onlooker *onlooker;          /* or NULL */

    int64_t bytes;               /* afterwards: of the file */
    int64_t rows;                /* in it */
} Backup;

/* One state of the database, while others read and write. The file has its name only once it was read again and is on
 * the disk; if that fails, or is interrupted, nothing is left of it. On PostgreSQL one connection is used, for one
 * transaction. False: *error is for the user. */
bool backup_make(Backup *backup, Arena *arena, Error *error) MUST_CHECK;

/* The file of an SQLite database; NULL: it is in memory or on PostgreSQL, or *error. */
const char *backup_database_file(const DbConfig *config, Arena *arena, Error *error);
/* Copies it, at whatever revision it is; nobody may use it meanwhile. `file` must not be there. False: *error is for
 * the user. */
bool backup_copy_file(const DbConfig *from, const char *file, const Onlooker *onlooker, Arena *arena,
                      Error *error) MUST_CHECK;

typedef struct Restore {
    const char *file;            /* a backup, packed or not */
    DbConfig to;
    bool force;                  /* replace what is there, damaged or not */
    const Onlooker *onlooker;          /* or NULL */

    bool was_committing;         /* after a failure: *error says whether it is known what the database holds */
    int64_t rows;                /* that were restored */
} Restore;

/* Checks the file, then replaces the database, which nobody may use: whatever happens meanwhile, it is as it was, or as
 * in the backup. False: *error is for the user. */
bool backup_restore(Restore *restore, Arena *arena, Error *error) MUST_CHECK;

#endif
