/* api/routes/flows.c -- /flows: creating one that exists returns it; its table of routes is at the end. */
#include "api/routes/families.h"

#include "model/filters.h"
#include "model/flow.h"
#include "model/removal.h"

static bool create_flow(Req *req)
{
    bool created = false;
    const Flow *flow = flow_create(req->tx, req->object, &created);
    return crud_created(req, flow, created);
}

static bool read_flow_by_name(Req *req)
{
    return crud_reply(req, flow_read_by_name(req->tx, req->params[0]));
}

static const ListSpec list = {
    .links = flow_links, .sorts = flow_sorts, .sort_default = "NAME_ASC",
};

#define FLOW .model = &flow_model, .missing = "Flow not found"

static const Route flow_routes[] = {
    { HTTP_POST,   "/flows/",                create_flow,       TX_WRITE, 200, FLOW, .body = &flow_create_model,
      .doc = { "create_flow", .other_status = 201,
               .about = "Answers 201 with the new flow, or 200 with the one that has the name already." } },
    { HTTP_PATCH,  "/flows/{id}",            crud_update,       TX_WRITE, 204, FLOW, .body = &flow_update_model,
      .doc = { "update_flow" } },
    { HTTP_POST,   "/flows/count",           crud_count,        TX_READ,  200, FLOW, .list = &list,
      .order = ORDER(BODY_FILTERS), .doc = { "count_flows", .reply_schema = INTEGER_SCHEMA } },
    { HTTP_GET,    "/flows/name/{name:str}", read_flow_by_name, TX_READ,  200, FLOW, .doc = { "read_flow_by_name" } },
    { HTTP_GET,    "/flows/{id}",            crud_read,         TX_READ,  200, FLOW, .doc = { "read_flow" } },
    { HTTP_POST,   "/flows/filter",          crud_list,         TX_READ,  200, FLOW, .list = &list,
      .order = ORDER(BODY_LIMIT, BODY_OFFSET, BODY_FILTERS, BODY_SORT), .doc = { "read_flows" } },
    { HTTP_DELETE, "/flows/{id}",            crud_delete,       TX_WRITE, 204, FLOW, .remove = flow_delete,
      .doc = { "delete_flow" } },
};
const RouteFamily flow_family = FAMILY(flow_routes);
