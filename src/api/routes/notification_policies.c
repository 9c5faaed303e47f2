/* api/routes/notification_policies.c -- /flow_run_notification_policies; its table of routes is at the end. */
#include "api/routes/families.h"

#include "model/notification_policy.h"

static bool create_policy(Req *req)
{
    return crud_reply(req, notification_policy_create(req->tx, req->object));
}

/* A filter that does not mention is_active asks for inactive policies. */
static bool prepare_policies(Req *req)
{
    const Json *filter = json_get(req->body, notification_policy_links[0].key);
    if (!json_is_null(filter) && !json_get(filter, "is_active")) {
        buf_text(&req->query.sql, " AND flow_run_notification_policy.is_active = ");
        query_bind(&req->query, v_bool(false));
    }
    return true;
}

static const ListSpec list = {
    .links = notification_policy_links, .order_by = "flow_run_notification_policy.id",
};

#define POLICIES "/flow_run_notification_policies"
#define POLICY .model = &notification_policy_model, .missing = "flow run notification policy not found"
/* The reference's message, which shows a Python function in place of the id. */
#define UPDATED_POLICY .missing = "Flow run notification policy <built-in function id> not found"

static const Route notification_policy_routes[] = {
    { HTTP_POST,   POLICIES "/",       create_policy, TX_WRITE, 201, POLICY, .body = &notification_policy_create_model,
      .doc = { "create_flow_run_notification_policy" } },
    { HTTP_PATCH,  POLICIES "/{id}",   crud_update,   TX_WRITE, 204, UPDATED_POLICY,
      .body = &notification_policy_update_model, .doc = { "update_flow_run_notification_policy" } },
    { HTTP_GET,    POLICIES "/{id}",   crud_read,     TX_READ,  200, POLICY,
      .doc = { "read_flow_run_notification_policy" } },
    { HTTP_POST,   POLICIES "/filter", crud_list,     TX_READ,  200, POLICY, .list = &list, .prepare = prepare_policies,
      .order = ORDER(BODY_LIMIT, BODY_FILTERS, BODY_OFFSET), .doc = { "read_flow_run_notification_policies" } },
    { HTTP_DELETE, POLICIES "/{id}",   crud_delete,   TX_WRITE, 204, POLICY,
      .doc = { "delete_flow_run_notification_policy" } },
};
const RouteFamily notification_policy_family = FAMILY(notification_policy_routes);
