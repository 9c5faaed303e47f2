/* api/routes/work_queues.c -- /work_queues: the routes stand at the end. */
#include "api/routes/families.h"

#include "api/routes/work_polls.h"
#include "model/filters.h"
#include "model/scheduled_runs.h"

static bool not_found(Req *req)
{
    return req_fail(req, ERR_NOT_FOUND, "work queue not found");
}

static bool reply_queue(Req *req, const WorkQueue *queue)
{
    if (!queue)
        return not_found(req);
    reply_model(req, &work_queue_model, queue);
    return true;
}

static bool create_queue(Req *req)
{
    const WorkQueue *queue = work_queue_create(req->tx, req->object);
    if (queue || req->tx->error->code != ERR_INTEGRITY)
        return queue && reply_queue(req, queue);
    *req->tx->error = (Error){ .code = ERR_NONE };
    return req_fail(req, ERR_CONFLICT, "A work queue with this name already exists.");
}

static bool update_queue(Req *req)
{
    int64_t rows = codec_update(req->tx, &work_queue_update_model, req->params[0], req->object, req->sent);
    return rows > 0 || req_fail(req, ERR_NOT_FOUND, "Work Queue <built-in function id> not found"); /* the reference's slip */
}

static bool read_queue_by_name(Req *req)
{
    return reply_queue(req, work_queue_read_by_name(req->tx, req->params[0]));
}

static bool read_queue(Req *req)
{
    return reply_queue(req, work_queue_read(req->tx, req->params[0]));
}

static bool read_queues(Req *req)
{
    req->order_by = "work_queue.name, work_queue.created, work_queue.id";
    return reply_list(req, &work_queue_model, "work_queue");
}

static bool delete_queue(Req *req)
{
    return work_queue_delete(req->tx, req->params[0]) > 0 || not_found(req);
}

/* ---- runs ---- */

typedef struct GetRuns {
    OptInt limit;
    Time scheduled_before;
    Str agent_id;
    bool from_ui;
} GetRuns;

static const Field get_runs_fields[] = {
    FIELD(GetRuns, limit, F_OPT_INT, .decode = limit_decode),
    FIELD(GetRuns, scheduled_before, F_TIME, .flags = NULLABLE, .fallback = "null"),
    FIELD(GetRuns, agent_id, F_UUID, .flags = NULLABLE),
};
static const Field ui_fields[] = {
    { .name = "x-prefect-ui", .kind = F_BOOL, .offset = offsetof(GetRuns, from_ui) },
};
static const Model get_runs_model = MODEL(GetRuns, get_runs_fields);
static const Model ui_model = MODEL(GetRuns, ui_fields);

static bool get_runs(Req *req)
{
    const GetRuns *body = req->object;
    const WorkQueue *queue = work_queue_read(req->tx, req->params[0]);
    RunWindow window = { .after = TIME_NULL, .before = body->scheduled_before, .limit = req->limit };
    RunList list;
    if (!queue)
        return fail(req->tx->error, ERR_OBJECT_NOT_FOUND, "Work queue with id %.*s not found.", STR_ARG(req->params[0]));
    if (!work_queue_scheduled_runs(req->tx, queue, window, &list))
        return false;
    JsonWriter *w = reply_json(req);
    json_array(w);
    for (size_t i = 0; i < list.count; i++)
        codec_write(w, &flow_run_model, list.runs[i]);
    json_array_end(w);
    if (!body->from_ui) /* the dashboard only looks */
        record_polls(req->app, STR_NULL, &queue->id, 1, body->agent_id);
    return true;
}

/* ---- status ---- */

typedef struct HealthPolicy { /* schemas.core.WorkQueueHealthPolicy */
    int64_t maximum_late_runs, maximum_seconds_since_last_polled;
} HealthPolicy;

typedef struct QueueStatus { /* schemas.core.WorkQueueStatusDetail */
    bool healthy;
    int64_t late_runs_count;
    Time last_polled;
    HealthPolicy health_check_policy;
} QueueStatus;

static const Field policy_fields[] = {
    FIELD(HealthPolicy, maximum_late_runs, F_INT),
    FIELD(HealthPolicy, maximum_seconds_since_last_polled, F_INT),
};
static const Model policy_model = MODEL(HealthPolicy, policy_fields, .schema = "WorkQueueHealthPolicy");

static const Field status_fields[] = {
    FIELD(QueueStatus, healthy, F_BOOL),
    FIELD(QueueStatus, late_runs_count, F_INT),
    FIELD(QueueStatus, last_polled, F_TIME),
    FIELD(QueueStatus, health_check_policy, F_MODEL, .model = &policy_model),
};
static const Model status_model = MODEL(QueueStatus, status_fields, .schema = "WorkQueueStatusDetail");

static bool read_status(Req *req)
{
    const WorkQueue *queue = work_queue_read(req->tx, req->params[0]);
    if (!queue)
        return fail(req->tx->error, ERR_OBJECT_NOT_FOUND, "Work queue with id %.*s not found", STR_ARG(req->params[0]));
    QueueStatus status = { .last_polled = queue->last_polled, .health_check_policy = { 0, 60 } };
    status.late_runs_count = DB_INT(req->tx, 0, "SELECT count(*) FROM flow_run WHERE state_name = 'Late' AND NOT work_queue_name <> $1", v_text(queue->name));
    int64_t away = queue->last_polled == TIME_NULL ? INT64_MAX : llabs(req->tx->now - queue->last_polled) / SECOND;
    status.healthy = status.late_runs_count <= status.health_check_policy.maximum_late_runs &&
                     away <= status.health_check_policy.maximum_seconds_since_last_polled;
    reply_model(req, &status_model, &status);
    return true;
}

static const ListSpec list = { .links = work_queue_links, .link_count = WORK_QUEUE_LINKS, .table = "work_queue" };

static const Route work_queue_routes[] = {
    { HTTP_POST,   "/work_queues/",                create_queue,       TX_WRITE, 201, .lock = LOCK_WORK_POOLS, .body = &work_queue_create_model,
      .name = "create_work_queue", .reply = &work_queue_model },
    { HTTP_PATCH,  "/work_queues/{id}",            update_queue,       TX_WRITE, 204, .lock = LOCK_WORK_POOLS, .body = &work_queue_update_model,
      .name = "update_work_queue" },
    { HTTP_GET,    "/work_queues/name/{name:str}", read_queue_by_name, TX_READ,  200, .name = "read_work_queue_by_name", .reply = &work_queue_model },
    { HTTP_GET,    "/work_queues/{id}",            read_queue,         TX_READ,  200, .name = "read_work_queue", .reply = &work_queue_model },
    { HTTP_POST,   "/work_queues/{id}/get_runs",   get_runs,           TX_READ,  200, .parameters = &get_runs_model, .headers = &ui_model,
      .name = "read_work_queue_runs", .reply = &flow_run_model, .reply_list = true },
    { HTTP_POST,   "/work_queues/filter",          read_queues,        TX_READ,  200, .prepare = prepare_list, .spec = &list, .reads_body = true,
      .name = "read_work_queues", .reply = &work_queue_model, .reply_list = true },
    { HTTP_DELETE, "/work_queues/{id}",            delete_queue,       TX_WRITE, 204, .lock = LOCK_WORK_POOLS, .name = "delete_work_queue" },
    { HTTP_GET,    "/work_queues/{id}/status",     read_status,        TX_READ,  200, .name = "read_work_queue_status", .reply = &status_model },
};
const RouteFamily work_queue_family = FAMILY(work_queue_routes, .tag = "Work Queues");
