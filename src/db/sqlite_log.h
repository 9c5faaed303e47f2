/* db/sqlite_log.h -- whether a database has a write-ahead log, and whether it can have one where it is. */
#ifndef ORION_SQLITE_LOG_H
#define ORION_SQLITE_LOG_H

#include "base/base.h"

struct sqlite3;

/* Whether the file says that it has one, in byte 18 of its header. */
bool sqlite_is_marked_wal(struct sqlite3 *db);
/* Whether a log is out of the question because files here cannot be shared memory, as its index must be. SQLite itself
 * finds out only after it has marked the file as one with a log: a crash before the mark was removed again would leave
 * a database that cannot be opened here. */
bool sqlite_cannot_share_memory(struct sqlite3 *db);
/* Whether that was why the connection's last call failed. */
bool sqlite_lacks_shared_memory(struct sqlite3 *db);

#endif
