/* model/artifact.c -- results of runs, stored apart from their states. */
#include "model/artifact.h"

#include "base/uuid.h"

Str artifact_insert(Tx *tx, Str data, Str flow_run_id, Str task_run_id)
{
    Str id = uuid_new(tx->arena);
    /* The metadata is JSON's null, not SQL's: that is how the reference stores an absent value in such a column. */
    bool ok = DB_SEND(tx,
                      "INSERT INTO artifact (id, created, updated, data, metadata_, flow_run_id, task_run_id)"
                      " VALUES ($1, $2, $2, $3, $4, $5, $6)",
                      v_uuid(id), v_time(tx->now), v_json(data), v_json(STR("null")), v_uuid(flow_run_id),
                      v_uuid(task_run_id));
    return ok ? id : STR_NULL;
}
