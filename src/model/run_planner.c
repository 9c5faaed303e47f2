/* model/run_planner.c -- the runs that a deployment's schedule calls for: their dates, and the rows that plan them. */
#include "model/run_planner.h"

#include "base/random.h"
#include "base/str_list.h"
#include "base/uuid.h"
#include "entity/batch.h"
#include "entity/filter.h"
#include "model/deployment_schedule.h"
#include "model/run_state.h"

enum { DATES_MAX = 1002 }; /* after which the reference's schedules give up, whatever was asked for */
static const Time END_OF_TIME = (Time)253402300800 * SECOND - 1; /* the last microsecond of the year 9999 */

Time run_plan_end(const Settings *settings, Time start)
{
    Time end;
    return time_add_seconds(start, settings_float(settings, "PREFECT_ORION_SERVICES_SCHEDULER_MAX_SCHEDULED_TIME"),
                            &end)
               ? end
               : END_OF_TIME;
}

RunPlan run_plan_default(const Settings *settings, Time start)
{
    Time horizon;
    if (!time_add_seconds(start, settings_float(settings, "PREFECT_ORION_SERVICES_SCHEDULER_MIN_SCHEDULED_TIME"),
                          &horizon))
        horizon = END_OF_TIME;
    return (RunPlan){
        .start = start,
        .end = run_plan_end(settings, start),
        .min_time = horizon - start,
        .min_runs = settings_int(settings, "PREFECT_ORION_SERVICES_SCHEDULER_MIN_RUNS"),
        .max_runs = settings_int(settings, "PREFECT_ORION_SERVICES_SCHEDULER_MAX_RUNS"),
    };
}

/* ---- dates ---- */

/* How many of the dates it takes to satisfy both minimums. */
static size_t enough(const RunPlan *plan, const Moment *dates, size_t count, bool *ret_satisfied)
{
    Time horizon;
    if (__builtin_add_overflow(plan->start, plan->min_time, &horizon))
        horizon = plan->min_time > 0 ? INT64_MAX : INT64_MIN;
    *ret_satisfied = true;
    for (size_t i = 0; i < count; i++)
        if ((int64_t)i + 1 >= plan->min_runs && dates[i].us >= horizon)
            return i + 1;
    *ret_satisfied = false;
    return count;
}

static int64_t clamp(int64_t n, int64_t most)
{
    return n < 1 ? 1 : n > most ? most : n;
}

/* For most schedules the minimum number of runs is enough: so it is tried first, and the maximum only if it is not. */
static bool make_dates(Arena *arena, const RunPlan *plan, PlannedRuns *runs, Error *error)
{
    Schedule schedule;
    if (!deployment_schedule_load(arena, runs->deployment->schedule, runs->deployment->created, &schedule, error))
        return false;
    int64_t most = clamp(plan->max_runs, DATES_MAX), fewest = clamp(plan->min_runs, most);
    runs->dates = arena_alloc(arena, (size_t)most * sizeof(Moment));
    bool satisfied = false;
    for (int64_t n = fewest; !satisfied; n = most) {
        size_t count;
        if (!schedule_dates(arena, &schedule, (size_t)n, plan->start, plan->end, runs->dates, &count, error))
            return false;
        runs->count = enough(plan, runs->dates, count, &satisfied);
        satisfied = satisfied || n == most || count < (size_t)n;
    }
    return true;
}

bool planned_runs_make(Arena *arena, const Deployment *deployment, const RunPlan *plan, PlannedRuns *ret,
                       Error *error)
{
    PlannedRuns runs = { .deployment = deployment };
    Error reason = { .code = ERR_NONE };
    bool is_planned = deployment->is_schedule_active && deployment->schedule.p && !str_is(deployment->schedule, "null");
    if (is_planned && !make_dates(arena, plan, &runs, &reason))
        return fail(error, reason.code, "Error scheduling deployment %.*s: %s", STR_ARG(deployment->id),
                    reason.message);
    *ret = runs;
    return true;
}

/* ---- rows ---- */

/* The date is written as the reference prints it, in the schedule's own zone: in any other form, everything would
 * be planned a second time. */
static Str idempotency_key(Arena *arena, const Deployment *deployment, Moment date)
{
    Buf key;
    buf_init(&key, arena, 96);
    buf_printf(&key, "scheduled %.*s ", STR_ARG(deployment->id));
    moment_format(&key, date);
    return buf_view(&key);
}

static StrList find_keys(Tx *tx, Str flow_id, const Str *keys, size_t count)
{
    StrList found = { 0 };
    Query q;
    query_init(&q, tx->arena, tx->sql);
    buf_text(&q.sql, "SELECT idempotency_key FROM flow_run WHERE flow_id = ");
    query_bind(&q, v_uuid(flow_id));
    buf_text(&q.sql, " AND ");
    query_operator(&q, SQL_ANY, "idempotency_key", v_list(str_list_json(tx->arena, keys, count)));
    for (Rows *rows = query_run(tx, &q); db_next(rows);)
        str_list_add(&found, tx->arena, row_text(rows, 0));
    str_list_sort(&found);
    return found;
}

bool planned_runs_drop_existing(Tx *tx, PlannedRuns *runs)
{
    size_t kept = 0;
    Str *keys = arena_alloc(tx->arena, (runs->count + 1) * sizeof *keys);
    for (size_t i = 0; i < runs->count; i++)
        keys[i] = idempotency_key(tx->arena, runs->deployment, runs->dates[i]);
    StrList found = find_keys(tx, runs->deployment->flow_id, keys, runs->count);
    for (size_t i = 0; i < runs->count; i++)
        if (!str_list_has(&found, keys[i]))
            runs->dates[kept++] = runs->dates[i];
    runs->count = kept;
    return tx->error->code == ERR_NONE;
}

static Str scheduled_tags(Arena *arena, Str tags)
{
    bool none = !tags.p || tags.n <= 2; /* "[]" */
    return none ? STR("[\"auto-scheduled\"]")
                : arena_printf(arena, "[\"auto-scheduled\", %.*s", (int)(tags.n - 1), tags.p + 1);
}

/* The default policy, exactly as the reference stores it here: codec_stored would write 0.0. */
#define DEFAULT_POLICY \
    "{\"max_retries\": 0, \"retry_delay_seconds\": 0, \"retries\": null, \"retry_delay\": null, " \
    "\"pause_keys\": [], \"resuming\": false}"

/* Without its state: the two rows refer to each other, so one has to come first. */
static FlowRun planned_run(Tx *tx, const Deployment *deployment, Str tags, Moment date)
{
    return (FlowRun){
        .run = {
            .id = uuid_new(tx->arena),
            .created = tx->now,
            .updated = tx->now,
            .name = random_name(tx->arena),
            .state_type = STATE_SCHEDULED,
            .state_name = STR("Scheduled"),
            .state_timestamp = TIME_NULL,
            .expected_start_time = date.us,
            .next_scheduled_start_time = date.us,
            .start_time = TIME_NULL,
            .end_time = TIME_NULL,
            .tags = tags,
        },
        .flow_id = deployment->flow_id,
        .deployment_id = deployment->id,
        .work_queue_name = deployment->stored_queue_name,
        .parameters = deployment->parameters,
        .idempotency_key = idempotency_key(tx->arena, deployment, date),
        .context = STR("{}"),
        .auto_scheduled = true,
        .infrastructure_document_id = deployment->infrastructure_document_id,
        .work_queue_id = deployment->work_queue_id,
    };
}

/* The state's data is JSON's null here; that of states which went through the rules is SQL's. */
static State planned_state(Tx *tx, Str run_id, Moment date)
{
    State *state = state_new(tx->arena, STATE_SCHEDULED, NULL, tx->now);
    state->state_details.scheduled_time = date;
    state->message = STR("Flow run scheduled");
    state->data = STR("null");
    state->created = state->updated = tx->now;
    state->run_id = run_id;
    return *state;
}

static bool set_states(Tx *tx, const Str *run_ids, size_t count)
{
    Query q;
    query_init(&q, tx->arena, tx->sql);
    buf_text(&q.sql, "UPDATE flow_run SET empirical_policy = ");
    query_bind(&q, v_json(STR(DEFAULT_POLICY)));
    buf_text(&q.sql, ", state_id = (SELECT state.id FROM flow_run_state AS state"
                     " WHERE state.flow_run_id = flow_run.id) WHERE ");
    query_operator(&q, SQL_ANY, "id", v_list(str_list_json(tx->arena, run_ids, count)));
    return db_send(tx, buf_cstr(&q.sql), q.values, q.count);
}

int64_t planned_runs_insert(Tx *tx, const PlannedRuns *runs, size_t first, size_t count)
{
    Str tags = scheduled_tags(tx->arena, runs->deployment->tags);
    size_t wanted = first >= runs->count ? 0 : count < runs->count - first ? count : runs->count - first, n = 0;
    FlowRun *rows = arena_alloc(tx->arena, (wanted + 1) * sizeof *rows);
    State *states = arena_alloc(tx->arena, (wanted + 1) * sizeof *states);
    Str *ids = arena_alloc(tx->arena, (wanted + 1) * sizeof *ids);
    bool *is_new = arena_alloc(tx->arena, (wanted + 1) * sizeof *is_new);
    for (size_t i = 0; i < wanted; i++)
        rows[i] = planned_run(tx, runs->deployment, tags, runs->dates[first + i]);
    if (!batch_insert_new(tx, &flow_run_model, rows, wanted, is_new))
        return -1;
    for (size_t i = 0; i < wanted; i++)
        if (is_new[i]) {
            ids[n] = rows[i].run.id;
            states[n] = planned_state(tx, ids[n], runs->dates[first + i]);
            n++;
        }
    bool ok = n == 0 || (batch_send_insert(tx, &state_model, states, n) && set_states(tx, ids, n));
    return ok ? (int64_t)n : -1;
}
