/* model/run_pickup.h -- the scheduled runs that agents and workers may pick up. */
#ifndef ORION_RUN_PICKUP_H
#define ORION_RUN_PICKUP_H

#include "base/str_list.h"
#include "model/run.h"
#include "model/work_pool.h"

typedef struct RunWindow { /* of next_scheduled_start_time; TIME_NULL: open */
    Time after, before;
    int64_t limit;
} RunWindow;

typedef struct WorkerFlowRun { /* schemas.responses.WorkerFlowRunResponse */
    Str work_pool_id, work_queue_id;
    FlowRun flow_run;
} WorkerFlowRun;
extern const Model worker_flow_run_model;

typedef struct RunList {
    void **runs; /* FlowRun or WorkerFlowRun */
    size_t count;
} RunList;

/* models.work_queues.get_runs_in_work_queue: FlowRuns. False: tx->error. */
bool work_queue_scheduled_runs(Tx *tx, const WorkQueue *queue, RunWindow window, RunList *ret) MUST_CHECK;
/* models.workers.get_scheduled_flow_runs: WorkerFlowRuns of those queues of the pool (sorted;
 * empty: of all), by priority. */
bool work_pool_scheduled_runs(Tx *tx, const WorkPool *pool, const StrList *queue_ids, RunWindow window,
                              RunList *ret) MUST_CHECK;

#endif
