/* api/routes/work_pools.c -- /experimental/work_pools: the routes stand at the end. */
#include "api/routes/families.h"

#include <strings.h>

#include "api/routes/work_polls.h"
#include "model/filters.h"
#include "model/scheduled_runs.h"

/* An experiment: off unless the setting says otherwise. */
static bool pools_are_enabled(Req *req)
{
    return settings_bool(req->app->settings, "PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS") || req_fail(req, ERR_NOT_FOUND, "Work pools are not enabled");
}

static bool is_reserved(Str name)
{
    return name.n >= 7 && strncasecmp(name.p, "prefect", 7) == 0;
}

/* What broke a constraint was the name. */
static bool conflict(Req *req, const char *message)
{
    if (req->tx->error->code != ERR_INTEGRITY)
        return false;
    *req->tx->error = (Error){ .code = ERR_NONE };
    return req_fail(req, ERR_CONFLICT, message);
}

/* ---- pools ---- */

static bool create_pool(Req *req)
{
    const WorkPool *wanted = req->object;
    if (is_reserved(wanted->name))
        return req_fail(req, ERR_FORBIDDEN, "Work pools starting with 'Prefect' are reserved for internal use.");
    const WorkPool *pool = work_pool_create(req->tx, wanted);
    if (!pool)
        return conflict(req, "A work pool with this name already exists.");
    reply_model(req, &work_pool_model, pool);
    return true;
}

static bool read_pool(Req *req)
{
    const WorkPool *pool = work_pool_read(req->tx, req->params[0]);
    if (!pool)
        return false;
    reply_model(req, &work_pool_model, pool);
    return true;
}

static bool read_pools(Req *req)
{
    req->order_by = "work_pool.name";
    return reply_list(req, &work_pool_model, "work_pool");
}

/* A pool of the reference's own may be paused and limited, no more. */
static bool may_update(const Req *req)
{
    const Model *model = req->route->body;
    if (!is_reserved(req->params[0]))
        return true;
    for (size_t i = 0; i < model->count; i++) {
        const char *name = model->fields[i].name;
        if ((req->sent >> i & 1) && strcmp(name, "is_paused") != 0 && strcmp(name, "concurrency_limit") != 0)
            return false;
    }
    return true;
}

static bool update_pool(Req *req)
{
    if (!may_update(req))
        return req_fail(req, ERR_FORBIDDEN, "Work pools starting with 'Prefect' are reserved for internal use and can only be updated to set "
                                            "concurrency limits or pause.");
    const WorkPool *pool = work_pool_read(req->tx, req->params[0]);
    return pool && codec_update(req->tx, req->route->body, pool->id, req->object, req->sent) > 0;
}

static bool delete_pool(Req *req)
{
    if (is_reserved(req->params[0]))
        return req_fail(req, ERR_FORBIDDEN, "Work pools starting with 'Prefect' are reserved for internal use and can not be deleted.");
    const WorkPool *pool = work_pool_read(req->tx, req->params[0]);
    return pool && work_pool_delete(req->tx, pool->id) > 0;
}

/* ---- scheduled runs ---- */

typedef struct GetScheduled {
    OptInt limit;
    Str work_queue_names;
    Time scheduled_before, scheduled_after;
} GetScheduled;

static const Field scheduled_fields[] = {
    FIELD(GetScheduled, limit, F_OPT_INT, .decode = limit_decode),
    FIELD(GetScheduled, work_queue_names, F_STRS),
    FIELD(GetScheduled, scheduled_before, F_TIME, .flags = NULLABLE, .fallback = "null"),
    FIELD(GetScheduled, scheduled_after, F_TIME, .flags = NULLABLE, .fallback = "null"),
};
static const Model scheduled_model = MODEL(GetScheduled, scheduled_fields);

static StrList queue_names(Tx *tx, Str pool_id)
{
    StrList names = { 0 };
    for (Rows *rows = DB_QUERY(tx, "SELECT name FROM work_queue WHERE work_pool_id = $1", v_uuid(pool_id)); db_next(rows);)
        str_list_add(&names, tx->arena, row_text(rows, 0));
    str_list_sort(&names);
    return names;
}

/* The ids of the queues that are named, each once; none: none is, which means all. Of names that are unknown the first one is told. */
static bool find_queues(Req *req, const WorkPool *pool, Str list_text, StrList *ret_ids)
{
    const Json *list = NULL;
    JsonError unused;
    StrList ids = { 0 }, names = { 0 };
    const StrList known = queue_names(req->tx, pool->id);
    Str id;
    if (list_text.p && !json_parse(req->arena, list_text, &list, &unused))
        return fail(req->tx->error, ERR_INTERNAL, "The names of work queues cannot be read");
    str_list_add_json(&names, req->arena, list);
    for (size_t i = 0; i < names.count; i++)
        if (!str_list_has(&known, names.items[i]))
            return work_queue_id_by_name(req->tx, pool->name, names.items[i], false, &id);
    str_list_sort(&names);
    for (size_t i = 0; i < names.count; i++) {
        if (!work_queue_id_by_name(req->tx, pool->name, names.items[i], false, &id))
            return false;
        str_list_add(&ids, req->arena, id);
    }
    str_list_sort(&ids);
    *ret_ids = ids;
    return true;
}

static bool get_scheduled_runs(Req *req)
{
    const GetScheduled *body = req->object;
    const WorkPool *pool = work_pool_read(req->tx, req->params[0]);
    RunWindow window = { .after = body->scheduled_after, .before = body->scheduled_before, .limit = req->limit };
    StrList queue_ids;
    RunList list;
    if (!pool || !find_queues(req, pool, body->work_queue_names, &queue_ids))
        return false;
    if (!work_pool_scheduled_runs(req->tx, pool, &queue_ids, window, &list))
        return false;
    JsonWriter *w = reply_json(req);
    json_array(w);
    for (size_t i = 0; i < list.count; i++)
        codec_write(w, &worker_flow_run_model, list.runs[i]);
    json_array_end(w);
    record_polls(req->app, pool->id, queue_ids.items, queue_ids.count, STR_NULL);
    return true;
}

/* ---- queues ---- */

static bool create_queue(Req *req)
{
    const WorkPool *pool = work_pool_read(req->tx, req->params[0]);
    const WorkQueue *queue = pool ? work_queue_create_in(req->tx, pool->id, req->object) : NULL;
    if (!queue) /* the reference forgot to fill the name in */
        return conflict(req, "A work queue with this name already exists in work pool {work_pool_name!r}.");
    reply_model(req, &work_queue_model, queue);
    return true;
}

/* The queue that the path names: pool and queue. */
static const WorkQueue *queue_of_path(Req *req)
{
    Str id;
    return work_queue_id_by_name(req->tx, req->params[0], req->params[1], false, &id) ? work_queue_read(req->tx, id) : NULL;
}

static bool read_queue(Req *req)
{
    const WorkQueue *queue = queue_of_path(req);
    if (!queue)
        return false;
    reply_model(req, &work_queue_model, queue);
    return true;
}

/* Lists what belongs to the pool of the path. */
static bool reply_list_of_pool(Req *req, const Model *model, const char *table)
{
    const WorkPool *pool = work_pool_read(req->tx, req->params[0]);
    if (!pool)
        return false;
    const Query prepared = req->query; /* for another try, whose pool may be another one */
    buf_printf(&req->query.sql, " AND %s.work_pool_id = ", table);
    query_bind(&req->query, v_uuid(pool->id));
    bool ok = reply_list(req, model, table);
    req->query = prepared;
    return ok;
}

static bool read_queues(Req *req)
{
    req->order_by = "work_queue.priority, work_queue.created, work_queue.id";
    return reply_list_of_pool(req, &work_queue_model, "work_queue");
}

static bool is_sent(const Req *req, const char *field)
{
    const Model *model = req->route->body;
    for (size_t i = 0; i < model->count; i++)
        if ((req->sent >> i & 1) && strcmp(model->fields[i].name, field) == 0)
            return true;
    return false;
}

static bool update_queue(Req *req)
{
    const WorkQueue *wanted = req->object, *queue = queue_of_path(req);
    if (!queue || codec_update(req->tx, req->route->body, queue->id, wanted, req->sent) < 0)
        return false;
    return !is_sent(req, "priority") || work_queue_renumber(req->tx, queue->work_pool_id, queue->id, wanted->priority.v);
}

static bool delete_queue(Req *req)
{
    const WorkQueue *queue = queue_of_path(req);
    if (!queue)
        return false;
    if (work_queue_delete(req->tx, queue->id) < 0)
        return conflict(req, "Can't delete a pool's default queue.");
    return work_queue_renumber(req->tx, queue->work_pool_id, STR_NULL, 0);
}

/* ---- workers ---- */

static const Field heartbeat_fields[] = {
    FIELD(Worker, name, F_STR, .flags = REQUIRED),
};
static const Model heartbeat_model = MODEL(Worker, heartbeat_fields);

static bool record_heartbeat(Req *req)
{
    DB_LOCK_ROWS(req->tx, "SELECT id FROM work_pool WHERE name = $1 FOR KEY SHARE", v_text(req->params[0])); /* against its deletion */
    const WorkPool *pool = work_pool_read(req->tx, req->params[0]);
    return pool && worker_record_heartbeat(req->tx, pool->id, ((const Worker *)req->object)->name);
}

static bool read_workers(Req *req)
{
    req->order_by = "worker.last_heartbeat_time DESC";
    return reply_list_of_pool(req, &worker_model, "worker");
}

static const ListSpec pools = { .links = work_pool_links, .link_count = WORK_POOL_LINKS, .table = "work_pool", .offset_last = true };
static const ListSpec queues = { .links = work_queue_links, .link_count = WORK_QUEUE_LINKS, .table = "work_queue", .offset_last = true };
static const ListSpec workers = { .links = worker_links, .link_count = WORKER_LINKS, .table = "worker", .offset_last = true };

#define POOLS "/experimental/work_pools"
#define LIST(of) .prepare = prepare_list, .spec = &(of), .reads_body = true, .reply_list = true
#define GATED .gate = pools_are_enabled
#define LOCKED .lock = LOCK_WORK_POOLS

static const Route work_pool_routes[] = {
    { HTTP_POST,   POOLS "/",                                           create_pool,        TX_WRITE, 201, GATED, LOCKED, .body = &work_pool_create_model,
      .name = "create_work_pool", .reply = &work_pool_model },
    { HTTP_GET,    POOLS "/{name:str}",                                 read_pool,          TX_READ,  200, GATED,
      .name = "read_work_pool", .reply = &work_pool_model },
    { HTTP_POST,   POOLS "/filter",                                     read_pools,         TX_READ,  200, GATED, LIST(pools),
      .name = "read_work_pools", .reply = &work_pool_model },
    { HTTP_PATCH,  POOLS "/{name:str}",                                 update_pool,        TX_WRITE, 204, GATED, LOCKED, .body = &work_pool_update_model,
      .name = "update_work_pool" },
    { HTTP_DELETE, POOLS "/{name:str}",                                 delete_pool,        TX_WRITE, 204, GATED, LOCKED,
      .name = "delete_work_pool" },
    { HTTP_POST,   POOLS "/{name:str}/get_scheduled_flow_runs",         get_scheduled_runs, TX_READ,  200, GATED, .parameters = &scheduled_model,
      .name = "get_scheduled_flow_runs", .reply = &worker_flow_run_model, .reply_list = true },
    { HTTP_POST,   POOLS "/{work_pool_name:str}/queues",                create_queue,       TX_WRITE, 201, GATED, LOCKED, .body = &work_queue_create_model,
      .name = "create_work_queue", .reply = &work_queue_model },
    { HTTP_GET,    POOLS "/{work_pool_name:str}/queues/{name:str}",     read_queue,         TX_READ,  200, GATED,
      .name = "read_work_queue", .reply = &work_queue_model },
    { HTTP_POST,   POOLS "/{work_pool_name:str}/queues/filter",         read_queues,        TX_READ,  200, GATED, LIST(queues),
      .name = "read_work_queues", .reply = &work_queue_model },
    { HTTP_PATCH,  POOLS "/{work_pool_name:str}/queues/{name:str}",     update_queue,       TX_WRITE, 204, GATED, LOCKED, .body = &work_queue_update_model,
      .name = "update_work_queue" },
    { HTTP_DELETE, POOLS "/{work_pool_name:str}/queues/{name:str}",     delete_queue,       TX_WRITE, 204, GATED, LOCKED,
      .name = "delete_work_queue" },
    { HTTP_POST,   POOLS "/{work_pool_name:str}/workers/heartbeat",     record_heartbeat,   TX_WRITE, 204, GATED, .parameters = &heartbeat_model,
      .name = "worker_heartbeat" },
    { HTTP_POST,   POOLS "/{work_pool_name:str}/workers/filter",        read_workers,       TX_READ,  200, GATED, LIST(workers),
      .name = "read_workers", .reply = &worker_model },
};
const RouteFamily work_pool_family = FAMILY(work_pool_routes, .tag = "Work Pools");
