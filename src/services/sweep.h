/* services/sweep.h -- finds runs that are due and forces a state on each, a few in each transaction. */
#ifndef ORION_SWEEP_H
#define ORION_SWEEP_H

#include "base/str_list.h"
#include "model/run_state.h"
#include "services/service.h"

enum { SWEEP_BATCH = 50 }; /* small enough for requests that wait for the writer meanwhile */

typedef struct DueRun {
    Str id, state_id;
    Time scheduled;        /* what the state is made from, where it needs it */
} DueRun;

typedef struct Sweep Sweep;
struct Sweep {
    RunKind kind;
    Time before;           /* for `find` */
    /* Adds what is due by sweep_add, of the first `limit` rows or until that returns false. Runs in a read transaction.
     * False: tx->error. */
    bool (*find)(Tx *tx, Sweep *sweep);
    /* The state for one of them. */
    State *(*state)(Tx *tx, const DueRun *due);
    int64_t limit;         /* rows to read: a batch, and those that are met each time but cannot be changed: */
    int64_t unreadable;    /* those that `find` itself cannot read, */
    StrList left_out;      /* and those whose state cannot be set; sorted */
    DueRun due[SWEEP_BATCH];
    size_t count, changed;
    size_t current;        /* of `due`: the one whose state is being set */
};

/* False: the batch is full. */
bool sweep_add(Sweep *sweep, DueRun due);
/* Continues until nothing is due. A run whose state has changed since it was found (by a client, or by another server
 * that sweeps the same database) is left alone. */
bool sweep_all(ServiceRun *run, Sweep *sweep, Error *error) MUST_CHECK;

#endif
