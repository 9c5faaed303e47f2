/* db/postgres_rights.c -- what a PostgreSQL server or the role lacks: some of it would be noticed only when a request
 * fails, or when the power does. */
#include "db/postgres.h"

#include "base/log.h"
#include "db/tables.h"

#define LOGGER "orion.db"

static bool refuse_standby(Tx *tx)
{
    if (!DB_INT(tx, 0, "SELECT pg_is_in_recovery()::int4"))
        return tx->error->code == ERR_NONE;
    return fail(tx->error, ERR_INTERNAL,
                "The database accepts no writes: its server is a standby. Name the primary in "
                "PREFECT_ORION_DATABASE_CONNECTION_URL.");
}

static void warn(Str found)
{
    if (found.p)
        log_warning(LOGGER, "%.*s", STR_ARG(found));
}

static void warn_of_read_only(Tx *tx)
{
    warn(DB_TEXT(tx, "SELECT format('The database accepts no writes: default_transaction_read_only is on. To change it "
                     "permanently: ALTER ROLE %I IN DATABASE %I SET default_transaction_read_only = off', "
                     "current_user, current_database()) "
                     "WHERE current_setting('default_transaction_read_only') = 'on'"));
}

/* As a JSON array of their names. */
static Str table_names(Arena *arena)
{
    Buf names;
    buf_init(&names, arena, 512);
    for (size_t i = 0; i < TABLE_COUNT; i++)
        buf_printf(&names, "%s\"%s\"", i ? ", " : "[", db_tables[i].name);
    buf_char(&names, ']');
    return buf_view(&names);
}

static void warn_of_rights(Tx *tx)
{
    const Value names = { .kind = VAL_LIST, .s = table_names(tx->arena) };
    warn(DB_TEXT(tx, "SELECT format('The role %I may not read and write %s of Orion''s %s tables: requests that need "
                     "them get 503. Have their owner run in this database: "
                     "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %I', "
                     "current_user, count(*), $2::int4, min(n.nspname), current_user) "
                     "FROM unnest($1::text[]) AS name JOIN pg_catalog.pg_class c ON c.oid = to_regclass(name) "
                     "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                     "WHERE NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') "
                     "AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')) "
                     "HAVING count(*) > 0", names, v_int(TABLE_COUNT)));
}

/* Superusers are exempt from the limits of role and database, and may use the connections that are reserved for
 * them. */
static void warn_of_connections(Tx *tx, int64_t wanted)
{
    int64_t most = DB_INT(tx, wanted,
                          "SELECT CASE WHEN r.rolsuper THEN current_setting('max_connections')::int4 ELSE "
                          "least(nullif(r.rolconnlimit, -1), nullif(d.datconnlimit, -1), "
                          "current_setting('max_connections')::int4 - "
                          "current_setting('superuser_reserved_connections')::int4) END "
                          "FROM pg_catalog.pg_roles r, pg_catalog.pg_database d WHERE r.rolname = session_user "
                          "AND d.datname = current_database()");
    if (most < wanted)
        log_warning(LOGGER,
                    "The database allows at most %lld of the %lld connections that ORION_DATABASE_CONNECTIONS asks "
                    "for: this is how many requests run at once.",
                    (long long)most, (long long)wanted);
}

/* Whoever set these may have meant it, for this role or for all; so they are left as they are. */
static void warn_of_loss(Tx *tx)
{
    warn(DB_TEXT(tx, "SELECT 'The database''s setting fsync is off: a crash of its machine or a power cut can destroy "
                     "the whole database. To change it: ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf()' "
                     "WHERE current_setting('fsync', true) = 'off'"));
    warn(DB_TEXT(tx, "SELECT 'The database''s setting full_page_writes is off: unless its file system never writes "
                     "half a page, a crash of its machine or a power cut can damage tables. "
                     "To change it: ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf()' "
                     "WHERE current_setting('full_page_writes', true) = 'off'"));
    warn(DB_TEXT(tx, "SELECT format('The database''s setting synchronous_commit is %s: %s. To change it: %s', setting, "
                     "CASE setting WHEN 'off' THEN 'writes are answered before they are on the disk, and those of the "
                     "last moments can be lost in a crash of its machine' ELSE 'writes are answered before a "
                     "synchronous standby has them, and can be missing once it takes over' END, "
                     "CASE source WHEN 'client' THEN 'take it out of the options in "
                     "PREFECT_ORION_DATABASE_CONNECTION_URL or PGOPTIONS' ELSE format('ALTER ROLE %I IN DATABASE %I "
                     "SET synchronous_commit = on', current_user, current_database()) END) "
                     "FROM pg_catalog.pg_settings WHERE name = 'synchronous_commit' AND (setting = 'off' "
                     "OR (setting = 'local' AND current_setting('synchronous_standby_names') <> ''))"));
}

bool postgres_may_serve(Tx *tx, int64_t connections)
{
    if (!refuse_standby(tx))
        return false;
    warn_of_read_only(tx);
    warn_of_rights(tx);
    warn_of_loss(tx);
    if (connections > 0)
        warn_of_connections(tx, connections);
    return tx->error->code == ERR_NONE;
}
