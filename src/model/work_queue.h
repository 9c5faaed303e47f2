/* model/work_queue.h -- work pools, their queues and workers: where agents and workers find the runs that are theirs. */
#ifndef ORION_WORK_QUEUE_H
#define ORION_WORK_QUEUE_H

#include "entity/codec.h"

/* The id of a pool's queue by name. `create`: makes the queue where the pool has none of that name.
 * WorkerLookups._get_work_queue_id_from_name. False: tx->error, ERR_NOT_FOUND with the reference's detail. */
bool work_queue_id_by_name(Tx *tx, Str pool_name, Str queue_name, bool create, Str *ret_id) MUST_CHECK;
/* WorkerLookups._get_default_work_queue_id_from_work_pool_name; likewise. */
bool work_pool_default_queue_id(Tx *tx, Str pool_name, Str *ret_id) MUST_CHECK;
/* models.work_queues._ensure_work_queue_exists: the queue of the default agent pool, made where there is none. */
bool work_queue_ensure(Tx *tx, Str name, Str *ret_id) MUST_CHECK;
/* DeploymentCreate / DeploymentUpdate.check_valid_configuration: infra_overrides (JSON object text) against the base job template of
 * the named pool; the default agent pool is not checked. False: tx->error: ERR_NOT_FOUND where there is no such pool, ERR_CONFLICT
 * "Error creating deployment: …" (`doing` is "creating" or "updating"). */
bool work_pool_check_configuration(Tx *tx, Str pool_name, Str infra_overrides, const char *doing) MUST_CHECK;

#endif
