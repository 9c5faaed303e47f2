/* model/run_insert.c -- a new run and its first state, which refer to each other. */
#include "model/run_tables.h"

static const Model *run_model(RunKind kind)
{
    return kind == FLOW_RUN ? &flow_run_model : &task_run_model;
}

/* The names of its queue and pool are in other tables. */
static bool has_names_elsewhere(RunKind kind, const void *run)
{
    return kind == FLOW_RUN && ((const FlowRun *)run)->work_queue_id.p;
}

static bool refer_to_state(Tx *tx, RunKind kind, Run *run, State *state)
{
    run->state = state;
    run->state_id = state->id;
    if (kind == FLOW_RUN)
        return DB_SEND(tx, "UPDATE flow_run SET state_id = $1 WHERE id = $2", v_uuid(state->id), v_uuid(run->id));
    return DB_SEND(tx, "UPDATE task_run SET state_id = $1 WHERE id = $2", v_uuid(state->id), v_uuid(run->id));
}

/* *run becomes what the database has stored. */
static bool read_back(Tx *tx, RunKind kind, void *run)
{
    const Model *model = run_model(kind);
    if (tx->sql->keeps_json && !has_names_elsewhere(kind, run)) {
        model->complete(tx, run);
        return true;
    }
    const Str id = ((const Run *)run)->id;
    const void *stored = kind == FLOW_RUN ? (const void *)flow_run_read(tx, id) : task_run_read(tx, id);
    if (stored)
        memcpy(run, stored, model->size);
    return stored != NULL;
}

static bool insert_apart(Tx *tx, RunKind kind, void *run, bool is_new, State *state, bool *ret_exists)
{
    const Model *model = run_model(kind);
    const Str id = ((const Run *)run)->id;
    int64_t rows = is_new ? (codec_send_insert(tx, model, run) ? 1 : -1) : codec_insert_new(tx, model, run);
    *ret_exists = rows == 0;
    if (rows <= 0)
        return rows == 0;
    return run_state_insert(tx, kind, id, state) && refer_to_state(tx, kind, run, state) && read_back(tx, kind, run);
}

static bool insert(Tx *tx, RunKind kind, void *run, bool is_new, State *state, bool *ret_exists)
{
    if (!tx->sql->inserts_in_with || state->data.p) /* for data there is a third row: an artifact */
        return insert_apart(tx, kind, run, is_new, state, ret_exists);
    const State row = run_state_row(tx, ((const Run *)run)->id, state);
    ((Run *)run)->state_id = state->id;
    int64_t rows = codec_insert_both(tx, run_model(kind), run, is_new,
                                     kind == FLOW_RUN ? &state_model : &task_run_state_model, &row);
    *ret_exists = rows == 0;
    return rows >= 0;
}

bool flow_run_insert(Tx *tx, FlowRun *run, State *state, bool *ret_exists)
{
    /* the reference treats an empty key as none, but stores it */
    return insert(tx, FLOW_RUN, run, run->idempotency_key.n == 0, state, ret_exists);
}

bool task_run_insert(Tx *tx, TaskRun *run, State *state, bool *ret_exists)
{
    return insert(tx, TASK_RUN, run, false, state, ret_exists);
}
