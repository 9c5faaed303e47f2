/* db/postgres_rights.c -- what a PostgreSQL server or the role lacks:
 * some of it would be noticed only when a request fails. */
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

bool postgres_may_serve(Tx *tx, int64_t connections)
{
    if (!refuse_standby(tx))
        return false;
    warn_of_read_only(tx);
    warn_of_rights(tx);
    if (connections > 0)
        warn_of_connections(tx, connections);
    return tx->error->code == ERR_NONE;
}
