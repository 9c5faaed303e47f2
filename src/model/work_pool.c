/* model/work_pool.c -- work pools and their workers, and lookups by the names of pools and queues. */
#include "model/work_pool.h"

#include "base/uuid.h"
#include "entity/checks.h"
#include "model/job_template.h"

static const Field pool_columns[] = { /* order: of the keys in responses */
    FIELD(WorkPool, id, F_UUID),
    FIELD(WorkPool, created, F_TIME),
    FIELD(WorkPool, updated, F_TIME),
    FIELD(WorkPool, name, F_STR),
    FIELD(WorkPool, description, F_STR, .flags = NULLABLE),
    FIELD(WorkPool, type, F_STR),
    FIELD(WorkPool, base_job_template, F_DICT),
    FIELD(WorkPool, is_paused, F_OPT_BOOL),
    FIELD(WorkPool, concurrency_limit, F_OPT_INT, .flags = NULLABLE),
    FIELD(WorkPool, default_queue_id, F_UUID, .flags = NULLABLE),
};
static const Field create_fields[] = {
    FIELD(WorkPool, name, F_STR, .flags = REQUIRED, .check = check_name),
    FIELD(WorkPool, description, F_STR, .flags = NULLABLE),
    FIELD(WorkPool, type, F_STR, .fallback = "\"prefect-agent\""),
    FIELD(WorkPool, base_job_template, F_DICT, .fallback = "{}", .check = job_template_check),
    FIELD(WorkPool, is_paused, F_OPT_BOOL, .fallback = "false"),
    FIELD(WorkPool, concurrency_limit, F_OPT_INT, .flags = NULLABLE, .check = check_opt_int_ge_0),
};
static const Field update_fields[] = {
    FIELD(WorkPool, description, F_STR, .flags = NULLABLE),
    FIELD(WorkPool, is_paused, F_OPT_BOOL, .flags = NULLABLE),
    FIELD(WorkPool, base_job_template, F_DICT, .check = job_template_check),
    FIELD(WorkPool, concurrency_limit, F_OPT_INT, .flags = NULLABLE, .check = check_opt_int_ge_0),
};
static const Field worker_columns[] = {
    FIELD(Worker, id, F_UUID, .flags = KEPT),
    FIELD(Worker, created, F_TIME, .flags = KEPT),
    FIELD(Worker, updated, F_TIME, .flags = KEPT),
    FIELD(Worker, name, F_STR, .flags = KEY),
    FIELD(Worker, work_pool_id, F_UUID, .flags = KEY),
    FIELD(Worker, last_heartbeat_time, F_TIME),
};
const Model work_pool_model = MODEL(WorkPool, pool_columns, .table = "work_pool");
const Model work_pool_create_model = MODEL(WorkPool, create_fields, .forbid_extra = true, .schema = "WorkPoolCreate");
const Model work_pool_update_model = MODEL(WorkPool, update_fields, .table = "work_pool",
                                           .forbid_extra = true, .schema = "WorkPoolUpdate");
const Model worker_model = MODEL(Worker, worker_columns, .table = "worker");

/* ---- pools ---- */

WorkPool *work_pool_find(Tx *tx, Str name)
{
    return codec_read(tx, &work_pool_model, "WHERE work_pool.name = $1", v_text(name));
}

WorkPool *work_pool_read(Tx *tx, Str name)
{
    WorkPool *pool = work_pool_find(tx, name);
    if (!pool)
        fail(tx->error, ERR_NOT_FOUND, "Work pool \"%.*s\" not found.", STR_ARG(name));
    return pool;
}

WorkPool *work_pool_create(Tx *tx, const WorkPool *wanted)
{
    WorkPool *pool = arena_new_of(tx->arena, WorkPool);
    *pool = *wanted;
    pool->id = uuid_new(tx->arena);
    pool->created = pool->updated = tx->now;
    pool->is_paused.has = true;
    if (!pool->base_job_template.p)
        pool->base_job_template = STR("{}");
    /* Pool and default queue refer to each other: the pool comes first, default_queue_id is filled in last. */
    if (codec_insert(tx, &work_pool_model, pool) < 0)
        return NULL;
    const WorkQueue wanted_queue = { .name = STR("default"), .description = STR("The work pool's default queue.") };
    const WorkQueue *queue = work_queue_create_in(tx, pool->id, &wanted_queue);
    if (!queue || !row_send_set(tx, "work_pool", pool->id, "default_queue_id", v_uuid(queue->id)))
        return NULL;
    return work_pool_find(tx, pool->name);
}

bool work_pool_record_poll(Tx *tx, Str pool_id, Time at)
{
    return DB_SEND(tx,
                   "UPDATE work_queue SET last_polled = $1, " SET_UPDATED " WHERE work_pool_id = $2 AND created <= $1",
                   v_time(at), v_uuid(pool_id));
}

bool worker_record_heartbeat(Tx *tx, Str pool_id, Str name)
{
    const Worker worker = {
        .id = uuid_new(tx->arena), .created = tx->now, .updated = tx->now, .name = name, .work_pool_id = pool_id,
        .last_heartbeat_time = tx->now,
    };
    return codec_upsert(tx, &worker_model, &worker) > 0;
}

/* ---- queues by name ---- */

WorkQueue *work_queue_read_by_name(Tx *tx, Str name)
{
    const WorkPool *pool = work_pool_find(tx, STR(DEFAULT_AGENT_POOL));
    if (pool)
        return work_queue_find(tx, pool->id, name);
    return codec_read(tx, &work_queue_model, "WHERE work_queue.name = $1 ORDER BY work_queue.created, work_queue.id",
                      v_text(name));
}

WorkQueue *work_queue_create(Tx *tx, const WorkQueue *wanted)
{
    const WorkPool *pool = work_pool_find(tx, STR(DEFAULT_AGENT_POOL));
    if (!pool && tx->error->code == ERR_NONE) {
        pool = work_pool_create(tx, &(WorkPool){ .name = STR(DEFAULT_AGENT_POOL), .type = STR("prefect-agent") });
        if (pool && str_is(wanted->name, "default"))
            return work_queue_read(tx, pool->default_queue_id);
    }
    WorkQueue last = *wanted;
    last.priority.has = false;
    return pool ? work_queue_create_in(tx, pool->id, &last) : NULL;
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
        return fail(tx->error, ERR_INTERNAL, "The work queue can be neither found nor created");
    *ret_id = queue->id;
    return true;
}

bool work_queue_id_by_name(Tx *tx, Str pool_name, Str queue_name, bool create, Str *ret_id)
{
    Str id = DB_TEXT(tx, "SELECT work_queue.id FROM work_queue JOIN work_pool ON work_pool.id = work_queue.work_pool_id"
                         " WHERE work_pool.name = $1 AND work_queue.name = $2", v_text(pool_name), v_text(queue_name));
    if (!id.p && !create)
        return fail(tx->error, ERR_NOT_FOUND, "Work pool queue '%.*s/%.*s' not found.", STR_ARG(pool_name),
                    STR_ARG(queue_name));
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

bool work_pool_default_queue_id(Tx *tx, Str pool_name, Str *ret_id)
{
    const WorkPool *pool = work_pool_read(tx, pool_name);
    if (!pool)
        return false;
    *ret_id = pool->default_queue_id;
    return true;
}

bool work_pool_check_configuration(Tx *tx, Str pool_name, Str infra_overrides)
{
    if (str_is(pool_name, DEFAULT_AGENT_POOL))
        return true;
    const WorkPool *pool = work_pool_read(tx, pool_name);
    return pool && job_template_check_variables(tx, pool->base_job_template, infra_overrides);
}

WorkPool *work_pool_read_shared(Tx *tx, Str name)
{
    DB_LOCK_ROWS(tx, "SELECT id FROM work_pool WHERE name = $1 FOR KEY SHARE", v_text(name));
    return work_pool_read(tx, name);
}

static StrList queue_names(Tx *tx, Str pool_id)
{
    StrList names = { 0 };
    Rows *rows = DB_QUERY(tx, "SELECT name FROM work_queue WHERE work_pool_id = $1", v_uuid(pool_id));
    while (db_next(rows))
        str_list_add(&names, tx->arena, row_text(rows, 0));
    str_list_sort(&names);
    return names;
}

bool work_pool_queue_ids(Tx *tx, const WorkPool *pool, Str names_json, StrList *ret_ids)
{
    const Json *list = NULL;
    StrList ids = { 0 }, names = { 0 };
    const StrList known = queue_names(tx, pool->id);
    Str id;
    if (names_json.p && !(list = json_read(tx->arena, names_json)))
        return fail(tx->error, ERR_INTERNAL, "The names of work queues cannot be read");
    str_list_add_json(&names, tx->arena, list);
    /* Still in the body's order, so that the first unknown name is the one reported. */
    for (size_t i = 0; i < names.count; i++)
        if (!str_list_has(&known, names.items[i]))
            return work_queue_id_by_name(tx, pool->name, names.items[i], false, &id);
    str_list_sort(&names);
    for (size_t i = 0; i < names.count; i++) {
        if (!work_queue_id_by_name(tx, pool->name, names.items[i], false, &id))
            return false;
        str_list_add(&ids, tx->arena, id);
    }
    str_list_sort(&ids);
    *ret_ids = ids;
    return true;
}
