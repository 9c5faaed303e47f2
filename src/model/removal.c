/* model/removal.c -- deleting what may have many runs, in steps. What the foreign keys would do to any number of rows
 * in one statement (delete them, or empty a column) is done here row by row while there is time. The last step deletes
 * the row itself: the keys then find nothing, or what has come since. */
#include "model/removal.h"

#include "entity/filter.h"
#include "model/run.h"

#define PAGE "32"             /* rows that are looked at together */
#define LOGS_AT_ONCE 200      /* deleted by one statement: some 5 ms */
#define LOGS_LIMIT "200"
/* A flow run with more than that below it does not go in one piece. */
#define IS_LARGE \
    "EXISTS (SELECT 1 FROM task_run WHERE task_run.flow_run_id = flow_run.id LIMIT 1 OFFSET 50)" \
    " OR EXISTS (SELECT 1 FROM log WHERE log.flow_run_id = flow_run.id LIMIT 1 OFFSET 500)"

typedef struct Doomed {
    Str id;
    bool is_scheduled, is_large;
} Doomed;

/* False: the rest is for the next step. */
static bool stop_here(Tx *tx)
{
    tx->again = true;
    return false;
}

static bool is_sound(const Tx *tx)
{
    return tx->error->code == ERR_NONE;
}

static StrList read_ids(Tx *tx, const char *select, Str of)
{
    StrList ids = { 0 };
    Rows *rows = db_query(tx, select, DB_VALUES(v_uuid(of)));
    while (db_next(rows))
        str_list_add(&ids, tx->arena, row_text(rows, 0));
    return ids;
}

/* What a delete that is not done returns. */
static int64_t unfinished(const Tx *tx)
{
    return tx->again ? 0 : -1;
}

/* ---- runs ---- */

/* Of many log lines some at a time. */
static bool delete_logs(Tx *tx, const char *some, Str of)
{
    for (;;) {
        int64_t rows = db_exec(tx, some, DB_VALUES(v_uuid(of)));
        if (rows < LOGS_AT_ONCE)
            return rows >= 0;
        if (!tx_has_time(tx))
            return stop_here(tx);
    }
}

/* With its subflows: they lose their parent. */
static void lock_task_run(Tx *tx, Str id)
{
    DB_LOCK_ROWS(tx, "SELECT id FROM flow_run WHERE parent_task_run_id = $1 ORDER BY id FOR UPDATE", v_uuid(id));
    DB_LOCK_ROWS(tx, "SELECT id FROM task_run WHERE id = $1 FOR UPDATE", v_uuid(id));
}

int64_t task_run_delete(Tx *tx, Str id)
{
    lock_task_run(tx, id);
    if (!delete_logs(tx, "DELETE FROM log WHERE id IN (SELECT id FROM log WHERE task_run_id = $1 LIMIT " LOGS_LIMIT ")",
                     id))
        return unfinished(tx);
    DB_SEND(tx, "DELETE FROM artifact WHERE task_run_id = $1", v_uuid(id));
    return DB_EXEC(tx, "DELETE FROM task_run WHERE id = $1", v_uuid(id));
}

static bool send_task_run_delete(Tx *tx, Str id)
{
    lock_task_run(tx, id);
    DB_SEND(tx, "DELETE FROM log WHERE task_run_id = $1", v_uuid(id));
    DB_SEND(tx, "DELETE FROM artifact WHERE task_run_id = $1", v_uuid(id));
    return DB_SEND(tx, "DELETE FROM task_run WHERE id = $1", v_uuid(id));
}

/* Takes the logs from a flow run that is too large for one step, those of its task runs too, then the task runs. */
static bool empty_flow_run(Tx *tx, Str id)
{
    if (!delete_logs(tx,
                     "DELETE FROM log WHERE id IN (SELECT id FROM log WHERE flow_run_id = $1 LIMIT " LOGS_LIMIT ")",
                     id))
        return false;
    for (;;) { /* `name`: see for_runs_by_index */
        StrList ids = read_ids(tx, "SELECT id, name FROM task_run WHERE flow_run_id = $1 LIMIT " PAGE, id);
        if (ids.count == 0)
            return is_sound(tx);
        for (size_t i = 0; i < ids.count; i++) {
            if (!send_task_run_delete(tx, ids.items[i]))
                return false;
            if (!tx_has_time(tx))
                return stop_here(tx);
        }
    }
}

/* Its subflows are locked as well: they lose their parent. */
static void delete_belongings(Tx *tx, Str id)
{
    DB_LOCK_ROWS(tx,
                 "SELECT id FROM flow_run WHERE parent_task_run_id IN (SELECT id FROM task_run WHERE flow_run_id = $1)"
                 " ORDER BY id FOR UPDATE OF flow_run",
                 v_uuid(id));
    DB_LOCK_ROWS(tx, "SELECT id FROM task_run WHERE flow_run_id = $1 ORDER BY id FOR UPDATE", v_uuid(id));
    /* Not with OR: PostgreSQL would read the whole table. */
    DB_SEND(tx, "DELETE FROM log WHERE flow_run_id = $1", v_uuid(id));
    DB_SEND(tx, "DELETE FROM log WHERE task_run_id IN (SELECT id FROM task_run WHERE flow_run_id = $1)", v_uuid(id));
    DB_SEND(tx, "DELETE FROM artifact WHERE flow_run_id = $1", v_uuid(id));
    DB_SEND(tx, "DELETE FROM artifact WHERE task_run_id IN (SELECT id FROM task_run WHERE flow_run_id = $1)",
            v_uuid(id));
}

int64_t flow_run_delete_at_once(Tx *tx, Str id)
{
    DB_LOCK_ROWS(tx, "SELECT id FROM flow_run WHERE id = $1 FOR UPDATE", v_uuid(id));
    delete_belongings(tx, id);
    return DB_EXEC(tx, "DELETE FROM flow_run WHERE id = $1", v_uuid(id));
}

bool flow_run_send_delete(Tx *tx, Str id)
{
    DB_LOCK_ROWS(tx, "SELECT id FROM flow_run WHERE id = $1 FOR UPDATE", v_uuid(id));
    delete_belongings(tx, id);
    return DB_SEND(tx, "DELETE FROM flow_run WHERE id = $1", v_uuid(id));
}

static bool delete_run(Tx *tx, const Doomed *run)
{
    return (!run->is_large || empty_flow_run(tx, run->id)) && flow_run_send_delete(tx, run->id);
}

int64_t flow_run_delete(Tx *tx, Str id)
{
    bool is_large = DB_INT(tx, 0, "SELECT count(*) FROM flow_run WHERE id = $1 AND (" IS_LARGE ")", v_uuid(id)) > 0;
    if (is_large && !empty_flow_run(tx, id))
        return unfinished(tx);
    return flow_run_delete_at_once(tx, id);
}

int64_t rows_delete(Tx *tx, const char *table, const StrList *ids)
{
    Query q;
    query_init(&q, tx->arena, tx->sql);
    buf_printf(&q.sql, "DELETE FROM %s WHERE ", table);
    query_operator(&q, SQL_ANY, "id", v_list(str_list_json(tx->arena, ids->items, ids->count)));
    return db_exec(tx, buf_cstr(&q.sql), q.values, q.count);
}

/* ---- runs of something ---- */

/* Locked, so that what is read of them stays. */
static Doomed *read_runs(Tx *tx, const StrList *ids, size_t *ret_count)
{
    Value list = v_list(str_list_json(tx->arena, ids->items, ids->count));
    Doomed *runs = arena_alloc(tx->arena, ids->count * sizeof *runs);
    Query q;
    DB_LOCK_ROWS(tx, "SELECT id FROM flow_run WHERE id = ANY (CAST($1 AS uuid[])) ORDER BY id FOR UPDATE", list);
    query_init(&q, tx->arena, tx->sql);
    buf_text(&q.sql, "SELECT id, state_type IS NOT NULL AND state_type = 'SCHEDULED', " IS_LARGE
                     " FROM flow_run WHERE ");
    query_operator(&q, SQL_ANY, "flow_run.id", list);
    Rows *rows = query_run(tx, &q);
    for (*ret_count = 0; *ret_count < ids->count && db_next(rows); ++*ret_count)
        runs[*ret_count] = (Doomed){ row_text(rows, 0), row_bool(rows, 1), row_bool(rows, 2) };
    db_done(rows);
    return runs;
}

/* What becomes of each flow run that `select` finds, one page after the other, until it finds none. False: tx->again,
 * or tx->error. */
static bool for_runs(Tx *tx, const char *select, Str of, bool (*change)(Tx *tx, const Doomed *run))
{
    for (;;) {
        size_t count;
        StrList ids = read_ids(tx, select, of);
        if (ids.count == 0)
            return is_sound(tx);
        const Doomed *runs = read_runs(tx, &ids, &count);
        for (size_t i = 0; i < count; i++) {
            if (!change(tx, &runs[i]))
                return false;
            if (!tx_has_time(tx))
                return stop_here(tx);
        }
        if (!is_sound(tx))
            return false;
    }
}

/* The same by a column with an index. `select` has a column that is in no index, too: an index-only scan of PostgreSQL
 * looks again at each row that was deleted, other scans once. */
static bool for_runs_by_index(Tx *tx, const char *select, Str of, bool (*change)(Tx *tx, const Doomed *run))
{
    bool ok = !tx->sql->by_index || db_send(tx, tx->sql->by_index, NULL, 0);
    return ok && for_runs(tx, select, of, change);
}

/* The same for rows of deployments, in their order. */
static bool for_deployments(Tx *tx, const char *select, Str of, const char *change)
{
    for (;;) {
        StrList ids = read_ids(tx, select, of);
        if (ids.count == 0)
            return is_sound(tx);
        for (size_t i = 0; i < ids.count; i++) {
            if (!db_send(tx, change, DB_VALUES(v_uuid(ids.items[i]))))
                return false;
            if (!tx_has_time(tx))
                return stop_here(tx);
        }
    }
}

static bool take_deployment(Tx *tx, const Doomed *run)
{
    return DB_SEND(tx, "UPDATE flow_run SET deployment_id = NULL WHERE id = $1", v_uuid(run->id));
}

static bool take_queue(Tx *tx, const Doomed *run)
{
    return DB_SEND(tx, "UPDATE flow_run SET work_queue_id = NULL WHERE id = $1", v_uuid(run->id));
}

static bool delete_or_take_deployment(Tx *tx, const Doomed *run)
{
    return run->is_scheduled ? delete_run(tx, run) : take_deployment(tx, run);
}

int64_t flow_delete(Tx *tx, Str id)
{
    DB_LOCK_ROWS(tx, "SELECT id FROM deployment WHERE flow_id = $1 ORDER BY id FOR UPDATE", v_uuid(id));
    DB_LOCK_ROWS(tx, "SELECT id FROM flow WHERE id = $1 FOR UPDATE", v_uuid(id));
    if (!for_runs_by_index(tx, "SELECT id, name FROM flow_run WHERE flow_id = $1 LIMIT " PAGE, id, delete_run)
        || !for_runs_by_index(tx,
                              "SELECT id, name FROM flow_run WHERE deployment_id IN"
                              " (SELECT id FROM deployment WHERE flow_id = $1) LIMIT " PAGE, id, take_deployment))
        return unfinished(tx);
    return DB_EXEC(tx, "DELETE FROM flow WHERE id = $1", v_uuid(id));
}

int64_t deployment_delete(Tx *tx, Str id)
{
    /* while it is locked, nobody can create runs of it */
    DB_LOCK_ROWS(tx, "SELECT id FROM deployment WHERE id = $1 FOR UPDATE", v_uuid(id));
    if (!for_runs_by_index(tx, "SELECT id, name FROM flow_run WHERE deployment_id = $1 LIMIT " PAGE, id,
                           delete_or_take_deployment))
        return unfinished(tx);
    return DB_EXEC(tx, "DELETE FROM deployment WHERE id = $1", v_uuid(id));
}

/* ---- queues and pools ---- */

#define WITHOUT_QUEUE "UPDATE deployment SET work_queue_id = NULL WHERE id = $1"
#define QUEUES_OF_POOL "(SELECT id FROM work_queue WHERE work_pool_id = $1)"

/* Whoever creates a run of a deployment locks the deployment first (deployment_read_shared): locking it here keeps runs
 * from being given a queue that is being deleted. In the reference agents keep a queue from ever being deleted. */
int64_t work_queue_delete(Tx *tx, Str id)
{
    bool is_default = DB_INT(tx, 0, "SELECT count(*) FROM work_pool WHERE default_queue_id = $1", v_uuid(id)) > 0;
    if (!is_default
        && (!for_deployments(tx, "SELECT id FROM deployment WHERE work_queue_id = $1 ORDER BY id LIMIT " PAGE, id,
                             WITHOUT_QUEUE)
            || !for_runs_by_index(tx, "SELECT id, name FROM flow_run WHERE work_queue_id = $1 LIMIT " PAGE, id,
                                  take_queue)))
        return unfinished(tx);
    DB_LOCK_ROWS(tx, "SELECT id FROM deployment WHERE work_queue_id = $1 ORDER BY id FOR UPDATE", v_uuid(id));
    DB_LOCK_ROWS(tx, "SELECT id FROM work_queue WHERE id = $1 FOR UPDATE", v_uuid(id));
    DB_SEND(tx, "DELETE FROM agent WHERE work_queue_id = $1", v_uuid(id));
    return DB_EXEC(tx, "DELETE FROM work_queue WHERE id = $1", v_uuid(id));
}

int64_t work_pool_delete(Tx *tx, Str id)
{
    if (!for_deployments(tx,
                         "SELECT id FROM deployment WHERE work_queue_id IN " QUEUES_OF_POOL " ORDER BY id LIMIT " PAGE,
                         id, WITHOUT_QUEUE)
        || !for_runs_by_index(tx, "SELECT id, name FROM flow_run WHERE work_queue_id IN " QUEUES_OF_POOL
                              " LIMIT " PAGE, id, take_queue))
        return unfinished(tx);
    DB_LOCK_ROWS(tx, "SELECT id FROM deployment WHERE work_queue_id IN " QUEUES_OF_POOL
                     " ORDER BY id FOR UPDATE OF deployment", v_uuid(id));
    DB_LOCK_ROWS(tx, "SELECT id FROM work_pool WHERE id = $1 FOR UPDATE", v_uuid(id));
    DB_LOCK_ROWS(tx, "SELECT id FROM work_queue WHERE work_pool_id = $1 ORDER BY id FOR UPDATE", v_uuid(id));
    DB_SEND(tx, "DELETE FROM agent WHERE work_queue_id IN " QUEUES_OF_POOL, v_uuid(id));
    return DB_EXEC(tx, "DELETE FROM work_pool WHERE id = $1", v_uuid(id));
}

/* ---- blocks ---- */

typedef struct BlockKind { /* which rows go with a document, or with all of a schema or type */
    const char *lock_documents;
    const char *runs, *runs_of_deployments, *deployments; /* a page of those whose infrastructure or storage they are */
    const char *delete;
} BlockKind;

#define DEPLOYMENTS_WITH(documents) \
    "SELECT id FROM deployment WHERE infrastructure_document_id IN (" documents ") OR storage_document_id IN (" \
    documents ")"
#define BLOCK_KIND(table, documents) \
    { \
        .lock_documents = documents " ORDER BY id FOR UPDATE", \
        .runs = "SELECT id FROM flow_run WHERE infrastructure_document_id IN (" documents ") LIMIT " PAGE, \
        .runs_of_deployments = \
            "SELECT id FROM flow_run WHERE deployment_id IN (" DEPLOYMENTS_WITH(documents) ") LIMIT " PAGE, \
        .deployments = DEPLOYMENTS_WITH(documents) " ORDER BY id LIMIT " PAGE, \
        .delete = "DELETE FROM " table " WHERE id = $1", \
    }

static const BlockKind document_kind = BLOCK_KIND("block_document", "SELECT id FROM block_document WHERE id = $1");
static const BlockKind schema_kind =
    BLOCK_KIND("block_schema", "SELECT id FROM block_document WHERE block_schema_id = $1");
static const BlockKind type_kind =
    BLOCK_KIND("block_type", "SELECT id FROM block_document WHERE block_type_id = $1"
                             " OR block_schema_id IN (SELECT id FROM block_schema WHERE block_type_id = $1)");

static int64_t delete_blocks(Tx *tx, const BlockKind *kind, Str id)
{
    db_lock_rows(tx, kind->lock_documents, DB_VALUES(v_uuid(id)));
    if (!for_runs(tx, kind->runs, id, delete_run)
        || !for_runs(tx, kind->runs_of_deployments, id, take_deployment)
        || !for_deployments(tx, kind->deployments, id, "DELETE FROM deployment WHERE id = $1"))
        return unfinished(tx);
    return db_exec(tx, kind->delete, DB_VALUES(v_uuid(id)));
}

int64_t block_document_delete(Tx *tx, Str id)
{
    return delete_blocks(tx, &document_kind, id);
}

int64_t block_schema_delete(Tx *tx, Str id)
{
    return delete_blocks(tx, &schema_kind, id);
}

int64_t block_type_delete(Tx *tx, Str id)
{
    return delete_blocks(tx, &type_kind, id);
}
