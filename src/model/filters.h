/* model/filters.h -- what lists and counts can be filtered and sorted by. */
#ifndef ORION_FILTERS_H
#define ORION_FILTERS_H

#include "entity/filter.h"

/* schemas.filters: FlowFilter, FlowRunFilter, … */
extern const FilterClass flow_filter, flow_run_filter, task_run_filter, deployment_filter, log_filter, work_pool_filter,
    work_queue_filter;

/* The keys of the bodies, for queries FROM flow, flow_run, task_run, deployment, log, … (tables under their own names;
 * whatever else the outer query joins must have other names: state, queue, pool). */
extern const FilterLink flow_links[], flow_run_links[], task_run_links[], deployment_links[], log_links[];
extern const FilterLink run_history_links[]; /* of /flow_runs/history */
extern const FilterLink work_pool_links[], work_queue_links[], worker_links[];
extern const FilterLink block_type_links[], block_schema_links[], block_document_links[];

/* schemas.sorting: FlowSort, FlowRunSort, … */
extern const Sort flow_sorts[], flow_run_sorts[], task_run_sorts[], log_sorts[], deployment_sorts[];

#endif
