/* model/task_run.c -- task runs: their table, reading with the current state, writing. */
#include "model/run_tables.h"

static const Field columns[] = { /* order: of the keys in responses */
    RUN_FIELD(TaskRun, id, F_UUID),
    RUN_FIELD(TaskRun, created, F_TIME),
    RUN_FIELD(TaskRun, updated, F_TIME),
    RUN_FIELD(TaskRun, name, F_STR),
    FIELD(TaskRun, flow_run_id, F_UUID, .flags = KEY),
    FIELD(TaskRun, task_key, F_STR, .flags = KEY),
    FIELD(TaskRun, dynamic_key, F_STR, .flags = KEY),
    FIELD(TaskRun, cache_key, F_STR, .flags = NULLABLE),
    FIELD(TaskRun, cache_expiration, F_TIME, .flags = NULLABLE),
    FIELD(TaskRun, task_version, F_STR, .flags = NULLABLE),
    FIELD(TaskRun, empirical_policy, F_MODEL, .model = &task_run_policy_model),
    RUN_FIELD(TaskRun, tags, F_STRS),
    RUN_FIELD(TaskRun, state_id, F_UUID, .flags = NULLABLE | SAVED),
    FIELD(TaskRun, task_inputs, F_ANY, .schema = TASK_INPUTS_SCHEMA),
    RUN_FIELD(TaskRun, state_type, F_ENUM, .flags = NULLABLE | SAVED, .names = state_type_names),
    RUN_FIELD(TaskRun, state_name, F_STR, .flags = NULLABLE | SAVED),
    RUN_FIELD(TaskRun, run_count, F_INT, .flags = SAVED),
    FIELD(TaskRun, flow_run_run_count, F_INT, .flags = SAVED),
    RUN_FIELD(TaskRun, expected_start_time, F_TIME, .flags = NULLABLE | SAVED),
    RUN_FIELD(TaskRun, next_scheduled_start_time, F_TIME, .flags = NULLABLE | SAVED),
    RUN_FIELD(TaskRun, start_time, F_TIME, .flags = NULLABLE | SAVED),
    RUN_FIELD(TaskRun, end_time, F_TIME, .flags = NULLABLE | SAVED),
    RUN_FIELD(TaskRun, total_run_time, F_DURATION, .flags = SAVED),
    RUN_FIELD(TaskRun, estimated_run_time, F_DURATION, .flags = VIRTUAL),
    RUN_FIELD(TaskRun, estimated_start_time_delta, F_DURATION, .flags = VIRTUAL),
    RUN_FIELD(TaskRun, state, F_OPT_MODEL, .flags = NULLABLE | VIRTUAL, .model = &state_model, .sql = "state"),
    RUN_FIELD(TaskRun, state_timestamp, F_TIME, .flags = HIDDEN | SAVED),
};
#define FROM_TASK_RUN "task_run LEFT JOIN task_run_state AS state ON state.id = task_run.state_id" STATE_ARTIFACT_JOIN
const Model task_run_model =
    MODEL(TaskRun, columns, .table = "task_run", .from = FROM_TASK_RUN, .complete = run_complete);

TaskRun *task_run_read(Tx *tx, Str id)
{
    return codec_read(tx, &task_run_model, "WHERE task_run.id = $1", v_uuid(id));
}

bool task_run_save(Tx *tx, const TaskRun *before, const TaskRun *run)
{
    return run_save(tx, &task_run_model, before, run);
}

TaskRun *task_run_of_keys(Tx *tx, const TaskRun *run)
{
    return codec_read(tx, &task_run_model,
                      "WHERE task_run.flow_run_id = $1 AND task_run.task_key = $2 AND task_run.dynamic_key = $3",
                      v_uuid(run->flow_run_id), v_text(run->task_key), v_text(run->dynamic_key));
}

TaskRun *task_run_new(Tx *tx, const TaskRun *wanted)
{
    TaskRun *run = arena_new_of(tx->arena, TaskRun);
    *run = *wanted;
    run->run = run_blank(tx, &wanted->run);
    if (!run->task_inputs.p)
        run->task_inputs = STR("{}");
    return run;
}

bool task_runs_lock_failed(Tx *tx, Str flow_run_id, StrList *ids)
{
    Buf sql;
    buf_init(&sql, tx->arena, 128);
    buf_printf(&sql, "SELECT id FROM task_run WHERE flow_run_id = $1 AND state_type = 'FAILED' ORDER BY id%s",
               tx->sql->for_update);
    Rows *rows = db_query(tx, buf_cstr(&sql), DB_VALUES(v_uuid(flow_run_id)));
    while (db_next(rows))
        str_list_add(ids, tx->arena, row_text(rows, 0));
    return tx->error->code == ERR_NONE;
}
