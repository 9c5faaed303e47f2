/* services/scheduler.c -- plans the runs of deployments with an active schedule.
 *
 * The two services differ in the deployments they select. A batch of those is read, their dates are computed on this
 * thread, runs that exist already are dropped by a reader, and only what is new goes to the writer, a few runs in each
 * job: no request waits for more than one of those. */
#include "services/service.h"

#include "base/log.h"
#include "base/str_list.h"
#include "model/run_planner.h"

static const char logger[] = "orion.services.scheduler";

enum {
    PIECE_MAX = 50,         /* runs that one job writes, whatever the setting: some milliseconds of the writer */
    RECENT_SECONDS = 6      /* how long a deployment counts as just changed: one more than between two ticks */
};

typedef struct Selection {
    bool recent, all;
    RunPlan plan;      /* from the tick's beginning */
    StrList ids;
} Selection;

/* Some deployments and their new runs, from load_deployments by way of plan_runs and drop_existing to the last
 * write_piece. A job may run twice: it only reads where its piece begins, and what it leaves in next_… counts once it
 * is committed. */
typedef struct Batch {
    const Str *ids;
    size_t count;
    Time now;
    const Deployment **deployments; /* NULL: gone */
    PlannedRuns *runs;
    int64_t piece;          /* runs in one job */
    size_t deployment, run; /* where the next piece begins */
    size_t next_deployment, next_run;
    int64_t inserted;       /* by the last piece */
} Batch;

/* ---- which deployments ---- */

/* Those with fewer runs ahead than wanted, or not far enough ahead. After the clock was set back, all of them: some may
 * have runs enough ahead, but none between now and the time at which they were planned. */
static Rows *select_short(Tx *tx, const RunPlan *plan, bool all)
{
    return DB_QUERY(tx,
                    "SELECT deployment.id FROM deployment LEFT JOIN"
                    " (SELECT flow_run.deployment_id, count(*) AS runs, max(flow_run.next_scheduled_start_time) AS last"
                    " FROM flow_run WHERE flow_run.state_type = 'SCHEDULED'"
                    " AND flow_run.next_scheduled_start_time >= $1 AND flow_run.auto_scheduled"
                    " GROUP BY flow_run.deployment_id) AS ahead ON ahead.deployment_id = deployment.id"
                    " WHERE deployment.is_schedule_active AND deployment.schedule IS NOT NULL"
                    " AND ($4 OR COALESCE(ahead.runs, 0) < $2 OR ahead.last < $3) ORDER BY deployment.id",
                    v_time(plan->start), v_int(plan->min_runs), v_time(plan->start + plan->min_time), v_bool(all));
}

static Rows *select_recent(Tx *tx, const RunPlan *plan)
{
    return DB_QUERY(tx,
                    "SELECT deployment.id FROM deployment"
                    " WHERE deployment.is_schedule_active AND deployment.schedule IS NOT NULL"
                    " AND deployment.updated >= $1 ORDER BY deployment.id",
                    v_time(plan->start - RECENT_SECONDS * SECOND));
}

static bool select_deployments(Tx *tx, void *arg)
{
    Selection *selection = arg;
    Rows *rows = selection->recent ? select_recent(tx, &selection->plan)
                                   : select_short(tx, &selection->plan, selection->all);
    selection->ids.count = 0;
    while (db_next(rows))
        str_list_add(&selection->ids, tx->arena, row_text(rows, 0));
    return tx->error->code == ERR_NONE;
}

/* ---- their runs ---- */

static bool load_deployments(Tx *tx, void *arg)
{
    Batch *batch = arg;
    batch->now = tx->now;
    for (size_t i = 0; i < batch->count; i++) {
        batch->deployments[i] = deployment_read(tx, batch->ids[i]);
        if (tx->error->code != ERR_SPOILED)
            continue;
        log_error(logger, "Deployment %.*s is left out: %s", STR_ARG(batch->ids[i]), tx->error->message);
        batch->deployments[i] = NULL;
        tx->error->code = ERR_NONE;
    }
    return tx->error->code == ERR_NONE;
}

/* A schedule that cannot be parsed is logged and skipped: the other deployments get their runs all the same. */
static void plan_runs(ServiceRun *run, Batch *batch)
{
    RunPlan plan = run_plan_default(run->settings, batch->now);
    for (size_t i = 0; i < batch->count && !*run->stopping; i++) {
        Error error = { .code = ERR_NONE };
        const Deployment *deployment = batch->deployments[i];
        if (deployment && !planned_runs_make(run->arena, deployment, &plan, &batch->runs[i], &error))
            log_error(logger, "%s", error.message);
    }
}

static bool drop_existing(Tx *tx, void *arg)
{
    Batch *batch = arg;
    for (size_t i = 0; i < batch->count; i++)
        if (batch->runs[i].count > 0 && !planned_runs_drop_existing(tx, &batch->runs[i]))
            return false;
    return true;
}

/* Somebody may have changed or deleted the deployment since it was read, so that these runs are of its old schedule.
 * The lock keeps it as it is, and lets one server at a time write its runs. */
static bool is_unchanged(Tx *tx, const Deployment *deployment)
{
    db_lock_row(tx, "deployment", deployment->id);
    const Deployment *now = deployment_read(tx, deployment->id);
    return now && deployment_plans_alike(now, deployment);
}

static bool write_piece(Tx *tx, void *arg)
{
    Batch *batch = arg;
    size_t i = batch->deployment, run = batch->run;
    size_t left = (size_t)batch->piece;
    batch->inserted = 0;
    for (; i < batch->count && left > 0; i++, run = 0) {
        const PlannedRuns *runs = &batch->runs[i];
        if (run >= runs->count || !is_unchanged(tx, runs->deployment))
            continue;
        size_t n = runs->count - run < left ? runs->count - run : left;
        int64_t inserted = planned_runs_insert(tx, runs, run, n);
        if (inserted < 0)
            return false;
        batch->inserted += inserted;
        left -= n;
        if (run + n < runs->count) {
            run += n;
            break;
        }
    }
    batch->next_deployment = i;
    batch->next_run = run;
    return tx->error->code == ERR_NONE;
}

/* Moves to where the next piece begins. False: nothing is left to write. */
static bool find_runs(Batch *batch)
{
    while (batch->deployment < batch->count && batch->runs[batch->deployment].count <= batch->run) {
        batch->deployment++;
        batch->run = 0;
    }
    return batch->deployment < batch->count;
}

static bool write_runs(ServiceRun *run, Batch *batch, int64_t *total, Error *error)
{
    while (find_runs(batch) && !*run->stopping) {
        ArenaMark mark = arena_mark(run->arena);
        if (!db_run(run->db, true, run->arena, write_piece, batch, error))
            return false;
        arena_release(run->arena, mark);
        *total += batch->inserted;
        batch->deployment = batch->next_deployment;
        batch->run = batch->next_run;
    }
    return true;
}

static bool run_batch(ServiceRun *run, const Str *ids, size_t count, int64_t *total, Error *error)
{
    int64_t piece = settings_int(run->settings, "PREFECT_ORION_SERVICES_SCHEDULER_INSERT_BATCH_SIZE");
    Batch batch = {
        .ids = ids,
        .count = count,
        .deployments = arena_zalloc(run->arena, count * sizeof(*batch.deployments)),
        .runs = arena_zalloc(run->arena, count * sizeof(*batch.runs)),
        .piece = piece < 1 ? 1 : piece > PIECE_MAX ? PIECE_MAX : piece,
    };
    if (!db_run(run->db, false, run->arena, load_deployments, &batch, error))
        return false;
    plan_runs(run, &batch);
    return db_run(run->db, false, run->arena, drop_existing, &batch, error) && write_runs(run, &batch, total, error);
}

static bool schedule_deployments(ServiceRun *run, bool recent, Error *error)
{
    Selection selection = {
        .recent = recent, .all = run->clock_set_back, .plan = run_plan_default(run->settings, run->now),
    };
    int64_t size = settings_int(run->settings, "PREFECT_ORION_SERVICES_SCHEDULER_DEPLOYMENT_BATCH_SIZE"), total = 0;
    if (!db_run(run->db, false, run->arena, select_deployments, &selection, error))
        return false;
    size_t batch = size < 1 ? 1 : (size_t)size, count;
    for (size_t i = 0; i < selection.ids.count && !*run->stopping; i += count) {
        ArenaMark mark = arena_mark(run->arena);
        count = selection.ids.count - i < batch ? selection.ids.count - i : batch;
        if (!run_batch(run, selection.ids.items + i, count, &total, error))
            return false;
        arena_release(run->arena, mark);
    }
    log_info(logger, "Scheduled %lld runs.", (long long)total);
    return true;
}

bool scheduler_tick(ServiceRun *run, Error *error)
{
    return schedule_deployments(run, false, error);
}

bool recent_deployments_tick(ServiceRun *run, Error *error)
{
    return schedule_deployments(run, true, error);
}
