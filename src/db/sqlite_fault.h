/* db/sqlite_fault.h -- what SQLite's failures mean: which error a client gets, and which failure ends the process. */
#ifndef ORION_SQLITE_FAULT_H
#define ORION_SQLITE_FAULT_H

#include "base/base.h"

struct sqlite3;

/* Records the connection's last failure and returns false. `sql` may be NULL. Messages are for the log, except those of
 * ERR_BUSY, which clients see: another program's lock, a time limit, a disk that is full, read-only or broken. */
bool sqlite_fail(struct sqlite3 *db, Error *error, const char *sql);
/* Whether the last failure was one of the disk's, as opposed to one of SQL, locks or memory. */
bool sqlite_is_disk_fault(struct sqlite3 *db);
/* Whether it was for want of room. */
bool sqlite_is_disk_full(struct sqlite3 *db);
/* From now on a failed fsync of any connection ends the process, at once and with a line in the log: the kernel reports
 * it once and may have dropped the pages, so that a second one would succeed and mean nothing. To be called before
 * SQLite is used for the first time; later it does nothing. */
void sqlite_end_on_failed_sync(void);

#endif
