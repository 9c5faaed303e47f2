/* model/run_state.c -- states: their tables, defaults and rows. */
#include "model/run_state.h"

#include "base/uuid.h"
#include "model/artifact.h"

const char *const state_type_names[] = {
    "SCHEDULED", "PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "CRASHED", "PAUSED", "CANCELLING", NULL,
};
static const char *const display_names[] = {
    "Scheduled", "Pending", "Running", "Completed", "Failed", "Cancelled", "Crashed", "Paused", "Cancelling",
};

bool state_type_is_final(StateType type)
{
    return type == STATE_COMPLETED || type == STATE_FAILED || type == STATE_CANCELLED || type == STATE_CRASHED;
}

static const Field details_fields[] = { /* order: of the keys in responses and in the column */
    FIELD(StateDetails, flow_run_id, F_UUID, .flags = NULLABLE),
    FIELD(StateDetails, task_run_id, F_UUID, .flags = NULLABLE),
    FIELD(StateDetails, child_flow_run_id, F_UUID, .flags = NULLABLE),
    FIELD(StateDetails, scheduled_time, F_MOMENT, .flags = NULLABLE),
    FIELD(StateDetails, cache_key, F_STR, .flags = NULLABLE),
    FIELD(StateDetails, cache_expiration, F_MOMENT, .flags = NULLABLE),
    FIELD(StateDetails, untrackable_result, F_BOOL),
    FIELD(StateDetails, pause_timeout, F_MOMENT, .flags = NULLABLE),
    FIELD(StateDetails, pause_reschedule, F_BOOL),
    FIELD(StateDetails, pause_key, F_STR, .flags = NULLABLE),
    FIELD(StateDetails, refresh_cache, F_OPT_BOOL, .flags = NULLABLE),
};
const Model state_details_model = MODEL(StateDetails, details_fields);

static const Field create_fields[] = { /* order: of errors */
    FIELD(State, type, F_ENUM, .flags = REQUIRED, .names = state_type_names),
    FIELD(State, name, F_STR, .flags = NULLABLE),
    FIELD(State, message, F_STR, .flags = NULLABLE),
    FIELD(State, data, F_ANY, .flags = NULLABLE),
    FIELD(State, state_details, F_MODEL, .model = &state_details_model),
    FIELD(State, timestamp, F_TIME, .flags = NULLABLE | IGNORED),
    FIELD(State, id, F_UUID, .flags = NULLABLE | IGNORED),
};
const Model state_create_model = MODEL(State, create_fields, .forbid_extra = true, .schema = "StateCreate");

/* For every State, also those that are read: schemas.states.State's validators. */
static void apply_defaults(State *state, Time now)
{
    if (!state->name.p && state->type != STATE_NONE)
        state->name = str_from(display_names[state->type]);
    if (state->type == STATE_SCHEDULED && state->state_details.scheduled_time.us == TIME_NULL)
        state->state_details.scheduled_time = MOMENT(now);
}

void state_complete(Arena *arena, State *state, Time now)
{
    apply_defaults(state, now);
    state->id = uuid_new(arena);
    state->timestamp = now;
}

State *state_new(Arena *arena, StateType type, const char *name, Time now)
{
    State *state = arena_new_of(arena, State);
    *state = (State){
        .type = (int)type,
        .name = str_from(name),
        .state_details = {
            .scheduled_time = MOMENT_NULL, .cache_expiration = MOMENT_NULL, .pause_timeout = MOMENT_NULL,
        },
    };
    state_complete(arena, state, now);
    return state;
}

/* What Python considers false: the reference then looks for an artifact. */
static bool is_falsy(Arena *arena, Str json_text)
{
    const Json *json = json_read(arena, json_text);
    if (!json)
        return true;
    switch (json->kind) {
    case JSON_NULL:
    case JSON_FALSE:
        return true;
    case JSON_TRUE:
        return false;
    case JSON_INT:
    case JSON_FLOAT:
        return strtod(arena_cstr(arena, json->text), NULL) == 0.0;
    case JSON_STRING:
        return json->text.n == 0;
    default:
        return json->count == 0;
    }
}

/* The artifact has the data, except for older rows, which hold it themselves. */
static void complete(Tx *tx, void *object)
{
    State *state = object;
    if (is_falsy(tx->arena, state->data))
        state->data = state->artifact_data;
    apply_defaults(state, tx->now);
}

/* Order: of the keys in responses. The tables are alike but for the column that names the run. */
#define STATE_FIELDS(run_column) \
    FIELD(State, id, F_UUID), \
    FIELD(State, type, F_ENUM, .names = state_type_names), \
    FIELD(State, name, F_STR, .flags = NULLABLE), \
    FIELD(State, timestamp, F_TIME), \
    FIELD(State, message, F_STR, .flags = NULLABLE), \
    FIELD(State, data, F_ANY, .flags = NULLABLE), \
    FIELD(State, state_details, F_MODEL, .model = &state_details_model), \
    FIELD(State, artifact_data, F_ANY, .flags = HIDDEN | VIRTUAL, .sql = "state_artifact.data"), \
    FIELD(State, created, F_TIME, .flags = HIDDEN | WRITE_ONLY), \
    FIELD(State, updated, F_TIME, .flags = HIDDEN | WRITE_ONLY), \
    FIELD(State, result_artifact_id, F_UUID, .flags = HIDDEN | WRITE_ONLY), \
    { .name = run_column, .kind = F_UUID, .flags = HIDDEN | WRITE_ONLY, .offset = offsetof(State, run_id) }
#define FROM_STATE(table) \
    table " LEFT JOIN artifact AS state_artifact ON state_artifact.id = " table ".result_artifact_id"

static const Field flow_run_fields[] = { STATE_FIELDS("flow_run_id") };
static const Field task_run_fields[] = { STATE_FIELDS("task_run_id") };
const Model state_model = MODEL(State, flow_run_fields, .table = "flow_run_state", .from = FROM_STATE("flow_run_state"),
                                .complete = complete);
const Model task_run_state_model = MODEL(State, task_run_fields, .table = "task_run_state",
                                         .from = FROM_STATE("task_run_state"), .complete = complete);

State *run_state_read(Tx *tx, RunKind kind, Str id)
{
    return kind == FLOW_RUN ? codec_read(tx, &state_model, "WHERE flow_run_state.id = $1", v_uuid(id))
                            : codec_read(tx, &task_run_state_model, "WHERE task_run_state.id = $1", v_uuid(id));
}

Rows *run_states_query(Tx *tx, RunKind kind, Str run_id)
{
    if (kind == FLOW_RUN)
        return codec_query(tx, &state_model, "WHERE flow_run_state.flow_run_id = $1 ORDER BY flow_run_state.timestamp",
                           v_uuid(run_id));
    return codec_query(tx, &task_run_state_model,
                       "WHERE task_run_state.task_run_id = $1 ORDER BY task_run_state.timestamp", v_uuid(run_id));
}

State run_state_row(const Tx *tx, Str run_id, const State *state)
{
    State row = *state;
    row.created = row.updated = tx->now;
    row.run_id = run_id;
    row.result_artifact_id = STR_NULL;
    return row;
}

bool run_state_insert(Tx *tx, RunKind kind, Str run_id, const State *state)
{
    State row = run_state_row(tx, run_id, state);
    if (state->data.p) {
        row.data = STR_NULL;
        row.result_artifact_id = artifact_insert(tx, state->data, kind == FLOW_RUN ? run_id : STR_NULL,
                                                 kind == TASK_RUN ? run_id : STR_NULL);
        if (!row.result_artifact_id.p)
            return false;
    }
    return codec_send_insert(tx, kind == FLOW_RUN ? &state_model : &task_run_state_model, &row);
}

Rows *task_cache_query(Tx *tx, Str key)
{
    return codec_query(tx, &task_run_state_model,
                       "WHERE task_run_state.id = (SELECT task_run_state_id FROM task_run_state_cache"
                       " WHERE cache_key = $1 AND (cache_expiration IS NULL OR cache_expiration > $2)"
                       " ORDER BY created DESC LIMIT 1)",
                       v_text(key), v_time(tx->now));
}

Rows *task_cache_newest(Tx *tx, Str key)
{
    return DB_QUERY(tx,
                    "SELECT created FROM task_run_state_cache WHERE cache_key = $1 AND created >= $2"
                    " ORDER BY created DESC LIMIT 1",
                    v_text(key), v_time(tx->now));
}

/* Later than all that the key has: the clock may have been set back since. */
static Time created_after(const Tx *tx, Rows *rows)
{
    Time created = tx->now;
    while (db_next(rows)) {
        Time found = row_time(rows, 0);
        if (row_is_sound(rows) && found < TIME_END - 1)
            created = found + 1;
    }
    return created;
}

bool task_cache_insert(Tx *tx, const State *state, Rows *newest)
{
    Time created = created_after(tx, newest);
    return DB_SEND(tx,
                   "INSERT INTO task_run_state_cache"
                   " (id, created, updated, cache_key, cache_expiration, task_run_state_id)"
                   " VALUES ($1, $2, $2, $3, $4, $5)",
                   v_uuid(uuid_new(tx->arena)), v_time(created), v_text(state->state_details.cache_key),
                   v_time(state->state_details.cache_expiration.us), v_uuid(state->id));
}
