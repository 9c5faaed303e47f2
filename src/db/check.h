/* db/check.h -- finds values that no client can read, or that refer to rows which are gone:
 * other programs may have stored them. */
#ifndef ORION_CHECK_H
#define ORION_CHECK_H

#include "db/db.h"
#include "db/tables.h"

/* Called for each fault; `id` and `reason` (to be read behind the column's name) are borrowed. */
typedef void FaultFound(void *arg, const Table *table, Str id, const char *column, const char *reason);

typedef struct Check {
    FaultFound *found;
    void *arg;
    unsigned flags;       /* CopyFlags: COPY_STRICT for what a database of either engine may hold */
    bool shapes;          /* also JSON that is no object, or no array, where only that can be read */
    int64_t rows, faults; /* how many were looked at and found */
} Check;

/* All tables, in one read job of a database without a timeout. False: tx->error. */
bool check_database(Tx *tx, Check *check) MUST_CHECK;
/* Rows of two columns: the id, and what the column holds though no row of the table it refers to has that id.
 * In SQLite foreign keys bind only those who ask for it. */
Rows *check_orphans(Tx *tx, const Table *table, const TableColumn *column);

#endif
