/* model/deployment_run.h -- what a deployment means for a run that is made of it. */
#ifndef ORION_DEPLOYMENT_RUN_H
#define ORION_DEPLOYMENT_RUN_H

#include "model/deployment.h"
#include "model/run.h"
#include "model/work_queue.h"

/* The run that is wanted, with what the deployment gives: its flow and queue, its parameters and tags besides the run's
 * own, and its infrastructure where the run names none. In the arena. */
FlowRun deployment_run(Arena *arena, const Deployment *deployment, const FlowRun *wanted);
/* The queues that would take the deployment's runs by their filters, from before deployments named a queue, as a JSON
 * array. False: tx->error. */
bool deployment_queues_write(Tx *tx, const Deployment *deployment, JsonWriter *w) MUST_CHECK;

#endif
