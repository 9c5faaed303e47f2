/* services/retention.c -- deletes what is old, in small steps; and the services that do so by the settings. */
#include "services/retention.h"

#include "base/log.h"
#include "model/old_logs.h"
#include "model/removal.h"
#include "services/stuck_runs.h"

enum {
    PAUSE_US = 10 * 1000,        /* after a step of a service: it may take its time */
    BUSY_TRIES = 10
};

/* A step of any kind: reads what comes next, then deletes it. */
typedef struct Step {
    Retention *retention;
    bool (*find)(Tx *tx, struct Step *step);
    bool (*act)(Tx *tx, struct Step *step); /* sets is_done; NULL: what was found is only seen */
    void (*see)(struct Step *step);
    /* What was found; in the arena of the round. */
    RunTrees *trees;
    TreeWalk walk;
    LogWalk log_walk;
    OldLogs *logs;
    bool without_run;
    CacheWalk cache_walk;
    StrList cached;
    bool (*wanted)(void *arg, const CacheRow *row);
    void *wanted_arg;
    void (*show)(void *arg, const RunTree *tree);
    void *show_arg;
    /* What was done of it. */
    size_t tree, left;           /* the tree whose turn it is, and how many of its runs are left, 0: all */
    size_t next_tree, next_left; /* after this transaction */
    Freed freed;                 /* by it */
    bool has_begun, is_done, is_elsewhere;
} Step;

static bool is_stopping(const Retention *retention)
{
    return retention->stopping && *retention->stopping;
}

static void sleep_us(const Retention *retention, int64_t us)
{
    if (!is_stopping(retention))
        clock_sleep(us);
}

static bool run_find(Tx *tx, void *arg)
{
    Step *step = arg;
    return step->find(tx, step);
}

/* The first call only asks to be called again: a write that goes on is begun before those that came meanwhile, and
 * never while the log of SQLite waits to be written back (db/README.md). */
static bool run_act(Tx *tx, void *arg)
{
    Step *step = arg;
    if (!step->has_begun) {
        step->has_begun = tx->again = true;
        return true;
    }
    step->freed = (Freed){ 0 };
    step->is_elsewhere = step->is_done = false;
    step->next_tree = step->tree;
    step->next_left = step->left;
    if (step->retention->is_command)
        db_lock(tx, LOCK_RETENTION);
    else if (!db_try_lock(tx, LOCK_RETENTION)) {
        step->is_elsewhere = true;
        return tx->error->code == ERR_NONE;
    }
    return step->act(tx, step);
}

static void add_freed(Freed *to, const Freed *freed)
{
    to->trees += freed->trees;
    to->flow_runs += freed->flow_runs;
    to->task_runs += freed->task_runs;
    to->logs += freed->logs;
    to->cached += freed->cached;
    to->lost_logs += freed->lost_logs;
}

/* A command is patient while another process has the database. */
static bool run_job(Retention *retention, bool write, Arena *arena, bool (*run)(Tx *, void *), Step *step,
                    Error *error)
{
    Error failure = { .code = ERR_NONE };
    for (unsigned tries = 1;; tries++) {
        step->has_begun = false;
        if (db_run(retention->db, write, arena, run, step, &failure))
            return true;
        if (failure.code != ERR_BUSY || !retention->is_command || tries >= BUSY_TRIES)
            return fail(error, failure.code, "%s", failure.message);
        failure.code = ERR_NONE;
        sleep_us(retention, OTHERS_TURN_US);
    }
}

static bool goes_on(const Retention *retention, Error *error)
{
    int64_t done = retention->freed.trees;
    const Progress at = { .doing = "Pruning", .part = retention->only_logs ? "logs" : "runs", .unit = "trees",
                          .done = done < retention->trees ? done : retention->trees, .of = retention->trees };
    return onlooker_goes_on(retention->onlooker, &at, error);
}

/* What was found, until it is deleted. */
static bool act_all(Step *step, Arena *arena, Error *error)
{
    Retention *retention = step->retention;
    step->tree = step->left = 0;
    for (step->is_done = false; !step->is_done && !is_stopping(retention);) {
        ArenaMark mark = arena_mark(arena);
        if (!run_job(retention, true, arena, run_act, step, error))
            return false;
        arena_release(arena, mark);
        if (step->is_elsewhere)
            return true;
        step->tree = step->next_tree;
        step->left = step->next_left;
        add_freed(&retention->freed, &step->freed);
        if (!goes_on(retention, error))
            return false;
        sleep_us(retention, retention->is_command ? OTHERS_TURN_US : PAUSE_US);
    }
    return true;
}

static bool has_found(const Step *step)
{
    return (step->trees && step->trees->count > 0) || step->cached.count > 0
           || (step->logs && (step->logs->trees.count > 0 || step->logs->without_run.count > 0));
}

/* Rounds of finding and acting; a Step's walk says when it is over. */
static bool run_rounds(Step *step, const bool *is_over, Error *error)
{
    bool ok = true;
    Arena *arena = arena_new();
    while (ok && !*is_over && !step->is_elsewhere && !is_stopping(step->retention)) {
        arena_reset(arena);
        ok = run_job(step->retention, false, arena, run_find, step, error);
        if (ok && step->see)
            step->see(step);
        ok = ok && (step->act && has_found(step) ? act_all(step, arena, error) : goes_on(step->retention, error));
    }
    arena_free(arena);
    return ok;
}

/* ---- trees ---- */

static bool find_trees(Tx *tx, Step *step)
{
    return run_trees_next(tx, &step->retention->rule, &step->walk, step->trees);
}

static void count_tree(Freed *freed, const RunTree *tree)
{
    freed->trees++;
    freed->flow_runs += (int64_t)tree->count;
    freed->task_runs += tree->task_runs;
    freed->logs += tree->logs;
}

/* The tree whose turn it is. False: tx->error. */
static bool delete_tree(Tx *tx, Step *step, bool *ret_done)
{
    const RunTree *tree = &step->trees->items[step->next_tree];
    const TreeRule *rule = &step->retention->rule;
    if (step->retention->only_logs) {
        bool had_logs = tree->logs > 0;
        *ret_done = true;
        if (had_logs && !run_tree_delete_logs(tx, tree, rule, &step->freed.logs, ret_done))
            return false;
        step->freed.trees += *ret_done && had_logs;
        return true;
    }
    size_t left = step->next_left ? step->next_left : tree->count;
    bool is_gone = false;
    if (!run_tree_delete(tx, tree, rule, &left, ret_done, &is_gone))
        return false;
    step->next_left = left;
    if (is_gone)
        count_tree(&step->freed, tree);
    return true;
}

static bool act_on_trees(Tx *tx, Step *step)
{
    while (step->next_tree < step->trees->count && tx_has_time(tx)) {
        bool done;
        if (!delete_tree(tx, step, &done))
            return false;
        if (!done)
            return true;
        step->next_tree++;
        step->next_left = 0;
    }
    step->is_done = step->next_tree == step->trees->count;
    return true;
}

bool retention_delete_trees(Retention *retention, Error *error)
{
    RunTrees trees = { .count = 0 };
    Step step = { .retention = retention, .find = find_trees, .act = act_on_trees, .trees = &trees };
    return run_rounds(&step, &step.walk.is_over, error);
}

static void see_trees(Step *step)
{
    for (size_t i = 0; i < step->trees->count; i++)
        step->show(step->show_arg, &step->trees->items[i]);
}

bool retention_look(Retention *retention, void (*show)(void *arg, const RunTree *tree), void *arg, Error *error)
{
    RunTrees trees = { .count = 0 };
    Step step = { .retention = retention, .find = find_trees, .see = see_trees, .trees = &trees, .show = show,
                  .show_arg = arg };
    return run_rounds(&step, &step.walk.is_over, error);
}

/* ---- logs ---- */

static bool find_logs(Tx *tx, Step *step)
{
    return old_logs_next(tx, &step->retention->rule, step->without_run, &step->log_walk, step->logs);
}

/* Lines without a run first, all that were found. */
static bool act_on_logs(Tx *tx, Step *step)
{
    if (step->next_tree == 0 && step->next_left == 0 && step->logs->without_run.count > 0) {
        int64_t rows = rows_delete(tx, "log", &step->logs->without_run);
        if (rows < 0)
            return false;
        step->freed.lost_logs += rows;
        step->next_left = 1; /* they are not looked for again */
    }
    const RunTrees *trees = &step->logs->trees;
    while (step->next_tree < trees->count && tx_has_time(tx)) {
        bool done;
        if (!run_tree_delete_logs(tx, &trees->items[step->next_tree], &step->retention->rule, &step->freed.logs, &done))
            return false;
        if (!done)
            return true;
        step->next_tree++;
    }
    step->is_done = step->next_tree == trees->count;
    return true;
}

bool retention_delete_logs(Retention *retention, bool without_run, Error *error)
{
    OldLogs logs = { .trees.count = 0 };
    Step step = { .retention = retention, .find = find_logs, .act = act_on_logs, .logs = &logs,
                  .without_run = without_run };
    return run_rounds(&step, &step.log_walk.is_over, error);
}

static void see_lost_logs(Step *step)
{
    step->freed.lost_logs += (int64_t)step->logs->without_run.count;
}

bool retention_count_lost_logs(Retention *retention, int64_t *ret, Error *error)
{
    OldLogs logs = { .trees.count = 0 };
    Step step = { .retention = retention, .find = find_logs, .see = see_lost_logs, .logs = &logs, .without_run = true };
    bool ok = run_rounds(&step, &step.log_walk.is_over, error);
    *ret = step.freed.lost_logs;
    return ok;
}

/* ---- the cache ---- */

static bool find_cached(Tx *tx, Step *step)
{
    size_t count;
    CacheRow *rows = arena_alloc(tx->arena, CACHE_PAGE * sizeof *rows);
    step->cached = (StrList){ 0 };
    if (!cache_rows_next(tx, &step->cache_walk, rows, &count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (step->wanted(step->wanted_arg, &rows[i]))
            str_list_add(&step->cached, tx->arena, rows[i].id);
    return true;
}

static bool act_on_cached(Tx *tx, Step *step)
{
    step->freed.cached = rows_delete(tx, "task_run_state_cache", &step->cached);
    step->is_done = true;
    return step->freed.cached >= 0;
}

bool retention_delete_cached(Retention *retention, bool (*wanted)(void *arg, const CacheRow *row), void *arg,
                             Error *error)
{
    Step step = { .retention = retention, .find = find_cached, .act = act_on_cached, .wanted = wanted,
                  .wanted_arg = arg, .cache_walk.arena = arena_new() };
    bool ok = run_rounds(&step, &step.cache_walk.is_over, error);
    arena_free(step.cache_walk.arena);
    return ok;
}

bool retention_is_stale(void *arg, const CacheRow *row)
{
    (void)arg;
    return row->use == CACHE_EXPIRED || row->use == CACHE_LOST;
}

/* ---- the services ---- */

#define LOGGER "orion.services.retention"

/* TIME_NULL: it is off, or so long that nothing can be that old. */
static Time before_of(const ServiceRun *run, const char *setting)
{
    double seconds = settings_float(run->settings, setting);
    Time before;
    return seconds > 0 && time_add_seconds(run->now, -seconds, &before) ? before : TIME_NULL;
}

static Retention retention_of(const ServiceRun *run, Time before)
{
    return (Retention){ .db = run->db, .rule = { .before = before, .states = TREE_STATES_ALL },
                        .stopping = run->stopping };
}

bool retention_is_on(const Settings *settings)
{
    return settings_float(settings, "ORION_RETENTION_RUNS") > 0 || settings_float(settings, "ORION_RETENTION_LOGS") > 0;
}

bool retention_tick(ServiceRun *run, Error *error)
{
    Retention runs = retention_of(run, before_of(run, "ORION_RETENTION_RUNS"));
    Retention logs = retention_of(run, before_of(run, "ORION_RETENTION_LOGS"));
    Str states = settings_text(run->settings, "ORION_RETENTION_STATES"), wrong;
    bool ok = true;
    if (states.n > 0 && !tree_states_read(states, &runs.rule.states, &wrong))
        return fail(error, ERR_INVALID, "ORION_RETENTION_STATES: %.*s is not a state in which runs have ended",
                    STR_ARG(wrong));
    int64_t slots;
    if (runs.rule.before != TIME_NULL)
        ok = retention_delete_trees(&runs, error)
             && (runs.freed.trees == 0 || stuck_slots_free(run->db, false, &slots, error));
    if (ok && logs.rule.before != TIME_NULL)
        ok = retention_delete_logs(&logs, false, error);
    int64_t lines = runs.freed.logs + logs.freed.logs + logs.freed.lost_logs;
    if (runs.freed.flow_runs + lines > 0)
        log_info(LOGGER, "Deleted %lld flow runs, %lld task runs and %lld log lines that were old",
                 (long long)runs.freed.flow_runs, (long long)runs.freed.task_runs, (long long)lines);
    return ok;
}

bool cache_expiry_tick(ServiceRun *run, Error *error)
{
    Retention retention = retention_of(run, TIME_NULL);
    bool ok = retention_delete_cached(&retention, retention_is_stale, NULL, error);
    if (retention.freed.cached > 0)
        log_info(LOGGER, "Deleted %lld rows of the task cache that no run takes any more",
                 (long long)retention.freed.cached);
    return ok;
}
