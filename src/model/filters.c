/* model/filters.c -- the tables of filters, links between entities and sorts, in the order of the
 * reference's fields and parameters. */
#include "model/filters.h"

#include "model/run.h"

/* ---- filter classes ---- */

static const Filter flow_filters[] = {
    { "id", "flow.id", UNIQUE | OP_ANY, .operand = F_UUID },
    { "name", "flow.name", UNIQUE | OP_ANY | OP_LIKE, .operand = F_STR },
    { "tags", "flow.tags", OP_ALL | OP_IS_EMPTY | WITH_OPERATOR, .operand = F_STR },
    { .key = NULL },
};

/* Runs do not stay so for long; agents ask for those that are cancelling every few seconds. */
static const char *const passing_types[] = { "CANCELLING", NULL };
static const char *const passing_names[] = { "Cancelling", "Late", NULL };

static const Filter flow_run_state_filters[] = {
    { "type", "flow_run.state_type", OP_ANY, .operand = F_ENUM, .names = state_type_names, .few = passing_types },
    { "name", "flow_run.state_name", OP_ANY, .operand = F_STR, .few = passing_names },
    { .key = NULL },
};

/* The indexes of a flow's, a deployment's and a work queue's runs have them in this order. */
#define BY_EXPECTED "flow_run.expected_start_time"

/* Those that are not APART are in the index orion_flow_run_history. */
static const Filter flow_run_filters[] = {
    { "id", "flow_run.id", UNIQUE | OP_ANY | OP_NOT_ANY, .operand = F_UUID },
    { "name", "flow_run.name", OP_ANY | OP_LIKE, .operand = F_STR },
    { "tags", "flow_run.tags", OP_ALL | OP_IS_EMPTY | WITH_OPERATOR, .operand = F_STR },
    { "deployment_id", "flow_run.deployment_id", NARROW | APART | OP_ANY | OP_IS_NULL | WITH_OPERATOR,
      .operand = F_UUID, .index_order = BY_EXPECTED },
    { "work_queue_name", "flow_run.work_queue_name", APART | OP_ANY | OP_IS_NULL | WITH_OPERATOR, .operand = F_STR,
      .index_order = BY_EXPECTED },
    { .key = "state", .ops = WITH_OPERATOR, .group = flow_run_state_filters },
    { "flow_version", "flow_run.flow_version", APART | OP_ANY, .operand = F_STR },
    { "start_time", "flow_run.start_time", OP_BEFORE | OP_AFTER | OP_IS_NULL, .operand = F_TIME },
    { "expected_start_time", "flow_run.expected_start_time", RANGED | OP_BEFORE | OP_AFTER, .operand = F_TIME },
    { "next_scheduled_start_time", "flow_run.next_scheduled_start_time", APART | OP_BEFORE | OP_AFTER,
      .operand = F_TIME },
    { "parent_task_run_id", "flow_run.parent_task_run_id", NARROW | APART | OP_ANY | OP_IS_NULL | WITH_OPERATOR,
      .operand = F_UUID },
    { .key = NULL },
};

static const Filter task_run_state_filters[] = {
    { "type", "task_run.state_type", OP_ANY, .operand = F_ENUM, .names = state_type_names },
    { "name", "task_run.state_name", OP_ANY, .operand = F_STR },
    { .key = NULL },
};

static const Filter task_run_filters[] = {
    { "id", "task_run.id", UNIQUE | OP_ANY, .operand = F_UUID },
    { "name", "task_run.name", OP_ANY | OP_LIKE, .operand = F_STR },
    { "tags", "task_run.tags", OP_ALL | OP_IS_EMPTY | WITH_OPERATOR, .operand = F_STR },
    { .key = "state", .ops = WITH_OPERATOR, .group = task_run_state_filters },
    { "start_time", "task_run.start_time", OP_BEFORE | OP_AFTER | OP_IS_NULL, .operand = F_TIME },
    { "subflow_runs", "EXISTS (SELECT 1 FROM flow_run AS subflow WHERE subflow.parent_task_run_id = task_run.id)",
      OP_EXISTS,
      .operand = F_BOOL },
    { .key = NULL },
};

static const Filter deployment_filters[] = {
    { "id", "deployment.id", UNIQUE | OP_ANY, .operand = F_UUID },
    { "name", "deployment.name", NARROW | OP_ANY | OP_LIKE, .operand = F_STR },
    { "is_schedule_active", "deployment.is_schedule_active", OP_EQ, .operand = F_BOOL },
    { "tags", "deployment.tags", OP_ALL | OP_IS_EMPTY | WITH_OPERATOR, .operand = F_STR },
    { "work_queue_name", "deployment.work_queue_name", OP_ANY, .operand = F_STR },
    { .key = NULL },
};

static const Filter log_filters[] = {
    { "level", "log.level", OP_GE | OP_LE, .operand = F_INT },
    { "timestamp", "log.timestamp", OP_BEFORE | OP_AFTER, .operand = F_TIME },
    { "flow_run_id", "log.flow_run_id", NARROW | OP_ANY, .operand = F_UUID },
    { "task_run_id", "log.task_run_id", NARROW | OP_ANY, .operand = F_UUID },
    { .key = NULL },
};

static const Filter work_pool_filters[] = {
    { "id", "work_pool.id", UNIQUE | OP_ANY, .operand = F_UUID },
    { "name", "work_pool.name", UNIQUE | OP_ANY, .operand = F_STR },
    { "type", "work_pool.type", OP_ANY, .operand = F_STR },
    { .key = NULL },
};

static const Filter work_queue_filters[] = {
    { "id", "work_queue.id", UNIQUE | OP_ANY, .operand = F_UUID },
    { "name", "work_queue.name", NARROW | OP_ANY | OP_STARTSWITH, .operand = F_STR },
    { .key = NULL },
};

static const Filter worker_filters[] = {
    { "last_heartbeat_time", "worker.last_heartbeat_time", OP_BEFORE | OP_AFTER, .operand = F_TIME },
    { .key = NULL },
};

const FilterClass flow_filter = { flow_filters, true, "FlowFilter" };
const FilterClass flow_run_filter = { flow_run_filters, true, "FlowRunFilter" };
const FilterClass task_run_filter = { task_run_filters, true, "TaskRunFilter" };
const FilterClass deployment_filter = { deployment_filters, true, "DeploymentFilter" };
const FilterClass log_filter = { log_filters, true, "LogFilter" };
const FilterClass work_pool_filter = { work_pool_filters, true, "WorkPoolFilter" };
const FilterClass work_queue_filter = { work_queue_filters, true, "WorkQueueFilter" };
static const FilterClass worker_filter = { worker_filters, true, "WorkerFilter" };

static const Filter block_type_filters[] = {
    { "name", "block_type.name", OP_LIKE, .operand = F_STR },
    { "slug", "block_type.slug", OP_ANY, .operand = F_STR },
    { .key = NULL },
};

static const Filter block_schema_filters[] = {
    { "block_type_id", "block_schema.block_type_id", OP_ANY, .operand = F_UUID },
    { "block_capabilities", "block_schema.capabilities", OP_ALL, .operand = F_STR },
    { "id", "block_schema.id", OP_ANY, .operand = F_UUID },
    { "version", "block_schema.version", OP_ANY, .operand = F_STR },
    { .key = NULL },
};

static const Filter block_document_filters[] = {
    { "id", "block_document.id", OP_ANY, .operand = F_UUID },
    { "is_anonymous", "block_document.is_anonymous", OP_EQ, .operand = F_BOOL },
    { "block_type_id", "block_document.block_type_id", OP_ANY, .operand = F_UUID },
    { "name", "block_document.name", OP_ANY, .operand = F_STR },
    { .key = NULL },
};

static const FilterClass block_type_filter = { block_type_filters, false, "BlockTypeFilter" };
static const FilterClass block_schema_filter = { block_schema_filters, true, "BlockSchemaFilter" };
static const FilterClass block_document_filter = { block_document_filters, true, "BlockDocumentFilter" };

/* ---- links: _apply_flow_filters and its like in the reference ---- */

/* Both leave a parenthesis open for the criteria; filter.c closes it. */
#define EXISTS_IN(from, condition) "EXISTS (SELECT 1 FROM " from " WHERE " condition " AND "
#define IN_OF(column, from) column " IN (SELECT " from " WHERE "
#define ONE_OF(column, from) column " = (SELECT " from " WHERE "
#define EXISTS_TASK_RUN EXISTS_IN("task_run", "task_run.flow_run_id = flow_run.id")
/* The row of `table` that `column` refers to. */
#define REFERRED(table, column) \
    EXISTS_IN(table, table ".id = " column), .open_few = IN_OF(column, table ".id FROM " table), \
    .open_one = ONE_OF(column, table ".id FROM " table), \
    .join = table " ON " table ".id = " column

const FilterLink flow_links[] = {
    { "flows", &flow_filter, NULL },
    { "flow_runs", &flow_run_filter, EXISTS_IN("flow_run", "flow_run.flow_id = flow.id"),
      .open_few = IN_OF("flow.id", "flow_run.flow_id FROM flow_run"), .by_itself = true },
    { "task_runs", &task_run_filter, EXISTS_TASK_RUN, .via = "flow_runs" },
    { "deployments", &deployment_filter, EXISTS_IN("deployment", "deployment.flow_id = flow.id") },
    { .key = NULL },
};

/* /flow_runs/history has these; lists of flow runs have two more. */
#define RUN_HISTORY_LINKS \
    { "flows", &flow_filter, REFERRED("flow", "flow_run.flow_id"), .index_order = BY_EXPECTED }, \
    { "flow_runs", &flow_run_filter, NULL }, \
    { "task_runs", &task_run_filter, EXISTS_TASK_RUN, \
      .open_few = IN_OF("flow_run.id", "task_run.flow_run_id FROM task_run") }, \
    { "deployments", &deployment_filter, REFERRED("deployment", "flow_run.deployment_id"), \
      .index_order = BY_EXPECTED }

const FilterLink run_history_links[] = {
    RUN_HISTORY_LINKS,
    { .key = NULL },
};

const FilterLink flow_run_links[] = {
    RUN_HISTORY_LINKS,
    { "work_pools", &work_pool_filter,
      EXISTS_IN("work_queue JOIN work_pool ON work_pool.id = work_queue.work_pool_id",
                "work_queue.id = flow_run.work_queue_id"),
      .open_few = IN_OF("flow_run.work_queue_id", "work_queue.id FROM work_queue"
                        " JOIN work_pool ON work_pool.id = work_queue.work_pool_id"),
      .join = "work_queue AS queue_of_pool ON queue_of_pool.id = flow_run.work_queue_id"
              " JOIN work_pool ON work_pool.id = queue_of_pool.work_pool_id" },
    { "work_pool_queues", &work_queue_filter, REFERRED("work_queue", "flow_run.work_queue_id") },
    { .key = NULL },
};

const FilterLink task_run_links[] = {
    { "flows", &flow_filter, REFERRED("flow", "flow_run.flow_id"), .via = "flow_runs" },
    { "flow_runs", &flow_run_filter, REFERRED("flow_run", "task_run.flow_run_id") },
    { "task_runs", &task_run_filter, NULL },
    { "deployments", &deployment_filter, REFERRED("deployment", "flow_run.deployment_id"), .via = "flow_runs" },
    { .key = NULL },
};

const FilterLink deployment_links[] = {
    { "flows", &flow_filter, REFERRED("flow", "deployment.flow_id") },
    { "flow_runs", &flow_run_filter, EXISTS_IN("flow_run", "flow_run.deployment_id = deployment.id"),
      .open_few = IN_OF("deployment.id", "flow_run.deployment_id FROM flow_run"), .by_itself = true },
    { "task_runs", &task_run_filter, EXISTS_TASK_RUN, .via = "flow_runs" },
    { "deployments", &deployment_filter, NULL },
    { "work_pools", &work_pool_filter, REFERRED("work_pool", "work_queue.work_pool_id"), .via = "work_pool_queues" },
    { "work_pool_queues", &work_queue_filter, REFERRED("work_queue", "deployment.work_queue_id") },
    { .key = NULL },
};

const FilterLink log_links[] = {
    { "logs", &log_filter, NULL },
    { .key = NULL },
};

const FilterLink block_type_links[] = {
    { "block_types", &block_type_filter, NULL },
    { "block_schemas", &block_schema_filter, EXISTS_IN("block_schema", "block_schema.block_type_id = block_type.id") },
    { .key = NULL },
};

const FilterLink block_schema_links[] = {
    { "block_schemas", &block_schema_filter, NULL },
    { .key = NULL },
};

const FilterLink block_document_links[] = {
    { "block_documents", &block_document_filter, NULL },
    { "block_types", &block_type_filter, EXISTS_IN("block_type", "block_type.id = block_document.block_type_id") },
    { "block_schemas", &block_schema_filter,
      EXISTS_IN("block_schema", "block_schema.id = block_document.block_schema_id") },
    { .key = NULL },
};

const FilterLink work_pool_links[] = {
    { "work_pools", &work_pool_filter, NULL },
    { .key = NULL },
};

const FilterLink work_queue_links[] = {
    { "work_queues", &work_queue_filter, NULL },
    { .key = NULL },
};

const FilterLink worker_links[] = {
    { "workers", &worker_filter, NULL },
    { .key = NULL },
};

/* ---- sorts ---- */

const Sort flow_sorts[] = {
    { "CREATED_DESC", "flow.created DESC" },
    { "UPDATED_DESC", "flow.updated DESC" },
    { "NAME_ASC", "flow.name ASC" },
    { "NAME_DESC", "flow.name DESC" },
    { .key = NULL },
};

const Sort flow_run_sorts[] = {
    { "ID_DESC", "flow_run.id DESC" },
    { "START_TIME_ASC", "COALESCE(flow_run.start_time, flow_run.expected_start_time) ASC",
      .nearly = BY_EXPECTED, .columns = "flow_run.start_time, flow_run.expected_start_time" },
    { "START_TIME_DESC", "COALESCE(flow_run.start_time, flow_run.expected_start_time) DESC",
      .nearly = BY_EXPECTED, .is_descending = true, .columns = "flow_run.start_time, flow_run.expected_start_time" },
    { "EXPECTED_START_TIME_ASC", "flow_run.expected_start_time ASC" },
    { "EXPECTED_START_TIME_DESC", "flow_run.expected_start_time DESC" },
    { "NAME_ASC", "flow_run.name ASC" },
    { "NAME_DESC", "flow_run.name DESC" },
    { "NEXT_SCHEDULED_START_TIME_ASC", "flow_run.next_scheduled_start_time ASC" },
    { "END_TIME_DESC", "flow_run.end_time DESC" },
    { .key = NULL },
};

const Sort task_run_sorts[] = {
    { "ID_DESC", "task_run.id DESC" },
    { "EXPECTED_START_TIME_ASC", "task_run.expected_start_time ASC" },
    { "EXPECTED_START_TIME_DESC", "task_run.expected_start_time DESC" },
    { "NAME_ASC", "task_run.name ASC" },
    { "NAME_DESC", "task_run.name DESC" },
    { "NEXT_SCHEDULED_START_TIME_ASC", "task_run.next_scheduled_start_time ASC" },
    { "END_TIME_DESC", "task_run.end_time DESC" },
    { .key = NULL },
};

const Sort log_sorts[] = {
    { "TIMESTAMP_ASC", "log.timestamp ASC" },
    { "TIMESTAMP_DESC", "log.timestamp DESC" },
    { "LEVEL_ASC", "log.level ASC" },
    { "LEVEL_DESC", "log.level DESC" },
    { "FLOW_RUN_ID_ASC", "log.flow_run_id ASC" },
    { "FLOW_RUN_ID_DESC", "log.flow_run_id DESC" },
    { "TASK_RUN_ID_ASC", "log.task_run_id ASC" },
    { "TASK_RUN_ID_DESC", "log.task_run_id DESC" },
    { .key = NULL },
};

const Sort deployment_sorts[] = {
    { "CREATED_DESC", "deployment.created DESC" },
    { "UPDATED_DESC", "deployment.updated DESC" },
    { "NAME_ASC", "deployment.name ASC" },
    { "NAME_DESC", "deployment.name DESC" },
    { .key = NULL },
};
