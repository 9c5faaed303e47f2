/* model/run_pickup.c -- the scheduled runs of queues and pools, as many as their concurrency limits allow. The
 * reference ranks all scheduled runs, then picks; here every query starts from an index. */
#include "model/run_pickup.h"

#include "base/uuid.h"
#include "model/filters.h"
#include "model/run_tables.h"

enum {
    QUEUE_MAX = 1000,     /* runs of one queue, or one pool, at once: the reference's queue_limit and worker_limit */
    FEW_QUEUES = 8,        /* so many of a pool are asked one by one */
    FEW_DUE = 1000         /* fewer runs in the window than this are scanned, whichever queue they belong to */
};

static const Field core_run_columns[] = { /* schemas.core.FlowRun; order: of the keys in responses */
    FLOW_RUN_FIELDS(),
    FIELD(FlowRun, work_queue_id, F_UUID, .flags = NULLABLE),
    /* never loaded here: null */
    RUN_FIELD(FlowRun, state, F_OPT_MODEL, .flags = NULLABLE | VIRTUAL, .model = &state_model),
    RUN_FIELD(FlowRun, state_timestamp, F_TIME, .flags = HIDDEN),
};
static const Model core_run_model = MODEL(FlowRun, core_run_columns, .table = "flow_run", .complete = run_complete);

static const Field worker_run_fields[] = {
    FIELD(WorkerFlowRun, work_pool_id, F_UUID),
    FIELD(WorkerFlowRun, work_queue_id, F_UUID),
    FIELD(WorkerFlowRun, flow_run, F_MODEL, .model = &core_run_model),
};
const Model worker_flow_run_model = MODEL(WorkerFlowRun, worker_run_fields, .schema = "WorkerFlowRunResponse");

/* ---- which runs: a queue's by the index of those that wait there, others by that of the time ---- */

#define IN_WINDOW "flow_run.next_scheduled_start_time >= $1 AND flow_run.next_scheduled_start_time <= $2"
#define OF_QUEUE(column) " FROM flow_run WHERE " IN_WINDOW " AND " column " = $3" \
    " AND flow_run.state_type = 'SCHEDULED' ORDER BY flow_run.next_scheduled_start_time LIMIT $4"
#define IS_SCHEDULED " AND " NO_INDEX_EQ("flow_run.state_type", "'SCHEDULED'") /* whose queue does not matter */
#define EARLIEST " ORDER BY flow_run.next_scheduled_start_time, flow_run.id"

/* Open ends become the first and last possible time, so that all windows share one statement. */
static RunWindow window_closed(RunWindow window)
{
    static const Time year_1 = -62135596800 * SECOND, year_9999 = 253402300799 * SECOND;
    if (window.after == TIME_NULL)
        window.after = year_1;
    if (window.before == TIME_NULL)
        window.before = year_9999;
    return window;
}

static bool few_are_due(Tx *tx, RunWindow window)
{
    return DB_INT(tx, 0, "SELECT count(*) FROM (SELECT 1 FROM flow_run WHERE " IN_WINDOW " LIMIT $3) AS due",
                  v_time(window.after), v_time(window.before), v_int(FEW_DUE)) < FEW_DUE;
}

static void list_add(Tx *tx, RunList *list, size_t *capacity, void *run)
{
    list->runs = arena_grow(tx->arena, list->runs, list->count, capacity, sizeof *list->runs);
    list->runs[list->count++] = run;
}

static int64_t at_most(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The slots that a limit leaves, given how many are taken; at most `otherwise`. */
static int64_t slots(OptInt limit, int64_t taken, int64_t otherwise)
{
    if (!limit.has)
        return otherwise;
    return at_most(otherwise, limit.v > taken ? limit.v - taken : 0);
}

/* ---- the runs with a queue's name ---- */

static bool take_runs(Tx *tx, Rows *rows, RunList *ret)
{
    size_t capacity = 0;
    FlowRun *run = arena_new_of(tx->arena, FlowRun);
    *ret = (RunList){ 0 };
    while (codec_next(tx, rows, &flow_run_model, run)) {
        list_add(tx, ret, &capacity, run);
        run = arena_new_of(tx->arena, FlowRun);
    }
    return tx->error->code == ERR_NONE;
}

/* Cut by the index alone: among runs of the same time, as many as are wanted. Only those are read and put in order. */
static Rows *query_of_name(Tx *tx, Str name, RunWindow window, int64_t limit)
{
    const char *row_key = tx->sql->row_key;
    Buf sql;
    buf_init(&sql, tx->arena, 2048);
    codec_columns(&sql, &flow_run_model);
    buf_printf(&sql,
               " FROM (SELECT flow_run.%s AS row_key" OF_QUEUE("flow_run.work_queue_name") ") AS page"
               " CROSS JOIN %s WHERE flow_run.%s = page.row_key" EARLIEST,
               row_key, codec_from(&flow_run_model), row_key);
    return db_query(tx, buf_cstr(&sql),
                    DB_VALUES(v_time(window.after), v_time(window.before), v_text(name), v_int(limit)));
}

static bool runs_of_name(Tx *tx, const WorkQueue *queue, RunWindow window, RunList *ret)
{
    int64_t taken = 0;
    if (queue->concurrency_limit.has)
        taken = DB_INT(tx, 0,
                       "SELECT count(*) FROM flow_run WHERE state_type IN ('RUNNING', 'PENDING', 'CANCELLING')"
                       " AND " NO_INDEX_EQ("work_queue_name", "$1"),
                       v_text(queue->name));
    int64_t limit = slots(queue->concurrency_limit, taken, window.limit);
    return take_runs(tx, query_of_name(tx, queue->name, window, limit), ret);
}

/* ---- the runs that match a queue's filter: the deprecated way ---- */

/* Appends the filter's conditions, by way of a body as a client would send it. */
static bool add_filter(Tx *tx, Query *q, const QueueFilter *filter)
{
    Str tags = filter->tags.p ? filter->tags : STR("null");
    Str deployments = filter->deployment_ids.p ? filter->deployment_ids : STR("null");
    Str text =
        arena_printf(tx->arena,
                     "{\"flow_runs\":{\"tags\":{\"all_\":%.*s},\"deployment_id\":{\"any_\":%.*s,\"is_null_\":false}}}",
                     STR_ARG(tags), STR_ARG(deployments));
    const Json *body = json_read(tx->arena, text);
    Invalid invalid;
    invalid_init(&invalid, tx->arena, tx->now);
    return (body && filter_where(&invalid, flow_run_links, body, q))
           || fail(tx->error, ERR_INTERNAL, "The filter of a work queue cannot be read");
}

static bool count_active(Tx *tx, const WorkQueue *queue, int64_t *ret)
{
    Query q;
    query_init(&q, tx->arena, tx->sql);
    buf_text(&q.sql, "SELECT count(*) FROM flow_run WHERE flow_run.state_type IN ('PENDING', 'RUNNING')");
    if (!add_filter(tx, &q, queue->filter))
        return false;
    Rows *rows = query_run(tx, &q);
    if (!db_next(rows))
        return false;
    *ret = row_int(rows, 0);
    db_done(rows);
    return true;
}

static bool runs_of_filter(Tx *tx, const WorkQueue *queue, RunWindow window, RunList *ret)
{
    int64_t taken = 0;
    Query q;
    if (queue->concurrency_limit.has && !count_active(tx, queue, &taken))
        return false;
    query_init(&q, tx->arena, tx->sql);
    buf_text(&q.sql, "WHERE flow_run.next_scheduled_start_time >= ");
    query_bind(&q, v_time(window.after));
    buf_text(&q.sql, " AND flow_run.next_scheduled_start_time <= ");
    query_bind(&q, v_time(window.before));
    buf_text(&q.sql, IS_SCHEDULED);
    if (!add_filter(tx, &q, queue->filter))
        return false;
    buf_text(&q.sql, EARLIEST " LIMIT ");
    query_bind(&q, v_int(slots(queue->concurrency_limit, taken, window.limit)));
    return take_runs(tx, codec_query_values(tx, &flow_run_model, buf_cstr(&q.sql), q.values, q.count), ret);
}

bool work_queue_scheduled_runs(Tx *tx, const WorkQueue *queue, RunWindow window, RunList *ret)
{
    window = window_closed(window);
    *ret = (RunList){ 0 };
    if (queue->is_paused)
        return true;
    return queue->filter ? runs_of_filter(tx, queue, window, ret) : runs_of_name(tx, queue, window, ret);
}

/* ---- the runs of a pool's queues, by priority ---- */

typedef struct Source { /* one queue */
    Str id;
    int64_t priority;
    OptInt limit;
    int64_t left;      /* runs that it may still contribute; -1: not counted yet */
} Source;

typedef struct Candidate {
    Str id;
    Time time;
    int64_t priority;
} Candidate;

/* One call of work_pool_scheduled_runs: the queues asked, and the runs that they have contributed so far. */
typedef struct Collection {
    Tx *tx;
    RunWindow window;
    Source *sources;
    size_t source_count;
    Candidate *found;
    size_t count, capacity;
} Collection;

static bool read_sources(Collection *c, Str pool_id, const StrList *queue_ids)
{
    int64_t most = DB_INT(c->tx, 0, "SELECT count(*) FROM work_queue WHERE work_pool_id = $1", v_uuid(pool_id));
    Rows *rows = DB_QUERY(c->tx,
                          "SELECT id, priority, concurrency_limit FROM work_queue WHERE work_pool_id = $1"
                          " AND is_paused = $2 ORDER BY priority, id",
                          v_uuid(pool_id), v_bool(false));
    c->sources = arena_alloc(c->tx->arena, ((size_t)most + 1) * sizeof *c->sources);
    while (db_next(rows)) {
        Str id = row_text(rows, 0);
        OptInt limit = { row_is_null(rows, 2) ? 0 : row_int(rows, 2), !row_is_null(rows, 2) };
        int64_t priority = row_int(rows, 1);
        if (row_is_sound(rows) && (queue_ids->count == 0 || str_list_has(queue_ids, id)))
            c->sources[c->source_count++] = (Source){ id, priority, limit, -1 };
    }
    return c->tx->error->code == ERR_NONE;
}

/* Takes one of the queue's slots, which are counted on the first call. False: none is left. */
static bool take_next(Collection *c, Source *source)
{
    if (source->left < 0) {
        int64_t taken = 0;
        if (source->limit.has)
            taken = DB_INT(c->tx, 0,
                           "SELECT count(*) FROM flow_run WHERE state_type IN ('RUNNING', 'PENDING')"
                           " AND " NO_INDEX_EQ("work_queue_id", "$1"),
                           v_uuid(source->id));
        source->left = slots(source->limit, taken, QUEUE_MAX);
    }
    return source->left > 0 && source->left--;
}

static void add_candidate(Collection *c, const Source *source, Rows *rows)
{
    Candidate candidate = { row_text(rows, 0), row_time(rows, 1), source->priority };
    if (!row_is_sound(rows))
        return;
    c->found = arena_grow(c->tx->arena, c->found, c->count, &c->capacity, sizeof *c->found);
    c->found[c->count++] = candidate;
}

static int compare_sources(const void *a, const void *b)
{
    return memcmp(((const Source *)a)->id.p, ((const Source *)b)->id.p, UUID_TEXT);
}

/* One pass over all runs of the window, whichever queue they belong to. */
static bool collect_by_time(Collection *c)
{
    qsort(c->sources, c->source_count, sizeof *c->sources, compare_sources);
    Rows *rows =
        DB_QUERY(c->tx,
                 "SELECT id, next_scheduled_start_time, work_queue_id FROM flow_run WHERE " IN_WINDOW IS_SCHEDULED
                 " AND work_queue_id IS NOT NULL ORDER BY next_scheduled_start_time, id",
                 v_time(c->window.after), v_time(c->window.before));
    while (db_next(rows)) {
        Source key = { .id = row_view(rows, 2) };
        Source *source = key.id.n == UUID_TEXT ? bsearch(&key, c->sources, c->source_count, sizeof key, compare_sources)
                                               : NULL;
        if (source && take_next(c, source))
            add_candidate(c, source, rows);
    }
    return c->tx->error->code == ERR_NONE;
}

/* Queue by queue in order of priority, until lower priorities cannot matter. */
static bool collect_by_queue(Collection *c, size_t wanted)
{
    for (size_t i = 0; i < c->source_count; i++) {
        Source *source = &c->sources[i];
        /* Not true for the first queue: `wanted` is not 0. */
        if (c->count >= wanted && source->priority != source[-1].priority)
            break;
        Rows *rows = DB_QUERY(c->tx, "SELECT id, next_scheduled_start_time" OF_QUEUE("flow_run.work_queue_id"),
                              v_time(c->window.after), v_time(c->window.before), v_uuid(source->id),
                              v_int((int64_t)wanted));
        while (db_next(rows))
            if (take_next(c, source))
                add_candidate(c, source, rows);
    }
    return c->tx->error->code == ERR_NONE;
}

static int compare_candidates(const void *a, const void *b)
{
    const Candidate *x = a, *y = b;
    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return memcmp(x->id.p, y->id.p, x->id.n < y->id.n ? x->id.n : y->id.n);
}

/* How many runs the pool's limit and the caller's leave room for. */
static size_t wanted_runs(Tx *tx, const WorkPool *pool, int64_t limit)
{
    int64_t taken = 0;
    if (pool->concurrency_limit.has)
        taken = DB_INT(tx, 0,
                       "SELECT count(*) FROM flow_run WHERE state_type IN ('RUNNING', 'PENDING')"
                       " AND EXISTS (SELECT 1 FROM work_queue WHERE work_queue.id = flow_run.work_queue_id"
                       " AND work_queue.work_pool_id = $1)",
                       v_uuid(pool->id));
    return (size_t)slots(pool->concurrency_limit, taken, at_most(limit, QUEUE_MAX));
}

static Str ids_json(Arena *arena, const Candidate *found, size_t count)
{
    StrList ids = { 0 };
    for (size_t i = 0; i < count; i++)
        str_list_add(&ids, arena, found[i].id);
    return str_list_json(arena, ids.items, ids.count);
}

/* The index of a run among the candidates; sorted by id. */
typedef struct RunPlace {
    Str id;
    size_t index;
} RunPlace;

static int compare_places(const void *a, const void *b)
{
    return memcmp(((const RunPlace *)a)->id.p, ((const RunPlace *)b)->id.p, UUID_TEXT);
}

/* Reads them with one statement, then puts them into the candidates' order. */
static bool read_worker_runs(Tx *tx, const WorkPool *pool, const Candidate *found, size_t count, RunList *ret)
{
    Query q;
    size_t capacity = 0;
    void **runs = arena_zalloc(tx->arena, count * sizeof *runs);
    RunPlace *places = arena_alloc(tx->arena, count * sizeof *places);
    for (size_t i = 0; i < count; i++)
        places[i] = (RunPlace){ .id = found[i].id, .index = i };
    qsort(places, count, sizeof *places, compare_places);
    query_init(&q, tx->arena, tx->sql);
    codec_select(&q.sql, &core_run_model);
    buf_text(&q.sql, " WHERE ");
    query_operator(&q, SQL_ANY, "flow_run.id", v_list(ids_json(tx->arena, found, count)));
    Rows *rows = query_run(tx, &q);
    WorkerFlowRun *run = arena_new_of(tx->arena, WorkerFlowRun);
    while (codec_next(tx, rows, &core_run_model, &run->flow_run)) {
        const RunPlace key = { .id = run->flow_run.run.id },
                       *place = bsearch(&key, places, count, sizeof key, compare_places);
        run->work_pool_id = pool->id;
        run->work_queue_id = run->flow_run.work_queue_id;
        if (place)
            runs[place->index] = run;
        run = arena_new_of(tx->arena, WorkerFlowRun);
    }
    for (size_t i = 0; i < count; i++)
        if (runs[i])
            list_add(tx, ret, &capacity, runs[i]);
    return tx->error->code == ERR_NONE;
}

bool work_pool_scheduled_runs(Tx *tx, const WorkPool *pool, const StrList *queue_ids, RunWindow window, RunList *ret)
{
    Collection c = { .tx = tx, .window = window_closed(window) };
    size_t wanted = wanted_runs(tx, pool, window.limit);
    *ret = (RunList){ 0 };
    if (pool->is_paused.v || wanted == 0)
        return tx->error->code == ERR_NONE;
    if (!read_sources(&c, pool->id, queue_ids))
        return false;
    bool by_time = c.source_count > FEW_QUEUES && few_are_due(tx, c.window);
    if (!(by_time ? collect_by_time(&c) : collect_by_queue(&c, wanted)))
        return false;
    if (c.count)
        qsort(c.found, c.count, sizeof *c.found, compare_candidates);
    size_t count = c.count < wanted ? c.count : wanted;
    return count == 0 ? tx->error->code == ERR_NONE : read_worker_runs(tx, pool, c.found, count, ret);
}
