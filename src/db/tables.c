/* db/tables.c -- the tables and their columns. The order of columns is SQLite's; PostgreSQL has another one in some
 * tables, so all statements name them. */
#include "db/tables.h"

#define LATER .is_later = true
#define STANDARD { "id", KIND_UUID }, { "created", KIND_TIME }, { "updated", KIND_TIME }

static const TableColumn block_type_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "logo_url", KIND_TEXT }, { "documentation_url", KIND_TEXT },
    { "description", KIND_TEXT, LATER }, { "code_example", KIND_TEXT, LATER }, { "is_protected", KIND_BOOL, LATER },
    { "slug", KIND_TEXT, LATER },
};

static const TableColumn block_schema_columns[] = {
    STANDARD, { "fields", KIND_JSON, .opens = '{' }, { "block_type_id", KIND_UUID, "block_type", LATER },
    { "checksum", KIND_TEXT, LATER }, { "capabilities", KIND_JSON, .opens = '[', LATER },
    { "version", KIND_TEXT, LATER },
};

static const TableColumn block_schema_reference_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "parent_block_schema_id", KIND_UUID, "block_schema" },
    { "reference_block_schema_id", KIND_UUID, "block_schema" },
};

static const TableColumn block_document_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "data", KIND_JSON }, { "block_schema_id", KIND_UUID, "block_schema" },
    { "block_type_id", KIND_UUID, "block_type", LATER }, { "is_anonymous", KIND_BOOL, LATER },
};

static const TableColumn block_document_reference_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "parent_block_document_id", KIND_UUID, "block_document" },
    { "reference_block_document_id", KIND_UUID, "block_document" },
};

static const TableColumn flow_run_notification_policy_columns[] = {
    STANDARD, { "is_active", KIND_BOOL }, { "state_names", KIND_JSON, .opens = '[' },
    { "tags", KIND_JSON, .opens = '[' }, { "message_template", KIND_TEXT },
    { "block_document_id", KIND_UUID, "block_document" },
};

static const TableColumn flow_run_notification_queue_columns[] = {
    STANDARD, { "flow_run_notification_policy_id", KIND_UUID }, { "flow_run_state_id", KIND_UUID },
};

static const TableColumn flow_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "tags", KIND_JSON, .opens = '[' },
};

static const TableColumn work_queue_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "filter", KIND_JSON, .opens = '{' }, { "description", KIND_TEXT },
    { "is_paused", KIND_BOOL }, { "concurrency_limit", KIND_INT }, { "last_polled", KIND_TIME, LATER },
    { "priority", KIND_INT, LATER }, { "work_pool_id", KIND_UUID, "work_pool", LATER },
};

static const TableColumn work_pool_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "description", KIND_TEXT }, { "type", KIND_TEXT },
    { "base_job_template", KIND_JSON, .opens = '{' }, { "is_paused", KIND_BOOL }, { "concurrency_limit", KIND_INT },
    { "default_queue_id", KIND_UUID, "work_queue" },
};

static const TableColumn worker_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "last_heartbeat_time", KIND_TIME },
    { "work_pool_id", KIND_UUID, "work_pool", LATER },
};

static const TableColumn agent_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "last_activity_time", KIND_TIME }, { "work_queue_id", KIND_UUID, "work_queue" },
};

static const TableColumn deployment_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "schedule", KIND_JSON, .opens = '{' }, { "is_schedule_active", KIND_BOOL },
    { "tags", KIND_JSON, .opens = '[' }, { "parameters", KIND_JSON, .opens = '{' }, { "flow_data", KIND_JSON },
    { "flow_id", KIND_UUID, "flow" }, { "description", KIND_TEXT, LATER },
    { "infrastructure_document_id", KIND_UUID, "block_document", LATER }, { "manifest_path", KIND_TEXT, LATER },
    { "parameter_openapi_schema", KIND_JSON, .opens = '{', LATER },
    { "storage_document_id", KIND_UUID, "block_document", LATER }, { "version", KIND_TEXT, LATER },
    { "infra_overrides", KIND_JSON, .opens = '{', LATER }, { "path", KIND_TEXT, LATER },
    { "entrypoint", KIND_TEXT, LATER }, { "work_queue_name", KIND_TEXT, LATER },
    { "created_by", KIND_JSON, .opens = '{', LATER }, { "updated_by", KIND_JSON, .opens = '{', LATER },
    { "work_queue_id", KIND_UUID, "work_queue", LATER },
};

static const TableColumn flow_run_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "state_type", KIND_STATE_TYPE }, { "run_count", KIND_INT },
    { "expected_start_time", KIND_TIME }, { "next_scheduled_start_time", KIND_TIME }, { "start_time", KIND_TIME },
    { "end_time", KIND_TIME }, { "total_run_time", KIND_INTERVAL }, { "flow_version", KIND_TEXT },
    { "parameters", KIND_JSON, .opens = '{' }, { "idempotency_key", KIND_TEXT }, { "context", KIND_JSON, .opens = '{' },
    { "empirical_policy", KIND_JSON, .opens = '{' }, { "tags", KIND_JSON, .opens = '[' },
    { "auto_scheduled", KIND_BOOL }, { "flow_id", KIND_UUID, "flow" }, { "deployment_id", KIND_UUID, "deployment" },
    { "parent_task_run_id", KIND_UUID, "task_run" }, { "state_id", KIND_UUID, "flow_run_state" },
    { "state_name", KIND_TEXT, LATER }, { "infrastructure_document_id", KIND_UUID, "block_document", LATER },
    { "work_queue_name", KIND_TEXT, LATER }, { "state_timestamp", KIND_TIME, LATER },
    { "created_by", KIND_JSON, .opens = '{', LATER }, { "infrastructure_pid", KIND_TEXT, LATER },
    { "work_queue_id", KIND_UUID, "work_queue", LATER },
};

static const TableColumn task_run_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "state_type", KIND_STATE_TYPE }, { "run_count", KIND_INT },
    { "expected_start_time", KIND_TIME }, { "next_scheduled_start_time", KIND_TIME }, { "start_time", KIND_TIME },
    { "end_time", KIND_TIME }, { "total_run_time", KIND_INTERVAL }, { "task_key", KIND_TEXT },
    { "dynamic_key", KIND_TEXT }, { "cache_key", KIND_TEXT }, { "cache_expiration", KIND_TIME },
    { "task_version", KIND_TEXT }, { "empirical_policy", KIND_JSON, .opens = '{' },
    { "task_inputs", KIND_JSON, .opens = '{' }, { "tags", KIND_JSON, .opens = '[' },
    { "flow_run_id", KIND_UUID, "flow_run" }, { "state_id", KIND_UUID, "task_run_state" },
    { "state_name", KIND_TEXT, LATER }, { "state_timestamp", KIND_TIME, LATER },
    { "flow_run_run_count", KIND_INT, LATER },
};

static const TableColumn artifact_columns[] = {
    STANDARD, { "key", KIND_TEXT }, { "type", KIND_TEXT }, { "data", KIND_JSON }, { "metadata_", KIND_JSON },
    { "task_run_id", KIND_UUID, "task_run" }, { "flow_run_id", KIND_UUID, "flow_run" },
};

static const TableColumn flow_run_state_columns[] = {
    STANDARD, { "type", KIND_STATE_TYPE }, { "timestamp", KIND_TIME }, { "name", KIND_TEXT }, { "message", KIND_TEXT },
    { "state_details", KIND_JSON, .opens = '{' }, { "data", KIND_JSON }, { "flow_run_id", KIND_UUID, "flow_run" },
    { "result_artifact_id", KIND_UUID, "artifact", LATER },
};

static const TableColumn task_run_state_columns[] = {
    STANDARD, { "type", KIND_STATE_TYPE }, { "timestamp", KIND_TIME }, { "name", KIND_TEXT }, { "message", KIND_TEXT },
    { "state_details", KIND_JSON, .opens = '{' }, { "data", KIND_JSON }, { "task_run_id", KIND_UUID, "task_run" },
    { "result_artifact_id", KIND_UUID, "artifact", LATER },
};

static const TableColumn task_run_state_cache_columns[] = {
    STANDARD, { "cache_key", KIND_TEXT }, { "cache_expiration", KIND_TIME }, { "task_run_state_id", KIND_UUID },
};

static const TableColumn log_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "level", KIND_SMALL }, { "flow_run_id", KIND_UUID },
    { "task_run_id", KIND_UUID }, { "message", KIND_TEXT }, { "timestamp", KIND_TIME },
};

static const TableColumn concurrency_limit_columns[] = {
    STANDARD, { "tag", KIND_TEXT }, { "concurrency_limit", KIND_INT }, { "active_slots", KIND_JSON, .opens = '[' },
};

static const TableColumn saved_search_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "filters", KIND_JSON },
};

static const TableColumn configuration_columns[] = {
    STANDARD, { "key", KIND_TEXT }, { "value", KIND_JSON },
};

/* ---- what generation 3 has more, or otherwise ---- */

#define STATUS(name, type_) { #name, KIND_STATUS, .type = (type_) }

static const TableColumn block_document_3_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "data", KIND_JSON }, { "block_schema_id", KIND_UUID, "block_schema" },
    { "block_type_id", KIND_UUID, "block_type" }, { "is_anonymous", KIND_BOOL }, { "block_type_name", KIND_TEXT },
};

static const TableColumn flow_3_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "tags", KIND_JSON, .opens = '[' }, { "labels", KIND_JSON, .opens = '{' },
};

static const TableColumn work_queue_3_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "filter", KIND_JSON, .opens = '{' }, { "description", KIND_TEXT },
    { "is_paused", KIND_BOOL }, { "concurrency_limit", KIND_INT }, { "last_polled", KIND_TIME },
    { "priority", KIND_INT }, { "work_pool_id", KIND_UUID, "work_pool" }, STATUS(status, "work_queue_status"),
};

static const TableColumn work_pool_3_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "description", KIND_TEXT }, { "type", KIND_TEXT },
    { "base_job_template", KIND_JSON, .opens = '{' }, { "is_paused", KIND_BOOL }, { "concurrency_limit", KIND_INT },
    { "default_queue_id", KIND_UUID, "work_queue" }, STATUS(status, "work_pool_status"),
    { "last_transitioned_status_at", KIND_TIME }, { "last_status_event_id", KIND_UUID },
    { "storage_configuration", KIND_JSON, .opens = '{' },
};

static const TableColumn worker_3_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "last_heartbeat_time", KIND_TIME }, { "work_pool_id", KIND_UUID, "work_pool" },
    { "heartbeat_interval_seconds", KIND_INT }, STATUS(status, "worker_status"),
};

static const TableColumn concurrency_limit_v2_columns[] = {
    STANDARD, { "active", KIND_BOOL }, { "name", KIND_TEXT }, { "limit", KIND_INT }, { "active_slots", KIND_INT },
    { "denied_slots", KIND_INT }, { "slot_decay_per_second", KIND_REAL }, { "avg_slot_occupancy_seconds", KIND_REAL },
};

static const TableColumn deployment_3_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "tags", KIND_JSON, .opens = '[' }, { "parameters", KIND_JSON, .opens = '{' },
    { "flow_id", KIND_UUID, "flow" }, { "description", KIND_TEXT },
    { "infrastructure_document_id", KIND_UUID, "block_document" },
    { "parameter_openapi_schema", KIND_JSON, .opens = '{' }, { "storage_document_id", KIND_UUID, "block_document" },
    { "version", KIND_TEXT }, { "infra_overrides", KIND_JSON, .opens = '{' }, { "path", KIND_TEXT },
    { "entrypoint", KIND_TEXT }, { "work_queue_name", KIND_TEXT }, { "created_by", KIND_JSON, .opens = '{' },
    { "updated_by", KIND_JSON, .opens = '{' }, { "work_queue_id", KIND_UUID, "work_queue" },
    { "pull_steps", KIND_JSON, .opens = '[' }, { "enforce_parameter_schema", KIND_BOOL }, { "last_polled", KIND_TIME },
    { "paused", KIND_BOOL }, STATUS(status, "deployment_status"), { "concurrency_limit", KIND_INT },
    { "concurrency_options", KIND_JSON, .opens = '{' },
    { "concurrency_limit_id", KIND_UUID, "concurrency_limit_v2" }, { "labels", KIND_JSON, .opens = '{' },
    { "version_id", KIND_UUID },
};

static const TableColumn deployment_schedule_columns[] = {
    STANDARD, { "schedule", KIND_JSON, .opens = '{' }, { "active", KIND_BOOL },
    { "deployment_id", KIND_UUID, "deployment" }, { "max_scheduled_runs", KIND_INT },
    { "parameters", KIND_JSON, .opens = '{' }, { "slug", KIND_TEXT },
};

static const TableColumn deployment_version_columns[] = {
    STANDARD, { "deployment_id", KIND_UUID, "deployment" }, { "branch", KIND_TEXT },
    { "version_info", KIND_JSON, .opens = '{' }, { "description", KIND_TEXT }, { "tags", KIND_JSON, .opens = '[' },
    { "labels", KIND_JSON, .opens = '{' }, { "entrypoint", KIND_TEXT }, { "pull_steps", KIND_JSON, .opens = '[' },
    { "parameters", KIND_JSON, .opens = '{' }, { "parameter_openapi_schema", KIND_JSON, .opens = '{' },
    { "enforce_parameter_schema", KIND_BOOL }, { "work_queue_id", KIND_UUID, "work_queue" },
    { "work_queue_name", KIND_TEXT }, { "infra_overrides", KIND_JSON, .opens = '{' },
};

static const TableColumn flow_run_3_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "state_type", KIND_STATE_TYPE }, { "run_count", KIND_INT },
    { "expected_start_time", KIND_TIME }, { "next_scheduled_start_time", KIND_TIME }, { "start_time", KIND_TIME },
    { "end_time", KIND_TIME }, { "total_run_time", KIND_INTERVAL }, { "flow_version", KIND_TEXT },
    { "parameters", KIND_JSON, .opens = '{' }, { "idempotency_key", KIND_TEXT }, { "context", KIND_JSON, .opens = '{' },
    { "empirical_policy", KIND_JSON, .opens = '{' }, { "tags", KIND_JSON, .opens = '[' },
    { "auto_scheduled", KIND_BOOL }, { "flow_id", KIND_UUID, "flow" }, { "deployment_id", KIND_UUID },
    { "parent_task_run_id", KIND_UUID, "task_run" }, { "state_id", KIND_UUID, "flow_run_state" },
    { "state_name", KIND_TEXT }, { "infrastructure_document_id", KIND_UUID, "block_document" },
    { "work_queue_name", KIND_TEXT }, { "state_timestamp", KIND_TIME }, { "created_by", KIND_JSON, .opens = '{' },
    { "infrastructure_pid", KIND_TEXT }, { "work_queue_id", KIND_UUID, "work_queue" },
    { "job_variables", KIND_JSON, .opens = '{' }, { "deployment_version", KIND_TEXT },
    { "labels", KIND_JSON, .opens = '{' },
};

static const TableColumn flow_run_input_columns[] = {
    STANDARD, { "key", KIND_TEXT }, { "value", KIND_TEXT }, { "flow_run_id", KIND_UUID, "flow_run" },
    { "sender", KIND_TEXT },
};

/* A state that was recorded may not be there yet, so state_id is no reference any more. */
static const TableColumn task_run_3_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "state_type", KIND_STATE_TYPE }, { "run_count", KIND_INT },
    { "expected_start_time", KIND_TIME }, { "next_scheduled_start_time", KIND_TIME }, { "start_time", KIND_TIME },
    { "end_time", KIND_TIME }, { "total_run_time", KIND_INTERVAL }, { "task_key", KIND_TEXT },
    { "dynamic_key", KIND_TEXT }, { "cache_key", KIND_TEXT }, { "cache_expiration", KIND_TIME },
    { "task_version", KIND_TEXT }, { "empirical_policy", KIND_JSON, .opens = '{' },
    { "task_inputs", KIND_JSON, .opens = '{' }, { "tags", KIND_JSON, .opens = '[' },
    { "flow_run_id", KIND_UUID, "flow_run" }, { "state_id", KIND_UUID }, { "state_name", KIND_TEXT },
    { "state_timestamp", KIND_TIME }, { "flow_run_run_count", KIND_INT }, { "labels", KIND_JSON, .opens = '{' },
};

static const TableColumn artifact_3_columns[] = {
    STANDARD, { "key", KIND_TEXT }, { "type", KIND_TEXT }, { "data", KIND_JSON }, { "metadata_", KIND_JSON },
    { "task_run_id", KIND_UUID }, { "flow_run_id", KIND_UUID }, { "description", KIND_TEXT },
};

static const TableColumn artifact_collection_columns[] = {
    STANDARD, { "key", KIND_TEXT }, { "latest_id", KIND_UUID }, { "task_run_id", KIND_UUID },
    { "flow_run_id", KIND_UUID }, { "type", KIND_TEXT }, { "data", KIND_JSON }, { "description", KIND_TEXT },
    { "metadata_", KIND_JSON },
};

static const TableColumn variable_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "tags", KIND_JSON, .opens = '[' }, { "value", KIND_JSON },
};

static const TableColumn csrf_token_columns[] = {
    STANDARD, { "token", KIND_TEXT }, { "client", KIND_TEXT }, { "expiration", KIND_TIME },
};

static const TableColumn automation_columns[] = {
    STANDARD, { "name", KIND_TEXT }, { "description", KIND_TEXT }, { "enabled", KIND_BOOL },
    { "trigger", KIND_JSON, .opens = '{' }, { "actions", KIND_JSON, .opens = '[' },
    { "actions_on_trigger", KIND_JSON, .opens = '[' }, { "actions_on_resolve", KIND_JSON, .opens = '[' },
    { "tags", KIND_JSON, .opens = '[' },
};

static const TableColumn automation_bucket_columns[] = {
    STANDARD, { "automation_id", KIND_UUID, "automation" }, { "trigger_id", KIND_UUID },
    { "bucketing_key", KIND_JSON, .opens = '[' }, { "last_event", KIND_JSON, .opens = '{' }, { "start", KIND_TIME },
    { "end", KIND_TIME }, { "count", KIND_INT }, { "last_operation", KIND_TEXT }, { "triggered_at", KIND_TIME },
};

static const TableColumn automation_related_resource_columns[] = {
    STANDARD, { "automation_id", KIND_UUID, "automation" }, { "resource_id", KIND_TEXT },
    { "automation_owned_by_resource", KIND_BOOL },
};

static const TableColumn composite_trigger_child_firing_columns[] = {
    STANDARD, { "automation_id", KIND_UUID, "automation" }, { "parent_trigger_id", KIND_UUID },
    { "child_trigger_id", KIND_UUID }, { "child_firing_id", KIND_UUID }, { "child_fired_at", KIND_TIME },
    { "child_firing", KIND_JSON, .opens = '{' },
};

static const TableColumn automation_event_follower_columns[] = {
    STANDARD, { "leader_event_id", KIND_UUID }, { "follower_event_id", KIND_UUID }, { "received", KIND_TIME },
    { "follower", KIND_JSON, .opens = '{' }, { "scope", KIND_TEXT },
};

static const TableColumn events_columns[] = {
    STANDARD, { "occurred", KIND_TIME }, { "event", KIND_TEXT }, { "resource_id", KIND_TEXT },
    { "resource", KIND_JSON, .opens = '{' }, { "related_resource_ids", KIND_JSON, .opens = '[' },
    { "related", KIND_JSON, .opens = '[' }, { "payload", KIND_JSON, .opens = '{' }, { "received", KIND_TIME },
    { "recorded", KIND_TIME }, { "follows", KIND_UUID },
};

static const TableColumn event_resources_columns[] = {
    STANDARD, { "occurred", KIND_TIME }, { "resource_id", KIND_TEXT }, { "resource_role", KIND_TEXT },
    { "resource", KIND_JSON, .opens = '{' }, { "event_id", KIND_UUID },
};

#define TABLE(name) { #name, name##_columns, sizeof name##_columns / sizeof *name##_columns }
#define TABLE_3(name) { #name, name##_3_columns, sizeof name##_3_columns / sizeof *name##_3_columns }

/* A pool and its default queue refer to each other, as runs and their states do. The pool comes after its queues:
 * backwards it is deleted first and takes them along, while a queue cannot be deleted as long as it is the default
 * of a pool. */
static const Table tables_2_7[] = {
    TABLE(block_type),
    TABLE(block_schema),
    TABLE(block_schema_reference),
    TABLE(block_document),
    TABLE(block_document_reference),
    TABLE(flow_run_notification_policy),
    TABLE(flow_run_notification_queue),
    TABLE(flow),
    TABLE(work_queue),
    TABLE(work_pool),
    TABLE(worker),
    TABLE(agent),
    TABLE(deployment),
    TABLE(flow_run),
    TABLE(task_run),
    TABLE(artifact),
    TABLE(flow_run_state),
    TABLE(task_run_state),
    TABLE(task_run_state_cache),
    TABLE(log),
    TABLE(concurrency_limit),
    TABLE(saved_search),
    TABLE(configuration),
};

static const Table tables_3[] = {
    TABLE(block_type),
    TABLE(block_schema),
    TABLE(block_schema_reference),
    TABLE_3(block_document),
    TABLE(block_document_reference),
    TABLE_3(flow),
    TABLE_3(work_queue),
    TABLE_3(work_pool),
    TABLE_3(worker),
    TABLE(agent),
    TABLE(concurrency_limit_v2),
    TABLE_3(deployment),
    TABLE(deployment_schedule),
    TABLE(deployment_version),
    TABLE_3(flow_run),
    TABLE(flow_run_input),
    TABLE_3(task_run),
    TABLE_3(artifact),
    TABLE(artifact_collection),
    TABLE(flow_run_state),
    TABLE(task_run_state),
    TABLE(task_run_state_cache),
    TABLE(log),
    TABLE(concurrency_limit),
    TABLE(variable),
    TABLE(saved_search),
    TABLE(csrf_token),
    TABLE(automation),
    TABLE(automation_bucket),
    TABLE(automation_related_resource),
    TABLE(composite_trigger_child_firing),
    TABLE(automation_event_follower),
    TABLE(events),
    TABLE(event_resources),
    TABLE(configuration),
};

const TableSet *tables_of(Generation generation)
{
    static const TableSet of_2_7 = { tables_2_7, sizeof tables_2_7 / sizeof *tables_2_7 },
                          of_3 = { tables_3, sizeof tables_3 / sizeof *tables_3 };
    return generation == GEN_3 ? &of_3 : &of_2_7;
}

const Table *table_find(const TableSet *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->items[i].name, name) == 0)
            return &set->items[i];
    return NULL;
}

const TableColumn *table_column(const Table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    return NULL;
}

void table_columns(Buf *sql, const Table *table)
{
    for (size_t i = 0; i < table->count; i++)
        buf_printf(sql, "%s\"%s\"", i ? ", " : "", table->columns[i].name);
}
