/* orchestration/rules_task.c -- rules that govern task runs only: the cache, slots by tag, their end, retrying. */
#include "orchestration/transition.h"

#include "base/random.h"
#include "model/run_state.h"

#include <math.h>

/* ---- the cache: a task with the key of a completed one takes over its state ---- */

static bool before_cached(Transition *t)
{
    const StateDetails *details = &t->proposed->state_details;
    if (details->cache_key.n == 0 || details->refresh_cache.v)
        return true;
    Rows *rows = t->cached_rows ? t->cached_rows : task_cache_query(t->tx, details->cache_key);
    State *state = codec_first(t->tx, rows, &task_run_state_model);
    if (!state)
        return t->tx->error->code == ERR_NONE;
    state_complete(t->tx->arena, state, t->tx->now);
    state->name = STR("Cached");
    return transition_reject(t, state, STR("Retrieved state from cache"));
}

const Rule cache_retrieval = {
    .name = "CacheRetrieval",
    .from = ST_ANY, .to = ST_RUNNING, .before = before_cached,
};

static bool after_completed(Transition *t)
{
    Str key = t->validated->state_details.cache_key;
    return key.n == 0 ||
           task_cache_insert(t->tx, t->validated, t->newest_rows ? t->newest_rows : task_cache_newest(t->tx, key));
}

const Rule cache_insertion = {
    .name = "CacheInsertion",
    .from = ST_ANY, .to = ST_COMPLETED, .after = after_completed,
};

/* ---- an end is final, unless the flow is being run again ---- */

static bool before_leaving_end(Transition *t)
{
    int from = t->initial->type;
    bool rerun = t->proposed->type == STATE_RUNNING
                 && (from == STATE_FAILED || from == STATE_CRASHED || from == STATE_CANCELLED);
    t->original_run_count = t->run->run_count;
    if (!rerun)
        return transition_abort(t, STR("This run has already terminated."));
    const FlowRun *flow_run = transition_flow_run(t);
    if (!flow_run)
        return fail(t->tx->error, ERR_INTERNAL, "A task run without its flow run");
    if (t->task_run->flow_run_run_count >= flow_run->run.run_count)
        return transition_abort(t, STR("This run has already terminated."));
    t->run->run_count = 0; /* the task has all its own retries again */
    transition_rename(t, "Retrying");
    return true;
}

static bool cleanup_leaving_end(Transition *t)
{
    t->run->run_count = t->original_run_count;
    return true;
}

const Rule handle_task_terminal_state_transitions = {
    .name = "HandleTaskTerminalStateTransitions",
    .from = ST_FINAL, .to = ST_ANY, .before = before_leaving_end, .cleanup = cleanup_leaving_end,
};

/* ---- tasks run only while their flow does ---- */

static bool before_running_in_flow(Transition *t)
{
    const FlowRun *flow_run = transition_flow_run(t);
    if (!flow_run)
        return fail(t->tx->error, ERR_INTERNAL, "A task run without its flow run");
    int type = state_type_of(flow_run->run.state);
    if (type == STATE_RUNNING)
        return true;
    if (type != STATE_PAUSED)
        return transition_abort(t, STR("The enclosing flow must be running to begin task execution."));
    Str reason = arena_printf(t->tx->arena, "The flow is paused, new tasks can execute after resuming flow run: %.*s.",
                              STR_ARG(flow_run->run.id));
    return transition_reject(t, state_new(t->tx->arena, STATE_PAUSED, "NotReady", t->tx->now), reason);
}

const Rule prevent_running_tasks_from_stopped_flows = {
    .name = "PreventRunningTasksFromStoppedFlows",
    .from = ST_ANY, .to = ST_RUNNING, .before = before_running_in_flow,
};

/* ---- slots: how many tasks with a tag may run at once ---- */

enum { SLOT_RETRY_SECONDS = 30 };

static bool release_slots(Transition *t)
{
    bool ok = true;
    for (size_t i = 0; ok && i < t->limit_count; i++)
        ok = concurrency_limit_release(t->tx, t->limits[i], t->run->id);
    return ok;
}

/* All limits are checked before any slot is taken, and a run that must wait holds none: the reference keeps the free
 * ones while it waits for a full one, and two such runs then wait for each other. As there, the answer names the last
 * limit in the way. */
static bool before_taking_slots(Transition *t)
{
    bool blocked = false, ok = true;
    t->limits = concurrency_limits_of_tags(t->tx, t->run->tags, &t->limit_count);
    if (!t->limits)
        return false;
    for (size_t i = 0; i < t->limit_count; i++) {
        const ConcurrencyLimit *limit = t->limits[i];
        int64_t used = (int64_t)concurrency_limit_used(t->tx, limit);
        if (limit->concurrency_limit == 0)
            blocked = transition_abort(t, arena_printf(t->tx->arena,
                                                       "The concurrency limit on tag \"%.*s\" is 0 and will deadlock"
                                                       " if the task tries to run again.", STR_ARG(limit->tag)));
        else if (used >= limit->concurrency_limit)
            blocked = transition_delay(t, SLOT_RETRY_SECONDS,
                                       arena_printf(t->tx->arena, "Concurrency limit for the %.*s tag has been reached",
                                                    STR_ARG(limit->tag)));
    }
    if (blocked)
        return release_slots(t);
    for (size_t i = 0; ok && i < t->limit_count; i++)
        ok = concurrency_limit_take(t->tx, t->limits[i], t->run->id);
    return ok;
}

const Rule secure_task_concurrency_slots = {
    .name = "SecureTaskConcurrencySlots",
    .from = ST_ANY, .to = ST_RUNNING, .before = before_taking_slots, .cleanup = release_slots,
};

static bool after_leaving_running(Transition *t)
{
    bool is_new = !t->initial; /* nobody knew its id before */
    if (is_new || t->validated->type == STATE_RUNNING || t->validated->type == STATE_CANCELLING)
        return true;
    t->limits = t->limit_rows ? concurrency_limits_read(t->tx, t->limit_rows, &t->limit_count)
                              : concurrency_limits_of_tags(t->tx, t->run->tags, &t->limit_count);
    return t->limits && release_slots(t);
}

const Rule release_task_concurrency_slots = {
    .name = "ReleaseTaskConcurrencySlots",
    .transform = true, .after = after_leaving_running,
};

/* ---- a failed task is retried while it has retries left ---- */

/* The delay after this attempt: from a list, the entry with the attempt's number, or else the last one. */
static bool base_delay(Transition *t, double *ret)
{
    Str text = t->task_run->empirical_policy.retry_delay;
    const Json *json = json_read(t->tx->arena, text);
    *ret = 0;
    if (!json)
        return true;
    if (json->kind == JSON_ARRAY) {
        if (json->count == 0)
            return fail(t->tx->error, ERR_INTERNAL, "A retry without any delay in its list"); /* as the reference */
        int64_t last = (int64_t)json->count - 1, index = t->run->run_count - 1;
        if (index > last || index < 0)
            index = last;
        json = json->child;
        while (index-- > 0)
            json = json->next;
    }
    *ret = strtod(arena_cstr(t->tx->arena, json->text), NULL);
    return true;
}

static double exponential_cdf(double x, double average)
{
    return 1 - exp(-x / average);
}

/* An exponentially distributed delay between bounds around the average, chosen so that as much of it lies below the
 * median as above. */
static double jittered(double average, double factor)
{
    double multiple = 1 + factor;
    double power = exp2(multiple);
    double lower_multiple = multiple >= 50 ? 0 : log2(fmax(power / (power - 1), 1e-10));
    double lower = exponential_cdf(fmax(0, average * lower_multiple), average);
    double upper = exponential_cdf(average * multiple, average);
    double draw = lower + (upper - lower) * random_unit();
    return -log(fmax(1 - draw, 1e-10)) * average;
}

static bool before_failing(Transition *t)
{
    const TaskRunPolicy *policy = &t->task_run->empirical_policy;
    double delay;
    if (!base_delay(t, &delay))
        return false;
    if (policy->retry_jitter_factor.v != 0 && delay == 0)
        return fail(t->tx->error, ERR_INTERNAL, "A retry delay of 0 cannot have jitter"); /* the reference divides */
    if (policy->retry_jitter_factor.v != 0)
        delay = jittered(delay, policy->retry_jitter_factor.v);
    if (!policy->retries.has || t->run->run_count > policy->retries.v)
        return true;
    Time start;
    if (!time_add_seconds(t->tx->now, delay, &start))
        return fail(t->tx->error, ERR_INTERNAL, "A retry delay that leads out of the calendar"); /* as the reference */
    State *retry = state_new(t->tx->arena, STATE_SCHEDULED, "AwaitingRetry", t->tx->now);
    retry->state_details.scheduled_time = MOMENT(start);
    retry->message = t->proposed->message;
    retry->data = t->proposed->data;
    return transition_reject(t, retry, STR("Retrying"));
}

const Rule retry_failed_tasks = {
    .name = "RetryFailedTasks",
    .from = ST_RUNNING, .to = ST_FAILED, .before = before_failing,
};

/* ---- names that distinguish a second attempt from the first ---- */

static bool before_rerun(Transition *t)
{
    if (t->run->run_count <= 0)
        return true;
    if (!t->initial) /* the reference reads its name, and fails */
        return fail(t->tx->error, ERR_INTERNAL, "A run that has run has no state");
    transition_rename(t, str_is(t->initial->name, "AwaitingRetry") ? "Retrying" : "Rerunning");
    return true;
}

const Rule rename_reruns = {
    .name = "RenameReruns",
    .from = ST_ANY, .to = ST_RUNNING, .before = before_rerun,
};

/* ---- which attempt of the flow this run belongs to ---- */

static bool after_running(Transition *t)
{
    const FlowRun *flow_run = transition_flow_run(t);
    if (!flow_run)
        return fail(t->tx->error, ERR_OBJECT_NOT_FOUND,
                    "Unable to read flow run associated with task run: %.*s, this flow run might have been deleted",
                    STR_ARG(t->run->id));
    t->task_run->flow_run_run_count = flow_run->run.run_count;
    return true;
}

const Rule update_flow_run_tracker_on_tasks = {
    .name = "UpdateFlowRunTrackerOnTasks",
    .from = ST_ANY, .to = ST_RUNNING, .after = after_running,
};
