/* services/retention.h -- deletes what is old: trees of runs, log lines, rows of the task cache; for the service and
 * for the command line. Small steps, each a transaction, with others let in between. What is interrupted has deleted
 * whole trees, but for a very large one, of which the deepest runs go first; and whoever asks again goes on. */
#ifndef ORION_RETENTION_H
#define ORION_RETENTION_H

#include "db/onlooker.h"
#include "model/run_tree.h"
#include "model/task_cache.h"
#include "services/service.h"

typedef struct Freed {
    int64_t trees, flow_runs, task_runs, logs, cached;
    int64_t lost_logs; /* of runs that do not exist; not among `logs` */
} Freed;

typedef struct Retention {
    Db *db;
    TreeRule rule;
    bool only_logs;              /* of the trees */
    bool is_command;             /* waits while a server is at it, and for other processes; else it leaves it to them */
    const atomic_bool *stopping; /* NULL: never */
    const Onlooker *onlooker;    /* told of trees, asked after each step; NULL: nobody looks on */
    int64_t trees;               /* for the onlooker: so many are expected */
    Freed freed;                 /* what is committed */
} Retention;

/* All trees that fit the rule, one after the other: they are shown, and nothing is deleted. */
bool retention_look(Retention *retention, void (*show)(void *arg, const RunTree *tree), void *arg,
                    Error *error) MUST_CHECK;
bool retention_delete_trees(Retention *retention, Error *error) MUST_CHECK;
/* Lines older than rule.before of trees that fit, by the age of the lines: cheap where most trees have none any more.
 * And lines without a run; `without_run`: only these. */
bool retention_delete_logs(Retention *retention, bool without_run, Error *error) MUST_CHECK;
/* How many lines without a run there are. */
bool retention_count_lost_logs(Retention *retention, int64_t *ret, Error *error) MUST_CHECK;
/* Rows of the cache for which that returns true. */
bool retention_delete_cached(Retention *retention, bool (*wanted)(void *arg, const CacheRow *row), void *arg,
                             Error *error) MUST_CHECK;
/* Those that have expired, or lead to nothing: the rules do not take them. */
bool retention_is_stale(void *arg, const CacheRow *row);

#endif
