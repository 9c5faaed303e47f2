/* db/threads.h -- the database's own structures: the threads that run jobs, and the queues that they take them from.
 * Known to db.c, queue.c and stop.c only. */
#ifndef ORION_DB_THREADS_H
#define ORION_DB_THREADS_H

#include <pthread.h>

#include "db/driver.h"

/* Jobs that may have to wait while those of another kind may run. */
typedef enum JobKind { JOB_READ, JOB_LONG_READ, JOB_WRITE, JOB_WRITE_STEP, JOB_KINDS } JobKind;

typedef struct Queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct {
        Job *first, **end;
    } jobs[JOB_KINDS];   /* each in the order in which they came */
    uint64_t turns;      /* given so far */
    atomic_bool others;  /* what waits needs the room of a long read: a call to one of those, which do not lock */
    struct Crowd *crowd; /* on engines where many write; else NULL */
    bool holds_steps; /* those of long writes wait until housekeeping has been done */
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
    unsigned running, running_of[JOB_KINDS]; /* now: all; of each kind */
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
    bool is_kept;        /* for short reads: those that last make room for others there */
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

/* ---- queue.c: any thread may call these ---- */

void job_clear(Job *job); /* forgets how it ended: it may run again */

void queue_init(Queue *queue);
void queue_free(Queue *queue);
bool queue_put(Queue *queue, Job *job) MUST_CHECK; /* false: closed; or closing, and it has done steps */
/* Waits for something to take, for so long at most; false: nothing came. For a kept thread long reads are nothing. */
bool queue_wait(Queue *queue, bool is_kept, int64_t us) MUST_CHECK;
/* Up to `most` jobs, linked by next, waiting for the first, which alone may be a step of a long write; NULL: the queue
 * is closed and empty. */
Job *queue_take(Queue *queue, unsigned most);
/* Waits for the first; if it is a write, lets others come until `wanted` wait, for so long at most. */
void queue_gather(Queue *queue, unsigned wanted, int64_t us);
/* The read that has waited longest; for a kept thread, without the long ones. NULL: the queue is closed and empty. */
Job *queue_take_read(Queue *queue, bool is_kept);
void queue_put_long(Queue *queue, Job *job); /* a read that made room, by a kept thread; another one takes it */
void queue_hold_steps(Queue *queue, bool holds);
void queue_close(Queue *queue); /* what is in it is still taken */

/* Where many write: all threads take from db->reads. */
void crowd_init(Db *db, unsigned threads);
/* One job; to be followed by one of the next three. NULL: closed and empty. */
Job *crowd_take(DbWorker *worker);
void crowd_done(DbWorker *worker, const Job *job);
/* The job of a thread that was refused a connection goes back to where it was, for a thread that has one. */
void crowd_return(DbWorker *worker, Job *job);
void crowd_put_long(DbWorker *worker, Job *job); /* a read that made room goes to the end */

/* ---- stop.c ---- */

bool job_is_unwanted(const Job *job);
/* Whether such reads have been long lately. */
bool job_is_long(const Job *job, const Driver *driver);
void job_note_time(const Job *job, const DbConnection *connection, Stop stopped); /* after it has run */

#endif
