/* model/run_bodies.h -- the bodies that create and change runs: schemas.actions.FlowRunCreate, …Update,
 * DeploymentFlowRunCreate, TaskRunCreate, …Update. */
#ifndef ORION_RUN_BODIES_H
#define ORION_RUN_BODIES_H

#include "model/run.h"

/* The create bodies fill a FlowRun or TaskRun: what they cannot set is zero, and the state (of state_create_model) is
 * not completed yet. An empty or null name is replaced by a generated one, as the reference does even in updates. */
extern const Model flow_run_create_model, flow_run_update_model, deployment_run_create_model;
extern const Model task_run_create_model, task_run_update_model;

/* PREFECT_ORION_TASK_CACHE_KEY_MAX_LENGTH, set once before requests are served. */
void run_bodies_set_cache_key_max(int64_t characters);

#endif
