/* model/task_cache.c -- the task cache, row by row. */
#include "model/task_cache.h"

const char *const cache_use_names[] = { "current", "older", "expired", "lost" };

/* What the rules make of it: they take the newest row that has not expired, whether its state is there or not. */
static CacheUse use_of(CacheWalk *walk, const CacheRow *row, Time now)
{
    if (row->expires != TIME_NULL && row->expires <= now)
        return CACHE_EXPIRED;
    walk->is_lost = walk->is_lost || !row->task_run_id.p;
    if (walk->is_lost)
        return CACHE_LOST;
    bool is_hidden = walk->has_current;
    walk->has_current = true;
    return is_hidden ? CACHE_OLDER : CACHE_CURRENT;
}

static Rows *query_after(Tx *tx, const CacheRow *last)
{
    bool begins = !last->id.p;
    return DB_QUERY(tx,
                    "SELECT cached.id, cached.cache_key, cached.created, cached.cache_expiration, state.task_run_id,"
                    " task_run.name FROM task_run_state_cache AS cached"
                    " LEFT JOIN task_run_state AS state ON state.id = cached.task_run_state_id"
                    " LEFT JOIN task_run ON task_run.id = state.task_run_id"
                    " WHERE cached.cache_key >= $1 AND (cached.cache_key > $1 OR cached.created < $2"
                    " OR (cached.created = $2 AND cached.id > $3))"
                    " ORDER BY cached.cache_key, cached.created DESC, cached.id LIMIT $4",
                    v_text(begins ? STR("") : last->key), v_time(begins ? TIME_END - 1 : last->created),
                    v_uuid(begins ? STR("00000000-0000-0000-0000-000000000000") : last->id), v_int(CACHE_PAGE));
}

bool cache_rows_next(Tx *tx, CacheWalk *walk, CacheRow *ret_rows, size_t *ret_count)
{
    CacheWalk next = *walk;
    size_t count = 0, seen = 0;
    Rows *rows = query_after(tx, &walk->last);
    for (; seen < CACHE_PAGE && db_next(rows); seen++) {
        CacheRow row = { row_text(rows, 0), row_text(rows, 1), row_time(rows, 2), row_time(rows, 3),
                         row_text(rows, 4), row_text(rows, 5), CACHE_CURRENT };
        if (!row_is_sound(rows))
            continue;
        if (!next.last.id.p || !str_eq(row.key, next.last.key))
            next.has_current = next.is_lost = false;
        row.use = use_of(&next, &row, tx->now);
        ret_rows[count++] = next.last = row;
    }
    db_done(rows);
    if (tx->error->code != ERR_NONE)
        return false;
    *ret_count = count;
    walk->is_over = next.is_over = seen < CACHE_PAGE || count == 0;
    if (walk->is_over)
        return true;
    arena_reset(walk->arena);
    next.last.id = arena_str(walk->arena, next.last.id);
    next.last.key = arena_str(walk->arena, next.last.key);
    *walk = next;
    return true;
}
