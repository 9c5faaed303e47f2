/* tests/power/jobs.c -- the server's own writes: a table of them is at the end. */
#include "jobs.h"

#include <assert.h>

#include "base/uuid.h"
#include "blocks/block.h"
#include "model/concurrency_limit.h"
#include "model/deployment_run.h"
#include "model/flow.h"
#include "model/log.h"
#include "model/removal.h"
#include "model/run_bodies.h"
#include "model/saved_search.h"
#include "model/work_pool.h"
#include "orchestration/orchestration.h"

enum { NAMES = 6 }; /* few, so that jobs meet rows that exist already */

/* ---- bodies and rows ---- */

static void *decode(Tx *tx, const Model *model, Str text)
{
    Invalid invalid;
    void *object = arena_alloc(tx->arena, model->size);
    invalid_init(&invalid, tx->arena, tx->now);
    bool ok = codec_decode(&invalid, model, json_read(tx->arena, text), object, NULL);
    assert(ok);
    (void)ok;
    return object;
}

#define BODY(tx, model, ...) decode((tx), (model), arena_printf((tx)->arena, __VA_ARGS__))

/* The id of any row of a table; null: it has none. */
#define CHOOSE(tx, dice, table) \
    DB_TEXT((tx), "SELECT id FROM " table " ORDER BY id LIMIT 1 OFFSET $1 % max(1, (SELECT count(*) FROM " table "))", \
            v_int(dice_below((dice), 1000)))

/* A task run that is deleted while it holds a slot leaves the slot held, as in the reference; `orion database check`
 * says so. */
static bool may_delete(Tx *tx)
{
    return DB_INT(tx, -1, "SELECT count(*) FROM concurrency_limit WHERE active_slots <> '[]'") == 0;
}

/* Text of any length up to some pages. */
static Str text_of(Arena *arena, Dice *dice)
{
    static const unsigned lengths[] = { 10, 100, 100, 1000, 12000 };
    size_t n = dice_below(dice, lengths[dice_below(dice, COUNT_OF(lengths))]);
    char *text = arena_alloc(arena, n + 1);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)('a' + dice_below(dice, 26));
    return (Str){ text, n };
}

/* ---- flows and runs ---- */

static bool create_flow(Tx *tx, Dice dice)
{
    bool created;
    unsigned name = dice_below(&dice, NAMES);
    return flow_create(tx, BODY(tx, &flow_create_model, "{\"name\": \"flow-%u\", \"tags\": [\"%u\"]}", name, name),
                       &created) != NULL;
}

static bool delete_flow(Tx *tx, Dice dice)
{
    Str id = CHOOSE(tx, &dice, "flow");
    return !id.p || !may_delete(tx) || flow_delete(tx, id) == 1;
}

static bool create_flow_run(Tx *tx, Dice dice)
{
    static const char *const states[] = {
        "null", "{\"type\": \"PENDING\"}", "{\"type\": \"RUNNING\"}",
        "{\"type\": \"SCHEDULED\", \"state_details\": {\"scheduled_time\": \"2026-05-28T20:00:00Z\"}}",
    };
    Str flow = CHOOSE(tx, &dice, "flow"), text = text_of(tx->arena, &dice);
    FlowRun *run;
    bool created;
    if (!flow.p)
        return true;
    const FlowRun *wanted = BODY(
        tx, &flow_run_create_model,
        "{\"flow_id\": \"%.*s\", \"parameters\": {\"x\": \"%.*s\"}, \"idempotency_key\": \"%u\", \"tags\": [\"a\"],"
        " \"state\": %s}",
        STR_ARG(flow), STR_ARG(text), dice_below(&dice, 100), states[dice_below(&dice, COUNT_OF(states))]);
    return flow_run_create(tx, wanted, 0, &run, &created);
}

static bool delete_flow_run(Tx *tx, Dice dice)
{
    Str id = CHOOSE(tx, &dice, "flow_run");
    return !id.p || !may_delete(tx) || flow_run_delete(tx, id) == 1;
}

static bool create_task_run(Tx *tx, Dice dice)
{
    Str flow_run = CHOOSE(tx, &dice, "flow_run WHERE NOT auto_scheduled"); /* those are deleted with their schedule */
    TaskRun *run;
    bool created;
    if (!flow_run.p)
        return true;
    const TaskRun *wanted = BODY(
        tx, &task_run_create_model,
        "{\"flow_run_id\": \"%.*s\", \"task_key\": \"task\", \"dynamic_key\": \"%u\", \"tags\": [\"tag-%u\"],"
        " \"cache_key\": \"%u\"}",
        STR_ARG(flow_run), dice_below(&dice, 4), dice_below(&dice, NAMES), dice_below(&dice, NAMES));
    return task_run_create(tx, wanted, &run, &created);
}

static bool delete_task_run(Tx *tx, Dice dice)
{
    Str id = CHOOSE(tx, &dice, "task_run");
    return !id.p || !may_delete(tx) || task_run_delete(tx, id) == 1;
}

/* A state of any type, with data of any size. */
static State any_state(Tx *tx, Dice *dice)
{
    StateType type = (StateType)dice_below(dice, STATE_COUNT);
    Str text = text_of(tx->arena, dice);
    State state = *(const State *)BODY(
        tx, &state_create_model,
        "{\"type\": \"%s\", \"message\": \"m\", \"data\": {\"blob\": \"%.*s\"},"
        " \"state_details\": {\"cache_key\": \"%u\", \"pause_timeout\": \"2026-05-29T20:00:00Z\"}}",
        state_type_names[type], STR_ARG(text), dice_below(dice, NAMES));
    state_complete(tx->arena, &state, tx->now);
    return state;
}

static bool set_flow_run_state(Tx *tx, Dice dice)
{
    Str id = CHOOSE(tx, &dice, "flow_run");
    State state = any_state(tx, &dice);
    TransitionOptions options = { .force = dice_one_in(&dice, 4) };
    return !id.p || flow_run_set_state(tx, id, &state, options, NULL);
}

static bool set_task_run_state(Tx *tx, Dice dice)
{
    Str id = CHOOSE(tx, &dice, "task_run");
    State state = any_state(tx, &dice);
    TransitionOptions options = { .force = dice_one_in(&dice, 4) };
    return !id.p || task_run_set_state(tx, id, &state, options, NULL);
}

static bool write_logs(Tx *tx, Dice dice)
{
    Str flow_run = CHOOSE(tx, &dice, "flow_run");
    unsigned count = flow_run.p ? 1 + dice_below(&dice, 20) : 0;
    for (unsigned i = 0; i < count; i++) {
        Str text = text_of(tx->arena, &dice);
        LogRow *row = BODY(tx, &log_create_model,
                           "{\"name\": \"n\", \"level\": 20, \"message\": \"%.*s\", \"flow_run_id\": \"%.*s\","
                           " \"timestamp\": \"2026-05-28T20:00:%02uZ\"}",
                           STR_ARG(text), STR_ARG(flow_run), i);
        row->id = uuid_new(tx->arena);
        row->created = row->updated = tx->now;
        if (!codec_send_insert(tx, &log_model, row))
            return false;
    }
    return true;
}

/* ---- deployments ---- */

static bool upsert_deployment(Tx *tx, Dice dice)
{
    Str flow = CHOOSE(tx, &dice, "flow");
    bool created;
    if (!flow.p)
        return true;
    const Deployment *wanted = BODY(
        tx, &deployment_create_model,
        "{\"name\": \"deployment-%u\", \"flow_id\": \"%.*s\", \"work_queue_name\": \"queue-%u\", \"schedule\":"
        " {\"interval\": %u}, \"is_schedule_active\": %s}",
        dice_below(&dice, 3), STR_ARG(flow), dice_below(&dice, 3), 1200 * (1 + dice_below(&dice, 3)),
        dice_one_in(&dice, 4) ? "false" : "true");
    return deployment_upsert(tx, wanted, &created) != NULL;
}

static bool run_deployment(Tx *tx, Dice dice)
{
    Str id = CHOOSE(tx, &dice, "deployment");
    const Deployment *deployment = id.p ? deployment_read_shared(tx, id) : NULL;
    FlowRun *run;
    bool created;
    if (!deployment)
        return tx->error->code == ERR_NONE;
    const FlowRun wanted = deployment_run(tx->arena, deployment, BODY(tx, &deployment_run_create_model, "{}"));
    return flow_run_create(tx, &wanted, 0, &run, &created);
}

static bool delete_deployment(Tx *tx, Dice dice)
{
    Str id = CHOOSE(tx, &dice, "deployment");
    return !id.p || !may_delete(tx) || deployment_delete(tx, id) == 1;
}

/* ---- what else clients write ---- */

static bool write_block_document(Tx *tx, Dice dice)
{
    Str type = CHOOSE(tx, &dice, "block_type"), schema = CHOOSE(tx, &dice, "block_schema");
    Str name = arena_printf(tx->arena, "document-%u", dice_below(&dice, NAMES)), text = text_of(tx->arena, &dice);
    Str id = block_type_document_id(tx, STR("power"), name);
    if (!id.p)
        return block_document_create(tx, BODY(tx, &block_document_create_model,
                                              "{\"name\": \"%.*s\", \"data\": {\"secret\": \"%.*s\"},"
                                              " \"block_type_id\": \"%.*s\", \"block_schema_id\": \"%.*s\"}",
                                              STR_ARG(name), STR_ARG(text), STR_ARG(type), STR_ARG(schema))) != NULL;
    if (dice_one_in(&dice, 3))
        return codec_delete(tx, &block_document_model, id) == 1;
    enum { ALL_SENT = 7 }; /* the fields of block_document_update_model */
    return block_document_update(tx, id, BODY(tx, &block_document_update_model, "{\"data\": {\"secret\": \"%.*s\"}}",
                                              STR_ARG(text)), ALL_SENT);
}

static bool write_concurrency_limit(Tx *tx, Dice dice)
{
    unsigned tag = dice_below(&dice, NAMES);
    if (dice_one_in(&dice, 4))
        return concurrency_limit_delete_by_tag(tx, arena_printf(tx->arena, "tag-%u", tag)) >= 0;
    return concurrency_limit_upsert(tx, BODY(tx, &concurrency_limit_create_model,
                                             "{\"tag\": \"tag-%u\", \"concurrency_limit\": 3}", tag)) != NULL;
}

static bool write_saved_search(Tx *tx, Dice dice)
{
    bool created;
    return saved_search_upsert(tx, BODY(tx, &saved_search_create_model, "{\"name\": \"search-%u\"}",
                                        dice_below(&dice, NAMES)), &created) != NULL;
}

static bool record_polls(Tx *tx, Dice dice)
{
    Str pool = CHOOSE(tx, &dice, "work_pool");
    Str worker = arena_printf(tx->arena, "worker-%u", dice_below(&dice, NAMES));
    return !pool.p || (work_pool_record_poll(tx, pool, tx->now) && worker_record_heartbeat(tx, pool, worker));
}

/* Writes, and is then refused: a savepoint is rolled back in the midst of a transaction. */
static bool be_refused(Tx *tx, Dice dice)
{
    return write_logs(tx, dice) && create_flow(tx, dice) && create_flow_run(tx, dice) &&
           fail(tx->error, ERR_CONFLICT, "refused on purpose");
}

const JobKind job_kinds[] = {
    { "create a flow",               4, false, create_flow },
    { "delete a flow",               1, false, delete_flow },
    { "create a flow run",           8, false, create_flow_run },
    { "delete a flow run",           1, false, delete_flow_run },
    { "create a task run",           6, false, create_task_run },
    { "delete a task run",           1, false, delete_task_run },
    { "set a flow run's state",      8, false, set_flow_run_state },
    { "set a task run's state",      8, false, set_task_run_state },
    { "write logs",                  4, false, write_logs },
    { "create or change a deployment", 3, false, upsert_deployment },
    { "create a run of a deployment", 2, false, run_deployment },
    { "delete a deployment",         1, false, delete_deployment },
    { "write a block document",      3, false, write_block_document },
    { "write a concurrency limit",   2, false, write_concurrency_limit },
    { "save a search",               1, false, write_saved_search },
    { "record polls",                1, false, record_polls },
    { "be refused",                  2, true,  be_refused },
};
const size_t job_kind_count = COUNT_OF(job_kinds);

const JobKind *job_kind_choose(Dice *dice)
{
    unsigned total = 0;
    for (size_t i = 0; i < COUNT_OF(job_kinds); i++)
        total += job_kinds[i].weight;
    unsigned left = dice_below(dice, total);
    const JobKind *kind = job_kinds;
    for (; left >= kind->weight; kind++)
        left -= kind->weight;
    return kind;
}

/* So that jobs and services have something to work on from the beginning. */
static bool fill(Tx *tx)
{
    enum { JOBS = 80 };
    Dice dice = { 1 };
    for (int i = 0; i < JOBS; i++) {
        const JobKind *kind = job_kind_choose(&dice);
        Dice own = { dice_next(&dice) };
        if (!kind->is_refused && !kind->run(tx, own))
            return false;
    }
    return true;
}

bool jobs_prepare(Tx *tx)
{
    const BlockType *type = block_type_create(tx, BODY(tx, &block_type_create_model,
                                                       "{\"name\": \"Power\", \"slug\": \"power\"}"));
    bool created;
    return type && create_flow(tx, (Dice){ 1 }) &&
           block_schema_create(tx, BODY(tx, &block_schema_create_model,
                                        "{\"fields\": {\"title\": \"Power\", \"type\": \"object\", \"properties\":"
                                        " {\"secret\": {\"type\": \"string\"}}, \"secret_fields\": [\"secret\"],"
                                        " \"block_type_slug\": \"power\", \"block_schema_references\": {}},"
                                        " \"block_type_id\": \"%.*s\"}", STR_ARG(type->id)), &created) &&
           fill(tx);
}
