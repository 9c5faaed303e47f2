/* model/work_pool.h -- work pools and their workers, and lookups by the names of pools and queues. */
#ifndef ORION_WORK_POOL_H
#define ORION_WORK_POOL_H

#include "base/str_list.h"
#include "model/work_queue.h"

#define DEFAULT_AGENT_POOL "default-agent-pool" /* the pool of queues that name none */

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

extern const Model work_pool_model, work_pool_create_model, work_pool_update_model, worker_model;

/* ---- pools and workers ---- */

/* NULL: tx->error, ERR_NOT_FOUND with the reference's detail if there is none. */
WorkPool *work_pool_read(Tx *tx, Str name);
WorkPool *work_pool_read_shared(Tx *tx, Str name); /* the same, locked against its deletion */
/* NULL: no such pool, or tx->error. */
WorkPool *work_pool_find(Tx *tx, Str name);
/* Creates it with its default queue. NULL: tx->error. */
WorkPool *work_pool_create(Tx *tx, const WorkPool *wanted);
/* last_polled of all queues that it had then; the caller locks them. */
bool work_pool_record_poll(Tx *tx, Str pool_id, Time at) MUST_CHECK;
/* The ids of the pool's queues that a JSON array names, sorted, each once; none if there are no names. False:
 * tx->error, which reports the first unknown name. */
bool work_pool_queue_ids(Tx *tx, const WorkPool *pool, Str names, StrList *ret_ids) MUST_CHECK;
bool worker_record_heartbeat(Tx *tx, Str pool_id, Str name) MUST_CHECK;
/* DeploymentCreate / DeploymentUpdate.check_valid_configuration: infra_overrides against the base job template
 * of the named pool; the default agent pool is not checked. False: tx->error: ERR_CONFLICT, or ERR_NOT_FOUND
 * if there is no such pool. */
bool work_pool_check_configuration(Tx *tx, Str pool_name, Str infra_overrides) MUST_CHECK;

/* ---- queues by name ---- */

/* models.work_queues.read_work_queue_by_name: of the default agent pool. NULL: no such queue, or tx->error. */
WorkQueue *work_queue_read_by_name(Tx *tx, Str name);
/* models.work_queues.create_work_queue: in the default agent pool, which is created if need be; last in priority,
 * whatever is wanted. NULL: tx->error. */
WorkQueue *work_queue_create(Tx *tx, const WorkQueue *wanted);
/* models.work_queues._ensure_work_queue_exists: the queue of the default agent pool, created if there is none. */
bool work_queue_ensure(Tx *tx, Str name, Str *ret_id) MUST_CHECK;
/* The id of a pool's queue by name. `create`: creates the queue if the pool has none of that name.
 * WorkerLookups._get_work_queue_id_from_name. False: tx->error, ERR_NOT_FOUND with the reference's detail. */
bool work_queue_id_by_name(Tx *tx, Str pool_name, Str queue_name, bool create, Str *ret_id) MUST_CHECK;
/* WorkerLookups._get_default_work_queue_id_from_work_pool_name; likewise. */
bool work_pool_default_queue_id(Tx *tx, Str pool_name, Str *ret_id) MUST_CHECK;

#endif
