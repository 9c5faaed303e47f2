/* api/routes/run_states.c -- /flow_run_states and /task_run_states: the history of one run. The routes stand at the end. */
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

/* The states of one run, the oldest first. */
static bool reply_states(Req *req, RunKind kind, Str run_id)
{
    Rows *rows = run_states_query(req->tx, kind, run_id);
    JsonWriter *w = reply_json(req);
    State state;
    json_array(w);
    while (codec_next(req->tx, rows, &state_model, &state))
        codec_write(w, &state_model, &state);
    json_array_end(w);
    return req->tx->error->code == ERR_NONE;
}

static bool reply_state(Req *req, RunKind kind, const char *missing)
{
    const State *state = run_state_read(req->tx, kind, req->params[0]);
    if (!state)
        return req_fail(req, ERR_NOT_FOUND, missing);
    reply_model(req, &state_model, state);
    return true;
}

static bool read_flow_run_states(Req *req)
{
    return reply_states(req, FLOW_RUN, ((const RunParameter *)req->object)->flow_run_id);
}

static bool read_task_run_states(Req *req)
{
    return reply_states(req, TASK_RUN, ((const RunParameter *)req->object)->task_run_id);
}

static bool read_flow_run_state(Req *req)
{
    return reply_state(req, FLOW_RUN, "Flow run state not found");
}

static bool read_task_run_state(Req *req)
{
    return reply_state(req, TASK_RUN, "Flow run state not found"); /* the reference's text, for task runs too */
}

static const Route flow_run_state_routes[] = {
    { HTTP_GET, "/flow_run_states/{id}", read_flow_run_state,  TX_READ, 200, .name = "read_flow_run_state", .reply = &state_model },
    { HTTP_GET, "/flow_run_states/",     read_flow_run_states, TX_READ, 200, .query = &flow_run_parameter,
      .name = "read_flow_run_states", .reply = &state_model, .reply_list = true },
};
const RouteFamily flow_run_state_family = FAMILY(flow_run_state_routes);

static const Route task_run_state_routes[] = {
    { HTTP_GET, "/task_run_states/{id}", read_task_run_state,  TX_READ, 200, .name = "read_task_run_state", .reply = &state_model },
    { HTTP_GET, "/task_run_states/",     read_task_run_states, TX_READ, 200, .query = &task_run_parameter,
      .name = "read_task_run_states", .reply = &state_model, .reply_list = true },
};
const RouteFamily task_run_state_family = FAMILY(task_run_state_routes);
