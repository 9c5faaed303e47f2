/* api/request_log.c -- uvicorn's line, plus duration and key name: 127.0.0.1 - "GET /api/flows/1" 200 1.3 ms key ci.
 * The access log adds the answer's size and the route. Queries are omitted: their values may be secret. */
#include "api/request_log.h"

#include "api/address.h"
#include "api/match.h"
#include "base/log.h"
#include "base/text.h"

/* What is said about an answered request. */
typedef struct Answered {
    Str client, who, method, path, route; /* who: as in AccessGrant */
    int status;
    size_t bytes;
    double milliseconds;
} Answered;

static bool is_wanted(const App *app)
{
    return app->logs_access || log_wants(LOG_INFO);
}

static Str or_dash(Str text)
{
    return text.n ? text : STR("-");
}

static void write_answered(const App *app, Arena *arena, const Answered *a)
{
    size_t word = str_find(a->who, ' ');
    Str name = a->who.n ? str_cut(a->who, word + 1, a->who.n) : STR_NULL;
    Str more = app->logs_access ? arena_printf(arena, ", %zu bytes, %.*s", a->bytes, STR_ARG(a->route)) : STR("");
    const LogField fields[] = {
        { .name = "client", .text = a->client },
        { .name = "method", .text = a->method },
        { .name = "path", .text = a->path },
        { .name = "route", .text = a->route },
        { .name = "status", .number = a->status },
        { .name = "bytes", .number = (double)a->bytes },
        { .name = "duration_ms", .number = a->milliseconds, .decimals = 1 },
        { .name = str_starts(a->who, "user ") ? "user" : "key", .text = name }, /* left out if there is none */
    };
    log_fields(LOG_INFO, "orion.access", fields, COUNT_OF(fields) - !a->who.n,
               "%.*s - \"%.*s %.*s\" %d %.1f ms%s%.*s%.*s", STR_ARG(a->client), STR_ARG(a->method), STR_ARG(a->path),
               a->status, a->milliseconds, a->who.n ? " " : "", STR_ARG(a->who), STR_ARG(more));
}

void request_log_end(Req *req, int status, size_t bytes)
{
    if (!is_wanted(req->app))
        return;
    bool sent = req->http->method != HTTP_HEAD && status != 204 && status != 304;
    write_answered(req->app, req->arena, &(Answered){
        .client = request_peer(req), .who = req->grant.who,
        .method = req->http->method_text, .path = req->http->raw_path,
        .route = req->route ? match_route_template(req->arena, req->route) : STR("-"),
        .status = status, .bytes = sent ? bytes : 0,
        .milliseconds = (double)(clock_monotonic() - req->began) / 1e3 });
}

void request_log_refused(const HttpRequest *http, int status, size_t bytes, int64_t milliseconds, void *app)
{
    if (!is_wanted(app))
        return;
    log_request(http->id);
    write_answered(app, http->arena, &(Answered){
        .client = address_text(http->arena, &http->peer), .who = STR(""), .route = STR("-"),
        .method = or_dash(http->method_text), .path = or_dash(http->raw_path),
        .status = status, .bytes = bytes, .milliseconds = (double)milliseconds });
    log_request(STR_NULL);
}
