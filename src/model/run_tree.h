/* model/run_tree.h -- trees of flow runs: a run without a parent, and the subflow runs under the task runs of the
 * tree's runs, at any depth. Which of them have ended long ago, and their deletion. A tree is as old as its youngest
 * run, and goes only as a whole. */
#ifndef ORION_RUN_TREE_H
#define ORION_RUN_TREE_H

#include "model/run.h"

/* For SQL: tree(id, depth) is the flow run $1 and all below it. The limit ends circles, which no server writes. */
#define RUN_TREE_BELOW \
    "WITH RECURSIVE tree(id, depth) AS (SELECT id, 0 FROM flow_run WHERE id = $1" \
    " UNION ALL SELECT sub.id, tree.depth + 1 FROM tree JOIN task_run ON task_run.flow_run_id = tree.id" \
    " JOIN flow_run AS sub ON sub.parent_task_run_id = task_run.id WHERE tree.depth < 100000)"

/* Which trees are meant. */
typedef struct TreeRule {
    Time before;           /* each of the runs ended before it: by end_time, else by the time of its state */
    unsigned states;       /* each is in one of them: bits 1 << StateType; none but final ones */
    Str flow_id;           /* of the run without a parent; null: any */
} TreeRule;
enum { TREE_STATES_ALL = 1 << STATE_COMPLETED | 1 << STATE_FAILED | 1 << STATE_CANCELLED | 1 << STATE_CRASHED };
/* "COMPLETED,failed" as TreeRule.states. False: *ret_wrong is the first word that names no final state. */
bool tree_states_read(Str text, unsigned *ret, Str *ret_wrong) MUST_CHECK;

typedef struct TreeRun {
    Str id, flow_id;
    int state_type;
    int64_t task_runs, logs; /* so many does it have */
} TreeRun;

typedef struct RunTree {
    TreeRun *runs;         /* each before its subflows, the run without a parent first */
    size_t count;
    int64_t task_runs, logs;
    bool fits;             /* the rule */
    bool is_large;         /* too large to be deleted in one transaction */
} RunTree;

/* The tree below that flow run, in the transaction's arena; without runs: there is no such run. False: tx->error. */
bool run_tree_read(Tx *tx, Str root, const TreeRule *rule, RunTree *ret) MUST_CHECK;
/* The run without a parent to whose tree a flow run belongs. Null: there is no such run, or tx->error. */
Str run_tree_root(Tx *tx, Str flow_run_id);

/* A walk over the roots that may fit, those that ended first to begin with. Zeroed: at the beginning. */
typedef struct TreeWalk {
    unsigned pass;         /* of those with an end_time, then of those without */
    Time ended;            /* of the last one */
    char id[37];
    bool is_over;
} TreeWalk;

enum { TREES_AT_ONCE = 64 };
typedef struct RunTrees {
    RunTree items[TREES_AT_ONCE];
    size_t count;
} RunTrees;

/* The next trees that fit, and are not empty: as many as are found within a step's time, which may be none before the
 * walk is over. A read, in the transaction's arena. False: tx->error, and the walk stays where it was. */
bool run_trees_next(Tx *tx, const TreeRule *rule, TreeWalk *walk, RunTrees *ret) MUST_CHECK;

/* Both do as much as the step has time for, with the tree locked and looked at again: if it does not fit any more,
 * nothing. *ret_done: nothing is left to be done. A tree that is not large goes at once; of a large one the deepest
 * runs go first, *left of them are left (at first: its count), and the last one is that without a parent. *ret_gone:
 * that was deleted now. */
bool run_tree_delete(Tx *tx, const RunTree *tree, const TreeRule *rule, size_t *left, bool *ret_done,
                     bool *ret_gone) MUST_CHECK;
/* Only the logs; their number is added to *logs. */
bool run_tree_delete_logs(Tx *tx, const RunTree *tree, const TreeRule *rule, int64_t *logs, bool *ret_done) MUST_CHECK;

#endif
