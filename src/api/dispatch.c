/* api/dispatch.c -- from an HTTP request to a handler in its transaction, and from there to the reply. */
#include "api/dispatch.h"

#include "api/backlog.h"
#include "api/decode.h"
#include "api/guard.h"
#include "api/match.h"
#include "api/offload.h"
#include "api/reply.h"
#include "api/request_stats.h"
#include "api/socket.h"
#include "base/log.h"

enum { LOOP_BODY_MAX = 64 << 10 }; /* bytes; checking takes some 15 ns for each, and 350 if every value is wrong */

Req *req_new(HttpRequest *http, const App *app)
{
    Req *req = arena_new_of(http->arena, Req);
    req->http = http;
    req->arena = http->arena;
    req->app = app;
    req->now = clock_now();
    request_stats_begin(req);
    invalid_init(&req->invalid, req->arena, req->now);
    return req;
}

static bool run_job(Tx *tx, void *arg)
{
    Req *req = arg;
    log_request(req->http->id);
    req->tx = tx;
    req->status = req->route->status;
    /* A job may run twice: nothing is left of the first answer. */
    req->reply = (Buf){ 0 };
    spool_discard(&req->spool);
    db_lock(tx, req->route->lock);
    bool ok = req->route->handle(req) && spool_finish(&req->spool, &req->reply);
    if (!ok && tx->error->code == ERR_NONE)
        (void)fail(tx->error, ERR_INTERNAL, "%s: the handler failed without an error", req->route->path);
    log_request(STR_NULL);
    return ok && tx->error->code == ERR_NONE;
}

static void finish_job(void *arg, const Error *error)
{
    Req *req = arg;
    req->tx = NULL;
    if (error->code != ERR_NONE) {
        req->error = *error;
        spool_discard(&req->spool);
    }
    if (req->job.write)
        backlog_leave(req);
    reply_send(req);
}

/* Where it is noted how long reads of its route take. */
static _Atomic int64_t *usual_of(const Req *req)
{
    return &req->app->usual_reads[(uintptr_t)req->route / sizeof(Route) % USUAL_READS];
}

static void run(Req *req)
{
    if (req->route->tx == TX_LATER) {
        (void)!req->route->handle(req);
        return;
    }
    if (req->route->tx == TX_NONE) {
        req->status = req->route->status;
        (void)!req->route->handle(req);
        reply_send(req);
        return;
    }
    bool write = req->route->tx == TX_WRITE;
    if (write && !backlog_enter(req)) {
        reply_send(req);
        return;
    }
    req->job = (Job){ .run = run_job, .done = finish_job, .arg = req, .arena = req->arena, .write = write,
                      .unwanted = req->http->is_gone, .usual = usual_of(req) };
    db_submit(req->app->db, &req->job);
}

/* Starlette's redirect_slashes: redirects if the same path with or without its last slash has a row. */
static bool redirect_slash(Req *req, Str path)
{
    const Route *other_method;
    bool slash = path.n > 1 && path.p[path.n - 1] == '/';
    if (path.n <= 1)
        return false;
    Buf other;
    buf_init(&other, req->arena, path.n + 1);
    buf_add(&other, path.p, slash ? path.n - 1 : path.n);
    if (!slash)
        buf_char(&other, '/');
    if (!match_route(req, buf_view(&other), &other_method) && !other_method)
        return false;
    reply_redirect(req, buf_view(&other));
    return true;
}

static void decode_and_run(Req *req)
{
    if (guard_check_route(req) && decode_request(req) && guard_check_object(req))
        run(req);
    else
        reply_send(req);
}

void api_handle(Req *req)
{
    Str path = { req->http->path.p + 4, req->http->path.n - 4 };
    const Route *other_method;
    req->route = match_socket(req, path);
    if (req->route) {
        socket_accept(req);
        return;
    }
    req->route = match_route(req, path, &other_method);
    if (!req->route && other_method) {
        reply_not_allowed(req, other_method->method);
    } else if (!req->route) {
        if (redirect_slash(req, path))
            return;
        (void)fail(&req->error, ERR_NOT_FOUND, "Not Found");
        reply_send(req);
    } else if (req->route->slow || req->http->body.n > LOOP_BODY_MAX) {
        offload_submit(req->app->offload, req, decode_and_run);
    } else {
        decode_and_run(req);
    }
}
