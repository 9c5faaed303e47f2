/* api/routes/deployments.c -- /deployments, their schedules, and the runs made from them; its
 * table of routes is at the end. */
#include "api/routes/families.h"

#include "model/deployment_run.h"
#include "model/filters.h"
#include "model/removal.h"
#include "model/run_bodies.h"
#include "model/run_planner.h"
#include "model/work_pool.h"
#include "orchestration/orchestration.h"

static bool create_deployment(Req *req)
{
    bool created = false;
    const Deployment *deployment = deployment_upsert(req->tx, req->object, &created);
    return crud_created(req, deployment, created);
}

static bool update_deployment(Req *req)
{
    return deployment_update(req->tx, req->params[0], req->object, req->sent);
}

static bool read_deployment_by_name(Req *req)
{
    return crud_reply(req, deployment_read_by_name(req->tx, req->params[0], req->params[1]));
}

/* ---- schedules ---- */

typedef struct ScheduleBody {
    Time start_time, end_time;
    int64_t min_time; /* microseconds */
    OptInt min_runs, max_runs;
} ScheduleBody;

static const Field schedule_fields[] = {
    FIELD(ScheduleBody, start_time, F_TIME, .flags = NULLABLE, .fallback = "null"),
    FIELD(ScheduleBody, end_time, F_TIME, .flags = NULLABLE, .fallback = "null"),
    FIELD(ScheduleBody, min_time, F_DURATION, .flags = NULLABLE),
    FIELD(ScheduleBody, min_runs, F_OPT_INT, .flags = NULLABLE),
    FIELD(ScheduleBody, max_runs, F_OPT_INT, .flags = NULLABLE),
};
static const Model schedule_model = MODEL(ScheduleBody, schedule_fields);

static RunPlan wanted_plan(Req *req)
{
    const ScheduleBody *body = req->object;
    Time start = body->start_time == TIME_NULL ? req->tx->now : body->start_time;
    RunPlan plan = run_plan_default(req->app->settings, start);
    if (body->end_time != TIME_NULL)
        plan.end = body->end_time;
    if (!json_is_null(json_get(req->body, "min_time")))
        plan.min_time = body->min_time;
    if (body->min_runs.has)
        plan.min_runs = body->min_runs.v;
    if (body->max_runs.has)
        plan.max_runs = body->max_runs.v;
    return plan;
}

/* A deployment that does not exist has nothing to plan; the reference sees nothing wrong in that. */
static bool schedule_deployment(Req *req)
{
    const RunPlan plan = wanted_plan(req);
    const Deployment *deployment = deployment_read_locked(req->tx, req->params[0]);
    PlannedRuns runs;
    if (deployment
        && (!planned_runs_make(req->arena, deployment, &plan, &runs, req->tx->error)
            || planned_runs_insert(req->tx, &runs, 0, runs.count) < 0))
        return false;
    return req->tx->error->code == ERR_NONE && reply_null(req);
}

static bool set_schedule(Req *req, bool active)
{
    const Deployment *deployment = deployment_read_locked(req->tx, req->params[0]);
    if (!deployment)
        return crud_missing(req);
    return deployment_set_schedule_active(req->tx, deployment, active) && reply_null(req);
}

static bool set_schedule_active(Req *req)
{
    return set_schedule(req, true);
}

static bool set_schedule_inactive(Req *req)
{
    return set_schedule(req, false);
}

/* ---- runs ---- */

static bool create_flow_run(Req *req)
{
    const Deployment *deployment = deployment_read_shared(req->tx, req->params[0]);
    if (!deployment)
        return crud_missing(req);
    const FlowRun wanted = deployment_run(req->arena, deployment, req->object);
    bool created;
    FlowRun *run;
    if (!flow_run_create(req->tx, &wanted, req->api_version, &run, &created))
        return false;
    if (created)
        reply_status(req, 201);
    return reply_model(req, &flow_run_model, run);
}

static bool check_work_queues(Req *req)
{
    const Deployment *deployment = deployment_read(req->tx, req->params[0]);
    return deployment ? deployment_queues_write(req->tx, deployment, reply_json(req)) : crud_missing(req);
}

static const ListSpec list = {
    .links = deployment_links, .sorts = deployment_sorts, .sort_default = "NAME_ASC",
};

#define BY_NAME "/deployments/name/{flow_name:str}/{deployment_name:str}"
#define DEPLOYMENT .model = &deployment_model, .missing = "Deployment not found"

static const Route deployment_routes[] = {
    { HTTP_POST,   "/deployments/",       create_deployment,       TX_WRITE, 200, DEPLOYMENT, .lock = LOCK_WORK_POOLS,
      .body = &deployment_create_model, .doc = { "create_deployment", .other_status = 201 } },
    { HTTP_PATCH,  "/deployments/{id}",   update_deployment,       TX_WRITE, 204, .lock = LOCK_WORK_POOLS,
      .body = &deployment_update_model, .doc = { "update_deployment" } },
    { HTTP_GET,    BY_NAME,               read_deployment_by_name, TX_READ,  200, DEPLOYMENT,
      .doc = { "read_deployment_by_name" } },
    { HTTP_GET,    "/deployments/{id}",   crud_read,               TX_READ,  200, DEPLOYMENT,
      .doc = { "read_deployment" } },
    { HTTP_POST,   "/deployments/filter", crud_list,               TX_READ,  200, DEPLOYMENT, .list = &list,
      .order = ORDER(BODY_LIMIT, BODY_OFFSET, BODY_FILTERS, BODY_SORT), .doc = { "read_deployments" } },
    { HTTP_POST,   "/deployments/count",  crud_count,              TX_READ,  200, DEPLOYMENT, .list = &list,
      .order = ORDER(BODY_FILTERS), .doc = { "count_deployments", .reply_schema = INTEGER_SCHEMA } },
    { HTTP_DELETE, "/deployments/{id}",   crud_delete,             TX_WRITE, 204, DEPLOYMENT,
      .remove = deployment_delete, .doc = { "delete_deployment" } },
    { HTTP_POST,   "/deployments/{id}/schedule", schedule_deployment, TX_WRITE, 200, .parameters = &schedule_model,
      .doc = { "schedule_deployment" } },
    { HTTP_POST,   "/deployments/{id}/set_schedule_active", set_schedule_active, TX_WRITE, 200, DEPLOYMENT,
      .doc = { "set_schedule_active", .reply_schema = "{}" } },
    { HTTP_POST,   "/deployments/{id}/set_schedule_inactive", set_schedule_inactive, TX_WRITE, 200, DEPLOYMENT,
      .doc = { "set_schedule_inactive", .reply_schema = "{}" } },
    { HTTP_POST,   "/deployments/{id}/create_flow_run", create_flow_run, TX_WRITE, 200, DEPLOYMENT,
      .body = &deployment_run_create_model,
      .doc = { "create_flow_run_from_deployment", .reply = &flow_run_model, .other_status = 201 } },
    { HTTP_GET,    "/deployments/{id}/work_queue_check", check_work_queues, TX_READ, 200, DEPLOYMENT,
      .doc = { "work_queue_check_for_deployment", .reply = &work_queue_model, .reply_list = true } },
};
const RouteFamily deployment_family = FAMILY(deployment_routes, .tag = "Deployments");
