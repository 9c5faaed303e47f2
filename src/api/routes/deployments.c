/* api/routes/deployments.c -- /deployments: the routes stand at the end. */
#include "api/routes/families.h"

#include "base/str_list.h"
#include "model/filters.h"
#include "model/run_bodies.h"
#include "model/planned_runs.h"
#include "model/work_pool.h"
#include "orchestration/orchestration.h"

static bool not_found(Req *req)
{
    return req_fail(req, ERR_NOT_FOUND, "Deployment not found");
}

static bool reply_deployment(Req *req, const Deployment *deployment)
{
    if (!deployment)
        return not_found(req);
    reply_model(req, &deployment_model, deployment);
    return true;
}

static bool reply_null(Req *req)
{
    json_null(reply_json(req));
    return true;
}

static bool create_deployment(Req *req)
{
    bool created;
    const Deployment *deployment = deployment_upsert(req->tx, req->object, &created);
    if (!deployment)
        return false;
    if (created)
        reply_status(req, 201);
    return reply_deployment(req, deployment);
}

static bool update_deployment(Req *req)
{
    return deployment_update(req->tx, req->params[0], req->object, req->sent);
}

static bool read_deployment(Req *req)
{
    return reply_deployment(req, deployment_read(req->tx, req->params[0]));
}

static bool read_deployment_by_name(Req *req)
{
    return reply_deployment(req, deployment_read_by_name(req->tx, req->params[0], req->params[1]));
}

static bool read_deployments(Req *req)
{
    return reply_list(req, &deployment_model, "deployment");
}

static bool count_deployments(Req *req)
{
    return reply_count(req, "deployment");
}

static bool delete_deployment(Req *req)
{
    return deployment_delete(req->tx, req->params[0]) > 0 || not_found(req);
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

static SchedulePlan wanted_plan(Req *req)
{
    const ScheduleBody *body = req->object;
    SchedulePlan plan = schedule_plan_default(req->app->settings, body->start_time == TIME_NULL ? req->tx->now : body->start_time);
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

/* A deployment that is not there has nothing to plan; the reference sees nothing wrong in that. */
static bool schedule_deployment(Req *req)
{
    const SchedulePlan plan = wanted_plan(req);
    db_lock_row(req->tx, "deployment", req->params[0]);
    const Deployment *deployment = deployment_read(req->tx, req->params[0]);
    PlannedRuns runs;
    if (deployment
        && (!planned_runs_make(req->arena, deployment, &plan, &runs, req->tx->error)
            || planned_runs_insert(req->tx, &runs, 0, runs.count) < 0))
        return false;
    return req->tx->error->code == ERR_NONE && reply_null(req);
}

static bool set_schedule(Req *req, bool active)
{
    db_lock_row(req->tx, "deployment", req->params[0]);
    const Deployment *deployment = deployment_read(req->tx, req->params[0]);
    if (!deployment)
        return not_found(req);
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

static const Json *parse_stored(Req *req, Str json_text)
{
    const Json *json;
    JsonError unused;
    return json_text.p && json_parse(req->arena, json_text, &json, &unused) ? json : NULL;
}

/* The members of both objects, a key that is in both with its first place and its last value: so the parser takes keys that come
 * twice, however many there are. */
static Str merged_parameters(Req *req, Str ours, Str theirs)
{
    if (theirs.n <= 2) /* "{}" */
        return ours;
    if (ours.n <= 2)
        return theirs;
    Str both = arena_printf(req->arena, "%.*s, %.*s", (int)(ours.n - 1), ours.p, (int)(theirs.n - 1), theirs.p + 1);
    const Json *json = parse_stored(req, both);
    return json ? json_format(req->arena, json, JSON_STORED) : theirs;
}

static void write_keys(JsonWriter *w, const Json *tags)
{
    for (const Json *tag = tags ? tags->child : NULL; tag; tag = tag->next) {
        json_key_str(w, tag->text);
        json_null(w);
    }
}

/* Each tag once, for which keys of an object serve; the reference makes a set of them, in an order that is chance. */
static Str united_tags(Req *req, Str ours, Str theirs)
{
    Buf keys, tags;
    JsonWriter w;
    buf_init(&keys, req->arena, 2 * (ours.n + theirs.n));
    json_writer_init(&w, &keys, JSON_STORED);
    json_object(&w);
    write_keys(&w, parse_stored(req, ours));
    write_keys(&w, parse_stored(req, theirs));
    json_object_end(&w);
    const Json *once = parse_stored(req, buf_view(&keys));
    buf_init(&tags, req->arena, ours.n + theirs.n);
    json_writer_init(&w, &tags, JSON_STORED);
    json_array(&w);
    for (const Json *tag = once ? once->child : NULL; tag; tag = tag->next)
        json_str(&w, tag->key);
    json_array_end(&w);
    return buf_view(&tags);
}

static bool create_flow_run(Req *req)
{
    /* Against its end and that of its queue, not against others that make runs of it. */
    DB_LOCK_ROWS(req->tx, "SELECT id FROM deployment WHERE id = $1 FOR SHARE", v_uuid(req->params[0]));
    const Deployment *deployment = deployment_read(req->tx, req->params[0]);
    if (!deployment)
        return not_found(req);
    FlowRun wanted = *(const FlowRun *)req->object;
    wanted.flow_id = deployment->flow_id;
    wanted.deployment_id = deployment->id;
    wanted.parameters = merged_parameters(req, deployment->parameters, wanted.parameters);
    wanted.run.tags = united_tags(req, deployment->tags, wanted.run.tags);
    if (!wanted.infrastructure_document_id.p)
        wanted.infrastructure_document_id = deployment->infrastructure_document_id;
    wanted.work_queue_name = deployment->column_queue_name;
    wanted.work_queue_id = deployment->work_queue_id;
    bool created;
    FlowRun *run;
    if (!flow_run_create(req->tx, &wanted, req->api_version, &run, &created))
        return false;
    if (created)
        reply_status(req, 201);
    run_estimate(&run->run, req->tx->now);
    reply_model(req, &flow_run_model, run);
    return true;
}

/* ---- which queues would take the runs: filters of queues from before they had names in deployments ---- */

static bool has_all(const StrList *sorted, const Json *wanted)
{
    for (const Json *item = wanted ? wanted->child : NULL; item; item = item->next)
        if (!str_list_has(sorted, item->text))
            return false;
    return true;
}

static bool has_text(const Json *list, Str text)
{
    for (const Json *item = list->child; item; item = item->next)
        if (item->kind == JSON_STRING && str_eq(item->text, text))
            return true;
    return false;
}

/* What a filter does not name, it does not ask for. */
static bool queue_takes(Req *req, const QueueFilter *filter, const Deployment *deployment, const StrList *tags)
{
    if (!filter)
        return true;
    const Json *ids = parse_stored(req, filter->deployment_ids);
    return has_all(tags, parse_stored(req, filter->tags)) && (!ids || ids->count == 0 || has_text(ids, deployment->id));
}

static bool check_work_queues(Req *req)
{
    const Deployment *deployment = deployment_read(req->tx, req->params[0]);
    if (!deployment)
        return not_found(req);
    StrList tags = { 0 };
    str_list_add_json(&tags, req->arena, parse_stored(req, deployment->tags));
    str_list_sort(&tags);
    Rows *rows = codec_query(req->tx, &work_queue_model, "ORDER BY work_queue.created, work_queue.id");
    WorkQueue *queue = arena_new_of(req->arena, WorkQueue);
    JsonWriter *w = reply_json(req);
    json_array(w);
    while (codec_next(req->tx, rows, &work_queue_model, queue))
        if (queue_takes(req, queue->filter, deployment, &tags))
            codec_write(w, &work_queue_model, queue);
    json_array_end(w);
    return req->tx->error->code == ERR_NONE;
}

static const ListSpec list = {
    .sorts = deployment_sorts, .sort_default = "NAME_ASC", .sort_last = true,
    .links = deployment_links, .link_count = DEPLOYMENT_LINKS, .table = "deployment",
};

static const Route deployment_routes[] = {
    { HTTP_POST,   "/deployments/", create_deployment, TX_WRITE, 200, .body = &deployment_create_model, .lock = LOCK_WORK_POOLS,
      .name = "create_deployment", .reply = &deployment_model },
    { HTTP_PATCH,  "/deployments/{id}", update_deployment, TX_WRITE, 204, .body = &deployment_update_model, .lock = LOCK_WORK_POOLS,
      .name = "update_deployment" },
    { HTTP_GET,    "/deployments/name/{flow_name:str}/{deployment_name:str}", read_deployment_by_name, TX_READ, 200,
      .name = "read_deployment_by_name", .reply = &deployment_model },
    { HTTP_GET,    "/deployments/{id}", read_deployment, TX_READ, 200, .name = "read_deployment", .reply = &deployment_model },
    { HTTP_POST,   "/deployments/filter", read_deployments, TX_READ, 200, .prepare = prepare_list, .spec = &list, .reads_body = true,
      .name = "read_deployments", .reply = &deployment_model, .reply_list = true },
    { HTTP_POST,   "/deployments/count", count_deployments, TX_READ, 200, .prepare = prepare_count, .spec = &list, .reads_body = true,
      .name = "count_deployments", .reply_schema = "{\"type\":\"integer\"}" },
    { HTTP_DELETE, "/deployments/{id}", delete_deployment, TX_WRITE, 204, .name = "delete_deployment" },
    { HTTP_POST,   "/deployments/{id}/schedule", schedule_deployment, TX_WRITE, 200, .parameters = &schedule_model,
      .name = "schedule_deployment", .reply_schema = "{}" },
    { HTTP_POST,   "/deployments/{id}/set_schedule_active", set_schedule_active, TX_WRITE, 200,
      .name = "set_schedule_active", .reply_schema = "{}" },
    { HTTP_POST,   "/deployments/{id}/set_schedule_inactive", set_schedule_inactive, TX_WRITE, 200,
      .name = "set_schedule_inactive", .reply_schema = "{}" },
    { HTTP_POST,   "/deployments/{id}/create_flow_run", create_flow_run, TX_WRITE, 200, .body = &deployment_run_create_model,
      .name = "create_flow_run_from_deployment", .reply = &flow_run_model },
    { HTTP_GET,    "/deployments/{id}/work_queue_check", check_work_queues, TX_READ, 200,
      .name = "work_queue_check_for_deployment", .reply = &work_queue_model, .reply_list = true },
};
const RouteFamily deployment_family = FAMILY(deployment_routes, .tag = "Deployments");
