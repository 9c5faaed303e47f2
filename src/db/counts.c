/* db/counts.c -- the numbers that the database's threads have counted. */
#include "db/counts.h"

#include "db/threads.h"

const DbCounts *db_counts(const Db *db)
{
    return &db->counts;
}

static void add_statements(StatementCounts ret[STATEMENT_OPS], const DbConnection *connection)
{
    for (size_t i = 0; connection && i < STATEMENT_OPS; i++) {
        ret[i].count += counter_read(&connection->meter.by_op[i].count);
        ret[i].seconds += (double)counter_read(&connection->meter.by_op[i].us) / (double)SECOND;
    }
}

void db_count_statements(const Db *db, StatementCounts ret[STATEMENT_OPS])
{
    memset(ret, 0, STATEMENT_OPS * sizeof *ret);
    add_statements(ret, db->writer.connection);
    for (unsigned i = 0; i < db->reader_count; i++)
        add_statements(ret, db->readers[i].connection);
}

static void add_waiting(DbWaiting *waiting, Queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    waiting->reads += queue->jobs[JOB_READ].count;
    waiting->long_reads += queue->jobs[JOB_LONG_READ].count;
    waiting->writes += queue->jobs[JOB_WRITE].count;
    waiting->steps += queue->jobs[JOB_WRITE_STEP].count;
    pthread_mutex_unlock(&queue->lock);
}

DbWaiting db_waiting(Db *db)
{
    DbWaiting waiting = { .reads = 0 };
    add_waiting(&waiting, &db->writes);
    add_waiting(&waiting, &db->reads);
    return waiting;
}

int64_t db_log_bytes(const Db *db)
{
    return db->driver->log_bytes ? db->driver->log_bytes(&db->place) : -1;
}
