/* db/db.h -- the database as all layers above see it: jobs in transactions, statements with bound values, rows.
 * Nothing here tells which engine runs. */
#ifndef ORION_DB_H
#define ORION_DB_H

#include "base/arena.h"
#include "base/clock.h"

typedef struct Db Db;
typedef struct Rows Rows;

/* ---- values ---- */

typedef enum ValueKind {
    VAL_NULL, VAL_INT, VAL_REAL, VAL_BOOL, VAL_TEXT, VAL_UUID,
    VAL_TIME,     /* Time */
    VAL_INTERVAL, /* microseconds; SQLite holds it as a datetime since 1970 */
    VAL_JSON,     /* JSON text in JSON_STORED style */
    VAL_LIST      /* JSON array text bound as one value, for the operators of a Dialect that take a list */
} ValueKind;

typedef struct Value {
    ValueKind kind;
    union { int64_t i; double r; Str s; };
} Value;

/* Each turns "no value" (STR_NULL, TIME_NULL) into SQL NULL. */
static inline Value v_text(Str s) { return s.p ? (Value){ .kind = VAL_TEXT, .s = s } : (Value){ .kind = VAL_NULL }; }
static inline Value v_uuid(Str s) { return s.p ? (Value){ .kind = VAL_UUID, .s = s } : (Value){ .kind = VAL_NULL }; }
static inline Value v_json(Str s) { return s.p ? (Value){ .kind = VAL_JSON, .s = s } : (Value){ .kind = VAL_NULL }; }
static inline Value v_list(Str s) { return (Value){ .kind = VAL_LIST, .s = s }; }
static inline Value v_int(int64_t i) { return (Value){ .kind = VAL_INT, .i = i }; }
static inline Value v_real(double r) { return (Value){ .kind = VAL_REAL, .r = r }; }
static inline Value v_bool(bool b) { return (Value){ .kind = VAL_BOOL, .i = b }; }
static inline Value v_time(Time t) { return t == TIME_NULL ? (Value){ .kind = VAL_NULL } : (Value){ .kind = VAL_TIME, .i = t }; }
static inline Value v_interval(int64_t us) { return (Value){ .kind = VAL_INTERVAL, .i = us }; }
static inline Value v_null(void) { return (Value){ .kind = VAL_NULL }; }

/* ---- SQL texts that differ between engines ---- */

typedef enum SqlOp { /* the filter operators; in each text %c is the column's expression, %v the bound value's place ($n) */
    SQL_ANY, SQL_NOT_ANY,      /* column in / not in the VAL_LIST; a NULL column is in neither */
    SQL_ALL,                   /* the JSON array column holds every string of the VAL_LIST */
    SQL_LIKE,                  /* case-insensitive match with %v (pattern made by the caller, wildcards are the client's) */
    SQL_BEFORE, SQL_AFTER,     /* <= and >= on times */
    SQL_GE, SQL_LE, SQL_EQ,
    SQL_IS_NULL, SQL_IS_NOT_NULL,
    SQL_JSON_EMPTY, SQL_JSON_NOT_EMPTY, /* column = '[]' as the reference compares */
    SQL_LIKE_ANY,              /* the column begins, in any case, with one string of the VAL_LIST */
    SQL_OP_COUNT
} SqlOp;

typedef struct Dialect {
    const char *name;          /* "sqlite" or "postgresql", for messages and tests */
    const char *op[SQL_OP_COUNT];
    const char *now;           /* the database's clock with the reference's precision for `updated` on UPDATE */
} Dialect;

/* ---- transactions ---- */

/* One job's view of its transaction. The arena is the job's own; error is sticky: after a failure statements do nothing. */
typedef struct Tx {
    Arena *arena;
    Error *error;
    Time now;              /* fixed when the job starts to run */
    const Dialect *sql;
    void *connection;      /* the driver's */
} Tx;

/* A unit of work: one transaction of its own as far as anybody can see (writers are grouped under savepoints and committed
 * together). `run` returns false to roll back, with tx->error set. It may be called again after a failed group commit, so it
 * must start from its inputs each time. `done` is called once, on a database thread, after the commit is on the disk (or the
 * rollback), with the error (code ERR_NONE: committed). The job's memory belongs to the caller until `done`. */
typedef struct Job {
    bool (*run)(Tx *tx, void *arg);
    void (*done)(void *arg, const Error *error);
    void *arg;
    Arena *arena;
    bool write;
    /* The database's own, from db_submit on. */
    Error error;
    int64_t queued;
    struct Job *next;
} Job;

typedef struct DbConfig {
    Str url;               /* sqlite+aiosqlite:///…; the password never reaches a log */
    double timeout;        /* seconds: waiting for another process's lock, and the longest read */
    unsigned readers;      /* threads for reads */
    bool echo;             /* log each statement's text (never its values) */
    bool must_exist;       /* do not create it where there is none, but fail */
} DbConfig;

/* Opens (creating the file where there is none) and starts the threads. NULL: *error is a message for the user. Does not
 * migrate: db/migrate.h. */
Db *db_open(const DbConfig *config, Error *error) MUST_CHECK;
void db_close(Db *db); /* finishes queued jobs, checkpoints, ends the threads; NULL is fine */

void db_submit(Db *db, Job *job);
/* Submits and waits: for services, start-up and the command line, never for the HTTP loop. */
bool db_run(Db *db, bool write, Arena *arena, bool (*run)(Tx *, void *), void *arg, Error *error) MUST_CHECK;
const Dialect *db_dialect(const Db *db);
bool db_is_same(const Db *a, const Db *b); /* both are one database, as far as can be told */

/* ---- statements; $1 $2 … are the places of the values ---- */

/* SQL must be a literal ("" sql refuses anything else); statements are cached by text. */
#define DB_VALUES(...) (const Value[]){ { .kind = VAL_NULL }, ##__VA_ARGS__ } + 1, \
    sizeof((const Value[]){ { .kind = VAL_NULL }, ##__VA_ARGS__ }) / sizeof(Value) - 1
#define DB_QUERY(tx, sql, ...) db_query((tx), "" sql, DB_VALUES(__VA_ARGS__))
#define DB_EXEC(tx, sql, ...) db_exec((tx), "" sql, DB_VALUES(__VA_ARGS__))
/* One integer of the first row, or `otherwise`. */
#define DB_INT(tx, otherwise, sql, ...) db_int((tx), (otherwise), "" sql, DB_VALUES(__VA_ARGS__))
/* One text (copied to the arena) of the first row, or STR_NULL. */
#define DB_TEXT(tx, sql, ...) db_text((tx), "" sql, DB_VALUES(__VA_ARGS__))

/* Text made by entity/ from tables; the text must live in the job's arena or be a literal. Never NULL. */
Rows *db_query(Tx *tx, const char *sql, const Value *values, size_t count);
/* Rows changed; -1 on failure (tx->error set). */
int64_t db_exec(Tx *tx, const char *sql, const Value *values, size_t count);
int64_t db_int(Tx *tx, int64_t otherwise, const char *sql, const Value *values, size_t count);
Str db_text(Tx *tx, const char *sql, const Value *values, size_t count);

bool db_next(Rows *rows);  /* false at the end or on failure; the rows are then done with by themselves */
void db_done(Rows *rows);  /* to stop earlier */

bool row_is_null(Rows *rows, int column);
int64_t row_int(Rows *rows, int column);
double row_real(Rows *rows, int column);
bool row_bool(Rows *rows, int column);
Str row_text(Rows *rows, int column);      /* also UUIDs and JSON: a copy in the job's arena, null for SQL NULL */
Str row_view(Rows *rows, int column);      /* borrowed until the next db_next */
Time row_time(Rows *rows, int column);
int64_t row_interval(Rows *rows, int column);

#endif
