/* api/routes/flows.c -- /flows: the routes stand at the end. */
#include "api/routes/families.h"

#include "model/filters.h"
#include "model/flow.h"

static bool not_found(Req *req)
{
    return req_fail(req, ERR_NOT_FOUND, "Flow not found");
}

static bool create_flow(Req *req)
{
    bool created;
    Flow *flow = flow_create(req->tx, req->object, &created);
    if (!flow)
        return false;
    if (created)
        reply_status(req, 201);
    reply_model(req, &flow_model, flow);
    return true;
}

static bool update_flow(Req *req)
{
    int64_t rows = codec_update(req->tx, &flow_update_model, req->params[0], req->object, req->sent);
    return rows > 0 || not_found(req);
}

static bool reply_flow(Req *req, const Flow *flow)
{
    if (!flow)
        return not_found(req);
    reply_model(req, &flow_model, flow);
    return true;
}

static bool read_flow(Req *req)
{
    return reply_flow(req, flow_read(req->tx, req->params[0]));
}

static bool read_flow_by_name(Req *req)
{
    return reply_flow(req, flow_read_by_name(req->tx, req->params[0]));
}

static bool delete_flow(Req *req)
{
    return flow_delete(req->tx, req->params[0]) > 0 || not_found(req);
}

static bool read_flows(Req *req)
{
    return reply_list(req, &flow_model, "flow");
}

static bool count_flows(Req *req)
{
    return reply_count(req, "flow");
}

static const ListSpec list = {
    .sorts = flow_sorts, .sort_default = "NAME_ASC", .sort_last = true,
    .links = flow_links, .link_count = FLOW_LINKS, .table = "flow",
};

static const Route flow_routes[] = {
    { HTTP_POST,   "/flows/",                create_flow,       TX_WRITE, 200, .body = &flow_create_model, .name = "create_flow", .reply = &flow_model,
      .about = "Answers 201 with the new flow, or 200 with the one that has the name already." },
    { HTTP_PATCH,  "/flows/{id}",            update_flow,       TX_WRITE, 204, .body = &flow_update_model, .name = "update_flow" },
    { HTTP_POST,   "/flows/count",           count_flows,       TX_READ,  200, .prepare = prepare_count, .spec = &list, .reads_body = true,
      .name = "count_flows" },
    { HTTP_GET,    "/flows/name/{name:str}", read_flow_by_name, TX_READ,  200, .name = "read_flow_by_name", .reply = &flow_model },
    { HTTP_GET,    "/flows/{id}",            read_flow,         TX_READ,  200, .name = "read_flow", .reply = &flow_model },
    { HTTP_POST,   "/flows/filter",          read_flows,        TX_READ,  200, .prepare = prepare_list, .spec = &list, .reads_body = true,
      .name = "read_flows", .reply = &flow_model, .reply_list = true },
    { HTTP_DELETE, "/flows/{id}",            delete_flow,       TX_WRITE, 204, .name = "delete_flow" },
};
const RouteFamily flow_family = FAMILY(flow_routes);
