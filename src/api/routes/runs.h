/* api/routes/runs.h -- what /flow_runs and /task_runs share: set_state and history. */
#ifndef ORION_RUNS_H
#define ORION_RUNS_H

#include "api/request.h"
#include "orchestration/orchestration.h"

typedef struct SetState {
    State state;
    bool force;
} SetState;
extern const Model set_state_model; /* parameters of set_state */
#define SET_STATE_ABOUT \
    "Proposes a state. The rules accept it, replace it, delay it or refuse it: see status and details."
#define HISTORY_ABOUT "Counts the runs of each interval by their states; at most 500 intervals."
/* The body's state with its id, name and times, made again each time the transaction runs. */
State proposed_state(Req *req);
/* The answer of set_state and resume: 201 if this request made the state in it. */
bool reply_transition(Req *req, const TransitionResult *result) MUST_CHECK;

/* POST …/history of the runs that req->route->model names. */
extern const Model history_model;
bool prepare_history(Req *req) MUST_CHECK;
bool read_history(Req *req) MUST_CHECK;

#endif
