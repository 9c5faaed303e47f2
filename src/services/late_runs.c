/* services/late_runs.c -- marks scheduled runs that did not begin in time. */
#include "services/sweep.h"

/* By the index orion_flow_run_waiting_by_name: runs that nobody picks up stay late, and may be many. */
static bool find_late(Tx *tx, Sweep *sweep)
{
    Rows *rows = DB_QUERY(tx,
                          "SELECT id, state_id, next_scheduled_start_time FROM flow_run"
                          " WHERE next_scheduled_start_time <= $1 AND state_type = 'SCHEDULED'"
                          " AND state_name = 'Scheduled' LIMIT $2",
                          v_time(sweep->before), v_int(sweep->limit));
    while (db_next(rows)) {
        DueRun due = { row_text(rows, 0), row_text(rows, 1), row_time(rows, 2) };
        if (row_is_sound(rows))
            (void)sweep_add(sweep, due);
        else
            sweep->unreadable++;
    }
    return tx->error->code == ERR_NONE;
}

static State *late(Tx *tx, const DueRun *due)
{
    State *state = state_new(tx->arena, STATE_SCHEDULED, "Late", tx->now);
    state->state_details.scheduled_time = MOMENT(due->scheduled);
    return state;
}

bool late_runs_tick(ServiceRun *run, Error *error)
{
    double grace = settings_float(run->settings, "PREFECT_ORION_SERVICES_LATE_RUNS_AFTER_SECONDS");
    Sweep sweep = { .kind = FLOW_RUN, .find = find_late, .state = late };
    if (!time_add_seconds(run->now, -grace, &sweep.before))
        return true; /* so long that nothing can be late */
    return sweep_all(run, &sweep, error);
}
