/* api/routes/concurrency_limits.c -- /concurrency_limits: found by id or tag; its table of routes is at the end. */
#include "api/routes/families.h"

#include "model/concurrency_limit.h"

static bool create_limit(Req *req)
{
    return crud_reply(req, concurrency_limit_upsert(req->tx, req->object));
}

static bool read_limit_by_tag(Req *req)
{
    return crud_reply(req, concurrency_limit_read_by_tag(req->tx, req->params[0]));
}

static bool delete_limit_by_tag(Req *req)
{
    return crud_changed(req, concurrency_limit_delete_by_tag(req->tx, req->params[0])) && reply_null(req);
}

static const ListSpec list = { .order_by = "concurrency_limit.tag" };

#define LIMIT .model = &concurrency_limit_model, .missing = "Concurrency limit not found"

/* The reference answers a delete of this family with 200 and null. */
static const Route concurrency_limit_routes[] = {
    { HTTP_POST,   "/concurrency_limits/",              create_limit,        TX_WRITE, 200, LIMIT,
      .body = &concurrency_limit_create_model, .doc = { "create_concurrency_limit" } },
    { HTTP_GET,    "/concurrency_limits/{id}",          crud_read,           TX_READ,  200, LIMIT,
      .doc = { "read_concurrency_limit" } },
    { HTTP_GET,    "/concurrency_limits/tag/{tag:str}", read_limit_by_tag,   TX_READ,  200, LIMIT,
      .doc = { "read_concurrency_limit_by_tag" } },
    { HTTP_POST,   "/concurrency_limits/filter",        crud_list,           TX_READ,  200, LIMIT, .list = &list,
      .order = ORDER(BODY_LIMIT, BODY_OFFSET), .doc = { "read_concurrency_limits" } },
    { HTTP_DELETE, "/concurrency_limits/{id}",          crud_delete,         TX_WRITE, 200, LIMIT,
      .doc = { "delete_concurrency_limit", .reply_schema = "{}" } },
    { HTTP_DELETE, "/concurrency_limits/tag/{tag:str}", delete_limit_by_tag, TX_WRITE, 200, LIMIT,
      .doc = { "delete_concurrency_limit_by_tag", .reply_schema = "{}" } },
};
const RouteFamily concurrency_limit_family = FAMILY(concurrency_limit_routes);
