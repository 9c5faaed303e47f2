/* db/db.h -- the database as all layers above see it: jobs in transactions, statements with bound values, rows.
 * Nothing here depends on the engine. */
#ifndef ORION_DB_H
#define ORION_DB_H

#include <stdatomic.h>

#include "base/arena.h"
#include "config/settings.h"
#include "db/dialect.h"
#include "db/locks.h"
#include "db/value.h"
typedef struct Db Db;
typedef struct Rows Rows;

/* ---- transactions ---- */

/* One job's view of its transaction. The arena is the job's; error is sticky: after a failure statements do nothing. */
struct Tx {
    Arena *arena;
    Error *error;
    Time now;              /* fixed when the job starts to run */
    const Dialect *sql;
    void *connection;      /* the driver's */
    int64_t step_end;      /* monotonic; a long write ends then and sets */
    bool again;            /* what it did is committed, and it is run again, for the rest, after others that wait */
};
bool tx_has_time(const Tx *tx); /* until step_end */

/* For a loop over many rows: what is taken from tx->arena from here on is the loop's, which resets it after each row.
 * Returns the job's arena, for tx_arena_end after the loop. */
Arena *tx_arena_begin(Tx *tx) MUST_CHECK;
void tx_arena_end(Tx *tx, Arena *of_job);

/* A unit of work: one transaction of its own as far as anybody can see (SQLite's writers are grouped under savepoints
 * and committed together). `run` returns false to roll back, with tx->error set. It may be called again, for a read too
 * (a group's commit that failed, a collision, a lost connection), so it must start from its inputs each time. `done` is
 * called once, on a database thread, after the commit is on the disk (or the rollback), with the error (code ERR_NONE:
 * committed). */
typedef struct Job {
    bool (*run)(Tx *tx, void *arg);
    void (*done)(void *arg, const Error *error);
    void *arg;
    Arena *arena;
    bool write;
    int64_t limit;         /* microseconds, where many write and that is longer than the database's timeout */
    const atomic_bool *unwanted; /* of a read: once it is true, it is not begun, or stopped (ERR_BUSY); may be NULL */
    _Atomic int64_t *usual; /* of a read: how long such ones take, in microseconds, as the database notes it; 0 at
                             * first; one for all of a kind, which outlives them. NULL: nobody knows */
    /* The database's own, from db_submit on. */
    Error error;
    int64_t queued;
    uint64_t turn;         /* in its queue: who has the lower one came first */
    unsigned steps;        /* of a write: done so far */
    bool is_long, again;   /* a read, or further step of a write, that must leave room for others; it is not done */
    struct Job *next;
} Job;

typedef struct DbConfig {
    Str url;               /* sqlite+aiosqlite:///…, postgresql+asyncpg://…; the password never reaches a log */
    double timeout;        /* seconds: for others' locks, and for a read (a job, where many write); 0: no limit */
    double connect_timeout; /* seconds to reach a server */
    unsigned readers;      /* threads for reads, where one writes */
    int64_t cache;         /* SQLite: bytes of pages, of all connections together; 0: the library's default */
    unsigned connections;  /* threads for reads and writes, where many write; 0: the default */
    bool pgbouncer;        /* connections are lent per transaction: nothing may be kept on them */
    int64_t slow;          /* microseconds from which a statement's text and time are logged; 0: never */
    bool echo;             /* log each statement's text (never its values) */
    bool must_exist;       /* SQLite: do not create the file, but fail */
    bool never_create;     /* SQLite: do not create the file; an empty database in memory takes its place */
    const char *file;      /* instead of `url`: an SQLite file that nobody else uses, without a log; NULL: none */
    bool is_read_only;     /* `file` is */
    bool no_references;    /* SQLite: they are not enforced, and no memory is spared: for upgrade/ */
} DbConfig;

DbConfig db_config(const Settings *settings); /* with `readers` and `connections` for a server */
int64_t db_migration_limit(const Settings *settings); /* for db_run_within */

/* Opens (creating the file if there is none), starts the threads; does not migrate. NULL: *error is for the user. */
Db *db_open(const DbConfig *config, Error *error) MUST_CHECK;
bool db_check(Arena *arena, const DbConfig *config, Error *error) MUST_CHECK; /* only the URL and the folder it names */
void db_close(Db *db); /* finishes queued jobs, checkpoints, ends the threads; NULL is fine */

void db_submit(Db *db, Job *job);
/* Submits and waits: for services, start-up and the command line, never for the HTTP loop. `limit`: Job.limit. */
bool db_run(Db *db, bool write, Arena *arena, bool (*run)(Tx *, void *), void *arg, Error *error) MUST_CHECK;
bool db_run_within(Db *db, int64_t limit, bool write, Arena *arena, bool (*run)(Tx *, void *), void *arg,
                   Error *error) MUST_CHECK;
const Dialect *db_dialect(const Db *db);

/* ---- statements; $1 $2 … are the places of the values ----
 * SQL must be a literal ("" sql refuses anything else); statements are cached by text. */
#define DB_VALUES(...) (const Value[]){ { .kind = VAL_NULL }, ##__VA_ARGS__ } + 1, \
    sizeof((const Value[]){ { .kind = VAL_NULL }, ##__VA_ARGS__ }) / sizeof(Value) - 1
#define DB_QUERY(tx, sql, ...) db_query((tx), "" sql, DB_VALUES(__VA_ARGS__))
#define DB_EXEC(tx, sql, ...) db_exec((tx), "" sql, DB_VALUES(__VA_ARGS__))
/* A statement whose count nobody needs: it may be sent with what follows, and its failure is then found there. */
#define DB_SEND(tx, sql, ...) db_send((tx), "" sql, DB_VALUES(__VA_ARGS__))
/* One integer of the first row, or `otherwise`. */
#define DB_INT(tx, otherwise, sql, ...) db_int((tx), (otherwise), "" sql, DB_VALUES(__VA_ARGS__))
/* One text (copied to the arena) of the first row, or STR_NULL. */
#define DB_TEXT(tx, sql, ...) db_text((tx), "" sql, DB_VALUES(__VA_ARGS__))

/* Text made by entity/ from tables; the text must live in the job's arena or be a literal. Never NULL. */
Rows *db_query(Tx *tx, const char *sql, const Value *values, size_t count);
int64_t db_exec(Tx *tx, const char *sql, const Value *values, size_t count); /* rows changed; -1: tx->error */
bool db_send(Tx *tx, const char *sql, const Value *values, size_t count); /* false: tx->error */
int64_t db_int(Tx *tx, int64_t otherwise, const char *sql, const Value *values, size_t count);
Str db_text(Tx *tx, const char *sql, const Value *values, size_t count);

/* Whether a server can work on the database as it is; what it will lack is logged. `connections`: as many as it will
 * ask for; 0: not comparable. */
bool db_may_serve(Tx *tx, int64_t connections) MUST_CHECK; /* false: tx->error says why it must not start */

/* ---- rows ---- */

bool db_next(Rows *rows);  /* false at the end or on failure, which also end the rows (db_done) */
void db_done(Rows *rows);  /* to stop earlier */
/* A value that is not of its column's kind, as other programs may store it, spoils its row. Lists ask row_is_sound,
 * which logs it, and leave the row out; where nobody asks, the job fails (ERR_SPOILED). */
bool row_is_sound(Rows *rows) MUST_CHECK;
void row_spoil(Rows *rows, int column, const char *fault); /* a literal, read after the column's name: "is not JSON" */
void row_name_fault(Rows *rows, const char *name, Str id); /* names them for the message; the first name stays */
bool row_is_typed(const Rows *rows);                       /* columns hold nothing but values of their kinds */
bool row_is_null(Rows *rows, int column);
int64_t row_int(Rows *rows, int column);
double row_real(Rows *rows, int column);
bool row_bool(Rows *rows, int column);
Str row_text(Rows *rows, int column);      /* also UUIDs and JSON: a copy in the job's arena, null for SQL NULL */
Str row_view(Rows *rows, int column);      /* borrowed until the next db_next */
Time row_time(Rows *rows, int column);      /* outside the years 1 to 9999: the nearest time inside */
int64_t row_interval(Rows *rows, int column);

#endif
