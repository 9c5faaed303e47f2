/* api/routes/work_queues.c -- /work_queues: asking for runs is recorded as a poll; its
 * table of routes is at the end. */
#include "api/routes/families.h"

#include "api/routes/queue_polls.h"
#include "model/filters.h"
#include "model/removal.h"
#include "model/run_pickup.h"

static bool create_queue(Req *req)
{
    const WorkQueue *queue = work_queue_create(req->tx, req->object);
    return queue ? crud_reply(req, queue) : crud_conflict(req, "A work queue with this name already exists.");
}

static bool read_queue_by_name(Req *req)
{
    return queue_polls_reply(req, work_queue_read_by_name(req->tx, req->params[0]));
}

static bool read_queue(Req *req)
{
    return queue_polls_reply(req, work_queue_read(req->tx, req->params[0]));
}

static bool update_queue(Req *req)
{
    const WorkQueue *queue = req_sends(req, "last_polled") ? work_queue_read(req->tx, req->params[0]) : NULL;
    if (queue)
        queue_polls_forget(req, queue);
    return crud_update(req);
}

/* ---- runs ---- */

typedef struct GetRuns {
    Time scheduled_before;
    Str agent_id;
    bool from_ui;
} GetRuns;

static const Field get_runs_fields[] = {
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
        return fail(req->tx->error, ERR_OBJECT_NOT_FOUND, "Work queue with id %.*s not found.",
                    STR_ARG(req->params[0]));
    if (!work_queue_scheduled_runs(req->tx, queue, window, &list))
        return false;
    JsonWriter *w = reply_json(req);
    json_array(w);
    for (size_t i = 0; i < list.count; i++)
        codec_write(w, &flow_run_model, list.runs[i]);
    json_array_end(w);
    if (!body->from_ui) /* the dashboard only looks */
        queue_polls_record(req, STR_NULL, &queue->id, 1, body->agent_id);
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
    FIELD(HealthPolicy, maximum_late_runs, F_INT, .flags = NULLABLE),
    FIELD(HealthPolicy, maximum_seconds_since_last_polled, F_INT, .flags = NULLABLE),
};
static const Model policy_model = MODEL(HealthPolicy, policy_fields, .schema = "WorkQueueHealthPolicy");

static const Field status_fields[] = {
    FIELD(QueueStatus, healthy, F_BOOL),
    FIELD(QueueStatus, late_runs_count, F_INT),
    FIELD(QueueStatus, last_polled, F_TIME, .flags = NULLABLE),
    FIELD(QueueStatus, health_check_policy, F_MODEL, .model = &policy_model),
};
static const Model status_model = MODEL(QueueStatus, status_fields, .schema = "WorkQueueStatusDetail");

static bool read_status(Req *req)
{
    WorkQueue *queue = work_queue_read(req->tx, req->params[0]);
    if (!queue)
        return fail(req->tx->error, ERR_OBJECT_NOT_FOUND, "Work queue with id %.*s not found", STR_ARG(req->params[0]));
    queue_polls_add(req, queue);
    QueueStatus status = { .last_polled = queue->last_polled, .health_check_policy = { 0, 60 } };
    status.late_runs_count = work_queue_count_late(req->tx, queue);
    int64_t away = queue->last_polled == TIME_NULL ? INT64_MAX : llabs(req->tx->now - queue->last_polled) / SECOND;
    status.healthy = status.late_runs_count <= status.health_check_policy.maximum_late_runs &&
                     away <= status.health_check_policy.maximum_seconds_since_last_polled;
    return reply_model(req, &status_model, &status);
}

static const ListSpec list = {
    .links = work_queue_links, .order_by = "work_queue.name, work_queue.created, work_queue.id",
    .add = queue_polls_add,
};

#define QUEUE .model = &work_queue_model, .missing = "work queue not found"
#define UPDATED_QUEUE .missing = "Work Queue <built-in function id> not found" /* the reference's slip */
#define LOCKED .lock = LOCK_WORK_POOLS

static const Route work_queue_routes[] = {
    { HTTP_POST,   "/work_queues/",                create_queue,       TX_WRITE, 201, QUEUE, LOCKED,
      .body = &work_queue_create_model, .doc = { "create_work_queue" } },
    { HTTP_PATCH,  "/work_queues/{id}",            update_queue,       TX_WRITE, 204, UPDATED_QUEUE, LOCKED,
      .body = &work_queue_update_model, .doc = { "update_work_queue" } },
    { HTTP_GET,    "/work_queues/name/{name:str}", read_queue_by_name, TX_READ,  200, QUEUE,
      .doc = { "read_work_queue_by_name" } },
    { HTTP_GET,    "/work_queues/{id}",            read_queue,         TX_READ,  200, QUEUE,
      .doc = { "read_work_queue" } },
    { HTTP_POST,   "/work_queues/{id}/get_runs",   get_runs,           TX_READ,  200, .parameters = &get_runs_model,
      .order = ORDER(BODY_LIMIT, BODY_PARAMETERS), .headers = &ui_model,
      .doc = { "read_work_queue_runs", .reply = &flow_run_model, .reply_list = true } },
    { HTTP_POST,   "/work_queues/filter",          crud_list,          TX_READ,  200, QUEUE, .list = &list,
      .order = ORDER(BODY_LIMIT, BODY_OFFSET, BODY_FILTERS), .doc = { "read_work_queues" } },
    { HTTP_DELETE, "/work_queues/{id}",            crud_delete,        TX_WRITE, 204, QUEUE, LOCKED,
      .remove = work_queue_delete, .doc = { "delete_work_queue" } },
    { HTTP_GET,    "/work_queues/{id}/status",     read_status,        TX_READ,  200,
      .doc = { "read_work_queue_status", .reply = &status_model } },
};
const RouteFamily work_queue_family = FAMILY(work_queue_routes, .tag = "Work Queues");
