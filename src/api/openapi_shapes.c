/* api/openapi_shapes.c -- what handlers write by hand and what unions hold, as models for the description alone: they
 * have no structs, and nothing is decoded by them. */
#include "api/openapi_shapes.h"

#include "api/openapi_schema.h"
#include "model/run.h"

#define SHAPE(name_, fields_, ...) { .name = (name_), .fields = (fields_), .count = COUNT_OF(fields_), ##__VA_ARGS__ }
#define LIST_OF(name) "{\"type\": \"array\", \"items\": " SCHEMA_REF(name) "}"

/* ---- history ---- */

static const Field history_state_fields[] = {
    { .name = "state_type", .kind = F_ENUM, .flags = REQUIRED, .names = state_type_names },
    { .name = "state_name", .kind = F_STR, .flags = REQUIRED },
    { .name = "count_runs", .kind = F_INT, .flags = REQUIRED },
    { .name = "sum_estimated_run_time", .kind = F_DURATION, .flags = REQUIRED },
    { .name = "sum_estimated_lateness", .kind = F_DURATION, .flags = REQUIRED },
};
static const Model history_state_shape = SHAPE("HistoryResponseState", history_state_fields);

static const Field history_fields[] = {
    { .name = "interval_start", .kind = F_TIME, .flags = REQUIRED },
    { .name = "interval_end", .kind = F_TIME, .flags = REQUIRED },
    { .name = "states", .kind = F_CUSTOM, .flags = REQUIRED, .schema = LIST_OF("HistoryResponseState") },
};
const Model history_shape = SHAPE("HistoryResponse", history_fields);

/* ---- set_state ---- */

const char *const set_state_status_names[] = { "ACCEPT", "REJECT", "ABORT", "WAIT", NULL };

/* A member that always has the one value. */
#define CONSTANT(name_, value) \
    { .name = name_, .kind = F_ENUM, .names = (const char *const[]){ value, NULL }, .fallback = "\"" value "\"" }
#define DETAILS(type) CONSTANT("type", type)
#define REASON { .name = "reason", .kind = F_STR, .flags = NULLABLE }
static const Field accept_fields[] = { DETAILS("accept_details") };
static const Field reject_fields[] = { DETAILS("reject_details"), REASON };
static const Field abort_fields[] = { DETAILS("abort_details"), REASON };
static const Field wait_fields[] = {
    DETAILS("wait_details"), { .name = "delay_seconds", .kind = F_INT, .flags = REQUIRED }, REASON,
};
static const Model accept_shape = SHAPE("StateAcceptDetails", accept_fields);
static const Model reject_shape = SHAPE("StateRejectDetails", reject_fields);
static const Model abort_shape = SHAPE("StateAbortDetails", abort_fields);
static const Model wait_shape = SHAPE("StateWaitDetails", wait_fields);

static const Field orchestration_fields[] = {
    { .name = "state", .kind = F_OPT_MODEL, .flags = NULLABLE, .model = &state_model },
    { .name = "status", .kind = F_ENUM, .flags = REQUIRED, .names = set_state_status_names },
    { .name = "details", .kind = F_CUSTOM, .flags = REQUIRED,
      .schema = "{\"anyOf\": [" SCHEMA_REF("StateAcceptDetails") ", " SCHEMA_REF("StateWaitDetails") ", "
                SCHEMA_REF("StateRejectDetails") ", " SCHEMA_REF("StateAbortDetails") "]}" },
};
const Model orchestration_shape = SHAPE("OrchestrationResult", orchestration_fields);

/* ---- graphs, and the union of task_inputs ---- */

#define INPUT(type) CONSTANT("input_type", type)
static const Field task_input_fields[] = { INPUT("task_run"), { .name = "id", .kind = F_UUID, .flags = REQUIRED } };
static const Field parameter_input_fields[] = {
    INPUT("parameter"), { .name = "name", .kind = F_STR, .flags = REQUIRED },
};
static const Field constant_input_fields[] = {
    INPUT("constant"), { .name = "type", .kind = F_STR, .flags = REQUIRED },
};
static const Model task_input_shape = SHAPE("TaskRunResult", task_input_fields);
static const Model parameter_input_shape = SHAPE("Parameter", parameter_input_fields);
static const Model constant_input_shape = SHAPE("Constant", constant_input_fields);

static const Field dependency_fields[] = {
    { .name = "id", .kind = F_UUID, .flags = REQUIRED },
    { .name = "name", .kind = F_STR, .flags = REQUIRED },
    { .name = "upstream_dependencies", .kind = F_CUSTOM, .flags = REQUIRED, .schema = LIST_OF("TaskRunResult") },
    { .name = "state", .kind = F_MODEL, .flags = REQUIRED, .model = &state_model },
    { .name = "expected_start_time", .kind = F_TIME, .flags = NULLABLE },
    { .name = "start_time", .kind = F_TIME, .flags = NULLABLE },
    { .name = "end_time", .kind = F_TIME, .flags = NULLABLE },
    { .name = "total_run_time", .kind = F_DURATION, .flags = NULLABLE },
    { .name = "estimated_run_time", .kind = F_DURATION, .flags = NULLABLE },
    { .name = "untrackable_result", .kind = F_BOOL, .flags = REQUIRED },
};
const Model dependency_shape = SHAPE("DependencyResult", dependency_fields);

/* ---- schedules ---- */

static const Field interval_fields[] = {
    { .name = "interval", .kind = F_DURATION, .flags = REQUIRED },
    { .name = "anchor_date", .kind = F_TIME, .flags = NULLABLE },
    { .name = "timezone", .kind = F_STR, .flags = NULLABLE },
};
static const Field cron_fields[] = {
    { .name = "cron", .kind = F_STR, .flags = REQUIRED },
    { .name = "timezone", .kind = F_STR, .flags = NULLABLE },
    { .name = "day_or", .kind = F_BOOL, .fallback = "true" },
};
static const Field rrule_fields[] = {
    { .name = "rrule", .kind = F_STR, .flags = REQUIRED },
    { .name = "timezone", .kind = F_STR, .flags = NULLABLE },
};
static const Model interval_shape = SHAPE("IntervalSchedule", interval_fields, .forbid_extra = true);
static const Model cron_shape = SHAPE("CronSchedule", cron_fields, .forbid_extra = true);
static const Model rrule_shape = SHAPE("RRuleSchedule", rrule_fields, .forbid_extra = true);

/* ---- the rest ---- */

static const Field search_filter_fields[] = {
    { .name = "object", .kind = F_STR, .flags = REQUIRED },
    { .name = "property", .kind = F_STR, .flags = REQUIRED },
    { .name = "type", .kind = F_STR, .flags = REQUIRED },
    { .name = "operation", .kind = F_STR, .flags = REQUIRED },
    { .name = "value", .kind = F_ANY, .flags = REQUIRED },
};
static const Model search_filter_shape = SHAPE("SavedSearchFilter", search_filter_fields);

static const Field author_fields[] = {
    { .name = "id", .kind = F_UUID, .flags = NULLABLE },
    { .name = "type", .kind = F_STR, .flags = NULLABLE },
    { .name = "display_value", .kind = F_STR, .flags = NULLABLE },
};
static const Model created_by_shape = SHAPE("CreatedBy", author_fields);
static const Model updated_by_shape = SHAPE("UpdatedBy", author_fields);

/* An object of the settings by their names, as `prefect config view` has them. */
const Model settings_shape = { .name = "Settings" };

static const Field error_fields[] = {
    { .name = "loc", .kind = F_CUSTOM, .flags = REQUIRED,
      .schema = "{\"type\": \"array\", \"items\": {\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"integer\"}]}}" },
    { .name = "msg", .kind = F_STR, .flags = REQUIRED },
    { .name = "type", .kind = F_STR, .flags = REQUIRED },
    { .name = "ctx", .kind = F_DICT },
};
static const Model error_shape = SHAPE("ValidationError", error_fields);

/* Limits that are out of range have "detail" alone. */
static const Field validation_fields[] = {
    { .name = "exception_message", .kind = F_STR },
    { .name = "exception_detail", .kind = F_CUSTOM, .schema = LIST_OF("ValidationError") },
    { .name = "request_body", .kind = F_ANY },
    { .name = "detail", .kind = F_STR },
};
const Model validation_shape = SHAPE("HTTPValidationError", validation_fields);

/* Every other error, in one of the two. */
static const Field message_fields[] = {
    { .name = "detail", .kind = F_STR },
    { .name = "exception_message", .kind = F_STR },
};
const Model message_shape = SHAPE("HTTPMessage", message_fields, .forbid_extra = true);

const Model *const openapi_shapes[] = {
    &history_state_shape, &accept_shape, &reject_shape, &abort_shape, &wait_shape, &task_input_shape,
    &parameter_input_shape, &constant_input_shape, &interval_shape, &cron_shape, &rrule_shape, &created_by_shape,
    &updated_by_shape, &search_filter_shape, &error_shape, NULL,
};
