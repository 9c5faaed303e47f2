/* db/sqlite_file.h -- whether a database's files are still those that were opened, and whole. SQLite itself writes on
 * into a file that was deleted, where nobody will find it. */
#ifndef ORION_SQLITE_FILE_H
#define ORION_SQLITE_FILE_H

#include "base/arena.h"

struct sqlite3;
struct sqlite3_file;

/* The open database file of a connection, for calls of its pMethods. NULL: it is in memory. */
struct sqlite3_file *sqlite_main_file(struct sqlite3 *db);

/* The files of one database, for all its connections and threads. NULL, for a database in memory, is fine below,
 * but for sqlite_files_settle. */
typedef struct SqliteFiles SqliteFiles;

SqliteFiles *sqlite_files_new(Arena *arena); /* lives as long as the arena; knows no file yet */
/* Remembers what `db` has opened, and has it map the log's index, which must not be used once `db` is closed. */
void sqlite_files_remember(SqliteFiles *files, struct sqlite3 *db, bool has_wal);
/* Looks at the files. False: what is written would be lost, and *error (ERR_BUSY) tells clients why. What changes is
 * logged. `db` is the caller's own connection. Files that are back are in order again, unless they were damaged or
 * changed. */
bool sqlite_files_check(SqliteFiles *files, struct sqlite3 *db, Error *error) MUST_CHECK;
/* The database file has just been written to by ourselves, from the log, where files are gone: whoever changes it from
 * now on is another program. */
void sqlite_files_settle(SqliteFiles *files);
int64_t sqlite_files_log_bytes(const SqliteFiles *files); /* of the log; -1: there is none */
/* How many frames of the log are in the database file, too: no more than before the oldest reader began. */
int64_t sqlite_files_copied(const SqliteFiles *files);
/* Without looking. False: they are damaged, and *error says how. Files that are merely elsewhere can be read. */
bool sqlite_files_can_be_read(SqliteFiles *files, Error *error) MUST_CHECK;

#endif
