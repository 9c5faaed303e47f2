/* model/run_graph.c -- the task runs of a flow run, and the inputs of each. */
#include "model/run_graph.h"

typedef struct Input {
    Str id;
    size_t position;
    bool again; /* an earlier one has the same id */
} Input;

static int by_id(const void *a, const void *b)
{
    const Input *x = *(Input *const *)a, *y = *(Input *const *)b;
    int order = memcmp(x->id.p, y->id.p, x->id.n < y->id.n ? x->id.n : y->id.n);
    if (order == 0)
        order = (x->id.n > y->id.n) - (x->id.n < y->id.n);
    return order ? order : (x->position > y->position) - (x->position < y->position);
}

static size_t collect_inputs(Arena *arena, const Json *inputs, Input **ret_inputs)
{
    size_t max = 0, count = 0;
    for (const Json *list = inputs->child; list; list = list->next)
        max += list->count;
    Input *found = arena_alloc(arena, (max + 1) * sizeof *found);
    for (const Json *list = inputs->child; list; list = list->next) {
        for (const Json *input = list->child; input; input = input->next) {
            const Json *type = json_get(input, "input_type"), *id = json_get(input, "id");
            if (type && str_is(type->text, "task_run") && id && id->kind == JSON_STRING) {
                found[count] = (Input){ .id = id->text, .position = count };
                count++;
            }
        }
    }
    *ret_inputs = found;
    return count;
}

/* By sorting: tasks that reduce thousands of others are common. */
static void mark_repeated(Arena *arena, Input *inputs, size_t count)
{
    Input **sorted = arena_alloc(arena, (count + 1) * sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &inputs[i];
    qsort(sorted, count, sizeof *sorted, by_id);
    for (size_t i = 1; i < count; i++)
        sorted[i]->again = str_eq(sorted[i]->id, sorted[i - 1]->id);
}

static void write_dependencies(JsonWriter *w, Arena *arena, Str task_inputs)
{
    const Json *json = json_read(arena, task_inputs);
    Input *inputs = NULL;
    size_t count = 0;
    if (json)
        count = collect_inputs(arena, json, &inputs);
    mark_repeated(arena, inputs, count);
    json_key(w, "upstream_dependencies");
    json_array(w);
    for (size_t i = 0; i < count; i++) {
        if (inputs[i].again)
            continue;
        json_object(w);
        json_key(w, "input_type");
        json_text(w, "task_run");
        json_key(w, "id");
        json_str(w, inputs[i].id);
        json_object_end(w);
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
    Rows *rows = codec_query(tx, &task_run_model, "WHERE task_run.flow_run_id = $1 ORDER BY task_run.id DESC",
                             v_uuid(flow_run_id));
    TaskRun *run = arena_new_of(tx->arena, TaskRun);
    Arena *of_job = tx_arena_begin(tx);
    json_array(w);
    while (codec_next(tx, rows, &task_run_model, run)) {
        write_task_run(w, tx, run);
        arena_reset(tx->arena);
    }
    json_array_end(w);
    tx_arena_end(tx, of_job);
    return tx->error->code == ERR_NONE;
}
