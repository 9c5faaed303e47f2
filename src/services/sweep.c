/* services/sweep.c -- finds runs that are due and forces a state on each, a few in each transaction. */
#include "services/sweep.h"

#include "base/log.h"
#include "orchestration/orchestration.h"

bool sweep_add(Sweep *sweep, DueRun due)
{
    if (sweep->count < SWEEP_BATCH && !str_list_has(&sweep->left_out, due.id))
        sweep->due[sweep->count++] = due;
    return sweep->count < SWEEP_BATCH;
}

static bool find(Tx *tx, void *arg)
{
    Sweep *sweep = arg;
    sweep->limit = SWEEP_BATCH + sweep->unreadable + (int64_t)sweep->left_out.count;
    sweep->count = 0;
    sweep->unreadable = 0;
    return sweep->find(tx, sweep);
}

static int compare_ids(const void *a, const void *b)
{
    return str_compare(((const DueRun *)a)->id, ((const DueRun *)b)->id);
}

/* Locks all runs before the first is read again, in an order that other servers' sweeps share. */
static void lock_runs(Tx *tx, Sweep *sweep)
{
    qsort(sweep->due, sweep->count, sizeof *sweep->due, compare_ids);
    for (size_t i = 0; i < sweep->count; i++)
        db_lock_row(tx, sweep->kind == FLOW_RUN ? "flow_run" : "task_run", sweep->due[i].id);
}

/* Does nothing if the run has left the state in which it was found. */
static bool set_state(Tx *tx, Sweep *sweep, const DueRun *due)
{
    const TransitionOptions options = { .force = true };
    FlowRun *flow_run = sweep->kind == FLOW_RUN ? flow_run_read(tx, due->id) : NULL;
    TaskRun *task_run = sweep->kind == TASK_RUN ? task_run_read(tx, due->id) : NULL;
    const Run *run = flow_run ? &flow_run->run : task_run ? &task_run->run : NULL;
    if (!run || !str_eq(run->state_id, due->state_id))
        return tx->error->code == ERR_NONE;
    const State *state = sweep->state(tx, due);
    sweep->changed++;
    return flow_run ? flow_run_transition(tx, flow_run, state, options, NULL)
                    : task_run_transition(tx, task_run, state, options, NULL);
}

static bool apply(Tx *tx, void *arg)
{
    Sweep *sweep = arg;
    sweep->changed = 0;
    lock_runs(tx, sweep);
    for (size_t i = 0; i < sweep->count; i++)
        if (!set_state(tx, sweep, &sweep->due[sweep->current = i]))
            return false;
    return true;
}

/* A run that cannot be read because of a value that another program stored is left out, and the others are tried again
 * without it. */
static bool apply_all(ServiceRun *run, Sweep *sweep, Arena *kept, Error *error)
{
    Error failure = { .code = ERR_NONE };
    while (sweep->count > 0) {
        if (db_run(run->db, true, run->arena, apply, sweep, &failure))
            return true;
        if (failure.code != ERR_SPOILED)
            return fail(error, failure.code, "%s", failure.message);
        Str id = sweep->due[sweep->current].id;
        log_error("orion.services", "Run %.*s is left out: %s", STR_ARG(id), failure.message);
        str_list_add(&sweep->left_out, kept, arena_str(kept, id));
        str_list_sort(&sweep->left_out);
        sweep->due[sweep->current] = sweep->due[--sweep->count];
        failure.code = ERR_NONE;
        sweep->changed = 0;
    }
    return true;
}

bool sweep_all(ServiceRun *run, Sweep *sweep, Error *error)
{
    bool ok = true, again = true;
    Arena *kept = arena_new();
    while (ok && again && !*run->stopping) {
        ArenaMark mark = arena_mark(run->arena);
        int64_t passed_by = sweep->unreadable + (int64_t)sweep->left_out.count;
        sweep->changed = 0;
        ok = db_run(run->db, false, run->arena, find, sweep, error) && apply_all(run, sweep, kept, error);
        /* Once nothing changes and nothing new was passed over, whatever is still found cannot be changed. */
        again = sweep->changed > 0 || sweep->unreadable + (int64_t)sweep->left_out.count > passed_by;
        arena_release(run->arena, mark);
    }
    arena_free(kept);
    return ok;
}
