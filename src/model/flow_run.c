/* model/flow_run.c -- flow runs: their table, reading with the current state, writing. */
#include "model/run_tables.h"

#include "base/ident.h"

static const Field columns[] = { /* order: of the keys in responses */
    RUN_FIELD(FlowRun, id, F_UUID),
    RUN_FIELD(FlowRun, created, F_TIME),
    RUN_FIELD(FlowRun, updated, F_TIME),
    RUN_FIELD(FlowRun, name, F_STR),
    FIELD(FlowRun, flow_id, F_UUID),
    RUN_FIELD(FlowRun, state_id, F_UUID),
    FIELD(FlowRun, deployment_id, F_UUID),
    FIELD(FlowRun, work_queue_name, F_STR, .sql = "COALESCE(queue.name, flow_run.work_queue_name)"),
    FIELD(FlowRun, flow_version, F_STR),
    FIELD(FlowRun, parameters, F_DICT),
    FIELD(FlowRun, idempotency_key, F_STR),
    FIELD(FlowRun, context, F_DICT),
    FIELD(FlowRun, empirical_policy, F_MODEL, .model = &flow_run_policy_model),
    RUN_FIELD(FlowRun, tags, F_STRS),
    FIELD(FlowRun, parent_task_run_id, F_UUID),
    RUN_FIELD(FlowRun, state_type, F_ENUM, .names = state_type_names),
    RUN_FIELD(FlowRun, state_name, F_STR),
    RUN_FIELD(FlowRun, run_count, F_INT),
    RUN_FIELD(FlowRun, expected_start_time, F_TIME),
    RUN_FIELD(FlowRun, next_scheduled_start_time, F_TIME),
    RUN_FIELD(FlowRun, start_time, F_TIME),
    RUN_FIELD(FlowRun, end_time, F_TIME),
    RUN_FIELD(FlowRun, total_run_time, F_DURATION),
    RUN_FIELD(FlowRun, estimated_run_time, F_DURATION, .flags = VIRTUAL),
    RUN_FIELD(FlowRun, estimated_start_time_delta, F_DURATION, .flags = VIRTUAL),
    FIELD(FlowRun, auto_scheduled, F_BOOL),
    FIELD(FlowRun, infrastructure_document_id, F_UUID),
    FIELD(FlowRun, infrastructure_pid, F_STR),
    FIELD(FlowRun, created_by, F_ANY, .schema = SCHEMA_REF("CreatedBy")),
    FIELD(FlowRun, work_pool_name, F_STR, .flags = VIRTUAL, .sql = "pool.name"),
    RUN_FIELD(FlowRun, state, F_OPT_MODEL, .flags = VIRTUAL, .model = &state_model),
    RUN_FIELD(FlowRun, state_timestamp, F_TIME, .flags = HIDDEN),
    FIELD(FlowRun, work_queue_id, F_UUID, .flags = HIDDEN),
};
#define FROM_FLOW_RUN \
    "flow_run LEFT JOIN flow_run_state AS state ON state.id = flow_run.state_id" STATE_ARTIFACT_JOIN \
    " LEFT JOIN work_queue AS queue ON queue.id = flow_run.work_queue_id" \
    " LEFT JOIN work_pool AS pool ON pool.id = queue.work_pool_id"
const Model flow_run_model = MODEL(FlowRun, columns, .table = "flow_run", .from = FROM_FLOW_RUN, .schema = "FlowRunResponse");

static const Field saved_columns[] = { /* what rules and transforms may change */
    RUN_FIELD(FlowRun, state_id, F_UUID),
    RUN_FIELD(FlowRun, state_type, F_ENUM, .names = state_type_names),
    RUN_FIELD(FlowRun, state_name, F_STR),
    RUN_FIELD(FlowRun, state_timestamp, F_TIME),
    RUN_FIELD(FlowRun, run_count, F_INT),
    RUN_FIELD(FlowRun, expected_start_time, F_TIME),
    RUN_FIELD(FlowRun, next_scheduled_start_time, F_TIME),
    RUN_FIELD(FlowRun, start_time, F_TIME),
    RUN_FIELD(FlowRun, end_time, F_TIME),
    RUN_FIELD(FlowRun, total_run_time, F_DURATION),
    FIELD(FlowRun, empirical_policy, F_MODEL, .model = &flow_run_policy_model),
};
static const Model saved_model = MODEL(FlowRun, saved_columns, .table = "flow_run");

void flow_run_select(Buf *sql)
{
    buf_text(sql, "SELECT ");
    codec_select(sql, &flow_run_model, "flow_run");
    buf_text(sql, ", " STATE_COLUMNS " FROM " FROM_FLOW_RUN);
}

FlowRun *flow_run_from_row(Tx *tx, Rows *rows)
{
    FlowRun *run = arena_new_of(tx->arena, FlowRun);
    int column = 0;
    codec_read_row(tx->arena, rows, &column, &flow_run_model, run);
    run->run.state = run_state_from_columns(tx, rows, &column);
    run_estimate(&run->run, tx->now);
    return run;
}

static FlowRun *read_where(Tx *tx, const char *where, const Value *values, size_t count)
{
    Buf sql;
    buf_init(&sql, tx->arena, 2048);
    flow_run_select(&sql);
    buf_text(&sql, where);
    Rows *rows = db_query(tx, buf_cstr(&sql), values, count);
    if (!db_next(rows))
        return NULL;
    FlowRun *run = flow_run_from_row(tx, rows);
    db_done(rows);
    return run;
}

FlowRun *flow_run_read(Tx *tx, Str id)
{
    return read_where(tx, " WHERE flow_run.id = $1", DB_VALUES(v_uuid(id)));
}

bool flow_run_save(Tx *tx, const FlowRun *before, const FlowRun *run)
{
    return run_save(tx, &saved_model, "flow_run", before, run);
}

/* What a body can set, and defaults for the rest. */
static FlowRun *new_run(Tx *tx, const FlowRun *wanted)
{
    FlowRun *run = arena_new_of(tx->arena, FlowRun);
    *run = *wanted;
    run->run = run_blank(tx, &wanted->run);
    if (!run->parameters.p)
        run->parameters = STR("{}");
    if (!run->context.p)
        run->context = STR("{}");
    return run;
}

/* The run that has the key already; else the new one. */
static FlowRun *insert_by_key(Tx *tx, FlowRun *run, bool *ret_created)
{
    for (int attempt = 0; attempt < INSERT_ATTEMPTS; attempt++) {
        int64_t rows = codec_insert(tx, &flow_run_model, "flow_run", run, "ON CONFLICT (flow_id, idempotency_key) DO NOTHING");
        FlowRun *there = rows == 0 ? read_where(tx, " WHERE flow_run.flow_id = $1 AND flow_run.idempotency_key = $2",
                                                DB_VALUES(v_uuid(run->flow_id), v_text(run->idempotency_key))) : NULL;
        *ret_created = rows > 0;
        if (rows > 0 || there)
            return there ? there : run;
    }
    (void)fail(tx->error, ERR_INTERNAL, "The flow run with this idempotency key has vanished");
    return NULL;
}

bool flow_run_insert(Tx *tx, const FlowRun *wanted, FlowRun **ret_run, bool *ret_created)
{
    FlowRun *run = new_run(tx, wanted);
    *ret_created = true;
    *ret_run = run;
    if (run->idempotency_key.n == 0) /* the reference takes an empty key for none, but stores it */
        return codec_send_insert(tx, &flow_run_model, "flow_run", run);
    return (*ret_run = insert_by_key(tx, run, ret_created)) != NULL;
}

/* The reference leaves logs and artifacts behind, or stumbles over the latter's foreign keys. */
int64_t flow_run_delete(Tx *tx, Str id)
{
    DB_LOCK_ROWS(tx,
                 "SELECT id FROM flow_run WHERE id = ANY (ARRAY(SELECT CAST($1 AS uuid) UNION ALL SELECT subflow.id FROM task_run"
                 " JOIN flow_run AS subflow ON subflow.parent_task_run_id = task_run.id WHERE task_run.flow_run_id = $1)) ORDER BY id FOR UPDATE",
                 v_uuid(id));
    DB_LOCK_ROWS(tx, "SELECT id FROM task_run WHERE flow_run_id = $1 ORDER BY id FOR UPDATE", v_uuid(id));
    DB_SEND(tx, "DELETE FROM log WHERE flow_run_id = $1 OR task_run_id IN (SELECT id FROM task_run WHERE flow_run_id = $1)", v_uuid(id));
    DB_SEND(tx, "DELETE FROM artifact WHERE flow_run_id = $1 OR task_run_id IN (SELECT id FROM task_run WHERE flow_run_id = $1)", v_uuid(id));
    return DB_EXEC(tx, "DELETE FROM flow_run WHERE id = $1", v_uuid(id));
}
