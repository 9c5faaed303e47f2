/* db/stop.c -- whether a read that runs must stop, and which reads are long. */
#include "db/threads.h"

bool job_is_unwanted(const Job *job)
{
    return job->unwanted && atomic_load_explicit(job->unwanted, memory_order_relaxed);
}

/* One read at a time follows the call, and each only once. */
static bool is_called(DbConnection *connection, int64_t now)
{
    bool may_be = connection->others && !connection->read->is_long &&
                  now - connection->began > connection->driver->short_us;
    return may_be && atomic_load_explicit(connection->others, memory_order_relaxed) &&
           atomic_exchange(connection->others, false);
}

static Stop why_stop(DbConnection *connection)
{
    int64_t now = clock_monotonic();
    if (job_is_unwanted(connection->read))
        return STOP_UNWANTED;
    if (connection->until && now > connection->until)
        return STOP_LATE;
    return is_called(connection, now) ? STOP_YIELD : STOP_NOT;
}

bool db_must_stop(DbConnection *connection)
{
    if (!connection->read)
        return false;
    if (connection->stopped == STOP_NOT)
        connection->stopped = why_stop(connection);
    return connection->stopped != STOP_NOT;
}

bool job_is_long(const Job *job, const Driver *driver)
{
    return job->usual && atomic_load_explicit(job->usual, memory_order_relaxed) > driver->short_us;
}

/* The mean of the last ones, more or less. One that had to stop would have taken longer, nobody knows how much. */
void job_note_time(const Job *job, const DbConnection *connection, Stop stopped)
{
    int64_t took = clock_monotonic() - connection->began, before;
    if (!job->usual || stopped == STOP_UNWANTED)
        return;
    before = atomic_load_explicit(job->usual, memory_order_relaxed);
    atomic_store_explicit(job->usual, stopped == STOP_YIELD ? 2 * took : before + (took - before) / 8,
                          memory_order_relaxed);
}
