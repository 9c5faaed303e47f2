/* api/routes/run_states.c -- /flow_run_states and /task_run_states: the history of one run; its two tables
 * of routes are at the end. */
#include "api/routes/families.h"

#include "model/run.h"
#include "model/run_state.h"

typedef struct RunParameter {
    Str flow_run_id, task_run_id;
} RunParameter;

static const Field flow_run_fields[] = { FIELD(RunParameter, flow_run_id, F_UUID, .flags = REQUIRED) };
static const Field task_run_fields[] = { FIELD(RunParameter, task_run_id, F_UUID, .flags = REQUIRED) };
static const Model flow_run_parameter = MODEL(RunParameter, flow_run_fields);
static const Model task_run_parameter = MODEL(RunParameter, task_run_fields);

static bool read_flow_run_states(Req *req)
{
    const RunParameter *wanted = req->object;
    return list_reply(req, run_states_query(req->tx, FLOW_RUN, wanted->flow_run_id), &state_model);
}

static bool read_task_run_states(Req *req)
{
    const RunParameter *wanted = req->object;
    return list_reply(req, run_states_query(req->tx, TASK_RUN, wanted->task_run_id), &state_model);
}

static bool read_flow_run_state(Req *req)
{
    return crud_reply(req, run_state_read(req->tx, FLOW_RUN, req->params[0]));
}

static bool read_task_run_state(Req *req)
{
    return crud_reply(req, run_state_read(req->tx, TASK_RUN, req->params[0]));
}

#define STATE .model = &state_model, .missing = "Flow run state not found" /* the reference's text, for task runs too */

static const Route flow_run_state_routes[] = {
    { HTTP_GET, "/flow_run_states/{id}", read_flow_run_state,  TX_READ, 200, STATE, .doc = { "read_flow_run_state" } },
    { HTTP_GET, "/flow_run_states/",     read_flow_run_states, TX_READ, 200, STATE, .query = &flow_run_parameter,
      .doc = { "read_flow_run_states", .reply_list = true } },
};
const RouteFamily flow_run_state_family = FAMILY(flow_run_state_routes);

static const Route task_run_state_routes[] = {
    { HTTP_GET, "/task_run_states/{id}", read_task_run_state,  TX_READ, 200, STATE, .doc = { "read_task_run_state" } },
    { HTTP_GET, "/task_run_states/",     read_task_run_states, TX_READ, 200, STATE, .query = &task_run_parameter,
      .doc = { "read_task_run_states", .reply_list = true } },
};
const RouteFamily task_run_state_family = FAMILY(task_run_state_routes);
