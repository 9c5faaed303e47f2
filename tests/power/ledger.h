/* tests/power/ledger.h -- what the database must hold, and the checks that it does. The state of a database is a hash
 * of all its rows, taken in the transaction that makes it, before the commit. */
#ifndef ORION_POWER_LEDGER_H
#define ORION_POWER_LEDGER_H

#include "fate.h"

#include "db/db.h"

typedef struct Ledger {
    uint64_t acknowledged; /* the state after the last transaction of which somebody was told that it is done */
    uint64_t under_way;    /* that after the transaction since then, of which nobody was told */
    bool is_under_way;
} Ledger;

enum { STATE_OF_NOTHING = 0 }; /* no tables */

/* Adds the state that the transaction has made so far. False: tx->error. */
bool ledger_write(Ledger *ledger, Tx *tx) MUST_CHECK;
void ledger_acknowledge(Ledger *ledger);
/* Whether the database holds the acknowledged transactions, and the one under way entirely or not at all; whether
 * SQLite's own checks, foreign keys and `orion database check` find nothing. Then the ledger goes on from there. False:
 * *why; or tx->error. */
bool ledger_check(Ledger *ledger, Tx *tx, char *why, size_t n) MUST_CHECK;

#endif
