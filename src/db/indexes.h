/* db/indexes.h -- indexes of our own, beside those of the reference's schema: the queries that they serve read too many
 * rows without them. README.md says what they must be like so that the reference runs on, resets and upgrades the
 * same database. */
#ifndef ORION_INDEXES_H
#define ORION_INDEXES_H

#include "db/db.h"

typedef struct OwnIndex {
    const char *name;      /* orion_…; a definition that changes gets another name */
    const char *table;
    const char *on;        /* what follows the table's name in CREATE INDEX */
    const char *serves;    /* which requests, for people */
} OwnIndex;

typedef enum IndexState {
    INDEX_MISSING,
    INDEX_INVALID,         /* PostgreSQL: what builds it has failed, or is at it */
    INDEX_READY,
    INDEX_UNKNOWN          /* of our names, but not in this release's table: `index` has only the name. A newer release
                            * made it, which may be running, or an older one. */
} IndexState;

typedef struct IndexStatus {
    OwnIndex index;
    IndexState state;
    int64_t bytes;         /* 0: unknown */
} IndexStatus;

typedef struct IndexList {
    IndexStatus *items;
    size_t count, capacity;
} IndexList;

/* This release's indexes on the engine, in the order in which they are made. */
const OwnIndex *indexes_of(const Dialect *dialect, size_t *ret_count);
/* Those of this release, then unknown ones; in the arena. Sizes may take a look at each page. False: tx->error. */
bool indexes_find(Tx *tx, bool with_sizes, IndexList *ret) MUST_CHECK;
/* Makes those that are missing, in the transaction, if there is no run yet; then nobody waits for it. Else does
 * nothing. */
bool indexes_make_at_once(Tx *tx) MUST_CHECK;

/* Making and dropping, each index in a transaction of its own. */
typedef struct IndexWork {
    Db *db;
    Arena *arena;
    const atomic_bool *stopping; /* true: end before the next index; NULL: never */
    void (*begins)(void *arg, const OwnIndex *index, size_t number, size_t of);
    void (*ended)(void *arg, const OwnIndex *index, int64_t us);
    void *arg;
    size_t done;           /* so many were made, or dropped */
    bool is_left;          /* some could not be made yet: another server is at it */
} IndexWork;

/* Makes what is missing or invalid. SQLite: writes wait while one is made, reads go on; PostgreSQL: both go on. The
 * database must be at the schema's head. */
bool indexes_make(IndexWork *work, Error *error) MUST_CHECK;
/* All, or those alone that this release does not know. */
bool indexes_drop(IndexWork *work, bool only_unknown, Error *error) MUST_CHECK;

#endif
