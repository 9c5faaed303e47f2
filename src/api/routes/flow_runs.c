/* api/routes/flow_runs.c -- /flow_runs: the routes stand at the end. */
#include "api/routes/families.h"

#include "api/openapi_shapes.h"
#include "api/routes/runs.h"
#include "model/filters.h"
#include "model/run_bodies.h"
#include "model/run_graph.h"

static bool not_found(Req *req)
{
    return req_fail(req, ERR_NOT_FOUND, "Flow run not found");
}

static bool reply_flow_run(Req *req, FlowRun *run)
{
    run_estimate(&run->run, req->tx->now);
    reply_model(req, &flow_run_model, run);
    return true;
}

static bool create_flow_run(Req *req)
{
    bool created;
    FlowRun *run;
    if (!flow_run_create(req->tx, req->object, req->api_version, &run, &created))
        return false;
    if (created)
        reply_status(req, 201);
    return reply_flow_run(req, run);
}

static bool update_flow_run(Req *req)
{
    return codec_update(req->tx, &flow_run_update_model, req->params[0], req->object, req->sent) > 0 || not_found(req);
}

static bool read_flow_run(Req *req)
{
    FlowRun *run = flow_run_read(req->tx, req->params[0]);
    return run ? reply_flow_run(req, run) : not_found(req);
}

static bool read_flow_run_graph(Req *req)
{
    return run_graph_write(req->tx, req->params[0], reply_json(req));
}

static bool read_flow_runs(Req *req)
{
    return reply_list(req, &flow_run_model, "flow_run");
}

static bool count_flow_runs(Req *req)
{
    return reply_count(req, "flow_run");
}

static bool delete_flow_run(Req *req)
{
    return flow_run_delete(req->tx, req->params[0]) > 0 || not_found(req);
}

static bool set_state(Req *req)
{
    const SetState *body = req->object;
    State state = proposed_state(req);
    TransitionOptions options = { .force = body->force, .api_version = req->api_version };
    TransitionResult result;
    return flow_run_set_state(req->tx, req->params[0], &state, options, &result) && reply_transition(req, &result);
}

static bool resume_flow_run(Req *req)
{
    db_lock_row(req->tx, "flow_run", req->params[0]); /* so that it is paused still when it resumes */
    FlowRun *run = flow_run_read(req->tx, req->params[0]);
    if (!run)
        return not_found(req);
    const State *current = run->run.state;
    if (!current || current->type != STATE_PAUSED) {
        TransitionResult refused = { .status = TRANSITION_ABORT, .reason = STR("Cannot resume a flow run that is not paused.") };
        return reply_transition(req, &refused);
    }
    State state = { .type = STATE_RUNNING, .state_details = { .scheduled_time = MOMENT_NULL, .cache_expiration = MOMENT_NULL, .pause_timeout = MOMENT_NULL } };
    if (current->state_details.pause_reschedule) {
        state.type = STATE_SCHEDULED;
        state.name = STR("Resuming");
    }
    state_complete(req->arena, &state, req->tx->now);
    TransitionOptions options = { .api_version = req->api_version };
    TransitionResult result;
    return flow_run_transition(req->tx, run, &state, options, &result) && reply_transition(req, &result);
}

static const ListSpec list = {
    .sorts = flow_run_sorts, .sort_default = "ID_DESC",
    .links = flow_run_links, .link_count = FLOW_RUN_LINKS, .table = "flow_run",
};
static const ListSpec history = { .links = flow_run_links, .link_count = RUN_HISTORY_LINKS, .table = "flow_run" };

static const Route flow_run_routes[] = {
    { HTTP_POST,   "/flow_runs/",               create_flow_run,     TX_WRITE, 200, .body = &flow_run_create_model,
      .name = "create_flow_run", .reply = &flow_run_model,
      .about = "Answers 201 with the new run, or 200 with the run of this flow that has the idempotency key already." },
    { HTTP_PATCH,  "/flow_runs/{id}",           update_flow_run,     TX_WRITE, 204, .body = &flow_run_update_model, .name = "update_flow_run" },
    { HTTP_POST,   "/flow_runs/count",          count_flow_runs,     TX_READ,  200, .prepare = prepare_count, .spec = &list, .reads_body = true,
      .name = "count_flow_runs" },
    { HTTP_POST,   "/flow_runs/history",        read_history,        TX_READ,  200, .parameters = &history_model, .prepare = prepare_history, .spec = &history,
      .name = "flow_run_history", .reply = &history_shape, .reply_list = true, .about = HISTORY_ABOUT },
    { HTTP_GET,    "/flow_runs/{id}",           read_flow_run,       TX_READ,  200, .name = "read_flow_run", .reply = &flow_run_model },
    { HTTP_GET,    "/flow_runs/{id}/graph",     read_flow_run_graph, TX_READ,  200,
      .name = "read_flow_run_graph", .reply = &dependency_shape, .reply_list = true, .about = "The task runs, each with those that fed it." },
    { HTTP_POST,   "/flow_runs/{id}/resume",    resume_flow_run,     TX_WRITE, 200, .name = "resume_flow_run", .reply = &orchestration_shape,
      .about = "Lets a paused run go on." },
    { HTTP_POST,   "/flow_runs/filter",         read_flow_runs,      TX_READ,  200, .prepare = prepare_list, .spec = &list, .reads_body = true,
      .name = "read_flow_runs", .reply = &flow_run_model, .reply_list = true },
    { HTTP_DELETE, "/flow_runs/{id}",           delete_flow_run,     TX_WRITE, 204, .name = "delete_flow_run" },
    { HTTP_POST,   "/flow_runs/{id}/set_state", set_state,           TX_WRITE, 200, .parameters = &set_state_model,
      .name = "set_flow_run_state", .reply = &orchestration_shape, .about = SET_STATE_ABOUT },
};
const RouteFamily flow_run_family = FAMILY(flow_run_routes);
