/* tests/fuzz/fuzz_request.c -- requests to every row of the API's tables (fuzz_api.h), decoded and handled in a
 * transaction on a database in memory, which is undone: no answer is a 500, and all bodies are JSON. */
#include "fuzz_api.h"

static void check_reply(Req *req, bool handled, const Error *error)
{
    JsonError why;
    const Json *json;
    must(handled == (error->code == ERR_NONE && req->invalid.count == 0));
    if (error->code == ERR_INTERNAL || error->code == ERR_SPOILED)
        must_not_fail(error);
    if (!handled && error->code == ERR_NONE)
        check_errors(&req->invalid);
    if (handled && req->reply.n)
        must(json_parse(req->arena, buf_view(&req->reply), &json, &why) && utf8_is_valid(buf_view(&req->reply)));
}

static void handle(Tx *tx, void *arg)
{
    Req *req = arg;
    req->tx = tx;
    req->status = req->route->status;
    db_lock(tx, req->route->lock);
    check_reply(req, req->route->handle(req), tx->error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Req *req = read_request(arena, (Str){ (const char *)data, size });
    bool makes_tables = str_starts(req->http->path, "/admin/database/"); /* which takes a second, whatever is sent */
    if (!makes_tables && decode_checked(req)) {
        if (req->route->tx == TX_READ || req->route->tx == TX_WRITE)
            fuzz_run(arena, handle, req);
        else if (req->route->tx == TX_NONE)
            check_reply(req, req->route->handle(req), &req->error);
    }
    arena_free(arena);
    return 0;
}
