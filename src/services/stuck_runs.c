/* services/stuck_runs.c -- finds flow runs that died, and ends them by the rules, with their task runs and subflows;
 * frees slots that nobody gave back. */
#include "services/stuck_runs.h"

#include "base/log.h"
#include "entity/filter.h"
#include "model/concurrency_limit.h"
#include "model/run_tree.h"
#include "orchestration/orchestration.h"

#define LOGGER "orion.services.stuckruns"
#define LIVE "('PENDING', 'RUNNING', 'CANCELLING')"
#define UNFINISHED "('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING')"

enum {
    CANDIDATES_MAX = 100000,
    RUNS_AT_ONCE = 50 /* task runs or flow runs that a step ends at least: finding them takes longer */
};

/* ---- what has not moved ---- */

static Time later(Time a, Time b)
{
    return a == TIME_NULL || (b != TIME_NULL && b > a) ? b : a;
}

/* The last sign of life; TIME_END: there is one that will not let it count as stuck: a pause of a subflow, or a value
 * that cannot be read. A start that is still to come, such as that of a retry, is one, too. */
static Time last_moved(Tx *tx, Str id)
{
    Time moved = TIME_NULL;
    bool waits = false;
    Rows *rows = DB_QUERY(tx,
                          RUN_TREE_BELOW " SELECT MAX(state_timestamp), MAX(next_scheduled_start_time),"
                          " (SELECT MAX(state_timestamp) FROM task_run WHERE flow_run_id IN (SELECT id FROM tree)),"
                          " (SELECT MAX(next_scheduled_start_time) FROM task_run"
                          " WHERE flow_run_id IN (SELECT id FROM tree)),"
                          " (SELECT MAX(created) FROM log WHERE flow_run_id IN (SELECT id FROM tree)),"
                          " MAX(CASE state_type WHEN 'PAUSED' THEN 1 ELSE 0 END)"
                          " FROM flow_run WHERE id IN (SELECT id FROM tree)",
                          v_uuid(id));
    while (db_next(rows)) {
        for (int i = 0; i < 5; i++)
            moved = later(moved, row_time(rows, i));
        waits = row_int(rows, 5) != 0;
        waits = !row_is_sound(rows) || waits;
    }
    return waits ? TIME_END : moved;
}

/* The flow run that began it, if that is alive. */
static Str live_parent(Tx *tx, Str id)
{
    return DB_TEXT(tx,
                   "SELECT parent.id FROM flow_run AS run JOIN task_run ON task_run.id = run.parent_task_run_id"
                   " JOIN flow_run AS parent ON parent.id = task_run.flow_run_id"
                   " WHERE run.id = $1 AND parent.state_type IN " LIVE,
                   v_uuid(id));
}

typedef struct Finding {
    Time before;
    StrList candidates;
    size_t next, reached;  /* of the candidates */
    StuckRuns *found;
    size_t count;          /* of `found`, before this read */
    Arena *kept;
} Finding;

static bool find_candidates(Tx *tx, void *arg)
{
    Finding *finding = arg;
    finding->candidates = (StrList){ 0 };
    Rows *rows = DB_QUERY(tx,
                          "SELECT id FROM flow_run WHERE state_type IN " LIVE " AND state_timestamp < $1 LIMIT $2",
                          v_time(finding->before), v_int(CANDIDATES_MAX));
    while (db_next(rows))
        str_list_add(&finding->candidates, finding->kept, arena_str(finding->kept, row_view(rows, 0)));
    return tx->error->code == ERR_NONE;
}

static bool add_stuck(Tx *tx, Finding *finding, Str id, Time moved)
{
    StuckRuns *found = finding->found;
    Str parent = live_parent(tx, id);
    Rows *rows = DB_QUERY(tx,
                          "SELECT run.name, flow.name, run.state_type, run.state_name, run.state_timestamp"
                          " FROM flow_run AS run JOIN flow ON flow.id = run.flow_id WHERE run.id = $1", v_uuid(id));
    while (db_next(rows)) {
        StuckRun run = { .id = id, .moved = moved, .since = row_time(rows, 4) };
        Str *const texts[] = { &run.name, &run.flow_name, &run.state_type, &run.state_name };
        for (int i = 0; i < 4; i++)
            *texts[i] = arena_str(finding->kept, row_view(rows, i));
        run.parent_id = parent.p ? arena_str(finding->kept, parent) : STR_NULL;
        found->items = arena_grow(finding->kept, found->items, found->count, &found->capacity, sizeof *found->items);
        found->items[found->count++] = run;
    }
    return tx->error->code == ERR_NONE;
}

/* Goes on from candidate `next`. */
static bool examine(Tx *tx, void *arg)
{
    Finding *finding = arg;
    finding->found->count = finding->count;
    finding->reached = finding->next;
    do {
        Str id = finding->candidates.items[finding->reached++];
        Time moved = last_moved(tx, id);
        if (moved < finding->before && !add_stuck(tx, finding, id, moved))
            return false;
    } while (finding->reached < finding->candidates.count && tx_has_time(tx));
    return tx->error->code == ERR_NONE;
}

/* Parents matter only if they are stuck as well. */
static void forget_other_parents(StuckRuns *found, Arena *arena)
{
    StrList ids = { 0 };
    for (size_t i = 0; i < found->count; i++)
        str_list_add(&ids, arena, found->items[i].id);
    str_list_sort(&ids);
    for (size_t i = 0; i < found->count; i++)
        if (found->items[i].parent_id.p && !str_list_has(&ids, found->items[i].parent_id))
            found->items[i].parent_id = STR_NULL;
}

bool stuck_runs_find(Db *db, Arena *arena, Time before, const atomic_bool *stopping, StuckRuns *ret, Error *error)
{
    Finding finding = { .before = before, .found = ret, .kept = arena };
    Arena *work = arena_new();
    *ret = (StuckRuns){ 0 };
    bool ok = db_run(db, false, work, find_candidates, &finding, error);
    while (ok && finding.next < finding.candidates.count && !(stopping && *stopping)) {
        arena_reset(work);
        ok = db_run(db, false, work, examine, &finding, error);
        finding.next = finding.reached;
        finding.count = ret->count;
    }
    arena_free(work);
    forget_other_parents(ret, arena);
    return ok;
}

static bool count_slots(Tx *tx, void *arg)
{
    StuckRuns *runs = arg;
    StrList holders;
    if (!concurrency_limits_holders(tx, &holders))
        return false;
    for (size_t i = 0; i < runs->count; i++)
        runs->items[i].slots = 0;
    for (size_t i = 0; i < holders.count; i++) {
        Str of = DB_TEXT(tx, "SELECT flow_run_id FROM task_run WHERE id = $1", v_uuid(holders.items[i]));
        for (size_t k = 0; of.p && k < runs->count; k++)
            runs->items[k].slots += str_eq(runs->items[k].id, of);
    }
    return tx->error->code == ERR_NONE;
}

bool stuck_runs_count_slots(Db *db, StuckRuns *runs, Error *error)
{
    Arena *arena = arena_new();
    bool ok = db_run(db, false, arena, count_slots, runs, error);
    arena_free(arena);
    return ok;
}

/* ---- their end ---- */

typedef struct Ending {
    const StuckRun *run;
    Time before;
    bool waits;
    bool has_begun;        /* it was found not to have moved; what has moved since was moved here */
    bool goes_on;          /* after a step: there is more to do */
    int64_t ended;         /* flow runs, by it */
} Ending;

/* Nothing but CANCELLED may follow CANCELLING. */
static State *end_state(Tx *tx, const Ending *ending, Str own_type)
{
    bool is_cancelled = str_is(own_type, "CANCELLING") || str_is(ending->run->state_type, "CANCELLING");
    State *state = state_new(tx->arena, is_cancelled ? STATE_CANCELLED : STATE_CRASHED, NULL, tx->now);
    state->message = arena_printf(tx->arena, "Nothing of this run has moved since %s: what ran it has probably died.",
                                  time_text(tx->arena, ending->run->moved).p);
    return state;
}

static StrList read_ids(Tx *tx, Rows *rows)
{
    StrList ids = { 0 };
    while (db_next(rows))
        str_list_add(&ids, tx->arena, row_text(rows, 0));
    return ids;
}

/* The type of its state, now that it is locked; null: it has ended meanwhile. */
#define UNFINISHED_TYPE(tx, table, id) \
    DB_TEXT((tx), "SELECT state_type FROM " table " WHERE id = $1 AND state_type IN " UNFINISHED, v_uuid(id))

/* The task run of a subflow that is ended follows its subflow. */
static bool end_task_runs(Tx *tx, const Ending *ending, bool *ret_left)
{
    const TransitionOptions force = { .force = true };
    Rows *rows = DB_QUERY(tx,
                          RUN_TREE_BELOW
                          " SELECT id FROM task_run WHERE flow_run_id IN (SELECT id FROM tree)"
                          " AND state_type IN " UNFINISHED " AND NOT EXISTS (SELECT 1 FROM flow_run AS sub"
                          " WHERE sub.parent_task_run_id = task_run.id AND sub.state_type IN " LIVE ")"
                          " ORDER BY id LIMIT $2", v_uuid(ending->run->id), v_int(RUNS_AT_ONCE));
    StrList ids = read_ids(tx, rows);
    for (size_t i = 0; i < ids.count; i++)
        db_lock_row(tx, "task_run", ids.items[i]);
    for (size_t i = 0; i < ids.count; i++) {
        Str type = UNFINISHED_TYPE(tx, "task_run", ids.items[i]);
        if (type.p && !task_run_set_state(tx, ids.items[i], end_state(tx, ending, type), force, NULL))
            return false;
    }
    *ret_left = ids.count == RUNS_AT_ONCE;
    return tx->error->code == ERR_NONE;
}

/* Those of the tree that are alive, the deepest first; locked. Of a tree that was found not to have moved only the
 * next ones. */
static StrList lock_flow_runs(Tx *tx, const Ending *ending)
{
    Rows *rows = DB_QUERY(tx,
                          RUN_TREE_BELOW " SELECT run.id FROM tree JOIN flow_run AS run ON run.id = tree.id"
                          " WHERE run.state_type IN " LIVE " ORDER BY tree.depth DESC, run.id LIMIT $2",
                          v_uuid(ending->run->id), v_int(ending->has_begun ? RUNS_AT_ONCE : CANDIDATES_MAX));
    StrList ids = read_ids(tx, rows);
    StrList ordered = { 0 };
    for (size_t i = 0; i < ids.count; i++)
        str_list_add(&ordered, tx->arena, ids.items[i]);
    str_list_sort(&ordered);
    for (size_t i = 0; i < ordered.count; i++)
        db_lock_row(tx, "flow_run", ordered.items[i]);
    return ids;
}

/* The run itself is the last one of its tree. */
static bool end_flow_runs(Tx *tx, Ending *ending, const StrList *ids)
{
    const TransitionOptions force = { .force = true };
    size_t count = ids->count < RUNS_AT_ONCE ? ids->count : RUNS_AT_ONCE;
    ending->goes_on = count > 0 && !str_eq(ids->items[count - 1], ending->run->id);
    for (size_t i = 0; i < count; i++) {
        Str type = UNFINISHED_TYPE(tx, "flow_run", ids->items[i]);
        if (type.p && !flow_run_set_state(tx, ids->items[i], end_state(tx, ending, type), force, NULL))
            return false;
        ending->ended += type.p != NULL;
    }
    return tx->error->code == ERR_NONE;
}

static bool is_live(Tx *tx, Str id)
{
    return DB_INT(tx, 0, "SELECT COUNT(*) FROM flow_run WHERE id = $1 AND state_type IN " LIVE, v_uuid(id)) > 0;
}

/* Task runs first, some in each step, then the flow runs. */
static bool end_some(Tx *tx, void *arg)
{
    Ending *ending = arg;
    bool left;
    ending->ended = 0;
    ending->goes_on = false;
    if (ending->waits)
        db_lock(tx, LOCK_STUCK);
    else if (!db_try_lock(tx, LOCK_STUCK))
        return tx->error->code == ERR_NONE;
    StrList runs = lock_flow_runs(tx, ending);
    if (!is_live(tx, ending->run->id) || (!ending->has_begun && last_moved(tx, ending->run->id) >= ending->before))
        return tx->error->code == ERR_NONE;
    ending->goes_on = true;
    do {
        if (!end_task_runs(tx, ending, &left))
            return false;
    } while (left && tx_has_time(tx));
    return left || end_flow_runs(tx, ending, &runs);
}

bool stuck_run_end(Db *db, const StuckRun *run, Time before, bool waits, int64_t *ret_ended, Error *error)
{
    Ending ending = { .run = run, .before = before, .waits = waits };
    Arena *arena = arena_new();
    bool ok;
    *ret_ended = 0;
    while ((ok = db_run(db, true, arena, end_some, &ending, error))) {
        *ret_ended += ending.ended;
        if (!ending.goes_on)
            break;
        ending.has_begun = true;
        arena_reset(arena);
        clock_sleep(OTHERS_TURN_US);
    }
    arena_free(arena);
    return ok;
}

/* ---- slots ---- */

typedef struct Freeing { bool waits; int64_t slots; } Freeing;

static bool look_for_slots(Tx *tx, void *arg)
{
    Freeing *freeing = arg;
    freeing->slots = concurrency_limits_idle_slots(tx, false);
    return freeing->slots >= 0;
}

static bool free_slots(Tx *tx, void *arg)
{
    Freeing *freeing = arg;
    freeing->slots = 0;
    if (freeing->waits)
        db_lock(tx, LOCK_STUCK);
    else if (!db_try_lock(tx, LOCK_STUCK))
        return tx->error->code == ERR_NONE;
    freeing->slots = concurrency_limits_idle_slots(tx, true);
    return freeing->slots >= 0;
}

bool stuck_slots_free(Db *db, bool waits, int64_t *ret_slots, Error *error)
{
    Freeing freeing = { .waits = waits };
    Arena *arena = arena_new();
    bool ok = db_run(db, false, arena, look_for_slots, &freeing, error)
              && (freeing.slots == 0 || db_run(db, true, arena, free_slots, &freeing, error));
    *ret_slots = ok ? freeing.slots : 0;
    arena_free(arena);
    return ok;
}

/* ---- the service ---- */

static bool end_all(ServiceRun *run, const StuckRuns *stuck, Time before, int64_t *ended, Error *error)
{
    for (size_t i = 0; i < stuck->count && !*run->stopping; i++) {
        Error failure = { .code = ERR_NONE };
        int64_t count;
        if (stuck->items[i].parent_id.p)
            continue;
        if (!stuck_run_end(run->db, &stuck->items[i], before, false, &count, &failure)) {
            if (failure.code != ERR_SPOILED)
                return fail(error, failure.code, "%s", failure.message);
            log_error(LOGGER, "Flow run %.*s is left out: %s", STR_ARG(stuck->items[i].id), failure.message);
        }
        *ended += count;
    }
    return true;
}

bool stuck_runs_tick(ServiceRun *run, Error *error)
{
    Time before;
    StuckRuns stuck;
    int64_t ended = 0, slots = 0;
    if (!time_add_seconds(run->now, -settings_float(run->settings, "ORION_STUCK_AFTER"), &before))
        return true; /* so long that nothing can be stuck */
    bool ok = stuck_runs_find(run->db, run->arena, before, run->stopping, &stuck, error)
              && end_all(run, &stuck, before, &ended, error) && stuck_slots_free(run->db, false, &slots, error);
    if (ended > 0)
        log_warning(LOGGER, "Ended %lld flow runs of which nothing had moved", (long long)ended);
    if (slots > 0)
        log_warning(LOGGER, "Freed %lld slots that no unfinished task run held", (long long)slots);
    return ok;
}
