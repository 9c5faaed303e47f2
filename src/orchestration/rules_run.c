/* orchestration/rules_run.c -- rules that govern flow runs and task runs alike. */
#include "orchestration/transition.h"

/* ---- a run does not go back, nor stay where it is: two agents cannot both start it ---- */

static int progress(int type)
{
    return type == STATE_CANCELLING ? STATE_RUNNING + 1 : type; /* no state, SCHEDULED, PENDING, RUNNING, CANCELLING */
}

static Str type_text(Transition *t, int type)
{
    return type == STATE_NONE ? STR("None") : arena_printf(t->tx->arena, "StateType.%s", state_type_names[type]);
}

static bool before_redundant(Transition *t)
{
    int from = state_type_of(t->initial), to = state_type_of(t->proposed);
    if (progress(to) > progress(from))
        return true;
    Str from_text = type_text(t, from), to_text = type_text(t, to);
    return transition_abort(t, arena_printf(t->tx->arena,
                                            "This run cannot transition to the %.*s state from the %.*s state.",
                                            STR_ARG(to_text), STR_ARG(from_text)));
}

const Rule prevent_redundant_transitions = {
    .name = "PreventRedundantTransitions",
    .from = ST_SCHEDULED | ST_PENDING | ST_RUNNING | ST_CANCELLING | ST_NONE,
    .to = ST_SCHEDULED | ST_PENDING | ST_RUNNING | ST_CANCELLING | ST_NONE,
    .before = before_redundant,
};

/* ---- a run keeps its scheduled time when an agent takes it ---- */

static bool before_pending(Transition *t)
{
    if (t->proposed->state_details.scheduled_time.us == TIME_NULL)
        t->proposed->state_details.scheduled_time = t->initial->state_details.scheduled_time;
    return true;
}

const Rule copy_scheduled_time = {
    .name = "CopyScheduledTime",
    .from = ST_SCHEDULED, .to = ST_PENDING, .before = before_pending,
};

/* ---- a run must not start before its time: nothing is written, and the client learns how long to wait ---- */

/* To the nearest second; exactly half a second is dropped: the reference rounds the fraction to an even number. */
static int64_t seconds_until(Time due, Time now)
{
    int64_t us = due - now, fraction = us % SECOND;
    return us / SECOND + (fraction > SECOND / 2) - (fraction < -SECOND / 2);
}

static bool before_running(Transition *t)
{
    Time due = t->initial->state_details.scheduled_time.us;
    int64_t seconds = due == TIME_NULL ? 0 : seconds_until(due, t->tx->now);
    return seconds <= 0 || transition_delay(t, seconds, STR("Scheduled time is in the future"));
}

const Rule wait_for_scheduled_time = {
    .name = "WaitForScheduledTime",
    .from = ST_SCHEDULED | ST_PENDING, .to = ST_RUNNING, .before = before_running,
};
