/* api/routes/notification_policies.c -- /flow_run_notification_policies: the routes stand at the end. */
#include "api/routes/families.h"

#include "model/notification_policy.h"

#define TABLE "flow_run_notification_policy"

static bool not_found(Req *req)
{
    return req_fail(req, ERR_NOT_FOUND, "flow run notification policy not found");
}

static bool reply_policy(Req *req, const NotificationPolicy *policy)
{
    reply_model(req, &notification_policy_model, policy);
    return true;
}

static bool create_policy(Req *req)
{
    const NotificationPolicy *policy = notification_policy_create(req->tx, req->object);
    return policy && reply_policy(req, policy);
}

/* The words of the 404 are the reference's, with the Python function that it names in place of the id. */
static bool update_policy(Req *req)
{
    return codec_update(req->tx, &notification_policy_update_model, req->params[0], req->object, req->sent) > 0
           || req_fail(req, ERR_NOT_FOUND, "Flow run notification policy <built-in function id> not found");
}

static bool read_policy(Req *req)
{
    const NotificationPolicy *policy = notification_policy_read(req->tx, req->params[0]);
    return policy ? reply_policy(req, policy) : not_found(req);
}

/* A filter that does not speak of is_active asks for what is not active. */
static bool prepare_policies(Req *req)
{
    if (!prepare_list(req))
        return false;
    const Json *filter = json_get(req->body, notification_policy_links[0].key);
    if (!json_is_null(filter) && !json_get(filter, "is_active")) {
        buf_text(&req->query.sql, " AND " TABLE ".is_active = ");
        query_bind(&req->query, v_bool(false));
    }
    return true;
}

static bool read_policies(Req *req)
{
    req->order_by = TABLE ".id";
    return reply_list(req, &notification_policy_model, TABLE);
}

static bool delete_policy(Req *req)
{
    return DB_EXEC(req->tx, "DELETE FROM flow_run_notification_policy WHERE id = $1", v_uuid(req->params[0])) > 0 || not_found(req);
}

static const ListSpec list = { .links = notification_policy_links, .link_count = NOTIFICATION_POLICY_LINKS, .table = TABLE, .offset_last = true, .paged = true };

static const Route notification_policy_routes[] = {
    { HTTP_POST,   "/flow_run_notification_policies/",       create_policy, TX_WRITE, 201, .body = &notification_policy_create_model,
      .name = "create_flow_run_notification_policy", .reply = &notification_policy_model },
    { HTTP_PATCH,  "/flow_run_notification_policies/{id}",   update_policy, TX_WRITE, 204, .body = &notification_policy_update_model,
      .name = "update_flow_run_notification_policy" },
    { HTTP_GET,    "/flow_run_notification_policies/{id}",   read_policy,   TX_READ,  200,
      .name = "read_flow_run_notification_policy", .reply = &notification_policy_model },
    { HTTP_POST,   "/flow_run_notification_policies/filter", read_policies, TX_READ,  200, .prepare = prepare_policies, .spec = &list, .reads_body = true,
      .name = "read_flow_run_notification_policies", .reply = &notification_policy_model, .reply_list = true },
    { HTTP_DELETE, "/flow_run_notification_policies/{id}",   delete_policy, TX_WRITE, 204, .name = "delete_flow_run_notification_policy" },
};
const RouteFamily notification_policy_family = FAMILY(notification_policy_routes);
