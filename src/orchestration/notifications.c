/* orchestration/notifications.c -- which notification policies a flow run's new state concerns. */
#include "orchestration/transition.h"

#include "base/ident.h"

static bool has_string(const Json *array, Str wanted)
{
    for (const Json *item = array->child; item; item = item->next)
        if (item->kind == JSON_STRING && str_eq(item->text, wanted))
            return true;
    return false;
}

/* An empty list matches everything. */
static bool list_matches(Tx *tx, Str list_text, Str state_name, Str tags_text)
{
    const Json *list, *tags;
    JsonError unused;
    if (!list_text.p || !json_parse(tx->arena, list_text, &list, &unused))
        return false;
    if (list->count == 0 || (state_name.p && has_string(list, state_name)))
        return true;
    if (!tags_text.p || !json_parse(tx->arena, tags_text, &tags, &unused))
        return false;
    for (const Json *tag = tags->child; tag; tag = tag->next)
        if (has_string(list, tag->text))
            return true;
    return false;
}

bool queue_flow_run_notifications(Tx *tx, const FlowRun *run)
{
    size_t count = 0, capacity = 16;
    Str *ids = arena_alloc(tx->arena, capacity * sizeof(Str));
    Rows *rows = DB_QUERY(tx, "SELECT id, state_names, tags FROM flow_run_notification_policy WHERE is_active = $1", v_bool(true));
    while (db_next(rows)) {
        if (!list_matches(tx, row_text(rows, 1), run->run.state_name, STR_NULL) || !list_matches(tx, row_text(rows, 2), STR_NULL, run->run.tags))
            continue;
        if (count == capacity) {
            Str *grown = arena_alloc(tx->arena, 2 * capacity * sizeof(Str));
            memcpy(grown, ids, capacity * sizeof(Str));
            ids = grown;
            capacity *= 2;
        }
        ids[count++] = row_text(rows, 0);
    }
    bool ok = tx->error->code == ERR_NONE;
    for (size_t i = 0; ok && i < count; i++)
        ok = DB_EXEC(tx,
                     "INSERT INTO flow_run_notification_queue (id, created, updated, flow_run_notification_policy_id, flow_run_state_id)"
                     " VALUES ($1, $2, $2, $3, $4)",
                     v_uuid(uuid_new(tx->arena)), v_time(tx->now), v_uuid(ids[i]), v_uuid(run->run.state_id))
             > 0;
    return ok;
}
