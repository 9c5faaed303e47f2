/* model/artifact.h -- results of runs, stored apart from their states. */
#ifndef ORION_ARTIFACT_H
#define ORION_ARTIFACT_H

#include "db/db.h"

/* Stores JSON text for a flow run or a task run (the other id is null). Its id, null on failure (tx->error). */
Str artifact_insert(Tx *tx, Str data, Str flow_run_id, Str task_run_id);

#endif
