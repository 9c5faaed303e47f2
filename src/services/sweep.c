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

/* All before the first is looked at again: in the order that other servers' sweeps have too. */
static void lock_runs(Tx *tx, Sweep *sweep)
{
    qsort(sweep->due, sweep->count, sizeof *sweep->due, compare_ids);
    for (size_t i = 0; i < sweep->count; i++)
        db_lock_row(tx, sweep->kind == FLOW_RUN ? "flow_run" : "task_run", sweep->due[i].id);
}

static Str current_state(Tx *tx, RunKind kind, Str id)
{
    return kind == FLOW_RUN ? DB_TEXT(tx, "SELECT state_id FROM flow_run WHERE id = $1", v_uuid(id))
                            : DB_TEXT(tx, "SELECT state_id FROM task_run WHERE id = $1", v_uuid(id));
}

static bool set_state(Tx *tx, RunKind kind, Str id, const State *state)
{
    TransitionOptions options = { .force = true };
    TransitionResult unused;
    return kind == FLOW_RUN ? set_flow_run_state(tx, id, state, options, &unused) : set_task_run_state(tx, id, state, options, &unused);
}

static bool apply(Tx *tx, void *arg)
{
    Sweep *sweep = arg;
    sweep->changed = 0;
    lock_runs(tx, sweep);
    for (size_t i = 0; i < sweep->count; i++) {
        const DueRun *due = &sweep->due[sweep->current = i];
        if (!str_eq(current_state(tx, sweep->kind, due->id), due->state_id))
            continue;
        if (tx->error->code != ERR_NONE || !set_state(tx, sweep->kind, due->id, sweep->state(tx, due)))
            return false;
        sweep->changed++;
    }
    return tx->error->code == ERR_NONE;
}

/* A run that cannot be read because of a value that another program stored is left out, and the others are done again without it. */
static bool apply_all(ServiceRun *run, Sweep *sweep, Arena *kept, Error *error)
{
    Error failure = { .code = ERR_NONE };
    while (sweep->count > 0) {
        if (db_run(run->db, true, run->arena, apply, sweep, &failure))
            return true;
        if (failure.code != ERR_SPOILED)
            return fail(error, failure.code, "%s", failure.message);
        log_error("orion.services", "Run %.*s is left out: %s", STR_ARG(sweep->due[sweep->current].id), failure.message);
        str_list_add(&sweep->left_out, kept, arena_str(kept, sweep->due[sweep->current].id));
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
        again = sweep->changed > 0 || sweep->unreadable + (int64_t)sweep->left_out.count > passed_by;
        arena_release(run->arena, mark);
    }
    arena_free(kept);
    return ok;
}
