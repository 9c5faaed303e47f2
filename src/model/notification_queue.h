/* model/notification_queue.h -- notifications waiting to be sent; services/flow_run_notifications.c sends them. */
#ifndef ORION_NOTIFICATION_QUEUE_H
#define ORION_NOTIFICATION_QUEUE_H

#include "model/run.h"

/* The active policies: asked for before a transition, so that this takes no round trip of its own. */
Rows *notification_policies_active(Tx *tx);
/* Queues a notification of the flow run's current state for each of them that matches the state's name and the run's
 * tags. False: tx->error. */
bool notification_queue_add(Tx *tx, Rows *policies, const FlowRun *run) MUST_CHECK;

#endif
