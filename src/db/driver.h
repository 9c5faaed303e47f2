/* db/driver.h -- what an engine provides to db.c: connections, the steps of a transaction,
 * statements and the values of rows. */
#ifndef ORION_DRIVER_H
#define ORION_DRIVER_H

#include "db/db.h"
#include "db/meter.h"
#include "db/onlooker.h"

typedef struct Driver Driver;

typedef enum Stop {
    STOP_NOT,
    STOP_LATE,               /* its time is over */
    STOP_UNWANTED,           /* nobody waits for the result any more */
    STOP_YIELD               /* it is longer than others that wait for its thread; it will start again on another one */
} Stop;

/* A driver's own struct begins with this one. A connection is used by one thread at a time. */
typedef struct DbConnection {
    const Driver *driver;
    const Job *read;         /* the read that runs; NULL: none */
    int64_t began, until;    /* of that read; monotonic; until 0: no limit, or the driver's (set_deadline) */
    atomic_bool *others;     /* others wait for which one long read must make room, which ends the call; NULL: none may
                              * ask */
    Stop stopped;            /* why the last read was stopped */
    Meter meter;
    Rows *open;              /* not read to their end yet: db.c ends them with their job */
    bool echo;
    bool is_only;            /* set by connect: there can be no second one; a writer's serves reads too */
    bool is_refused;         /* where many write: this thread was refused one, but others have one */
    bool may_retry;          /* the last failure left nothing behind and may not come again: a collision, or a lost
                              * connection */
} DbConnection;

struct Rows {                /* a driver's own struct begins with this one too; in the job's arena */
    Tx *tx;
    struct Rows *next_open;
    Timing timing;
    bool is_open;            /* false: ended, failed, or never begun; the driver is not asked about it any more */
    const char *fault;       /* what is wrong with a value of the present row, a literal; NULL: nothing was found */
    const char *fault_name;  /* of the value; NULL: it is column fault_column */
    Str fault_id;            /* of the row; may be null */
    int fault_column;
};

typedef enum Role {
    ROLE_WRITER,             /* the only one that writes; where many do, the first to connect, so that db_open finds
                              * what is wrong */
    ROLE_READER,             /* where many write: any other, connected when it is first used */
    ROLE_MAINTENANCE,
    ROLE_COUNT
} Role;

typedef enum TxStep {        /* of a transaction; the last three are of one savepoint, never nested */
    STEP_BEGIN_READ, STEP_BEGIN_WRITE, STEP_COMMIT, STEP_ROLLBACK,
    STEP_SAVEPOINT, STEP_RELEASE, STEP_ROLLBACK_TO, STEP_COUNT
} TxStep;

typedef enum MaintenanceDue {
    DUE_NOT,
    DUE_SOON,                /* by the maintenance thread */
    DUE_NOW                  /* by the writer */
} MaintenanceDue;

/* What a URL says: where the database is. Lives as long as the Db. */
typedef struct DbPlace {
    const char *path;        /* SQLite: a file name or file: URI */
    const char *file;        /* the name of that file; NULL: in memory */
    bool has_no_log, is_read_only, no_references; /* DbConfig, `file` */
    const struct PgPlace *postgres;
    struct SqliteFiles *files; /* NULL: in memory */
    int64_t cache[ROLE_COUNT]; /* SQLite: bytes of pages, of one connection; 0: the library's default */
    bool is_single;          /* only one connection can see it (in memory): the writer's serves reads too */
} DbPlace;

struct Driver {
    const Dialect *dialect;
    bool many_writers;               /* every connection takes reads and writes; else one writes, in groups */
    int64_t short_us, step_us;       /* a read that takes longer is long; the first step of a write in steps */
    bool (*takes)(Str scheme);       /* the URL's text before "://" */
    /* Checks the library and the URL, and that what must exist does. Errors never hold a password. */
    bool (*locate)(Arena *arena, const DbConfig *config, DbPlace *ret_place, Error *error);
    /* NULL: *error. `timeout` in seconds; 0: none. */
    DbConnection *(*connect)(const DbPlace *place, Role role, double timeout, Error *error);
    void (*disconnect)(DbConnection *connection);
    bool (*may_serve)(Tx *tx, int64_t connections);     /* db_may_serve; NULL: nothing can be missing */
    bool (*is_connected)(const DbConnection *connection); /* this and the next: NULL where one writes */
    unsigned (*connected)(const DbPlace *place);          /* how many are, at this moment */
    int64_t (*log_bytes)(const DbPlace *place); /* db_log_bytes; NULL: there is no log of its own */

    bool (*step)(DbConnection *connection, TxStep step, Error *error);
    void (*rest)(DbConnection *connection); /* finishes what an answered job left to be done. NULL: nothing */
    void (*shrink)(DbConnection *connection); /* gives back memory that only speeds up jobs. NULL: keeps none */
    bool (*in_transaction)(DbConnection *connection); /* false after an error that ended it */
    /* The wait for other processes' locks. NULL where many write: that is part of the time of their statements. */
    void (*set_lock_wait)(DbConnection *connection, int64_t us);
    /* Whatever still runs then is stopped; 0: never. NULL where one writes. */
    void (*set_deadline)(DbConnection *connection, int64_t monotonic);

    /* Never NULL; rows->is_open, or tx->error is set. */
    Rows *(*query)(Tx *tx, const char *sql, const Value *values, size_t count);
    int64_t (*exec)(Tx *tx, const char *sql, const Value *values, size_t count);
    /* NULL: exec is used. Rows are dropped, those of a SELECT that locks them (db_lock_rows). */
    bool (*send)(Tx *tx, const char *sql, const Value *values, size_t count);
    void (*lock)(Tx *tx, DbLock lock);                       /* NULL, like the next two: there is only one writer */
    bool (*try_lock)(Tx *tx, DbLock lock);                   /* db_try_lock */
    void (*lock_row)(Tx *tx, const char *table, Str id);
    bool (*script)(Tx *tx, const char *sql); /* several statements without values: migrations */
    bool (*build)(Tx *tx, const char *sql);  /* db_build */
    bool (*next)(Rows *rows);                /* false: no more rows, or tx->error */
    void (*finish)(Rows *rows);              /* gives the statement back; called once for rows that were open */

    bool (*is_null)(Rows *rows, int column);
    int64_t (*integer)(Rows *rows, int column);
    double (*real)(Rows *rows, int column);
    Str (*text)(Rows *rows, int column);     /* borrowed until the next row; null for null */
    bool (*time)(Rows *rows, int column, Time *ret_time);       /* TIME_NULL for null; false: not a time */
    bool (*interval)(Rows *rows, int column, int64_t *ret_us);  /* of a value that is not null; false: not a duration */

    /* Housekeeping (SQLite: checkpoints), off the writer's path on a connection of its own while that keeps up.
     * NULL: none needed. */
    MaintenanceDue (*maintenance_due)(DbConnection *writer); /* asked after each commit */
    void (*maintain)(DbConnection *connection); /* never by two threads at once */
    bool (*watch)(DbConnection *connection); /* twice a second, at the files. True: it is due. NULL: no need */

    /* The database as one file; all NULL where it is none. All there is, in one state, into the empty file `path`. */
    bool (*backup)(const DbPlace *place, const char *path, const Onlooker *onlooker, Error *error);
    /* Puts the file `path`, which is beside it, in its place, while nobody else may use it. */
    bool (*replace)(const DbPlace *place, const char *path, bool must_be_sound, Error *error);
    bool (*is_free)(const DbPlace *place, Error *error); /* whether nobody uses it */
    bool (*vacuum)(const DbPlace *place, const Onlooker *onlooker, Error *error);
};

/* What a client is told whose read was stopped. */
#define DB_TOO_LONG "The query took longer than the database timeout allows"

extern const Driver sqlite_driver, postgres_driver;
extern const Dialect sqlite_dialect;

/* Whether the read that runs must stop; why is then in connection->stopped. To be asked every few milliseconds. */
bool db_must_stop(DbConnection *connection);
bool db_script(Tx *tx, const char *sql) MUST_CHECK; /* for migrate.c: in the job's transaction */
/* For indexes.c and space.c: the only statement of its job, which an engine may run outside of any transaction. */
bool db_build(Tx *tx, const char *sql) MUST_CHECK;
/* NULL: *error. */
const Driver *db_locate(Arena *arena, const DbConfig *config, DbPlace *ret_place, Error *error) MUST_CHECK;
uint64_t db_statement_hash(const char *text); /* for the drivers' caches of statements */

#endif
