/* api/routes/saved_searches.c -- /saved_searches: a PUT creates or replaces by name; its
 * table of routes is at the end. */
#include "api/routes/families.h"

#include "model/saved_search.h"

static bool put_search(Req *req)
{
    bool created;
    const SavedSearch *search = saved_search_upsert(req->tx, req->object, &created);
    return crud_created(req, search, created);
}

static const ListSpec list = { .order_by = "saved_search.name" };

#define SEARCH .model = &saved_search_model, .missing = "Saved search not found"

static const Route saved_search_routes[] = {
    { HTTP_PUT,    "/saved_searches/",       put_search,  TX_WRITE, 200, SEARCH, .body = &saved_search_create_model,
      .doc = { "create_saved_search", .other_status = 201 } },
    { HTTP_GET,    "/saved_searches/{id}",   crud_read,   TX_READ,  200, SEARCH, .doc = { "read_saved_search" } },
    { HTTP_POST,   "/saved_searches/filter", crud_list,   TX_READ,  200, SEARCH, .list = &list,
      .order = ORDER(BODY_LIMIT, BODY_OFFSET), .doc = { "read_saved_searches" } },
    { HTTP_DELETE, "/saved_searches/{id}",   crud_delete, TX_WRITE, 204, SEARCH, .doc = { "delete_saved_search" } },
};
const RouteFamily saved_search_family = FAMILY(saved_search_routes, .tag = "SavedSearches");
