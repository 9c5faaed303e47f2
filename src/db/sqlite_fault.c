/* db/sqlite_fault.c -- what SQLite's failures mean: which error a client gets, and which failure ends the process. */
#include "db/sqlite_fault.h"

#include <errno.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/log.h"
#include "db/driver.h"

/* What clients are told about a disk that refuses, by the system's reason. */
static const struct {
    int cause;
    const char *text;
} causes[] = {
    { ENOSPC, "The disk is full: nothing can be stored until there is room" },
    { EDQUOT, "The disk quota is used up: nothing can be stored until there is room" },
    { EROFS, "The database's file system is read-only: nothing can be stored" },
    { EFBIG, "The database has reached the largest size that its file system or a limit of the process allows: "
             "nothing can be stored" },
};

/* The system's reason for the last failure; 0: not known. SQLite does not keep it for every call, but nothing that
 * fails comes after it. */
static int cause_of(sqlite3 *db)
{
    switch (sqlite3_errcode(db)) {
    case SQLITE_FULL: return ENOSPC; /* what SQLite makes of it */
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: return errno;
    default: return 0;
    }
}

bool sqlite_is_disk_full(sqlite3 *db)
{
    int cause = cause_of(db);
    return cause == ENOSPC || cause == EDQUOT || cause == EFBIG;
}

bool sqlite_is_disk_fault(sqlite3 *db)
{
    switch (sqlite3_errcode(db)) {
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_CORRUPT: /* also what SQLite makes of a read that fails with EIO */
    case SQLITE_NOTADB: return true;
    case SQLITE_READONLY: return sqlite3_extended_errcode(db) != SQLITE_READONLY; /* that is a reader's write */
    case SQLITE_IOERR: return sqlite3_extended_errcode(db) != SQLITE_IOERR_NOMEM;
    default: return false;
    }
}

static bool fail_disk(sqlite3 *db, Error *error)
{
    int cause = cause_of(db), code = sqlite3_errcode(db);
    for (size_t i = 0; i < COUNT_OF(causes); i++)
        if (cause == causes[i].cause)
            return fail(error, ERR_BUSY, "%s", causes[i].text);
    if (code == SQLITE_READONLY)
        return fail(error, ERR_BUSY, "The database is read-only: nothing can be stored");
    if (code == SQLITE_NOTADB)
        return fail(error, ERR_BUSY, "The database cannot be read: its file is not a database");
    if (code == SQLITE_CORRUPT)
        return fail(error, ERR_BUSY, "The database cannot be read: its file is damaged, or the disk fails");
    return fail(error, ERR_BUSY, "The database's files cannot be read or written: %s",
                cause ? strerror(cause) : sqlite3_errmsg(db));
}

bool sqlite_fail(sqlite3 *db, Error *error, const char *sql)
{
    if (sqlite_is_disk_fault(db))
        return fail_disk(db, error);
    switch (sqlite3_errcode(db)) {
    case SQLITE_CONSTRAINT:
        return fail(error, ERR_INTEGRITY, "%s", sqlite3_errmsg(db));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return fail(error, ERR_BUSY, "The database is locked by another process");
    case SQLITE_INTERRUPT:
        return fail(error, ERR_BUSY, DB_TOO_LONG);
    default:
        return fail(error, ERR_INTERNAL, "SQLite: %s (code %d)%s%s", sqlite3_errmsg(db), sqlite3_extended_errcode(db),
                    sql ? " in: " : "", sql ? sql : "");
    }
}

/* SQLite calls this where it finds a failure, whatever it does about it afterwards. The message names the file and the
 * system's reason. */
static void on_sqlite_log(void *context, int code, const char *message)
{
    (void)context;
    if (code != SQLITE_IOERR_FSYNC && code != SQLITE_IOERR_DIR_FSYNC)
        return;
    log_line(LOG_CRITICAL, "orion.db",
             "The disk did not store what was written to the database: %s (%s). The server ends now, because it cannot "
             "know what is on the disk. What was answered before is not affected. Check the disk, then start again.",
             strerror(errno), message);
    _exit(EXIT_FAILURE);
}

void sqlite_end_on_failed_sync(void)
{
    sqlite3_config(SQLITE_CONFIG_LOG, on_sqlite_log, NULL);
}
