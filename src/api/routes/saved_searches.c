/* api/routes/saved_searches.c -- /saved_searches: the routes stand at the end. */
#include "api/routes/families.h"

#include "model/saved_search.h"

static bool not_found(Req *req)
{
    return req_fail(req, ERR_NOT_FOUND, "Saved search not found");
}

static bool put_search(Req *req)
{
    bool created;
    const SavedSearch *search = saved_search_upsert(req->tx, req->object, &created);
    if (!search)
        return false;
    if (created)
        reply_status(req, 201);
    reply_model(req, &saved_search_model, search);
    return true;
}

static bool read_search(Req *req)
{
    const SavedSearch *search = saved_search_read(req->tx, req->params[0]);
    if (!search)
        return not_found(req);
    reply_model(req, &saved_search_model, search);
    return true;
}

static bool read_searches(Req *req)
{
    req->order_by = "saved_search.name";
    return reply_list(req, &saved_search_model, "saved_search");
}

static bool delete_search(Req *req)
{
    return DB_EXEC(req->tx, "DELETE FROM saved_search WHERE id = $1", v_uuid(req->params[0])) > 0 || not_found(req);
}

static const ListSpec list = { .table = "saved_search" };

static const Route saved_search_routes[] = {
    { HTTP_PUT,    "/saved_searches/",       put_search,    TX_WRITE, 200, .body = &saved_search_create_model,
      .name = "create_saved_search", .reply = &saved_search_model },
    { HTTP_GET,    "/saved_searches/{id}",   read_search,   TX_READ,  200, .name = "read_saved_search", .reply = &saved_search_model },
    { HTTP_POST,   "/saved_searches/filter", read_searches, TX_READ,  200, .prepare = prepare_list, .spec = &list, .reads_body = true,
      .name = "read_saved_searches", .reply = &saved_search_model, .reply_list = true },
    { HTTP_DELETE, "/saved_searches/{id}",   delete_search, TX_WRITE, 204, .name = "delete_saved_search" },
};
const RouteFamily saved_search_family = FAMILY(saved_search_routes, .tag = "SavedSearches");
