/* api/routes/queue_polls.h -- records who polled queues for work. */
#ifndef ORION_QUEUE_POLLS_H
#define ORION_QUEUE_POLLS_H

#include "api/request.h"

/* Records a poll of these queues (count 0: all queues of the pool) by this agent (null: none), in a separate write that
 * no response waits for. Polls with a read-only key are not recorded. */
void queue_polls_record(const Req *req, Str pool_id, const Str *queue_ids, size_t count, Str agent_id);

#endif
