/* db/migrate.c -- which of the reference's revisions a database is at, and how an empty one gets to the last of
 * them. The schema itself is plain SQL in migrations/, built into the executable. */
#include "db/migrate.h"

#include "db/chain_run.h"
#include "db/driver.h"
#include "db/tables.h"

/* migrations/ENGINE/0001_schema.sql, by tools/embed.py */
extern const char migration_sqlite_0001[];
extern const char migration_postgres_0001[];

/* What keeps tables from being made, in the order in which it is reported: a query that finds it, with the command
 * that helps, and the message that what it finds completes. */
static const struct { const char *sql, *message; } hindrances_postgres[] = {
    { "SELECT 'It is a standby. Name the primary in PREFECT_ORION_DATABASE_CONNECTION_URL.' WHERE pg_is_in_recovery()",
      "The database accepts no writes. " },
    { "SELECT format('To change it permanently: ALTER ROLE %I IN DATABASE %I SET default_transaction_read_only = off', "
      "current_user, current_database()) WHERE current_setting('transaction_read_only') = 'on'",
      "The database accepts no writes: default_transaction_read_only is on. " },
    { "SELECT format('%L). Run: ALTER ROLE %I IN DATABASE %I SET search_path = public; or create the schema that it "
      "names', current_setting('search_path'), current_user, current_database()) WHERE current_schema() IS NULL",
      "There is no schema for the tables: no schema in search_path exists and may be used (" },
    { "SELECT format('%I may not create tables in the schema %I. Have its owner or a superuser run in this database: "
      "GRANT CREATE ON SCHEMA %I TO %I', current_user, current_schema(), current_schema(), current_user) "
      "WHERE NOT has_schema_privilege(current_schema(), 'CREATE')",
      "The role " },
    { "SELECT format('%I, which search_path does not name or the role may not use. Have its owner or a superuser run "
      "in this database: ALTER EXTENSION pg_trgm SET SCHEMA %I; or GRANT USAGE ON SCHEMA %I TO %I, and add it to "
      "search_path', n.nspname, current_schema(), n.nspname, current_user) FROM pg_catalog.pg_extension e "
      "JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace "
      "WHERE e.extname = 'pg_trgm' AND n.nspname <> ALL (current_schemas(true))",
      "PostgreSQL's extension pg_trgm is in the schema " },
};

/* PostgreSQL itself would complain late, and of something else. */
static bool may_create_postgres(Tx *tx)
{
    Rows *found[COUNT_OF(hindrances_postgres)];
    for (size_t i = 0; i < COUNT_OF(found); i++)
        found[i] = db_query(tx, hindrances_postgres[i].sql, NULL, 0);
    for (size_t i = 0; i < COUNT_OF(found); i++) {
        Str text = db_next(found[i]) ? row_text(found[i], 0) : STR_NULL;
        db_done(found[i]);
        if (text.p)
            return fail(tx->error, ERR_INTERNAL, "%s%.*s", hindrances_postgres[i].message, STR_ARG(text));
    }
    return tx->error->code == ERR_NONE;
}

/* Trigram indexes need an extension. Whoever may create tables may create it too, provided that it is installed on
 * the machine. */
static bool prepare_postgres(Tx *tx)
{
    if (!may_create_postgres(tx))
        return false;
    if (DB_INT(tx, 0, "SELECT COUNT(*) FROM pg_catalog.pg_extension WHERE extname = 'pg_trgm'") > 0)
        return true;
    if (tx->error->code != ERR_NONE || db_script(tx, "CREATE EXTENSION pg_trgm"))
        return tx->error->code == ERR_NONE;
    Error cause = *tx->error;
    tx->error->code = ERR_NONE;
    return fail(tx->error, ERR_INTERNAL,
                "PostgreSQL's extension pg_trgm is needed and could not be created (%s). Have a superuser run in this "
                "database: CREATE EXTENSION pg_trgm; if it is not installed, it comes with Debian's "
                "postgresql-contrib.",
                cause.message);
}

static bool clear_rows(Tx *tx, const TableSet *tables);

/* Rows first, since dropping a table counts as deleting its rows, to which others may still refer. */
static bool drop_sqlite(Tx *tx, const TableSet *tables)
{
    if (!clear_rows(tx, tables))
        return false;
    for (size_t i = tables->count; i-- > 0;)
        db_exec(tx, arena_printf(tx->arena, "DROP TABLE IF EXISTS %s", tables->items[i].name).p, NULL, 0);
    return tx->error->code == ERR_NONE;
}

/* In one statement, since they refer to each other in circles; CASCADE would also drop what others have built on
 * them. The extension stays: not everybody may create it again, and it is unknown who else uses it. */
static bool drop_postgres(Tx *tx, const TableSet *tables)
{
    Str names = str_from(tables->items[0].name);
    for (size_t i = 1; i < tables->count; i++)
        names = arena_printf(tx->arena, "%s, %s", names.p, tables->items[i].name);
    db_exec(tx, arena_printf(tx->arena, "DROP TABLE IF EXISTS %s", names.p).p, NULL, 0);
    return DB_EXEC(tx, "DROP TYPE IF EXISTS state_type, deployment_status, work_pool_status, work_queue_status,"
                       " worker_status") >= 0;
}

/* Scripts of migrate_begin_fill and migrate_end_fill. */

/* References are checked at the commit. With a cache of 2 MB the pages of the indexes would be written and read
 * again and again. */
static const char begin_fill_sqlite[] = "PRAGMA defer_foreign_keys = ON; PRAGMA cache_size = -131072";

#define DEFER(table, constraint) "ALTER TABLE " table " ALTER CONSTRAINT " constraint " DEFERRABLE INITIALLY DEFERRED;"
#define ENFORCE(table, constraint) "ALTER TABLE " table " ALTER CONSTRAINT " constraint " NOT DEFERRABLE;"
#define CIRCLES(change) \
    change("work_queue", "fk_work_queue__work_pool_id__work_pool") \
    change("flow_run", "fk_flow_run__parent_task_run_id__task_run") \
    change("flow_run", "fk_flow_run__state_id__flow_run_state")
#define CIRCLE_2_7(change) change("task_run", "fk_task_run__state_id__task_run_state") /* no reference in 3 */

typedef struct History {
    const char *engine;        /* Dialect.name */
    const Chain *chain;
    const char *head;          /* of them, the one of generation 2.7 */
    const char *const *heads_3; /* that of generation 3, and revisions after it that only add indexes; NULL ends it */
    const char *schema;        /* script from nothing to the head */
    const char *has_table;     /* query: 1 if there is a table $1 */
    const char *columns;       /* query: the names of the columns of the table $1 */
    bool (*prepare)(Tx *tx);   /* prepares for the script; NULL: nothing to do */
    bool (*drop)(Tx *tx, const TableSet *tables); /* all but alembic_version; some may be missing */
    const char *begin_fill[2], *end_fill[2]; /* of 2.7, of 3; NULL: nothing to do */
} History;

/* 3.8.3, and 3.8.4 to 3.8.8 */
static const char *const heads_3_sqlite[] = { "14806cb26270", "f416ea180ae1", "a3b9c7d2e5f1", NULL };
static const char *const heads_3_postgres[] = { "50737cdaee36", "9e9dadc36797", "c8d5f2a71b3e", "d4a7e1c93f52", NULL };

static const History histories[] = {
    { "sqlite", &chain_sqlite, "bfe42b7090d6", heads_3_sqlite, migration_sqlite_0001,
      /* as SQLite compares names */
      "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1 COLLATE NOCASE",
      "SELECT name FROM pragma_table_info($1)", NULL, drop_sqlite,
      { begin_fill_sqlite, begin_fill_sqlite }, { NULL, NULL } },
    { "postgresql", &chain_postgres, "2a88656f4a23", heads_3_postgres, migration_postgres_0001,
      "SELECT COUNT(*) WHERE to_regclass($1) IS NOT NULL", /* on the search path */
      "SELECT attname::text FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0"
      " AND NOT attisdropped",
      prepare_postgres, drop_postgres,
      { CIRCLES(DEFER) CIRCLE_2_7(DEFER), CIRCLES(DEFER) },
      { "SET CONSTRAINTS ALL IMMEDIATE;" CIRCLES(ENFORCE) CIRCLE_2_7(ENFORCE),
        "SET CONSTRAINTS ALL IMMEDIATE;" CIRCLES(ENFORCE) } },
};

static const char version_table[] =
    "CREATE TABLE IF NOT EXISTS alembic_version (\n"
    "    version_num VARCHAR(32) NOT NULL,\n"
    "    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)\n"
    ")";

static const History *history_of(const Tx *tx)
{
    for (size_t i = 0; i < COUNT_OF(histories); i++)
        if (strcmp(histories[i].engine, tx->sql->name) == 0)
            return &histories[i];
    fail(tx->error, ERR_INTERNAL, "There are no migrations for %s", tx->sql->name);
    return NULL;
}

static Rows *query_by_name(Tx *tx, const char *sql, const char *name)
{
    const Value value = v_text(str_from(name));
    return db_query(tx, sql, &value, 1);
}

static bool is_there(Rows *count)
{
    bool found = db_next(count) && row_int(count, 0) > 0;
    db_done(count);
    return found;
}

static bool has_table(Tx *tx, const History *history, const char *name)
{
    return is_there(query_by_name(tx, history->has_table, name));
}

bool migrate_has_table(Tx *tx, const char *name)
{
    const History *history = history_of(tx);
    return history && has_table(tx, history, name);
}

/* What each of our tables is asked; all questions go out before the first answer is read, as a database may be far
 * away. */
static void query_each_table(Tx *tx, const TableSet *tables, const char *sql, Rows *ret[TABLES_MAX])
{
    for (size_t i = 0; i < tables->count; i++)
        ret[i] = query_by_name(tx, sql, tables->items[i].name);
}

/* The first tables of our names, for a message; null: there is none. */
static Str found_tables(Tx *tx, const History *history)
{
    enum { NAMED = 3 };
    Str names = STR_NULL;
    size_t found = 0;
    const TableSet *tables = tables_of(GEN_2_7); /* newer ones have some of these, too */
    Rows *counts[TABLES_MAX];
    query_each_table(tx, tables, history->has_table, counts);
    for (size_t i = 0; i < tables->count; i++) {
        if (is_there(counts[i]) && found++ < NAMED)
            names = names.p ? arena_printf(tx->arena, "%s, %s", names.p, tables->items[i].name)
                            : str_from(tables->items[i].name);
    }
    return found > NAMED ? arena_printf(tx->arena, "%s, …", names.p) : names;
}

static const TableColumn *find_column(const Table *table, Str name)
{
    for (size_t i = 0; i < table->count; i++)
        if (str_is(name, table->columns[i].name))
            return &table->columns[i];
    return NULL;
}

typedef enum Fit {
    FIT_HEAD,    /* the head's columns and no other */
    FIT_USABLE,  /* the head's columns, and perhaps some that somebody added */
    FIT_OLDER    /* at least the columns that the table has always had; others came and went */
} Fit;

static Fit fit_of(SchemaState state)
{
    return state == SCHEMA_OLDER ? FIT_OLDER : FIT_HEAD;
}

static size_t count_needed(const Table *table, Fit fit)
{
    size_t count = 0;
    for (size_t i = 0; i < table->count; i++)
        count += fit != FIT_OLDER || !table->columns[i].is_later;
    return count;
}

/* `rows` are the names of its columns. */
static bool is_our_table(Rows *rows, const Table *table, Fit fit)
{
    size_t known = 0, others = 0;
    while (db_next(rows)) {
        const TableColumn *column = find_column(table, row_text(rows, 0));
        if (!column)
            others++;
        else if (fit != FIT_OLDER || !column->is_later)
            known++;
    }
    return known == count_needed(table, fit) && (fit != FIT_HEAD || others == 0);
}

/* The first table that is missing or differs from the head's; NULL: none does. */
static const char *first_other_table(Tx *tx, const History *history)
{
    const char *first = NULL;
    const TableSet *tables = tables_of(GEN_2_7);
    Rows *columns[TABLES_MAX];
    query_each_table(tx, tables, history->columns, columns);
    for (size_t i = 0; i < tables->count; i++)
        if (!is_our_table(columns[i], &tables->items[i], FIT_HEAD) && !first)
            first = tables->items[i].name;
    return first;
}

/* Its place in the chain; the chain's length: it is not there. */
static size_t place_of(const Chain *chain, Str revision)
{
    size_t place = 0;
    while (place < chain->count && !str_is(revision, chain->revisions[place].id))
        place++;
    return place;
}

static size_t place_of_head(const History *history)
{
    return place_of(history->chain, str_from(history->head));
}

static bool is_older(const History *history, Str revision)
{
    return place_of(history->chain, revision) < place_of_head(history);
}

static bool is_head_3(const History *history, Str revision)
{
    for (const char *const *head = history->heads_3; *head; head++)
        if (str_is(revision, *head))
            return true;
    return false;
}

/* Of a database at that revision: those that every older one has a part of are listed for 2.7. */
static const TableSet *tables_at(const History *history, Str revision)
{
    return tables_of(is_head_3(history, revision) ? GEN_3 : GEN_2_7);
}

static bool is_newer(const History *history, Str revision)
{
    size_t place = place_of(history->chain, revision);
    return place < history->chain->count && place > place_of_head(history);
}

/* How many there are, and the first. */
static size_t read_revisions(Tx *tx, Str *ret_first)
{
    size_t count = 0;
    Rows *rows = DB_QUERY(tx, "SELECT version_num FROM alembic_version ORDER BY version_num");
    for (; db_next(rows); count++)
        if (count == 0)
            *ret_first = row_text(rows, 0);
    return count;
}

bool migrate_state(Tx *tx, SchemaState *ret_state, Str *ret_revision)
{
    const History *history = history_of(tx);
    if (!history)
        return false;
    Str revision = STR_NULL;
    size_t revisions = 0;
    if (has_table(tx, history, "alembic_version"))
        revisions = read_revisions(tx, &revision);
    SchemaState state = SCHEMA_UNKNOWN;
    if (!revision.p) /* the reference's downgrade leaves an empty version table */
        state = found_tables(tx, history).p ? SCHEMA_UNMARKED : SCHEMA_EMPTY;
    else if (revisions != 1)
        state = SCHEMA_UNKNOWN; /* several branches, which the reference's history never has at once */
    else if (str_is(revision, history->head))
        state = SCHEMA_HEAD;
    else if (is_older(history, revision))
        state = SCHEMA_OLDER;
    else if (is_head_3(history, revision))
        state = SCHEMA_HEAD_3;
    else if (is_newer(history, revision))
        state = SCHEMA_NEWER;
    if (tx->error->code != ERR_NONE)
        return false;
    *ret_state = state;
    *ret_revision = revision;
    return true;
}

static bool write_version(Tx *tx, Str revision)
{
    return db_script(tx, version_table) && DB_EXEC(tx, "DELETE FROM alembic_version") >= 0 &&
           DB_EXEC(tx, "INSERT INTO alembic_version (version_num) VALUES ($1)", v_text(revision)) == 1;
}

static bool refuse(Tx *tx, SchemaState state, Str revision, const History *history)
{
    if (state == SCHEMA_OLDER)
        return fail(tx->error, ERR_CONFLICT,
                    "The database is at revision %.*s, older than the one needed (%s). Upgrade it first: "
                    "orion database upgrade",
                    STR_ARG(revision), history->head);
    if (state == SCHEMA_NEWER || state == SCHEMA_HEAD_3)
        return fail(tx->error, ERR_CONFLICT,
                    "The database is at revision %.*s, of a Prefect after 2.7.12 (%s), whose server this version is "
                    "not. Nothing was changed. Use that Prefect, restore a backup from before its upgrade, or name "
                    "another database.",
                    STR_ARG(revision), history->head);
    if (revision.p)
        return fail(tx->error, ERR_CONFLICT,
                    "The database is at revision %.*s, which this version does not know: a Prefect newer than 2.7.12 "
                    "(%s) made it, or another program. Nothing was changed. Use what made it, restore a backup from "
                    "before its upgrade, or name another database.",
                    STR_ARG(revision), history->head);
    Str found = found_tables(tx, history);
    return fail(tx->error, ERR_CONFLICT,
                "The database has tables with Orion's names (%.*s) but no revision, so it is unclear whose they are. "
                "If they are Orion's, set it with: orion database stamp head; otherwise use another database.",
                STR_ARG(found));
}

/* A known revision says whose the database is, but not whose each table in it is: a table with one of our names may
 * be another program's, made after ours was lost. Missing tables do no harm. */
static bool refuse_foreign_tables(Tx *tx, const History *history, Fit fit, Str revision)
{
    const char *foreign = NULL;
    const TableSet *tables = tables_at(history, revision);
    Rows *counts[TABLES_MAX], *columns[TABLES_MAX];
    query_each_table(tx, tables, history->has_table, counts);
    query_each_table(tx, tables, history->columns, columns);
    for (size_t i = 0; i < tables->count; i++) {
        bool there = is_there(counts[i]), ours = is_our_table(columns[i], &tables->items[i], fit);
        if (there && !ours && !foreign)
            foreign = tables->items[i].name;
    }
    if (!foreign || tx->error->code != ERR_NONE)
        return tx->error->code == ERR_NONE;
    return fail(tx->error, ERR_CONFLICT,
                "The database is at Orion's revision %.*s, but its table %s does not have Orion's columns, so it may "
                "belong to another program. Nothing was changed. Move that table away, or use another database.",
                STR_ARG(revision), foreign);
}

bool migrate_check(Tx *tx)
{
    const History *history = history_of(tx);
    SchemaState state;
    Str revision;
    if (!history || !migrate_state(tx, &state, &revision))
        return false;
    if (state == SCHEMA_EMPTY)
        return fail(tx->error, ERR_INTERNAL, "The database has none of Orion's tables");
    return state == SCHEMA_HEAD || refuse(tx, state, revision, history);
}

bool migrate_check_any(Tx *tx, Generation *ret)
{
    const History *history = history_of(tx);
    SchemaState state;
    Str revision;
    if (!history || !migrate_state(tx, &state, &revision))
        return false;
    *ret = state == SCHEMA_HEAD_3 ? GEN_3 : GEN_2_7;
    return state == SCHEMA_HEAD_3 || migrate_check(tx);
}

const char *migrate_head(const Tx *tx)
{
    const History *history = history_of(tx);
    return history ? history->head : "";
}

static bool make_heads_tables(Tx *tx, const History *history)
{
    return (!history->prepare || history->prepare(tx)) && db_script(tx, history->schema);
}

/* Two servers may start at once on an empty database: the second waits here, and then finds the tables. */
bool migrate_up(Tx *tx)
{
    const History *history = history_of(tx);
    SchemaState state;
    Str revision;
    db_lock(tx, LOCK_SCHEMA);
    if (!history || !migrate_state(tx, &state, &revision))
        return false;
    if (state == SCHEMA_HEAD)
        return refuse_foreign_tables(tx, history, FIT_USABLE, revision);
    if (state != SCHEMA_EMPTY)
        return refuse(tx, state, revision, history);
    return make_heads_tables(tx, history) && write_version(tx, str_from(history->head));
}

/* There are no rows yet that a step would change. */
static bool make_tables_of_3(Tx *tx, const History *history)
{
    const Chain *chain = history->chain;
    if (!make_heads_tables(tx, history))
        return false;
    for (size_t i = place_of_head(history) + 1; i < chain->count; i++)
        if (!chain_run(tx, &chain->revisions[i], NULL))
            return false;
    return write_version(tx, str_from(history->heads_3[0]));
}

bool migrate_up_to(Tx *tx, Generation generation)
{
    const History *history = history_of(tx);
    SchemaState state;
    Str revision;
    if (generation != GEN_3)
        return migrate_up(tx);
    db_lock(tx, LOCK_SCHEMA);
    if (!history || !migrate_state(tx, &state, &revision))
        return false;
    if (state == SCHEMA_HEAD_3)
        return refuse_foreign_tables(tx, history, FIT_USABLE, revision);
    if (state == SCHEMA_EMPTY)
        return make_tables_of_3(tx, history);
    return fail(tx->error, ERR_CONFLICT, "The database is at revision %.*s, and not at Prefect 3.8.3's (%s)",
                STR_ARG(revision), history->heads_3[0]);
}

bool migrate_place(Tx *tx, SchemaPlace *ret)
{
    const History *history = history_of(tx);
    if (!history || !migrate_state(tx, &ret->state, &ret->revision))
        return false;
    ret->chain = history->chain;
    ret->head = place_of_head(history);
    ret->at = place_of(history->chain, ret->revision);
    ret->schema = history->schema;
    if (ret->state == SCHEMA_UNKNOWN || ret->state == SCHEMA_UNMARKED)
        return refuse(tx, ret->state, ret->revision, history);
    return (ret->state != SCHEMA_HEAD && ret->state != SCHEMA_OLDER)
           || refuse_foreign_tables(tx, history, ret->state == SCHEMA_HEAD ? FIT_USABLE : FIT_OLDER, ret->revision);
}

bool migrate_make(Tx *tx)
{
    const History *history = history_of(tx);
    return history && make_heads_tables(tx, history);
}

bool migrate_mark(Tx *tx, const char *revision)
{
    return write_version(tx, str_from(revision));
}

Str migrate_mark_plan(Arena *arena, const char *revision)
{
    return arena_printf(arena, "%s;\nDELETE FROM alembic_version;\nINSERT INTO alembic_version (version_num) VALUES "
                        "('%s');\n", version_table, revision);
}

static bool clear_rows(Tx *tx, const TableSet *tables)
{
    const History *history = history_of(tx);
    for (size_t i = tables->count; history && i-- > 0;)
        if (has_table(tx, history, tables->items[i].name))
            db_exec(tx, arena_printf(tx->arena, "DELETE FROM %s", tables->items[i].name).p, NULL, 0);
    return tx->error->code == ERR_NONE;
}

/* Whether tables may be emptied or dropped; *ret_state is then set. */
static bool may_drop(Tx *tx, const History *history, SchemaState *ret_state, const TableSet **ret_tables)
{
    Str revision;
    if (!history || !migrate_state(tx, ret_state, &revision))
        return false;
    *ret_tables = tables_at(history, revision);
    if (*ret_state == SCHEMA_EMPTY)
        return true;
    if (*ret_state != SCHEMA_HEAD && *ret_state != SCHEMA_HEAD_3 && *ret_state != SCHEMA_OLDER)
        return refuse(tx, *ret_state, revision, history);
    return refuse_foreign_tables(tx, history, fit_of(*ret_state), revision);
}

bool migrate_may_drop(Tx *tx)
{
    SchemaState state;
    const TableSet *tables;
    return may_drop(tx, history_of(tx), &state, &tables);
}

bool migrate_clear(Tx *tx)
{
    SchemaState state;
    const TableSet *tables;
    db_lock(tx, LOCK_SCHEMA);
    return may_drop(tx, history_of(tx), &state, &tables) && clear_rows(tx, tables);
}

bool migrate_drop(Tx *tx)
{
    const History *history = history_of(tx);
    SchemaState state;
    const TableSet *tables;
    db_lock(tx, LOCK_SCHEMA);
    if (!may_drop(tx, history, &state, &tables) || (state != SCHEMA_EMPTY && !history->drop(tx, tables)))
        return false;
    return DB_EXEC(tx, "DROP TABLE IF EXISTS alembic_version") >= 0;
}

/* Whether the database may be marked as being at the head. */
static bool has_heads_tables(Tx *tx, const History *history)
{
    const char *other = first_other_table(tx, history);
    if (!other || tx->error->code != ERR_NONE)
        return tx->error->code == ERR_NONE;
    Str found = found_tables(tx, history),
        reason = arena_printf(tx->arena,
                              has_table(tx, history, other) ? "its table %s has other columns" : "it has no table %s",
                              other);
    return fail(tx->error, ERR_CONFLICT,
                "The database is not at %s: of Orion's tables it has %.*s, but %.*s. Nothing was changed.",
                history->head, STR_ARG(found.p ? found : STR("none")), STR_ARG(reason));
}

bool migrate_stamp(Tx *tx, Str revision)
{
    const History *history = history_of(tx);
    SchemaState state;
    Str present;
    db_lock(tx, LOCK_SCHEMA);
    if (!history || !migrate_state(tx, &state, &present))
        return false;
    if (str_is(revision, "head"))
        revision = str_from(history->head);
    bool head = str_is(revision, history->head);
    if (!head && !is_older(history, revision))
        return fail(tx->error, ERR_INVALID, "Can't locate revision identified by '%.*s'", STR_ARG(revision));
    bool is_newer_or_unknown = state == SCHEMA_UNKNOWN || state == SCHEMA_NEWER || state == SCHEMA_HEAD_3;
    if (is_newer_or_unknown || (state == SCHEMA_UNMARKED && !head))
        return refuse(tx, state, present, history);
    bool fits = head ? has_heads_tables(tx, history)
                     : state == SCHEMA_EMPTY || refuse_foreign_tables(tx, history, fit_of(state), present);
    return fits && write_version(tx, revision);
}

static bool run_fill(Tx *tx, const char *const scripts[2])
{
    Generation generation;
    if (!migrate_check_any(tx, &generation))
        return false;
    const char *script = scripts[generation == GEN_3];
    return !script || db_script(tx, script);
}

bool migrate_begin_fill(Tx *tx)
{
    const History *history = history_of(tx);
    return history && run_fill(tx, history->begin_fill);
}

bool migrate_end_fill(Tx *tx)
{
    const History *history = history_of(tx);
    return history && run_fill(tx, history->end_fill);
}
