/* model/work_queue.h -- the queues of work pools: their rows, by id. Lookups by name are in work_pool.h. */
#ifndef ORION_WORK_QUEUE_H
#define ORION_WORK_QUEUE_H

#include "entity/codec.h"

/* schemas.core.QueueFilter: how queues chose their runs before deployments named a queue */
typedef struct QueueFilter {
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

extern const Model work_queue_model, work_queue_create_model, work_queue_update_model;

WorkQueue *work_queue_read(Tx *tx, Str id);                 /* NULL: no such queue, or tx->error */
WorkQueue *work_queue_find(Tx *tx, Str pool_id, Str name);  /* the same */
/* The number of late runs with the queue's name. */
int64_t work_queue_count_late(Tx *tx, const WorkQueue *queue);
/* models.workers.create_work_queue: if a priority is wanted, the others make room; else it is
 * the last. NULL: tx->error. */
WorkQueue *work_queue_create_in(Tx *tx, Str pool_id, const WorkQueue *wanted);
/* models.workers.bulk_update_work_queue_priorities: numbers a pool's queues from 1, with that
 * queue (null: none) at `place`. */
bool work_queue_renumber(Tx *tx, Str pool_id, Str queue_id, int64_t place) MUST_CHECK;
bool work_queue_record_poll(Tx *tx, Str queue_id, Time at) MUST_CHECK; /* last_polled; the caller locks it */
/* The last activity of an agent, which may be new. */
bool agent_record_poll(Tx *tx, Str agent_id, Str queue_id, Time at) MUST_CHECK;

#endif
