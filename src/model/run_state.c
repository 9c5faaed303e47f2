/* model/run_state.c -- states: their tables, defaults and rows. */
#include "model/run_state.h"

#include "base/ident.h"
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

static const Field fields[] = { /* order: of the keys in responses */
    FIELD(State, id, F_UUID),
    FIELD(State, type, F_ENUM, .names = state_type_names),
    FIELD(State, name, F_STR, .flags = NULLABLE),
    FIELD(State, timestamp, F_TIME),
    FIELD(State, message, F_STR, .flags = NULLABLE),
    FIELD(State, data, F_ANY, .flags = NULLABLE),
    FIELD(State, state_details, F_MODEL, .model = &state_details_model),
};
const Model state_model = MODEL(State, fields);

/* What every State of the reference gets, read ones too: schemas.states.State's validators. */
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

/* What Python takes for false: the reference then looks for an artifact. */
static bool is_falsy(Arena *arena, Str json_text)
{
    const Json *json;
    JsonError unused;
    if (!json_text.p || !json_parse(arena, json_text, &json, &unused))
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

static int type_from_name(Str name)
{
    for (int i = 0; i < STATE_COUNT; i++)
        if (str_is(name, state_type_names[i]))
            return i;
    return STATE_NONE;
}

State *run_state_from_columns(Tx *tx, Rows *rows, int *column)
{
    int c = *column;
    *column += 8;
    if (row_is_null(rows, c))
        return NULL;
    State *state = arena_new_of(tx->arena, State);
    state->id = codec_row_text(rows, c, F_UUID);
    state->type = type_from_name(row_view(rows, c + 1));
    if (state->type == STATE_NONE)
        row_spoil(rows, c + 1, "is no type of a state");
    state->name = codec_row_text(rows, c + 2, F_STR);
    state->timestamp = row_time(rows, c + 3);
    state->message = codec_row_text(rows, c + 4, F_STR);
    state->data = codec_row_json(tx->arena, rows, c + 5, F_ANY);
    if (is_falsy(tx->arena, state->data))
        state->data = codec_row_json(tx->arena, rows, c + 6, F_ANY);
    codec_row_model(tx->arena, rows, c + 7, &state_details_model, &state->state_details);
    row_name_fault(rows, "a column of the state", state->id);
    apply_defaults(state, tx->now);
    return state;
}

State *run_state_from_row(Tx *tx, Rows *rows)
{
    int column = 0;
    return run_state_from_columns(tx, rows, &column);
}

#define SELECT_FLOW_RUN_STATE "SELECT " STATE_COLUMNS " FROM flow_run_state AS state" STATE_ARTIFACT_JOIN
#define SELECT_TASK_RUN_STATE "SELECT " STATE_COLUMNS " FROM task_run_state AS state" STATE_ARTIFACT_JOIN

State *run_state_read(Tx *tx, RunKind kind, Str id)
{
    Rows *rows = kind == FLOW_RUN ? DB_QUERY(tx, SELECT_FLOW_RUN_STATE " WHERE state.id = $1", v_uuid(id))
                                  : DB_QUERY(tx, SELECT_TASK_RUN_STATE " WHERE state.id = $1", v_uuid(id));
    if (!db_next(rows))
        return NULL;
    State *state = run_state_from_row(tx, rows);
    db_done(rows);
    return state;
}

Rows *run_states_query(Tx *tx, RunKind kind, Str run_id)
{
    const Value id = v_uuid(run_id);
    return kind == FLOW_RUN
               ? DB_QUERY(tx, SELECT_FLOW_RUN_STATE " WHERE state.flow_run_id = $1 ORDER BY state.timestamp", id)
               : DB_QUERY(tx, SELECT_TASK_RUN_STATE " WHERE state.task_run_id = $1 ORDER BY state.timestamp", id);
}

/* Of "flow_run" or "task_run". */
#define INSERT_STATE(run) \
    "INSERT INTO " run "_state" \
    " (id, created, updated, type, timestamp, name, message, state_details, " run "_id, result_artifact_id)" \
    " VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9)"

bool run_state_insert(Tx *tx, RunKind kind, Str run_id, const State *state)
{
    Str artifact_id = STR_NULL;
    if (state->data.p) {
        artifact_id = artifact_insert(tx, state->data, kind == FLOW_RUN ? run_id : STR_NULL,
                                      kind == TASK_RUN ? run_id : STR_NULL);
        if (!artifact_id.p)
            return false;
    }
    const Value values[] = {
        v_uuid(state->id), v_time(tx->now), v_text(str_from(state_type_names[state->type])), v_time(state->timestamp),
        v_text(state->name), v_text(state->message),
        v_json(codec_stored(tx->arena, &state_details_model, &state->state_details)),
        v_uuid(run_id), v_uuid(artifact_id),
    };
    const char *sql = kind == FLOW_RUN ? INSERT_STATE("flow_run") : INSERT_STATE("task_run");
    return db_send(tx, sql, values, COUNT_OF(values));
}

State *task_cache_read(Tx *tx, Str key)
{
    Str id = DB_TEXT(tx,
                     "SELECT task_run_state_id FROM task_run_state_cache"
                     " WHERE cache_key = $1 AND (cache_expiration IS NULL OR cache_expiration > $2)"
                     " ORDER BY created DESC LIMIT 1",
                     v_text(key), v_time(tx->now));
    return id.p ? run_state_read(tx, TASK_RUN, id) : NULL;
}

bool task_cache_insert(Tx *tx, const State *state)
{
    return DB_SEND(tx,
                   "INSERT INTO task_run_state_cache"
                   " (id, created, updated, cache_key, cache_expiration, task_run_state_id)"
                   " VALUES ($1, $2, $2, $3, $4, $5)",
                   v_uuid(uuid_new(tx->arena)), v_time(tx->now), v_text(state->state_details.cache_key),
                   v_time(state->state_details.cache_expiration.us), v_uuid(state->id));
}
