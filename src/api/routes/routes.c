/* api/routes/routes.c -- the families in the reference's order: the first row that matches answers. */
#include "api/routes/families.h"

const RouteFamily *const route_families[] = {
    &flow_family,
    &flow_run_family,
    &task_run_family,
    &flow_run_state_family,
    &task_run_state_family,
    &notification_policy_family,
    &deployment_family,
    &saved_search_family,
    &log_family,
    &concurrency_limit_family,
    &block_type_family,
    &block_document_family,
    &work_pool_family,
    &work_queue_family,
    &block_schema_family,
    &block_capability_family,
    &ui_flow_run_family,
    &admin_family,
    &root_family,
};
const size_t route_family_count = COUNT_OF(route_families);
