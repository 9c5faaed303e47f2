/* db/postgres.c -- the driver for PostgreSQL 13 and newer. Any number of connections write at once, also of other
 * servers: a transaction locks what its decisions depend on (db_lock, db_lock_row), and one that collides with
 * another is run again. */
#include "base/log.h"
#include "db/postgres.h"
#include "db/tables.h"

#include <limits.h>

enum { LOCK_CLASS = 0x4F52494F }; /* ours among advisory locks of the database: "ORIO" */

static const int64_t REST_US = 5 * SECOND;
static const size_t CARRIED_MAX = 1 << 20; /* libpq's buffers grow to the longest message and never shrink */

static const char *const array_of[] = {
    [KIND_UUID] = "uuid", [KIND_TEXT] = "text", [KIND_STATE_TYPE] = "state_type", [KIND_SMALL] = "int2",
    [KIND_INT] = "int4", [KIND_BOOL] = "bool", [KIND_TIME] = "timestamptz", [KIND_INTERVAL] = "interval",
    [KIND_JSON] = "json", [KIND_REAL] = "float8",
};

static const Dialect dialect = {
    .name = "postgresql",
    /* the same by whatever host name or socket it was reached */
    .engine = ENGINE_POSTGRESQL,
    .identity = "SELECT pg_catalog.pg_postmaster_start_time()::text || ' ' || oid FROM pg_catalog.pg_database "
                "WHERE datname = current_database()",
    .users = "SELECT pid::text || ' (' || COALESCE(NULLIF(application_name, ''), 'of no name') || ')'"
             " FROM pg_catalog.pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
             " AND usesysid IS NOT NULL AND COALESCE(backend_type, 'client backend') = 'client backend' ORDER BY pid",
    .sizes = {
        .each = "SELECT c.relname::text, c.relname::text, false, pg_table_size(c.oid) FROM pg_catalog.pg_class AS c"
                " WHERE c.relkind = 'r' AND pg_table_is_visible(c.oid)"
                " UNION ALL SELECT i.relname::text, t.relname::text, true, pg_relation_size(i.oid)"
                " FROM pg_catalog.pg_index AS x JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid"
                " JOIN pg_catalog.pg_class AS t ON t.oid = x.indrelid"
                " WHERE t.relkind = 'r' AND pg_table_is_visible(t.oid)",
        .all = "SELECT pg_database_size(current_database()), CAST(NULL AS bigint)",
        .are_known = "SELECT CAST(1 AS bigint)",
    },
    .vacuum = "VACUUM (ANALYZE) %s",
    .date_unit = 1,
    .is_typed = true,
    .inserts_in_with = true,
    .row_key = "id",
    .sort_few = "",
    .reads_lazily = true,
    .by_index = "SET LOCAL enable_seqscan = off",
    .apart = { .end = "OFFSET 0" }, /* else it goes through all that is older than a range, to begin with the oldest */
    .array_of = array_of,
    .for_update = " FOR NO KEY UPDATE",
    .op = {
        [SQL_ANY] = "%c = ANY(%v)",
        [SQL_ONLY] = "%c = ANY(%v)",
        [SQL_NOT_ANY] = "%c <> ALL(%v)",
        [SQL_ALL] = "%c ?& %v", /* of text[]; every JSON array contains all of an empty list */
        [SQL_LIKE] = "%c ILIKE %v",
        [SQL_BEFORE] = "%c <= %v",
        [SQL_AFTER] = "%c >= %v",
        [SQL_GE] = "%c >= CAST(%v AS bigint)", /* the column may be of a smaller type */
        [SQL_LE] = "%c <= CAST(%v AS bigint)",
        [SQL_EQ] = "%c = %v",
        [SQL_IS_NULL] = "%c IS NULL",
        [SQL_IS_NOT_NULL] = "%c IS NOT NULL",
        [SQL_JSON_EMPTY] = "%c = '[]'",
        [SQL_JSON_NOT_EMPTY] = "%c <> '[]'",
        [SQL_TAG_OF_TASK] = "%c IN (SELECT jsonb_array_elements_text(CASE jsonb_typeof(tags) "
                            "WHEN 'array' THEN tags ELSE '[]' END) FROM task_run WHERE id = %v)",
        /* chr(37) is the wildcard; an empty list restricts nothing */
        [SQL_LIKE_ANY] = "(cardinality(%v::text[]) = 0 OR EXISTS (SELECT 1 FROM unnest(%v::text[]) AS prefix "
                         "WHERE %c ILIKE prefix || chr(37)))",
    },
};

static PgConnection *connection_of(void *connection)
{
    return connection;
}

/* ---- places and connections ---- */

/* What libpq takes from its environment, and from the service that is named there; "" for nothing. */
static const char *from_elsewhere(Arena *arena, const PgPlace *place, const char *keyword)
{
    PQconninfoOption *options = place->pq.conndefaults();
    const char *found = "";
    for (const PQconninfoOption *option = options; option && option->keyword; option++)
        if (strcmp(option->keyword, keyword) == 0 && option->val)
            found = arena_cstr(arena, str_from(option->val));
    place->pq.conninfoFree(options);
    return found;
}

/* So that a connection which a firewall has silently dropped is noticed, and an idle one is not dropped. */
static void add_keepalives(Arena *arena, PgPlace *place)
{
    static const char *const rows[][2] = {
        { "keepalives_idle", "60" }, { "keepalives_interval", "10" }, { "keepalives_count", "3" },
        { "tcp_user_timeout", "30000" },
    };
    if (place->keywords[pg_keyword_find(place, "service")] || from_elsewhere(arena, place, "service")[0])
        return; /* the service's file may set them, and must not be overridden */
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t at = pg_keyword_find(place, rows[i][0]);
        if (place->keywords[at])
            continue;
        place->keywords[at] = rows[i][0];
        place->values[at] = rows[i][1];
    }
}

/* Settings of the session, which a pooler would not accept, after the options of the URL or else of libpq's
 * environment. If a service that the URL names may give some, which cannot be found out, ours are left out, and each
 * transaction sets its own. */
static void add_session(Arena *arena, PgPlace *place, double timeout)
{
    size_t options = pg_keyword_find(place, "options");
    bool is_given = place->keywords[options] != NULL;
    int64_t ms = timeout <= 0 ? 0 : timeout < 0.001 ? 1 : (int64_t)(timeout * 1000), idle_ms = 2 * ms;
    place->statement_ms = pg_statement_ms(ms);
    if (!place->keeps_statements || (!is_given && place->keywords[pg_keyword_find(place, "service")]))
        return;
    const char *given = is_given ? place->values[options] : from_elsewhere(arena, place, "options");
    size_t size = (PG_KEYWORDS_MAX + PG_KEYWORDS_OURS) * sizeof(*place->values);
    place->plain_values = arena_alloc(arena, size);
    memcpy(place->plain_values, place->values, size); /* NULL among them: the environment's value */
    place->keywords[options] = "options";
    /* What is compiled for a query that looks dear takes longer than the query. Given options may turn it on again. */
    place->values[options] = arena_printf(
        arena, "-c jit=off %s -c statement_timeout=%lld -c idle_in_transaction_session_timeout=%lld", given,
        (long long)place->statement_ms, (long long)idle_ms).p;
}

static bool postgres_locate(Arena *arena, const DbConfig *config, DbPlace *ret_place, Error *error)
{
    PgPlace *place = arena_new_of(arena, PgPlace);
    place->keeps_statements = !config->pgbouncer;
    place->connect_timeout = config->connect_timeout > 0 ? config->connect_timeout : 5;
    if (!libpq_load(&place->pq, error) || !postgres_url_read(arena, config->url, place, error))
        return false;
    place->shared = arena_new_of(arena, PgShared);
    add_keepalives(arena, place);
    add_session(arena, place, config->timeout);
    pg_hosts_read(arena, place);
    *ret_place = (DbPlace){ .postgres = place };
    return true;
}

static DbConnection *postgres_connect(const DbPlace *place, Role role, double timeout, Error *error)
{
    (void)timeout;
    PgConnection *c = xcalloc(1, sizeof(*c));
    c->base.driver = &postgres_driver;
    c->place = place->postgres;
    c->pq = &c->place->pq;
    c->keeps_statements = c->place->keeps_statements;
    if (role != ROLE_WRITER || pg_connect(c, false, error)) /* the others connect when they are first used */
        return &c->base;
    free(c);
    return NULL;
}

static void postgres_disconnect(DbConnection *connection)
{
    PgConnection *c = connection_of(connection);
    pg_disconnect(c);
    free(c->pending);
    free(c);
}

static bool postgres_is_connected(const DbConnection *connection)
{
    return ((const PgConnection *)connection)->pg != NULL;
}

static unsigned postgres_connected(const DbPlace *place)
{
    return atomic_load(&place->postgres->shared->connected);
}

/* ---- transactions ---- */

/* Reads what a read has left, abandoned rows and the answer to its COMMIT: while they are on their way its snapshot
 * stays open. Takes at most half the time of the jobs that wait meanwhile. A connection that carried something large
 * is closed to free its memory. */
static void postgres_rest(DbConnection *connection)
{
    PgConnection *c = connection_of(connection);
    Error ignored = { .code = ERR_NONE };
    int64_t half = c->place->statement_ms * 1000 / 2;
    c->deadline = clock_monotonic() + (half && half < REST_US ? half : REST_US);
    if (c->pg && ((c->pending_count > 0 && !pg_settle(c, &ignored)) || c->carried > CARRIED_MAX))
        pg_disconnect(c);
    c->carried = 0;
    c->deadline = 0;
    c->last_use = clock_monotonic();
}

/* BEGIN itself goes out with the first statement. */
static bool begin(PgConnection *c, bool is_read, Error *error)
{
    Error ignored = { .code = ERR_NONE };
    if (c->pg && c->pending_count > 0 && !pg_settle(c, &ignored))
        pg_disconnect(c);
    pg_wake(c);
    c->base.may_retry = false;
    c->is_read = is_read;
    if (!c->pg && !pg_connect(c, true, error))
        return false;
    c->in_transaction = true;
    c->is_begun = c->was_rolled_back = false;
    return true;
}

/* If nobody waits for the answer any more, COMMIT is not sent: the write is undone, not in doubt. */
static bool may_commit(PgConnection *c, Error *error)
{
    if (c->deadline && clock_monotonic() >= c->deadline)
        return fail(error, ERR_BUSY, "The write took longer than the database timeout allows");
    return pg_look(c, error);
}

/* Nobody waits for the end of a read (postgres_rest). Once the COMMIT of a write has gone out,
 * a loss leaves its fate unknown; before, none of it is stored. */
static bool commit(PgConnection *c, Error *error)
{
    if (c->is_begun && !c->is_read && !may_commit(c, error))
        return false;
    c->in_transaction = false;
    if (!c->is_begun)
        return true;
    c->is_begun = false;
    c->is_committing = !c->is_read;
    bool ok = pg_send_plain(c, "COMMIT", error) && pg_sync(c, error) && (c->is_read || pg_settle(c, error));
    c->is_committing = false;
    if (ok && c->was_rolled_back)
        ok = fail(error, ERR_INTERNAL, "PostgreSQL rolled a transaction back instead of committing it");
    if (!ok)
        c->in_transaction = true; /* to be ended by ROLLBACK */
    return ok;
}

static bool postgres_step(DbConnection *connection, TxStep step, Error *error)
{
    PgConnection *c = connection_of(connection);
    switch (step) {
    case STEP_BEGIN_READ: return begin(c, true, error);
    case STEP_BEGIN_WRITE: return begin(c, false, error);
    case STEP_COMMIT: return commit(c, error);
    case STEP_ROLLBACK:
        c->in_transaction = false;
        pg_end_failed(c);
        c->is_begun = false;
        return true;
    default: return fail(error, ERR_INTERNAL, "savepoints are for engines with one writer");
    }
}

static bool postgres_in_transaction(DbConnection *connection)
{
    return connection_of(connection)->in_transaction;
}

static void postgres_set_deadline(DbConnection *connection, int64_t monotonic)
{
    connection_of(connection)->deadline = monotonic;
}

/* ---- statements ---- */

static void note_carried(PgConnection *c, size_t n)
{
    if (n > c->carried)
        c->carried = n;
}

static bool send(Tx *tx, const char *sql, const Value *values, size_t count, PgPending pending)
{
    const char **texts = arena_alloc(tx->arena, (count + 1) * sizeof(*texts));
    if (count > INT16_MAX)
        return fail(tx->error, ERR_INTERNAL, "too many values for one statement");
    for (size_t i = 0; i < count; i++) {
        texts[i] = pg_parameter(tx, &values[i]);
        note_carried(connection_of(tx->connection), texts[i] ? strlen(texts[i]) : 0);
    }
    return tx->error->code == ERR_NONE
           && pg_send(connection_of(tx->connection), sql, texts, (int)count, pending, tx->error);
}

static Rows *postgres_query(Tx *tx, const char *sql, const Value *values, size_t count)
{
    PgRows *rows = arena_new_of(tx->arena, PgRows);
    rows->base.tx = tx;
    rows->base.is_open = send(tx, sql, values, count, (PgPending){ .kind = PENDING_ROWS, .rows = rows });
    return &rows->base;
}

static bool postgres_send(Tx *tx, const char *sql, const Value *values, size_t count)
{
    return send(tx, sql, values, count, (PgPending){ .kind = PENDING_IGNORED });
}

static int64_t postgres_exec(Tx *tx, const char *sql, const Value *values, size_t count)
{
    PgConnection *c = connection_of(tx->connection);
    if (!send(tx, sql, values, count, (PgPending){ .kind = PENDING_COUNT }) || !pg_settle(c, tx->error))
        return -1;
    return c->count;
}

static bool postgres_script(Tx *tx, const char *sql)
{
    return pg_script(connection_of(tx->connection), sql, tx->error);
}

/* CONCURRENTLY is refused within a transaction. */
static bool postgres_build(Tx *tx, const char *sql)
{
    PgConnection *c = connection_of(tx->connection);
    return commit(c, tx->error) && pg_run_apart(c, sql, tx->error);
}

static void postgres_lock(Tx *tx, DbLock lock)
{
    const Value values[] = { v_int(LOCK_CLASS), v_int(lock) };
    postgres_send(tx, "SELECT pg_advisory_xact_lock($1::int4, $2::int4)", values, COUNT_OF(values));
}

static bool postgres_try_lock(Tx *tx, DbLock lock)
{
    return DB_INT(tx, 0, "SELECT CAST(pg_try_advisory_xact_lock(CAST($1 AS int4), CAST($2 AS int4)) AS int4)",
                  v_int(LOCK_CLASS), v_int(lock)) != 0;
}

static void postgres_lock_row(Tx *tx, const char *table, Str id)
{
    const Value value = v_uuid(id);
    postgres_send(tx, arena_printf(tx->arena, "SELECT 1 FROM %s WHERE id = $1 FOR NO KEY UPDATE", table).p, &value, 1);
}

/* ---- rows ---- */

static PgRows *rows_of(Rows *rows)
{
    return (PgRows *)rows;
}

static const Libpq *pq_of(const Rows *rows)
{
    return connection_of(rows->tx->connection)->pq;
}

static bool postgres_next(Rows *base)
{
    PgRows *rows = rows_of(base);
    if (rows->current)
        pq_of(base)->clear(rows->current);
    rows->current = pg_next_row(connection_of(base->tx->connection), rows, base->tx->error);
    return rows->current != NULL;
}

/* Rows that still come are thrown away as they come. */
static void postgres_finish(Rows *base)
{
    PgRows *rows = rows_of(base);
    PgConnection *c = connection_of(base->tx->connection);
    for (size_t i = 0; i < c->pending_count; i++) {
        PgPending *pending = &c->pending[(c->first + i) % c->capacity];
        if (pending->rows == rows)
            pending->rows = NULL;
    }
    if (rows->current)
        c->pq->clear(rows->current);
    while (rows->kept_first < rows->kept_count)
        c->pq->clear(rows->kept[rows->kept_first++]);
    free(rows->kept);
    rows->current = NULL;
    rows->kept = NULL;
}

static bool postgres_is_null(Rows *rows, int column)
{
    return !rows_of(rows)->current || pq_of(rows)->getisnull(rows_of(rows)->current, 0, column);
}

static void fail_type(Rows *rows, int column)
{
    fail(rows->tx->error, ERR_INTERNAL, "column %d of a row has a type that is not expected there (%u)", column,
         (unsigned)pq_of(rows)->ftype(rows_of(rows)->current, column));
}

static int64_t postgres_integer(Rows *rows, int column)
{
    bool ok;
    if (postgres_is_null(rows, column))
        return 0;
    int64_t value = pg_integer(pq_of(rows), rows_of(rows)->current, column, &ok);
    if (!ok)
        fail_type(rows, column);
    return value;
}

static double postgres_real(Rows *rows, int column)
{
    bool ok;
    if (postgres_is_null(rows, column))
        return 0;
    double value = pg_real(pq_of(rows), rows_of(rows)->current, column, &ok);
    if (!ok)
        fail_type(rows, column);
    return value;
}

static Str postgres_text(Rows *rows, int column)
{
    bool ok;
    if (postgres_is_null(rows, column))
        return STR_NULL;
    Str value = pg_text(rows->tx->arena, pq_of(rows), rows_of(rows)->current, column, &ok);
    if (!ok)
        fail_type(rows, column);
    note_carried(connection_of(rows->tx->connection), value.n);
    return value;
}

static bool postgres_time(Rows *rows, int column, Time *ret_time)
{
    *ret_time = TIME_NULL;
    return postgres_is_null(rows, column) || pg_time(pq_of(rows), rows_of(rows)->current, column, ret_time);
}

static bool postgres_interval(Rows *rows, int column, int64_t *ret_us)
{
    return pg_interval(pq_of(rows), rows_of(rows)->current, column, ret_us);
}

const Driver postgres_driver = {
    .dialect = &dialect,
    .many_writers = true,
    .short_us = 100 * 1000, /* making room costs the connection */
    .step_us = 25 * 1000,   /* for which only those wait that change the same rows */
    .takes = postgres_takes,
    .locate = postgres_locate,
    .connect = postgres_connect,
    .disconnect = postgres_disconnect,
    .is_connected = postgres_is_connected,
    .connected = postgres_connected,
    .step = postgres_step,
    .rest = postgres_rest,
    .in_transaction = postgres_in_transaction,
    .set_deadline = postgres_set_deadline,
    .query = postgres_query,
    .exec = postgres_exec,
    .send = postgres_send,
    .lock = postgres_lock,
    .try_lock = postgres_try_lock,
    .lock_row = postgres_lock_row,
    .script = postgres_script,
    .build = postgres_build,
    .may_serve = postgres_may_serve,
    .next = postgres_next,
    .finish = postgres_finish,
    .is_null = postgres_is_null,
    .integer = postgres_integer,
    .real = postgres_real,
    .text = postgres_text,
    .time = postgres_time,
    .interval = postgres_interval,
};
