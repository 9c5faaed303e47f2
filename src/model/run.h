/* model/run.h -- states and runs: the structs, and the tables that describe them.
 * Flow and task runs share their first fields. */
#ifndef ORION_RUN_H
#define ORION_RUN_H

#include "base/str_list.h"
#include "entity/codec.h"

typedef enum StateType { /* order of the reference's StateType */
    STATE_NONE = -1,
    STATE_SCHEDULED, STATE_PENDING, STATE_RUNNING, STATE_COMPLETED, STATE_FAILED, STATE_CANCELLED, STATE_CRASHED,
    STATE_PAUSED, STATE_CANCELLING,
    STATE_COUNT
} StateType;
extern const char *const state_type_names[]; /* "SCHEDULED" …, NULL-terminated */
bool state_type_is_final(StateType type);

typedef struct StateDetails { /* schemas.states.StateDetails */
    Str flow_run_id, task_run_id, child_flow_run_id;
    Moment scheduled_time;
    Str cache_key;
    Moment cache_expiration;
    bool untrackable_result;
    Moment pause_timeout;
    bool pause_reschedule;
    Str pause_key;
    OptBool refresh_cache;
} StateDetails;

typedef struct State { /* schemas.states.State; also StateCreate's target */
    Str id;
    int type;        /* StateType */
    Str name;
    Time timestamp;
    Str message;
    Str data;        /* JSON text, null for None */
    StateDetails state_details;
    Str artifact_data;                 /* when read: from the artifact that holds the data */
    Time created, updated;             /* only written, never read: columns of the row */
    Str run_id, result_artifact_id;
} State;

extern const Model state_details_model; /* ignores unknown keys */
extern const Model state_create_model;  /* body: StateCreate */
extern const Model state_model;         /* responses, and rows of flow_run_state */
extern const Model task_run_state_model; /* rows of task_run_state: the same but for the table */
/* Fills in the name from the type if it is null, scheduled_time = now for SCHEDULED, a fresh id and timestamp. */
void state_complete(Arena *arena, State *state, Time now);
/* A completed state of that type without details; `name` NULL: the type's own. */
State *state_new(Arena *arena, StateType type, const char *name, Time now);

typedef struct FlowRunPolicy { /* schemas.core.FlowRunPolicy */
    int64_t max_retries;
    double retry_delay_seconds;
    OptInt retries, retry_delay;
    Str pause_keys;   /* JSON array text, or null */
    OptBool resuming;
} FlowRunPolicy;

typedef struct TaskRunPolicy { /* schemas.core.TaskRunPolicy */
    int64_t max_retries;
    double retry_delay_seconds;
    OptInt retries;
    Str retry_delay;  /* JSON: an int, an array of ints, or null Str */
    OptReal retry_jitter_factor;
} TaskRunPolicy;
extern const Model flow_run_policy_model, task_run_policy_model;

/* What flow runs and task runs have in common, and rules work on. */
typedef struct Run {
    Str id;
    Time created, updated;
    Str name;
    Str state_id;
    int state_type;           /* StateType */
    Str state_name;
    Time state_timestamp;
    int64_t run_count;
    Time expected_start_time, next_scheduled_start_time, start_time, end_time;
    int64_t total_run_time;               /* microseconds */
    int64_t estimated_run_time, estimated_start_time_delta; /* computed by run_estimate */
    Str tags;                             /* JSON array text */
    State *state;                         /* the current one, NULL if none */
} Run;
void run_estimate(Run *run, Time now);

typedef struct FlowRun {
    Run run; /* first member */
    Str flow_id, deployment_id, work_queue_name, flow_version, parameters, idempotency_key, context;
    FlowRunPolicy empirical_policy;
    Str parent_task_run_id;
    bool auto_scheduled;
    Str infrastructure_document_id, infrastructure_pid, created_by, work_queue_id;
    Str work_pool_name;     /* of the joined queue */
} FlowRun;

typedef struct TaskRun {
    Run run; /* first member */
    Str flow_run_id, task_key, dynamic_key, cache_key;
    Time cache_expiration;
    Str task_version;
    TaskRunPolicy empirical_policy;
    Str task_inputs;        /* JSON text */
    int64_t flow_run_run_count;
} TaskRun;

extern const Model flow_run_model, task_run_model; /* responses and columns, in response order */

/* Reads a run with its state (and the names of its queue and pool). NULL: no such run, or tx->error. */
FlowRun *flow_run_read(Tx *tx, Str id);
TaskRun *task_run_read(Tx *tx, Str id);
/* The same, locked first, so that what is decided from it still holds at the commit. */
FlowRun *flow_run_lock(Tx *tx, Str id);
/* The flow run of a task run, for codec_first. */
Rows *flow_run_of_task_query(Tx *tx, Str task_run_id);
/* If anything that rules may change differs from `before`: writes those columns, and `updated`. */
bool flow_run_save(Tx *tx, const FlowRun *before, const FlowRun *run) MUST_CHECK;
bool task_run_save(Tx *tx, const TaskRun *before, const TaskRun *run) MUST_CHECK;

/* In SQL, a = b, but SQLite does not use an index on it: for use where another condition leaves fewer rows. */
#define NO_INDEX_EQ(column, value) "NOT " column " <> " value

/* Locks the failed task runs of a flow run; adds their ids, in order. False: tx->error. */
bool task_runs_lock_failed(Tx *tx, Str flow_run_id, StrList *ids) MUST_CHECK;

/* The run that a body asks for, not inserted yet (what no body can set counts as empty). */
FlowRun *flow_run_new(Tx *tx, const FlowRun *wanted);
TaskRun *task_run_new(Tx *tx, const TaskRun *wanted);
/* Inserts it, as it is after its first state, with that state; then *run is what flow_run_read would return.
 * *ret_exists: its idempotency key, or its task and dynamic keys, are taken, and nothing was inserted. */
bool flow_run_insert(Tx *tx, FlowRun *run, State *state, bool *ret_exists) MUST_CHECK;
bool task_run_insert(Tx *tx, TaskRun *run, State *state, bool *ret_exists) MUST_CHECK;
/* The run that has these keys. NULL: none any more, or tx->error. */
FlowRun *flow_run_of_key(Tx *tx, const FlowRun *run);
TaskRun *task_run_of_keys(Tx *tx, const TaskRun *run);

#endif
