/* orchestration/orchestration.h -- changes of a run's state, by the rules or by force, and new runs. */
#ifndef ORION_ORCHESTRATION_H
#define ORION_ORCHESTRATION_H

#include "model/run.h"

typedef enum TransitionStatus {
    TRANSITION_ACCEPT, TRANSITION_REJECT, TRANSITION_ABORT, TRANSITION_WAIT
} TransitionStatus;

/* schemas.responses.OrchestrationResult */
typedef struct TransitionResult {
    State *state;              /* NULL: null */
    bool is_new;               /* the state was written, and is not that which the run had before */
    TransitionStatus status;
    Str reason;                /* null for ACCEPT */
    int64_t delay_seconds;     /* WAIT */
} TransitionResult;

/* X-PREFECT-API-VERSION as a number: 0.8.4 -> 804; 0: none was sent (then: the latest). */
typedef struct TransitionOptions {
    bool force;                /* minimal policy instead of the core one */
    unsigned api_version;      /* major * 10000 + minor * 100 + patch; 0: none sent */
} TransitionOptions;

/* set_flow_run_state / set_task_run_state of the reference's models: locks the run, reads it and makes the transition.
 * `proposed` must be complete (state_complete). `ret` may be NULL. False: tx->error (ERR_OBJECT_NOT_FOUND "Flow run
 * with id … not found", …). */
bool flow_run_set_state(Tx *tx, Str id, const State *proposed, TransitionOptions options,
                        TransitionResult *ret) MUST_CHECK;
bool task_run_set_state(Tx *tx, Str id, const State *proposed, TransitionOptions options,
                        TransitionResult *ret) MUST_CHECK;

/* The same for a run that this transaction has locked and then read, and not changed since. *run changes along with its
 * row. */
bool flow_run_transition(Tx *tx, FlowRun *run, const State *proposed, TransitionOptions options,
                         TransitionResult *ret) MUST_CHECK;
bool task_run_transition(Tx *tx, TaskRun *run, const State *proposed, TransitionOptions options,
                         TransitionResult *ret) MUST_CHECK;

/* create_flow_run / create_task_run: creates the run that a body asks for (model/run_bodies.h) and forces the body's
 * state on it, or PENDING. *ret_created is false if the run exists already, which is then returned unchanged. */
bool flow_run_create(Tx *tx, const FlowRun *wanted, unsigned api_version, FlowRun **ret_run,
                     bool *ret_created) MUST_CHECK;
bool task_run_create(Tx *tx, const TaskRun *wanted, TaskRun **ret_run, bool *ret_created) MUST_CHECK;

/* {"state":…,"status":…,"details":{…}} */
void transition_write(JsonWriter *w, const TransitionResult *result);

#endif
