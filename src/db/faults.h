/* db/faults.h -- `orion database check`: everything in a database that contradicts itself, a line for each kind of
 * fault, and the mending of what can be mended without loss. */
#ifndef ORION_FAULTS_H
#define ORION_FAULTS_H

#include "base/str_list.h"
#include "db/fault_kinds.h"

enum { FAULT_NAMED_MAX = 3 };

typedef struct Fault { /* one kind, with what was found of it */
    const char *where, *means, *cure; /* as in FaultKind */
    bool is_mendable;
    int64_t count, left;              /* left: after mending */
    Str named[FAULT_NAMED_MAX];       /* the first ones */
} Fault;

typedef struct FaultReport {
    void (*each)(void *arg, const Fault *fault, Str name); /* every fault when it is found; NULL: not asked for */
    void (*kind)(void *arg, const Fault *fault);           /* every kind that was found, with its count */
    void *arg;
    Arena *arena;         /* for the names; the caller's, not the job's */
    int64_t rows;         /* checked */
    int64_t kinds, mendable;
    StrList bad_indexes;  /* PostgreSQL: indexes that amcheck has found to be damaged */
    bool has_amcheck;     /* PostgreSQL: its extension amcheck is there and may be used */
} FaultReport;

/* One more fault of the kind, by a name that is borrowed. */
void fault_add(FaultReport *report, Fault *fault, Str name);
/* Reports the kind if there was any. */
void fault_end(FaultReport *report, const Fault *fault);

/* All kinds but one (blocks/encryption.h has that), in one read job of a database without a timeout, so that all is
 * seen in one snapshot. False: tx->error. */
bool faults_find(Tx *tx, FaultReport *report) MUST_CHECK;
/* PostgreSQL: has amcheck compare every index with itself. Runs jobs of its own, since each ends with the first damage.
 * Nothing on other engines. False: *error. */
bool faults_find_in_indexes(Db *db, Arena *arena, FaultReport *report, Error *error) MUST_CHECK;

typedef struct FaultMending {
    const StrList *bad_indexes; /* of the report */
    Arena *arena;               /* for `kinds`; the caller's, not the job's */
    Fault *kinds;               /* that were found, with `left` of them after mending */
    size_t count;
    int64_t left;               /* of all */
} FaultMending;

/* Mends all that can be mended, in a write job of a database without a timeout. False: tx->error. */
bool faults_mend(Tx *tx, FaultMending *mending) MUST_CHECK;

#endif
