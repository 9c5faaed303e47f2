/* tests/unit/world.h -- a database (engine.h) with one flow, and short verbs for the tests of rules. Bodies
 * are JSON as clients send it; every operation is a transaction of its own, a second after the one before, on
 * a clock that the test holds. */
#ifndef ORION_WORLD_H
#define ORION_WORLD_H

#include "engine.h"

#include "db/migrate.h"
#include "model/run_bodies.h"
#include "model/run_state.h"
#include "orchestration/orchestration.h"

#define FLOW_ID "6f1c0000-0000-4000-8000-00000000000f"
#define START ((Time)1780000000 * SECOND)

typedef struct World {
    Db *db;
    Arena *arena;
    Time now;
    Error error; /* of the last operation */
} World;
static World world;

/* What one operation is given and gives. */
typedef struct Call {
    Str id;
    const char *sql;
    const void *object;
    TransitionOptions options;
    TransitionResult result;
    FlowRun *flow_run;
    TaskRun *task_run;
    int64_t number;
    Str text;
    bool created;
} Call;

static inline bool world_run(bool (*job)(Tx *, void *), Call *call)
{
    world.error = (Error){ 0 };
    world.now += SECOND;
    return db_run(world.db, true, world.arena, job, call, &world.error);
}

static inline void world_must(bool (*job)(Tx *, void *), Call *call)
{
    bool ok = world_run(job, call);
    assert_string_equal(world.error.message, "");
    assert_true(ok);
}

/* ---- SQL ---- */

static inline bool job_sql(Tx *tx, void *arg)
{
    Call *call = arg;
    return db_exec(tx, call->sql, NULL, 0) >= 0;
}

static inline bool job_number(Tx *tx, void *arg)
{
    Call *call = arg;
    call->number = db_int(tx, -1, call->sql, NULL, 0);
    return tx->error->code == ERR_NONE;
}

static inline bool job_text(Tx *tx, void *arg)
{
    Call *call = arg;
    call->text = db_text(tx, call->sql, NULL, 0);
    return tx->error->code == ERR_NONE;
}

static inline const char *sql_of(Str id, const char *before, const char *after)
{
    return arena_cstr(world.arena, arena_printf(world.arena, "%s'%.*s'%s", before, STR_ARG(id), after));
}

static inline void sql(const char *text)
{
    world_must(job_sql, &(Call){ .sql = text });
}

static inline int64_t sql_number(const char *text)
{
    Call call = { .sql = text };
    world_must(job_number, &call);
    return call.number;
}

static inline Str sql_text(const char *text)
{
    Call call = { .sql = text };
    world_must(job_text, &call);
    return call.text;
}

/* ---- bodies ---- */

static inline void *body(const Model *model, const char *json_text)
{
    const Json *json;
    JsonError error;
    Invalid invalid;
    void *object = arena_alloc(world.arena, model->size);
    invalid_init(&invalid, world.arena, world.now);
    assert_true(json_parse(world.arena, str_from(json_text), &json, &error));
    bool ok = codec_decode(&invalid, model, json, object, NULL);
    assert_string_equal(invalid.items.n ? buf_cstr(&invalid.items) : "", "");
    assert_true(ok);
    return object;
}

/* ---- runs ---- */

static inline bool job_create_flow_run(Tx *tx, void *arg)
{
    Call *call = arg;
    tx->now = world.now;
    return flow_run_create(tx, call->object, call->options.api_version, &call->flow_run, &call->created);
}

static inline bool job_create_task_run(Tx *tx, void *arg)
{
    Call *call = arg;
    tx->now = world.now;
    return task_run_create(tx, call->object, &call->task_run, &call->created);
}

/* `members`: of the body beside flow_id, such as "\"name\": \"x\", " with its comma. */
static inline Call create_flow_run(const char *members)
{
    Str text = arena_printf(world.arena, "{%s\"flow_id\": \"" FLOW_ID "\"}", members);
    Call call = { .object = body(&flow_run_create_model, arena_cstr(world.arena, text)) };
    world_must(job_create_flow_run, &call);
    return call;
}

static inline Str new_flow_run(const char *members)
{
    return create_flow_run(members).flow_run->run.id;
}

static inline Call create_task_run(Str flow_run_id, const char *key, const char *members)
{
    Str text = arena_printf(world.arena, "{%s\"flow_run_id\": \"%.*s\", \"task_key\": \"%s\", \"dynamic_key\": \"0\"}",
                            members, STR_ARG(flow_run_id), key);
    Call call = { .object = body(&task_run_create_model, arena_cstr(world.arena, text)) };
    world_must(job_create_task_run, &call);
    return call;
}

static inline Str new_task_run(Str flow_run_id, const char *key, const char *members)
{
    return create_task_run(flow_run_id, key, members).task_run->run.id;
}

static inline bool job_read_flow_run(Tx *tx, void *arg)
{
    Call *call = arg;
    tx->now = world.now;
    call->flow_run = flow_run_read(tx, call->id);
    return tx->error->code == ERR_NONE;
}

static inline bool job_read_task_run(Tx *tx, void *arg)
{
    Call *call = arg;
    tx->now = world.now;
    call->task_run = task_run_read(tx, call->id);
    return tx->error->code == ERR_NONE;
}

static inline FlowRun *read_flow_run(Str id)
{
    Call call = { .id = id };
    world_must(job_read_flow_run, &call);
    return call.flow_run;
}

static inline TaskRun *read_task_run(Str id)
{
    Call call = { .id = id };
    world_must(job_read_task_run, &call);
    return call.task_run;
}

/* ---- set_state ---- */

static inline bool job_set_flow_state(Tx *tx, void *arg)
{
    Call *call = arg;
    tx->now = world.now;
    State state = *(const State *)call->object;
    state_complete(tx->arena, &state, tx->now);
    return flow_run_set_state(tx, call->id, &state, call->options, &call->result);
}

static inline bool job_set_task_state(Tx *tx, void *arg)
{
    Call *call = arg;
    tx->now = world.now;
    State state = *(const State *)call->object;
    state_complete(tx->arena, &state, tx->now);
    return task_run_set_state(tx, call->id, &state, call->options, &call->result);
}

/* `state`: the members of a StateCreate, without its braces. */
static inline Call state_call(Str id, const char *state, TransitionOptions options)
{
    Str text = arena_printf(world.arena, "{%s}", state);
    return (Call){ .id = id, .object = body(&state_create_model, arena_cstr(world.arena, text)), .options = options };
}

static inline TransitionResult set_flow_with(Str id, const char *state, TransitionOptions options)
{
    Call call = state_call(id, state, options);
    world_must(job_set_flow_state, &call);
    return call.result;
}

static inline TransitionResult set_task_with(Str id, const char *state, TransitionOptions options)
{
    Call call = state_call(id, state, options);
    world_must(job_set_task_state, &call);
    return call.result;
}

static inline TransitionResult set_flow(Str id, const char *state)
{
    return set_flow_with(id, state, (TransitionOptions){ 0 });
}

static inline TransitionResult set_task(Str id, const char *state)
{
    return set_task_with(id, state, (TransitionOptions){ 0 });
}

/* For operations that fail: the code, the message in world.error. */
static inline ErrorCode flow_error(Str id, const char *state)
{
    Call call = state_call(id, state, (TransitionOptions){ 0 });
    assert_false(world_run(job_set_flow_state, &call));
    return world.error.code;
}

static inline ErrorCode task_error(Str id, const char *state)
{
    Call call = state_call(id, state, (TransitionOptions){ 0 });
    assert_false(world_run(job_set_task_state, &call));
    return world.error.code;
}

/* ---- assertions ---- */

#define assert_str(value, expected) \
    assert_string_equal(arena_cstr(world.arena, (value)) ? arena_cstr(world.arena, (value)) : "(null)", (expected))

#define assert_outcome(result, status_, type_, name_) do { \
        TransitionResult outcome_ = (result); \
        assert_int_equal(outcome_.status, (status_)); \
        assert_non_null(outcome_.state); \
        assert_int_equal(outcome_.state->type, (type_)); \
        assert_str(outcome_.state->name, (name_)); \
    } while (0)

/* Nothing was written: the state answered is the one that was there, without data. */
#define assert_refused(result, status_, reason_, type_) do { \
        TransitionResult refused_ = (result); \
        assert_int_equal(refused_.status, (status_)); \
        assert_str(refused_.reason, (reason_)); \
        assert_non_null(refused_.state); \
        assert_int_equal(refused_.state->type, (type_)); \
        assert_null(refused_.state->data.p); \
    } while (0)

/* ---- set-up ---- */

static inline bool job_empty_schema(Tx *tx, void *arg)
{
    (void)arg;
    return migrate_up(tx) && migrate_clear(tx);
}

static inline int world_open(void **state)
{
    (void)state;
    world = (World){ .arena = arena_new(), .now = START };
    static bool is_schema_kept; /* to make it anew for each test would take a third of a second */
    world.db = is_schema_kept ? engine_open_as_it_is() : engine_open();
    is_schema_kept = engine_postgres().n > 0;
    world_must(job_empty_schema, &(Call){ 0 });
    sql("INSERT INTO flow (id, name) VALUES ('" FLOW_ID "', 'f')");
    return 0;
}

static inline int world_close(void **state)
{
    (void)state;
    db_close(world.db);
    arena_free(world.arena);
    return 0;
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, world_open, world_close)

#endif
