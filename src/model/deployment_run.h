/* model/deployment_run.h -- what a run made from a deployment inherits, and the queues that would take it. */
#ifndef ORION_DEPLOYMENT_RUN_H
#define ORION_DEPLOYMENT_RUN_H

#include "model/deployment.h"
#include "model/run.h"
#include "model/work_queue.h"

/* The wanted run with what the deployment adds: its flow and queue, its parameters and tags (merged with the run's
 * own), and its infrastructure if the run names none. In the arena. */
FlowRun deployment_run(Arena *arena, const Deployment *deployment, const FlowRun *wanted);
/* Writes a JSON array of the queues whose filters would take the deployment's runs: how it worked before deployments
 * named a queue. False: tx->error. */
bool deployment_queues_write(Tx *tx, const Deployment *deployment, JsonWriter *w) MUST_CHECK;

#endif
