/* orchestration/transition.h -- what rules see and do. Only the files of orchestration/ include it. */
#ifndef ORION_TRANSITION_H
#define ORION_TRANSITION_H

#include "model/concurrency_limit.h"
#include "orchestration/orchestration.h"

typedef struct Transition Transition;
typedef bool (*Hook)(Transition *t); /* false: tx->error; the whole operation is undone */

/* Sets of state types, with a place for "no state". */
#define ST(type) (1u << ((type) + 1))
enum {
    ST_NONE = ST(STATE_NONE),
    ST_SCHEDULED = ST(STATE_SCHEDULED), ST_PENDING = ST(STATE_PENDING), ST_RUNNING = ST(STATE_RUNNING),
    ST_COMPLETED = ST(STATE_COMPLETED), ST_FAILED = ST(STATE_FAILED), ST_CANCELLED = ST(STATE_CANCELLED),
    ST_CRASHED = ST(STATE_CRASHED), ST_PAUSED = ST(STATE_PAUSED), ST_CANCELLING = ST(STATE_CANCELLING),
    ST_FINAL = ST_COMPLETED | ST_FAILED | ST_CANCELLED | ST_CRASHED,
    ST_ANY = ST(STATE_COUNT) - 1
};

/* A rule governs the transitions from a state of `from` to one of `to`. A transform (`to` and `from` unused) sees every
 * transition that writes a state, and never changes where it leads. Hooks may be NULL. */
typedef struct Rule {
    const char *name;
    unsigned from, to;
    bool transform;
    Hook before;  /* the state is not written yet; may reject, abort, delay, rename */
    Hook after;   /* the transition went through as this rule left it */
    Hook cleanup; /* another rule changed the transition since: undo `before` */
} Rule;

typedef struct Policy {
    const Rule *const *rules;
    size_t count;
} Policy;
extern const Policy core_flow_policy, minimal_flow_policy, global_flow_policy;
extern const Policy core_task_policy, minimal_task_policy, global_task_policy;

/* A rule taking part in a transition: the pair of states as it knows it. */
typedef struct ActiveRule {
    const Rule *rule;
    int from, to;  /* StateType; changed with the transition only by the rule itself */
    bool entered;
} ActiveRule;

/* One change of a run's state, on the stack of flow_run_transition or task_run_transition. */
struct Transition {
    Tx *tx;
    Run *run;
    FlowRun *flow_run;     /* the run, if it is a flow run; else NULL */
    TaskRun *task_run;     /* or a task run */
    const State *initial;  /* NULL: the run had no state */
    State *proposed;       /* NULL: nothing will be written */
    State *validated;      /* in `after` and `cleanup`: what the run's state is now */
    unsigned api_version;
    bool is_new;           /* the run is inserted with its first state, the proposed one */
    bool exists;           /* it was not: another run has its keys, and the transition has ended */
    const void *before;    /* the run as its row is, before the rules changed it; of a new run: as inserted */
    TransitionResult result;
    ActiveRule *active;    /* whose hook runs */
    FlowRun *parent;       /* of a task run, once read */
    /* Of task runs: what the rules will want to know, asked for together with the run; NULL: not asked for. */
    Rows *parent_rows, *cached_rows, *newest_rows, *limit_rows;

    /* What rules remember from `before` to `after` or `cleanup`. */
    Str pause_key;
    FlowRunPolicy original_policy;
    int64_t original_run_count;
    ConcurrencyLimit **limits;
    size_t limit_count;
};

/* StateType, STATE_NONE for no state */
int state_type_of(const State *state);
/* The flow run itself, or the task run's. NULL: no such run, or tx->error. */
FlowRun *transition_flow_run(Transition *t);
enum { /* since which API version clients do something themselves */
    VERSION_RETRIES_OWN_TASKS = 803, /* rerun a flow's failed tasks */
    VERSION_PAUSES = 804             /* pause and resume */
};
/* Whether the client sent this version, a later one, or none. */
bool transition_version_from(const Transition *t, unsigned version);

/* What a rule may do in `before`. Each returns true, for the hook to return, unless it is impossible. */
bool transition_reject(Transition *t, State *instead, Str reason) MUST_CHECK; /* NULL: nothing is written */
bool transition_abort(Transition *t, Str reason);
bool transition_delay(Transition *t, int64_t seconds, Str reason);
void transition_rename(Transition *t, const char *name);

/* ---- rows of the policies ---- */

/* rules_run.c */
extern const Rule prevent_redundant_transitions, copy_scheduled_time, wait_for_scheduled_time;
/* rules_flow.c */
extern const Rule handle_flow_terminal_state_transitions, handle_cancelling_state_transitions, handle_pausing_flows,
    handle_resuming_paused_flows, retry_failed_flows;
/* rules_task.c */
extern const Rule cache_retrieval, handle_task_terminal_state_transitions, prevent_running_tasks_from_stopped_flows,
    secure_task_concurrency_slots, retry_failed_tasks, rename_reruns, update_flow_run_tracker_on_tasks, cache_insertion,
    release_task_concurrency_slots;
/* transforms.c */
extern const Rule set_run_state_type, set_run_state_name, set_run_state_timestamp, set_start_time, set_end_time,
    increment_run_time, set_expected_start_time, set_next_scheduled_start_time, update_state_details,
    update_subflow_parent_task, update_subflow_state_details, increment_flow_run_count, remove_resuming_indicator,
    increment_task_run_count;

#endif
