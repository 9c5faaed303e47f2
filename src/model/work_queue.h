/* model/work_queue.h -- work pools, their queues and workers: where agents and workers find the runs that are theirs. */
#ifndef ORION_WORK_QUEUE_H
#define ORION_WORK_QUEUE_H

#include "base/str_list.h"
#include "model/run.h"

#define DEFAULT_AGENT_POOL "default-agent-pool" /* that of queues without a pool of their own */

typedef struct QueueFilter { /* schemas.core.QueueFilter: how queues chose their runs before deployments named a queue */
    Str tags, deployment_ids; /* JSON arrays; null: any */
} QueueFilter;

typedef struct WorkQueue { /* schemas.core.WorkQueue */
    Str id;
    Time created, updated;
    Str name, description;
    bool is_paused;
    OptInt concurrency_limit, priority;
    Str work_pool_id;
    QueueFilter *filter;
    Time last_polled;
} WorkQueue;

typedef struct WorkPool { /* schemas.core.WorkPool */
    Str id;
    Time created, updated;
    Str name, description, type, base_job_template;
    OptBool is_paused;
    OptInt concurrency_limit;
    Str default_queue_id;
} WorkPool;

typedef struct Worker { /* schemas.core.Worker */
    Str id;
    Time created, updated;
    Str name, work_pool_id;
    Time last_heartbeat_time;
} Worker;

extern const Model work_queue_model, work_queue_create_model, work_queue_update_model, work_pool_model, work_pool_create_model,
    work_pool_update_model, worker_model;

/* ---- queues; NULL: not there, or tx->error ---- */

WorkQueue *work_queue_read(Tx *tx, Str id);
/* models.work_queues.read_work_queue_by_name: of the default agent pool. */
WorkQueue *work_queue_read_by_name(Tx *tx, Str name);
/* How many runs of the queue's name are late. */
int64_t work_queue_count_late(Tx *tx, const WorkQueue *queue);
/* models.work_queues.create_work_queue: in the default agent pool, made where it is gone; last in priority, whatever is wanted. */
WorkQueue *work_queue_create(Tx *tx, const WorkQueue *wanted);
/* models.workers.create_work_queue: where a priority is wanted, the others make room. */
WorkQueue *work_queue_create_in(Tx *tx, Str pool_id, const WorkQueue *wanted);
/* models.workers.bulk_update_work_queue_priorities: numbers a pool's queues from 1, that one (null: none) at its place. */
bool work_queue_renumber(Tx *tx, Str pool_id, Str queue_id, int64_t place) MUST_CHECK;
/* Deletes it and the records of the agents that polled it. Rows of queues, -1 on failure (it is a pool's default one). */
int64_t work_queue_delete(Tx *tx, Str id);
/* last_polled = now; with an agent (null: none) also its last activity. */
bool work_queue_record_poll(Tx *tx, Str queue_id, Str agent_id) MUST_CHECK;
bool work_pool_record_poll(Tx *tx, Str pool_id) MUST_CHECK; /* of all its queues */

/* The id of a pool's queue by name. `create`: makes the queue where the pool has none of that name.
 * WorkerLookups._get_work_queue_id_from_name. False: tx->error, ERR_NOT_FOUND with the reference's detail. */
bool work_queue_id_by_name(Tx *tx, Str pool_name, Str queue_name, bool create, Str *ret_id) MUST_CHECK;
/* WorkerLookups._get_default_work_queue_id_from_work_pool_name; likewise. */
bool work_pool_default_queue_id(Tx *tx, Str pool_name, Str *ret_id) MUST_CHECK;
/* models.work_queues._ensure_work_queue_exists: the queue of the default agent pool, made where there is none. */
bool work_queue_ensure(Tx *tx, Str name, Str *ret_id) MUST_CHECK;

/* ---- pools and workers ---- */

/* NULL: tx->error, ERR_NOT_FOUND with the reference's detail where there is none. */
WorkPool *work_pool_read(Tx *tx, Str name);
WorkPool *work_pool_read_shared(Tx *tx, Str name); /* the same, locked against its deletion */
/* NULL: none, or tx->error. */
WorkPool *work_pool_find(Tx *tx, Str name);
/* With its default queue. NULL: tx->error. */
WorkPool *work_pool_create(Tx *tx, const WorkPool *wanted);
/* With its queues and workers. Rows, -1 on failure. */
int64_t work_pool_delete(Tx *tx, Str id);
/* The ids of the pool's queues that a JSON array names, sorted, each once; no names: none. False: tx->error; of names that are unknown
 * the first one is reported. */
bool work_pool_queue_ids(Tx *tx, const WorkPool *pool, Str names, StrList *ret_ids) MUST_CHECK;
bool worker_record_heartbeat(Tx *tx, Str pool_id, Str name) MUST_CHECK;
/* DeploymentCreate / DeploymentUpdate.check_valid_configuration: infra_overrides (JSON object text) against the base job template of
 * the named pool; the default agent pool is not checked. False: tx->error: ERR_NOT_FOUND where there is no such pool, ERR_CONFLICT
 * "Error creating deployment: …" (the reference says "creating" of updates too). */
bool work_pool_check_configuration(Tx *tx, Str pool_name, Str infra_overrides, const char *doing) MUST_CHECK;

/* ---- scheduled runs (model/scheduled_runs.c) ---- */

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
/* models.workers.get_scheduled_flow_runs: WorkerFlowRuns of those queues of the pool (sorted; none: all), by priority. */
bool work_pool_scheduled_runs(Tx *tx, const WorkPool *pool, const StrList *queue_ids, RunWindow window, RunList *ret) MUST_CHECK;

#endif
