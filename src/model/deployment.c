/* model/deployment.c -- deployments: their table, and what changing one does to its queue and its planned runs. */
#include "model/deployment.h"

#include "base/str_list.h"
#include "base/uuid.h"
#include "entity/checks.h"
#include "model/deployment_schedule.h"
#include "model/removal.h"
#include "model/run.h"
#include "model/work_pool.h"

#define SCHEDULE_SCHEMA \
    "{\"anyOf\": [" SCHEMA_REF("IntervalSchedule") ", " SCHEMA_REF("CronSchedule") ", " SCHEMA_REF("RRuleSchedule") "]}"

static const Field columns[] = { /* order: of the keys in responses */
    FIELD(Deployment, id, F_UUID, .flags = KEPT),
    FIELD(Deployment, created, F_TIME, .flags = KEPT),
    FIELD(Deployment, updated, F_TIME),
    FIELD(Deployment, name, F_STR, .flags = KEY),
    FIELD(Deployment, version, F_STR, .flags = NULLABLE),
    FIELD(Deployment, description, F_STR, .flags = NULLABLE),
    FIELD(Deployment, flow_id, F_UUID, .flags = KEY),
    FIELD(Deployment, schedule, F_CUSTOM, .flags = NULLABLE, .decode = deployment_schedule_decode,
          .schema = SCHEDULE_SCHEMA),
    FIELD(Deployment, is_schedule_active, F_BOOL),
    FIELD(Deployment, infra_overrides, F_DICT),
    FIELD(Deployment, parameters, F_DICT),
    FIELD(Deployment, tags, F_STRS),
    FIELD(Deployment, work_queue_name, F_STR, .flags = NULLABLE,
          .sql = "COALESCE(queue.name, deployment.work_queue_name)"),
    FIELD(Deployment, parameter_openapi_schema, F_DICT, .flags = NULLABLE),
    FIELD(Deployment, path, F_STR, .flags = NULLABLE),
    FIELD(Deployment, entrypoint, F_STR, .flags = NULLABLE),
    FIELD(Deployment, manifest_path, F_STR, .flags = NULLABLE),
    FIELD(Deployment, storage_document_id, F_UUID, .flags = NULLABLE),
    FIELD(Deployment, infrastructure_document_id, F_UUID, .flags = NULLABLE),
    FIELD(Deployment, created_by, F_ANY, .flags = NULLABLE | KEPT, .schema = SCHEMA_REF("CreatedBy")),
    FIELD(Deployment, updated_by, F_ANY, .flags = NULLABLE | KEPT, .schema = SCHEMA_REF("UpdatedBy")),
    FIELD(Deployment, work_pool_name, F_STR, .flags = NULLABLE | VIRTUAL, .sql = "pool.name"),
    FIELD(Deployment, work_queue_id, F_UUID, .flags = HIDDEN | KEPT_FOR_NULL), /* as in the reference */
    FIELD(Deployment, stored_queue_name, F_STR, .flags = HIDDEN | VIRTUAL, .sql = "deployment.work_queue_name"),
};
#define FROM_DEPLOYMENT \
    "deployment LEFT JOIN work_queue AS queue ON queue.id = deployment.work_queue_id" \
    " LEFT JOIN work_pool AS pool ON pool.id = queue.work_pool_id"
const Model deployment_model = MODEL(Deployment, columns, .table = "deployment", .from = FROM_DEPLOYMENT,
                                     .schema = "DeploymentResponse");

/* What clients before 2.7.8 send in addition: accepted and ignored. */
#define DROPPED(key) \
    { .name = #key, .kind = F_ANY, .flags = NULLABLE | IGNORED | HIDDEN | VIRTUAL, \
      .offset = offsetof(Deployment, dropped) }
#define FIELDS_OF_OLD_CLIENTS \
    DROPPED(worker_pool_queue_id), DROPPED(worker_pool_name), DROPPED(worker_pool_queue_name), \
    DROPPED(work_pool_queue_name)

/* A missing queue is created; only then does the reference fail on its name. */
static bool check_queue_name(Invalid *invalid, void *member)
{
    const Str *name = member;
    return name->n == 0 || check_name(invalid, member);
}

/* The reference accepts null for is_schedule_active and infra_overrides of a new deployment, and
 * then fails on its own model. */
static const Field create_fields[] = { /* order: of errors, here and below */
    FIELD(Deployment, name, F_STR, .flags = REQUIRED, .check = check_name),
    FIELD(Deployment, flow_id, F_UUID, .flags = REQUIRED),
    FIELD(Deployment, is_schedule_active, F_BOOL, .fallback = "true"),
    FIELD(Deployment, parameters, F_DICT, .fallback = "{}"),
    FIELD(Deployment, tags, F_STRS, .fallback = "[]"),
    FIELD(Deployment, manifest_path, F_STR, .flags = NULLABLE),
    FIELD(Deployment, work_queue_name, F_STR, .flags = NULLABLE, .check = check_queue_name),
    FIELD(Deployment, work_pool_name, F_STR, .flags = NULLABLE),
    FIELD(Deployment, storage_document_id, F_UUID, .flags = NULLABLE),
    FIELD(Deployment, infrastructure_document_id, F_UUID, .flags = NULLABLE),
    FIELD(Deployment, schedule, F_CUSTOM, .flags = NULLABLE, .decode = deployment_schedule_decode,
          .schema = SCHEDULE_SCHEMA),
    FIELD(Deployment, description, F_STR, .flags = NULLABLE),
    FIELD(Deployment, parameter_openapi_schema, F_DICT, .flags = NULLABLE),
    FIELD(Deployment, path, F_STR, .flags = NULLABLE),
    FIELD(Deployment, version, F_STR, .flags = NULLABLE),
    FIELD(Deployment, entrypoint, F_STR, .flags = NULLABLE),
    FIELD(Deployment, infra_overrides, F_DICT, .fallback = "{}"),
    FIELDS_OF_OLD_CLIENTS,
};
static const Field update_fields[] = {
    FIELD(Deployment, version, F_STR, .flags = NULLABLE),
    FIELD(Deployment, schedule, F_CUSTOM, .flags = NULLABLE, .decode = deployment_schedule_decode,
          .schema = SCHEDULE_SCHEMA),
    FIELD(Deployment, description, F_STR, .flags = NULLABLE),
    FIELD(Deployment, is_schedule_active, F_BOOL, .fallback = "true"),
    FIELD(Deployment, parameters, F_DICT, .fallback = "{}"),
    FIELD(Deployment, tags, F_STRS, .fallback = "[]"),
    FIELD(Deployment, work_queue_name, F_STR, .flags = NULLABLE, .check = check_queue_name),
    FIELD(Deployment, work_pool_name, F_STR, .flags = NULLABLE | VIRTUAL),
    FIELD(Deployment, path, F_STR, .flags = NULLABLE),
    FIELD(Deployment, infra_overrides, F_DICT, .flags = NULLABLE, .fallback = "{}"),
    FIELD(Deployment, entrypoint, F_STR, .flags = NULLABLE),
    FIELD(Deployment, manifest_path, F_STR, .flags = NULLABLE),
    FIELD(Deployment, storage_document_id, F_UUID, .flags = NULLABLE),
    FIELD(Deployment, infrastructure_document_id, F_UUID, .flags = NULLABLE),
    FIELDS_OF_OLD_CLIENTS,
};
const Model deployment_create_model = MODEL(Deployment, create_fields,
                                            .forbid_extra = true, .schema = "DeploymentCreate");
const Model deployment_update_model = MODEL(Deployment, update_fields, .table = "deployment",
                                            .forbid_extra = true, .schema = "DeploymentUpdate");

Deployment *deployment_read(Tx *tx, Str id)
{
    return codec_read(tx, &deployment_model, "WHERE deployment.id = $1", v_uuid(id));
}

Deployment *deployment_read_by_name(Tx *tx, Str flow_name, Str name)
{
    return codec_read(tx, &deployment_model,
                      "WHERE deployment.flow_id = (SELECT flow.id FROM flow WHERE flow.name = $1)"
                      " AND deployment.name = $2", v_text(flow_name), v_text(name));
}

/* ---- what a deployment refers to ---- */

static bool check_pool(Tx *tx, const Deployment *wanted)
{
    return wanted->work_pool_name.n == 0
           || work_pool_check_configuration(tx, wanted->work_pool_name, wanted->infra_overrides);
}

/* The queue that the names of pool and queue refer to; null if neither is given. */
static bool resolve_queue(Tx *tx, const Deployment *wanted, Str *ret_id)
{
    bool queue = wanted->work_queue_name.n > 0;
    if (wanted->work_pool_name.n > 0 && queue)
        return work_queue_id_by_name(tx, wanted->work_pool_name, wanted->work_queue_name, true, ret_id);
    if (wanted->work_pool_name.n > 0)
        return work_pool_default_queue_id(tx, wanted->work_pool_name, ret_id);
    if (queue)
        return work_queue_ensure(tx, wanted->work_queue_name, ret_id);
    *ret_id = STR_NULL;
    return true;
}

static bool check_block(Tx *tx, Str id, const char *what)
{
    if (id.p)
        DB_LOCK_ROWS(tx, "SELECT id FROM block_document WHERE id = $1 FOR KEY SHARE", v_uuid(id));
    if (!id.p || DB_INT(tx, 0, "SELECT 1 FROM block_document WHERE id = $1", v_uuid(id)) == 1)
        return true;
    return fail(tx->error, ERR_CONFLICT,
                "Error creating deployment. Could not find %s block with id: %.*s. This usually occurs when applying a "
                "deployment specification that was built against a different Prefect database / workspace.",
                what, STR_ARG(id));
}

/* Ensures a queue of that name in the default agent pool, even if the deployment's own is in another pool. */
static bool ensure_agents_queue(Tx *tx, Str name)
{
    Str unused;
    return name.n == 0 || work_queue_ensure(tx, name, &unused);
}

/* ---- planned runs ---- */

/* Which scheduled runs of a deployment: all, those that its schedule planned, or of these only the future ones. */
typedef enum Which { RUNS_PLANNED, RUNS_PLANNED_AHEAD } Which;

/* models.deployments._delete_scheduled_runs, with all that belongs to the runs. A deployment has fewer runs than
 * there are scheduled ones. */
static bool delete_scheduled_runs(Tx *tx, Str id, Which which)
{
    Buf sql;
    buf_init(&sql, tx->arena, 256);
    buf_printf(&sql,
               "SELECT id FROM flow_run WHERE deployment_id = $1 AND " NO_INDEX_EQ("state_type", "'SCHEDULED'")
               " AND auto_scheduled"
               " AND ($2 OR (expected_start_time > $3 AND next_scheduled_start_time > $3)) ORDER BY id%s",
               tx->sql->for_update); /* a run that an agent is just taking stays */
    Rows *rows = db_query(tx, buf_cstr(&sql),
                          DB_VALUES(v_uuid(id), v_bool(which != RUNS_PLANNED_AHEAD), v_time(tx->now)));
    StrList ids = { 0 };
    while (db_next(rows))
        str_list_add(&ids, tx->arena, row_text(rows, 0));
    for (size_t i = 0; i < ids.count; i++)
        if (flow_run_delete_at_once(tx, ids.items[i]) < 0)
            return false;
    return tx->error->code == ERR_NONE;
}

bool deployment_plans_alike(const Deployment *a, const Deployment *b)
{
    return a->is_schedule_active == b->is_schedule_active && str_eq(a->schedule, b->schedule)
           && str_eq(a->parameters, b->parameters) && str_eq(a->tags, b->tags)
           && str_eq(a->stored_queue_name, b->stored_queue_name) && str_eq(a->work_queue_id, b->work_queue_id)
           && str_eq(a->infrastructure_document_id, b->infrastructure_document_id);
}

/* Drops the runs that a change makes stale: those planned ahead, and if the schedule was switched off also those that
 * are due. The reference drops all of them at any change, even of what runs are not made from, and with them the runs
 * that are due but not picked up yet. */
static bool drop_stale_runs(Tx *tx, Str id, const Deployment *before, const Deployment *now)
{
    if (deployment_plans_alike(before, now))
        return true;
    bool is_off = before->is_schedule_active && !now->is_schedule_active;
    return delete_scheduled_runs(tx, id, is_off ? RUNS_PLANNED : RUNS_PLANNED_AHEAD);
}

/* An unreadable row may still be changed, which repairs it. It counts as empty, so any change makes its runs stale. */
static const Deployment *readable(Tx *tx, const Deployment *read)
{
    static const Deployment unreadable = { 0 };
    if (tx->error->code != ERR_SPOILED)
        return read;
    tx->error->code = ERR_NONE;
    return &unreadable;
}

/* ---- changes ---- */

static Deployment *read_by_flow(Tx *tx, Str flow_id, Str name)
{
    return codec_read(tx, &deployment_model, "WHERE deployment.flow_id = $1 AND deployment.name = $2",
                      v_uuid(flow_id), v_text(name));
}

Deployment *deployment_upsert(Tx *tx, const Deployment *wanted, bool *ret_created)
{
    Deployment row = *wanted;
    /* Locked before it is read, so that `before` is what this transaction changes. */
    DB_LOCK_ROWS(tx, "SELECT id FROM deployment WHERE flow_id = $1 AND name = $2 FOR UPDATE", v_uuid(row.flow_id),
                 v_text(row.name));
    const Deployment *before = readable(tx, read_by_flow(tx, row.flow_id, row.name));
    if (!check_pool(tx, wanted) || !resolve_queue(tx, wanted, &row.work_queue_id)
        || !check_block(tx, wanted->infrastructure_document_id, "infrastructure")
        || !check_block(tx, wanted->storage_document_id, "storage"))
        return NULL;
    row.schedule = deployment_schedule_anchored(tx->arena, wanted->schedule,
                                                before ? before->schedule : STR_NULL, tx->now);
    row.id = uuid_new(tx->arena);
    row.created = row.updated = tx->now;
    if (codec_upsert(tx, &deployment_model, &row) < 0)
        return NULL;
    if (!ensure_agents_queue(tx, wanted->work_queue_name))
        return NULL;
    Deployment *now = read_by_flow(tx, row.flow_id, row.name);
    if (!now)
        return NULL;
    *ret_created = str_eq(now->id, row.id);
    /* If another transaction has inserted it since, what its runs were planned from is not
     * known: they count as stale. */
    bool was_made_meanwhile = !before && !*ret_created;
    if (was_made_meanwhile ? !delete_scheduled_runs(tx, now->id, RUNS_PLANNED_AHEAD)
                           : before && !drop_stale_runs(tx, now->id, before, now))
        return NULL;
    return now;
}

bool deployment_update(Tx *tx, Str id, const Deployment *update, FieldSet sent)
{
    Deployment row = *update;
    db_lock_row(tx, "deployment", id);
    const Deployment *before = readable(tx, deployment_read(tx, id)), *now;
    if (!check_pool(tx, update) || !resolve_queue(tx, update, &row.work_queue_id))
        return false;
    row.schedule = deployment_schedule_anchored(tx->arena, update->schedule,
                                                before ? before->schedule : STR_NULL, tx->now);
    int64_t rows = codec_update(tx, &deployment_update_model, id, &row, sent);
    if (rows == 0)
        return fail(tx->error, ERR_NOT_FOUND, "Deployment not found.");
    if (rows < 0)
        return false;
    if (row.work_queue_id.p && !row_send_set(tx, "deployment", id, "work_queue_id", v_uuid(row.work_queue_id)))
        return false;
    return ensure_agents_queue(tx, update->work_queue_name) && (now = readable(tx, deployment_read(tx, id)))
           && drop_stale_runs(tx, id, before, now);
}

bool deployment_set_schedule_active(Tx *tx, const Deployment *deployment, bool active)
{
    bool changes = deployment->is_schedule_active != active;
    if (changes && !row_send_set(tx, "deployment", deployment->id, "is_schedule_active", v_bool(active)))
        return false;
    return active || delete_scheduled_runs(tx, deployment->id, RUNS_PLANNED);
}

Deployment *deployment_read_locked(Tx *tx, Str id)
{
    db_lock_row(tx, "deployment", id);
    return deployment_read(tx, id);
}

Deployment *deployment_read_shared(Tx *tx, Str id)
{
    DB_LOCK_ROWS(tx, "SELECT id FROM deployment WHERE id = $1 FOR SHARE", v_uuid(id));
    return deployment_read(tx, id);
}
