/* model/old_logs.c -- log lines by their age. */
#include "model/old_logs.h"

enum { PAGE = 250 }; /* lines that are looked at together, and that one statement deletes: some 6 ms */

typedef struct Line { Str id, flow_run_id; Time at; bool has_run; } Line;

static size_t read_lines(Tx *tx, const TreeRule *rule, const LogWalk *walk, Line lines[PAGE])
{
    size_t count = 0;
    Rows *rows = DB_QUERY(tx,
                          "SELECT id, flow_run_id, timestamp,"
                          " EXISTS (SELECT 1 FROM flow_run AS run WHERE run.id = log.flow_run_id)"
                          " FROM log WHERE timestamp >= $1 AND timestamp < $2 AND (timestamp > $1 OR id > $3)"
                          " ORDER BY timestamp, id LIMIT $4",
                          v_time(walk->at), v_time(rule->before), v_uuid(str_from(walk->id)), v_int(PAGE));
    while (count < PAGE && db_next(rows)) {
        Line line = { row_text(rows, 0), row_text(rows, 1), row_time(rows, 2), row_bool(rows, 3) };
        if (!row_is_sound(rows))
            line.at = TIME_NULL;
        lines[count++] = line;
    }
    db_done(rows);
    return count;
}

static bool has_tree(const RunTrees *trees, Str root)
{
    for (size_t i = 0; i < trees->count; i++)
        if (str_eq(trees->items[i].runs[0].id, root))
            return true;
    return false;
}

/* False: tx->error. */
static bool add_tree(Tx *tx, const TreeRule *rule, Str flow_run_id, RunTrees *trees)
{
    Str root = run_tree_root(tx, flow_run_id);
    if (!root.p || has_tree(trees, root))
        return tx->error->code == ERR_NONE;
    if (!run_tree_read(tx, root, rule, &trees->items[trees->count]))
        return false;
    trees->count += trees->items[trees->count].fits;
    return true;
}

bool old_logs_next(Tx *tx, const TreeRule *rule, bool without_run, LogWalk *walk, OldLogs *ret)
{
    Line lines[PAGE];
    LogWalk next = *walk;
    Str last = STR_NULL; /* lines of one run often follow one another */
    ret->trees.count = 0;
    ret->without_run = (StrList){ 0 };
    if (next.id[0] == '\0')
        next = (LogWalk){ .at = TIME_FIRST, .id = "00000000-0000-0000-0000-000000000000" };
    size_t count = read_lines(tx, rule, &next, lines), i = 0;
    for (; i < count && ret->trees.count < TREES_AT_ONCE && (i == 0 || tx_has_time(tx)); i++) {
        if (lines[i].at == TIME_NULL) /* it cannot be read; the next page may begin with it */
            continue;
        next.at = lines[i].at;
        snprintf(next.id, sizeof next.id, "%s", lines[i].id.p);
        if (!lines[i].has_run)
            str_list_add(&ret->without_run, tx->arena, lines[i].id);
        else if (!without_run && !str_eq(last, lines[i].flow_run_id)
                 && !add_tree(tx, rule, last = lines[i].flow_run_id, &ret->trees))
            return false;
    }
    bool stands = walk->id[0] != '\0' && strcmp(next.id, walk->id) == 0; /* nothing but such lines */
    next.is_over = i == count && (count < PAGE || stands);
    *walk = next;
    return tx->error->code == ERR_NONE;
}
