/* db/counts.h -- what the database says about itself, at any moment and without waiting for it. */
#ifndef ORION_DB_COUNTS_H
#define ORION_DB_COUNTS_H

#include "db/db.h"
#include "db/meter.h"

/* Since the start. */
typedef struct DbCounts {
    Counter reads, writes;   /* jobs that have ended, in success or not */
    Counter failed;          /* of these, because of the database: locked, too slow, full, out of reach */
    Counter again;           /* times that a job was run again: after a collision, or a common commit that failed */
    Histogram commit;        /* what commits of writes took: microseconds, in buckets_of_commits */
    Histogram batch;         /* how many writes each was for, in buckets_of_batches */
} DbCounts;
const DbCounts *db_counts(const Db *db); /* which it is part of */

/* Of all connections together. */
typedef struct StatementCounts {
    uint64_t count;
    double seconds;
} StatementCounts;
void db_count_statements(const Db *db, StatementCounts ret[STATEMENT_OPS]);

/* Jobs that wait for a thread now. */
typedef struct DbWaiting {
    unsigned reads, long_reads, writes, steps; /* steps: of long writes */
} DbWaiting;
DbWaiting db_waiting(Db *db);

/* Bytes of the write-ahead log; -1: the engine has none of its own. */
int64_t db_log_bytes(const Db *db);

#endif
