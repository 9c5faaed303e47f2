/* db/postgres_wire.c -- one connection to PostgreSQL in pipeline mode: statements go out without waiting, results
 * are read when somebody wants them, and every wait has an end.
 *
 * `pending` is what was sent and is not answered yet, in order. Its head is what libpq reads now. */
#include "base/log.h"
#include "db/postgres.h"
#include "db/postgres_cancel.h"

#include <errno.h>
#include <poll.h>

#define LOGGER "orion.db"
#define SYNC_PENDING ((PgPending){ .kind = PENDING_SYNC })

/* a connection idle for so long is asked first, and has so long to answer */
static const int64_t IDLE_US = 5 * SECOND, WAKE_US = SECOND;
enum { POLL_MAX = 60 * 1000, STOP_MS = 20, LAST_WORD_MS = 200, NAME_SIZE = 40, MARGIN_MS = 250 };

/* ---- what is pending ---- */

static PgPending *head(PgConnection *c)
{
    return &c->pending[c->first];
}

static void push(PgConnection *c, PgPending pending)
{
    if (c->pending_count == c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 32;
        PgPending *ring = xcalloc(capacity, sizeof(*ring));
        for (size_t i = 0; i < c->pending_count; i++)
            ring[i] = c->pending[(c->first + i) % c->capacity];
        free(c->pending);
        c->pending = ring;
        c->capacity = capacity;
        c->first = 0;
    }
    c->pending[(c->first + c->pending_count++) % c->capacity] = pending;
    if (c->pending_count == 1 && pending.kind == PENDING_ROWS)
        c->pq->setSingleRowMode(c->pg);
}

/* The next one is read from here on; libpq must know before its first byte whether rows are to come one by one. */
static void pop(PgConnection *c)
{
    c->first = (c->first + 1) % c->capacity;
    c->pending_count--;
    if (c->pending_count > 0 && head(c)->kind == PENDING_ROWS)
        c->pq->setSingleRowMode(c->pg);
}

/* ---- failures ---- */

static void end_rows(PgConnection *c)
{
    for (size_t i = 0; i < c->pending_count; i++)
        if (c->pending[(c->first + i) % c->capacity].rows)
            c->pending[(c->first + i) % c->capacity].rows->has_ended = true;
}

/* Nothing of a transaction that was not committed is left behind, so it may be run again on another connection. */
static bool lose(PgConnection *c, Error *error, const char *why)
{
    bool in_doubt = c->is_committing;
    end_rows(c);
    pg_disconnect(c);
    c->base.may_retry = !in_doubt;
    log_warning(LOGGER, "A connection to the database was lost: %s", why);
    if (in_doubt)
        return fail(error, ERR_BUSY,
                    "The connection to the database was lost while a write was being committed: "
                    "it may be stored or not (%s)",
                    why);
    return fail(error, ERR_BUSY, "%s: %s", PG_UNREACHABLE, why);
}

/* A read that must stop. The server is asked to end it, but nobody waits until it has: that might hit what the
 * connection does next. So it is not used again. */
static bool give_up(PgConnection *c, Error *error)
{
    end_rows(c);
    pg_cancel(c->pq, c->pg);
    pg_disconnect(c);
    c->base.may_retry = false;
    return fail(error, ERR_BUSY, DB_TOO_LONG);
}

static bool lose_by_libpq(PgConnection *c, Error *error)
{
    char why[256];
    snprintf(why, sizeof why, "%s", c->pg ? c->pq->errorMessage(c->pg) : "it is not connected");
    why[strcspn(why, "\n")] = '\0';
    return lose(c, error, why);
}

typedef struct SqlState { /* tried in order; two characters match a whole class */
    const char *sqlstate;
    ErrorCode code;
    bool may_retry;
    const char *message;   /* NULL: the server's */
    enum { KEEP, RENEW, LOST } connection; /* RENEW: another one is made after the rollback */
} SqlState;

static const SqlState states[] = {
    { "40001", ERR_BUSY, true, "The write collided with another one" },
    { "40P01", ERR_BUSY, true, "The write collided with another one" },
    { "23", ERR_INTEGRITY, false, NULL },
    { "22", ERR_INVALID, false, NULL },
    { "42501", ERR_BUSY, false, NULL }, /* the role lacks a right */
    { "54000", ERR_INVALID, false, NULL }, /* an index row too large, and the like */
    { "57014", ERR_BUSY, false, DB_TOO_LONG },
    { "55P03", ERR_BUSY, false, "The database waited too long for a lock" },
    { "25P03", ERR_BUSY, false, "The database ended a transaction that waited too long" },
    /* a session is read-only from its start */
    { "25006", ERR_BUSY, false, "The database accepts no writes: it is read-only", RENEW },
    { "53100", ERR_BUSY, false, "The database accepts no writes: its disk is full" },
    { "53300", ERR_BUSY, true, "The database has no connection left" },
    { "53", ERR_BUSY, false, "The database is out of resources" },
    { "57", ERR_BUSY, true, NULL, LOST },
    { "58", ERR_BUSY, false, "The database cannot read or write its files" },
    { "08", ERR_BUSY, true, NULL, LOST },
    /* a pooler that lends connections per transaction */
    { "26000", ERR_BUSY, true, "A prepared statement is gone", RENEW },
    { "42P05", ERR_BUSY, true, "A prepared statement is not this connection's", RENEW },
    { "0A000", ERR_BUSY, true, "The database's tables changed", RENEW },
    /* a prepared statement whose parameter has a type that was dropped */
    { "XX000", ERR_BUSY, true, "The database's tables changed", RENEW },
};

/* Errors that a retry does not cure: a read that writes is our mistake, and so are too few values (08P01, which
 * poolers use for more); of what is not supported, and of internal errors, only one kind each goes away by itself. */
static bool is_mistake(const PgConnection *c, const PGresult *result, const char *sqlstate, const char *message)
{
    const char *function = c->pq->resultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
    const char *severity = c->pq->resultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    return (strcmp(sqlstate, "25006") == 0 && c->is_read)
           || (strcmp(sqlstate, "08P01") == 0 && severity && strcmp(severity, "ERROR") == 0)
           || (strcmp(sqlstate, "0A000") == 0 && !(function && strcmp(function, "RevalidateCachedQuery") == 0))
           || (strcmp(sqlstate, "XX000") == 0 && !(message && strstr(message, "cache lookup failed for type")));
}

static const SqlState *sql_state_find(const char *sqlstate)
{
    for (size_t i = 0; sqlstate && i < COUNT_OF(states); i++)
        if (strncmp(sqlstate, states[i].sqlstate, strlen(states[i].sqlstate)) == 0)
            return &states[i];
    return NULL;
}

static void forget_statements(PgConnection *c)
{
    for (unsigned i = 0; i < c->statement_count; i++) {
        free(c->statements[i]->sql);
        free(c->statements[i]);
    }
    c->statement_count = 0;
}

/* What was prepared is gone, or somebody else's: connections are lent per transaction, and from now on nothing is
 * kept on this one. */
static void change_over(PgConnection *c)
{
    c->keeps_statements = c->has_limit = false;
    if (!atomic_exchange(&c->place->shared->is_pooler_told, true))
        log_warning(LOGGER, "The database is behind a pooler in transaction mode: statements are no longer prepared. "
                    "Set ORION_DATABASE_PGBOUNCER=true to say so from the start.");
}

/* COMMIT is followed by a sync and nothing else. */
static bool is_at_commit(const PgConnection *c)
{
    return c->pending_count <= 2;
}

static bool fail_result(PgConnection *c, const PGresult *result, Error *error)
{
    const char *sqlstate = c->pq->resultErrorField(result, PG_DIAG_SQLSTATE),
               *message = c->pq->resultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const SqlState *state = sql_state_find(sqlstate);
    if (!sqlstate) /* made by libpq itself when the connection breaks */
        return lose_by_libpq(c, error);
    if (!state || is_mistake(c, result, sqlstate, message))
        return fail(error, ERR_INTERNAL, "PostgreSQL: %s (SQLSTATE %s)", message ? message : "", sqlstate);
    if (state->connection == LOST) {
        /* answers come in order: with others before it, the COMMIT was not reached */
        c->is_committing = c->is_committing && is_at_commit(c);
        return lose(c, error, message ? message : sqlstate);
    }
    if (strcmp(sqlstate, "26000") == 0 || strcmp(sqlstate, "42P05") == 0)
        change_over(c);
    if (state->connection == RENEW)
        c->must_reconnect = true;
    if (error->code == ERR_NONE)
        c->base.may_retry = state->may_retry;
    if (strcmp(sqlstate, "42501") == 0)
        return fail(error, state->code,
                    "%s: the role %s needs GRANT SELECT, INSERT, UPDATE, DELETE on all of Orion's tables",
                    message ? message : sqlstate, c->pq->user(c->pg));
    return fail(error, state->code, "%s", state->message ? state->message : message ? message : sqlstate);
}

/* ---- waiting ---- */

static int wait_ms(const PgConnection *c)
{
    int most = c->base.read ? STOP_MS : POLL_MAX;
    if (!c->deadline)
        return most;
    int64_t left = c->deadline - clock_monotonic();
    return left <= 0 ? 0 : left > most * (int64_t)1000 ? most : (int)(left / 1000) + 1;
}

bool pg_is_late(const PgConnection *c)
{
    return c->deadline && clock_monotonic() >= c->deadline;
}

bool pg_wait_socket(PgConnection *c, short events)
{
    struct pollfd socket = { .fd = c->pq->socket(c->pg), .events = events };
    while (!pg_is_late(c) && !db_must_stop(&c->base)) {
        int ready = poll(&socket, 1, wait_ms(c));
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return true;
    }
    return false;
}

/* Sends what libpq has buffered, and reads what has come, until there is a result. */
static bool await_result(PgConnection *c, Error *error)
{
    while (c->pq->isBusy(c->pg)) {
        int unsent = c->pq->flush(c->pg);
        if (unsent < 0)
            return lose_by_libpq(c, error);
        if (c->base.stopped != STOP_NOT) /* perhaps between two rows */
            return give_up(c, error);
        if (!pg_wait_socket(c, (short)(POLLIN | (unsent ? POLLOUT : 0))))
            return c->base.stopped != STOP_NOT ? give_up(c, error) : lose(c, error, "it did not answer in time");
        if (!c->pq->consumeInput(c->pg))
            return lose_by_libpq(c, error);
    }
    return true;
}

/* What comes unasked is most likely the server's last word, soon followed by the end of the connection. */
bool pg_look(PgConnection *c, Error *error)
{
    for (int i = 0; c->pg && i < 2; i++) {
        struct pollfd socket = { .fd = c->pq->socket(c->pg), .events = POLLIN };
        if (poll(&socket, 1, i > 0 && c->pending_count == 0 ? LAST_WORD_MS : 0) <= 0)
            return true;
        if (!c->pq->consumeInput(c->pg))
            return lose_by_libpq(c, error);
    }
    return c->pg || lose_by_libpq(c, error);
}

/* ---- results ---- */

static void keep(PgRows *rows, PGresult *row)
{
    if (rows->kept_count == rows->kept_capacity) {
        rows->kept_capacity = rows->kept_capacity ? 2 * rows->kept_capacity : 16;
        rows->kept = xrealloc(rows->kept, rows->kept_capacity * sizeof(*rows->kept));
    }
    rows->kept[rows->kept_count++] = row;
}

/* The statement at the head is answered. */
static void complete(PgConnection *c, const PGresult *result)
{
    PgPending *pending = head(c);
    const char *text = c->pq->cmdTuples((PGresult *)(uintptr_t)result);
    if (pending->kind == PENDING_COUNT)
        c->count = text[0] ? strtoll(text, NULL, 10) : 0;
    if (pending->kind == PENDING_PREPARE)
        pending->statement->is_ready = true;
    if (c->is_committing && strcmp(c->pq->cmdStatus((PGresult *)(uintptr_t)result), "ROLLBACK") == 0)
        c->was_rolled_back = true;
}

/* The end of what is at the head: its NULL, or a sync. */
static void end_head(PgConnection *c)
{
    if (head(c)->rows)
        head(c)->rows->has_ended = true;
    pop(c);
}

/* Reads one result of what is at the head. A row of it is returned in *ret_row if somebody reads those; false:
 * *error. */
static bool read_one(PgConnection *c, PGresult **ret_row, Error *error)
{
    *ret_row = NULL;
    if (!await_result(c, error))
        return false;
    PGresult *result = c->pq->getResult(c->pg);
    if (!result) {
        end_head(c);
        return true;
    }
    bool ok = true;
    switch (c->pq->resultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
        if (head(c)->rows) {
            *ret_row = result;
            return true;
        }
        break;
    case PGRES_TUPLES_OK:
        /* they came all at once, although single rows were asked for: none may be lost */
        if (head(c)->rows && c->pq->ntuples(result) > 0)
            ok = fail(error, ERR_INTERNAL, "libpq gave the rows of a query in one piece");
        complete(c, result);
        break;
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY: complete(c, result); break;
    case PGRES_PIPELINE_SYNC: end_head(c); break;
    case PGRES_PIPELINE_ABORTED: break; /* after a failure that was reported */
    default: ok = fail_result(c, result, error); break;
    }
    c->pq->clear(result);
    return ok;
}

/* Rows that are not read to their end are kept for their reader. */
bool pg_settle(PgConnection *c, Error *error)
{
    Error first = { .code = ERR_NONE };
    while (c->pg && c->pending_count > 0) {
        PGresult *row;
        PgRows *rows = head(c)->rows;
        (void)!read_one(c, &row, &first);
        if (row)
            keep(rows, row);
    }
    if (first.code == ERR_NONE)
        return c->pg || fail(error, ERR_BUSY, PG_UNREACHABLE);
    return fail(error, first.code, "%s", first.message);
}

PGresult *pg_next_row(PgConnection *c, PgRows *rows, Error *error)
{
    if (rows->kept_first < rows->kept_count)
        return rows->kept[rows->kept_first++];
    Error first = { .code = ERR_NONE };
    while (!rows->has_ended && c->pg) {
        PGresult *row;
        PgRows *reader = head(c)->rows;
        (void)!read_one(c, &row, &first);
        if (row && reader == rows)
            return row;
        if (row)
            keep(reader, row);
    }
    if (first.code != ERR_NONE)
        (void)fail(error, first.code, "%s", first.message);
    return NULL;
}

/* ---- sending ---- */

static PgStatement *statement_find(PgConnection *c, const char *sql, uint64_t hash)
{
    for (unsigned i = 0; i < c->statement_count; i++)
        if (c->statements[i]->hash == hash && strcmp(c->statements[i]->sql, sql) == 0)
            return c->statements[i];
    return NULL;
}

/* The text decides the name: behind an unknown pooler a name may be another connection's, and must not mean
 * something else. */
static void statement_name(const PgStatement *statement, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "s%016llx_%zu", (unsigned long long)statement->hash, strlen(statement->sql));
}

/* Makes room for one more, if need be in place of the statement unused for longest. All answers are read before, so
 * that those being prepared are ready. */
static bool make_room(PgConnection *c, Error *error)
{
    if (c->statement_count < PG_STATEMENTS)
        return true;
    if (c->pending_count > 0 && (!c->pq->sendFlushRequest(c->pg) || !pg_settle(c, error)))
        return c->pg ? false : lose_by_libpq(c, error);
    unsigned oldest = 0;
    for (unsigned i = 1; i < c->statement_count; i++)
        if (c->statements[i]->last_use < c->statements[oldest]->last_use)
            oldest = i;
    PgStatement *statement = c->statements[oldest];
    char name[NAME_SIZE], text[NAME_SIZE + 16];
    statement_name(statement, name);
    snprintf(text, sizeof text, "DEALLOCATE %s", name);
    c->statements[oldest] = c->statements[--c->statement_count];
    free(statement->sql);
    free(statement);
    return pg_send_plain(c, text, error);
}

static bool prepare(PgConnection *c, const char *sql, uint64_t hash, PgStatement **ret, Error *error)
{
    if (!make_room(c, error))
        return false;
    PgStatement *statement = xcalloc(1, sizeof(*statement));
    size_t n = strlen(sql) + 1;
    statement->sql = xmalloc(n);
    memcpy(statement->sql, sql, n);
    statement->hash = hash;
    c->statements[c->statement_count++] = statement;
    char name[NAME_SIZE];
    statement_name(statement, name);
    if (!c->pq->sendPrepare(c->pg, name, sql, 0, NULL))
        return lose_by_libpq(c, error);
    push(c, (PgPending){ .kind = PENDING_PREPARE, .statement = statement });
    *ret = statement;
    return true;
}

bool pg_send_plain(PgConnection *c, const char *sql, Error *error)
{
    if (!c->pg || !c->pq->sendQueryParams(c->pg, sql, 0, NULL, NULL, NULL, NULL, 1))
        return lose_by_libpq(c, error);
    push(c, (PgPending){ .kind = PENDING_IGNORED });
    return true;
}

int64_t pg_statement_ms(int64_t ms)
{
    return ms - (ms / 2 < MARGIN_MS ? ms / 2 : MARGIN_MS);
}

/* Less than the session's limit if the job has waited before: the server must not go on with what nobody waits for,
 * on connections that we have given up. More for a job with a longer limit of its own. */
static int64_t statement_limit(const PgConnection *c)
{
    if (!c->deadline)
        return c->place->statement_ms;
    int64_t left = pg_statement_ms((c->deadline - clock_monotonic()) / 1000);
    return left < 1 ? 1 : left;
}

/* The same, or near enough. */
static bool is_sessions_limit(const PgConnection *c, int64_t limit)
{
    int64_t sessions = c->place->statement_ms;
    return c->has_limit && limit <= sessions && 8 * limit > 7 * sessions;
}

static bool begin(PgConnection *c, Error *error)
{
    int64_t limit = statement_limit(c);
    c->is_begun = true;
    if (!pg_send_plain(c,
                       c->is_read ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
                                  : "BEGIN ISOLATION LEVEL READ COMMITTED",
                       error))
        return false;
    if (!limit || is_sessions_limit(c, limit))
        return true;
    char text[64];
    snprintf(text, sizeof text, "SET LOCAL statement_timeout = %lld", (long long)limit);
    return pg_send_plain(c, text, error);
}

static bool send_prepared(PgConnection *c, const char *sql, const char *const *values, int count, Error *error)
{
    uint64_t hash = db_statement_hash(sql);
    PgStatement *statement = statement_find(c, sql, hash);
    char name[NAME_SIZE];
    if (!statement && !prepare(c, sql, hash, &statement, error))
        return false;
    statement->last_use = ++c->use_clock;
    statement_name(statement, name);
    return c->pq->sendQueryPrepared(c->pg, name, count, values, NULL, NULL, 1) || lose_by_libpq(c, error);
}

bool pg_send(PgConnection *c, const char *sql, const char *const *values, int count, PgPending pending, Error *error)
{
    if (!c->pg)
        return fail(error, ERR_BUSY, PG_UNREACHABLE);
    if (!c->is_begun && !begin(c, error))
        return false;
    bool sent = c->keeps_statements
                    ? send_prepared(c, sql, values, count, error)
                    : c->pq->sendQueryParams(c->pg, sql, count, NULL, values, NULL, NULL, 1) || lose_by_libpq(c, error);
    if (!sent)
        return false;
    push(c, pending);
    return pending.kind == PENDING_IGNORED || c->pq->sendFlushRequest(c->pg) || lose_by_libpq(c, error);
}

/* The server does not know statements that failed before they were prepared. */
static void drop_unready(PgConnection *c)
{
    for (unsigned i = c->statement_count; i-- > 0;)
        if (!c->statements[i]->is_ready) {
            free(c->statements[i]->sql);
            free(c->statements[i]);
            c->statements[i] = c->statements[--c->statement_count];
        }
}

bool pg_sync(PgConnection *c, Error *error)
{
    if (!c->pg || !c->pq->pipelineSync(c->pg))
        return lose_by_libpq(c, error);
    push(c, SYNC_PENDING);
    return c->pq->flush(c->pg) >= 0 || lose_by_libpq(c, error);
}

void pg_wake(PgConnection *c)
{
    int64_t job_deadline = c->deadline, now = clock_monotonic();
    if (c->pg && c->last_use < atomic_load(&c->place->shared->lost_at))
        pg_disconnect(c);
    if (!c->pg || now - c->last_use < IDLE_US)
        return;
    Error ignored = { .code = ERR_NONE };
    c->deadline = job_deadline && job_deadline < now + WAKE_US ? job_deadline : now + WAKE_US;
    if (!pg_sync(c, &ignored) || !pg_settle(c, &ignored)) {
        if (pg_is_late(c))
            atomic_store(&c->place->shared->lost_at, clock_monotonic());
        pg_disconnect(c);
    }
    c->deadline = job_deadline;
}

static bool roll_back(PgConnection *c)
{
    Error ignored = { .code = ERR_NONE }, told = { .code = ERR_NONE };
    if (!pg_sync(c, &ignored))
        return false;
    (void)!pg_settle(c, &told); /* the failure that is known already */
    if (!c->pg)
        return false;
    drop_unready(c);
    return pg_send_plain(c, "ROLLBACK", &ignored) && pg_sync(c, &ignored) && pg_settle(c, &ignored);
}

void pg_end_failed(PgConnection *c)
{
    bool may_retry = c->base.may_retry;
    if (c->pg && (!roll_back(c) || c->must_reconnect))
        pg_disconnect(c);
    c->base.may_retry = may_retry;
}

static bool run_outside(PgConnection *c, const char *sql, Error *error)
{
    if (!c->pq->exitPipelineMode(c->pg) || !c->pq->sendQuery(c->pg, sql))
        return lose_by_libpq(c, error);
    PGresult *result;
    bool ok = true;
    while (await_result(c, error) && (result = c->pq->getResult(c->pg))) {
        ExecStatusType status = c->pq->resultStatus(result);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
            ok = fail_result(c, result, error);
        c->pq->clear(result);
        if (!c->pg)
            return false;
    }
    return c->pg && (c->pq->enterPipelineMode(c->pg) || lose_by_libpq(c, error)) && ok;
}

bool pg_script(PgConnection *c, const char *sql, Error *error)
{
    return (c->is_begun || begin(c, error)) && pg_sync(c, error) && pg_settle(c, error) && run_outside(c, sql, error);
}

/* The session's own limit would end it; a limit of the role's stays where the session has none. */
bool pg_run_apart(PgConnection *c, const char *sql, Error *error)
{
    Error ignored = { 0 };
    if (!pg_settle(c, error) || (c->has_limit && !run_outside(c, "SET statement_timeout = 0", error)))
        return false;
    bool ok = run_outside(c, sql, error);
    if (c->pg && c->has_limit && !run_outside(c, "RESET statement_timeout", &ignored) && c->pg)
        pg_disconnect(c);
    return ok;
}

/* ---- the end ---- */

void pg_disconnect(PgConnection *c)
{
    if (c->pg)
        c->pq->finish(c->pg);
    if (c->is_counted)
        atomic_fetch_sub(&c->place->shared->connected, 1);
    c->pg = NULL;
    c->is_counted = false;
    c->pending_count = 0;
    c->first = 0;
    c->is_begun = c->is_committing = false;
    forget_statements(c);
}
