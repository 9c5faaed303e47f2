/* model/removal.h -- deleting what may have many runs. Each of these does as much as its transaction has time for; if
 * something is left, tx->again is set, and 0 is returned. Runs go whole, and the row itself goes last, so that what is
 * interrupted can be asked for again. Rows deleted, -1 on failure. */
#ifndef ORION_REMOVAL_H
#define ORION_REMOVAL_H

#include "base/str_list.h"
#include "db/db.h"

/* With its states, logs, artifacts and task runs, the first two of which the reference leaves behind, or fails on the
 * third; subflows stay, without their parent. Of a run with many task runs or logs those go first. */
int64_t flow_run_delete(Tx *tx, Str id);
int64_t task_run_delete(Tx *tx, Str id);
/* Never in steps: for runs that are part of something larger, and small. */
int64_t flow_run_delete_at_once(Tx *tx, Str id);
bool flow_run_send_delete(Tx *tx, Str id) MUST_CHECK; /* the same, sent with what follows; false: tx->error */

/* Never in steps, either: rows of log or task_run_state_cache. `table` is a literal. */
int64_t rows_delete(Tx *tx, const char *table, const StrList *ids);

int64_t flow_delete(Tx *tx, Str id);       /* with its runs and deployments */
int64_t deployment_delete(Tx *tx, Str id); /* with all its scheduled runs, whoever created them */

/* With the records of the agents that polled it. -1 also for a pool's default queue: ERR_INTEGRITY. */
int64_t work_queue_delete(Tx *tx, Str id);
int64_t work_pool_delete(Tx *tx, Str id);  /* with its queues and workers */

/* With the documents, and with the deployments and runs that name them as their infrastructure, or storage. */
int64_t block_document_delete(Tx *tx, Str id);
int64_t block_schema_delete(Tx *tx, Str id);
int64_t block_type_delete(Tx *tx, Str id);

#endif
