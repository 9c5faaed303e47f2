/* model/run_graph.h -- the task runs of a flow run and the inputs of each, for the UI's graphs. */
#ifndef ORION_RUN_GRAPH_H
#define ORION_RUN_GRAPH_H

#include "model/run.h"

/* Writes the array of DependencyResult, newest id first (models.flow_runs.read_task_run_dependencies). Inputs that
 * are not task runs are left out: the reference answers 500 for them. False: tx->error, ERR_OBJECT_NOT_FOUND if
 * there is no such flow run. */
bool run_graph_write(Tx *tx, Str flow_run_id, JsonWriter *w) MUST_CHECK;

#endif
