/* db/copy.h -- all rows of one database into another, of the same engine or not. */
#ifndef ORION_COPY_H
#define ORION_COPY_H

#include "db/check.h"
#include "db/onlooker.h"

typedef struct Copy {
    Db *from, *to;            /* opened without a timeout: each is one transaction */
    bool force;               /* replace what the target holds; else it must be empty */
    bool skip_bad_rows;       /* leave out rows that cannot be copied, and those that refer to them;
                               * else one of them ends the copy */
    FaultFound *left_out;     /* called for each reason why a row is left out */
    void *arg;                /* of left_out */
    const Onlooker *onlooker;       /* told after each page, on a thread of a database: rows, table by table */

    bool met_bad_row;                /* after a failure: it was due to a row that cannot be copied */
    bool was_committing;             /* after a failure: it had come as far as the target's commit */
    const TableSet *tables;          /* of the source's generation, which is the target's */
    int64_t counts[TABLES_MAX];      /* what was copied */
    size_t left_out_count;           /* rows that were left out */
    /* SHA-256 over the canonical values in order of the ids: equal for equal rows on any engine */
    char checksums[TABLES_MAX][65];
} Copy;

/* Copies one snapshot of the source in one transaction of the target, whose schema is made if it has none, then
 * reads both again and compares each value before it commits. False: *error is a message for the user, and the
 * target is as it was, unless was_committing: then *error says whether that is known. */
bool copy_database(Copy *copy, Arena *arena, Error *error) MUST_CHECK;
/* What the database holds that a new one does not, for a message ("flow 1, log 20"); "" for nothing. Its schema must be
 * there. False: tx->error. */
bool copy_find_rows(Tx *tx, const TableSet *tables, Str *ret_found) MUST_CHECK;
/* Of each table. */
bool copy_count_rows(Tx *tx, const TableSet *tables, int64_t ret_counts[TABLES_MAX]) MUST_CHECK;

#endif
