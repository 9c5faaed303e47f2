/* api/routes/work_polls.h -- the record of who asked queues for work. */
#ifndef ORION_WORK_POLLS_H
#define ORION_WORK_POLLS_H

#include "api/request.h"

/* Records a poll of those queues (count 0: of all the pool's) by that agent (null: none) in a write of its own, which
 * no answer waits for. */
void record_polls(const App *app, Str pool_id, const Str *queue_ids, size_t count, Str agent_id);

#endif
