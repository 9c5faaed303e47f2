/* orchestration/policy.c -- the six ordered lists of rules. Read this first: the order is the meaning, the first row is
 * entered first and left last. */
#include "orchestration/transition.h"

#define POLICY(list) { (list), COUNT_OF(list) }

static const Rule *const core_flow_rules[] = {
    &handle_flow_terminal_state_transitions,
    &handle_cancelling_state_transitions,
    &prevent_redundant_transitions,
    &handle_pausing_flows,
    &handle_resuming_paused_flows,
    &copy_scheduled_time,
    &wait_for_scheduled_time,
    &retry_failed_flows,
};
const Policy core_flow_policy = POLICY(core_flow_rules);

static const Rule *const core_task_rules[] = {
    &cache_retrieval,
    &handle_task_terminal_state_transitions,
    &prevent_running_tasks_from_stopped_flows,
    &prevent_redundant_transitions,
    &secure_task_concurrency_slots, /* after the cache: a cached result needs no slot */
    &copy_scheduled_time,
    &wait_for_scheduled_time,
    &retry_failed_tasks,
    &rename_reruns,
    &update_flow_run_tracker_on_tasks,
    &cache_insertion,
    &release_task_concurrency_slots,
};
const Policy core_task_policy = POLICY(core_task_rules);

/* For transitions by force. */
const Policy minimal_flow_policy = { NULL, 0 };

static const Rule *const minimal_task_rules[] = {
    &release_task_concurrency_slots,
};
const Policy minimal_task_policy = POLICY(minimal_task_rules);

/* Bookkeeping of every transition, within the rules of the policies above. */
static const Rule *const global_flow_rules[] = {
    &set_run_state_type,
    &set_run_state_name,
    &set_run_state_timestamp,
    &set_start_time,
    &set_end_time,
    &increment_run_time,
    &set_expected_start_time,
    &set_next_scheduled_start_time,
    &update_state_details,
    &update_subflow_parent_task,
    &update_subflow_state_details,
    &increment_flow_run_count, /* before the indicator that it reads is removed */
    &remove_resuming_indicator,
};
const Policy global_flow_policy = POLICY(global_flow_rules);

static const Rule *const global_task_rules[] = {
    &set_run_state_type,
    &set_run_state_name,
    &set_run_state_timestamp,
    &set_start_time,
    &set_end_time,
    &increment_run_time,
    &set_expected_start_time,
    &set_next_scheduled_start_time,
    &update_state_details,
    &increment_task_run_count,
};
const Policy global_task_policy = POLICY(global_task_rules);
