/* db/postgres_rights.c -- what a PostgreSQL server or the role lacks: some of it would be noticed only when a request
 * fails, or when the power does. */
#include "db/postgres.h"

#include "base/log.h"
#include "db/tables.h"

#define LOGGER "orion.db"

/* ---- each query that finds something to warn of gives the text of the warning ---- */

static Rows *find_read_only(Tx *tx)
{
    return DB_QUERY(tx, "SELECT format('The database accepts no writes: default_transaction_read_only is on. To change "
                        "it permanently: ALTER ROLE %I IN DATABASE %I SET default_transaction_read_only = off', "
                        "current_user, current_database()) "
                        "WHERE current_setting('default_transaction_read_only') = 'on'");
}

/* As a JSON array of their names. */
static Str table_names(Arena *arena, const TableSet *tables)
{
    Buf names;
    buf_init(&names, arena, 512);
    for (size_t i = 0; i < tables->count; i++)
        buf_printf(&names, "%s\"%s\"", i ? ", " : "[", tables->items[i].name);
    buf_char(&names, ']');
    return buf_view(&names);
}

static Rows *find_missing_rights(Tx *tx)
{
    const TableSet *tables = tables_of(GEN_2_7);
    const Value names = { .kind = VAL_LIST, .s = table_names(tx->arena, tables) };
    return DB_QUERY(tx, "SELECT format('The role %I may not read and write %s of Orion''s %s tables: requests that "
                        "need them get 503. Have their owner run in this database: "
                        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %I', "
                        "current_user, count(*), $2::int4, min(n.nspname), current_user) "
                        "FROM unnest($1::text[]) AS name JOIN pg_catalog.pg_class c ON c.oid = to_regclass(name) "
                        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                        "WHERE NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') "
                        "AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')) "
                        "HAVING count(*) > 0", names, v_int((int64_t)tables->count));
}

/* Whoever set these three may have meant it, for this role or for all; so they are left as they are. */

static Rows *find_fsync(Tx *tx)
{
    return DB_QUERY(tx, "SELECT 'The database''s setting fsync is off: a crash of its machine or a power cut "
                        "can destroy the whole database. To change it: ALTER SYSTEM SET fsync = on; "
                        "SELECT pg_reload_conf()' "
                        "WHERE current_setting('fsync', true) = 'off'");
}

static Rows *find_page_writes(Tx *tx)
{
    return DB_QUERY(tx, "SELECT 'The database''s setting full_page_writes is off: unless its file system never "
                        "writes half a page, a crash of its machine or a power cut can damage tables. "
                        "To change it: ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf()' "
                        "WHERE current_setting('full_page_writes', true) = 'off'");
}

static Rows *find_early_answers(Tx *tx)
{
    return DB_QUERY(tx, "SELECT format('The database''s setting synchronous_commit is %s: %s. To change it: %s', "
                        "setting, CASE setting WHEN 'off' THEN 'writes are answered before they are on the disk, and "
                        "those of the last moments can be lost in a crash of its machine' ELSE 'writes are answered "
                        "before a synchronous standby has them, and can be missing once it takes over' END, "
                        "CASE source WHEN 'client' THEN 'take it out of the options in "
                        "PREFECT_ORION_DATABASE_CONNECTION_URL or PGOPTIONS' ELSE format('ALTER ROLE %I IN DATABASE %I "
                        "SET synchronous_commit = on', current_user, current_database()) END) "
                        "FROM pg_catalog.pg_settings WHERE name = 'synchronous_commit' AND (setting = 'off' "
                        "OR (setting = 'local' AND current_setting('synchronous_standby_names') <> ''))");
}

/* ---- the others ---- */

/* How many connections the role may have. Superusers are exempt from the limits of role and database, and may use
 * those that are reserved for them. */
static Rows *find_connections(Tx *tx)
{
    return DB_QUERY(tx,
                    "SELECT CASE WHEN r.rolsuper THEN current_setting('max_connections')::int4 ELSE "
                    "least(nullif(r.rolconnlimit, -1), nullif(d.datconnlimit, -1), "
                    "current_setting('max_connections')::int4 - "
                    "current_setting('superuser_reserved_connections')::int4) END "
                    "FROM pg_catalog.pg_roles r, pg_catalog.pg_database d WHERE r.rolname = session_user "
                    "AND d.datname = current_database()");
}

static void warn_of_connections(Rows *allowed, int64_t wanted)
{
    int64_t most = db_next(allowed) ? row_int(allowed, 0) : wanted;
    db_done(allowed);
    if (wanted > 0 && most < wanted)
        log_warning(LOGGER,
                    "The database allows at most %lld of the %lld connections that ORION_DATABASE_CONNECTIONS asks "
                    "for: this is how many requests run at once.",
                    (long long)most, (long long)wanted);
}

static void warn(Tx *tx, Rows *found)
{
    Str text = db_next(found) ? row_text(found, 0) : STR_NULL;
    db_done(found);
    if (text.p && tx->error->code == ERR_NONE)
        log_warning(LOGGER, "%.*s", STR_ARG(text));
}

/* All questions go out before the first answer is read: the database may be far away. */
bool postgres_may_serve(Tx *tx, int64_t connections)
{
    Rows *standby = DB_QUERY(tx, "SELECT 1 WHERE pg_is_in_recovery()"), *allowed = find_connections(tx),
         *warnings[] = { find_read_only(tx), find_missing_rights(tx), find_fsync(tx), find_page_writes(tx),
                         find_early_answers(tx) };
    if (db_next(standby))
        return fail(tx->error, ERR_INTERNAL,
                    "The database accepts no writes: its server is a standby. Name the primary in "
                    "PREFECT_ORION_DATABASE_CONNECTION_URL.");
    for (size_t i = 0; i < COUNT_OF(warnings); i++)
        warn(tx, warnings[i]);
    warn_of_connections(allowed, connections);
    return tx->error->code == ERR_NONE;
}
