/* model/concurrency_limit.h -- how many task runs with a tag may run at once, and which ones do. */
#ifndef ORION_CONCURRENCY_LIMIT_H
#define ORION_CONCURRENCY_LIMIT_H

#include "base/str_list.h"
#include "entity/codec.h"

typedef struct ConcurrencyLimit { /* schemas.core.ConcurrencyLimit */
    Str id;
    Time created, updated;
    Str tag;
    int64_t concurrency_limit;
    Str active_slots; /* JSON array of task run ids */
} ConcurrencyLimit;

extern const Model concurrency_limit_model, concurrency_limit_create_model;

ConcurrencyLimit *concurrency_limit_read_by_tag(Tx *tx, Str tag); /* NULL: no such limit, or tx->error */
/* Creates the limit of that tag, or changes the existing one. NULL: tx->error. */
ConcurrencyLimit *concurrency_limit_upsert(Tx *tx, const ConcurrencyLimit *wanted);
/* The limits on the tags of a JSON array, ordered by tag, each once and locked. NULL only with tx->error. */
ConcurrencyLimit **concurrency_limits_of_tags(Tx *tx, Str tags, size_t *ret_count);
/* The same in two steps, for a task run whose tags are not known yet. */
Rows *concurrency_limits_of_task_query(Tx *tx, Str task_run_id);
ConcurrencyLimit **concurrency_limits_read(Tx *tx, Rows *rows, size_t *ret_count);
size_t concurrency_limit_used(Tx *tx, const ConcurrencyLimit *limit);
/* Gives the run a slot, or takes it back; writes nothing if that changes nothing. */
bool concurrency_limit_take(Tx *tx, ConcurrencyLimit *limit, Str run_id) MUST_CHECK;
bool concurrency_limit_release(Tx *tx, ConcurrencyLimit *limit, Str run_id) MUST_CHECK;
/* The ids of the task runs that hold slots, one for each slot. */
bool concurrency_limits_holders(Tx *tx, StrList *ret) MUST_CHECK;
/* How many slots are held by what is no task run, or one that has ended. `free`: they are taken back, with the limits
 * locked. -1: tx->error. */
int64_t concurrency_limits_idle_slots(Tx *tx, bool free);
int64_t concurrency_limit_delete_by_tag(Tx *tx, Str tag); /* rows, -1 on failure */

#endif
