/* db/postgres.h -- what the files of the PostgreSQL driver share; nothing else includes it. */
#ifndef ORION_POSTGRES_H
#define ORION_POSTGRES_H

#include "db/driver.h"
#include "db/libpq.h"

#include <stdatomic.h>

/* ---- postgres_url.c: a URL as SQLAlchemy takes it ---- */

/* What the connections to one place share. */
typedef struct PgShared {
    atomic_uint connected;             /* how many there are */
    _Atomic(int64_t) lost_at;          /* monotonic: when one was last found silently dropped; 0: never */
    atomic_bool is_pooler_told;        /* the log reports a pooler once */
} PgShared;

typedef struct PgHost {               /* texts are "" where libpq's default is meant */
    const char *name, *address, *port;
    bool must_be_found;                /* a name without an address */
} PgHost;

typedef struct PgPlace {
    Libpq pq;
    const char **keywords, **values;   /* for PQconnectStartParams, NULL at the end; the password is among them */
    const char **plain_values;         /* the same without our options, for proxies that refuse them; NULL: there are
                                        * none */
    PgHost *hosts;                     /* tried in turn */
    size_t host_count;                 /* 0: libpq knows where */
    size_t host_at, address_at, port_at; /* of these keywords */
    PgShared *shared;
    bool keeps_statements;             /* false: connections are lent per transaction (PgBouncer), nothing may be
                                        * kept on them */
    double connect_timeout;            /* seconds */
    int64_t statement_ms;              /* the longest statement; 0: no limit */
} PgPlace;

enum { PG_KEYWORDS_MAX = 64, PG_KEYWORDS_OURS = 12 }; /* of a URL; room for those that we add */

bool postgres_takes(Str scheme);
size_t pg_keyword_find(const PgPlace *place, const char *keyword); /* its index, or that of the first free one */
/* "postgresql+asyncpg://user:password@host:port/database?…" into keywords and values. */
bool postgres_url_read(Arena *arena, Str url, PgPlace *place, Error *error) MUST_CHECK;

/* ---- postgres_value.c: values as text on the way in, binary on the way out ---- */

/* NULL: SQL's NULL, or tx->error is set for what PostgreSQL cannot hold. */
const char *pg_parameter(Tx *tx, const Value *value);
int64_t pg_integer(const Libpq *pq, const PGresult *row, int column, bool *ret_ok);
double pg_real(const Libpq *pq, const PGresult *row, int column, bool *ret_ok);
/* Borrowed from the row; what is not text on the wire is converted in the arena. */
Str pg_text(Arena *arena, const Libpq *pq, const PGresult *row, int column, bool *ret_ok);
bool pg_time(const Libpq *pq, const PGresult *row, int column, Time *ret);
bool pg_interval(const Libpq *pq, const PGresult *row, int column, int64_t *ret_us);

/* ---- postgres_wire.c: one connection, and what is under way on it ---- */

typedef struct PgRows PgRows;
typedef struct PgStatement PgStatement;

/* Something sent whose results are still to come, in the order of sending. */
typedef struct PgPending {
    enum { PENDING_IGNORED, PENDING_COUNT, PENDING_ROWS, PENDING_PREPARE, PENDING_SYNC } kind;
    PgRows *rows;             /* PENDING_ROWS; NULL: nobody wants them any more */
    PgStatement *statement;   /* PENDING_PREPARE */
} PgPending;

struct PgStatement {          /* prepared on the server under a name that its text gives */
    char *sql;
    uint64_t hash, last_use;
    bool is_ready;            /* confirmed by the server */
};

enum { PG_STATEMENTS = 256 };

typedef struct PgConnection {
    DbConnection base;
    const PgPlace *place;
    const Libpq *pq;
    PGconn *pg;               /* NULL: not connected */
    bool keeps_statements;    /* the place's, until connections turn out to be lent per transaction */
    bool has_limit;           /* the session has the place's statement_timeout */
    bool is_counted;          /* among the connected ones */
    bool is_plain;            /* a proxy refused our options */
    int64_t last_use;         /* monotonic */
    int64_t deadline;         /* monotonic; 0: none */
    bool in_transaction;      /* begun, as db.c sees it */
    bool is_begun;            /* BEGIN was sent: it goes out with the first statement */
    bool is_committing;
    bool is_read;
    bool must_reconnect;      /* what the session holds no longer fits */
    size_t carried;           /* the longest text that a statement sent or a row brought since the last rest */
    int64_t count;            /* rows changed by the last PENDING_COUNT */
    bool was_rolled_back;     /* COMMIT was answered by ROLLBACK */
    PgPending *pending;       /* a ring */
    size_t first, pending_count, capacity;
    PgStatement *statements[PG_STATEMENTS];
    unsigned statement_count;
    uint64_t use_clock;
} PgConnection;

struct PgRows {
    Rows base;
    PGresult *current;        /* the present row, the first of *current */
    PGresult **kept;          /* rows that came while something else was asked for */
    size_t kept_first, kept_count, kept_capacity;
    bool has_ended;           /* nothing more comes from the server */
};

/* The server's limit for a statement whose answer is awaited for `ms`: shorter, so that the server gives up first. */
int64_t pg_statement_ms(int64_t ms);
bool pg_is_late(const PgConnection *c);
/* Waits for events of poll(); false: the deadline has passed. */
bool pg_wait_socket(PgConnection *c, short events) MUST_CHECK;
void pg_disconnect(PgConnection *c);
/* Sends a statement, prepared if the place keeps statements; BEGIN is sent before the first of a transaction. */
bool pg_send(PgConnection *c, const char *sql, const char *const *values, int count, PgPending pending,
             Error *error) MUST_CHECK;
/* The same without parameters and never prepared. */
bool pg_send_plain(PgConnection *c, const char *sql, Error *error) MUST_CHECK;
bool pg_sync(PgConnection *c, Error *error) MUST_CHECK;
/* After a failure: back to the state before BEGIN, or without a connection. */
void pg_end_failed(PgConnection *c);
/* Asks a connection that has been idle for a while whether it is still there, and gives it up if not. One that was
 * not used since another was found dropped is given up without being asked. */
void pg_wake(PgConnection *c);
/* Detects a loss that can be known by now. */
bool pg_look(PgConnection *c, Error *error) MUST_CHECK;
bool pg_settle(PgConnection *c, Error *error) MUST_CHECK; /* reads until nothing is pending */
/* The next row of these; NULL: the end, or *error. */
PGresult *pg_next_row(PgConnection *c, PgRows *rows, Error *error);
/* Outside of the pipeline, ignoring all results: several statements at once; one that is in no transaction. */
bool pg_script(PgConnection *c, const char *sql, Error *error) MUST_CHECK;
bool pg_run_apart(PgConnection *c, const char *sql, Error *error) MUST_CHECK;

/* ---- postgres_connect.c: making one ---- */

#define PG_UNREACHABLE "The database cannot be reached"

/* Finds the place's hosts, once its keywords are complete. */
void pg_hosts_read(Arena *arena, PgPlace *place);
/* Connects and checks the server. With `persist`, tries again until the deadline if it cannot be reached, unless
 * others have a connection (base.is_refused). */
bool pg_connect(PgConnection *c, bool persist, Error *error) MUST_CHECK;

/* postgres_rights.c: Driver.may_serve. */
bool postgres_may_serve(Tx *tx, int64_t connections) MUST_CHECK;

#endif
