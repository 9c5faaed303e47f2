/* services/cancellation_cleanup.c -- cancels the task runs and subflows that cancelled flow runs left behind. */
#include "services/sweep.h"

#define UNFINISHED " IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING')"

static const double RECENT_SECONDS = 24 * 3600;

static bool add_rows(Tx *tx, Sweep *sweep, Rows *rows)
{
    while (db_next(rows))
        (void)sweep_add(sweep, (DueRun){ row_text(rows, 0), row_text(rows, 1), TIME_NULL });
    return tx->error->code == ERR_NONE;
}

/* By the flow runs of a day, which their order has SQLite find: unfinished task runs, and cancelled flow runs of all
 * times, may be many more. */
static bool find_task_runs(Tx *tx, Sweep *sweep)
{
    Rows *rows = DB_QUERY(tx,
                          "SELECT task_run.id, task_run.state_id FROM flow_run CROSS JOIN task_run"
                          " WHERE task_run.flow_run_id = flow_run.id AND task_run.state_type" UNFINISHED
                          " AND " NO_INDEX_EQ("flow_run.state_type", "'CANCELLED'") " AND flow_run.end_time >= $1"
                          " ORDER BY flow_run.end_time DESC LIMIT $2",
                          v_time(sweep->before), v_int(sweep->limit));
    return add_rows(tx, sweep, rows);
}

/* The index orion_flow_run_unfinished_subflows holds what the conditions on flow_run say, in the same words. */
static bool find_subflows(Tx *tx, Sweep *sweep)
{
    Rows *rows = DB_QUERY(tx,
                          "SELECT flow_run.id, flow_run.state_id FROM flow_run"
                          " JOIN task_run ON task_run.id = flow_run.parent_task_run_id"
                          " JOIN flow_run AS parent ON parent.id = task_run.flow_run_id"
                          " WHERE flow_run.parent_task_run_id IS NOT NULL AND flow_run.state_type" UNFINISHED
                          " AND " NO_INDEX_EQ("parent.state_type", "'CANCELLED'") " LIMIT $1",
                          v_int(sweep->limit));
    return add_rows(tx, sweep, rows);
}

static State *cancelled(Tx *tx, const DueRun *due)
{
    (void)due;
    State *state = state_new(tx->arena, STATE_CANCELLED, NULL, tx->now);
    state->message = STR("The parent flow run was cancelled.");
    return state;
}

bool cancellation_cleanup_tick(ServiceRun *run, Error *error)
{
    Sweep tasks = { .kind = TASK_RUN, .find = find_task_runs, .state = cancelled };
    Sweep subflows = { .kind = FLOW_RUN, .find = find_subflows, .state = cancelled };
    return time_add_seconds(run->now, -RECENT_SECONDS, &tasks.before) && sweep_all(run, &tasks, error)
           && sweep_all(run, &subflows, error);
}
