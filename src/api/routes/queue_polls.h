/* api/routes/queue_polls.h -- records who polled queues for work. */
#ifndef ORION_QUEUE_POLLS_H
#define ORION_QUEUE_POLLS_H

#include "api/request.h"
#include "model/work_queue.h"

typedef struct QueuePolls QueuePolls;

QueuePolls *queue_polls_new(Db *db); /* the thread starts with the first poll */
/* Writes what is not yet written. Call it after the last response that counts, and before the database is closed. */
void queue_polls_stop(QueuePolls *polls);
void queue_polls_free(QueuePolls *polls); /* after the database is closed: until then, its jobs may record polls */

/* Records a poll of these queues (count 0: all queues of the pool) by this agent (null: none), in a separate write that
 * no response waits for. Polls with a read-only key are not recorded. */
void queue_polls_record(const Req *req, Str pool_id, const Str *queue_ids, size_t count, Str agent_id);
/* Adds to a queue as it was read what is recorded but may not be written yet. For ListSpec.add, too. */
void queue_polls_add(const Req *req, void *queue);
/* Answers with the queue, to which polls were added; NULL: the route's 404. */
bool queue_polls_reply(Req *req, WorkQueue *queue) MUST_CHECK;
/* A client sets the queue's last_polled itself: earlier polls count no more. */
void queue_polls_forget(const Req *req, const WorkQueue *queue);

#endif
