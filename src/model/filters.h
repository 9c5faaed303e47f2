/* model/filters.h -- what lists and counts can be filtered and sorted by. */
#ifndef ORION_FILTERS_H
#define ORION_FILTERS_H

#include "entity/filter.h"

/* schemas.filters: FlowFilter, FlowRunFilter, … */
extern const FilterClass flow_filter, flow_run_filter, task_run_filter, deployment_filter, log_filter, work_pool_filter,
    work_queue_filter;

/* The keys of the bodies, for queries FROM flow, flow_run, task_run, deployment, log (tables under their own names;
 * what the outer query joins besides must have other names: state, queue, pool). */
enum {
    FLOW_LINKS = 4, FLOW_RUN_LINKS = 6, RUN_HISTORY_LINKS = 4, TASK_RUN_LINKS = 4, DEPLOYMENT_LINKS = 6, LOG_LINKS = 1
};
extern const FilterLink flow_links[FLOW_LINKS];
/* the first RUN_HISTORY_LINKS of them are /flow_runs/history's */
extern const FilterLink flow_run_links[FLOW_RUN_LINKS];
extern const FilterLink task_run_links[TASK_RUN_LINKS];
extern const FilterLink deployment_links[DEPLOYMENT_LINKS];
extern const FilterLink log_links[LOG_LINKS];

enum { WORK_POOL_LINKS = 1, WORK_QUEUE_LINKS = 1, WORKER_LINKS = 1 };
extern const FilterLink work_pool_links[WORK_POOL_LINKS];
extern const FilterLink work_queue_links[WORK_QUEUE_LINKS];
extern const FilterLink worker_links[WORKER_LINKS];

enum { BLOCK_TYPE_LINKS = 2, BLOCK_SCHEMA_LINKS = 1, BLOCK_DOCUMENT_LINKS = 3 };
extern const FilterLink block_type_links[BLOCK_TYPE_LINKS];
extern const FilterLink block_schema_links[BLOCK_SCHEMA_LINKS];
extern const FilterLink block_document_links[BLOCK_DOCUMENT_LINKS];

/* schemas.sorting: FlowSort, FlowRunSort, … */
extern const Sort flow_sorts[], flow_run_sorts[], task_run_sorts[], log_sorts[], deployment_sorts[];

#endif
