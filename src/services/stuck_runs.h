/* services/stuck_runs.h -- flow runs that died: they are running, pending or being cancelled, and nothing of them has
 * moved for long. For the service and for the command line. */
#ifndef ORION_STUCK_RUNS_H
#define ORION_STUCK_RUNS_H

#include "base/str_list.h"
#include "model/run.h"
#include "services/service.h"

typedef struct StuckRun {
    Str id, name, flow_name;
    Str state_type, state_name;
    Time since;            /* it is in that state */
    Time moved;            /* the last sign of life of it and its subflows: a state, a log line, a task run's state */
    Str parent_id;         /* the flow run that began it, if that is stuck too, and takes it along; or null */
    int64_t slots;         /* of limits, that its own task runs hold: stuck_runs_count_slots */
} StuckRun;

typedef struct StuckRuns {
    StuckRun *items;
    size_t count, capacity;
} StuckRuns;

/* All of which nothing has moved since `before`; in the arena. */
bool stuck_runs_find(Db *db, Arena *arena, Time before, const atomic_bool *stopping, StuckRuns *ret,
                     Error *error) MUST_CHECK;
bool stuck_runs_count_slots(Db *db, StuckRuns *runs, Error *error) MUST_CHECK;
/* Ends one that has no stuck parent, with what is unfinished below it, if still nothing has moved; `waits`: for another
 * server's step, which otherwise has it left alone. *ret_ended: so many flow runs were ended. */
bool stuck_run_end(Db *db, const StuckRun *run, Time before, bool waits, int64_t *ret_ended, Error *error) MUST_CHECK;
/* Slots that no unfinished task run holds are free again. */
bool stuck_slots_free(Db *db, bool waits, int64_t *ret_slots, Error *error) MUST_CHECK;

#endif
