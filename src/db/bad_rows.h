/* db/bad_rows.h -- the rows of a database that a copy has to leave out:
 * those with values that cannot be copied, and those that refer to such rows. */
#ifndef ORION_BAD_ROWS_H
#define ORION_BAD_ROWS_H

#include "base/str_list.h"
#include "db/check.h"

typedef struct BadRows {
    StrList ids[TABLES_MAX]; /* sorted */
    size_t count;             /* of all tables */
} BadRows;

/* Finds them all in a database that has these tables; `found` is called for each fault, as in Check. Lists live in the
 * arena. False: tx->error. */
bool bad_rows_find(Tx *tx, const TableSet *tables, unsigned flags, Arena *arena, FaultFound *found, void *arg,
                   BadRows *ret) MUST_CHECK;

#endif
