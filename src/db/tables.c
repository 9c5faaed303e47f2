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

#define TABLE(name) { #name, name##_columns, sizeof name##_columns / sizeof *name##_columns }

/* A pool and its default queue refer to each other, as runs and their states do. The pool comes after its queues:
 * backwards it is deleted first and takes them along, while a queue cannot be deleted as long as it is the default
 * of a pool. */
const Table db_tables[TABLE_COUNT] = {
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

const Table *table_find(const char *name)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (strcmp(db_tables[i].name, name) == 0)
            return &db_tables[i];
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
