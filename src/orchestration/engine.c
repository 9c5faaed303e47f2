/* orchestration/engine.c -- runs a transition: the rules before it, the write of its state, the rules after it. */
#include "orchestration/transition.h"

#include "model/notification_queue.h"
#include "model/run_state.h"

/* More than the rows of any policy and its global one together. */
enum { RULES_MAX = 32 };

/* The rules that take part in one transition, in the order in which they were entered; they are left from the top. */
typedef struct Stack {
    ActiveRule rules[RULES_MAX];
    size_t count;
} Stack;

int state_type_of(const State *state)
{
    return state ? state->type : STATE_NONE;
}

FlowRun *transition_flow_run(Transition *t)
{
    if (t->flow_run)
        return t->flow_run;
    if (!t->parent)
        t->parent = flow_run_read(t->tx, t->task_run->flow_run_id);
    return t->parent;
}

bool transition_version_from(const Transition *t, unsigned version)
{
    return t->api_version == 0 || t->api_version >= version;
}

/* ---- what rules may do ---- */

/* No two states of a run have the same timestamp, and later ones are later. */
static void put_after_initial(const Transition *t, State *state)
{
    if (t->initial && state->timestamp <= t->initial->timestamp)
        state->timestamp = t->initial->timestamp + 1;
}

static bool change(Transition *t, State *state, TransitionResult result)
{
    if (state)
        put_after_initial(t, state);
    t->proposed = state;
    t->active->to = state_type_of(state); /* a rule does not fizzle because of its own change */
    t->result = result;
    return true;
}

bool transition_reject(Transition *t, State *instead, Str reason)
{
    if (!instead && t->active->from == STATE_NONE)
        return fail(t->tx->error, ERR_INTERNAL,
                    "%s: a run without a state needs a new one where a transition is rejected", t->active->rule->name);
    return change(t, instead, (TransitionResult){ .status = TRANSITION_REJECT, .reason = reason });
}

bool transition_abort(Transition *t, Str reason)
{
    return change(t, NULL, (TransitionResult){ .status = TRANSITION_ABORT, .reason = reason });
}

bool transition_delay(Transition *t, int64_t seconds, Str reason)
{
    return change(t, NULL, (TransitionResult){ .status = TRANSITION_WAIT, .reason = reason, .delay_seconds = seconds });
}

void transition_rename(Transition *t, const char *name)
{
    if (t->proposed)
        t->proposed->name = str_from(name);
}

/* ---- in, across, out ---- */

static bool in_masks(const ActiveRule *active)
{
    return (active->rule->from & ST(active->from)) && (active->rule->to & ST(active->to));
}

static bool unchanged_by_others(const Transition *t, const ActiveRule *active)
{
    return active->from == state_type_of(t->initial) && active->to == state_type_of(t->proposed);
}

static bool call(Transition *t, ActiveRule *active, Hook hook)
{
    t->active = active;
    return !hook || hook(t);
}

static bool enter(Transition *t, ActiveRule *active)
{
    active->entered = active->rule->transform ? t->proposed != NULL : unchanged_by_others(t, active);
    return !active->entered || call(t, active, active->rule->before);
}

static bool leave(Transition *t, ActiveRule *active)
{
    const Rule *rule = active->rule;
    if (rule->transform)
        return !t->proposed || call(t, active, rule->after);
    /* Tested again: the rule's own change has moved its `to`. */
    if (!active->entered || !in_masks(active))
        return true;
    return call(t, active, unchanged_by_others(t, active) ? rule->after : rule->cleanup);
}

/* Which rules take part is decided once, by the pair that the client proposed. */
static bool enter_policy(Transition *t, const Policy *policy, int from, int to, Stack *stack)
{
    for (size_t i = 0; i < policy->count; i++) {
        ActiveRule *active = &stack->rules[stack->count];
        *active = (ActiveRule){ .rule = policy->rules[i], .from = from, .to = to };
        if (!active->rule->transform && !in_masks(active))
            continue;
        stack->count++;
        if (!enter(t, active))
            return false;
    }
    return true;
}

/* Writes the resulting state, if there is one, and makes it the run's. */
static bool validate(Transition *t)
{
    Run *run = t->run;
    if (t->proposed) {
        if (!run_state_insert(t->tx, t->flow_run ? FLOW_RUN : TASK_RUN, run->id, t->proposed))
            return false;
        run->state = t->proposed;
        run->state_id = t->proposed->id;
        t->validated = t->proposed;
        return true;
    }
    if (run->state) { /* the answer leaves out the data of a state that is not new */
        t->validated = arena_new_of(t->tx->arena, State);
        *t->validated = *run->state;
        t->validated->data = STR_NULL;
        return true;
    }
    /* The reference fails here, and this is what its clients see. */
    t->result = (TransitionResult){
        .status = TRANSITION_ABORT,
        .reason = STR("Error validating state: UnmappedInstanceError(\"Class 'builtins.NoneType' is not mapped\")"),
    };
    return true;
}

static bool run_transition(Transition *t, const State *proposed, const Policy *policy, const Policy *global)
{
    Stack stack = { .count = 0 };
    t->initial = t->run->state;
    t->proposed = arena_new_of(t->tx->arena, State);
    *t->proposed = *proposed;
    put_after_initial(t, t->proposed);
    int from = state_type_of(t->initial), to = proposed->type;
    if (!enter_policy(t, policy, from, to, &stack) || !enter_policy(t, global, from, to, &stack) || !validate(t))
        return false;
    while (stack.count > 0) {
        if (!leave(t, &stack.rules[--stack.count]))
            return false;
    }
    t->result.state = t->validated;
    t->result.is_new = t->proposed != NULL;
    return true;
}

bool flow_run_transition(Tx *tx, FlowRun *run, const State *proposed, TransitionOptions options, TransitionResult *ret)
{
    const FlowRun before = *run;
    Transition t = { .tx = tx, .run = &run->run, .flow_run = run, .api_version = options.api_version };
    if (!run_transition(&t, proposed, options.force ? &minimal_flow_policy : &core_flow_policy, &global_flow_policy)
        || !flow_run_save(tx, &before, run))
        return false;
    bool set = t.result.status == TRANSITION_ACCEPT || t.result.status == TRANSITION_REJECT;
    if (set && !notification_queue_add(tx, run))
        return false;
    if (ret)
        *ret = t.result;
    return true;
}

bool task_run_transition(Tx *tx, TaskRun *run, const State *proposed, TransitionOptions options, TransitionResult *ret)
{
    const TaskRun before = *run;
    Transition t = { .tx = tx, .run = &run->run, .task_run = run, .api_version = options.api_version };
    if (!run_transition(&t, proposed, options.force ? &minimal_task_policy : &core_task_policy, &global_task_policy)
        || !task_run_save(tx, &before, run))
        return false;
    if (ret)
        *ret = t.result;
    return true;
}

bool flow_run_set_state(Tx *tx, Str id, const State *proposed, TransitionOptions options, TransitionResult *ret)
{
    FlowRun *run = flow_run_lock(tx, id);
    if (!run)
        return fail(tx->error, ERR_OBJECT_NOT_FOUND, "Flow run with id %.*s not found", STR_ARG(id));
    return flow_run_transition(tx, run, proposed, options, ret);
}

bool task_run_set_state(Tx *tx, Str id, const State *proposed, TransitionOptions options, TransitionResult *ret)
{
    TaskRun *run = task_run_lock(tx, id);
    if (!run)
        return fail(tx->error, ERR_OBJECT_NOT_FOUND, "Task run with id %.*s not found", STR_ARG(id));
    return task_run_transition(tx, run, proposed, options, ret);
}

/* ---- new runs ---- */

static State first_state(Tx *tx, const State *wanted)
{
    if (!wanted)
        return *state_new(tx->arena, STATE_PENDING, NULL, tx->now);
    State state = *wanted;
    state_complete(tx->arena, &state, tx->now);
    return state;
}

/* Without a lock: nobody else sees a new run before the commit. It is read once, for the answer, which shows values as
 * the database stores them and the names of the run's queue and pool. */
bool flow_run_create(Tx *tx, const FlowRun *wanted, unsigned api_version, FlowRun **ret_run, bool *ret_created)
{
    FlowRun *run;
    bool created;
    if (!flow_run_insert(tx, wanted, &run, &created))
        return false;
    if (created) {
        const State state = first_state(tx, wanted->run.state);
        const TransitionOptions options = { .force = true, .api_version = api_version };
        if (!flow_run_transition(tx, run, &state, options, NULL))
            return false;
        run = flow_run_read(tx, run->run.id);
    }
    *ret_run = run;
    *ret_created = created;
    return run != NULL;
}

bool task_run_create(Tx *tx, const TaskRun *wanted, TaskRun **ret_run, bool *ret_created)
{
    TaskRun *run;
    bool created;
    if (!task_run_insert(tx, wanted, &run, &created))
        return false;
    if (created) {
        const State state = first_state(tx, wanted->run.state);
        if (!task_run_transition(tx, run, &state, (TransitionOptions){ .force = true }, NULL))
            return false;
        run = task_run_read(tx, run->run.id);
    }
    *ret_run = run;
    *ret_created = created;
    return run != NULL;
}

/* ---- the answer ---- */

void transition_write(JsonWriter *w, const TransitionResult *result)
{
    static const struct { const char *status, *type; } words[] = {
        [TRANSITION_ACCEPT] = { "ACCEPT", "accept_details" },
        [TRANSITION_REJECT] = { "REJECT", "reject_details" },
        [TRANSITION_ABORT] = { "ABORT", "abort_details" },
        [TRANSITION_WAIT] = { "WAIT", "wait_details" },
    };
    json_object(w);
    json_key(w, "state");
    if (result->state)
        codec_write(w, &state_model, result->state);
    else
        json_null(w);
    json_key(w, "status");
    json_text(w, words[result->status].status);
    json_key(w, "details");
    json_object(w);
    json_key(w, "type");
    json_text(w, words[result->status].type);
    if (result->status == TRANSITION_WAIT) {
        json_key(w, "delay_seconds");
        json_int(w, result->delay_seconds);
    }
    if (result->status != TRANSITION_ACCEPT) {
        json_key(w, "reason");
        json_str(w, result->reason);
    }
    json_object_end(w);
    json_object_end(w);
}
