/* db/faults.c -- finds the faults of fault_kinds.c, values that cannot be read and references to nothing; mends. */
#include "db/faults.h"

#include "base/unicode.h"
#include "db/check.h"
#include "db/copy_value.h"
#include "db/migrate.h"

/* SQLite's messages have several lines, and rows any text that a client or another program stored. */
static Str one_line(Arena *arena, Str text)
{
    char *copy = arena_cstr(arena, text.p ? text : STR(""));
    utf8_blank_strange(copy, text.n);
    return (Str){ copy, text.n };
}

void fault_add(FaultReport *report, Fault *fault, Str name)
{
    ArenaMark mark = arena_mark(report->arena);
    Str line = one_line(report->arena, name);
    if (report->each)
        report->each(report->arg, fault, line);
    if (fault->count < FAULT_NAMED_MAX)
        fault->named[fault->count] = line;
    else
        arena_release(report->arena, mark);
    fault->count++;
}

void fault_end(FaultReport *report, const Fault *fault)
{
    if (fault->count == 0)
        return;
    report->kinds++;
    report->mendable += fault->is_mendable;
    report->kind(report->arg, fault);
}

/* ---- kinds that are a query ---- */

static Fault fault_of(const FaultKind *kind, Engine engine)
{
    return (Fault){ .where = kind->where, .means = kind->means, .cure = kind->cure,
                    .is_mendable = kind->mend[engine] != NULL };
}

static void find_kind(Tx *tx, const FaultKind *kind, FaultReport *report)
{
    Engine engine = tx->sql->engine;
    Fault fault = fault_of(kind, engine);
    Rows *rows = db_query(tx, kind->find[engine], NULL, 0);
    while (db_next(rows))
        fault_add(report, &fault, row_view(rows, 0));
    fault_end(report, &fault);
}

static void find_kinds(Tx *tx, FaultReport *report)
{
    for (size_t i = 0; i < fault_kind_count && tx->error->code == ERR_NONE; i++)
        if (fault_kinds[i].find[tx->sql->engine])
            find_kind(tx, &fault_kinds[i], report);
}

/* ---- values and references ---- */

typedef struct ValueFaults {
    FaultReport *report;
    Arena *arena; /* the job's */
    Fault json, others;
} ValueFaults;

static void add_value(void *arg, const Table *table, Str id, const char *column, const char *reason)
{
    ValueFaults *found = arg;
    ArenaMark mark = arena_mark(found->arena);
    bool is_json = false;
    for (size_t i = 0; i < table->count; i++)
        is_json = is_json || (table->columns[i].kind == KIND_JSON && strcmp(table->columns[i].name, column) == 0);
    fault_add(found->report, is_json ? &found->json : &found->others,
              arena_printf(found->arena, "%s %.*s: %s %s", table->name, STR_ARG(id), column, reason));
    arena_release(found->arena, mark);
}

#define FIX_VALUES NOT_BY_REPAIR "correct the values, or delete their rows"

static bool find_values(Tx *tx, FaultReport *report)
{
    ValueFaults found = {
        .report = report,
        .arena = tx->arena,
        .json = { .where = "JSON values", .cure = FIX_VALUES,
                  .means = "they cannot be parsed, have another shape than is read, or PostgreSQL cannot store them" },
        .others = { .where = "values", .cure = FIX_VALUES,
                    .means = "they are not of their column's kind, or PostgreSQL cannot store them" },
    };
    Check check = { .found = add_value, .arg = &found, .flags = COPY_STRICT, .shapes = true };
    if (!check_values(tx, &check))
        return false;
    report->rows = check.rows;
    fault_end(report, &found.json);
    fault_end(report, &found.others);
    return true;
}

static void find_orphans(Tx *tx, const Table *table, const TableColumn *column, FaultReport *report)
{
    Fault fault = { .where = table->name, .cure = NOT_BY_REPAIR "restore the missing rows, or delete these",
                    .means = arena_printf(tx->arena, "%s is not a row of %s", column->name, column->refers).p };
    Rows *rows = check_orphans(tx, table, column);
    while (db_next(rows))
        fault_add(report, &fault, row_view(rows, 0));
    fault_end(report, &fault);
}

/* A state_id that is not a row is one of the kinds in fault_kinds.c. */
static void find_all_orphans(Tx *tx, FaultReport *report)
{
    const TableSet *tables = tables_of(GEN_2_7);
    for (size_t i = 0; i < tables->count; i++) {
        const Table *table = &tables->items[i];
        for (size_t j = 0; j < table->count && tx->error->code == ERR_NONE; j++)
            if (table->columns[j].refers && strcmp(table->columns[j].name, "state_id") != 0)
                find_orphans(tx, table, &table->columns[j], report);
    }
}

bool faults_find(Tx *tx, FaultReport *report)
{
    report->kinds = report->mendable = 0;
    if (!migrate_check(tx))
        return false;
    find_kinds(tx, report);
    if (tx->error->code == ERR_NONE)
        find_all_orphans(tx, report);
    return tx->error->code == ERR_NONE && find_values(tx, report);
}

/* ---- PostgreSQL's indexes ---- */

#define DAMAGED_INDEXES "they are damaged, according to PostgreSQL's amcheck"

typedef struct IndexSearch {
    StrList names; /* of valid B-tree indexes of our tables, quoted */
    Arena *arena;
    Str name;      /* to be checked */
    bool may_check;
} IndexSearch;

static bool list_indexes(Tx *tx, void *arg)
{
    IndexSearch *search = arg;
    search->names.count = 0;
    search->may_check = tx->sql->engine == ENGINE_POSTGRESQL &&
        DB_INT(tx, 0, "SELECT 1 FROM pg_catalog.pg_proc WHERE oid = to_regprocedure('bt_index_check(regclass)')"
                      " AND has_function_privilege(oid, 'EXECUTE')") == 1;
    if (!search->may_check)
        return tx->error->code == ERR_NONE;
    Rows *rows = db_query(tx, fault_btree_indexes, NULL, 0);
    while (db_next(rows))
        str_list_add(&search->names, search->arena, arena_str(search->arena, row_view(rows, 0)));
    return tx->error->code == ERR_NONE;
}

static bool check_index(Tx *tx, void *arg)
{
    const IndexSearch *search = arg;
    return DB_EXEC(tx, "SELECT bt_index_check(CAST(CAST($1 AS text) AS regclass))", v_text(search->name)) >= 0;
}

/* Codes of SQLSTATE for damaged data and damaged indexes: any other failure is not a finding. */
static bool is_damage(const Error *error)
{
    return strstr(error->message, "SQLSTATE XX001") || strstr(error->message, "SQLSTATE XX002");
}

bool faults_find_in_indexes(Db *db, Arena *arena, FaultReport *report, Error *error)
{
    Fault fault = { .where = "the indexes", .means = DAMAGED_INDEXES,
                    .cure = "--repair builds them again from their tables (REINDEX)", .is_mendable = true };
    IndexSearch search = { .arena = report->arena };
    if (!db_run(db, false, arena, list_indexes, &search, error))
        return false;
    report->has_amcheck = search.may_check;
    for (size_t i = 0; i < search.names.count; i++) {
        Error found = { .code = ERR_NONE };
        search.name = search.names.items[i];
        if (db_run(db, false, arena, check_index, &search, &found))
            continue;
        if (!is_damage(&found)) {
            *error = found;
            return false;
        }
        fault_add(report, &fault, search.name);
        str_list_add(&report->bad_indexes, report->arena, search.name);
    }
    fault_end(report, &fault);
    return true;
}

/* ---- mending ---- */

static int64_t count_of(Tx *tx, const FaultKind *kind)
{
    int64_t count = 0;
    Rows *rows = db_query(tx, kind->find[tx->sql->engine], NULL, 0);
    while (db_next(rows))
        count++;
    return count;
}

/* A statement that rows contradict is undone by itself (SQLite; PostgreSQL's catch it), and the faults are still
 * there. */
static bool mend_kind(Tx *tx, const FaultKind *kind, FaultMending *mending)
{
    Engine engine = tx->sql->engine;
    Fault fault = fault_of(kind, engine);
    fault.count = count_of(tx, kind);
    if (fault.count == 0)
        return tx->error->code == ERR_NONE;
    db_exec(tx, kind->mend[engine], NULL, 0);
    if (engine == ENGINE_SQLITE && tx->error->code == ERR_INTEGRITY)
        *tx->error = (Error){ .code = ERR_NONE };
    int64_t left = count_of(tx, kind);
    if (tx->error->code != ERR_NONE)
        return false;
    fault.left = left;
    mending->left += left;
    mending->kinds[mending->count++] = fault;
    return true;
}

static bool mend_indexes(Tx *tx, FaultMending *mending)
{
    Fault fault = { .where = "the indexes", .means = DAMAGED_INDEXES };
    for (size_t i = 0; i < mending->bad_indexes->count; i++, fault.count++)
        if (db_exec(tx, arena_printf(tx->arena, "REINDEX INDEX %.*s", STR_ARG(mending->bad_indexes->items[i])).p, NULL,
                    0) < 0)
            return false;
    if (fault.count > 0)
        mending->kinds[mending->count++] = fault;
    return true;
}

/* The statements read what they change, so nobody else may write meanwhile; a server's requests wait. */
bool faults_mend(Tx *tx, FaultMending *mending)
{
    mending->left = 0;
    mending->count = 0;
    mending->kinds = arena_alloc(mending->arena, (fault_kind_count + 1) * sizeof *mending->kinds);
    if (!migrate_check(tx))
        return false;
    DB_LOCK_ROWS(tx, "LOCK TABLE concurrency_limit, flow_run, flow_run_state, task_run, task_run_state"
                     " IN EXCLUSIVE MODE");
    if (!mend_indexes(tx, mending))
        return false;
    for (size_t i = 0; i < fault_kind_count; i++)
        if (fault_kinds[i].mend[tx->sql->engine] && !mend_kind(tx, &fault_kinds[i], mending))
            return false;
    return tx->error->code == ERR_NONE;
}
