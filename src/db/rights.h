/* db/rights.h -- what a database lets a server do, found out at its start. */
#ifndef ORION_RIGHTS_H
#define ORION_RIGHTS_H

#include "db/db.h"

/* Whether a server can work on the database as it is, with its tables made. What it will lack is told in the log, with the command that mends it.
 * `connections`: how many it will ask for; 0: that cannot be compared. False: tx->error says why it must not start. */
bool rights_check(Tx *tx, int64_t connections) MUST_CHECK;

#endif
