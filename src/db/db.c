/* db/db.c -- jobs and the threads that run them: one writer that commits what waits in one go, a pool of readers,
 * one thread for housekeeping; or, where many write, threads that all take both. Nothing here knows an engine. */

#include "base/log.h"
#include "base/thread.h"
#include "db/threads.h"

#define LOGGER "orion.db"
#define GONE "The client closed its connection"
#define SHUTTING_DOWN "The server is shutting down"

enum {
    READERS_DEFAULT = 4,
    CONNECTIONS_DEFAULT = 8,
    CONNECTIONS_MAX = 256,
    TRIES_MAX = 20,                  /* of a transaction that collides with others */
    BATCH_MAX = 128,                 /* writes in one commit */
    GATHER_US = 1000,                /* how long the writer waits for as many as the last commits had, at most; */
    GATHER_PART = 4,                 /* nor longer than that part of what the last one took */
    LOCK_WAIT_DEFAULT = 60,          /* seconds, where no timeout is configured: the reference's busy timeout */
    TIMEOUT_MAX = 24 * 60 * 60,     /* seconds */
    LOCK_WAIT_MIN = 100 * 1000,    /* microseconds, also for jobs that waited long behind others */
    STEP_GROWTH_US = 1,            /* each step of a long write takes that much more, so that it ends even if others add
                                    * to its work */
    RETRY_WAIT_US = 500,
    IDLE_US = 1000 * 1000,           /* until a connection without jobs gives back its memory */
    WATCH_US = 500 * 1000            /* between two looks at the database's files */
};

typedef enum Woken { WOKEN_TO_WATCH, WOKEN_TO_MAINTAIN, WOKEN_TO_END } Woken;

static const Driver *const drivers[] = { &sqlite_driver, &postgres_driver };

/* ---- running jobs ---- */

static void end_open_rows(DbConnection *connection)
{
    while (connection->open)
        db_done(connection->open);
}

/* From here on the driver may ask whether to stop it. */
static void watch_read(const Db *db, DbConnection *connection, const Job *job)
{
    connection->stopped = STOP_NOT;
    connection->read = job;
    connection->began = clock_monotonic();
    connection->until = db->read_us > 0 && !db->driver->many_writers ? connection->began + db->read_us : 0;
}

/* Calls the job's function inside the transaction that has begun. True: its work may stay. */
static bool job_call(Db *db, DbConnection *connection, Job *job)
{
    Tx tx = { .arena = job->arena, .error = &job->error, .now = clock_now(), .sql = db->driver->dialect,
              .connection = connection,
              .step_end = clock_monotonic() + db->driver->step_us + (int64_t)job->steps * STEP_GROWTH_US };
    ArenaMark mark = arena_mark(job->arena);
    if (!job->write)
        watch_read(db, connection, job);
    bool ok = job->run(&tx, job->arg);
    end_open_rows(connection);
    connection->read = NULL;
    if (!ok)
        fail(&job->error, ERR_INTERNAL, "a database job failed without an error");
    ok = ok && job->error.code == ERR_NONE;
    job->again = ok && tx.again;
    if (job->again)
        arena_release(job->arena, mark);
    return ok;
}

static void roll_back(DbConnection *connection)
{
    Error ignored = { 0 };
    if (connection->driver->in_transaction(connection) &&
        !connection->driver->step(connection, STEP_ROLLBACK, &ignored))
        log_error(LOGGER, "a rollback failed: %s", ignored.message);
}

/* A step that may wait: for a lock, or for the disk. Returns the microseconds that it took, or -1: *error. */
static int64_t timed_step(DbConnection *connection, TxStep step, const char *name, Error *error)
{
    int64_t began = clock_monotonic();
    bool ok = connection->driver->step(connection, step, error);
    int64_t took = clock_monotonic() - began;
    meter_report(&connection->meter, name, took);
    return ok ? took : -1;
}

static bool begin_write(DbConnection *connection, Error *error)
{
    return timed_step(connection, STEP_BEGIN_WRITE, "BEGIN", error) >= 0;
}

static bool commit(Db *db, DbConnection *connection, unsigned writes, Error *error)
{
    int64_t took = timed_step(connection, STEP_COMMIT, "COMMIT", error);
    if (took < 0)
        return false;
    histogram_add(&db->counts.commit, &buckets_of_commits, took);
    histogram_add(&db->counts.batch, &buckets_of_batches, writes);
    return true;
}

/* Runs a job as the whole of the transaction that has begun. */
static void write_single(Db *db, DbConnection *connection, Job *job)
{
    if (!job_call(db, connection, job) || !commit(db, connection, 1, &job->error))
        roll_back(connection);
}

/* Runs one job of several in the transaction. What it did is kept or undone; false: the whole transaction is lost. */
static bool write_in_savepoint(Db *db, DbConnection *connection, Job *job, Error *error)
{
    const Driver *driver = db->driver;
    if (!driver->step(connection, STEP_SAVEPOINT, error))
        return false;
    bool ok = job_call(db, connection, job);
    if (!driver->in_transaction(connection))
        return fail(error, ERR_INTERNAL, "%s", job->error.message);
    if (!ok && !driver->step(connection, STEP_ROLLBACK_TO, error))
        return false;
    return driver->step(connection, STEP_RELEASE, error);
}

static bool write_group(Db *db, DbConnection *connection, Job *batch, Error *error)
{
    unsigned count = 0;
    for (Job *job = batch; job; job = job->next, count++)
        if (!write_in_savepoint(db, connection, job, error))
            return false;
    return commit(db, connection, count, error);
}

/* What is left of the timeout for the job that came last: so none is refused too early, and none waits much longer. */
static int64_t lock_wait(const Db *db, const Job *batch)
{
    while (batch->next)
        batch = batch->next;
    int64_t left = batch->queued + db->lock_wait_us - clock_monotonic();
    return left > LOCK_WAIT_MIN ? left : LOCK_WAIT_MIN;
}

/* After the loss of their common transaction each job gets one more try, in one of its own. */
static void write_one_by_one(Db *db, DbConnection *connection, Job *batch)
{
    for (Job *job = batch; job; job = job->next) {
        job_clear(job);
        counter_add(&db->counts.again, 1);
        db->driver->set_lock_wait(connection, lock_wait(db, job));
        if (begin_write(connection, &job->error))
            write_single(db, connection, job);
    }
}

static void write_batch(Db *db, DbConnection *connection, Job *batch)
{
    Error error = { 0 };
    db->driver->set_lock_wait(connection, lock_wait(db, batch));
    if (!begin_write(connection, &error)) {
        for (Job *job = batch; job; job = job->next)
            job->error = error;
    } else if (!batch->next) {
        write_single(db, connection, batch);
    } else if (!write_group(db, connection, batch, &error)) {
        log_warning(LOGGER, "writes could not be committed together and are run again one by one: %s", error.message);
        roll_back(connection);
        write_one_by_one(db, connection, batch);
    }
}

static void run_read(Db *db, DbConnection *connection, Job *job)
{
    Error ignored = { 0 };
    if (job_is_unwanted(job)) {
        connection->stopped = STOP_UNWANTED;
        fail(&job->error, ERR_BUSY, GONE);
        return;
    }
    watch_read(db, connection, job); /* to begin may take a while where many write */
    bool ok = db->driver->step(connection, STEP_BEGIN_READ, &job->error) && job_call(db, connection, job);
    connection->read = NULL;
    if (!ok || !db->driver->step(connection, STEP_COMMIT, &ignored))
        roll_back(connection);
}

/* Returns why it was stopped. */
static Stop read_job(Db *db, DbConnection *connection, Job *job)
{
    run_read(db, connection, job);
    Stop stopped = connection->stopped;
    job_note_time(job, connection, stopped);
    connection->stopped = STOP_NOT;
    return stopped;
}

/* Longer with each try, and different for each thread. */
static int64_t retry_wait_us(unsigned tries)
{
    return RETRY_WAIT_US * (1 + clock_monotonic() % (tries < 8 ? 1 << tries : 256));
}

/* Monotonic; 0: none. */
static int64_t deadline_of(const Db *db, const Job *job)
{
    return db->read_us == 0 ? 0 : job->queued + (job->limit > db->read_us ? job->limit : db->read_us);
}

typedef enum Outcome {
    RUN_ENDED,               /* as the job's error says */
    RUN_REFUSED,             /* this thread got no connection, and others have one */
    RUN_YIELDED              /* it is to be run later */
} Outcome;

/* Runs a job as a transaction among those of others. One that collided, or whose connection was lost before the
 * commit, left nothing behind and is run again while its time lasts. */
static Outcome run_among_others(Db *db, DbConnection *connection, Job *job)
{
    int64_t deadline = deadline_of(db, job);
    int64_t now = clock_monotonic(), least = now + LOCK_WAIT_MIN;
    if (!job->write && job_is_unwanted(job)) {
        fail(&job->error, ERR_BUSY, GONE);
        return RUN_ENDED;
    }
    if (deadline && now >= deadline) { /* or those after it would wait ever longer */
        fail(&job->error, ERR_BUSY,
             "The database is too busy: all connections were in use for longer than the database timeout allows");
        return RUN_ENDED;
    }
    db->driver->set_deadline(connection, deadline && deadline < least ? least : deadline);
    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        job_clear(job);
        connection->may_retry = connection->is_refused = false;
        Stop stopped = job->write ? STOP_NOT : read_job(db, connection, job);
        if (stopped != STOP_NOT)
            return stopped == STOP_YIELD ? RUN_YIELDED : RUN_ENDED;
        if (job->write && begin_write(connection, &job->error))
            write_single(db, connection, job);
        if (connection->is_refused)
            return RUN_REFUSED;
        if (job->error.code == ERR_NONE || !connection->may_retry)
            return RUN_ENDED;
        int64_t wait = retry_wait_us(tries);
        if (deadline && clock_monotonic() + wait >= deadline)
            return RUN_ENDED;
        counter_add(&db->counts.again, 1);
        clock_sleep(wait);
    }
    return RUN_ENDED;
}

/* Where jobs of this kind wait. */
static Queue *queue_of(Db *db, const Job *job)
{
    bool is_writers = !db->driver->many_writers && (job->write || db->place.is_single);
    return is_writers ? &db->writes : &db->reads;
}

/* Queues what is left of a write whose step was committed. False: nothing is left, or it cannot go on. */
static bool go_on(Db *db, Job *job)
{
    if (job->error.code != ERR_NONE || !job->again)
        return false;
    job->steps++;
    job->is_long = true;
    job->queued = clock_monotonic();
    return queue_put(queue_of(db, job), job) || fail(&job->error, ERR_BUSY, SHUTTING_DOWN);
}

static void count_ended(Db *db, const Job *job)
{
    counter_add(job->write ? &db->counts.writes : &db->counts.reads, 1);
    if ((job->error.code == ERR_BUSY && !job_is_unwanted(job)) || job->error.code == ERR_INTERNAL)
        counter_add(&db->counts.failed, 1);
}

/* From `done` on, a job's memory is its owner's again. */
static void release(Db *db, Job *batch)
{
    while (batch) {
        Job *job = batch;
        batch = job->next;
        if (go_on(db, job))
            continue;
        count_ended(db, job);
        job->done(job->arg, &job->error);
    }
}

/* ---- the threads ---- */

static void wakeup_signal(Wakeup *wakeup, bool is_ending)
{
    pthread_mutex_lock(&wakeup->lock);
    wakeup->is_due = true;
    wakeup->is_ending = wakeup->is_ending || is_ending;
    pthread_cond_signal(&wakeup->signalled);
    pthread_mutex_unlock(&wakeup->lock);
}

/* Waits until housekeeping is due, the time to look at the database's files has come, or the end. */
static Woken wakeup_wait(Wakeup *wakeup)
{
    int64_t until = clock_monotonic() + WATCH_US;
    pthread_mutex_lock(&wakeup->lock);
    while (!wakeup->is_due && clock_condition_wait(&wakeup->signalled, &wakeup->lock, until))
        ;
    Woken woken = wakeup->is_ending ? WOKEN_TO_END : wakeup->is_due ? WOKEN_TO_MAINTAIN : WOKEN_TO_WATCH;
    wakeup->is_due = false;
    pthread_mutex_unlock(&wakeup->lock);
    return woken;
}

static void maintain(Db *db, DbConnection *connection)
{
    pthread_mutex_lock(&db->maintaining);
    db->driver->maintain(connection);
    pthread_mutex_unlock(&db->maintaining);
}

static void *maintenance_main(void *arg)
{
    DbWorker *worker = arg;
    Woken woken;
    while ((woken = wakeup_wait(&worker->db->wakeup)) != WOKEN_TO_END)
        if (worker->db->driver->watch(worker->connection) || woken == WOKEN_TO_MAINTAIN) {
            maintain(worker->db, worker->connection);
            queue_hold_steps(&worker->db->writes, false);
        }
    maintain(worker->db, worker->connection);
    return NULL;
}

static void maintain_if_due(Db *db, DbConnection *writer)
{
    if (!db->maintenance.connection)
        return;
    switch (db->driver->maintenance_due(writer)) {
    case DUE_NOT: break;
    case DUE_SOON: /* a long write is not to make the log grow while this goes on */
        queue_hold_steps(&db->writes, true);
        wakeup_signal(&db->wakeup, false);
        break;
    case DUE_NOW: maintain(db, writer); break;
    }
}

/* Until there is a job, for a second at most; who has had none for so long gives back its memory. */
static void wait_for_job(const DbWorker *worker, Queue *queue)
{
    if (worker->db->driver->shrink && !queue_wait(queue, worker->is_kept, IDLE_US))
        worker->db->driver->shrink(worker->connection);
}

static unsigned count_of(const Job *batch)
{
    unsigned count = 0;
    for (; batch; batch = batch->next)
        count++;
    return count;
}

/* Clients that have been answered together ask again within a moment, one before the others. If the writer began at
 * once, it would commit for that one alone while the others wait: two commits where one would do. */
static void *writer_main(void *arg)
{
    DbWorker *worker = arg;
    Queue *queue = &worker->db->writes;
    unsigned last = 1, before;
    for (Job *batch; (batch = queue_take(queue, BATCH_MAX));) {
        int64_t began = clock_monotonic();
        before = last;
        last = count_of(batch);
        write_batch(worker->db, worker->connection, batch);
        int64_t part = (clock_monotonic() - began) / GATHER_PART;
        release(worker->db, batch);
        maintain_if_due(worker->db, worker->connection);
        wait_for_job(worker, queue);
        queue_gather(queue, last > before ? last : before, part < GATHER_US ? part : GATHER_US);
    }
    return NULL;
}

static void *reader_main(void *arg)
{
    DbWorker *worker = arg;
    Job *job;
    while ((job = queue_take_read(&worker->db->reads, worker->is_kept))) {
        if (read_job(worker->db, worker->connection, job) == STOP_YIELD)
            queue_put_long(&worker->db->reads, job);
        else
            release(worker->db, job);
        wait_for_job(worker, &worker->db->reads);
    }
    return NULL;
}

/* On engines where many write: every thread runs this. */
static void *shared_main(void *arg)
{
    DbWorker *worker = arg;
    Job *job;
    while ((job = crowd_take(worker))) {
        switch (run_among_others(worker->db, worker->connection, job)) {
        case RUN_REFUSED: crowd_return(worker, job); continue;
        case RUN_YIELDED: crowd_put_long(worker, job); continue;
        case RUN_ENDED: break;
        }
        crowd_done(worker, job);
        release(worker->db, job);
        if (worker->db->driver->rest)
            worker->db->driver->rest(worker->connection);
    }
    return NULL;
}

static bool worker_start(DbWorker *worker, void *(*run)(void *), Error *error)
{
    worker->is_started = thread_start(&worker->thread, run, worker);
    return worker->is_started || fail(error, ERR_INTERNAL, "Cannot start a thread for the database");
}

static void worker_join(DbWorker *worker)
{
    if (worker->is_started)
        pthread_join(worker->thread, NULL);
}

static void worker_disconnect(DbWorker *worker)
{
    if (worker->connection)
        worker->connection->driver->disconnect(worker->connection);
}

/* ---- opening and closing ---- */

/* The text before "://", which never holds a password; null if there is none. */
static Str url_scheme(Str url)
{
    const char *end = url.p ? memmem(url.p, url.n, "://", 3) : NULL;
    return end ? (Str){ url.p, (size_t)(end - url.p) } : STR_NULL;
}

static const Driver *driver_find(const DbConfig *config, Error *error)
{
    Str scheme = config->file ? STR("sqlite") : url_scheme(config->url);
    for (size_t i = 0; scheme.p && i < COUNT_OF(drivers); i++)
        if (drivers[i]->takes(scheme))
            return drivers[i];
    if (scheme.p)
        fail(error, ERR_INTERNAL,
             "The database URL begins with %.*s://, which is not supported. Set PREFECT_ORION_DATABASE_CONNECTION_URL "
             "to sqlite+aiosqlite:///PATH or postgresql+asyncpg://USER:PASSWORD@HOST:PORT/DATABASE.",
             STR_ARG(scheme));
    else
        fail(error, ERR_INTERNAL,
             "The database URL is not valid. Set PREFECT_ORION_DATABASE_CONNECTION_URL to sqlite+aiosqlite:///PATH or "
             "postgresql+asyncpg://USER:PASSWORD@HOST:PORT/DATABASE.");
    return NULL;
}

static bool worker_connect(Db *db, DbWorker *worker, Role role, const DbConfig *config, Error *error)
{
    worker->db = db;
    worker->connection = db->driver->connect(&db->place, role, (double)db->lock_wait_us / (double)SECOND, error);
    if (!worker->connection)
        return false;
    worker->connection->echo = config->echo;
    worker->connection->meter.slow = config->slow;
    return true;
}

/* The first thread's connection is made now, so that problems are reported at once; it is like the others. */
static bool connect_many(Db *db, const DbConfig *config, Error *error)
{
    db->reader_count = config->connections ? config->connections : CONNECTIONS_DEFAULT;
    crowd_init(db, db->reader_count);
    db->readers = arena_zalloc(db->arena, db->reader_count * sizeof *db->readers);
    for (unsigned i = 0; i < db->reader_count; i++)
        if (!worker_connect(db, &db->readers[i], i == 0 ? ROLE_WRITER : ROLE_READER, config, error))
            return false;
    for (unsigned i = 0; i < db->reader_count; i++)
        db->readers[i].connection->others = &db->reads.others;
    return true;
}

static bool connect_all(Db *db, const DbConfig *config, Error *error)
{
    if (db->driver->many_writers)
        return connect_many(db, config, error);
    if (!worker_connect(db, &db->writer, ROLE_WRITER, config, error))
        return false;
    db->place.is_single = db->place.is_single || db->writer.connection->is_only;
    if (db->place.is_single)
        return true;
    db->reader_count = config->readers ? config->readers : 1;
    db->readers = arena_zalloc(db->arena, db->reader_count * sizeof *db->readers);
    for (unsigned i = 0; i < db->reader_count; i++)
        if (!worker_connect(db, &db->readers[i], ROLE_READER, config, error))
            return false;
    if (db->reader_count > 1) {
        db->readers[0].is_kept = true;
        db->readers[0].connection->others = &db->reads.others;
    }
    return !db->driver->maintain || worker_connect(db, &db->maintenance, ROLE_MAINTENANCE, config, error);
}

static bool start_all(Db *db, Error *error)
{
    bool ok = db->driver->many_writers || worker_start(&db->writer, writer_main, error);
    for (unsigned i = 0; ok && i < db->reader_count; i++)
        ok = worker_start(&db->readers[i], db->driver->many_writers ? shared_main : reader_main, error);
    if (ok && db->maintenance.connection)
        ok = worker_start(&db->maintenance, maintenance_main, error);
    return ok;
}

DbConfig db_config(const Settings *settings)
{
    int64_t connections = settings_int(settings, "ORION_DATABASE_CONNECTIONS");
    return (DbConfig){
        .url = settings_text(settings, "PREFECT_ORION_DATABASE_CONNECTION_URL"),
        .timeout = settings_float(settings, "PREFECT_ORION_DATABASE_TIMEOUT"),
        .connect_timeout = settings_float(settings, "PREFECT_ORION_DATABASE_CONNECTION_TIMEOUT"),
        .readers = READERS_DEFAULT,
        .cache = (int64_t)settings_float(settings, "ORION_DATABASE_CACHE"),
        .connections = connections < 1 ? 1 : connections > CONNECTIONS_MAX ? CONNECTIONS_MAX : (unsigned)connections,
        .pgbouncer = settings_bool(settings, "ORION_DATABASE_PGBOUNCER"),
        .slow = (int64_t)(settings_float(settings, "ORION_LOG_SLOW") * (double)SECOND),
        .echo = settings_bool(settings, "PREFECT_ORION_DATABASE_ECHO"),
    };
}

static double at_most(double seconds, double most)
{
    return seconds < most ? seconds : most;
}

int64_t db_migration_limit(const Settings *settings)
{
    return (int64_t)(at_most(settings_float(settings, "ORION_DATABASE_MIGRATION_TIMEOUT"), TIMEOUT_MAX)
                     * (double)SECOND);
}

Db *db_open(const DbConfig *given, Error *error)
{
    const Driver *driver = driver_find(given, error);
    if (!driver)
        return NULL;
    Arena *arena = arena_new();
    Db *db = arena_new_of(arena, Db);
    DbConfig limited = *given, *config = &limited;
    bool is_limited = given->timeout > 0;
    limited.timeout = at_most(given->timeout, TIMEOUT_MAX);
    limited.connect_timeout = at_most(given->connect_timeout, TIMEOUT_MAX);
    db->arena = arena;
    db->driver = driver;
    db->read_us = is_limited ? (int64_t)(limited.timeout * (double)SECOND) : 0;
    db->lock_wait_us = is_limited ? db->read_us : LOCK_WAIT_DEFAULT * SECOND;
    queue_init(&db->writes);
    queue_init(&db->reads);
    pthread_mutex_init(&db->wakeup.lock, NULL);
    clock_condition_init(&db->wakeup.signalled);
    pthread_mutex_init(&db->maintaining, NULL);
    if (driver->locate(arena, config, &db->place, error) && connect_all(db, config, error) && start_all(db, error))
        return db;
    db_close(db);
    return NULL;
}

const Driver *db_locate(Arena *arena, const DbConfig *config, DbPlace *ret_place, Error *error)
{
    const Driver *driver = driver_find(config, error);
    return driver && driver->locate(arena, config, ret_place, error) ? driver : NULL;
}

bool db_check(Arena *arena, const DbConfig *config, Error *error)
{
    return db_locate(arena, config, &(DbPlace){ .path = NULL }, error) != NULL;
}

void db_close(Db *db)
{
    if (!db)
        return;
    queue_close(&db->writes);
    queue_close(&db->reads);
    worker_join(&db->writer);
    for (unsigned i = 0; i < db->reader_count; i++)
        worker_join(&db->readers[i]);
    wakeup_signal(&db->wakeup, true);
    worker_join(&db->maintenance);
    for (unsigned i = 0; i < db->reader_count; i++)
        worker_disconnect(&db->readers[i]);
    worker_disconnect(&db->maintenance);
    worker_disconnect(&db->writer);
    pthread_mutex_destroy(&db->maintaining);
    pthread_cond_destroy(&db->wakeup.signalled);
    if (db->reads.crowd)
        pthread_cond_destroy(&db->crowd.needed);
    pthread_mutex_destroy(&db->wakeup.lock);
    queue_free(&db->reads);
    queue_free(&db->writes);
    arena_free(db->arena);
}

const Dialect *db_dialect(const Db *db)
{
    return db->driver->dialect;
}

/* ---- submitting ---- */

void db_submit(Db *db, Job *job)
{
    job_clear(job);
    job->next = NULL;
    job->queued = clock_monotonic();
    job->steps = 0;
    Queue *queue = queue_of(db, job);
    job->is_long = !job->write && queue == &db->reads && job_is_long(job, db->driver);
    if (queue_put(queue, job))
        return;
    fail(&job->error, ERR_BUSY, SHUTTING_DOWN);
    job->done(job->arg, &job->error);
}

typedef struct Waiter {
    bool (*run)(Tx *, void *);
    void *arg;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool is_done;
} Waiter;

static bool waiter_run(Tx *tx, void *arg)
{
    Waiter *waiter = arg;
    return waiter->run(tx, waiter->arg);
}

static void waiter_done(void *arg, const Error *error)
{
    Waiter *waiter = arg;
    (void)error;
    pthread_mutex_lock(&waiter->lock);
    waiter->is_done = true;
    pthread_cond_signal(&waiter->ended);
    pthread_mutex_unlock(&waiter->lock);
}

bool db_run(Db *db, bool write, Arena *arena, bool (*run)(Tx *, void *), void *arg, Error *error)
{
    return db_run_within(db, 0, write, arena, run, arg, error);
}

bool db_run_within(Db *db, int64_t limit, bool write, Arena *arena, bool (*run)(Tx *, void *), void *arg, Error *error)
{
    Waiter waiter = { .run = run, .arg = arg };
    pthread_mutex_init(&waiter.lock, NULL);
    pthread_cond_init(&waiter.ended, NULL);
    Job job = { .run = waiter_run, .done = waiter_done, .arg = &waiter, .arena = arena, .write = write,
                .limit = limit };
    db_submit(db, &job);
    pthread_mutex_lock(&waiter.lock);
    while (!waiter.is_done)
        pthread_cond_wait(&waiter.ended, &waiter.lock);
    pthread_mutex_unlock(&waiter.lock);
    pthread_cond_destroy(&waiter.ended);
    pthread_mutex_destroy(&waiter.lock);
    if (job.error.code == ERR_NONE)
        return true;
    return fail(error, job.error.code, "%s", job.error.message);
}
