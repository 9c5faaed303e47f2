/* model/run_state.h -- rows of flow_run_state and task_run_state, and the task cache. Data lives in artifact rows;
 * older rows hold it themselves. */
#ifndef ORION_RUN_STATE_H
#define ORION_RUN_STATE_H

#include "model/run.h"

/* Whose states: the two tables differ only in the column that names the run. */
typedef enum RunKind { FLOW_RUN, TASK_RUN } RunKind;

/* One state by its id. NULL: no such state, or tx->error. */
State *run_state_read(Tx *tx, RunKind kind, Str id);
/* All states of a run, oldest first: rows of state_model. */
Rows *run_states_query(Tx *tx, RunKind kind, Str run_id);
/* The row of a run's state. */
State run_state_row(const Tx *tx, Str run_id, const State *state);
/* Inserts the state and, if it has data, the artifact that holds it. */
bool run_state_insert(Tx *tx, RunKind kind, Str run_id, const State *state) MUST_CHECK;

/* The task cache: the newest state under that key that has not expired, of task_run_state_model; no row: none. */
Rows *task_cache_query(Tx *tx, Str key);
/* What the key has that is not older than now, for task_cache_insert, which stores a task run's state under its
 * cache_key. False: tx->error. */
Rows *task_cache_newest(Tx *tx, Str key);
bool task_cache_insert(Tx *tx, const State *state, Rows *newest) MUST_CHECK;

/* For a SELECT with a table called `state`: joins the artifacts, from which state_model reads a column. */
#define STATE_ARTIFACT_JOIN " LEFT JOIN artifact AS state_artifact ON state_artifact.id = state.result_artifact_id"

#endif
