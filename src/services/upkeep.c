/* services/upkeep.c -- what keeps queries fast: our own indexes, made where they are missing, and the planner's
 * statistics. It also gives back memory. */
#include "services/service.h"

#include <malloc.h>

#include "base/log.h"
#include "db/indexes.h"
#include "db/statistics.h"

#define LOGGER "orion.db"

static void log_begin(void *arg, const OwnIndex *index, size_t number, size_t of)
{
    const Db *db = arg;
    log_warning(LOGGER, "Making the index %s, for %s (%zu of %zu).%s", index->name, index->serves, number, of,
                db_dialect(db)->writes_wait_for_build ? " Writes wait until it is made." : "");
}

static void log_end(void *arg, const OwnIndex *index, int64_t us)
{
    (void)arg;
    log_warning(LOGGER, "The index %s was made in %.1f seconds.", index->name, (double)us / (double)SECOND);
}

bool upkeep_tick(ServiceRun *run, Error *error)
{
    IndexWork work = { .db = run->db, .arena = run->arena, .stopping = run->stopping,
                       .begins = log_begin, .ended = log_end, .arg = run->db };
    bool ok = indexes_make(&work, error)
              && statistics_refresh(run->db, work.done > 0, run->arena, run->stopping, error);
    malloc_trim(0); /* what this took, or a long round of another service */
    return ok;
}
