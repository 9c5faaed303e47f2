/* api/routes/queue_polls.h -- records who polled queues for work. */
#ifndef ORION_QUEUE_POLLS_H
#define ORION_QUEUE_POLLS_H

#include "api/request.h"

/* Records a poll of those queues (count 0: of all the pool's) by that agent (null: none) in a write of its own, which
 * no answer waits for. A key that may only read leaves none. */
void queue_polls_record(const Req *req, Str pool_id, const Str *queue_ids, size_t count, Str agent_id);

#endif
