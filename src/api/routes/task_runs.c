/* api/routes/task_runs.c -- /task_runs: states change only by the rules (orchestration/); its
 * table of routes is at the end. */
#include "api/routes/families.h"

#include "api/openapi_shapes.h"
#include "api/routes/runs.h"
#include "model/filters.h"
#include "model/removal.h"
#include "model/run_bodies.h"

static bool create_task_run(Req *req)
{
    bool created;
    TaskRun *run;
    return task_run_create(req->tx, req->object, &run, &created) && crud_created(req, run, created);
}

static bool set_state(Req *req)
{
    const SetState *body = req->object;
    State state = proposed_state(req);
    /* the reference does not pass the client's version on to task runs */
    TransitionOptions options = { .force = body->force };
    TransitionResult result;
    return task_run_set_state(req->tx, req->params[0], &state, options, &result) && reply_transition(req, &result);
}

static const ListSpec list = {
    .links = task_run_links, .sorts = task_run_sorts, .sort_default = "ID_DESC",
};

#define RUN .model = &task_run_model, .missing = "Task not found"
#define UPDATED_RUN .missing = "Task run not found"

static const Route task_run_routes[] = {
    { HTTP_POST,   "/task_runs/",               create_task_run, TX_WRITE, 200, RUN, .body = &task_run_create_model,
      .doc = { "create_task_run", .other_status = 201,
               .about = "Answers 201 with the new run, or 200 with the run of this flow run that has the keys"
                        " already." } },
    { HTTP_PATCH,  "/task_runs/{id}",           crud_update,     TX_WRITE, 204, UPDATED_RUN,
      .body = &task_run_update_model, .doc = { "update_task_run" } },
    { HTTP_POST,   "/task_runs/count",          crud_count,      TX_READ,  200, RUN, .list = &list,
      .order = ORDER(BODY_FILTERS), .doc = { "count_task_runs", .reply_schema = INTEGER_SCHEMA } },
    { HTTP_POST,   "/task_runs/history",        read_history,    TX_READ,  200, RUN, .list = &list,
      .order = ORDER(BODY_PARAMETERS, BODY_FILTERS), .parameters = &history_model, .prepare = prepare_history,
      .doc = { "task_run_history", .reply = &history_shape, .reply_list = true, .about = HISTORY_ABOUT } },
    { HTTP_GET,    "/task_runs/{id}",           crud_read,       TX_READ,  200, RUN, .doc = { "read_task_run" } },
    { HTTP_POST,   "/task_runs/filter",         crud_list,       TX_READ,  200, RUN, .list = &list,
      .order = ORDER(BODY_LIMIT, BODY_SORT, BODY_OFFSET, BODY_FILTERS), .doc = { "read_task_runs" } },
    { HTTP_DELETE, "/task_runs/{id}",           crud_delete,     TX_WRITE, 204, RUN, .remove = task_run_delete,
      .doc = { "delete_task_run" } },
    { HTTP_POST,   "/task_runs/{id}/set_state", set_state,       TX_WRITE, 200, .parameters = &set_state_model,
      .doc = { "set_task_run_state", .reply = &orchestration_shape, .about = SET_STATE_ABOUT, .other_status = 201 } },
};
const RouteFamily task_run_family = FAMILY(task_run_routes);
