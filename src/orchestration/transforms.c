/* orchestration/transforms.c -- bookkeeping on the run, for every transition that writes a state. */
#include "orchestration/transition.h"

#include "base/uuid.h"

static bool initial_is(const Transition *t, StateType type)
{
    return t->initial && t->initial->type == (int)type;
}

static bool state_type(Transition *t)
{
    t->run->state_type = t->proposed->type;
    return true;
}
const Rule set_run_state_type = { .name = "SetRunStateType", .transform = true, .before = state_type };

static bool state_name(Transition *t)
{
    t->run->state_name = t->proposed->name;
    return true;
}
const Rule set_run_state_name = { .name = "SetRunStateName", .transform = true, .before = state_name };

static bool state_timestamp(Transition *t)
{
    t->run->state_timestamp = t->proposed->timestamp;
    return true;
}
const Rule set_run_state_timestamp = { .name = "SetRunStateTimestamp", .transform = true, .before = state_timestamp };

/* The first time the run runs. */
static bool start_time(Transition *t)
{
    if (t->proposed->type == STATE_RUNNING && t->run->start_time == TIME_NULL)
        t->run->start_time = t->proposed->timestamp;
    return true;
}
const Rule set_start_time = { .name = "SetStartTime", .transform = true, .before = start_time };

/* An end that is left by force does not count any more. */
static bool end_time(Transition *t)
{
    bool ends = state_type_is_final((StateType)t->proposed->type);
    if (t->initial && state_type_is_final((StateType)t->initial->type) && !ends)
        t->run->end_time = TIME_NULL;
    if (ends && t->run->start_time != TIME_NULL && t->run->end_time == TIME_NULL)
        t->run->end_time = t->proposed->timestamp;
    return true;
}
const Rule set_end_time = { .name = "SetEndTime", .transform = true, .before = end_time };

/* Time is counted when a running state is left. */
static bool run_time(Transition *t)
{
    if (initial_is(t, STATE_RUNNING))
        t->run->total_run_time += t->proposed->timestamp - t->initial->timestamp;
    return true;
}
const Rule increment_run_time = { .name = "IncrementRunTime", .transform = true, .before = run_time };

/* Set once: lateness is measured from the first expectation. */
static bool expected_start_time(Transition *t)
{
    if (t->run->expected_start_time != TIME_NULL)
        return true;
    bool scheduled = t->proposed->type == STATE_SCHEDULED;
    t->run->expected_start_time = scheduled ? t->proposed->state_details.scheduled_time.us : t->proposed->timestamp;
    return true;
}
const Rule set_expected_start_time = {
    .name = "SetExpectedStartTime", .transform = true, .before = expected_start_time,
};

/* Set only while the run is scheduled. */
static bool next_scheduled_start_time(Transition *t)
{
    if (initial_is(t, STATE_SCHEDULED))
        t->run->next_scheduled_start_time = TIME_NULL;
    if (t->proposed->type == STATE_SCHEDULED)
        t->run->next_scheduled_start_time = t->proposed->state_details.scheduled_time.us;
    return true;
}
const Rule set_next_scheduled_start_time = {
    .name = "SetNextScheduledStartTime", .transform = true, .before = next_scheduled_start_time,
};

/* A state names its run, whatever the client wrote there. */
static bool state_details(Transition *t)
{
    StateDetails *details = &t->proposed->state_details;
    details->flow_run_id = t->flow_run ? t->run->id : t->task_run->flow_run_id;
    if (t->task_run)
        details->task_run_id = t->run->id;
    return true;
}
const Rule update_state_details = { .name = "UpdateStateDetails", .transform = true, .before = state_details };

/* The task run that represents a subflow in its parent gets the same states. */
static bool parent_task(Transition *t)
{
    Str parent_id = t->flow_run->parent_task_run_id;
    if (!parent_id.p)
        return true;
    State state = *t->validated;
    state.id = uuid_new(t->tx->arena);
    state.timestamp = t->tx->now;
    state.state_details.child_flow_run_id = t->run->id;
    return task_run_set_state(t->tx, parent_id, &state, (TransitionOptions){ .force = true }, NULL);
}
const Rule update_subflow_parent_task = { .name = "UpdateSubflowParentTask", .transform = true, .after = parent_task };

static bool subflow_state_details(Transition *t)
{
    if (t->flow_run->parent_task_run_id.p)
        t->proposed->state_details.task_run_id = t->flow_run->parent_task_run_id;
    return true;
}
const Rule update_subflow_state_details = {
    .name = "UpdateSubflowStateDetails", .transform = true, .before = subflow_state_details,
};

/* A run that goes on after a pause is still the same attempt. */
static bool flow_run_count(Transition *t)
{
    bool resumes = transition_version_from(t, VERSION_PAUSES) && t->flow_run->empirical_policy.resuming.v;
    if (t->proposed->type == STATE_RUNNING && !resumes)
        t->run->run_count++;
    return true;
}
const Rule increment_flow_run_count = { .name = "IncrementFlowRunCount", .transform = true, .before = flow_run_count };

static bool resuming_indicator(Transition *t)
{
    OptBool *resuming = &t->flow_run->empirical_policy.resuming;
    bool arrived = t->proposed->type == STATE_RUNNING || state_type_is_final((StateType)t->proposed->type);
    if (transition_version_from(t, VERSION_PAUSES) && arrived && resuming->v)
        *resuming = (OptBool){ false, true };
    return true;
}
const Rule remove_resuming_indicator = {
    .name = "RemoveResumingIndicator", .transform = true, .before = resuming_indicator,
};

static bool task_run_count(Transition *t)
{
    if (t->proposed->type == STATE_RUNNING)
        t->run->run_count++;
    return true;
}
const Rule increment_task_run_count = { .name = "IncrementTaskRunCount", .transform = true, .before = task_run_count };
