/* upgrade/upgrade.h -- takes a database from the reference's revision that it is at on to a later one. */
#ifndef ORION_UPGRADE_H
#define ORION_UPGRADE_H

#include "db/db.h"
#include "db/onlooker.h"

typedef struct Upgrade {
    const char *to;           /* a revision; NULL or "head": the last of 2.7.12; UPGRADE_3: the last of 3.8.3 */
    const Onlooker *onlooker; /* may be NULL; is shown each revision, and may end it before the next */
} Upgrade;

#define UPGRADE_3 "3" /* instead of a revision: the head of Prefect 3.8.3 */

/* To be run in a write transaction, which keeps all of it or nothing. On SQLite the database must have been opened with
 * DbConfig.no_references. An empty database gets the tables as they are at that revision. False: tx->error, for the
 * user: the revision is unknown (ERR_INVALID) or earlier than the database's, or the database is not one to upgrade. */
bool upgrade_run(Tx *tx, const Upgrade *upgrade) MUST_CHECK;
/* The SQL that upgrade_run would run, in the arena; steps that are not SQL are named in comments. Empty: nothing to do.
 * False: tx->error, as there. */
bool upgrade_plan(Tx *tx, const Upgrade *upgrade, Str *ret) MUST_CHECK;

/* What there is to know before. Changes nothing. */
typedef struct UpgradeLook {
    Str revision;             /* of the database; null: it is empty */
    size_t revisions;         /* that upgrade_run would go through; 0 and is_empty false: nothing to do */
    bool is_empty;
    Str policies;             /* a line for each notification policy that becomes an automation; null: none does */
} UpgradeLook;

bool upgrade_look(Tx *tx, const Upgrade *upgrade, UpgradeLook *ret) MUST_CHECK; /* false: as upgrade_run */

/* What a step does; `tx` as in upgrade_run. */
typedef struct UpgradeStep {
    const char *name; /* as in the chains */
    bool (*run)(Tx *tx);
} UpgradeStep;

const UpgradeStep *upgrade_step(const char *name); /* NULL: there is none */

#endif
