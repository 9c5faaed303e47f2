/* model/notification_queue.h -- notifications waiting to be sent; services/flow_run_notifications.c sends them. */
#ifndef ORION_NOTIFICATION_QUEUE_H
#define ORION_NOTIFICATION_QUEUE_H

#include "model/run.h"

/* Queues a notification of the flow run's current state for every active policy that matches the state's name and the
 * run's tags. False: tx->error. */
bool notification_queue_add(Tx *tx, const FlowRun *run) MUST_CHECK;

#endif
