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
        t->parent = t->parent_rows ? codec_first(t->tx, t->parent_rows, &flow_run_model)
                                   : flow_run_read(t->tx, t->task_run->flow_run_id);
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

static const void *copy_of_run(const Transition *t)
{
    const size_t size = t->flow_run ? sizeof(FlowRun) : sizeof(TaskRun);
    return memcpy(arena_alloc(t->tx->arena, size), t->run, size);
}

/* A new run is written once, as the rules leave it. False with t->exists: it is there already. */
static bool insert_run(Transition *t)
{
    State *state = t->validated = t->proposed;
    if (!(t->flow_run ? flow_run_insert(t->tx, t->flow_run, state, &t->exists)
                      : task_run_insert(t->tx, t->task_run, state, &t->exists)))
        return false;
    t->before = copy_of_run(t);
    return !t->exists;
}

/* Writes the resulting state, if there is one, and makes it the run's. */
static bool validate(Transition *t)
{
    Run *run = t->run;
    if (t->is_new)
        return insert_run(t);
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
    t->before = t->is_new ? NULL : copy_of_run(t);
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

static bool flow_run_change(Transition *t, const State *proposed, const Policy *policy, Rows *policies)
{
    if (!run_transition(t, proposed, policy, &global_flow_policy) || !flow_run_save(t->tx, t->before, t->flow_run))
        return false;
    if (t->result.status == TRANSITION_ACCEPT || t->result.status == TRANSITION_REJECT)
        return notification_queue_add(t->tx, policies, t->flow_run);
    db_done(policies);
    return true;
}

static bool task_run_change(Transition *t, const State *proposed, const Policy *policy)
{
    return run_transition(t, proposed, policy, &global_task_policy) && task_run_save(t->tx, t->before, t->task_run);
}

static bool flow_run_force_or_ask(Tx *tx, FlowRun *run, const State *proposed, TransitionOptions options,
                                  Rows *policies, TransitionResult *ret)
{
    Transition t = { .tx = tx, .run = &run->run, .flow_run = run, .api_version = options.api_version };
    if (!flow_run_change(&t, proposed, options.force ? &minimal_flow_policy : &core_flow_policy, policies))
        return false;
    if (ret)
        *ret = t.result;
    return true;
}

bool flow_run_transition(Tx *tx, FlowRun *run, const State *proposed, TransitionOptions options, TransitionResult *ret)
{
    return flow_run_force_or_ask(tx, run, proposed, options, notification_policies_active(tx), ret);
}

static bool task_run_force_or_ask(Transition *t, TaskRun *run, const State *proposed, TransitionOptions options,
                                  TransitionResult *ret)
{
    t->run = &run->run;
    t->task_run = run;
    t->api_version = options.api_version;
    if (!task_run_change(t, proposed, options.force ? &minimal_task_policy : &core_task_policy))
        return false;
    if (ret)
        *ret = t->result;
    return true;
}

bool task_run_transition(Tx *tx, TaskRun *run, const State *proposed, TransitionOptions options, TransitionResult *ret)
{
    Transition t = { .tx = tx };
    return task_run_force_or_ask(&t, run, proposed, options, ret);
}

bool flow_run_set_state(Tx *tx, Str id, const State *proposed, TransitionOptions options, TransitionResult *ret)
{
    Rows *policies = notification_policies_active(tx);
    FlowRun *run = flow_run_lock(tx, id);
    if (!run)
        return fail(tx->error, ERR_OBJECT_NOT_FOUND, "Flow run with id %.*s not found", STR_ARG(id));
    return flow_run_force_or_ask(tx, run, proposed, options, policies, ret);
}

/* Every wait for an answer costs the way to the database and back: what the rules will want to know is asked for
 * before the run is read. */
static void ask_ahead(Transition *t, Str id, const State *proposed, bool force)
{
    Str key = proposed->state_details.cache_key;
    if (force) { /* the representative of a subflow, as a rule */
        if (proposed->type != STATE_RUNNING && proposed->type != STATE_CANCELLING)
            t->limit_rows = concurrency_limits_of_task_query(t->tx, id);
        return;
    }
    if (proposed->type == STATE_RUNNING)
        t->parent_rows = flow_run_of_task_query(t->tx, id);
    if (proposed->type == STATE_RUNNING && key.n > 0)
        t->cached_rows = task_cache_query(t->tx, key);
    if (proposed->type == STATE_COMPLETED && key.n > 0)
        t->newest_rows = task_cache_newest(t->tx, key);
}

/* What no rule has read. */
static void end_ahead(Transition *t)
{
    Rows *ahead[] = { t->parent_rows, t->cached_rows, t->newest_rows, t->limit_rows };
    for (size_t i = 0; i < COUNT_OF(ahead); i++)
        if (ahead[i])
            db_done(ahead[i]);
}

bool task_run_set_state(Tx *tx, Str id, const State *proposed, TransitionOptions options, TransitionResult *ret)
{
    Transition t = { .tx = tx };
    db_lock_row(tx, "task_run", id);
    ask_ahead(&t, id, proposed, options.force);
    TaskRun *run = task_run_read(tx, id);
    if (!run)
        return fail(tx->error, ERR_OBJECT_NOT_FOUND, "Task run with id %.*s not found", STR_ARG(id));
    bool ok = task_run_force_or_ask(&t, run, proposed, options, ret);
    end_ahead(&t);
    return ok;
}

/* ---- new runs ----
 *
 * Without a lock: nobody else sees a new run before the commit. The answer shows values as the database stores them. */

static State first_state(Tx *tx, const State *wanted)
{
    if (!wanted)
        return *state_new(tx->arena, STATE_PENDING, NULL, tx->now);
    State state = *wanted;
    state_complete(tx->arena, &state, tx->now);
    return state;
}

static bool vanished(Tx *tx)
{
    return fail(tx->error, ERR_INTERNAL, "The run that has these keys has vanished");
}

bool flow_run_create(Tx *tx, const FlowRun *wanted, unsigned api_version, FlowRun **ret_run, bool *ret_created)
{
    for (int attempt = 0; attempt < INSERT_ATTEMPTS; attempt++) {
        FlowRun *run = flow_run_new(tx, wanted);
        const State state = first_state(tx, wanted->run.state);
        Transition t = { .tx = tx, .run = &run->run, .flow_run = run, .api_version = api_version, .is_new = true };
        *ret_created = flow_run_change(&t, &state, &minimal_flow_policy, notification_policies_active(tx));
        *ret_run = t.exists ? flow_run_of_key(tx, run) : run;
        if (*ret_created || !t.exists || *ret_run)
            return tx->error->code == ERR_NONE;
    }
    return vanished(tx);
}

bool task_run_create(Tx *tx, const TaskRun *wanted, TaskRun **ret_run, bool *ret_created)
{
    for (int attempt = 0; attempt < INSERT_ATTEMPTS; attempt++) {
        TaskRun *run = task_run_new(tx, wanted);
        const State state = first_state(tx, wanted->run.state);
        Transition t = { .tx = tx, .run = &run->run, .task_run = run, .is_new = true };
        *ret_created = task_run_change(&t, &state, &minimal_task_policy);
        *ret_run = t.exists ? task_run_of_keys(tx, run) : run;
        if (*ret_created || !t.exists || *ret_run)
            return tx->error->code == ERR_NONE;
    }
    return vanished(tx);
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
