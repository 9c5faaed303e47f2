/* api/routes/queue_polls.c -- records polls apart from the answer: agents ask often, and reading must not wait for the
 * writer. What is queued when the server ends is still written. */
#include "api/routes/queue_polls.h"

#include "base/log.h"
#include "model/work_pool.h"

/* A poll to be recorded. It has its own arena, since the request may end first; end_poll frees it. */
typedef struct Poll {
    Job job;
    Str pool_id, agent_id;
    Str *queue_ids;
    size_t count;
} Poll;

static bool write_poll(Tx *tx, void *arg)
{
    const Poll *poll = arg;
    bool ok = poll->count > 0 || work_pool_record_poll(tx, poll->pool_id);
    for (size_t i = 0; ok && i < poll->count; i++)
        ok = work_queue_record_poll(tx, poll->queue_ids[i], poll->agent_id);
    return ok;
}

static void end_poll(void *arg, const Error *error)
{
    Poll *poll = arg;
    if (error->code != ERR_NONE)
        log_warning("orion.api", "A poll for work was not recorded: %s", error->message);
    arena_free(poll->job.arena);
}

void queue_polls_record(const Req *req, Str pool_id, const Str *queue_ids, size_t count, Str agent_id)
{
    if (!req->grant.writes)
        return;
    Arena *arena = arena_new();
    Poll *poll = arena_new_of(arena, Poll);
    poll->pool_id = arena_str(arena, pool_id);
    poll->agent_id = arena_str(arena, agent_id);
    poll->queue_ids = arena_alloc(arena, (count + 1) * sizeof(Str));
    for (size_t i = 0; i < count; i++)
        poll->queue_ids[poll->count++] = arena_str(arena, queue_ids[i]);
    poll->job = (Job){ .run = write_poll, .done = end_poll, .arg = poll, .arena = arena, .write = true };
    db_submit(req->app->db, &poll->job);
}
