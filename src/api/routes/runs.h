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
#define SET_STATE_ABOUT "Proposes a state. The rules accept it, put another in its place, ask to wait or refuse; status and details tell."
#define HISTORY_ABOUT "Counts the runs of each interval by their states; at most 500 intervals."
/* The body's state with its id, name and times, made anew each time the transaction runs. */
State proposed_state(Req *req);
/* The answer of set_state and resume: 201 where this request made the state that is answered. */
bool reply_transition(Req *req, const TransitionResult *result);

/* POST …/history; req->route->spec is the family's ListSpec. */
extern const Model history_model;
bool prepare_history(Req *req);
bool read_history(Req *req);

#endif
