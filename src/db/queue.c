/* db/queue.c -- queues of jobs: one that its threads take from in order, and the crowd, whose threads take reads and
 * writes alike, each with a connection that it may not get. Nothing here knows an engine. */
#include "base/log.h"
#include "db/threads.h"

#define LOGGER "orion.db"

enum {
    STEP_BACK_MIN = 100 * 1000,    /* microseconds until a connection that was refused is asked for again,
                                      * twice as long each time */
    STEP_BACK_MAX = 2 * 1000 * 1000
};

enum { READS = 1 << JOB_READ, LONG_READS = 1 << JOB_LONG_READ, WRITES = 1 << JOB_WRITE, STEPS = 1 << JOB_WRITE_STEP,
       ALL = READS | LONG_READS | WRITES | STEPS };

void job_clear(Job *job)
{
    job->error.code = ERR_NONE;
    job->error.message[0] = '\0';
}

void queue_init(Queue *queue)
{
    pthread_mutex_init(&queue->lock, NULL);
    clock_condition_init(&queue->filled);
    for (JobKind kind = 0; kind < JOB_KINDS; kind++)
        queue->jobs[kind].end = &queue->jobs[kind].first;
}

void queue_free(Queue *queue)
{
    pthread_cond_destroy(&queue->filled);
    pthread_mutex_destroy(&queue->lock);
}

static JobKind kind_of(const Job *job)
{
    if (job->write)
        return job->is_long ? JOB_WRITE_STEP : JOB_WRITE;
    return job->is_long ? JOB_LONG_READ : JOB_READ;
}

/* Of these kinds the job that came first; it may overtake others. NULL: none. */
static Job *queue_first(const Queue *queue, unsigned kinds)
{
    Job *first = NULL;
    for (JobKind kind = 0; kind < JOB_KINDS; kind++) {
        Job *job = queue->jobs[kind].first;
        if (job && kinds & 1u << kind && (!first || job->turn < first->turn))
            first = job;
    }
    return first;
}

static Job *queue_pop(Queue *queue, unsigned kinds)
{
    Job *job = queue_first(queue, kinds);
    if (!job)
        return NULL;
    JobKind kind = kind_of(job);
    queue->jobs[kind].first = job->next;
    if (!job->next)
        queue->jobs[kind].end = &queue->jobs[kind].first;
    job->next = NULL;
    return job;
}

/* The kinds of jobs that may run, with so many connections. A quarter of them is never used for writes: all of those
 * may wait for somebody's lock, and reads must not wait with them. Nor are all used for long reads; steps of long
 * writes get a quarter, at least one. */
static unsigned kinds_allowed(const Crowd *crowd, unsigned connections)
{
    unsigned kept = connections == 1 ? 0 : connections < 4 ? 1 : connections / 4;
    unsigned steps = crowd->running_of[JOB_WRITE_STEP];
    bool may_write = crowd->running_of[JOB_WRITE] + steps < connections - kept;
    bool may_step = may_write && steps < (connections + 3) / 4;
    bool may_be_long = connections == 1 || crowd->running_of[JOB_LONG_READ] < connections - 1;
    return READS | (may_be_long ? LONG_READS : 0) | (may_write ? WRITES : 0) | (may_step ? STEPS : 0);
}

/* Whether a job that is not long waits only because all threads are at work. */
static bool has_no_thread(const Queue *queue)
{
    const Crowd *crowd = queue->crowd;
    if (!crowd)
        return queue_first(queue, READS);
    return crowd->running >= crowd->usable && crowd->usable > 1 &&
           queue_first(queue, kinds_allowed(crowd, crowd->usable) & (READS | WRITES));
}

/* After each change of what waits or runs. */
static void note_others(Queue *queue)
{
    atomic_store_explicit(&queue->others, has_no_thread(queue), memory_order_relaxed);
}

/* Wakes a thread for a job that may run now: one without a connection only if no idle one may take the job. */
static void queue_call(Queue *queue)
{
    const Crowd *crowd = queue->crowd;
    if (!crowd || (crowd->idle > 0 && queue_first(queue, kinds_allowed(crowd, crowd->usable))))
        pthread_cond_signal(&queue->filled);
    else if (queue_first(queue, kinds_allowed(crowd, crowd->threads)))
        pthread_cond_signal(&queue->crowd->needed);
}

static void queue_add(Queue *queue, Job *job)
{
    JobKind kind = kind_of(job);
    job->next = NULL;
    *queue->jobs[kind].end = job;
    queue->jobs[kind].end = &job->next;
    if (kind == JOB_LONG_READ && !queue->crowd)
        pthread_cond_broadcast(&queue->filled); /* the one that is kept for short reads would do nothing */
    else
        queue_call(queue);
    note_others(queue);
}

bool queue_put(Queue *queue, Job *job)
{
    pthread_mutex_lock(&queue->lock);
    bool is_open = job->steps ? !queue->is_closing : !queue->is_closed;
    if (is_open) {
        job->turn = queue->turns++;
        queue_add(queue, job);
    }
    pthread_mutex_unlock(&queue->lock);
    return is_open;
}

static unsigned kinds_to_write(const Queue *queue)
{
    return queue->holds_steps && !queue->is_closing ? ALL & ~(unsigned)STEPS : ALL;
}

/* How many writes wait, counted up to `most`. */
static unsigned writes_waiting(const Queue *queue, unsigned most)
{
    unsigned count = 0;
    for (const Job *job = queue->jobs[JOB_WRITE].first; job && count < most; job = job->next)
        count++;
    return count;
}

/* Returns the kinds that may be taken. */
static unsigned wait_for_first(Queue *queue)
{
    unsigned kinds;
    while (!queue_first(queue, kinds = kinds_to_write(queue)) && !queue->is_closing)
        pthread_cond_wait(&queue->filled, &queue->lock);
    return kinds;
}

void queue_gather(Queue *queue, unsigned wanted, int64_t us)
{
    pthread_mutex_lock(&queue->lock);
    (void)wait_for_first(queue);
    const int64_t until = clock_monotonic() + us;
    for (unsigned count; !queue->is_closing && (count = writes_waiting(queue, wanted)) > 0 && count < wanted;)
        if (!clock_condition_wait(&queue->filled, &queue->lock, until))
            break;
    pthread_mutex_unlock(&queue->lock);
}

Job *queue_take(Queue *queue, unsigned most)
{
    Job *taken = NULL, **end = &taken;
    pthread_mutex_lock(&queue->lock);
    const unsigned kinds = wait_for_first(queue);
    for (unsigned i = 0; i < most && (*end = queue_pop(queue, i == 0 ? kinds : ALL & ~(unsigned)STEPS)); i++)
        end = &(*end)->next;
    if (!taken)
        queue->is_closed = true;
    pthread_mutex_unlock(&queue->lock);
    return taken;
}

/* At the end the threads that take the long ones may be gone. */
static unsigned kinds_to_read(const Queue *queue, bool is_kept)
{
    return is_kept && !queue->is_closing ? READS : ALL;
}

bool queue_wait(Queue *queue, bool is_kept, int64_t us)
{
    const int64_t until = clock_monotonic() + us;
    pthread_mutex_lock(&queue->lock);
    bool in_time = true;
    while (!queue_first(queue, kinds_to_read(queue, is_kept)) && !queue->is_closing && in_time)
        in_time = clock_condition_wait(&queue->filled, &queue->lock, until);
    pthread_mutex_unlock(&queue->lock);
    return in_time;
}

Job *queue_take_read(Queue *queue, bool is_kept)
{
    Job *taken;
    pthread_mutex_lock(&queue->lock);
    while (!(taken = queue_pop(queue, kinds_to_read(queue, is_kept))) && !queue->is_closing)
        pthread_cond_wait(&queue->filled, &queue->lock);
    if (!taken)
        queue->is_closed = true;
    note_others(queue);
    pthread_mutex_unlock(&queue->lock);
    return taken;
}

void queue_put_long(Queue *queue, Job *job)
{
    job_clear(job);
    job->is_long = true;
    pthread_mutex_lock(&queue->lock);
    queue_add(queue, job);
    pthread_mutex_unlock(&queue->lock);
}

void queue_hold_steps(Queue *queue, bool holds)
{
    pthread_mutex_lock(&queue->lock);
    queue->holds_steps = holds;
    if (!holds)
        pthread_cond_signal(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}

void queue_close(Queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_closing = true;
    pthread_cond_broadcast(&queue->filled);
    if (queue->crowd)
        pthread_cond_broadcast(&queue->crowd->needed);
    pthread_mutex_unlock(&queue->lock);
}

/* ---- the crowd ---- */

void crowd_init(Db *db, unsigned threads)
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

/* The kinds of jobs that this thread may take. Without a connection those that no idle thread may take, perhaps because
 * the connections that there are must be kept for reads. */
static unsigned kinds_to_take(const DbWorker *worker)
{
    const Queue *queue = &worker->db->reads;
    const Crowd *crowd = queue->crowd;
    unsigned usable = kinds_allowed(crowd, crowd->usable);
    if (is_connected(worker))
        return usable;
    return crowd->idle > 0 && queue_first(queue, usable) ? 0 : kinds_allowed(crowd, crowd->threads);
}

static void count_job(Crowd *crowd, const Job *job, int change)
{
    crowd->running += (unsigned)change;
    crowd->running_of[kind_of(job)] += (unsigned)change;
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
    if (queue_first(queue, kinds_to_take(worker))) /* there is a job, but this thread must step back */
        clock_condition_wait(&crowd->needed, &queue->lock, crowd->refused_until);
    else
        pthread_cond_wait(&crowd->needed, &queue->lock);
}

Job *crowd_take(DbWorker *worker)
{
    Queue *queue = &worker->db->reads;
    unsigned kinds;
    pthread_mutex_lock(&queue->lock);
    while ((!queue_first(queue, kinds = kinds_to_take(worker)) ||
            (!is_connected(worker) && must_step_back(worker->db))) &&
           (queue_first(queue, ALL) || !queue->is_closing))
        crowd_wait(worker);
    Job *taken = queue_pop(queue, kinds);
    if (taken) {
        count_job(queue->crowd, taken, 1);
        worker->was_connected = is_connected(worker);
        if (!worker->was_connected && queue->crowd->usable < queue->crowd->threads)
            /* two at once might both be refused */
            queue->crowd->refused_until = clock_monotonic() + queue->crowd->step_back;
        queue_call(queue); /* for the next one */
        note_others(queue);
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

void crowd_done(DbWorker *worker, const Job *job)
{
    Queue *queue = &worker->db->reads;
    pthread_mutex_lock(&queue->lock);
    count_job(queue->crowd, job, -1);
    if (!worker->was_connected && is_connected(worker))
        note_connected(worker->db);
    if (queue->is_closing) {
        pthread_cond_broadcast(&queue->filled);
        pthread_cond_broadcast(&queue->crowd->needed);
    } else {
        queue_call(queue);
    }
    note_others(queue);
    pthread_mutex_unlock(&queue->lock);
}

void crowd_return(DbWorker *worker, Job *job)
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
    count_job(crowd, job, -1);
    job_clear(job);
    JobKind kind = kind_of(job);
    job->next = queue->jobs[kind].first;
    if (!job->next)
        queue->jobs[kind].end = &job->next;
    queue->jobs[kind].first = job;
    queue_call(queue);
    note_others(queue);
    pthread_mutex_unlock(&queue->lock);
}

void crowd_put_long(DbWorker *worker, Job *job)
{
    Queue *queue = &worker->db->reads;
    pthread_mutex_lock(&queue->lock);
    count_job(queue->crowd, job, -1);
    job_clear(job);
    job->is_long = true;
    job->turn = queue->turns++;
    queue_add(queue, job);
    pthread_mutex_unlock(&queue->lock);
}
