/* db/check.h -- finds values that no client can read, and dangling references: other programs may have stored them. */
#ifndef ORION_CHECK_H
#define ORION_CHECK_H

#include "db/db.h"
#include "db/tables.h"

/* Called for each fault; `id` and `reason` (to be read after the column's name) are borrowed. */
typedef void FaultFound(void *arg, const Table *table, Str id, const char *column, const char *reason);

typedef struct Check {
    FaultFound *found;
    void *arg;
    unsigned flags;       /* CopyFlags: COPY_STRICT for what a database of either engine may hold */
    bool shapes;          /* also JSON that is not an object, or not an array, where only that can be read */
    int64_t rows, faults; /* rows checked, faults found */
} Check;

/* All tables, in one read job of a database without a timeout: their values; values and references. False:
 * tx->error. */
bool check_values(Tx *tx, Check *check) MUST_CHECK;
bool check_database(Tx *tx, Check *check) MUST_CHECK;
/* Dangling references, as rows of two columns: the row's id, and the id in its `column` that no row of the table it
 * refers to has. SQLite enforces foreign keys only on connections that ask for it. */
Rows *check_orphans(Tx *tx, const Table *table, const TableColumn *column);

#endif
