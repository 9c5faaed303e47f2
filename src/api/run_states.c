/* api/run_states.c -- /flow_run_states and /task_run_states: the history of one run. The routes stand at the end. */
#include "api/families.h"

#include "model/run.h"
#include "model/run_state.h"

typedef struct RunParameter {
    Str flow_run_id, task_run_id;
} RunParameter;

static const Field flow_run_parameter = FIELD(RunParameter, flow_run_id, F_UUID, .flags = REQUIRED);
static const Field task_run_parameter = FIELD(RunParameter, task_run_id, F_UUID, .flags = REQUIRED);

static bool prepare_flow_run(Req *req)
{
    req->object = arena_new_of(req->arena, RunParameter);
    return query_field(req, &flow_run_parameter, req->object);
}

static bool prepare_task_run(Req *req)
{
    req->object = arena_new_of(req->arena, RunParameter);
    return query_field(req, &task_run_parameter, req->object);
}

static bool reply_states(Req *req, State *const *states, size_t count)
{
    if (req->tx->error->code != ERR_NONE)
        return false;
    JsonWriter *w = reply_json(req);
    json_array(w);
    for (size_t i = 0; i < count; i++)
        codec_write(w, &state_model, states[i]);
    json_array_end(w);
    return true;
}

static bool reply_state(Req *req, const State *state, const char *missing)
{
    if (!state)
        return req_fail(req, ERR_NOT_FOUND, missing);
    reply_model(req, &state_model, state);
    return true;
}
