/* api/routes/families.h -- the tables of routes, one family a file; api/routes/routes.c puts them in order. */
#ifndef ORION_FAMILIES_H
#define ORION_FAMILIES_H

#include "api/crud.h"
#include "api/list.h"
#include "api/request.h"

#define FAMILY(rows, ...) { (rows), COUNT_OF(rows), ##__VA_ARGS__ } /* FAMILY(flow_routes, .tag = "Flows") */

/* For .order: ORDER(BODY_LIMIT, BODY_PARAMETERS). */
#define ORDER(...) (const BodyPart[]){ __VA_ARGS__, BODY_END }
#define INTEGER_SCHEMA "{\"type\": \"integer\"}"

extern const RouteFamily flow_family, flow_run_family, task_run_family, flow_run_state_family, task_run_state_family,
    notification_policy_family, deployment_family, saved_search_family, log_family, concurrency_limit_family,
    block_type_family, block_document_family, work_pool_family, work_queue_family, block_schema_family,
    block_capability_family, ui_flow_run_family, admin_family, root_family;

#endif
