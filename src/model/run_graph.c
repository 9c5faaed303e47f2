/* model/run_graph.c -- the task runs of a flow run and what each was fed by. */
#include "model/run_graph.h"

static bool seen_before(const Json *inputs, const Json *input)
{
    Str id = json_get(input, "id")->text;
    for (const Json *list = inputs->child; list; list = list->next) {
        for (const Json *other = list->child; other; other = other->next) {
            if (other == input)
                return false;
            const Json *other_id = json_get(other, "id");
            if (other_id && str_eq(other_id->text, id))
                return true;
        }
    }
    return false;
}

static void write_dependencies(JsonWriter *w, Arena *arena, Str task_inputs)
{
    const Json *inputs;
    JsonError unused;
    json_key(w, "upstream_dependencies");
    json_array(w);
    bool ok = task_inputs.p && json_parse(arena, task_inputs, &inputs, &unused);
    for (const Json *list = ok ? inputs->child : NULL; list; list = list->next) {
        for (const Json *input = list->child; input; input = input->next) {
            const Json *type = json_get(input, "input_type"), *id = json_get(input, "id");
            if (!type || !str_is(type->text, "task_run") || !id || seen_before(inputs, input))
                continue;
            json_object(w);
            json_key(w, "input_type");
            json_text(w, "task_run");
            json_key(w, "id");
            json_str(w, id->text);
            json_object_end(w);
        }
    }
    json_array_end(w);
}

static void write_time(JsonWriter *w, Arena *arena, const char *key, Time t)
{
    json_key(w, key);
    json_str(w, t == TIME_NULL ? STR_NULL : time_text(arena, t));
}

static void write_seconds(JsonWriter *w, const char *key, int64_t us)
{
    json_key(w, key);
    json_float(w, (double)us / (double)SECOND);
}

static void write_task_run(JsonWriter *w, Tx *tx, const TaskRun *task_run)
{
    const Run *run = &task_run->run;
    json_object(w);
    json_key(w, "id");
    json_str(w, run->id);
    json_key(w, "name");
    json_str(w, run->name);
    write_dependencies(w, tx->arena, task_run->task_inputs);
    json_key(w, "state");
    if (run->state)
        codec_write(w, &state_model, run->state);
    else
        json_null(w);
    write_time(w, tx->arena, "expected_start_time", run->expected_start_time);
    write_time(w, tx->arena, "start_time", run->start_time);
    write_time(w, tx->arena, "end_time", run->end_time);
    write_seconds(w, "total_run_time", run->total_run_time);
    write_seconds(w, "estimated_run_time", run->estimated_run_time);
    json_key(w, "untrackable_result");
    json_bool(w, run->state && run->state->state_details.untrackable_result);
    json_object_end(w);
}

bool run_graph_write(Tx *tx, Str flow_run_id, JsonWriter *w)
{
    if (!DB_INT(tx, 0, "SELECT count(*) FROM flow_run WHERE id = $1", v_uuid(flow_run_id)))
        return fail(tx->error, ERR_OBJECT_NOT_FOUND, "Flow run with id %.*s not found", STR_ARG(flow_run_id));
    Buf sql;
    buf_init(&sql, tx->arena, 1024);
    task_run_select(&sql);
    buf_text(&sql, " WHERE task_run.flow_run_id = $1 ORDER BY task_run.id DESC");
    Value id = v_uuid(flow_run_id);
    Rows *rows = db_query(tx, buf_cstr(&sql), &id, 1);
    json_array(w);
    while (db_next(rows)) {
        TaskRun *task_run = task_run_from_row(tx, rows);
        run_estimate(&task_run->run, tx->now);
        write_task_run(w, tx, task_run);
    }
    json_array_end(w);
    return tx->error->code == ERR_NONE;
}
