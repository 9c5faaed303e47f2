/* db/indexes.c -- the table of our own indexes on each engine, and their making and dropping. */
#include "db/indexes.h"

#include "db/driver.h"
#include "db/migrate.h"

enum { BUILD_LIMIT_HOURS = 24 };

/* Each ends in a constant: SQLAlchemy's reflection passes over indexes that hold an expression, so that the
 * reference's migrations, which copy tables, neither carry them along nor fail on them. */
static const OwnIndex of_sqlite[] = {
    { "orion_flow_run_start_time", "flow_run",
      "(COALESCE(start_time, expected_start_time), expected_start_time, state_type, state_name, tags, name, (1))",
      "lists of flow runs by START_TIME" },
    { "orion_flow_run_history", "flow_run",
      "(expected_start_time, state_type, state_name, total_run_time, start_time, state_timestamp, tags, name, id, (1))",
      "histories, lists and counts of flow runs by EXPECTED_START_TIME" },
    { "orion_flow_run_flow", "flow_run",
      "(flow_id, expected_start_time, state_type, state_name, total_run_time, start_time, state_timestamp, (1))",
      "flow runs of a flow, and their history" },
    { "orion_flow_run_deployment", "flow_run",
      "(deployment_id, expected_start_time, start_time, (1)) WHERE deployment_id IS NOT NULL",
      "flow runs of a deployment" },
    { "orion_flow_run_work_queue", "flow_run",
      "(work_queue_name, expected_start_time, start_time, (1)) WHERE work_queue_name IS NOT NULL",
      "flow runs of a work queue" },
    { "orion_flow_run_waiting_by_name", "flow_run",
      "(work_queue_name, next_scheduled_start_time, state_name, (1)) WHERE state_type = 'SCHEDULED'",
      "scheduled runs of a queue, for agents, and those that are late" },
    { "orion_flow_run_waiting_by_queue", "flow_run",
      "(work_queue_id, next_scheduled_start_time, (1)) WHERE state_type = 'SCHEDULED'",
      "scheduled runs of a pool's queue, for workers" },
    { "orion_flow_run_cancelling_by_name", "flow_run", "(state_name, (1)) WHERE state_name = 'Cancelling'",
      "runs to be cancelled, for agents" },
    { "orion_flow_run_cancelling_by_type", "flow_run", "(state_type, (1)) WHERE state_type = 'CANCELLING'",
      "runs to be cancelled, for agents" },
    { "orion_flow_run_unfinished_subflows", "flow_run",
      "(parent_task_run_id, (1)) WHERE parent_task_run_id IS NOT NULL"
      " AND state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING')",
      "subflows whose parents were cancelled, for the service" },
    { "orion_task_run_history", "task_run",
      "(expected_start_time, state_type, state_name, total_run_time, start_time, state_timestamp, (1))",
      "histories of task runs" },
    { "orion_task_run_states", "task_run", "(flow_run_id, state_type, (1))",
      "counts of a flow run's task runs by state" },
};

static const OwnIndex of_postgres[] = {
    { "orion_flow_run_start_time", "flow_run", "((COALESCE(start_time, expected_start_time)))",
      "lists of flow runs by START_TIME" },
    { "orion_flow_run_history", "flow_run",
      "(expected_start_time)"
      " INCLUDE (state_type, state_name, total_run_time, start_time, state_timestamp, id, flow_id)",
      "histories and counts of flow runs, of a flow too, and of their task runs" },
    { "orion_flow_run_tags", "flow_run", "USING gin (tags)", "flow runs by tags" },
    { "orion_flow_run_waiting_by_name", "flow_run",
      "(work_queue_name, next_scheduled_start_time) WHERE state_type = 'SCHEDULED'",
      "scheduled runs of a queue, for agents" },
    { "orion_flow_run_waiting_by_queue", "flow_run",
      "(work_queue_id, next_scheduled_start_time) WHERE state_type = 'SCHEDULED'",
      "scheduled runs of a pool's queue, for workers" },
    { "orion_flow_run_cancelling_by_name", "flow_run", "(state_name) WHERE state_name = 'Cancelling'",
      "runs to be cancelled, for agents" },
    { "orion_flow_run_cancelling_by_type", "flow_run", "(state_type) WHERE state_type = 'CANCELLING'",
      "runs to be cancelled, for agents" },
    { "orion_task_run_history", "task_run",
      "(expected_start_time) INCLUDE (state_type, state_name, total_run_time, start_time, state_timestamp)",
      "histories of task runs" },
    { "orion_task_run_states", "task_run", "(flow_run_id, state_type)",
      "counts of a flow run's task runs by state" },
};

typedef struct IndexEngine {
    const OwnIndex *indexes;
    size_t count;
    const char *has_tables;    /* query: 1 if the tables are there; a damaged database may lack one */
    /* Queries: name, whether it can be used, bytes; of all indexes whose names begin like ours, but for those of
     * tables whose names do, too. */
    const char *list, *list_with_sizes;
    const char *is_at_work;    /* query: 1 if somebody may be building an index of the table $1; NULL: nobody can be */
    const char *concurrently;  /* what CREATE INDEX and DROP INDEX say so that others go on */
} IndexEngine;

#define OF_SQLITE \
    "FROM sqlite_master AS i WHERE i.type = 'index' AND i.name GLOB 'orion_*' AND i.tbl_name NOT GLOB 'orion_*'" \
    " ORDER BY i.name"
#define OF_POSTGRES(bytes) \
    "SELECT c.relname::text, x.indisvalid, " bytes " FROM pg_catalog.pg_index AS x" \
    " JOIN pg_catalog.pg_class AS c ON c.oid = x.indexrelid" \
    " JOIN pg_catalog.pg_class AS t ON t.oid = x.indrelid" \
    " WHERE t.relnamespace = (SELECT relnamespace FROM pg_catalog.pg_class WHERE oid = to_regclass('flow_run'))" \
    " AND c.relname LIKE 'orion\\_%' AND t.relname NOT LIKE 'orion\\_%' ORDER BY c.relname"

static const IndexEngine engines[ENGINES] = {
    [ENGINE_SQLITE] = { of_sqlite, COUNT_OF(of_sqlite),
      "SELECT COUNT(*) = 2 FROM sqlite_master WHERE type = 'table' AND name IN ('flow_run', 'task_run')",
      "SELECT i.name, 1, 0 " OF_SQLITE,
      "SELECT i.name, 1, (SELECT pgsize FROM dbstat WHERE dbstat.name = i.name AND dbstat.aggregate = 1) " OF_SQLITE,
      NULL, "" },
    [ENGINE_POSTGRESQL] = { of_postgres, COUNT_OF(of_postgres),
      "SELECT COUNT(*) WHERE to_regclass('flow_run') IS NOT NULL AND to_regclass('task_run') IS NOT NULL",
      OF_POSTGRES("CAST(0 AS bigint)"), OF_POSTGRES("pg_relation_size(c.oid)"),
      /* CREATE INDEX CONCURRENTLY holds this lock from its beginning to its end; so does VACUUM */
      "SELECT COUNT(*) FROM pg_catalog.pg_locks WHERE relation = to_regclass($1) AND granted"
      " AND mode = 'ShareUpdateExclusiveLock'",
      "CONCURRENTLY " },
};

static const char *concurrently_of(const IndexWork *work)
{
    return engines[db_dialect(work->db)->engine].concurrently;
}

const OwnIndex *indexes_of(const Dialect *dialect, size_t *ret_count)
{
    const IndexEngine *engine = &engines[dialect->engine];
    *ret_count = engine->count;
    return engine->indexes;
}

/* ---- which there are ---- */

static void list_add(Tx *tx, IndexList *list, OwnIndex index, IndexState state)
{
    list->items = arena_grow(tx->arena, list->items, list->count, &list->capacity, sizeof *list->items);
    list->items[list->count++] = (IndexStatus){ .index = index, .state = state };
}

static IndexStatus *list_find(const IndexList *list, Str name)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_is(name, list->items[i].index.name))
            return &list->items[i];
    return NULL;
}

bool indexes_find(Tx *tx, bool with_sizes, IndexList *ret)
{
    const IndexEngine *engine = &engines[tx->sql->engine];
    *ret = (IndexList){ 0 };
    for (size_t i = 0; i < engine->count; i++)
        list_add(tx, ret, engine->indexes[i], INDEX_MISSING);
    Rows *rows = db_query(tx, with_sizes ? engine->list_with_sizes : engine->list, NULL, 0);
    while (db_next(rows)) {
        Str name = row_text(rows, 0);
        if (!list_find(ret, name))
            list_add(tx, ret, (OwnIndex){ .name = arena_cstr(tx->arena, name) }, INDEX_UNKNOWN);
        IndexStatus *found = list_find(ret, name);
        if (found->state == INDEX_MISSING)
            found->state = row_bool(rows, 1) ? INDEX_READY : INDEX_INVALID;
        found->bytes = row_int(rows, 2);
    }
    return tx->error->code == ERR_NONE;
}

/* ---- making and dropping ---- */

static const char *sql_create(Arena *arena, const OwnIndex *index, const char *concurrently)
{
    return arena_printf(arena, "CREATE INDEX %sIF NOT EXISTS %s ON %s %s", concurrently, index->name, index->table,
                        index->on).p;
}

static const char *sql_drop(Arena *arena, const OwnIndex *index, const char *concurrently)
{
    return arena_printf(arena, "DROP INDEX %sIF EXISTS %s", concurrently, index->name).p;
}

bool indexes_make_at_once(Tx *tx)
{
    const IndexEngine *engine = &engines[tx->sql->engine];
    if (db_int(tx, 0, engine->has_tables, NULL, 0) == 0
        || DB_INT(tx, 0, "SELECT CASE WHEN EXISTS (SELECT 1 FROM flow_run) OR EXISTS (SELECT 1 FROM task_run)"
                         " THEN 1 ELSE 0 END") != 0)
        return tx->error->code == ERR_NONE;
    Buf script;
    buf_init(&script, tx->arena, 2048);
    for (size_t i = 0; i < engine->count; i++)
        buf_printf(&script, "%s;", sql_create(tx->arena, &engine->indexes[i], ""));
    return tx->error->code == ERR_NONE && db_script(tx, buf_cstr(&script));
}

static bool step_build(Tx *tx, void *arg)
{
    const char *const *sql = arg;
    return db_build(tx, *sql);
}

static bool run_build(const IndexWork *work, const char *sql, Error *error)
{
    return db_run_within(work->db, (int64_t)BUILD_LIMIT_HOURS * 3600 * SECOND, true, work->arena, step_build, &sql,
                         error);
}

typedef struct Survey {
    IndexList list;
    bool *at_work;             /* for each: somebody may be building it */
} Survey;

static bool step_survey(Tx *tx, void *arg)
{
    Survey *survey = arg;
    const IndexEngine *engine = &engines[tx->sql->engine];
    if (!migrate_check(tx) || db_int(tx, 0, engine->has_tables, NULL, 0) == 0)
        return tx->error->code == ERR_NONE;
    if (!indexes_find(tx, false, &survey->list))
        return false;
    survey->at_work = arena_zalloc(tx->arena, survey->list.count * sizeof *survey->at_work);
    for (size_t i = 0; i < survey->list.count; i++) {
        const IndexStatus *status = &survey->list.items[i];
        const Value table = v_text(str_from(status->index.table));
        if (status->state == INDEX_INVALID && engine->is_at_work)
            survey->at_work[i] = db_int(tx, 0, engine->is_at_work, &table, 1) > 0;
    }
    return tx->error->code == ERR_NONE;
}

static bool is_stopping(const IndexWork *work)
{
    return work->stopping && *work->stopping;
}

static bool make_one(IndexWork *work, const IndexStatus *status, size_t number, size_t of, Error *error)
{
    const char *concurrently = concurrently_of(work);
    int64_t began = clock_monotonic();
    if (work->begins)
        work->begins(work->arg, &status->index, number, of);
    if (status->state == INDEX_INVALID
        && !run_build(work, sql_drop(work->arena, &status->index, concurrently), error))
        return false;
    if (!run_build(work, sql_create(work->arena, &status->index, concurrently), error))
        return false;
    work->done++;
    if (work->ended)
        work->ended(work->arg, &status->index, clock_monotonic() - began);
    return true;
}

static bool is_wanted(const Survey *survey, size_t i)
{
    IndexState state = survey->list.items[i].state;
    return state == INDEX_MISSING || (state == INDEX_INVALID && !survey->at_work[i]);
}

bool indexes_make(IndexWork *work, Error *error)
{
    Survey survey = { 0 };
    size_t wanted = 0, number = 0;
    if (!db_run(work->db, false, work->arena, step_survey, &survey, error))
        return false;
    for (size_t i = 0; i < survey.list.count; i++) {
        wanted += is_wanted(&survey, i);
        work->is_left = work->is_left || survey.at_work[i];
    }
    for (size_t i = 0; i < survey.list.count && !is_stopping(work); i++) {
        const IndexStatus *status = &survey.list.items[i];
        if (is_wanted(&survey, i) && !make_one(work, status, ++number, wanted, error))
            return false;
    }
    return true;
}

bool indexes_drop(IndexWork *work, bool only_unknown, Error *error)
{
    Survey survey = { 0 };
    if (!db_run(work->db, false, work->arena, step_survey, &survey, error))
        return false;
    for (size_t i = 0; i < survey.list.count; i++) {
        const IndexStatus *status = &survey.list.items[i];
        if (status->state == INDEX_MISSING || (only_unknown && status->state != INDEX_UNKNOWN))
            continue;
        if (!run_build(work, sql_drop(work->arena, &status->index, concurrently_of(work)),
                       error))
            return false;
        work->done++;
        if (work->ended)
            work->ended(work->arg, &status->index, 0);
    }
    return true;
}
