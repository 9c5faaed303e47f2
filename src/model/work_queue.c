/* model/work_queue.c -- queues: their table, their priorities within a pool, who polled them. */
#include "model/work_queue.h"

#include "base/ident.h"
#include "entity/checks.h"

static const Field filter_fields[] = {
    FIELD(QueueFilter, tags, F_STRS, .flags = NULLABLE),
    FIELD(QueueFilter, deployment_ids, F_UUIDS, .flags = NULLABLE),
};
static const Model filter_model = MODEL(QueueFilter, filter_fields);

static const Field columns[] = { /* order: of the keys in responses */
    FIELD(WorkQueue, id, F_UUID),
    FIELD(WorkQueue, created, F_TIME),
    FIELD(WorkQueue, updated, F_TIME),
    FIELD(WorkQueue, name, F_STR),
    FIELD(WorkQueue, description, F_STR),
    FIELD(WorkQueue, is_paused, F_BOOL),
    FIELD(WorkQueue, concurrency_limit, F_OPT_INT),
    FIELD(WorkQueue, priority, F_OPT_INT),
    FIELD(WorkQueue, work_pool_id, F_UUID),
    FIELD(WorkQueue, filter, F_OPT_MODEL, .model = &filter_model),
    FIELD(WorkQueue, last_polled, F_TIME),
};
static const Field create_fields[] = {
    FIELD(WorkQueue, name, F_STR, .flags = REQUIRED, .check = check_name),
    FIELD(WorkQueue, description, F_STR, .flags = NULLABLE),
    FIELD(WorkQueue, is_paused, F_BOOL),
    FIELD(WorkQueue, concurrency_limit, F_OPT_INT, .flags = NULLABLE, .check = check_opt_int_ge_0),
    FIELD(WorkQueue, priority, F_OPT_INT, .flags = NULLABLE),
    FIELD(WorkQueue, filter, F_OPT_MODEL, .flags = NULLABLE, .model = &filter_model),
};
static const Field update_fields[] = {
    FIELD(WorkQueue, name, F_STR, .check = check_name),
    FIELD(WorkQueue, description, F_STR, .flags = NULLABLE),
    FIELD(WorkQueue, is_paused, F_BOOL),
    FIELD(WorkQueue, concurrency_limit, F_OPT_INT, .flags = NULLABLE, .check = check_opt_int_ge_0),
    FIELD(WorkQueue, priority, F_OPT_INT, .flags = NULLABLE, .check = check_opt_int_ge_1),
    FIELD(WorkQueue, last_polled, F_TIME, .flags = NULLABLE),
    FIELD(WorkQueue, filter, F_OPT_MODEL, .flags = NULLABLE, .model = &filter_model),
};
static const Field priority_fields[] = {
    FIELD(WorkQueue, priority, F_OPT_INT),
};
static const Field polled_fields[] = {
    FIELD(WorkQueue, last_polled, F_TIME),
};
const Model work_queue_model = MODEL(WorkQueue, columns);
const Model work_queue_create_model = MODEL(WorkQueue, create_fields, .forbid_extra = true, .schema = "WorkQueueCreate");
const Model work_queue_update_model = MODEL(WorkQueue, update_fields, .forbid_extra = true, .schema = "WorkQueueUpdate");
static const Model priority_model = MODEL(WorkQueue, priority_fields);
static const Model polled_model = MODEL(WorkQueue, polled_fields);

#define SELECT_QUEUE \
    "SELECT id, created, updated, name, description, is_paused, concurrency_limit, priority, work_pool_id, filter, last_polled FROM work_queue "

WorkQueue *work_queue_read(Tx *tx, Str id)
{
    return codec_first_row(tx, DB_QUERY(tx, SELECT_QUEUE "WHERE id = $1", v_uuid(id)), &work_queue_model);
}

static WorkQueue *read_in(Tx *tx, Str pool_id, Str name)
{
    return codec_first_row(tx, DB_QUERY(tx, SELECT_QUEUE "WHERE work_pool_id = $1 AND name = $2", v_uuid(pool_id), v_text(name)), &work_queue_model);
}

WorkQueue *work_queue_read_by_name(Tx *tx, Str name)
{
    const WorkPool *pool = work_pool_find(tx, STR(DEFAULT_AGENT_POOL));
    if (pool)
        return read_in(tx, pool->id, name);
    return codec_first_row(tx, DB_QUERY(tx, SELECT_QUEUE "WHERE name = $1 ORDER BY created, id", v_text(name)), &work_queue_model);
}

/* ---- priorities ---- */

/* Where Python's list.insert(place - 1, …) puts it. */
static size_t insertion_index(int64_t place, size_t count)
{
    int64_t n = (int64_t)count;
    if (place < 1)
        return place > 1 - n ? (size_t)(place - 1 + n) : 0;
    return place - 1 < n ? (size_t)(place - 1) : count;
}

typedef struct Ranked {
    Str id;
    int64_t priority;
} Ranked;

/* The pool's queues in their order, that one left out; room for one more. */
static Ranked *read_ranked(Tx *tx, Str pool_id, Str left_out, size_t *ret_count)
{
    int64_t total = DB_INT(tx, 0, "SELECT count(*) FROM work_queue WHERE work_pool_id = $1", v_uuid(pool_id));
    Ranked *ranked = arena_alloc(tx->arena, ((size_t)total + 1) * sizeof *ranked);
    Rows *rows = DB_QUERY(tx, "SELECT id, priority FROM work_queue WHERE work_pool_id = $1 ORDER BY priority, created, id", v_uuid(pool_id));
    size_t n = 0;
    while (db_next(rows)) {
        ranked[n] = (Ranked){ row_text(rows, 0), row_int(rows, 1) };
        n += row_is_sound(rows) && !str_eq(ranked[n].id, left_out);
    }
    *ret_count = n;
    return ranked;
}

bool work_queue_renumber(Tx *tx, Str pool_id, Str queue_id, int64_t place)
{
    size_t count;
    Ranked *ranked = read_ranked(tx, pool_id, queue_id, &count);
    if (queue_id.p) {
        size_t at = insertion_index(place, count);
        memmove(ranked + at + 1, ranked + at, (count - at) * sizeof *ranked);
        ranked[at] = (Ranked){ queue_id, 0 };
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        WorkQueue row = { .priority = { (int64_t)i + 1, true } };
        if (ranked[i].priority != row.priority.v && !codec_send_update(tx, &priority_model, "work_queue", ranked[i].id, &row, 1))
            return false;
    }
    return tx->error->code == ERR_NONE;
}

/* ---- creating ---- */

static WorkQueue *insert(Tx *tx, Str pool_id, const WorkQueue *wanted)
{
    /* a text that another program left there is more than any number to SQLite */
    int64_t last = DB_INT(tx, 0, "SELECT COALESCE(max(priority), 0) FROM work_queue WHERE work_pool_id = $1 AND priority < 9223372036854775807", v_uuid(pool_id));
    WorkQueue *queue = arena_new_of(tx->arena, WorkQueue);
    *queue = (WorkQueue){
        .id = uuid_new(tx->arena), .created = tx->now, .updated = tx->now, .name = wanted->name,
        .description = wanted->description.p ? wanted->description : STR(""),
        .is_paused = wanted->is_paused, .concurrency_limit = wanted->concurrency_limit, .priority = { last + 1, true },
        .work_pool_id = pool_id, .filter = wanted->filter, .last_polled = TIME_NULL,
    };
    return codec_insert(tx, &work_queue_model, "work_queue", queue, NULL) < 0 ? NULL : queue;
}

WorkQueue *work_queue_create_in(Tx *tx, Str pool_id, const WorkQueue *wanted)
{
    WorkQueue *queue = insert(tx, pool_id, wanted);
    if (!queue || !wanted->priority.has || wanted->priority.v == 0)
        return queue;
    return work_queue_renumber(tx, pool_id, queue->id, wanted->priority.v) ? work_queue_read(tx, queue->id) : NULL;
}

WorkQueue *work_queue_create(Tx *tx, const WorkQueue *wanted)
{
    const WorkPool *pool = work_pool_find(tx, STR(DEFAULT_AGENT_POOL));
    if (!pool && tx->error->code == ERR_NONE) {
        pool = work_pool_create(tx, &(WorkPool){ .name = STR(DEFAULT_AGENT_POOL), .type = STR("prefect-agent") });
        if (pool && str_is(wanted->name, "default"))
            return work_queue_read(tx, pool->default_queue_id);
    }
    return pool ? insert(tx, pool->id, wanted) : NULL;
}

bool work_queue_ensure(Tx *tx, Str name, Str *ret_id)
{
    const WorkQueue *queue = work_queue_read_by_name(tx, name);
    const WorkPool *pool = queue ? NULL : work_pool_find(tx, STR(DEFAULT_AGENT_POOL));
    const WorkQueue wanted = { .name = name, .priority = { 1, true } };
    if (!queue && !pool)
        queue = work_queue_create(tx, &wanted);
    else if (!queue && str_is(name, "default"))
        queue = work_queue_read(tx, pool->default_queue_id);
    else if (!queue)
        queue = work_queue_create_in(tx, pool->id, &wanted);
    if (!queue)
        return fail(tx->error, ERR_INTERNAL, "The work queue can be neither found nor made");
    *ret_id = queue->id;
    return true;
}

bool work_queue_id_by_name(Tx *tx, Str pool_name, Str queue_name, bool create, Str *ret_id)
{
    Str id = DB_TEXT(tx, "SELECT work_queue.id FROM work_queue JOIN work_pool ON work_pool.id = work_queue.work_pool_id"
                         " WHERE work_pool.name = $1 AND work_queue.name = $2", v_text(pool_name), v_text(queue_name));
    if (!id.p && !create)
        return fail(tx->error, ERR_NOT_FOUND, "Work pool queue '%.*s/%.*s' not found.", STR_ARG(pool_name), STR_ARG(queue_name));
    if (!id.p) {
        const WorkPool *pool = work_pool_read(tx, pool_name);
        const WorkQueue *queue = pool ? work_queue_create_in(tx, pool->id, &(WorkQueue){ .name = queue_name }) : NULL;
        if (!queue)
            return false;
        id = queue->id;
    }
    *ret_id = id;
    return tx->error->code == ERR_NONE;
}

/* ---- deleting, polling ---- */

/* Those who make a run of a deployment look at it first: so they and who takes its queue away meet there. */
int64_t work_queue_delete(Tx *tx, Str id)
{
    DB_LOCK_ROWS(tx, "SELECT id FROM deployment WHERE work_queue_id = $1 ORDER BY id FOR UPDATE", v_uuid(id));
    DB_LOCK_ROWS(tx, "SELECT id FROM work_queue WHERE id = $1 FOR UPDATE", v_uuid(id));
    DB_SEND(tx, "DELETE FROM agent WHERE work_queue_id = $1", v_uuid(id)); /* for the reference they hold the queue for ever */
    return DB_EXEC(tx, "DELETE FROM work_queue WHERE id = $1", v_uuid(id));
}

/* models.agents.record_agent_poll. Names are unique, but of no use to anybody: any free one will do. */
static bool record_agent(Tx *tx, Str agent_id, Str queue_id)
{
    if (DB_EXEC(tx, "UPDATE agent SET work_queue_id = $1, last_activity_time = $2 WHERE id = $3", v_uuid(queue_id), v_time(tx->now), v_uuid(agent_id)) != 0)
        return tx->error->code == ERR_NONE;
    Str name = name_new(tx->arena);
    if (DB_INT(tx, 0, "SELECT count(*) FROM agent WHERE name = $1", v_text(name)) > 0)
        name = agent_id;
    return DB_SEND(tx, "INSERT INTO agent (id, created, updated, name, work_queue_id, last_activity_time) VALUES ($1, $2, $2, $3, $4, $2)"
                       " ON CONFLICT (id) DO UPDATE SET work_queue_id = excluded.work_queue_id, last_activity_time = excluded.last_activity_time",
                   v_uuid(agent_id), v_time(tx->now), v_text(name), v_uuid(queue_id));
}

bool work_queue_record_poll(Tx *tx, Str queue_id, Str agent_id)
{
    int64_t rows = codec_update(tx, &polled_model, "work_queue", queue_id, &(WorkQueue){ .last_polled = tx->now }, 1);
    if (rows <= 0 || !agent_id.p)
        return tx->error->code == ERR_NONE; /* deleted in the meantime: there is nothing to record */
    return record_agent(tx, agent_id, queue_id);
}

bool work_pool_record_poll(Tx *tx, Str pool_id)
{
    DB_LOCK_ROWS(tx, "SELECT id FROM work_queue WHERE work_pool_id = $1 ORDER BY id FOR NO KEY UPDATE", v_uuid(pool_id));
    return DB_SEND(tx, "UPDATE work_queue SET last_polled = $1, " SET_UPDATED " WHERE work_pool_id = $2", v_time(tx->now), v_uuid(pool_id));
}
