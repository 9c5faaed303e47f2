/* tests/power/jobs.h -- the server's own writes, on rows that dice choose. Bodies are JSON as clients send it. */
#ifndef ORION_POWER_JOBS_H
#define ORION_POWER_JOBS_H

#include "fate.h"

#include "db/db.h"

typedef struct JobKind {
    const char *name;
    unsigned weight; /* how often, compared with the others */
    bool is_refused; /* fails on purpose, after it has written */
    bool (*run)(Tx *tx, Dice dice); /* does nothing, and succeeds, where there is no row for it */
} JobKind;

extern const JobKind job_kinds[];
extern const size_t job_kind_count;

const JobKind *job_kind_choose(Dice *dice);

/* What a job may rely on: a block type with a schema; and some rows. In a database that has been migrated. */
bool jobs_prepare(Tx *tx) MUST_CHECK;

#endif
