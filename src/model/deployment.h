/* model/deployment.h -- deployments: how and when a flow is to be run. */
#ifndef ORION_DEPLOYMENT_H
#define ORION_DEPLOYMENT_H

#include "entity/codec.h"

typedef struct Deployment { /* schemas.responses.DeploymentResponse; bodies fill it too */
    Str id;
    Time created, updated;
    Str name, version, description, flow_id;
    Str schedule;             /* from deployment_schedule_decode, or null; deployment_schedule_anchored: to be stored */
    bool is_schedule_active;
    Str infra_overrides, parameters, tags;
    Str work_queue_name;      /* when read: the name of its queue, if it has one;
                               * stored_queue_name is the column itself */
    Str parameter_openapi_schema, path, entrypoint, manifest_path, storage_document_id, infrastructure_document_id;
    Str created_by, updated_by;
    Str work_pool_name;       /* of the queue's pool */
    Str work_queue_id, stored_queue_name;
    Str dropped;              /* fields of older clients, never read */
} Deployment;

extern const Model deployment_model, deployment_create_model, deployment_update_model;

/* NULL: no such deployment, or tx->error. */
Deployment *deployment_read(Tx *tx, Str id);
Deployment *deployment_read_by_name(Tx *tx, Str flow_name, Str name);

/* Creates the deployment, or changes the one of that flow and name (*ret_created), with the queue that it names. Drops
 * its planned future runs if what they are made from has changed, and all planned runs that have not begun if the
 * schedule was switched off. NULL: tx->error: ERR_NOT_FOUND, ERR_CONFLICT if pool, configuration or blocks do not fit,
 * ERR_INTEGRITY if there is no such flow. */
Deployment *deployment_upsert(Tx *tx, const Deployment *wanted, bool *ret_created);
/* Changes what was sent; drops planned runs likewise. False: tx->error, ERR_NOT_FOUND if
 * there is no such deployment. */
bool deployment_update(Tx *tx, Str id, const Deployment *update, FieldSet sent) MUST_CHECK;
/* Switches the schedule on, or off and drops its planned runs. False: tx->error. */
bool deployment_set_schedule_active(Tx *tx, const Deployment *deployment, bool active) MUST_CHECK;
/* Whether both would plan the same runs. Both must have been read: stored JSON has one form,
 * so texts can be compared. */
bool deployment_plans_alike(const Deployment *a, const Deployment *b);
/* Read and locked until the transaction ends, so that nobody else changes it; or shared, so that neither it nor its
 * queue is deleted while others may create runs of it, too. NULL: no such deployment, or tx->error. */
Deployment *deployment_read_locked(Tx *tx, Str id);
Deployment *deployment_read_shared(Tx *tx, Str id);

#endif
