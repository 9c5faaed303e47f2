/* tests/fuzz/fuzz_request.c -- requests to every row of the API's tables (fuzz_api.h), decoded and handled one after
 * the other in a transaction on a database in memory, which is undone: no answer is a 500, and all bodies are JSON. A
 * line "--" is between two requests. */
#include "fuzz_api.h"

enum { REQUESTS_MAX = 4 };

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

static bool handle(Tx *tx, Req *req)
{
    Error *error = tx ? tx->error : &req->error;
    req->tx = tx;
    req->status = req->route->status;
    if (tx)
        db_lock(tx, req->route->lock);
    bool handled = req->route->handle(req);
    check_reply(req, handled, error);
    return handled;
}

typedef struct Series {
    Req *requests[REQUESTS_MAX];
    size_t count;
} Series;

/* A failure ends a transaction. */
static void handle_all(Tx *tx, void *arg)
{
    const Series *series = arg;
    for (size_t i = 0; i < series->count && handle(tx, series->requests[i]); i++)
        continue;
}

/* Cuts the first request off. */
static Str cut_request(Str *rest)
{
    static const char between[] = "\n--\n";
    const char *end = rest->n ? memmem(rest->p, rest->n, between, sizeof between - 1) : NULL;
    Str first = end ? (Str){ rest->p, (size_t)(end - rest->p) } : *rest;
    *rest = end ? str_cut(*rest, first.n + sizeof between - 1, rest->n) : STR_NULL;
    return first;
}

static void add_request(Arena *arena, Str text, Series *series)
{
    Req *req = read_request(arena, text);
    bool makes_tables = str_starts(req->http->path, "/admin/database/"); /* which takes a second, whatever is sent */
    if (makes_tables || !decode_checked(req))
        return;
    if (req->route->tx == TX_READ || req->route->tx == TX_WRITE)
        series->requests[series->count++] = req;
    else if (req->route->tx == TX_NONE)
        (void)handle(NULL, req);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Str rest = { (const char *)data, size };
    Series series = { .count = 0 };
    do
        add_request(arena, cut_request(&rest), &series);
    while (rest.n && series.count < REQUESTS_MAX);
    if (series.count)
        fuzz_run(arena, handle_all, &series);
    arena_free(arena);
    return 0;
}
