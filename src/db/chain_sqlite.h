/* db/chain_sqlite.h -- changes of tables that SQLite's ALTER TABLE cannot do. Where there are rows,
 * references must not be enforced (DbConfig.no_references): a table is dropped and made anew while others refer to it.
 * False: tx->error. */
#ifndef ORION_CHAIN_SQLITE_H
#define ORION_CHAIN_SQLITE_H

#include "db/db.h"

/* Gives a table another text, whose columns have the same names and types in the same order, and whose PRIMARY KEY and
 * UNIQUE are the same: so no row is touched. `create`: CREATE TABLE name (…). */
bool table_edit(Tx *tx, const char *create) MUST_CHECK;
/* Makes a table anew. Columns of the same name keep their values, others get their default; its indexes are made again
 * as they were. */
bool table_rebuild(Tx *tx, const char *create) MUST_CHECK;
/* Deletes rows, and does to those that refer to them what their references say (CASCADE, SET NULL).
 * `statement`: DELETE FROM name WHERE …; */
bool table_delete(Tx *tx, const char *statement) MUST_CHECK;

#endif
