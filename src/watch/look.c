/* watch/look.c -- the queries of a look. */
#include "watch/look.h"

#include "db/space.h"
#include "model/concurrency_limit.h"
#include "model/work_pool.h"

static int state_number(Str name)
{
    for (int t = 0; t < STATE_COUNT; t++)
        if (str_is(name, state_type_names[t]))
            return t;
    return STATE_NONE;
}

static void count_runs(Tx *tx, Look *look)
{
    Rows *rows = DB_QUERY(tx, "SELECT state_type, COUNT(*) FROM flow_run GROUP BY state_type");
    while (db_next(rows)) {
        int type = state_number(row_view(rows, 0));
        if (type != STATE_NONE) /* runs without a state are not counted */
            look->runs[type] = row_int(rows, 1);
    }
}

/* Late ones are due: one pass over the index orion_flow_run_waiting_by_name, which holds all that is asked for. */
static void count_due(Tx *tx, Look *look)
{
    Rows *rows = DB_QUERY(tx,
                          "SELECT COUNT(*), COUNT(CASE WHEN state_name = 'Late' THEN 1 END) FROM flow_run"
                          " WHERE state_type = 'SCHEDULED' AND next_scheduled_start_time <= $1", v_time(tx->now));
    if (db_next(rows)) {
        look->due = row_int(rows, 0);
        look->late = row_int(rows, 1);
    }
    db_done(rows);
}

#define DUE(column, value) " FROM flow_run WHERE flow_run.state_type = 'SCHEDULED' AND flow_run." column " = " value \
    " AND flow_run.next_scheduled_start_time <= $1"
#define QUEUES(column, value) "SELECT work_queue.name, work_pool.name, work_queue.is_paused," \
    " (SELECT COUNT(*)" DUE(column, value) "), (SELECT MIN(flow_run.next_scheduled_start_time)" DUE(column, value) ")" \
    " FROM work_queue LEFT JOIN work_pool ON work_pool.id = work_queue.work_pool_id"

static void add_queues(Look *look, Rows *rows)
{
    while (db_next(rows)) {
        LookQueue queue = { row_text(rows, 0), row_text(rows, 1), row_bool(rows, 2), row_int(rows, 3),
                            row_time(rows, 4) };
        if (row_is_sound(rows) && look->queue_count < LOOK_QUEUES_MAX)
            look->queues[look->queue_count++] = queue;
    }
}

/* As agents find runs, by the queue's name, and as workers do, by its id. */
static void count_queues(Tx *tx, Look *look)
{
    look->queues = arena_alloc(tx->arena, LOOK_QUEUES_MAX * sizeof *look->queues);
    add_queues(look, DB_QUERY(tx, QUEUES("work_queue_name", "work_queue.name")
                                  " WHERE work_pool.name IS NULL OR work_pool.name = $2 ORDER BY 1 LIMIT $3",
                                  v_time(tx->now), v_text(STR(DEFAULT_AGENT_POOL)), v_int(LOOK_QUEUES_MAX)));
    add_queues(look, DB_QUERY(tx, QUEUES("work_queue_id", "work_queue.id")
                                  " WHERE work_pool.name <> $2 ORDER BY 2, 1 LIMIT $3",
                                  v_time(tx->now), v_text(STR(DEFAULT_AGENT_POOL)), v_int(LOOK_QUEUES_MAX)));
}

static void count_slots(Tx *tx, Look *look)
{
    look->limits = arena_alloc(tx->arena, LOOK_LIMITS_MAX * sizeof *look->limits);
    Rows *rows = DB_QUERY(tx,
                          "SELECT tag, concurrency_limit, active_slots FROM concurrency_limit ORDER BY tag LIMIT $1",
                          v_int(LOOK_LIMITS_MAX));
    while (db_next(rows)) {
        ConcurrencyLimit limit = { .tag = row_text(rows, 0), .concurrency_limit = row_int(rows, 1),
                                   .active_slots = row_text(rows, 2) };
        LookLimit found = { limit.tag, limit.concurrency_limit, (int64_t)concurrency_limit_used(tx, &limit) };
        if (!row_is_sound(rows))
            continue;
        look->limits[look->limit_count++] = found;
        look->slots += found.limit;
        look->slots_in_use += found.in_use;
    }
}

bool look_take(Tx *tx, Look *ret)
{
    Look look = { .bytes = -1, .free_bytes = -1 };
    count_runs(tx, &look);
    count_due(tx, &look);
    count_queues(tx, &look);
    count_slots(tx, &look);
    space_read_total(tx, &look.bytes, &look.free_bytes);
    *ret = look;
    return tx->error->code == ERR_NONE;
}
