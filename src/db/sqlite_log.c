/* db/sqlite_log.c -- whether a database has a write-ahead log, and whether it can have one where it is. */
#include "db/sqlite_log.h"

#include <errno.h>
#include <sqlite3.h>

#include "db/sqlite_fault.h"
#include "db/sqlite_file.h"

/* Read through SQLite's own descriptor: closing another one would end the locks that this process has on the file. */
bool sqlite_is_marked_wal(sqlite3 *db)
{
    enum { WRITE_VERSION = 18, VERSION_WAL = 2 };
    sqlite3_file *file = sqlite_main_file(db);
    unsigned char version = 0;
    return file && file->pMethods->xRead(file, &version, 1, WRITE_VERSION) == SQLITE_OK && version == VERSION_WAL;
}

bool sqlite_lacks_shared_memory(sqlite3 *db)
{
    if (sqlite_is_disk_full(db))
        return false;
    switch (sqlite3_extended_errcode(db)) {
    case SQLITE_IOERR_SHMOPEN:
    case SQLITE_IOERR_SHMSIZE:
    case SQLITE_IOERR_SHMLOCK:
    case SQLITE_IOERR_SHMMAP: return true;
    default: return false;
    }
}

bool sqlite_cannot_share_memory(sqlite3 *db)
{
    enum { REGION = 32768 }; /* bytes: SQLite's unit, if the file is left to it */
    sqlite3_file *file = sqlite_main_file(db);
    void volatile *region = NULL;
    if (!file)
        return false; /* in memory */
    const sqlite3_io_methods *methods = file->pMethods;
    if (methods->iVersion < 2 || !methods->xShmMap ||
        sqlite3_uri_boolean(sqlite3_db_filename(db, "main"), "nolock", false))
        return false; /* SQLite makes no mark */
    errno = 0;
    bool ok = methods->xShmMap(file, 0, REGION, true, &region) == SQLITE_OK;
    bool is_full = !ok && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG); /* which SQLite will report */
    methods->xShmUnmap(file, !ok); /* not removed if it works: another process may have begun to use it */
    return !ok && !is_full;
}
