/* services/pause_expirations.c -- fails paused runs whose time is up. */
#include "services/sweep.h"

/* A pause without a timeout lasts until somebody ends it. */
static bool find_expired(Tx *tx, Sweep *sweep)
{
    Rows *rows = DB_QUERY(tx,
                          "SELECT flow_run.id, flow_run.state_id, state.state_details FROM flow_run"
                          " JOIN flow_run_state AS state ON state.id = flow_run.state_id"
                          " WHERE flow_run.state_type = 'PAUSED'");
    while (db_next(rows)) {
        ArenaMark mark = arena_mark(tx->arena);
        StateDetails details;
        codec_load(tx->arena, &state_details_model, row_text(rows, 2), &details);
        arena_release(tx->arena, mark);
        Time timeout = details.pause_timeout.us;
        if (timeout == TIME_NULL || timeout >= sweep->before)
            continue;
        if (!sweep_add(sweep, (DueRun){ row_text(rows, 0), row_text(rows, 1), timeout })) {
            db_done(rows);
            break;
        }
    }
    return tx->error->code == ERR_NONE;
}

static State *failed(Tx *tx, const DueRun *due)
{
    (void)due;
    State *state = state_new(tx->arena, STATE_FAILED, NULL, tx->now);
    state->message = STR("The flow was paused and never resumed.");
    return state;
}

bool pause_expirations_tick(ServiceRun *run, Error *error)
{
    Sweep sweep = { .kind = FLOW_RUN, .before = run->now, .find = find_expired, .state = failed };
    return sweep_all(run, &sweep, error);
}
