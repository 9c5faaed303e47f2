/* tests/power/life.h -- the lives of a server between cuts of its power, played from a seed. */
#ifndef ORION_POWER_LIFE_H
#define ORION_POWER_LIFE_H

#include "disk.h"

enum { JOB_KINDS_MAX = 32 };

typedef struct Trial {
    bool has_wal;        /* else the disk has no shared memory, and SQLite a rollback journal */
    DiskFaults faults;
    bool is_done_early;  /* jobs count as done before their transaction is committed */
    bool is_told;        /* each life on standard output */
} Trial;

/* When power went. */
typedef enum Phase { PHASE_START, PHASE_STEPS, PHASE_STOP, PHASES } Phase;

/* What came of a seed, or of several. */
typedef struct Story {
    bool is_lost;        /* the database was not what it must be; `why` */
    char why[700];
    uint64_t trace;      /* of all calls of the last seed's disk */
    uint64_t calls;
    unsigned seeds, lives, commits, jobs;
    unsigned cuts[CALL_KINDS + 1]; /* by the call at which power went; the last: none */
    unsigned phases[PHASES];       /* of the same cuts, but the last */
    unsigned kinds[JOB_KINDS_MAX]; /* jobs that succeeded, as in job_kinds */
} Story;

/* Plays one seed and adds to the story. False: something was lost. */
bool life_play(const Trial *trial, uint64_t seed, Story *story);
void life_end(void); /* frees what seeds have in common */

#endif
