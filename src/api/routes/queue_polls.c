/* api/routes/queue_polls.c -- records polls apart from the answer: agents ask often, and reading must not wait for the
 * writer. A thread writes those of a fifth of a second at once, of each queue the last; until then and a little longer
 * they are remembered here, so that whoever reads a queue sees them. What is remembered when the server ends is still
 * written. */
#include "api/routes/queue_polls.h"

#include "api/crud.h"
#include "base/log.h"
#include "base/str_list.h"
#include "base/thread.h"
#include "base/uuid.h"
#include "model/work_pool.h"

enum {
    BUCKETS = 1024,
    AGENTS_MAX = 10000 /* remembered at once; a client may invent any number */
};
static const int64_t PERIOD = SECOND / 5;
static const int64_t LINGER = SECOND; /* after the write: a reader's snapshot may be older than that */

typedef enum PollKind { POLL_QUEUE, POLL_POOL, POLL_AGENT, POLL_KINDS } PollKind;
typedef enum PollState { POLL_NEW, POLL_BEING_WRITTEN, POLL_WRITTEN } PollState;

/* The last poll of a queue, of all queues of a pool, or by an agent. */
typedef struct Poll {
    PollKind kind;
    PollState state;
    char id[UUID_TEXT], queue_id[UUID_TEXT]; /* queue_id: the one that the agent polled */
    Time at;
    int64_t written; /* by clock_monotonic */
    struct Poll *next;
} Poll;

struct QueuePolls {
    Db *db;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* something is new, or stopping was set */
    pthread_t thread;
    bool started, stopping;
    size_t new_count, agents;
    Poll *buckets[BUCKETS];
};

/* ---- what is remembered ---- */

static Poll **place_of(QueuePolls *polls, PollKind kind, const char *id)
{
    size_t sum = kind;
    for (size_t i = 0; i < UUID_TEXT; i++)
        sum = sum * 31 + (unsigned char)id[i];
    Poll **place = &polls->buckets[sum % BUCKETS];
    while (*place && ((*place)->kind != kind || memcmp((*place)->id, id, UUID_TEXT) != 0))
        place = &(*place)->next;
    return place;
}

static void drop(QueuePolls *polls, Poll **place)
{
    Poll *poll = *place;
    *place = poll->next;
    polls->new_count -= poll->state == POLL_NEW;
    polls->agents -= poll->kind == POLL_AGENT;
    free(poll);
}

static void remember(QueuePolls *polls, PollKind kind, Str id, Time at, Str queue_id)
{
    if (id.n != UUID_TEXT || (kind == POLL_AGENT && queue_id.n != UUID_TEXT))
        return;
    Poll **place = place_of(polls, kind, id.p), *poll = *place;
    if (!poll && kind == POLL_AGENT && polls->agents >= AGENTS_MAX)
        return;
    if (!poll) {
        poll = *place = xcalloc(1, sizeof *poll);
        *poll = (Poll){ .kind = kind, .state = POLL_WRITTEN };
        memcpy(poll->id, id.p, UUID_TEXT);
        polls->agents += kind == POLL_AGENT;
    }
    if (kind == POLL_AGENT)
        memcpy(poll->queue_id, queue_id.p, UUID_TEXT);
    polls->new_count += poll->state != POLL_NEW;
    poll->state = POLL_NEW;
    poll->at = at;
}

static Time remembered(QueuePolls *polls, PollKind kind, Str id)
{
    const Poll *poll = id.n == UUID_TEXT ? *place_of(polls, kind, id.p) : NULL;
    bool counts = poll && (poll->state != POLL_WRITTEN || clock_monotonic() - poll->written < LINGER);
    return counts ? poll->at : TIME_NULL;
}

/* ---- writing ---- */

typedef struct PollBatch {
    QueuePolls *polls;
    Poll *copies; /* sorted by kind, then by id */
    size_t count;
} PollBatch;

/* Locks the queues that will be changed, in the order of their ids. */
static void lock_queues(Tx *tx, const PollBatch *batch)
{
    StrList ids = { 0 };
    for (size_t i = 0; i < batch->count; i++)
        str_list_add(&ids, tx->arena, (Str){ batch->copies[i].id, UUID_TEXT });
    DB_LOCK_ROWS(tx,
                 "SELECT id FROM work_queue WHERE id = ANY($1) OR work_pool_id = ANY($1) ORDER BY id FOR NO KEY UPDATE",
                 v_list(str_list_json(tx->arena, ids.items, ids.count)));
}

static bool write_batch(Tx *tx, void *arg)
{
    const PollBatch *batch = arg;
    bool ok = true;
    lock_queues(tx, batch);
    for (size_t i = 0; ok && i < batch->count; i++) {
        const Poll *poll = &batch->copies[i];
        Str id = { poll->id, UUID_TEXT };
        switch (poll->kind) {
        case POLL_QUEUE: ok = work_queue_record_poll(tx, id, poll->at); break;
        case POLL_POOL: ok = work_pool_record_poll(tx, id, poll->at); break;
        default: ok = agent_record_poll(tx, id, (Str){ poll->queue_id, UUID_TEXT }, poll->at); break;
        }
    }
    return ok;
}

static int compare_polls(const void *a, const void *b)
{
    const Poll *x = a, *y = b;
    return x->kind != y->kind ? (int)x->kind - (int)y->kind : memcmp(x->id, y->id, UUID_TEXT);
}

/* Copies what is new, and drops what was written long enough ago. */
static PollBatch take_batch(QueuePolls *polls, Arena *arena)
{
    PollBatch batch = { .polls = polls, .copies = arena_alloc(arena, polls->new_count * sizeof *batch.copies) };
    for (size_t i = 0; i < BUCKETS; i++) {
        Poll **place = &polls->buckets[i];
        while (*place) {
            Poll *poll = *place;
            if (poll->state == POLL_WRITTEN && clock_monotonic() - poll->written >= LINGER) {
                drop(polls, place);
                continue;
            }
            if (poll->state == POLL_NEW) {
                poll->state = POLL_BEING_WRITTEN;
                batch.copies[batch.count++] = *poll;
            }
            place = &poll->next;
        }
    }
    polls->new_count = 0;
    qsort(batch.copies, batch.count, sizeof *batch.copies, compare_polls);
    return batch;
}

/* Not those that were forgotten meanwhile, or that are new again. */
static void end_batch(const PollBatch *batch)
{
    int64_t now = clock_monotonic();
    for (size_t i = 0; i < batch->count; i++) {
        Poll *poll = *place_of(batch->polls, batch->copies[i].kind, batch->copies[i].id);
        if (!poll || poll->state != POLL_BEING_WRITTEN)
            continue;
        poll->state = POLL_WRITTEN;
        poll->written = now;
    }
}

/* Called with the lock, which it gives up while it writes. A batch that cannot be written is not kept: agents will poll
 * again. */
static void write_new(QueuePolls *polls)
{
    Error error = { .code = ERR_NONE };
    Arena *arena = arena_new();
    PollBatch batch = take_batch(polls, arena);
    pthread_mutex_unlock(&polls->lock);
    if (!db_run(polls->db, true, arena, write_batch, &batch, &error))
        log_warning("orion.api", "%zu polls for work were not recorded: %s", batch.count, error.message);
    pthread_mutex_lock(&polls->lock);
    end_batch(&batch);
    arena_free(arena);
}

static void *write_polls(void *arg)
{
    QueuePolls *polls = arg;
    pthread_mutex_lock(&polls->lock);
    while (!polls->stopping || polls->new_count > 0) {
        while (!polls->stopping && polls->new_count == 0)
            pthread_cond_wait(&polls->changed, &polls->lock);
        int64_t until = clock_monotonic() + PERIOD;
        while (!polls->stopping && clock_condition_wait(&polls->changed, &polls->lock, until))
            ;
        if (polls->new_count > 0)
            write_new(polls);
    }
    pthread_mutex_unlock(&polls->lock);
    return NULL;
}

/* ---- from outside ---- */

QueuePolls *queue_polls_new(Db *db)
{
    QueuePolls *polls = xcalloc(1, sizeof *polls);
    polls->db = db;
    pthread_mutex_init(&polls->lock, NULL);
    clock_condition_init(&polls->changed);
    return polls;
}

void queue_polls_stop(QueuePolls *polls)
{
    pthread_mutex_lock(&polls->lock);
    polls->stopping = true;
    pthread_cond_signal(&polls->changed);
    bool started = polls->started;
    pthread_mutex_unlock(&polls->lock);
    if (started)
        pthread_join(polls->thread, NULL);
}

void queue_polls_free(QueuePolls *polls)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while (polls->buckets[i])
            drop(polls, &polls->buckets[i]);
    pthread_cond_destroy(&polls->changed);
    pthread_mutex_destroy(&polls->lock);
    free(polls);
}

void queue_polls_record(const Req *req, Str pool_id, const Str *queue_ids, size_t count, Str agent_id)
{
    QueuePolls *polls = req->app->queue_polls;
    Time now = req->tx->now;
    if (!req->grant.writes)
        return;
    pthread_mutex_lock(&polls->lock);
    bool was_idle = polls->new_count == 0;
    if (count == 0)
        remember(polls, POLL_POOL, pool_id, now, STR_NULL);
    for (size_t i = 0; i < count; i++)
        remember(polls, POLL_QUEUE, queue_ids[i], now, STR_NULL);
    if (agent_id.p && count > 0)
        remember(polls, POLL_AGENT, agent_id, now, queue_ids[0]);
    if (!polls->started && !polls->stopping && !(polls->started = thread_start(&polls->thread, write_polls, polls)))
        log_warning("orion.api", "A poll for work is not recorded yet: there can be no more threads");
    if (was_idle)
        pthread_cond_signal(&polls->changed);
    pthread_mutex_unlock(&polls->lock);
}

void queue_polls_add(const Req *req, void *queue)
{
    QueuePolls *polls = req->app->queue_polls;
    WorkQueue *shown = queue;
    pthread_mutex_lock(&polls->lock);
    Time of_queue = remembered(polls, POLL_QUEUE, shown->id);
    Time of_pool = remembered(polls, POLL_POOL, shown->work_pool_id);
    pthread_mutex_unlock(&polls->lock);
    if (of_pool < shown->created)
        of_pool = TIME_NULL; /* that poll was before it */
    Time last = of_pool > of_queue ? of_pool : of_queue; /* TIME_NULL is before all times */
    if (shown->last_polled >= last)
        return;
    shown->last_polled = last;
    if (shown->updated < last)
        shown->updated = last;
}

bool queue_polls_reply(Req *req, WorkQueue *queue)
{
    if (queue)
        queue_polls_add(req, queue);
    return crud_reply(req, queue);
}

void queue_polls_forget(const Req *req, const WorkQueue *queue)
{
    QueuePolls *polls = req->app->queue_polls;
    const struct { PollKind kind; Str id; } known[] = { { POLL_QUEUE, queue->id }, { POLL_POOL, queue->work_pool_id } };
    pthread_mutex_lock(&polls->lock);
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        Poll **place = known[i].id.n == UUID_TEXT ? place_of(polls, known[i].kind, known[i].id.p) : NULL;
        if (place && *place)
            drop(polls, place);
    }
    pthread_mutex_unlock(&polls->lock);
}
