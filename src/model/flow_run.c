/* model/flow_run.c -- flow runs: their table, reading with the current state, writing. */
#include "model/run_tables.h"

static const Field columns[] = { /* order: of the keys in responses */
    FLOW_RUN_FIELDS(.sql = "COALESCE(queue.name, flow_run.work_queue_name)"),
    FIELD(FlowRun, work_pool_name, F_STR, .flags = NULLABLE | VIRTUAL, .sql = "pool.name"),
    RUN_FIELD(FlowRun, state, F_OPT_MODEL, .flags = NULLABLE | VIRTUAL, .model = &state_model, .sql = "state"),
    RUN_FIELD(FlowRun, state_timestamp, F_TIME, .flags = HIDDEN | SAVED),
    FIELD(FlowRun, work_queue_id, F_UUID, .flags = HIDDEN),
};
#define FROM_FLOW_RUN \
    "flow_run LEFT JOIN flow_run_state AS state ON state.id = flow_run.state_id" STATE_ARTIFACT_JOIN \
    " LEFT JOIN work_queue AS queue ON queue.id = flow_run.work_queue_id" \
    " LEFT JOIN work_pool AS pool ON pool.id = queue.work_pool_id"
const Model flow_run_model =
    MODEL(FlowRun, columns, .table = "flow_run", .from = FROM_FLOW_RUN, .complete = run_complete,
          .schema = "FlowRunResponse");

FlowRun *flow_run_read(Tx *tx, Str id)
{
    return codec_read(tx, &flow_run_model, "WHERE flow_run.id = $1", v_uuid(id));
}

Rows *flow_run_of_task_query(Tx *tx, Str task_run_id)
{
    return codec_query(tx, &flow_run_model, "WHERE flow_run.id = (SELECT flow_run_id FROM task_run WHERE id = $1)",
                       v_uuid(task_run_id));
}

FlowRun *flow_run_lock(Tx *tx, Str id)
{
    db_lock_row(tx, "flow_run", id);
    return flow_run_read(tx, id);
}

bool flow_run_save(Tx *tx, const FlowRun *before, const FlowRun *run)
{
    return run_save(tx, &flow_run_model, before, run);
}

FlowRun *flow_run_new(Tx *tx, const FlowRun *wanted)
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

FlowRun *flow_run_of_key(Tx *tx, const FlowRun *run)
{
    return codec_read(tx, &flow_run_model, "WHERE flow_run.flow_id = $1 AND flow_run.idempotency_key = $2",
                      v_uuid(run->flow_id), v_text(run->idempotency_key));
}
