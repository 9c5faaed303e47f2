/* db/stop.c -- whether a read that runs must stop. */
#include "db/threads.h"

enum { SHORT_US = 5000 }; /* of a read on the thread that is kept for short ones, if others wait for it */

bool job_is_unwanted(const Job *job)
{
    return job->unwanted && atomic_load_explicit(job->unwanted, memory_order_relaxed);
}

static Stop why_stop(const DbConnection *connection)
{
    int64_t now = clock_monotonic();
    if (job_is_unwanted(connection->read))
        return STOP_UNWANTED;
    if (connection->until && now > connection->until)
        return STOP_LATE;
    bool is_long = connection->others && now - connection->began > SHORT_US;
    return is_long && atomic_load_explicit(connection->others, memory_order_relaxed) ? STOP_YIELD : STOP_NOT;
}

bool db_must_stop(DbConnection *connection)
{
    if (connection->read && connection->stopped == STOP_NOT)
        connection->stopped = why_stop(connection);
    return connection->stopped != STOP_NOT;
}
