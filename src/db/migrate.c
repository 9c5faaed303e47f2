/* db/migrate.c -- where a database stands in the reference's history of revisions, and how an empty one gets to its head.
 * The schema itself is plain SQL in migrations/, built into the executable. */
#include "db/migrate.h"

#include "db/driver.h"
#include "db/tables.h"

extern const char migration_sqlite_0001[]; /* migrations/sqlite/0001_schema.sql, by tools/embed.py */

#define HEAD_SQLITE "bfe42b7090d6"
const char *const schema_head_sqlite = HEAD_SQLITE;

/* The reference's revisions before its head, oldest first. */
static const char *const older_sqlite[] = {
    "9725c1cbee35", "619bea85701a", "7c91cb86dc4e", "28ae48128c75", "4c4a6a138053", "e1ff4973a9eb", "f327e877e423", "c8ff35f94028",
    "71a57ec351d1", "7f5f335cace3", "db6bde582447", "fd966d4ad99c", "b75d279ba985", "888a0bb0df7b", "33439667aeea", "e73c6f1fe752",
    "d76326ed0d06", "f65b6ad0b869", "84892301571a", "2d900af9cd07", "9e2a1c08c6f1", "a205b458d997", "dff8da7a6c2c", "42762c37b7bc",
    "3bd87ecdac38", "e2dae764a603", "061c7e518b40", "638cbcc2a158", "56be24fdb383", "628a873f0d1a", "2fe8ef6a6514", "f335f9633eec",
    "88c2112b668f", "905134444e17", "24bb2e4a195c", "53c19b31aa09", "296e2665785f", "575634b7acd4", "e757138e954a", "22b7cb02e593",
    "ad4b1b4d1e9d", "fa319f214160", "3ced59d8806b", "af52717cf201", "a0284438370e", "4f90ad6349bd", "7201de756d85", "fe77ad0dda06",
    "bb38729c471a", "f92143d30c24", "f92143d30c25", "f92143d30c26", "f92143d30c27", "b9bda9f142f1", "1678f2fb8b33",
};

typedef struct History {
    const char *engine;        /* Dialect.name */
    const char *head;
    const char *const *older;
    size_t older_count;
    const char *schema;        /* script from nothing to the head */
    const char *has_table;     /* query: 1 if the table $1 exists */
    const char *begin_fill, *end_fill; /* scripts of the functions of that name; NULL: nothing to do */
} History;

static const History histories[] = {
    { "sqlite", HEAD_SQLITE, older_sqlite, COUNT_OF(older_sqlite), migration_sqlite_0001,
      "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1",
      /* Deferred until the commit. With 2 MB of cache the pages of the indexes go out and come back again. */
      "PRAGMA defer_foreign_keys = ON; PRAGMA cache_size = -131072", NULL },
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

static bool has_table(Tx *tx, const History *history, const char *name)
{
    const Value value = v_text(str_from(name));
    return db_int(tx, 0, history->has_table, &value, 1) > 0;
}

static bool has_any_table(Tx *tx, const History *history)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (has_table(tx, history, db_tables[i].name))
            return true;
    return false;
}

static bool is_older(const History *history, Str revision)
{
    for (size_t i = 0; i < history->older_count; i++)
        if (str_is(revision, history->older[i]))
            return true;
    return false;
}

bool migrate_state(Tx *tx, SchemaState *ret_state, Str *ret_revision)
{
    const History *history = history_of(tx);
    if (!history)
        return false;
    Str revision = STR_NULL;
    if (has_table(tx, history, "alembic_version"))
        revision = DB_TEXT(tx, "SELECT version_num FROM alembic_version");
    SchemaState state = SCHEMA_NEWER;
    if (!revision.p && !has_any_table(tx, history)) /* the reference's downgrade leaves its version table behind, empty */
        state = SCHEMA_EMPTY;
    else if (str_is(revision, history->head))
        state = SCHEMA_HEAD;
    else if (is_older(history, revision))
        state = SCHEMA_OLDER;
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
        return fail(tx->error, ERR_INTERNAL, "The database is at revision %.*s, older than the one needed (%s). Upgrade it first with the "
                    "Python package prefect 2.7.12: prefect orion database upgrade -y", STR_ARG(revision), history->head);
    if (revision.p)
        return fail(tx->error, ERR_INTERNAL, "The database is at revision %.*s, which this version does not know: it must be newer than %s. "
                    "Use the version that made it, or another database.", STR_ARG(revision), history->head);
    return fail(tx->error, ERR_INTERNAL, "The database has Orion's tables but no revision, so that nobody can tell what they hold. "
                "Set it with: orion database stamp REVISION, or use another database.");
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

bool migrate_up(Tx *tx)
{
    const History *history = history_of(tx);
    SchemaState state;
    Str revision;
    if (!history || !migrate_state(tx, &state, &revision))
        return false;
    if (state == SCHEMA_HEAD)
        return true;
    if (state != SCHEMA_EMPTY)
        return refuse(tx, state, revision, history);
    return db_script(tx, history->schema) && write_version(tx, str_from(history->head));
}

Str migrate_plan(Tx *tx)
{
    const History *history = history_of(tx);
    SchemaState state;
    Str revision;
    if (!history || !migrate_state(tx, &state, &revision) || state != SCHEMA_EMPTY)
        return STR("");
    return arena_printf(tx->arena, "%s\n%s;\nINSERT INTO alembic_version (version_num) VALUES ('%s');\n", history->schema, version_table,
                        history->head);
}

bool migrate_clear(Tx *tx)
{
    const History *history = history_of(tx);
    for (size_t i = TABLE_COUNT; history && i-- > 0;)
        if (has_table(tx, history, db_tables[i].name))
            db_exec(tx, arena_printf(tx->arena, "DELETE FROM %s", db_tables[i].name).p, NULL, 0);
    return tx->error->code == ERR_NONE;
}

bool migrate_drop(Tx *tx)
{
    if (!migrate_clear(tx)) /* first, since dropping a table counts as deleting its rows for those that refer to them */
        return false;
    for (size_t i = TABLE_COUNT; i-- > 0;)
        db_exec(tx, arena_printf(tx->arena, "DROP TABLE IF EXISTS %s", db_tables[i].name).p, NULL, 0);
    return DB_EXEC(tx, "DROP TABLE IF EXISTS alembic_version") >= 0;
}

bool migrate_stamp(Tx *tx, Str revision)
{
    const History *history = history_of(tx);
    if (!history)
        return false;
    if (!str_is(revision, history->head) && !is_older(history, revision))
        return fail(tx->error, ERR_INVALID, "Can't locate revision identified by '%.*s'", STR_ARG(revision));
    return write_version(tx, revision);
}

bool migrate_begin_fill(Tx *tx)
{
    const History *history = history_of(tx);
    return history && (!history->begin_fill || db_script(tx, history->begin_fill));
}

bool migrate_end_fill(Tx *tx)
{
    const History *history = history_of(tx);
    return history && (!history->end_fill || db_script(tx, history->end_fill));
}
