/* db/locks.h -- locks, held until the transaction ends; part of db.h.
 * Where an engine lets several transactions write at once, what a job bases its decisions on must not change under
 * it. SQLite has one writer, and these do nothing. To be taken before reading, in the order that README.md gives. */
#ifndef ORION_LOCKS_H
#define ORION_LOCKS_H

#include "db/value.h"

typedef struct Tx Tx;

typedef enum DbLock { /* in the order in which they are taken */
    LOCK_NONE,
    LOCK_SCHEMA,           /* tables made, emptied or dropped */
    LOCK_BLOCKS,           /* block types, schemas, documents */
    LOCK_WORK_POOLS,       /* pools and their queues; deployments, which may make queues */
    LOCK_RETENTION,        /* of one step each, of what deletes by age; */
    LOCK_STUCK             /* of what ends runs that died, and frees slots */
} DbLock;

void db_lock(Tx *tx, DbLock lock);
/* For a service's step that one server at a time is to do: false if another one holds the lock, or tx->error; the step
 * then does nothing. Where there is one writer, its transaction is the lock. Never waits. */
bool db_try_lock(Tx *tx, DbLock lock) MUST_CHECK;
/* The row of that id, if there is one; `table` is a literal. */
void db_lock_row(Tx *tx, const char *table, Str id);
/* The rows of a SELECT … FOR UPDATE (or SHARE, or KEY SHARE) ordered by id, one by one.
 * Runs where locks are needed only, in that engine's words. */
#define DB_LOCK_ROWS(tx, sql, ...) db_lock_rows((tx), "" sql, DB_VALUES(__VA_ARGS__))
void db_lock_rows(Tx *tx, const char *sql, const Value *values, size_t count);

#endif
