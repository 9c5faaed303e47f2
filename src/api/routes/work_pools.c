/* api/routes/work_pools.c -- /experimental/work_pools, their queues and workers; its table of routes is at the end. */
#include "api/routes/families.h"

#include <strings.h>

#include "api/routes/queue_polls.h"
#include "model/filters.h"
#include "model/removal.h"
#include "model/run_pickup.h"

/* An experiment: off unless the setting says otherwise. */
static bool pools_are_enabled(Req *req)
{
    return settings_bool(req->app->settings, "PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS")
           || req_fail(req, ERR_NOT_FOUND, "Work pools are not enabled");
}

#define RESERVED "Work pools starting with 'Prefect' are reserved for internal use and "

static bool is_reserved(Str name)
{
    return name.n >= 7 && strncasecmp(name.p, "prefect", 7) == 0;
}

/* ---- pools ---- */

static bool create_pool(Req *req)
{
    const WorkPool *wanted = req->object;
    if (is_reserved(wanted->name))
        return req_fail(req, ERR_FORBIDDEN, "Work pools starting with 'Prefect' are reserved for internal use.");
    const WorkPool *pool = work_pool_create(req->tx, wanted);
    return pool ? crud_reply(req, pool) : crud_conflict(req, "A work pool with this name already exists.");
}

static bool read_pool(Req *req)
{
    const WorkPool *pool = work_pool_read(req->tx, req->params[0]);
    return pool && crud_reply(req, pool);
}

/* Pools with a reserved name may be paused and limited, no more. */
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
        return req_fail(req, ERR_FORBIDDEN, RESERVED "can only be updated to set concurrency limits or pause.");
    const WorkPool *pool = work_pool_read(req->tx, req->params[0]);
    return pool && codec_update(req->tx, req->route->body, pool->id, req->object, req->sent) > 0;
}

static bool delete_pool(Req *req)
{
    if (is_reserved(req->params[0]))
        return req_fail(req, ERR_FORBIDDEN, RESERVED "can not be deleted.");
    const WorkPool *pool = work_pool_read(req->tx, req->params[0]);
    return pool && (work_pool_delete(req->tx, pool->id) > 0 || req->tx->again);
}

/* ---- scheduled runs ---- */

typedef struct GetScheduled {
    Str work_queue_names;
    Time scheduled_before, scheduled_after;
} GetScheduled;

static const Field scheduled_fields[] = {
    FIELD(GetScheduled, work_queue_names, F_STRS, .flags = NULLABLE),
    FIELD(GetScheduled, scheduled_before, F_TIME, .flags = NULLABLE, .fallback = "null"),
    FIELD(GetScheduled, scheduled_after, F_TIME, .flags = NULLABLE, .fallback = "null"),
};
static const Model scheduled_model = MODEL(GetScheduled, scheduled_fields);

static bool get_scheduled_runs(Req *req)
{
    const GetScheduled *body = req->object;
    const WorkPool *pool = work_pool_read(req->tx, req->params[0]);
    RunWindow window = { .after = body->scheduled_after, .before = body->scheduled_before, .limit = req->limit };
    StrList queue_ids;
    RunList list;
    if (!pool || !work_pool_queue_ids(req->tx, pool, body->work_queue_names, &queue_ids))
        return false;
    if (!work_pool_scheduled_runs(req->tx, pool, &queue_ids, window, &list))
        return false;
    JsonWriter *w = reply_json(req);
    json_array(w);
    for (size_t i = 0; i < list.count; i++)
        codec_write(w, &worker_flow_run_model, list.runs[i]);
    json_array_end(w);
    queue_polls_record(req, pool->id, queue_ids.items, queue_ids.count, STR_NULL);
    return true;
}

/* ---- queues ---- */

static bool create_queue(Req *req)
{
    const WorkPool *pool = work_pool_read(req->tx, req->params[0]);
    const WorkQueue *queue = pool ? work_queue_create_in(req->tx, pool->id, req->object) : NULL;
    if (!queue) /* the reference forgot to fill in the name */
        return crud_conflict(req, "A work queue with this name already exists in work pool {work_pool_name!r}.");
    return crud_reply(req, queue);
}

/* The queue that the path names: pool and queue. */
static WorkQueue *queue_of_path(Req *req)
{
    Str id;
    bool found = work_queue_id_by_name(req->tx, req->params[0], req->params[1], false, &id);
    return found ? work_queue_read(req->tx, id) : NULL;
}

static bool read_queue(Req *req)
{
    WorkQueue *queue = queue_of_path(req);
    return queue && queue_polls_reply(req, queue);
}

/* Lists what belongs to the pool of the path. */
static bool list_of_pool(Req *req)
{
    const WorkPool *pool = work_pool_read(req->tx, req->params[0]);
    if (!pool)
        return false;
    const Query prepared = req->query; /* for another run of the job, in which the name may be that of another pool */
    buf_printf(&req->query.sql, " AND %s.work_pool_id = ", req->route->model->table);
    query_bind(&req->query, v_uuid(pool->id));
    bool ok = crud_list(req);
    req->query = prepared;
    return ok;
}

static bool update_queue(Req *req)
{
    const WorkQueue *wanted = req->object, *queue = queue_of_path(req);
    if (queue && req_sends(req, "last_polled"))
        queue_polls_forget(req, queue);
    if (!queue || codec_update(req->tx, req->route->body, queue->id, wanted, req->sent) < 0)
        return false;
    return !req_sends(req, "priority")
           || work_queue_renumber(req->tx, queue->work_pool_id, queue->id, wanted->priority.v);
}

static bool delete_queue(Req *req)
{
    const WorkQueue *queue = queue_of_path(req);
    if (!queue)
        return false;
    if (work_queue_delete(req->tx, queue->id) < 0)
        return crud_conflict(req, "Can't delete a pool's default queue.");
    if (req->tx->again)
        return true;
    return work_queue_renumber(req->tx, queue->work_pool_id, STR_NULL, 0);
}

/* ---- workers ---- */

static const Field heartbeat_fields[] = {
    FIELD(Worker, name, F_STR, .flags = REQUIRED),
};
static const Model heartbeat_model = MODEL(Worker, heartbeat_fields);

static bool record_heartbeat(Req *req)
{
    const WorkPool *pool = work_pool_read_shared(req->tx, req->params[0]);
    return pool && worker_record_heartbeat(req->tx, pool->id, ((const Worker *)req->object)->name);
}

static const ListSpec pools = { .links = work_pool_links, .order_by = "work_pool.name" };
static const ListSpec queues = {
    .links = work_queue_links, .order_by = "work_queue.priority, work_queue.created, work_queue.id",
    .add = queue_polls_add,
};
static const ListSpec workers = { .links = worker_links, .order_by = "worker.last_heartbeat_time DESC" };

#define POOLS "/experimental/work_pools"
#define QUEUES POOLS "/{work_pool_name:str}/queues"
#define WORKERS POOLS "/{work_pool_name:str}/workers"
#define POOL .gate = pools_are_enabled, .model = &work_pool_model
#define QUEUE .gate = pools_are_enabled, .model = &work_queue_model
#define WORKER .gate = pools_are_enabled, .model = &worker_model
#define LOCKED .lock = LOCK_WORK_POOLS
#define LIST(of) .list = &(of), .order = ORDER(BODY_LIMIT, BODY_FILTERS, BODY_OFFSET)

/* There is no .missing: reading the pool or queue that the path names fails with the 404. */
static const Route work_pool_routes[] = {
    { HTTP_POST,   POOLS "/",              create_pool,  TX_WRITE, 201, POOL, LOCKED, .body = &work_pool_create_model,
      .doc = { "create_work_pool" } },
    { HTTP_GET,    POOLS "/{name:str}",    read_pool,    TX_READ,  200, POOL, .doc = { "read_work_pool" } },
    { HTTP_POST,   POOLS "/filter",        crud_list,    TX_READ,  200, POOL, LIST(pools),
      .doc = { "read_work_pools" } },
    { HTTP_PATCH,  POOLS "/{name:str}",    update_pool,  TX_WRITE, 204, POOL, LOCKED, .body = &work_pool_update_model,
      .doc = { "update_work_pool" } },
    { HTTP_DELETE, POOLS "/{name:str}",    delete_pool,  TX_WRITE, 204, POOL, LOCKED, .doc = { "delete_work_pool" } },
    { HTTP_POST,   POOLS "/{name:str}/get_scheduled_flow_runs", get_scheduled_runs, TX_READ, 200, POOL,
      .order = ORDER(BODY_LIMIT, BODY_PARAMETERS), .parameters = &scheduled_model,
      .doc = { "get_scheduled_flow_runs", .reply = &worker_flow_run_model, .reply_list = true } },
    { HTTP_POST,   QUEUES,                 create_queue, TX_WRITE, 201, QUEUE, LOCKED, .body = &work_queue_create_model,
      .doc = { "create_work_queue" } },
    { HTTP_GET,    QUEUES "/{name:str}",   read_queue,   TX_READ,  200, QUEUE, .doc = { "read_work_queue" } },
    { HTTP_POST,   QUEUES "/filter",       list_of_pool, TX_READ,  200, QUEUE, LIST(queues),
      .doc = { "read_work_queues" } },
    { HTTP_PATCH,  QUEUES "/{name:str}",   update_queue, TX_WRITE, 204, QUEUE, LOCKED, .body = &work_queue_update_model,
      .doc = { "update_work_queue" } },
    { HTTP_DELETE, QUEUES "/{name:str}",   delete_queue, TX_WRITE, 204, QUEUE, LOCKED, .doc = { "delete_work_queue" } },
    { HTTP_POST,   WORKERS "/heartbeat",   record_heartbeat, TX_WRITE, 204, WORKER, .parameters = &heartbeat_model,
      .doc = { "worker_heartbeat" } },
    { HTTP_POST,   WORKERS "/filter",      list_of_pool, TX_READ,  200, WORKER, LIST(workers),
      .doc = { "read_workers" } },
};
const RouteFamily work_pool_family = FAMILY(work_pool_routes, .tag = "Work Pools");
