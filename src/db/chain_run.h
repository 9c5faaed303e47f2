/* db/chain_run.h -- runs a revision of the chain of migrations. */
#ifndef ORION_CHAIN_RUN_H
#define ORION_CHAIN_RUN_H

#include "db/chain.h"
#include "db/db.h"

/* Does what SQL cannot say, by its name in the chain. */
typedef bool ChainStep(Tx *tx, const char *name);

/* Takes a database that is at the revision before to this one; the caller marks it. On SQLite, if there are rows, it
 * must have been opened with DbConfig.no_references. `step` may be NULL where there are no rows that it would change.
 * False: tx->error, which names the revision. */
bool chain_run(Tx *tx, const Revision *revision, ChainStep *step) MUST_CHECK;

#endif
