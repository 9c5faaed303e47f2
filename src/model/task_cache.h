/* model/task_cache.h -- the task cache as a whole: which state a task run with a key may take over, row by row.
 * run_state.h has what the rules ask of it. */
#ifndef ORION_TASK_CACHE_H
#define ORION_TASK_CACHE_H

#include "base/str_list.h"
#include "db/db.h"

typedef enum CacheUse {
    CACHE_CURRENT,         /* the next task run with this key takes over its state */
    CACHE_OLDER,           /* a newer row of the key hides it, until that one expires */
    CACHE_EXPIRED,
    CACHE_LOST             /* its task run was deleted, or that of a newer row that hides it: it leads to nothing */
} CacheUse;
extern const char *const cache_use_names[]; /* "current" … */

typedef struct CacheRow {
    Str id, key;
    Time created, expires; /* TIME_NULL: never */
    Str task_run_id, task_run_name; /* null if they do not exist */
    CacheUse use;
} CacheRow;

enum { CACHE_PAGE = 250 };

typedef struct CacheWalk { /* zeroed but for the arena: at the beginning */
    Arena *arena;          /* for the key: not that of the reads */
    CacheRow last;         /* the row that was looked at last */
    bool has_current;      /* of its key */
    bool is_lost;          /* a newer row of its key leads to nothing, and hides all others */
    bool is_over;
} CacheWalk;

/* The next rows, by key, the newest first: up to CACHE_PAGE. False: tx->error, and the walk stays where it was. */
bool cache_rows_next(Tx *tx, CacheWalk *walk, CacheRow *rows, size_t *ret_count) MUST_CHECK;

#endif
