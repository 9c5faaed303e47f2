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

void job_clear(Job *job)
{
    job->error.code = ERR_NONE;
    job->error.message[0] = '\0';
}

void queue_init(Queue *queue)
{
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->filled, NULL);
    queue->end = &queue->first;
    queue->long_end = &queue->long_first;
}

void queue_free(Queue *queue)
{
    pthread_cond_destroy(&queue->filled);
    pthread_mutex_destroy(&queue->lock);
}

/* A quarter of the connections is never used for writes: all of those may wait for somebody's lock, and reads must not
 * wait with them. Nor are all used for long reads. */
static bool must_wait(const Crowd *crowd, const Job *job, unsigned connections)
{
    unsigned kept = connections == 1 ? 0 : connections < 4 ? 1 : connections / 4;
    return (job->write && crowd->writes >= connections - kept) ||
           (job->is_long && connections > 1 && crowd->longs >= connections - 1);
}

/* The link to the first job that may run now, with so many connections: it may overtake others that must wait. */
static Job **queue_ready(Queue *queue, unsigned connections)
{
    Job **link = &queue->first;
    while (*link && must_wait(queue->crowd, *link, connections))
        link = &(*link)->next;
    return link;
}

/* Whether a job that is not long waits only because all threads are at work. */
static bool has_no_thread(Queue *queue)
{
    const Crowd *crowd = queue->crowd;
    if (!crowd)
        return queue->first != NULL;
    if (crowd->running < crowd->usable || crowd->usable == 1)
        return false;
    const Job *job = queue->first;
    while (job && (job->is_long || must_wait(crowd, job, crowd->usable)))
        job = job->next;
    return job != NULL;
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
    if (!crowd || (crowd->idle > 0 && *queue_ready(queue, crowd->usable)))
        pthread_cond_signal(&queue->filled);
    else if (*queue_ready(queue, crowd->threads))
        pthread_cond_signal(&queue->crowd->needed);
}

/* Wakes all: the one that is kept for short reads would do nothing. */
static void put_long(Queue *queue, Job *job)
{
    *queue->long_end = job;
    queue->long_end = &job->next;
    pthread_cond_broadcast(&queue->filled);
}

bool queue_put(Queue *queue, Job *job)
{
    pthread_mutex_lock(&queue->lock);
    bool is_open = !queue->is_closed;
    if (is_open && job->is_long && !queue->crowd) {
        put_long(queue, job);
    } else if (is_open) {
        *queue->end = job;
        queue->end = &job->next;
        queue_call(queue);
        note_others(queue);
    }
    pthread_mutex_unlock(&queue->lock);
    return is_open;
}

Job *queue_take(Queue *queue, unsigned most)
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

/* Takes the first of a list. */
static Job *unlink_first(Job **first, Job ***end)
{
    Job *taken = *first;
    *first = taken->next;
    if (!*first)
        *end = first;
    taken->next = NULL;
    return taken;
}

Job *queue_take_read(Queue *queue, bool is_kept)
{
    Job *taken = NULL;
    pthread_mutex_lock(&queue->lock);
    while (!queue->first && (is_kept || !queue->long_first) && !queue->is_closing)
        pthread_cond_wait(&queue->filled, &queue->lock);
    bool takes_long = queue->long_first && (!is_kept || queue->is_closing); /* at the end the others may be gone */
    if (takes_long && (!queue->first || queue->long_first->queued < queue->first->queued))
        taken = unlink_first(&queue->long_first, &queue->long_end);
    else if (queue->first)
        taken = unlink_first(&queue->first, &queue->end);
    else
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
    put_long(queue, job);
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

static void count_job(Crowd *crowd, const Job *job, int change)
{
    crowd->running += (unsigned)change;
    crowd->writes += job->write ? (unsigned)change : 0;
    crowd->longs += job->is_long ? (unsigned)change : 0;
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

Job *crowd_take(DbWorker *worker)
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
    job->next = queue->first;
    if (!queue->first)
        queue->end = &job->next;
    queue->first = job;
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
    job->next = NULL;
    *queue->end = job;
    queue->end = &job->next;
    queue_call(queue);
    note_others(queue);
    pthread_mutex_unlock(&queue->lock);
}
