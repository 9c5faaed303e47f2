/* api/readiness.c -- a check is two jobs in the same queues as all others: a read, and a write that changes nothing.
 * Requests wait for at most WAIT_US, whatever happens to the jobs. */
#include "api/readiness.h"

#include "api/reply.h"
#include "base/log.h"
#include "base/thread.h"
#include "db/migrate.h"

#define LOGGER "orion.api"

enum { WAIT_US = 2 * 1000 * 1000 };

/* One of the two jobs, with its own memory, since it may outlive the requests. */
typedef struct Probe {
    Readiness *readiness;
    Job job;
    bool is_pending;
    Error error;
} Probe;

struct Readiness {
    Db *db;
    pthread_t thread;
    bool started, quit;
    pthread_mutex_t lock; /* protects `started`, `quit` and all that follows */
    pthread_cond_t changed;
    pthread_cond_t told;
    Req *waiting;
    unsigned threads; /* that wait in readiness_wait */
    uint64_t checks;  /* that have ended, */
    Error last;       /* and what the last one found */
    Probe read, write;
    int64_t began;   /* start of the last check, monotonic */
    bool was_ready;
};

/* ---- the check ---- */

static bool find_schema(Tx *tx, void *arg)
{
    SchemaState state;
    Str revision;
    (void)arg;
    if (!migrate_state(tx, &state, &revision))
        return false;
    if (state == SCHEMA_EMPTY)
        return fail(tx->error, ERR_BUSY, "The database has none of Orion's tables");
    return state == SCHEMA_HEAD || migrate_check(tx);
}

/* Changes nothing, but fails if the database refuses writes. */
static bool write_nothing(Tx *tx, void *arg)
{
    (void)arg;
    return DB_EXEC(tx, "UPDATE configuration SET value = value WHERE 1 = 0") >= 0;
}

static void probe_done(void *arg, const Error *error)
{
    Probe *probe = arg;
    Readiness *readiness = probe->readiness;
    pthread_mutex_lock(&readiness->lock);
    probe->error = *error;
    probe->is_pending = false;
    pthread_cond_signal(&readiness->changed);
    pthread_mutex_unlock(&readiness->lock);
}

static void probe_init(Probe *probe, Readiness *readiness, bool (*run)(Tx *, void *), bool write)
{
    probe->readiness = readiness;
    probe->job = (Job){ .run = run, .done = probe_done, .arg = probe, .arena = arena_new(), .write = write };
}

static bool is_under_way(const Readiness *readiness)
{
    return readiness->read.is_pending || readiness->write.is_pending;
}

/* Releases the lock while submitting, since a closed queue calls `done` at once. */
static void begin_check(Readiness *readiness)
{
    Probe *probes[] = { &readiness->read, &readiness->write };
    readiness->began = clock_monotonic();
    for (size_t i = 0; i < COUNT_OF(probes); i++)
        probes[i]->is_pending = true;
    pthread_mutex_unlock(&readiness->lock);
    for (size_t i = 0; i < COUNT_OF(probes); i++) {
        arena_reset(probes[i]->job.arena);
        db_submit(readiness->db, &probes[i]->job);
    }
    pthread_mutex_lock(&readiness->lock);
}

/* Waits until the check is done or its time is up. */
static void await_check(Readiness *readiness)
{
    int64_t until = readiness->began + WAIT_US;
    while (is_under_way(readiness) && !readiness->quit &&
           clock_condition_wait(&readiness->changed, &readiness->lock, until))
        ;
}

/* What is wrong; ERR_NONE if nothing is. */
static Error outcome(const Readiness *readiness)
{
    Error error = { .code = ERR_NONE };
    if (readiness->quit)
        (void)fail(&error, ERR_BUSY, "The server is shutting down");
    else if (readiness->read.is_pending)
        (void)fail(&error, ERR_BUSY, "The database has not answered a read for two seconds");
    else if (readiness->read.error.code != ERR_NONE)
        error = readiness->read.error;
    else if (readiness->write.is_pending)
        (void)fail(&error, ERR_BUSY, "The queue of writes has not moved for two seconds");
    else
        error = readiness->write.error;
    return error;
}

/* ---- the response ---- */

/* A driver's message may name hosts and roles, and this route is open, so only clients with read access get the
 * message. */
static const char *shown_reason(const Req *req, const Error *error)
{
    if (error->code == ERR_INTERNAL)
        return READINESS_INTERNAL;
    return req->grant.reads ? error->message : "It is in the server's log; with a key it is shown here.";
}

/* The messages are those of 2.20; the reason is for people. */
static void answer(Req *req, const Error *error)
{
    bool is_ready = error->code == ERR_NONE;
    JsonWriter *w = reply_json(req);
    json_object(w);
    json_key(w, "message");
    json_text(w, is_ready ? "OK" : "Database is not available");
    if (!is_ready) {
        json_key(w, "reason");
        json_text(w, shown_reason(req, error));
    }
    json_object_end(w);
    reply_status(req, is_ready ? 200 : 503);
    reply_send(req);
}

/* Probes arrive every few seconds, so only changes are logged. */
static void log_change(Readiness *readiness, const Error *error)
{
    bool is_ready = error->code == ERR_NONE;
    if (!is_ready && readiness->was_ready && !readiness->quit)
        log_warning(LOGGER, "This server is not ready: %s", error->message);
    else if (is_ready && !readiness->was_ready)
        log_warning(LOGGER, "This server is ready again.");
    readiness->was_ready = is_ready;
}

/* Includes requests that arrived during the check, so that none waits for two checks. */
static void answer_all(Readiness *readiness)
{
    const Error error = outcome(readiness);
    Req *next = readiness->waiting;
    readiness->waiting = NULL;
    readiness->threads = 0;
    readiness->checks++;
    readiness->last = error;
    pthread_cond_broadcast(&readiness->told);
    log_change(readiness, &error);
    pthread_mutex_unlock(&readiness->lock);
    for (Req *req = next; req; req = next) {
        next = req->next;
        answer(req, &error);
    }
    pthread_mutex_lock(&readiness->lock);
}

static void *work(void *arg)
{
    Readiness *readiness = arg;
    pthread_mutex_lock(&readiness->lock);
    while (!readiness->quit || readiness->waiting || readiness->threads) {
        if (!readiness->waiting && !readiness->threads) {
            pthread_cond_wait(&readiness->changed, &readiness->lock);
            continue;
        }
        if (!is_under_way(readiness) && !readiness->quit)
            begin_check(readiness);
        await_check(readiness);
        answer_all(readiness);
    }
    pthread_mutex_unlock(&readiness->lock);
    return NULL;
}

static const Error no_thread = { .code = ERR_BUSY, .message = "The server cannot start a thread" };

/* Within the lock. */
static bool start(Readiness *readiness)
{
    readiness->started = readiness->started || thread_start(&readiness->thread, work, readiness);
    return readiness->started;
}

Error readiness_wait(Readiness *readiness)
{
    pthread_mutex_lock(&readiness->lock);
    Error found = no_thread;
    if (start(readiness)) {
        uint64_t before = readiness->checks;
        readiness->threads++;
        pthread_cond_signal(&readiness->changed);
        while (readiness->checks == before)
            pthread_cond_wait(&readiness->told, &readiness->lock);
        found = readiness->last;
    }
    pthread_mutex_unlock(&readiness->lock);
    return found;
}

void readiness_answer(Readiness *readiness, Req *req)
{
    pthread_mutex_lock(&readiness->lock);
    bool runs = start(readiness);
    if (runs) {
        req->next = readiness->waiting;
        readiness->waiting = req;
        pthread_cond_signal(&readiness->changed);
    }
    pthread_mutex_unlock(&readiness->lock);
    if (!runs)
        answer(req, &no_thread);
}

/* ---- start and stop ---- */

Readiness *readiness_new(Db *db)
{
    Readiness *readiness = xcalloc(1, sizeof *readiness);
    clock_condition_init(&readiness->changed);
    pthread_cond_init(&readiness->told, NULL);
    pthread_mutex_init(&readiness->lock, NULL);
    readiness->db = db;
    readiness->was_ready = true;
    probe_init(&readiness->read, readiness, find_schema, false);
    probe_init(&readiness->write, readiness, write_nothing, true);
    return readiness;
}

void readiness_stop(Readiness *readiness)
{
    pthread_mutex_lock(&readiness->lock);
    readiness->quit = true;
    pthread_cond_signal(&readiness->changed);
    pthread_mutex_unlock(&readiness->lock);
    if (readiness->started)
        pthread_join(readiness->thread, NULL);
}

void readiness_free(Readiness *readiness)
{
    arena_free(readiness->read.job.arena);
    arena_free(readiness->write.job.arena);
    pthread_cond_destroy(&readiness->told);
    pthread_cond_destroy(&readiness->changed);
    pthread_mutex_destroy(&readiness->lock);
    free(readiness);
}
