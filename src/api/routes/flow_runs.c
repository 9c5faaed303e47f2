/* api/routes/flow_runs.c -- /flow_runs: states change only by the rules (orchestration/); its
 * table of routes is at the end. */
#include "api/routes/families.h"

#include "api/openapi_shapes.h"
#include "api/routes/runs.h"
#include "model/filters.h"
#include "model/removal.h"
#include "model/run_bodies.h"
#include "model/run_graph.h"

static bool create_flow_run(Req *req)
{
    bool created;
    FlowRun *run;
    return flow_run_create(req->tx, req->object, req->api_version, &run, &created) && crud_created(req, run, created);
}

static bool read_flow_run_graph(Req *req)
{
    return run_graph_write(req->tx, req->params[0], reply_json(req));
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
    FlowRun *run = flow_run_lock(req->tx, req->params[0]); /* so that it is still paused when it resumes */
    if (!run)
        return crud_missing(req);
    const State *current = run->run.state;
    if (!current || current->type != STATE_PAUSED) {
        TransitionResult refused = {
            .status = TRANSITION_ABORT, .reason = STR("Cannot resume a flow run that is not paused."),
        };
        return reply_transition(req, &refused);
    }
    State state = {
        .type = STATE_RUNNING,
        .state_details = {
            .scheduled_time = MOMENT_NULL, .cache_expiration = MOMENT_NULL, .pause_timeout = MOMENT_NULL,
        },
    };
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
    .links = flow_run_links, .sorts = flow_run_sorts, .sort_default = "ID_DESC",
};
static const ListSpec history = { .links = run_history_links };

#define RUN .model = &flow_run_model, .missing = "Flow run not found"

static const Route flow_run_routes[] = {
    { HTTP_POST,   "/flow_runs/",               create_flow_run,     TX_WRITE, 200, RUN, .body = &flow_run_create_model,
      .doc = { "create_flow_run", .other_status = 201,
               .about = "Answers 201 with the new run, or 200 with the run of this flow that has the idempotency key"
                        " already." } },
    { HTTP_PATCH,  "/flow_runs/{id}",           crud_update,         TX_WRITE, 204, RUN, .body = &flow_run_update_model,
      .doc = { "update_flow_run" } },
    { HTTP_POST,   "/flow_runs/count",          crud_count,          TX_READ,  200, RUN, .list = &list,
      .order = ORDER(BODY_FILTERS), .doc = { "count_flow_runs", .reply_schema = INTEGER_SCHEMA } },
    { HTTP_POST,   "/flow_runs/history",        read_history,        TX_READ,  200, RUN, .list = &history,
      .order = ORDER(BODY_PARAMETERS, BODY_FILTERS), .parameters = &history_model, .prepare = prepare_history,
      .doc = { "flow_run_history", .reply = &history_shape, .reply_list = true, .about = HISTORY_ABOUT } },
    { HTTP_GET,    "/flow_runs/{id}",           crud_read,           TX_READ,  200, RUN, .doc = { "read_flow_run" } },
    { HTTP_GET,    "/flow_runs/{id}/graph",     read_flow_run_graph, TX_READ,  200,
      .doc = { "read_flow_run_graph", .reply = &dependency_shape, .reply_list = true,
               .about = "The task runs, each with the task runs whose results it uses." } },
    { HTTP_POST,   "/flow_runs/{id}/resume",    resume_flow_run,     TX_WRITE, 200, RUN,
      .doc = { "resume_flow_run", .reply = &orchestration_shape, .about = "Resumes a paused run." } },
    { HTTP_POST,   "/flow_runs/filter",         crud_list,           TX_READ,  200, RUN, .list = &list,
      .order = ORDER(BODY_LIMIT, BODY_SORT, BODY_OFFSET, BODY_FILTERS), .doc = { "read_flow_runs" } },
    { HTTP_DELETE, "/flow_runs/{id}",           crud_delete,         TX_WRITE, 204, RUN, .remove = flow_run_delete,
      .doc = { "delete_flow_run" } },
    { HTTP_POST,   "/flow_runs/{id}/set_state", set_state,           TX_WRITE, 200, .parameters = &set_state_model,
      .doc = { "set_flow_run_state", .reply = &orchestration_shape, .about = SET_STATE_ABOUT, .other_status = 201 } },
};
const RouteFamily flow_run_family = FAMILY(flow_run_routes);
