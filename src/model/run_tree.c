/* model/run_tree.c -- trees of flow runs, and the deletion of those that ended long ago. */
#include "model/run_tree.h"

#include <strings.h>

#include "entity/filter.h"
#include "model/removal.h"

enum {
    PAGE = 250,            /* rows of flow_run that are looked at together */
    RUNS_AT_ONCE = 200,    /* flow runs and task runs that are deleted in one transaction, some 30 ms; and logs: */
    LOGS_AT_ONCE = 1000,
    FEW_LOGS = 200         /* deleted by one statement */
};

bool tree_states_read(Str text, unsigned *ret, Str *ret_wrong)
{
    unsigned states = 0;
    while (text.n > 0 || states == 0) {
        const char *comma = text.n ? memchr(text.p, ',', text.n) : NULL;
        size_t n = comma ? (size_t)(comma - text.p) : text.n;
        Str word = str_trim((Str){ text.p, n });
        unsigned type = 0;
        while (type < STATE_COUNT && !(word.n == strlen(state_type_names[type])
                                       && strncasecmp(word.p, state_type_names[type], word.n) == 0))
            type++;
        if (type == STATE_COUNT || !state_type_is_final((StateType)type)) {
            *ret_wrong = word;
            return false;
        }
        states |= 1U << type;
        text = comma ? (Str){ comma + 1, text.n - n - 1 } : (Str){ "", 0 };
    }
    *ret = states;
    return true;
}

/* ---- one tree ---- */

static bool run_fits(const TreeRule *rule, const char *type_name, Time ended, int *ret_type)
{
    int type = 0;
    while (type < STATE_COUNT && strcmp(type_name, state_type_names[type]) != 0)
        type++;
    *ret_type = type;
    return type < STATE_COUNT && (rule->states >> type & 1) && ended != TIME_NULL && ended < rule->before;
}

static Time first_time(Rows *rows, int column, int count)
{
    Time found = TIME_NULL;
    for (int i = 0; i < count && found == TIME_NULL; i++)
        found = row_time(rows, column + i);
    return found;
}

bool run_tree_read(Tx *tx, Str root, const TreeRule *rule, RunTree *ret)
{
    size_t capacity = 0;
    *ret = (RunTree){ .fits = true };
    Rows *rows = DB_QUERY(tx,
                          RUN_TREE_BELOW " SELECT run.id, run.flow_id, run.state_type, run.end_time,"
                          " run.state_timestamp, run.created,"
                          " (SELECT COUNT(*) FROM task_run WHERE task_run.flow_run_id = tree.id),"
                          " (SELECT COUNT(*) FROM log WHERE log.flow_run_id = tree.id)"
                          " FROM tree JOIN flow_run AS run ON run.id = tree.id ORDER BY tree.depth",
                          v_uuid(root));
    while (db_next(rows)) {
        TreeRun run = { row_text(rows, 0), row_text(rows, 1), 0, row_int(rows, 6), row_int(rows, 7) };
        Str type = row_text(rows, 2);
        bool fits = run_fits(rule, type.p ? arena_cstr(tx->arena, type) : "", first_time(rows, 3, 3), &run.state_type);
        ret->fits = row_is_sound(rows) && fits && ret->fits;
        ret->runs = arena_grow(tx->arena, ret->runs, ret->count, &capacity, sizeof *ret->runs);
        ret->runs[ret->count++] = run;
        ret->task_runs += run.task_runs;
        ret->logs += run.logs;
    }
    ret->fits = ret->fits && ret->count > 0 && (!rule->flow_id.p || str_eq(ret->runs[0].flow_id, rule->flow_id));
    ret->is_large = (int64_t)ret->count + ret->task_runs > RUNS_AT_ONCE || ret->logs > LOGS_AT_ONCE;
    return tx->error->code == ERR_NONE;
}

Str run_tree_root(Tx *tx, Str flow_run_id)
{
    return DB_TEXT(tx,
                   "WITH RECURSIVE up(id, parent) AS (SELECT id, parent_task_run_id FROM flow_run WHERE id = $1"
                   " UNION SELECT run.id, run.parent_task_run_id FROM up JOIN task_run ON task_run.id = up.parent"
                   " JOIN flow_run AS run ON run.id = task_run.flow_run_id)"
                   " SELECT id FROM up WHERE parent IS NULL",
                   v_uuid(flow_run_id));
}

/* ---- the walk ---- */

/* Columns: id, when it ended, its type, its flow, its parent, its end_time; of $1 <= when < $2, after ($1, $3). A page
 * is read by an index, with no condition that rows may fail, so that it is short whatever the table holds. */
#define ROOTS(column) \
    "SELECT id, " column ", state_type, flow_id, parent_task_run_id, end_time FROM flow_run" \
    " WHERE " column " >= $1 AND " column " < $2 AND (" column " > $1 OR id > $3)" \
    " ORDER BY " column ", id LIMIT $4"
static const char *const roots_of_pass[] = { ROOTS("end_time"), ROOTS("state_timestamp") };

typedef struct Root { Str id; Time ended; bool may_fit; } Root;

/* Whether the run by itself may be the root of a tree that fits. */
static bool may_fit(Rows *rows, const TreeRule *rule, unsigned pass, Time ended)
{
    int type;
    Str name = row_view(rows, 2);
    char text[16];
    snprintf(text, sizeof text, "%.*s", name.p ? (int)(name.n < 15 ? name.n : 15) : 0, name.p ? name.p : "");
    return run_fits(rule, text, ended, &type) && row_is_null(rows, 4) && (pass == 0 || row_is_null(rows, 5))
           && (!rule->flow_id.p || str_eq(row_view(rows, 3), rule->flow_id));
}

static size_t read_roots(Tx *tx, const TreeRule *rule, const TreeWalk *walk, Root roots[PAGE])
{
    size_t count = 0;
    const Value values[] = { v_time(walk->ended), v_time(rule->before), v_uuid(str_from(walk->id)), v_int(PAGE) };
    Rows *rows = db_query(tx, roots_of_pass[walk->pass], values, COUNT_OF(values));
    while (count < PAGE && db_next(rows)) {
        Root root = { row_text(rows, 0), row_time(rows, 1), false };
        root.may_fit = may_fit(rows, rule, walk->pass, root.ended);
        root.may_fit = row_is_sound(rows) && root.may_fit;
        roots[count++] = root;
    }
    db_done(rows);
    return count;
}

static void walk_to(TreeWalk *walk, Time ended, const char *id)
{
    walk->ended = ended;
    snprintf(walk->id, sizeof walk->id, "%s", id);
}

bool run_trees_next(Tx *tx, const TreeRule *rule, TreeWalk *walk, RunTrees *ret)
{
    static const char first_id[] = "00000000-0000-0000-0000-000000000000";
    TreeWalk next = *walk;
    Root roots[PAGE];
    ret->count = 0;
    if (next.id[0] == '\0')
        walk_to(&next, TIME_FIRST, first_id);
    size_t count = read_roots(tx, rule, &next, roots), i = 0;
    for (; i < count && ret->count < TREES_AT_ONCE && (i == 0 || tx_has_time(tx)); i++) {
        if (roots[i].ended == TIME_NULL) /* it cannot be read; the next page may begin with it */
            continue;
        walk_to(&next, roots[i].ended, roots[i].id.p);
        if (!roots[i].may_fit)
            continue;
        RunTree *tree = &ret->items[ret->count];
        if (!run_tree_read(tx, roots[i].id, rule, tree))
            return false;
        ret->count += tree->fits;
    }
    if (tx->error->code != ERR_NONE)
        return false;
    bool stands = walk->id[0] != '\0' && strcmp(next.id, walk->id) == 0; /* nothing but such rows */
    if (i == count && (count < PAGE || stands)) {
        next = (TreeWalk){ .pass = next.pass + 1 };
        next.is_over = next.pass == COUNT_OF(roots_of_pass);
    }
    *walk = next;
    return true;
}

/* ---- deletion ---- */

static Value ids_of(Tx *tx, const RunTree *tree)
{
    Str *ids = arena_alloc(tx->arena, tree->count * sizeof *ids);
    for (size_t i = 0; i < tree->count; i++)
        ids[i] = tree->runs[i].id;
    return v_list(str_list_json(tx->arena, ids, tree->count));
}

/* Or is gone. Locked, so that it is so when this is committed. */
static bool run_still_fits(Tx *tx, Str id, const TreeRule *rule)
{
    int type = 0;
    bool fits = true;
    DB_LOCK_ROWS(tx, "SELECT id FROM flow_run WHERE id = $1 FOR UPDATE", v_uuid(id));
    Rows *rows = DB_QUERY(tx, "SELECT state_type, end_time, state_timestamp, created FROM flow_run WHERE id = $1",
                          v_uuid(id));
    while (db_next(rows)) {
        Str name = row_text(rows, 0);
        fits = run_fits(rule, name.p ? arena_cstr(tx->arena, name) : "", first_time(rows, 1, 3), &type);
        fits = row_is_sound(rows) && fits;
    }
    return fits;
}

/* *ret: as it is now. Of a large tree only the root is looked at: to read all of it again in each step would take
 * longer than the steps. */
static bool tree_still_fits(Tx *tx, const RunTree *tree, const TreeRule *rule, RunTree *ret)
{
    if (tree->is_large) {
        *ret = *tree;
        return run_still_fits(tx, tree->runs[0].id, rule);
    }
    DB_LOCK_ROWS(tx, "SELECT id FROM flow_run WHERE id = ANY (CAST($1 AS uuid[])) ORDER BY id FOR UPDATE",
                 ids_of(tx, tree));
    return run_tree_read(tx, tree->runs[0].id, rule, ret) && ret->fits;
}

/* Of the last runs of a large tree as many as there is time for, up to one that does not fit any more. */
static bool delete_last(Tx *tx, const RunTree *tree, const TreeRule *rule, size_t *left, bool *ret_gone)
{
    while (*left > 0 && tx_has_time(tx)) {
        Str id = tree->runs[*left - 1].id;
        if (!run_still_fits(tx, id, rule)) {
            *left = 0;
            return tx->error->code == ERR_NONE;
        }
        if (flow_run_delete(tx, id) < 0)
            return false;
        if (tx->again) { /* there is more of this run; the caller decides what comes next */
            tx->again = false;
            return tx->error->code == ERR_NONE;
        }
        --*left;
        *ret_gone = *left == 0;
    }
    return tx->error->code == ERR_NONE;
}

bool run_tree_delete(Tx *tx, const RunTree *tree, const TreeRule *rule, size_t *left, bool *ret_done, bool *ret_gone)
{
    RunTree now;
    bool ok = true, fits = tree_still_fits(tx, tree, rule, &now);
    *ret_gone = false;
    if (fits && tree->is_large) {
        ok = delete_last(tx, tree, rule, left, ret_gone);
        *ret_done = *left == 0;
        return ok;
    }
    for (size_t i = fits ? now.count : 0; ok && i > 0; i--)
        ok = flow_run_send_delete(tx, now.runs[i - 1].id);
    *left = 0;
    *ret_done = true;
    *ret_gone = fits;
    return ok && tx->error->code == ERR_NONE;
}

bool run_tree_delete_logs(Tx *tx, const RunTree *tree, const TreeRule *rule, int64_t *logs, bool *ret_done)
{
    RunTree now;
    Query q;
    *ret_done = true;
    if (!tree_still_fits(tx, tree, rule, &now))
        return tx->error->code == ERR_NONE;
    query_init(&q, tx->arena, tx->sql);
    buf_text(&q.sql, "DELETE FROM log WHERE id IN (SELECT id FROM log WHERE ");
    query_operator(&q, SQL_ANY, "flow_run_id", ids_of(tx, &now));
    buf_text(&q.sql, " LIMIT ");
    query_bind(&q, v_int(FEW_LOGS));
    buf_char(&q.sql, ')');
    for (;;) {
        int64_t rows = db_exec(tx, buf_cstr(&q.sql), q.values, q.count);
        if (rows < 0)
            return false;
        *logs += rows;
        if (rows < FEW_LOGS)
            return true;
        if (!tx_has_time(tx)) {
            *ret_done = false;
            return true;
        }
    }
}
