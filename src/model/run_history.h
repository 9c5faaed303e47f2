/* model/run_history.h -- counts of runs by interval and state, for the history charts. */
#ifndef ORION_RUN_HISTORY_H
#define ORION_RUN_HISTORY_H

#include "entity/filter.h"

typedef struct RunHistory {
    Time start, end;
    int64_t interval;   /* microseconds, at least a second */
    const char *table;  /* "flow_run" or "task_run" */
} RunHistory;

/* Writes the array of HistoryResponse. `conditions` is what filter_where left for that table. Mirrors run_history of
 * the reference's api/run_history.py, with the engine's precision (Dialect.date_unit): at most 500 intervals. */
bool run_history_write(Tx *tx, const RunHistory *history, const Query *conditions, JsonWriter *w) MUST_CHECK;

#endif
