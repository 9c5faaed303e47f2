/* services/flow_run_notifications.c -- sends the queued notifications, one at a time. */
#include "base/log.h"
#include "python/python_values.h"
#include "blocks/block.h"
#include "python/message_template.h"
#include "model/notification_policy.h"
#include "notify/notify.h"
#include "services/service.h"

#define LOGGER "orion.services.flowrunnotifications"

static const Str subject = { "Prefect flow run notification", sizeof "Prefect flow run notification" - 1 };
static const char default_template[] =
    "\nFlow run {flow_name}/{flow_run_name} entered state `{flow_run_state_name}` at {flow_run_state_timestamp}.\n\n"
    "Flow ID: {flow_id}\nFlow run ID: {flow_run_id}\nFlow run URL: {flow_run_url}\n"
    "State message: {flow_run_state_message}\n";

enum {
    CLAIM_SECONDS = NOTIFY_SECONDS_MAX + 10, /* longer than a message may take to be sent */
    STALE_SECONDS = 2 * CLAIM_SECONDS        /* beyond any claim, even of a server whose clock is a minute ahead */
};

typedef struct Notification {
    const Settings *settings;
    Str queue_id;          /* null: nothing is due */
    Time queued;           /* its place in the queue */
    Str template, block_document_id, parameters;
    bool is_sound;         /* false: it has a value that cannot be read, which is logged */
    TemplateValue values[NOTIFICATION_FIELDS];
    BlockDocument *block;
} Notification;

/* ---- values of templates, as Python shows them ---- */

static Str parameters_text(Arena *arena, Str stored)
{
    const Json *json = json_read(arena, stored);
    Buf out;
    buf_init(&out, arena, stored.n + 16);
    if (!json)
        return STR("None");
    python_repr(&out, json);
    return buf_view(&out);
}

static void set_value(Notification *n, enum NotificationField field, Str text, Str repr)
{
    n->values[field] = (TemplateValue){ notification_field_names[field], text, repr };
}

static void set_text(Arena *arena, Notification *n, enum NotificationField field, Str text)
{
    set_value(n, field, text.p ? text : STR("None"), text.p ? json_python_repr(arena, text) : STR("None"));
}

static void set_uuid(Arena *arena, Notification *n, enum NotificationField field, Str id)
{
    set_value(n, field, id, arena_printf(arena, "UUID('%.*s')", STR_ARG(id)));
}

static Str run_url(Arena *arena, const Settings *settings, Str flow_run_id)
{
    Str ui = settings_text(settings, "PREFECT_UI_URL");
    if (ui.n == 0)
        ui = STR("http://ephemeral-orion/api");
    return arena_printf(arena, "%.*s/flow-runs/flow-run/%.*s", STR_ARG(ui), STR_ARG(flow_run_id));
}

static void read_values(Arena *arena, Notification *n, Rows *rows, int column)
{
    Str flow_run_id = row_text(rows, column + 3);
    Str type = arena_printf(arena, "StateType.%.*s", STR_ARG(row_text(rows, column + 6)));
    Str time = time_text(arena, row_time(rows, column + 8));
    set_uuid(arena, n, NOTIFY_POLICY_ID, row_text(rows, column));
    set_uuid(arena, n, NOTIFY_FLOW_ID, row_text(rows, column + 1));
    set_text(arena, n, NOTIFY_FLOW_NAME, row_text(rows, column + 2));
    set_text(arena, n, NOTIFY_FLOW_RUN_URL, run_url(arena, n->settings, flow_run_id));
    set_uuid(arena, n, NOTIFY_FLOW_RUN_ID, flow_run_id);
    set_text(arena, n, NOTIFY_FLOW_RUN_NAME, row_text(rows, column + 4));
    n->parameters = row_text(rows, column + 5); /* to be parsed when the writer is free again */
    set_value(n, NOTIFY_STATE_TYPE, type, type);
    set_text(arena, n, NOTIFY_STATE_NAME, row_text(rows, column + 7));
    set_value(n, NOTIFY_STATE_TIMESTAMP, time, time);
    set_text(arena, n, NOTIFY_STATE_MESSAGE, row_text(rows, column + 9));
}

/* ---- the queue: a row's `updated` is when it is due ---- */

/* $1 is now, $2 so far ahead that no claim reaches it: such a row is from before the clock was set back, and would wait
 * until the clock is there again. */
#define IS_DUE(column) "(" column " <= $1 OR " column " > $2)"

static Value too_far(const Tx *tx)
{
    return v_time(tx->now + STALE_SECONDS * SECOND);
}

static bool is_any_due(Tx *tx, void *arg)
{
    bool *due = arg;
    *due = DB_INT(tx, 0,
                  "SELECT count(*) FROM"
                  " (SELECT id FROM flow_run_notification_queue WHERE " IS_DUE("updated") " LIMIT 1) AS due",
                  v_time(tx->now), too_far(tx)) > 0;
    return tx->error->code == ERR_NONE;
}

/* Rows whose policy or state is gone can never be sent. */
static bool discard(Tx *tx)
{
    return DB_EXEC(tx,
                   "DELETE FROM flow_run_notification_queue WHERE " IS_DUE("updated")
                   " AND (NOT EXISTS (SELECT 1 FROM flow_run_state AS state"
                   " WHERE state.id = flow_run_notification_queue.flow_run_state_id)"
                   " OR NOT EXISTS (SELECT 1 FROM flow_run_notification_policy AS policy"
                   " WHERE policy.id = flow_run_notification_queue.flow_run_notification_policy_id))",
                   v_time(tx->now), too_far(tx))
           >= 0;
}

/* The first one that is due; *ret_found is false if there is none. */
static bool read_first(Tx *tx, Notification *n, bool *ret_found)
{
    Rows *rows = DB_QUERY(tx,
                          "SELECT queue.id, queue.updated, policy.message_template, policy.block_document_id,"
                          " policy.id, flow.id, flow.name, flow_run.id, flow_run.name, flow_run.parameters,"
                          " state.type, state.name, state.timestamp, state.message"
                          " FROM flow_run_notification_queue AS queue"
                          " JOIN flow_run_notification_policy AS policy"
                          " ON policy.id = queue.flow_run_notification_policy_id"
                          " JOIN flow_run_state AS state ON state.id = queue.flow_run_state_id"
                          " JOIN flow_run ON flow_run.id = state.flow_run_id JOIN flow ON flow.id = flow_run.flow_id"
                          " WHERE " IS_DUE("queue.updated") " ORDER BY queue.updated, queue.id LIMIT 1",
                          v_time(tx->now), too_far(tx));
    *ret_found = db_next(rows);
    if (!*ret_found)
        return tx->error->code == ERR_NONE;
    n->queue_id = row_text(rows, 0);
    n->queued = row_time(rows, 1);
    n->template = row_text(rows, 2);
    n->block_document_id = row_text(rows, 3);
    read_values(tx->arena, n, rows, 4);
    n->is_sound = row_is_sound(rows);
    db_done(rows);
    return true;
}

/* Takes the first one that is due and postpones it by CLAIM_SECONDS: meanwhile no other server sends it, and it is
 * not lost if this one stops midway. Of servers that read the same one, the first to write has it; the others read
 * the next. */
static bool claim(Tx *tx, void *arg)
{
    Notification *n = arg;
    const Time until = tx->now + CLAIM_SECONDS * SECOND;
    bool found = true;
    int64_t taken = 0;
    while (found && taken == 0) {
        if (!read_first(tx, n, &found))
            return false;
        if (found)
            taken = DB_EXEC(tx,
                            "UPDATE flow_run_notification_queue SET updated = $3"
                            " WHERE id = $4 AND " IS_DUE("updated"),
                            v_time(tx->now), too_far(tx), v_time(until), v_uuid(n->queue_id));
    }
    if (found)
        return taken > 0;
    n->queue_id = STR_NULL;
    return discard(tx);
}

static bool read_block(Tx *tx, void *arg)
{
    Notification *n = arg;
    n->block = block_document_read(tx, n->block_document_id, true);
    return tx->error->code == ERR_NONE;
}

static bool finish(Tx *tx, void *arg)
{
    const Notification *n = arg;
    return DB_EXEC(tx, "DELETE FROM flow_run_notification_queue WHERE id = $1", v_uuid(n->queue_id)) >= 0;
}

static bool give_back(Tx *tx, void *arg)
{
    const Notification *n = arg;
    return DB_EXEC(tx, "UPDATE flow_run_notification_queue SET updated = $1 WHERE id = $2", v_time(n->queued),
                   v_uuid(n->queue_id)) >= 0;
}

/* ---- sending ---- */

static bool send_message(ServiceRun *run, Notification *n, Error *error)
{
    TemplateFault fault;
    Str message;
    const Json *data;
    if (!n->block || !n->block->block_type)
        return fail(error, ERR_NOT_FOUND, "its block document does not exist");
    Str parameters = parameters_text(run->arena, n->parameters);
    set_value(n, NOTIFY_PARAMETERS, parameters, parameters);
    Str template = n->template.n ? n->template : str_from(default_template);
    if (!message_template_fill(run->arena, template, n->values, NOTIFICATION_FIELDS, &message, &fault))
        return fail(error, ERR_INVALID, "its template: %.*s", STR_ARG(fault.message));
    if (!(data = json_read(run->arena, n->block->data)))
        return fail(error, ERR_INVALID, "the block's data cannot be read");
    Str slug = n->block->block_type->slug;
    return notify_send(run->arena, slug, data, subject, message, clock_now(), run->stopping, error);
}

/* As in the reference, one that cannot be sent is logged and not tried again. */
static void send_one(ServiceRun *run, Notification *n)
{
    Error error = { .code = ERR_NONE };
    Str policy = n->values[NOTIFY_POLICY_ID].text, flow_run = n->values[NOTIFY_FLOW_RUN_ID].text;
    if (db_run(run->db, false, run->arena, read_block, n, &error) && send_message(run, n, &error))
        log_debug(LOGGER, "Sent notification for flow run %.*s from policy %.*s", STR_ARG(flow_run), STR_ARG(policy));
    else if (!*run->stopping)
        log_error(LOGGER, "Error sending notification for policy %.*s on flow run %.*s: %s", STR_ARG(policy),
                  STR_ARG(flow_run), error.message);
}

bool flow_run_notifications_tick(ServiceRun *run, Error *error)
{
    bool due = true;
    while (!*run->stopping) {
        ArenaMark mark = arena_mark(run->arena);
        Notification n = { .settings = run->settings };
        if (!db_run(run->db, false, run->arena, is_any_due, &due, error))
            return false;
        if (!due)
            return true;
        if (!db_run(run->db, true, run->arena, claim, &n, error))
            return false;
        if (!n.queue_id.p)
            return true;
        if (n.is_sound)
            send_one(run, &n);
        /* One that the server's end interrupted is due again, for another server or the next start. */
        if (!db_run(run->db, true, run->arena, *run->stopping ? give_back : finish, &n, error))
            return false;
        arena_release(run->arena, mark);
    }
    return true;
}
