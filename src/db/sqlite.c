/* db/sqlite.c -- the SQLite driver: connections set up as measured for one writer and WAL readers, statements cached by
 * their text, values as the reference stores them. What fails is in sqlite_fault.c and sqlite_file.c. */
#include <malloc.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "db/driver.h"
#include "db/sqlite_backup.h"
#include "db/sqlite_fault.h"
#include "db/sqlite_file.h"
#include "db/sqlite_log.h"
#include "db/sqlite_url.h"

#define LOGGER "orion.db"

enum {
    VERSION_MIN = 3024000,        /* ON CONFLICT … DO UPDATE */
    STATEMENTS_WRITER = 256,        /* statements kept, per connection: a few kB each */
    STATEMENTS_READER = 128,
    CHECKPOINT_PAGES = 1000,        /* of the WAL, from which the maintenance thread is woken */
    CHECKPOINT_INLINE_PAGES = 16000, /* that thread cannot keep up (64 MB): the writer waits for a checkpoint */
    CHECKPOINT_AGAIN_PAGES = 4000,  /* and again after each 16 MB more, while readers overlap */
    CHECKPOINT_LOOK_PAGES = 8000,   /* a reader that has lasted since then */
    READER_LASTS = 250,             /* and so many milliseconds is not waited for, nor is any for longer */
    STOP_STEPS = 1000,              /* steps of SQLite's virtual machine between two questions whether to stop */
    REPORT_US = 10 * 1000 * 1000,   /* between two reports of a disk that refuses some writes and takes others */
    BUILD_CACHE = 32 * 1000 * 1000, /* bytes of pages, while an index is built */
    SHRINK_MIN = 200 * 1000,        /* bytes of pages that are worth giving back */
    TIME_TEXT = 32
};

/* A prepared statement. The texts of values bound to it are borrowed:
 * they live in the arena of the job that uses it. */
typedef struct Statement {
    sqlite3_stmt *handle;
    uint64_t last_use;
    int *values;           /* for each parameter of SQLite the index of its value: "$3" -> 2 */
    int count;
    bool is_busy, is_cached;
} Statement;

typedef struct SqliteConnection {
    DbConnection base;
    sqlite3 *db;
    const char *path;      /* as sqlite3_open_v2 takes it */
    const char *file;      /* SQLite's name of the file, for the log; empty: in memory; NULL: not connected yet */
    int busy_timeout;      /* milliseconds */
    int64_t cache;         /* bytes of pages; 0: as many as SQLite thinks fit */
    SqliteFiles *files;    /* shared by all connections; NULL: in memory */
    bool is_in_order;      /* the maintenance thread has found the files so */
    bool must_empty_log;   /* they are gone */
    bool is_writer, is_reader;
    bool has_no_log, is_read_only, no_references; /* as DbConfig */
    bool is_new;           /* we have created the file */
    sqlite3_stmt *steps[STEP_COUNT];
    int wal_pages;         /* after the last commit */
    int long_pages;        /* from which the writer waits for a checkpoint */
    int64_t copied, looked; /* pages of the log that were in the file, too; when: monotonic, 0: the log was short */
    bool is_failing;       /* the disk failed in the last transaction that needed it */
    bool is_trying;        /* this transaction shows whether it still does */
    bool must_report_end;  /* its beginning is in the log */
    int64_t reported;      /* monotonic; 0: never */
    uint64_t use_clock;
    unsigned capacity, count;
    uint64_t hashes[STATEMENTS_WRITER]; /* kept apart, so that a search reads little */
    Statement *cached[STATEMENTS_WRITER];
} SqliteConnection;

typedef struct SqliteRows {
    Rows base;
    Statement *statement;
} SqliteRows;

static SqliteConnection *connection_of(void *connection)
{
    return connection;
}

/* ---- failures ---- */

/* Records the last failure. One of the disk's also goes to the log, with the path, when it begins. */
static bool fail_sqlite(SqliteConnection *c, Error *error, const char *sql)
{
    Error found = { 0 };
    if (c->is_reader && sqlite_is_disk_full(c->db)) {
        log_error(LOGGER, "%s: There is no room for a temporary file of a read (SQLite: %s).", c->file,
                  sqlite3_errmsg(c->db));
        return fail(error, ERR_BUSY, "There is no room for a temporary file that this read needs to sort its rows");
    }
    (void)sqlite_fail(c->db, &found, sql);
    if (c->file && sqlite_is_disk_fault(c->db)) {
        int64_t now = clock_monotonic();
        if (!c->is_failing && (!c->reported || now - c->reported >= REPORT_US)) {
            c->reported = now;
            c->must_report_end = true;
            log_error(LOGGER, "%s: %s (SQLite: %s, code %d).", c->file, found.message, sqlite3_errmsg(c->db),
                      sqlite3_extended_errcode(c->db));
        }
        c->is_failing = true;
    }
    return fail(error, found.code, "%s", found.message);
}

static void note_success(SqliteConnection *c)
{
    c->is_failing = c->is_trying = false;
    if (c->must_report_end)
        log_warning(LOGGER, "%s: The database can be used again.", c->file);
    c->must_report_end = false;
}

/* ---- connections ---- */

static bool run_text(SqliteConnection *c, const char *sql, Error *error)
{
    return sqlite3_exec(c->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail_sqlite(c, error, sql);
}

/* In bytes. */
static bool set_cache(SqliteConnection *c, int64_t size, Error *error)
{
    char text[64]; /* a pragma takes no bound value */
    snprintf(text, sizeof text, "PRAGMA cache_size = -%lld", (long long)(size / 1000));
    return size == 0 || run_text(c, text, error);
}

static int must_stop(void *context)
{
    return db_must_stop(context);
}

/* Opens the file, with the settings that connections of every role have. */
static bool open_file(SqliteConnection *c, Error *error)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (strncmp(c->path, "file:", 5) == 0 ? SQLITE_OPEN_URI : 0);
    bool ok = sqlite3_open_v2(c->path, &c->db, flags, NULL) == SQLITE_OK;
    if (!ok) {
        sqlite3_close(c->db);
        c->is_new = ok = sqlite3_open_v2(c->path, &c->db, flags | SQLITE_OPEN_CREATE, NULL) == SQLITE_OK;
    }
    if (!ok)
        return fail_sqlite(c, error, NULL);
    sqlite3_busy_timeout(c->db, c->busy_timeout);
    sqlite3_progress_handler(c->db, STOP_STEPS, must_stop, c);
    return run_text(c, "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0", error)
           && (!c->no_references || run_text(c, "PRAGMA foreign_keys = OFF; PRAGMA temp_store = FILE", error));
}

static int on_wal_commit(void *context, sqlite3 *db, const char *name, int pages)
{
    SqliteConnection *c = context;
    (void)db;
    (void)name;
    c->wal_pages = pages;
    return SQLITE_OK;
}

static bool fail_no_wal(Error *error)
{
    return fail(error, ERR_INTERNAL,
                "it has a write-ahead log, which its file system or a parameter of the URL (nolock, vfs) does not "
                "allow. Open it where that is allowed and run there: PRAGMA journal_mode = DELETE");
}

/* Asks for WAL; *ret_has_wal: whether SQLite says that there is one now. */
static bool ask_for_wal(SqliteConnection *c, bool *ret_has_wal, Error *error)
{
    sqlite3_stmt *statement = NULL;
    bool ok = sqlite3_prepare_v2(c->db, "PRAGMA journal_mode = WAL", -1, &statement, NULL) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_ROW;
    const char *mode = ok ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    *ret_has_wal = mode && (strcmp(mode, "wal") == 0 || strcmp(mode, "memory") == 0);
    if (!ok && (sqlite_lacks_shared_memory(c->db)
                || (sqlite3_errcode(c->db) == SQLITE_CANTOPEN && sqlite_is_marked_wal(c->db))))
        fail_no_wal(error);
    else if (!ok)
        fail_sqlite(c, error, NULL);
    sqlite3_finalize(statement);
    return ok;
}

/* WAL mode is recorded in the file; asking for it again costs nothing. */
static bool enter_wal(SqliteConnection *c, bool *ret_has_wal, Error *error)
{
    bool had_wal = sqlite_is_marked_wal(c->db);
    *ret_has_wal = false;
    if (!had_wal && sqlite_cannot_share_memory(c->db))
        return true;
    if (!ask_for_wal(c, ret_has_wal, error))
        return false;
    if (!*ret_has_wal || sqlite3_exec(c->db, "SELECT 1 FROM sqlite_master", NULL, NULL, NULL) == SQLITE_OK)
        return true;
    return had_wal && sqlite_lacks_shared_memory(c->db) ? fail_no_wal(error) : fail_sqlite(c, error, NULL);
}

/* Without WAL (network file systems, nolock=1) SQLite uses a rollback journal, as with the reference. Then readers
 * and a writer exclude each other, so there is one connection for all. EXTRA: a commit is the journal's removal, and
 * that must be on the disk too. */
static bool set_up_rollback(SqliteConnection *c, Error *error)
{
    c->base.is_only = true;
    log_warning(LOGGER, "The database's file system does not support SQLite's write-ahead log: a rollback journal is "
                        "used, and reads wait for writes.");
    return run_text(c, "PRAGMA synchronous = EXTRA; PRAGMA secure_delete = OFF", error);
}

/* Of a file that nobody else uses, and that is thrown away if it does not become whole. */
static bool set_up_file(SqliteConnection *c, Error *error)
{
    c->base.is_only = true;
    return c->is_read_only || run_text(c, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY;"
                                          " PRAGMA synchronous = OFF; PRAGMA secure_delete = OFF", error);
}

static bool set_up_writer(SqliteConnection *c, Error *error)
{
    bool has_wal;
    if (c->has_no_log)
        return set_up_file(c, error);
    if (sqlite3_db_readonly(c->db, "main") == 1)
        return fail(error, ERR_INTERNAL, "it cannot be written to");
    if (!enter_wal(c, &has_wal, error))
        return false;
    sqlite_files_remember(c->files, c->db, has_wal);
    if (!has_wal)
        return set_up_rollback(c, error);
    sqlite3_wal_hook(c->db, on_wal_commit, c); /* also ends SQLite's own checkpoints, which use the same hook */
    /* A server that ended because of a failed fsync leaves a log that the system shows whole but the disk may not hold.
     * What is copied to the database and synced there does not depend on it any more. */
    sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    /* 16 MB, 4,000 pages: what the log keeps when it starts over */
    return run_text(c, "PRAGMA synchronous = FULL; PRAGMA secure_delete = OFF; PRAGMA journal_size_limit = 16384000",
                    error);
}

static bool set_up(SqliteConnection *c, Role role, Error *error)
{
    switch (role) {
    case ROLE_WRITER:
        c->capacity = STATEMENTS_WRITER;
        return set_up_writer(c, error);
    case ROLE_READER:
        c->capacity = STATEMENTS_READER;
        /* rows that are sorted go to a temporary file if they are large */
        return run_text(c, "PRAGMA query_only = ON; PRAGMA temp_store = FILE", error);
    default:
        return run_text(c, "PRAGMA synchronous = FULL; PRAGMA cache_size = -64", error);
    }
}

static bool prepare_steps(SqliteConnection *c, Error *error)
{
    static const char *const texts[STEP_COUNT] = {
        [STEP_BEGIN_READ] = "BEGIN DEFERRED",
        [STEP_BEGIN_WRITE] = "BEGIN IMMEDIATE",
        [STEP_COMMIT] = "COMMIT",
        [STEP_ROLLBACK] = "ROLLBACK",
        [STEP_SAVEPOINT] = "SAVEPOINT operation",
        [STEP_RELEASE] = "RELEASE operation",
        [STEP_ROLLBACK_TO] = "ROLLBACK TO operation",
    };
    for (size_t i = 0; i < STEP_COUNT; i++)
        if (sqlite3_prepare_v3(c->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &c->steps[i], NULL) != SQLITE_OK)
            return fail_sqlite(c, error, texts[i]);
    return true;
}

static void statement_free(Statement *statement)
{
    sqlite3_finalize(statement->handle);
    free(statement->values);
    free(statement);
}

static void sqlite_disconnect(DbConnection *connection)
{
    SqliteConnection *c = connection_of(connection);
    for (unsigned i = 0; i < c->count; i++)
        statement_free(c->cached[i]);
    for (size_t i = 0; i < STEP_COUNT; i++)
        sqlite3_finalize(c->steps[i]);
    sqlite3_close(c->db); /* the last one of all processes empties the WAL, unless the database file has moved */
    free(c);
}

/* Removes what we have created and could not use: SQLite creates the file before it checks the rest. */
static void remove_empty(sqlite3 *db)
{
    struct stat found;
    const char *path = sqlite3_db_filename(db, "main");
    if (path && *path && stat(path, &found) == 0 && S_ISREG(found.st_mode) && found.st_size == 0)
        unlink(path);
}

static DbConnection *sqlite_connect(const DbPlace *place, Role role, double timeout, Error *error)
{
    SqliteConnection *c = xcalloc(1, sizeof *c);
    c->base.driver = &sqlite_driver;
    c->path = place->path;
    c->files = place->files;
    c->is_writer = role == ROLE_WRITER;
    c->has_no_log = place->has_no_log;
    c->is_read_only = place->is_read_only;
    c->no_references = place->no_references;
    c->is_reader = role == ROLE_READER;
    c->is_in_order = true;
    c->busy_timeout = (int)(timeout * 1000);
    c->cache = place->cache[role];
    Error why = { 0 };
    if (open_file(c, &why) && set_up(c, role, &why) && set_cache(c, c->cache, &why) && prepare_steps(c, &why)) {
        c->file = sqlite3_db_filename(c->db, "main");
        return &c->base;
    }
    if (c->is_new)
        remove_empty(c->db);
    fail(error, why.code, "Cannot open the database %s: %s", place->path, why.message);
    sqlite_disconnect(&c->base);
    return NULL;
}

static bool check_library(int version, Error *error)
{
    if (version < VERSION_MIN)
        return fail(error, ERR_INTERNAL, "SQLite %d.%d.%d is too old: 3.24 or newer is needed", version / 1000000,
                    version / 1000 % 1000, version % 1000);
    if (!sqlite3_threadsafe())
        return fail(error, ERR_INTERNAL, "This SQLite library was built without threads");
    return true;
}

static bool check_and_locate(Arena *arena, const DbConfig *config, DbPlace *ret_place, Error *error)
{
    /* Counting its memory costs SQLite 12 % of its time. The call fails once SQLite is in use in this process, which
     * does no harm. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite_end_on_failed_sync();
    if (!check_library(sqlite3_libversion_number(), error) || !sqlite_locate(arena, config, ret_place, error))
        return false;
    ret_place->cache[ROLE_WRITER] = config->cache / 3;
    ret_place->cache[ROLE_READER] = config->cache * 2 / 3 / (config->readers ? config->readers : 1);
    ret_place->files = ret_place->is_single ? NULL : sqlite_files_new(arena);
    return true;
}

/* ---- transactions ---- */

static bool run_step(SqliteConnection *c, TxStep step, Error *error)
{
    int code = sqlite3_step(c->steps[step]);
    bool ok = code == SQLITE_DONE || fail_sqlite(c, error, sqlite3_sql(c->steps[step]));
    sqlite3_reset(c->steps[step]);
    return ok;
}

/* Ends a transaction that has only begun; false. */
static bool undo(SqliteConnection *c)
{
    Error ignored = { 0 };
    (void)run_step(c, STEP_ROLLBACK, &ignored);
    return false;
}

/* Makes the transaction write a page, though no value changes: user_version gets the value that it has. */
static bool write_a_page(SqliteConnection *c, Error *error)
{
    sqlite3_stmt *statement = NULL;
    int version = 0;
    char text[48];
    if (sqlite3_prepare_v2(c->db, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        version = sqlite3_column_int(statement, 0);
    int code = sqlite3_finalize(statement);
    snprintf(text, sizeof text, "PRAGMA user_version = %d", version); /* a pragma takes no bound value */
    if (code == SQLITE_OK)
        return run_text(c, text, error);
    return fail_sqlite(c, error, NULL);
}

/* After a failure of the disk's, each transaction shows whether it still fails; also one that changes nothing, such as
 * a check of readiness. */
static bool try_disk(SqliteConnection *c, TxStep step, Error *error)
{
    if (step == STEP_COMMIT && c->is_trying)
        note_success(c);
    if (step != STEP_BEGIN_READ && step != STEP_BEGIN_WRITE)
        return true;
    c->is_trying = true;
    return step == STEP_BEGIN_READ || write_a_page(c, error) || undo(c);
}

/* Of the writer: a step after which its files must be in order. It may have waited long for another program's lock
 * before it began, and must not be answered if what it committed is lost. */
static bool must_look(const SqliteConnection *c, TxStep step)
{
    return c->is_writer && (step == STEP_BEGIN_WRITE || step == STEP_COMMIT);
}

static bool sqlite_step(DbConnection *connection, TxStep step, Error *error)
{
    SqliteConnection *c = connection_of(connection);
    Error found = { 0 };
    if (step == STEP_BEGIN_READ && !sqlite_files_can_be_read(c->files, error))
        return false;
    bool ok = run_step(c, step, &found) && (!c->is_failing || try_disk(c, step, &found));
    if (must_look(c, step) && !sqlite_files_check(c->files, c->db, error)) /* which may be why it failed, too */
        return ok && step == STEP_BEGIN_WRITE ? undo(c) : false;
    return ok || fail(error, found.code, "%s", found.message);
}

static bool sqlite_in_transaction(DbConnection *connection)
{
    return !sqlite3_get_autocommit(connection_of(connection)->db);
}

static void sqlite_set_lock_wait(DbConnection *connection, int64_t us)
{
    sqlite3_busy_timeout(connection_of(connection)->db, (int)(us / 1000));
}

/* Whether a reader keeps the log from being copied, and has done so for long: a backup, say. The log then has to grow
 * until it ends, and to wait for it after each commit would hold up all writes. */
static bool has_lasting_reader(SqliteConnection *c)
{
    int64_t copied = sqlite_files_copied(c->files), now = clock_monotonic();
    bool lasts = c->looked && copied == c->copied && now - c->looked >= READER_LASTS * 1000;
    if (!c->looked || copied != c->copied) {
        c->copied = copied;
        c->looked = now;
    }
    return lasts;
}

static MaintenanceDue due_of_long_log(SqliteConnection *c)
{
    bool lasts = has_lasting_reader(c);
    if (c->wal_pages < c->long_pages)
        return DUE_SOON;
    if (!lasts)
        return DUE_NOW;
    c->long_pages = 2 * c->wal_pages;
    return DUE_SOON;
}

static MaintenanceDue sqlite_maintenance_due(DbConnection *writer)
{
    SqliteConnection *c = connection_of(writer);
    int pages = c->wal_pages;
    if (pages < CHECKPOINT_INLINE_PAGES)
        c->long_pages = CHECKPOINT_INLINE_PAGES;
    if (pages < CHECKPOINT_LOOK_PAGES)
        c->looked = 0;
    if (c->is_failing && pages < c->long_pages)
        return DUE_SOON; /* a log that starts over needs no room */
    return pages >= CHECKPOINT_LOOK_PAGES ? due_of_long_log(c) : pages >= CHECKPOINT_PAGES ? DUE_SOON : DUE_NOT;
}

static void checkpoint(SqliteConnection *c, int mode)
{
    Error error = { 0 };
    if (mode != SQLITE_CHECKPOINT_PASSIVE)
        sqlite3_busy_timeout(c->db, READER_LASTS);
    int code = sqlite3_wal_checkpoint_v2(c->db, NULL, mode, NULL, NULL);
    if (code != SQLITE_OK && code != SQLITE_BUSY && code != SQLITE_LOCKED)
        (void)fail_sqlite(c, &error, NULL); /* nothing is lost: what it could not copy stays in the log */
    else if (c->is_failing && !c->is_writer)
        note_success(c);
    if (mode == SQLITE_CHECKPOINT_TRUNCATE)
        sqlite_files_settle(c->files); /* it may have copied something even if it could not end */
    if (mode == SQLITE_CHECKPOINT_TRUNCATE && code == SQLITE_OK) {
        c->must_empty_log = false;
        log_warning(LOGGER, "%s: What the write-ahead log held was copied to the database file that is open.", c->file);
    }
}

/* Passive: it waits for nobody, nobody waits for it, and the next call does what it cannot do now. But if readers
 * overlap all the time, the log is never free to start over: once it is long, the writer waits until the older
 * readers have ended. If they do not, it does so again when the log is longer; if one lasts, twice as long. */
static void sqlite_maintain(DbConnection *connection)
{
    SqliteConnection *c = connection_of(connection);
    Error error = { 0 };
    bool is_in_order = sqlite_files_check(c->files, c->db, &error);
    bool is_long = c->is_writer && c->wal_pages >= c->long_pages;
    if (is_long)
        c->long_pages = c->wal_pages + CHECKPOINT_AGAIN_PAGES; /* until it is short again */
    if (is_in_order)
        checkpoint(c, is_long ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE);
    else if (c->must_empty_log && sqlite_files_can_be_read(c->files, &error))
        checkpoint(c, SQLITE_CHECKPOINT_TRUNCATE);
}

/* When files are found gone, what the log holds goes into the database file that is open, and the log is emptied: so
 * that file is complete wherever it is now, and the log does no harm to a file that was put in its place. This is done
 * once, because from then on the log may be used for that other file. */
static bool sqlite_watch(DbConnection *connection)
{
    SqliteConnection *c = connection_of(connection);
    Error error = { 0 };
    bool was_in_order = c->is_in_order;
    c->is_in_order = sqlite_files_check(c->files, c->db, &error);
    if (c->is_in_order != was_in_order)
        c->must_empty_log = was_in_order;
    return c->must_empty_log;
}

/* The system has the pages of a file at hand, too. */
static void sqlite_shrink(DbConnection *connection)
{
    const SqliteConnection *c = connection_of(connection);
    int used = 0, highest;
    sqlite3_db_status(c->db, SQLITE_DBSTATUS_CACHE_USED, &used, &highest, 0);
    if (!c->files || used < SHRINK_MIN)
        return;
    sqlite3_db_release_memory(c->db);
    malloc_trim(0);
}

/* ---- the cache of statements ---- */

/* The index among the values of each parameter, from its name: "$3" -> 2. */
static bool number_parameters(Statement *statement, const char *sql, Error *error)
{
    statement->count = sqlite3_bind_parameter_count(statement->handle);
    statement->values = xcalloc((size_t)statement->count, sizeof *statement->values);
    for (int i = 0; i < statement->count; i++) {
        const char *name = sqlite3_bind_parameter_name(statement->handle, i + 1);
        long number = name && name[0] == '$' ? strtol(name + 1, NULL, 10) : 0;
        if (number < 1 || number > INT16_MAX)
            return fail(error, ERR_INTERNAL, "a parameter is not numbered $1, $2 … in: %s", sql);
        statement->values[i] = (int)number - 1;
    }
    return true;
}

static Statement *statement_new(SqliteConnection *c, const char *sql, Error *error)
{
    Statement *statement = xcalloc(1, sizeof *statement);
    const char *tail = "";
    if (sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement->handle, &tail) != SQLITE_OK)
        fail_sqlite(c, error, sql);
    else if (!statement->handle || *tail) /* the cache compares with SQLite's copy,
                                           * which ends with the first statement */
        fail(error, ERR_INTERNAL, "not one statement: %s", sql);
    else if (number_parameters(statement, sql, error))
        return statement;
    statement_free(statement);
    return NULL;
}

/* The place in the cache for one more: a new one, or that of the statement unused for longest.
 * c->count: all are in use. */
static unsigned cache_slot(SqliteConnection *c)
{
    if (c->count < c->capacity)
        return c->count++;
    unsigned oldest = c->count;
    for (unsigned i = 0; i < c->count; i++)
        if (!c->cached[i]->is_busy && (oldest == c->count || c->cached[i]->last_use < c->cached[oldest]->last_use))
            oldest = i;
    if (oldest < c->count)
        statement_free(c->cached[oldest]);
    return oldest;
}

static Statement *cache_find(SqliteConnection *c, uint64_t hash, const char *sql)
{
    for (unsigned i = 0; i < c->count; i++)
        if (c->hashes[i] == hash && !c->cached[i]->is_busy && strcmp(sqlite3_sql(c->cached[i]->handle), sql) == 0)
            return c->cached[i];
    return NULL;
}

/* A statement of this text that is not in use; a second one if the first is. NULL: *error. */
static Statement *statement_take(SqliteConnection *c, const char *sql, Error *error)
{
    uint64_t hash = db_statement_hash(sql);
    Statement *statement = cache_find(c, hash, sql);
    if (!statement) {
        statement = statement_new(c, sql, error);
        if (!statement)
            return NULL;
        unsigned slot = cache_slot(c);
        statement->is_cached = slot < c->capacity;
        if (statement->is_cached) {
            c->hashes[slot] = hash;
            c->cached[slot] = statement;
        }
    }
    statement->is_busy = true;
    statement->last_use = ++c->use_clock;
    return statement;
}

static void statement_give(Statement *statement)
{
    sqlite3_reset(statement->handle);
    statement->is_busy = false;
    if (!statement->is_cached)
        statement_free(statement);
}

/* ---- statements ---- */

static int bind_text(sqlite3_stmt *handle, int place, Str text)
{
    return sqlite3_bind_text64(handle, place, text.p, text.n, SQLITE_STATIC, SQLITE_UTF8);
}

static int bind_time(Arena *arena, sqlite3_stmt *handle, int place, Time time)
{
    Buf text;
    buf_init(&text, arena, TIME_TEXT);
    time_format_stored(&text, time);
    return bind_text(handle, place, buf_view(&text));
}

static int bind_value(Arena *arena, sqlite3_stmt *handle, int place, const Value *value)
{
    switch (value->kind) {
    case VAL_NULL: return sqlite3_bind_null(handle, place);
    case VAL_INT: return sqlite3_bind_int64(handle, place, value->i);
    case VAL_BOOL: return sqlite3_bind_int(handle, place, value->i != 0);
    case VAL_REAL: return sqlite3_bind_double(handle, place, value->r);
    case VAL_TIME: /* an interval is the time since 1970 */
    case VAL_INTERVAL: return bind_time(arena, handle, place, value->i);
    case VAL_TEXT:
    case VAL_UUID:
    case VAL_JSON:
    case VAL_LIST: return bind_text(handle, place, value->s);
    case VAL_ARRAY: break;
    }
    return SQLITE_MISUSE;
}

/* The statement with its values, ready to be stepped. NULL: tx->error. */
static Statement *statement_bind(Tx *tx, const char *sql, const Value *values, size_t count)
{
    SqliteConnection *c = connection_of(tx->connection);
    Statement *statement = statement_take(c, sql, tx->error);
    if (!statement)
        return NULL;
    for (int i = 0; i < statement->count; i++) {
        size_t index = (size_t)statement->values[i];
        if (index >= count)
            fail(tx->error, ERR_INTERNAL, "value $%zu is missing for: %s", index + 1, sql);
        else if (bind_value(tx->arena, statement->handle, i + 1, &values[index]) != SQLITE_OK)
            fail_sqlite(c, tx->error, sql);
    }
    if (tx->error->code == ERR_NONE)
        return statement;
    statement_give(statement);
    return NULL;
}

static Rows *sqlite_query(Tx *tx, const char *sql, const Value *values, size_t count)
{
    SqliteRows *rows = arena_new_of(tx->arena, SqliteRows);
    rows->base.tx = tx;
    rows->statement = statement_bind(tx, sql, values, count);
    rows->base.is_open = rows->statement != NULL;
    return &rows->base;
}

static int64_t sqlite_exec(Tx *tx, const char *sql, const Value *values, size_t count)
{
    SqliteConnection *c = connection_of(tx->connection);
    Statement *statement = statement_bind(tx, sql, values, count);
    if (!statement)
        return -1;
    int before = sqlite3_total_changes(c->db), code;
    do
        code = sqlite3_step(statement->handle);
    while (code == SQLITE_ROW);
    /* A statement that changed nothing leaves sqlite3_changes at the number of the one before it. */
    int64_t changed = sqlite3_total_changes(c->db) == before ? 0 : sqlite3_changes(c->db);
    if (code != SQLITE_DONE) {
        fail_sqlite(c, tx->error, sql);
        changed = -1;
    }
    statement_give(statement);
    return changed;
}

static bool sqlite_script(Tx *tx, const char *sql)
{
    SqliteConnection *c = connection_of(tx->connection);
    return sqlite3_exec(c->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail_sqlite(c, tx->error, NULL);
}

/* What is sorted for an index goes to a temporary file, in runs as long as the cache. */
static bool sqlite_build(Tx *tx, const char *sql)
{
    SqliteConnection *c = connection_of(tx->connection);
    Error ignored = { 0 };
    bool ok = set_cache(c, BUILD_CACHE, tx->error) && run_text(c, "PRAGMA temp_store = FILE", tx->error)
              && sqlite_script(tx, sql);
    (void)(run_text(c, "PRAGMA temp_store = MEMORY", &ignored) && set_cache(c, c->cache, &ignored));
    return ok;
}

/* ---- rows ---- */

static sqlite3_stmt *handle_of(Rows *rows)
{
    return ((SqliteRows *)rows)->statement->handle;
}

static bool sqlite_next(Rows *rows)
{
    sqlite3_stmt *handle = handle_of(rows);
    int code = sqlite3_step(handle);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        fail_sqlite(connection_of(rows->tx->connection), rows->tx->error, sqlite3_sql(handle));
    return code == SQLITE_ROW;
}

static void sqlite_finish(Rows *rows)
{
    statement_give(((SqliteRows *)rows)->statement);
}

static bool sqlite_is_null(Rows *rows, int column)
{
    return sqlite3_column_type(handle_of(rows), column) == SQLITE_NULL;
}

/* A column accepts any value, and what is not a number would be read as 0. */
static int64_t sqlite_integer(Rows *rows, int column)
{
    int type = sqlite3_column_type(handle_of(rows), column);
    if (type != SQLITE_INTEGER && type != SQLITE_NULL)
        row_spoil(rows, column, "is not an integer");
    return sqlite3_column_int64(handle_of(rows), column);
}

static double sqlite_real(Rows *rows, int column)
{
    return sqlite3_column_double(handle_of(rows), column);
}

static Str sqlite_text(Rows *rows, int column)
{
    sqlite3_stmt *handle = handle_of(rows);
    const char *text = (const char *)sqlite3_column_text(handle, column);
    if (text)
        return (Str){ text, (size_t)sqlite3_column_bytes(handle, column) };
    return sqlite3_column_type(handle, column) == SQLITE_NULL ? STR_NULL : STR("");
}

static bool sqlite_time(Rows *rows, int column, Time *ret_time)
{
    Str text = sqlite_text(rows, column);
    *ret_time = TIME_NULL;
    return !text.p || time_parse_stored(text, ret_time);
}

/* The schema's default for a duration is the number 0, where the reference writes 1970-01-01 00:00:00.000000. */
static bool sqlite_interval(Rows *rows, int column, int64_t *ret_us)
{
    if (sqlite3_column_type(handle_of(rows), column) == SQLITE_TEXT)
        return time_parse_stored(sqlite_text(rows, column), ret_us);
    *ret_us = 0;
    return sqlite_real(rows, column) == 0;
}

const Driver sqlite_driver = {
    .dialect = &sqlite_dialect,
    .short_us = 20 * 1000,
    .step_us = 5 * 1000, /* for which all others wait that write */
    .takes = sqlite_takes,
    .locate = check_and_locate,
    .connect = sqlite_connect,
    .disconnect = sqlite_disconnect,
    .step = sqlite_step,
    .in_transaction = sqlite_in_transaction,
    .set_lock_wait = sqlite_set_lock_wait,
    .query = sqlite_query,
    .exec = sqlite_exec,
    .script = sqlite_script,
    .build = sqlite_build,
    .next = sqlite_next,
    .finish = sqlite_finish,
    .is_null = sqlite_is_null,
    .integer = sqlite_integer,
    .real = sqlite_real,
    .text = sqlite_text,
    .time = sqlite_time,
    .interval = sqlite_interval,
    .maintenance_due = sqlite_maintenance_due,
    .log_bytes = sqlite_log_bytes,
    .maintain = sqlite_maintain,
    .watch = sqlite_watch,
    .backup = sqlite_backup,
    .replace = sqlite_replace,
    .is_free = sqlite_is_free,
    .vacuum = sqlite_vacuum,
    .shrink = sqlite_shrink,
};
