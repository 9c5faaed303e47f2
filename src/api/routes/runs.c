/* api/routes/runs.c -- what /flow_runs and /task_runs share: set_state and history. */
#include "api/routes/runs.h"

#include "model/run_history.h"

static const Field set_state_fields[] = {
    FIELD(SetState, state, F_MODEL, .flags = REQUIRED, .model = &state_create_model),
    FIELD(SetState, force, F_BOOL, .fallback = "false"),
};
const Model set_state_model = MODEL(SetState, set_state_fields);

State proposed_state(Req *req)
{
    State state = ((const SetState *)req->object)->state;
    state_complete(req->arena, &state, req->tx->now);
    return state;
}

bool reply_transition(Req *req, const TransitionResult *result)
{
    reply_status(req, result->is_new ? 201 : 200);
    transition_write(reply_json(req), result);
    return true;
}

typedef struct HistoryBody {
    Time history_start, history_end;
    int64_t history_interval_seconds; /* microseconds here, as all durations */
} HistoryBody;

static const Field history_fields[] = {
    FIELD(HistoryBody, history_start, F_TIME, .flags = REQUIRED),
    FIELD(HistoryBody, history_end, F_TIME, .flags = REQUIRED),
    FIELD(HistoryBody, history_interval_seconds, F_DURATION, .flags = REQUIRED),
};
const Model history_model = MODEL(HistoryBody, history_fields);

bool prepare_history(Req *req)
{
    const HistoryBody *body = req->object;
    return body->history_interval_seconds >= SECOND
           || req_fail(req, ERR_INVALID, "History interval must not be less than 1 second.");
}

bool read_history(Req *req)
{
    const HistoryBody *body = req->object;
    RunHistory history = {
        .start = body->history_start,
        .end = body->history_end,
        .interval = body->history_interval_seconds,
        .table = req->route->model->table,
    };
    return run_history_write(req->tx, &history, &req->query, reply_json(req));
}
