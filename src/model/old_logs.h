/* model/old_logs.h -- log lines by their age: those whose runs have ended long ago, and those of runs that do not
 * exist. */
#ifndef ORION_OLD_LOGS_H
#define ORION_OLD_LOGS_H

#include "model/run_tree.h"

typedef struct LogWalk {   /* zeroed: at the beginning, with the oldest line */
    Time at;               /* of the last line that was looked at */
    char id[37];
    bool is_over;
} LogWalk;

typedef struct OldLogs {
    StrList without_run;   /* ids of lines */
    RunTrees trees;        /* that fit the rule: all their lines may go */
} OldLogs;

/* The next lines that are older than rule->before: what may go of them, as far as a step's time reaches. With
 * `without_run` only lines without a run are looked for. A read, in the transaction's arena. False: tx->error, and the
 * walk stays where it was. */
bool old_logs_next(Tx *tx, const TreeRule *rule, bool without_run, LogWalk *walk, OldLogs *ret) MUST_CHECK;

#endif
