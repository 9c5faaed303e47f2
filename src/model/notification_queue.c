/* model/notification_queue.c -- which notification policies match a flow run's new state. */
#include "model/notification_queue.h"

#include "base/str_list.h"
#include "base/uuid.h"

/* An empty list matches everything; any other must share an item. */
static bool list_matches(Tx *tx, Str list_text, const StrList *sorted)
{
    const Json *list = json_read(tx->arena, list_text);
    if (!list)
        return false;
    bool matches = list->count == 0;
    for (const Json *item = list->child; item && !matches; item = item->next)
        matches = item->kind == JSON_STRING && str_list_has(sorted, item->text);
    return matches;
}

static StrList tags_of(Tx *tx, const FlowRun *run)
{
    StrList tags = { 0 };
    const Json *list = json_read(tx->arena, run->run.tags);
    if (list)
        str_list_add_json(&tags, tx->arena, list);
    str_list_sort(&tags);
    return tags;
}

Rows *notification_policies_active(Tx *tx)
{
    return DB_QUERY(tx, "SELECT id, state_names, tags FROM flow_run_notification_policy WHERE is_active = $1",
                    v_bool(true));
}

/* The ids of the policies that match. */
static StrList matching(Tx *tx, Rows *policies, const FlowRun *run)
{
    StrList ids = { 0 }, names = { 0 }, tags = { 0 };
    if (!db_next(policies))
        return ids;
    tags = tags_of(tx, run);
    if (run->run.state_name.p)
        str_list_add(&names, tx->arena, run->run.state_name);
    do {
        if (list_matches(tx, row_text(policies, 1), &names) && list_matches(tx, row_text(policies, 2), &tags))
            str_list_add(&ids, tx->arena, row_text(policies, 0));
    } while (db_next(policies));
    return ids;
}

bool notification_queue_add(Tx *tx, Rows *policies, const FlowRun *run)
{
    const StrList ids = matching(tx, policies, run);
    bool ok = tx->error->code == ERR_NONE;
    for (size_t i = 0; ok && i < ids.count; i++)
        ok = DB_SEND(tx,
                     "INSERT INTO flow_run_notification_queue"
                     " (id, created, updated, flow_run_notification_policy_id, flow_run_state_id)"
                     " VALUES ($1, $2, $2, $3, $4)",
                     v_uuid(uuid_new(tx->arena)), v_time(tx->now), v_uuid(ids.items[i]), v_uuid(run->run.state_id));
    return ok;
}
