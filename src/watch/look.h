/* watch/look.h -- what is counted in the database: a few queries that are answered from indexes. */
#ifndef ORION_LOOK_H
#define ORION_LOOK_H

#include "db/db.h"
#include "model/run.h"

enum { LOOK_QUEUES_MAX = 1000, LOOK_LIMITS_MAX = 1000 };

typedef struct LookQueue {
    Str name, pool;       /* pool: null if it has none */
    bool is_paused;
    int64_t due;
    Time oldest_due;      /* TIME_NULL: none is due */
} LookQueue;

typedef struct LookLimit {
    Str tag;
    int64_t limit, in_use;
} LookLimit;

/* In the arena of the look. */
typedef struct Look {
    int64_t runs[STATE_COUNT]; /* flow runs by state */
    int64_t late, due;         /* of the scheduled ones: late; and those whose time has come, late or not */
    int64_t bytes, free_bytes; /* of the database; -1: the engine does not tell */
    LookQueue *queues;         /* by name; at most LOOK_QUEUES_MAX */
    size_t queue_count;
    LookLimit *limits;         /* by tag; at most LOOK_LIMITS_MAX */
    size_t limit_count;
    int64_t slots, slots_in_use; /* of these */
} Look;

bool look_take(Tx *tx, Look *ret) MUST_CHECK; /* false: tx->error */

#endif
