/* api/routes/concurrency_limits.c -- /concurrency_limits: the routes stand at the end. */
#include "api/routes/families.h"

#include "model/concurrency_limit.h"

static bool not_found(Req *req)
{
    return req_fail(req, ERR_NOT_FOUND, "Concurrency limit not found");
}

static bool reply_limit(Req *req, const ConcurrencyLimit *limit)
{
    if (!limit)
        return not_found(req);
    reply_model(req, &concurrency_limit_model, limit);
    return true;
}

static bool create_limit(Req *req)
{
    ConcurrencyLimit *limit = concurrency_limit_upsert(req->tx, req->object);
    return limit && reply_limit(req, limit);
}

static bool read_limit(Req *req)
{
    return reply_limit(req, concurrency_limit_read(req->tx, req->params[0]));
}

static bool read_limit_by_tag(Req *req)
{
    return reply_limit(req, concurrency_limit_read_by_tag(req->tx, req->params[0]));
}

static bool read_limits(Req *req)
{
    req->order_by = "concurrency_limit.tag";
    return reply_list(req, &concurrency_limit_model, "concurrency_limit");
}

/* The reference answers a delete of this family with 200 and null. */
static bool reply_deleted(Req *req, int64_t rows)
{
    if (rows <= 0)
        return not_found(req);
    json_null(reply_json(req));
    return true;
}

static bool delete_limit(Req *req)
{
    return reply_deleted(req, DB_EXEC(req->tx, "DELETE FROM concurrency_limit WHERE id = $1", v_uuid(req->params[0])));
}

static bool delete_limit_by_tag(Req *req)
{
    return reply_deleted(req, DB_EXEC(req->tx, "DELETE FROM concurrency_limit WHERE tag = $1", v_text(req->params[0])));
}

static const ListSpec list = { .table = "concurrency_limit" };

static const Route concurrency_limit_routes[] = {
    { HTTP_POST,   "/concurrency_limits/",              create_limit,        TX_WRITE, 200, .body = &concurrency_limit_create_model,
      .name = "create_concurrency_limit", .reply = &concurrency_limit_model },
    { HTTP_GET,    "/concurrency_limits/{id}",          read_limit,          TX_READ,  200,
      .name = "read_concurrency_limit", .reply = &concurrency_limit_model },
    { HTTP_GET,    "/concurrency_limits/tag/{tag:str}", read_limit_by_tag,   TX_READ,  200,
      .name = "read_concurrency_limit_by_tag", .reply = &concurrency_limit_model },
    { HTTP_POST,   "/concurrency_limits/filter",        read_limits,         TX_READ,  200, .prepare = prepare_list, .spec = &list, .reads_body = true,
      .name = "read_concurrency_limits", .reply = &concurrency_limit_model, .reply_list = true },
    { HTTP_DELETE, "/concurrency_limits/{id}",          delete_limit,        TX_WRITE, 200, .name = "delete_concurrency_limit" },
    { HTTP_DELETE, "/concurrency_limits/tag/{tag:str}", delete_limit_by_tag, TX_WRITE, 200, .name = "delete_concurrency_limit_by_tag" },
};
const RouteFamily concurrency_limit_family = FAMILY(concurrency_limit_routes);
