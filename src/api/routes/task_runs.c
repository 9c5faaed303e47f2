/* api/routes/task_runs.c -- /task_runs: the routes stand at the end. */
#include "api/routes/families.h"

#include "api/openapi_shapes.h"
#include "api/routes/runs.h"
#include "model/filters.h"
#include "model/run_bodies.h"

static bool not_found(Req *req)
{
    return req_fail(req, ERR_NOT_FOUND, "Task not found");
}

static bool reply_task_run(Req *req, TaskRun *run)
{
    run_estimate(&run->run, req->tx->now);
    reply_model(req, &task_run_model, run);
    return true;
}

static bool create_task_run(Req *req)
{
    bool created;
    TaskRun *run;
    if (!task_run_create(req->tx, req->object, &run, &created))
        return false;
    if (created)
        reply_status(req, 201);
    return reply_task_run(req, run);
}

static bool update_task_run(Req *req)
{
    int64_t rows = codec_update(req->tx, &task_run_update_model, req->params[0], req->object, req->sent);
    return rows > 0 || req_fail(req, ERR_NOT_FOUND, "Task run not found");
}

static bool read_task_run(Req *req)
{
    TaskRun *run = task_run_read(req->tx, req->params[0]);
    return run ? reply_task_run(req, run) : not_found(req);
}

static bool read_task_runs(Req *req)
{
    return reply_list(req, &task_run_model, "task_run");
}

static bool count_task_runs(Req *req)
{
    return reply_count(req, "task_run");
}

static bool delete_task_run(Req *req)
{
    return task_run_delete(req->tx, req->params[0]) > 0 || not_found(req);
}

static bool set_state(Req *req)
{
    const SetState *body = req->object;
    State state = proposed_state(req);
    /* the reference does not hand the client's version to task runs */
    TransitionOptions options = { .force = body->force };
    TransitionResult result;
    return task_run_set_state(req->tx, req->params[0], &state, options, &result) && reply_transition(req, &result);
}

static const ListSpec list = {
    .sorts = task_run_sorts, .sort_default = "ID_DESC",
    .links = task_run_links, .link_count = TASK_RUN_LINKS, .table = "task_run",
};

static const Route task_run_routes[] = {
    { HTTP_POST,   "/task_runs/",               create_task_run, TX_WRITE, 200, .body = &task_run_create_model,
      .name = "create_task_run", .reply = &task_run_model,
      .about = "Answers 201 with the new run, or 200 with the run of this flow run that has the keys already." },
    { HTTP_PATCH,  "/task_runs/{id}",           update_task_run, TX_WRITE, 204, .body = &task_run_update_model, .name = "update_task_run" },
    { HTTP_POST,   "/task_runs/count",          count_task_runs, TX_READ,  200, .prepare = prepare_count, .spec = &list, .reads_body = true,
      .name = "count_task_runs" },
    { HTTP_POST,   "/task_runs/history",        read_history,    TX_READ,  200, .parameters = &history_model, .prepare = prepare_history, .spec = &list,
      .name = "task_run_history", .reply = &history_shape, .reply_list = true, .about = HISTORY_ABOUT },
    { HTTP_GET,    "/task_runs/{id}",           read_task_run,   TX_READ,  200, .name = "read_task_run", .reply = &task_run_model },
    { HTTP_POST,   "/task_runs/filter",         read_task_runs,  TX_READ,  200, .prepare = prepare_list, .spec = &list, .reads_body = true,
      .name = "read_task_runs", .reply = &task_run_model, .reply_list = true },
    { HTTP_DELETE, "/task_runs/{id}",           delete_task_run, TX_WRITE, 204, .name = "delete_task_run" },
    { HTTP_POST,   "/task_runs/{id}/set_state", set_state,       TX_WRITE, 200, .parameters = &set_state_model,
      .name = "set_task_run_state", .reply = &orchestration_shape, .about = SET_STATE_ABOUT },
};
const RouteFamily task_run_family = FAMILY(task_run_routes);
