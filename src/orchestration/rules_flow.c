/* orchestration/rules_flow.c -- rules for flow runs only: their end, cancelling, pausing, resuming, retrying. */
#include "orchestration/transition.h"

#include "base/str_list.h"
#include "base/uuid.h"

/* A run that starts over has not been paused yet. */
static void forget_pauses(Transition *t)
{
    if (!transition_version_from(t, VERSION_PAUSES))
        return;
    t->flow_run->empirical_policy.resuming = (OptBool){ false, true };
    t->flow_run->empirical_policy.pause_keys = STR("[]");
}

/* ---- an end is final, except for runs of deployments, which may be rescheduled ---- */

static bool before_leaving_end(Transition *t)
{
    t->original_policy = t->flow_run->empirical_policy;
    if (t->proposed->type != STATE_SCHEDULED || !str_is(t->proposed->name, "AwaitingRetry"))
        return transition_abort(t, STR("This run has already terminated."));
    forget_pauses(t);
    return t->flow_run->deployment_id.p
           || transition_abort(t, STR("Cannot restart a run without an associated deployment."));
}

static bool cleanup_leaving_end(Transition *t)
{
    t->flow_run->empirical_policy = t->original_policy;
    return true;
}

const Rule handle_flow_terminal_state_transitions = {
    .name = "HandleFlowTerminalStateTransitions",
    .from = ST_FINAL, .to = ST_ANY, .before = before_leaving_end, .cleanup = cleanup_leaving_end,
};

/* ---- a run that is being cancelled can only become cancelled ---- */

static bool before_leaving_cancelling(Transition *t)
{
    return transition_reject(t, NULL,
                             STR("Cannot transition flows that are cancelling to a state other than Cancelled."));
}

const Rule handle_cancelling_state_transitions = {
    .name = "HandleCancellingStateTransitions",
    .from = ST_CANCELLED | ST_CANCELLING, .to = ST_ANY & ~ST_CANCELLED, .before = before_leaving_cancelling,
};

/* ---- pausing: only running flows, and each pause once ---- */

static bool pause_has_fired(Transition *t, bool *ret_fired)
{
    Str keys = t->flow_run->empirical_policy.pause_keys;
    const Json *json = json_read(t->tx->arena, keys);
    *ret_fired = false;
    if (!keys.p) /* a client can store null; the reference fails on it too */
        return fail(t->tx->error, ERR_INTERNAL, "The flow run's pause_keys are null");
    for (const Json *key = json ? json->child : NULL; key; key = key->next)
        *ret_fired = *ret_fired || (key->kind == JSON_STRING && str_eq(key->text, t->pause_key));
    return true;
}

static bool before_pausing(Transition *t)
{
    bool fired;
    if (!t->initial)
        return transition_abort(t, STR("Cannot pause flows with no state."));
    if (t->initial->type != STATE_RUNNING)
        return transition_reject(t, NULL, STR("Cannot pause flows that are not currently running."));
    t->pause_key = t->proposed->state_details.pause_key;
    if (!t->pause_key.p)
        t->pause_key = uuid_new(t->tx->arena);
    if (!pause_has_fired(t, &fired))
        return false;
    if (fired)
        return transition_reject(t, NULL, STR("This pause has already fired."));
    if (!t->proposed->state_details.pause_reschedule)
        return true;
    if (t->flow_run->parent_task_run_id.p)
        return transition_abort(t, STR("Cannot pause subflows with the reschedule option."));
    if (!t->flow_run->deployment_id.p)
        return transition_abort(t, STR("Cannot pause flows without a deployment with the reschedule option."));
    return true;
}

static bool after_pausing(Transition *t)
{
    FlowRunPolicy *policy = &t->flow_run->empirical_policy;
    const Json *json = json_read(t->tx->arena, policy->pause_keys);
    Buf text;
    JsonWriter w;
    buf_init(&text, t->tx->arena, policy->pause_keys.n + 64);
    json_writer_init(&w, &text, JSON_STORED);
    json_array(&w);
    for (const Json *key = json ? json->child : NULL; key; key = key->next)
        json_value(&w, key);
    json_str(&w, t->pause_key);
    json_array_end(&w);
    policy->pause_keys = buf_view(&text);
    return true;
}

const Rule handle_pausing_flows = {
    .name = "HandlePausingFlows",
    .from = ST_ANY, .to = ST_PAUSED, .before = before_pausing, .after = after_pausing,
};

/* ---- resuming: in time, and only if there is something to run it ---- */

static bool before_resuming(Transition *t)
{
    const StateDetails *pause = &t->initial->state_details;
    int to = t->proposed->type;
    if (to != STATE_RUNNING && to != STATE_SCHEDULED && !state_type_is_final((StateType)to))
        return transition_reject(t, NULL,
                                 arena_printf(t->tx->arena,
                                              "This run cannot transition to the StateType.%s state"
                                              " from the StateType.%s state.",
                                              state_type_names[to], state_type_names[t->initial->type]));
    if (pause->pause_reschedule && !t->flow_run->deployment_id.p)
        return transition_reject(t, NULL, STR("Cannot reschedule a paused flow run without a deployment."));
    if (pause->pause_timeout.us == TIME_NULL || pause->pause_timeout.us >= t->tx->now)
        return true;
    State *failure = state_new(t->tx->arena, STATE_FAILED, NULL, t->tx->now);
    failure->message = STR("The flow was paused and never resumed.");
    return transition_reject(t, failure, STR("The flow run pause has timed out and can no longer resume."));
}

static bool after_resuming(Transition *t)
{
    t->flow_run->empirical_policy.resuming = (OptBool){ true, true };
    return true;
}

const Rule handle_resuming_paused_flows = {
    .name = "HandleResumingPausedFlows",
    .from = ST_PAUSED, .to = ST_ANY, .before = before_resuming, .after = after_resuming,
};

/* ---- a failed flow is retried while it has retries left ---- */

static bool reschedule_task_run(Transition *t, Str id, Time start)
{
    State *state = state_new(t->tx->arena, STATE_SCHEDULED, "AwaitingRetry", t->tx->now);
    state->state_details.scheduled_time = MOMENT(start);
    /* so that the tasks' own retries work again; before the run is read, since a transition saves its own changes */
    if (!row_send_set(t->tx, "task_run", id, "run_count", v_int(0)))
        return false;
    TaskRun *run = task_run_read(t->tx, id);
    return run && task_run_transition(t->tx, run, state, (TransitionOptions){ .force = true }, NULL);
}

/* Clients before 0.8.3 only rerun tasks that are scheduled. */
static bool reschedule_failed_tasks(Transition *t, Time start)
{
    StrList ids = { 0 };
    bool ok = task_runs_lock_failed(t->tx, t->run->id, &ids);
    for (size_t i = 0; ok && i < ids.count; i++)
        ok = reschedule_task_run(t, ids.items[i], start);
    return ok;
}

static bool before_failing(Transition *t)
{
    const FlowRunPolicy *policy = &t->flow_run->empirical_policy;
    if (!policy->retries.has || t->run->run_count > policy->retries.v)
        return true;
    Time start;
    if (!time_add_seconds(t->tx->now, (double)policy->retry_delay.v, &start))
        return fail(t->tx->error, ERR_INTERNAL, "A retry delay that leads out of the calendar"); /* as the reference */
    if (!transition_version_from(t, VERSION_RETRIES_OWN_TASKS) && !reschedule_failed_tasks(t, start))
        return false;
    forget_pauses(t);
    State *retry = state_new(t->tx->arena, STATE_SCHEDULED, "AwaitingRetry", t->tx->now);
    retry->state_details.scheduled_time = MOMENT(start);
    retry->message = t->proposed->message;
    retry->data = t->proposed->data;
    return transition_reject(t, retry, STR("Retrying"));
}

const Rule retry_failed_flows = {
    .name = "RetryFailedFlows",
    .from = ST_RUNNING, .to = ST_FAILED, .before = before_failing,
};
