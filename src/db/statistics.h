/* db/statistics.h -- the query planner's statistics. */
#ifndef ORION_STATISTICS_H
#define ORION_STATISTICS_H

#include "db/db.h"

/* Refreshes those of the tables that have grown much, or shrunk, since they were last looked at; `all`: of each that
 * has rows. A short write for each table, which takes samples of its indexes. PostgreSQL does the former by itself. */
bool statistics_refresh(Db *db, bool all, Arena *arena, const atomic_bool *stopping, Error *error) MUST_CHECK;

#endif
