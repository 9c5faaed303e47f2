/* model/run_tables.h -- what flow_run.c and task_run.c share. */
#ifndef ORION_RUN_TABLES_H
#define ORION_RUN_TABLES_H

#include "model/run_state.h"

/* A field of the Run inside a FlowRun or TaskRun. */
#define RUN_FIELD(Type, member, kind_, ...) \
    { .name = #member, .kind = (kind_), .offset = offsetof(Type, run.member), ##__VA_ARGS__ }

/* The columns that every model of flow runs begins with; the arguments go to the row of work_queue_name. */
#define FLOW_RUN_FIELDS(...) \
    RUN_FIELD(FlowRun, id, F_UUID), \
    RUN_FIELD(FlowRun, created, F_TIME), \
    RUN_FIELD(FlowRun, updated, F_TIME), \
    RUN_FIELD(FlowRun, name, F_STR), \
    FIELD(FlowRun, flow_id, F_UUID, .flags = KEY), \
    RUN_FIELD(FlowRun, state_id, F_UUID, .flags = NULLABLE | SAVED), \
    FIELD(FlowRun, deployment_id, F_UUID, .flags = NULLABLE), \
    FIELD(FlowRun, work_queue_name, F_STR, .flags = NULLABLE, __VA_ARGS__), \
    FIELD(FlowRun, flow_version, F_STR, .flags = NULLABLE), \
    FIELD(FlowRun, parameters, F_DICT), \
    FIELD(FlowRun, idempotency_key, F_STR, .flags = NULLABLE | KEY), \
    FIELD(FlowRun, context, F_DICT), \
    FIELD(FlowRun, empirical_policy, F_MODEL, .flags = SAVED, .model = &flow_run_policy_model), \
    RUN_FIELD(FlowRun, tags, F_STRS), \
    FIELD(FlowRun, parent_task_run_id, F_UUID, .flags = NULLABLE), \
    RUN_FIELD(FlowRun, state_type, F_ENUM, .flags = NULLABLE | SAVED, .names = state_type_names), \
    RUN_FIELD(FlowRun, state_name, F_STR, .flags = NULLABLE | SAVED), \
    RUN_FIELD(FlowRun, run_count, F_INT, .flags = SAVED), \
    RUN_FIELD(FlowRun, expected_start_time, F_TIME, .flags = NULLABLE | SAVED), \
    RUN_FIELD(FlowRun, next_scheduled_start_time, F_TIME, .flags = NULLABLE | SAVED), \
    RUN_FIELD(FlowRun, start_time, F_TIME, .flags = NULLABLE | SAVED), \
    RUN_FIELD(FlowRun, end_time, F_TIME, .flags = NULLABLE | SAVED), \
    RUN_FIELD(FlowRun, total_run_time, F_DURATION, .flags = SAVED), \
    RUN_FIELD(FlowRun, estimated_run_time, F_DURATION, .flags = VIRTUAL), \
    RUN_FIELD(FlowRun, estimated_start_time_delta, F_DURATION, .flags = VIRTUAL), \
    FIELD(FlowRun, auto_scheduled, F_BOOL), \
    FIELD(FlowRun, infrastructure_document_id, F_UUID, .flags = NULLABLE), \
    FIELD(FlowRun, infrastructure_pid, F_STR, .flags = NULLABLE), \
    FIELD(FlowRun, created_by, F_ANY, .flags = NULLABLE, .schema = SCHEMA_REF("CreatedBy"))

/* {name: [TaskRunResult | Parameter | Constant]} */
#define TASK_INPUTS_SCHEMA \
    "{\"type\": \"object\", \"additionalProperties\": {\"type\": \"array\", \"items\": {\"anyOf\": [" \
    SCHEMA_REF("TaskRunResult") ", " SCHEMA_REF("Parameter") ", " SCHEMA_REF("Constant") "]}}}"

/* Model.complete of FlowRun and TaskRun: the estimates. */
void run_complete(Tx *tx, void *run);
/* A run with nothing in it but its name and tags, before its first state. */
Run run_blank(Tx *tx, const Run *wanted);
/* UPDATE of those of the model's SAVED columns that differ between `before` and `now`. */
bool run_save(Tx *tx, const Model *model, const void *before, const void *now) MUST_CHECK;

#endif
