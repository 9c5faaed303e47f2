/* db/db.c -- jobs and the threads that run them: one writer that commits what waits in one go, a pool of readers,
 * one thread for housekeeping; or, where many write, threads that all take both. Nothing here knows an engine. */
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/log.h"
#include "db/driver.h"

#define LOGGER "orion.db"

enum {
    READERS_DEFAULT = 4,
    CONNECTIONS_DEFAULT = 8,
    CONNECTIONS_MAX = 256,
    TRIES_MAX = 20,                  /* of a transaction that collides with others */
    BATCH_MAX = 128,                 /* writes in one commit; more are not waited for, they gather while the last one
                                      * commits */
    LOCK_WAIT_DEFAULT = 60,          /* seconds, where no timeout is configured: the reference's busy timeout */
    TIMEOUT_MAX = 24 * 60 * 60,     /* seconds */
    LOCK_WAIT_MIN = 100 * 1000,    /* microseconds, also for jobs that waited long behind others */
    RETRY_WAIT_US = 500,
    STEP_BACK_MIN = 100 * 1000,    /* microseconds until a connection that was refused is asked for again,
                                      * twice as long each time */
    STEP_BACK_MAX = 2 * 1000 * 1000
};

typedef struct Queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    Job *first, **end;
    struct Crowd *crowd; /* on engines where many write; else NULL */
    bool is_closing; /* jobs in it are still run */
    bool is_closed;  /* nobody takes from it any more */
} Queue;

/* The threads that take reads and writes from one queue, under its lock. A job goes to an idle one with a
 * connection; the others are only called after those, and if they are refused a connection, they wait before they
 * ask again. */
typedef struct Crowd {
    pthread_cond_t needed;     /* for threads without a connection */
    unsigned threads;
    unsigned usable;           /* connections that can be had: all, until one is refused; then the most that there
                                * have been at once since */
    unsigned idle;             /* threads with a connection that wait */
    unsigned writes;           /* running now */
    int64_t refused_until;     /* monotonic: no other connection is asked for before, unless there is none at all */
    int64_t step_back;         /* microseconds, after the next refusal */
} Crowd;

/* A flag that one thread raises and another waits for. */
typedef struct Wakeup {
    pthread_mutex_t lock;
    pthread_cond_t signalled;
    bool is_due, is_ending;
} Wakeup;

/* A thread and its connection, which nobody else uses while it runs. */
typedef struct DbWorker {
    Db *db;
    DbConnection *connection;
    pthread_t thread;
    bool is_started;
    bool was_connected;  /* when it took its job */
} DbWorker;

/* Made by db_open, freed by db_close. Once threads run, what they share changes only under its lock. */
struct Db {
    Arena *arena;
    const Driver *driver;
    DbPlace place;
    int64_t lock_wait_us;
    int64_t read_us;         /* the longest read; 0: no limit */
    Queue writes, reads;
    DbWorker writer, maintenance;
    DbWorker *readers;
    unsigned reader_count;
    Crowd crowd;
    Wakeup wakeup;
    pthread_mutex_t maintaining; /* held while housekeeping runs, by its own thread or the writer */
};

static const Driver *const drivers[] = { &sqlite_driver, &postgres_driver };

/* ---- the queues ---- */

static void job_clear(Job *job)
{
    job->error.code = ERR_NONE;
    job->error.message[0] = '\0';
}

static void queue_init(Queue *queue)
{
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->filled, NULL);
    queue->end = &queue->first;
}

static void queue_free(Queue *queue)
{
    pthread_cond_destroy(&queue->filled);
    pthread_mutex_destroy(&queue->lock);
}

/* The link to the first job that may run now, with so many connections: a read may overtake writes that must wait. A
 * quarter is never used for writes: all of those may wait for somebody's lock, and reads must not wait with them. */
static Job **queue_ready(Queue *queue, unsigned connections)
{
    Job **link = &queue->first;
    unsigned kept = connections == 1 ? 0 : connections < 4 ? 1 : connections / 4;
    if (queue->crowd->writes >= connections - kept)
        while (*link && (*link)->write)
            link = &(*link)->next;
    return link;
}

/* Wakes a thread for a job that may run now: one without a connection only if no idle one may take the job. */
static void queue_call(Queue *queue)
{
    const Crowd *crowd = queue->crowd;
    if (!crowd || (crowd->idle > 0 && *queue_ready(queue, crowd->usable)))
        pthread_cond_signal(&queue->filled);
    else if (*queue_ready(queue, crowd->threads))
        pthread_cond_signal(&queue->crowd->needed);
}

static bool queue_put(Queue *queue, Job *job)
{
    pthread_mutex_lock(&queue->lock);
    bool is_open = !queue->is_closed;
    if (is_open) {
        *queue->end = job;
        queue->end = &job->next;
        queue_call(queue);
    }
    pthread_mutex_unlock(&queue->lock);
    return is_open;
}

/* Up to `most` jobs, linked by next, waiting for the first; NULL: the queue is closed and empty. */
static Job *queue_take(Queue *queue, unsigned most)
{
    pthread_mutex_lock(&queue->lock);
    while (!queue->first && !queue->is_closing)
        pthread_cond_wait(&queue->filled, &queue->lock);
    Job *taken = queue->first, **rest = &queue->first;
    for (unsigned i = 0; i < most && *rest; i++)
        rest = &(*rest)->next;
    queue->first = *rest;
    *rest = NULL;
    if (!queue->first)
        queue->end = &queue->first;
    if (!taken)
        queue->is_closed = true;
    pthread_mutex_unlock(&queue->lock);
    return taken;
}

static void queue_close(Queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_closing = true;
    pthread_cond_broadcast(&queue->filled);
    if (queue->crowd)
        pthread_cond_broadcast(&queue->crowd->needed);
    pthread_mutex_unlock(&queue->lock);
}

/* ---- the crowd ---- */

static void crowd_init(Db *db, unsigned threads)
{
    clock_condition_init(&db->crowd.needed);
    db->crowd.threads = db->crowd.usable = threads;
    db->crowd.step_back = STEP_BACK_MIN;
    db->reads.crowd = &db->crowd;
}

static bool is_connected(const DbWorker *worker)
{
    return worker->db->driver->is_connected(worker->connection);
}

static unsigned connected(const Db *db)
{
    return db->driver->connected(&db->place);
}

/* The link to the job for this thread, leading to NULL if there is none. Without a connection that is what no idle
 * thread may take, perhaps because the connections that there are must be kept for reads. */
static Job **crowd_ready(const DbWorker *worker)
{
    Queue *queue = &worker->db->reads;
    const Crowd *crowd = queue->crowd;
    if (is_connected(worker))
        return queue_ready(queue, crowd->usable);
    if (crowd->idle > 0 && *queue_ready(queue, crowd->usable))
        return queue->end;
    return queue_ready(queue, crowd->threads);
}

static bool must_step_back(const Db *db)
{
    return clock_monotonic() < db->crowd.refused_until && connected(db) > 0;
}

static void crowd_wait(DbWorker *worker)
{
    Queue *queue = &worker->db->reads;
    Crowd *crowd = &worker->db->crowd;
    if (is_connected(worker)) {
        crowd->idle++;
        pthread_cond_wait(&queue->filled, &queue->lock);
        crowd->idle--;
        return;
    }
    if (*crowd_ready(worker)) { /* there is a job, but this thread must step back */
        struct timespec until = { .tv_sec = crowd->refused_until / SECOND,
                                  .tv_nsec = crowd->refused_until % SECOND * 1000 };
        pthread_cond_timedwait(&crowd->needed, &queue->lock, &until);
    } else {
        pthread_cond_wait(&crowd->needed, &queue->lock);
    }
}

/* One job; to be followed by crowd_done or crowd_return. NULL: closed and empty. */
static Job *crowd_take(DbWorker *worker)
{
    Queue *queue = &worker->db->reads;
    Job **link;
    pthread_mutex_lock(&queue->lock);
    while ((!*(link = crowd_ready(worker)) || (!is_connected(worker) && must_step_back(worker->db))) &&
           (queue->first || !queue->is_closing))
        crowd_wait(worker);
    Job *taken = *link;
    if (taken) {
        *link = taken->next;
        if (queue->end == &taken->next)
            queue->end = link;
        taken->next = NULL;
        queue->crowd->writes += taken->write;
        worker->was_connected = is_connected(worker);
        if (!worker->was_connected && queue->crowd->usable < queue->crowd->threads)
            /* two at once might both be refused */
            queue->crowd->refused_until = clock_monotonic() + queue->crowd->step_back;
        queue_call(queue); /* for the next one */
    } else {
        queue->is_closed = true;
    }
    pthread_mutex_unlock(&queue->lock);
    return taken;
}

/* A new connection: one more than there were at most, or the first after there was none, when all may be available
 * again. */
static void note_connected(Db *db)
{
    Crowd *crowd = &db->crowd;
    unsigned found = connected(db);
    crowd->step_back = STEP_BACK_MIN;
    if (found <= 1)
        crowd->usable = crowd->threads;
    else if (found > crowd->usable)
        crowd->usable = found;
}

static void crowd_done(DbWorker *worker, bool write)
{
    Queue *queue = &worker->db->reads;
    pthread_mutex_lock(&queue->lock);
    queue->crowd->writes -= write;
    if (!worker->was_connected && is_connected(worker))
        note_connected(worker->db);
    if (queue->is_closing) {
        pthread_cond_broadcast(&queue->filled);
        pthread_cond_broadcast(&queue->crowd->needed);
    } else {
        queue_call(queue);
    }
    pthread_mutex_unlock(&queue->lock);
}

/* The job of a thread that was refused a connection goes back to where it was, for a thread that has one. */
static void crowd_return(DbWorker *worker, Job *job)
{
    Queue *queue = &worker->db->reads;
    Crowd *crowd = queue->crowd;
    pthread_mutex_lock(&queue->lock);
    unsigned found = connected(worker->db), usable = found ? found : 1;
    if (crowd->usable == crowd->threads && usable < crowd->threads)
        log_warning(LOGGER,
                    "Only %u of %u database connections are available; they serve all requests, and more are requested "
                    "from time to time: %s",
                    usable, crowd->threads, job->error.message);
    crowd->usable = usable;
    crowd->refused_until = clock_monotonic() + crowd->step_back;
    crowd->step_back = 2 * crowd->step_back < STEP_BACK_MAX ? 2 * crowd->step_back : STEP_BACK_MAX;
    crowd->writes -= job->write;
    job_clear(job);
    job->next = queue->first;
    if (!queue->first)
        queue->end = &job->next;
    queue->first = job;
    queue_call(queue);
    pthread_mutex_unlock(&queue->lock);
}

/* ---- running jobs ---- */

static void end_open_rows(DbConnection *connection)
{
    while (connection->open)
        db_done(connection->open);
}

/* Calls the job's function inside the transaction that has begun. True: its work may stay. */
static bool job_call(Db *db, DbConnection *connection, Job *job)
{
    Tx tx = { .arena = job->arena, .error = &job->error, .now = clock_now(), .sql = db->driver->dialect,
              .connection = connection };
    bool is_limited = !job->write && db->read_us > 0 && !db->driver->many_writers;
    if (is_limited)
        db->driver->set_deadline(connection, clock_monotonic() + db->read_us);
    bool ok = job->run(&tx, job->arg);
    end_open_rows(connection);
    if (is_limited)
        db->driver->set_deadline(connection, 0);
    if (!ok)
        fail(&job->error, ERR_INTERNAL, "a database job failed without an error");
    return ok && job->error.code == ERR_NONE;
}

static void roll_back(DbConnection *connection)
{
    Error ignored = { 0 };
    if (connection->driver->in_transaction(connection) &&
        !connection->driver->step(connection, STEP_ROLLBACK, &ignored))
        log_error(LOGGER, "a rollback failed: %s", ignored.message);
}

/* Runs a job as the whole of the transaction that has begun. */
static void write_single(Db *db, DbConnection *connection, Job *job)
{
    if (!job_call(db, connection, job) || !db->driver->step(connection, STEP_COMMIT, &job->error))
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
    for (Job *job = batch; job; job = job->next)
        if (!write_in_savepoint(db, connection, job, error))
            return false;
    return db->driver->step(connection, STEP_COMMIT, error);
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
        db->driver->set_lock_wait(connection, lock_wait(db, job));
        if (db->driver->step(connection, STEP_BEGIN_WRITE, &job->error))
            write_single(db, connection, job);
    }
}

static void write_batch(Db *db, DbConnection *connection, Job *batch)
{
    Error error = { 0 };
    db->driver->set_lock_wait(connection, lock_wait(db, batch));
    if (!db->driver->step(connection, STEP_BEGIN_WRITE, &error)) {
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

static void read_job(Db *db, DbConnection *connection, Job *job)
{
    Error ignored = { 0 };
    bool ok = db->driver->step(connection, STEP_BEGIN_READ, &job->error) && job_call(db, connection, job);
    if (!ok || !db->driver->step(connection, STEP_COMMIT, &ignored))
        roll_back(connection);
}

/* Longer with each try, and different for each thread. */
static int64_t retry_wait_us(unsigned tries)
{
    return RETRY_WAIT_US * (1 + clock_monotonic() % (tries < 8 ? 1 << tries : 256));
}

static void sleep_us(int64_t us)
{
    struct timespec wait = { .tv_sec = us / SECOND, .tv_nsec = us % SECOND * 1000 };
    nanosleep(&wait, NULL);
}

/* Runs a job as a transaction among those of others. One that collided, or whose connection was lost before the
 * commit, left nothing behind and is run again while its time lasts. False: this thread was refused a connection,
 * and others have one. */
static bool run_among_others(Db *db, DbConnection *connection, Job *job)
{
    int64_t deadline = db->read_us ? job->queued + db->read_us : 0;
    int64_t now = clock_monotonic(), least = now + LOCK_WAIT_MIN;
    if (deadline && now >= deadline) { /* or those after it would wait ever longer */
        fail(&job->error, ERR_BUSY,
             "The database is too busy: all connections were in use for longer than the database timeout allows");
        return true;
    }
    db->driver->set_deadline(connection, deadline && deadline < least ? least : deadline);
    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        job_clear(job);
        connection->may_retry = connection->is_refused = false;
        if (!job->write)
            read_job(db, connection, job);
        else if (db->driver->step(connection, STEP_BEGIN_WRITE, &job->error))
            write_single(db, connection, job);
        if (connection->is_refused)
            return false;
        if (job->error.code == ERR_NONE || !connection->may_retry)
            return true;
        int64_t wait = retry_wait_us(tries);
        if (deadline && clock_monotonic() + wait >= deadline)
            return true;
        sleep_us(wait);
    }
    return true;
}

/* From `done` on, a job's memory is its owner's again. */
static void release(Job *batch)
{
    while (batch) {
        Job *job = batch;
        batch = job->next;
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

/* False: time to end. */
static bool wakeup_wait(Wakeup *wakeup)
{
    pthread_mutex_lock(&wakeup->lock);
    while (!wakeup->is_due)
        pthread_cond_wait(&wakeup->signalled, &wakeup->lock);
    wakeup->is_due = false;
    bool is_ending = wakeup->is_ending;
    pthread_mutex_unlock(&wakeup->lock);
    return !is_ending;
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
    while (wakeup_wait(&worker->db->wakeup))
        maintain(worker->db, worker->connection);
    maintain(worker->db, worker->connection);
    return NULL;
}

static void maintain_if_due(Db *db, DbConnection *writer)
{
    if (!db->maintenance.connection)
        return;
    switch (db->driver->maintenance_due(writer)) {
    case DUE_NOT: break;
    case DUE_SOON: wakeup_signal(&db->wakeup, false); break;
    case DUE_NOW: maintain(db, writer); break;
    }
}

static void *writer_main(void *arg)
{
    DbWorker *worker = arg;
    Job *batch;
    while ((batch = queue_take(&worker->db->writes, BATCH_MAX))) {
        write_batch(worker->db, worker->connection, batch);
        release(batch);
        maintain_if_due(worker->db, worker->connection);
    }
    return NULL;
}

static void *reader_main(void *arg)
{
    DbWorker *worker = arg;
    Job *job;
    while ((job = queue_take(&worker->db->reads, 1))) {
        read_job(worker->db, worker->connection, job);
        release(job);
    }
    return NULL;
}

/* On engines where many write: every thread runs this. */
static void *shared_main(void *arg)
{
    DbWorker *worker = arg;
    Job *job;
    while ((job = crowd_take(worker))) {
        bool write = job->write;
        if (!run_among_others(worker->db, worker->connection, job)) {
            crowd_return(worker, job);
            continue;
        }
        crowd_done(worker, write);
        release(job);
        if (worker->db->driver->rest)
            worker->db->driver->rest(worker->connection);
    }
    return NULL;
}

/* Signals are for the main thread: database threads block them all. */
static bool worker_start(DbWorker *worker, void *(*run)(void *), Error *error)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    worker->is_started = pthread_create(&worker->thread, NULL, run, worker) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
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

static const Driver *driver_find(Str url, Error *error)
{
    Str scheme = url_scheme(url);
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
        .connections = connections < 1 ? 1 : connections > CONNECTIONS_MAX ? CONNECTIONS_MAX : (unsigned)connections,
        .pgbouncer = settings_bool(settings, "ORION_DATABASE_PGBOUNCER"),
        .echo = settings_bool(settings, "PREFECT_ORION_DATABASE_ECHO"),
    };
}

static double at_most(double seconds, double most)
{
    return seconds < most ? seconds : most;
}

Db *db_open(const DbConfig *given, Error *error)
{
    const Driver *driver = driver_find(given->url, error);
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
    pthread_cond_init(&db->wakeup.signalled, NULL);
    pthread_mutex_init(&db->maintaining, NULL);
    if (driver->locate(arena, config, &db->place, error) && connect_all(db, config, error) && start_all(db, error))
        return db;
    db_close(db);
    return NULL;
}

bool db_check(Arena *arena, const DbConfig *config, Error *error)
{
    const Driver *driver = driver_find(config->url, error);
    return driver && driver->locate(arena, config, &(DbPlace){ .path = NULL }, error);
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
    bool is_writers = !db->driver->many_writers && (job->write || db->place.is_single);
    if (queue_put(is_writers ? &db->writes : &db->reads, job))
        return;
    fail(&job->error, ERR_BUSY, "The server is shutting down");
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
    Waiter waiter = { .run = run, .arg = arg };
    pthread_mutex_init(&waiter.lock, NULL);
    pthread_cond_init(&waiter.ended, NULL);
    Job job = { .run = waiter_run, .done = waiter_done, .arg = &waiter, .arena = arena, .write = write };
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
