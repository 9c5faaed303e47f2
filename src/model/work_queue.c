/* model/work_queue.c -- queues: their table, their priorities within a pool, the agents that polled them. */
#include "model/work_queue.h"

#include "base/random.h"
#include "base/uuid.h"
#include "entity/checks.h"
#include "model/run.h"

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
    FIELD(WorkQueue, description, F_STR, .flags = NULLABLE),
    FIELD(WorkQueue, is_paused, F_BOOL),
    FIELD(WorkQueue, concurrency_limit, F_OPT_INT, .flags = NULLABLE),
    FIELD(WorkQueue, priority, F_OPT_INT),
    FIELD(WorkQueue, work_pool_id, F_UUID, .flags = NULLABLE),
    FIELD(WorkQueue, filter, F_OPT_MODEL, .flags = NULLABLE, .model = &filter_model),
    FIELD(WorkQueue, last_polled, F_TIME, .flags = NULLABLE),
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
const Model work_queue_model = MODEL(WorkQueue, columns, .table = "work_queue");
const Model work_queue_create_model = MODEL(WorkQueue, create_fields,
                                            .forbid_extra = true, .schema = "WorkQueueCreate");
const Model work_queue_update_model = MODEL(WorkQueue, update_fields, .table = "work_queue",
                                            .forbid_extra = true, .schema = "WorkQueueUpdate");

WorkQueue *work_queue_read(Tx *tx, Str id)
{
    return codec_read(tx, &work_queue_model, "WHERE work_queue.id = $1", v_uuid(id));
}

WorkQueue *work_queue_find(Tx *tx, Str pool_id, Str name)
{
    return codec_read(tx, &work_queue_model, "WHERE work_queue.work_pool_id = $1 AND work_queue.name = $2",
                      v_uuid(pool_id), v_text(name));
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

/* The pool's queues by priority, except `left_out`; the array has room for one more. */
static Ranked *read_ranked(Tx *tx, Str pool_id, Str left_out, size_t *ret_count)
{
    int64_t total = DB_INT(tx, 0, "SELECT count(*) FROM work_queue WHERE work_pool_id = $1", v_uuid(pool_id));
    Ranked *ranked = arena_alloc(tx->arena, ((size_t)total + 1) * sizeof *ranked);
    Rows *rows = DB_QUERY(tx,
                          "SELECT id, priority FROM work_queue WHERE work_pool_id = $1 ORDER BY priority, created, id",
                          v_uuid(pool_id));
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
        /* Priority 0 differs from any place, so that the moved queue is written. */
        ranked[at] = (Ranked){ queue_id, 0 };
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t priority = (int64_t)i + 1;
        bool changes = ranked[i].priority != priority;
        if (changes && !row_send_set(tx, "work_queue", ranked[i].id, "priority", v_int(priority)))
            return false;
    }
    return tx->error->code == ERR_NONE;
}

/* ---- creating ---- */

WorkQueue *work_queue_create_in(Tx *tx, Str pool_id, const WorkQueue *wanted)
{
    /* another program may have left a text there, which SQLite sorts after all numbers */
    int64_t last = DB_INT(tx, 0, "SELECT COALESCE(max(priority), 0) FROM work_queue WHERE work_pool_id = $1"
                                 " AND priority < 9223372036854775807", v_uuid(pool_id));
    WorkQueue *queue = arena_new_of(tx->arena, WorkQueue);
    *queue = *wanted;
    queue->id = uuid_new(tx->arena);
    queue->created = queue->updated = tx->now;
    queue->work_pool_id = pool_id;
    queue->priority = (OptInt){ last + 1, true };
    queue->last_polled = TIME_NULL;
    if (!queue->description.p)
        queue->description = STR("");
    if (codec_insert(tx, &work_queue_model, queue) < 0)
        return NULL;
    if (!wanted->priority.has || wanted->priority.v == 0)
        return queue;
    return work_queue_renumber(tx, pool_id, queue->id, wanted->priority.v) ? work_queue_read(tx, queue->id) : NULL;
}

/* ---- polling ---- */

typedef struct Agent { /* schemas.core.Agent */
    Str id;
    Time created, updated;
    Str name, work_queue_id;
    Time last_activity_time;
} Agent;

static const Field agent_columns[] = {
    FIELD(Agent, id, F_UUID, .flags = KEY),
    FIELD(Agent, created, F_TIME, .flags = KEPT),
    FIELD(Agent, updated, F_TIME, .flags = KEPT),
    FIELD(Agent, name, F_STR, .flags = KEPT),
    FIELD(Agent, work_queue_id, F_UUID),
    FIELD(Agent, last_activity_time, F_TIME),
};
static const Model agent_model = MODEL(Agent, agent_columns, .table = "agent");

/* models.agents.record_agent_poll. Names are unique, but nobody uses them: any free one will do. */
bool agent_record_poll(Tx *tx, Str agent_id, Str queue_id, Time at)
{
    if (DB_INT(tx, 0, "SELECT count(*) FROM work_queue WHERE id = $1", v_uuid(queue_id)) == 0)
        return tx->error->code == ERR_NONE; /* it was deleted meanwhile: there is nothing to record */
    if (DB_EXEC(tx, "UPDATE agent SET work_queue_id = $1, last_activity_time = $2 WHERE id = $3", v_uuid(queue_id),
                v_time(at), v_uuid(agent_id)) != 0)
        return tx->error->code == ERR_NONE;
    Agent agent = {
        .id = agent_id, .created = tx->now, .updated = tx->now, .name = random_name(tx->arena),
        .work_queue_id = queue_id, .last_activity_time = at,
    };
    if (DB_INT(tx, 0, "SELECT count(*) FROM agent WHERE name = $1", v_text(agent.name)) > 0)
        agent.name = agent_id;
    return codec_upsert(tx, &agent_model, &agent) >= 0;
}

bool work_queue_record_poll(Tx *tx, Str queue_id, Time at)
{
    return DB_SEND(tx, "UPDATE work_queue SET last_polled = $1, " SET_UPDATED " WHERE id = $2", v_time(at),
                   v_uuid(queue_id));
}

int64_t work_queue_count_late(Tx *tx, const WorkQueue *queue)
{
    return DB_INT(tx, 0,
                  "SELECT count(*) FROM flow_run WHERE state_name = 'Late' AND " NO_INDEX_EQ("work_queue_name", "$1"),
                  v_text(queue->name));
}
