/* api/socket.c -- from the handshake to batches of texts for a route's row: who may open a socket, and what runs in a
 * transaction. */
#include "api/socket.h"

#include "api/address.h"
#include "api/guard.h"
#include "api/reply.h"
#include "api/request_log.h"
#include "api/request_stats.h"
#include "base/log.h"

enum {
    SOCKET_SIZE = 256,        /* bytes of its arena behind itself: path, address */
    TRY_AGAIN_SECONDS = 5
};

#define SUBPROTOCOL "prefect"

static void log_refusal(const Socket *socket, const char *why)
{
    guard_log_refusal(socket->app, socket->peer, socket->grant.who, why, STR("WebSocket"), socket->path);
}

/* ---- the key ---- */

/* By verdict: the reason of the close, and what is logged. */
static const struct Refusal { const char *reason, *logged; } refusals[] = {
    [ACCESS_MISSING] = { "Auth required but no token provided", "no key" },
    [ACCESS_UNKNOWN_KEY] = { "Invalid token", "unknown key" },
    [ACCESS_EXPIRED_KEY] = { "The key has expired", "expired" },
    [ACCESS_WRONG_PASSWORD] = { "Invalid token", "wrong user name or password" },
};

static bool close_with(const Socket *socket, const char *reason)
{
    ws_close(socket->handle, CLOSE_POLICY, reason);
    return false;
}

/* Opens it, if the grant covers its row. */
static bool open_granted(Socket *socket)
{
    const Route *route = socket->route;
    if (!socket->grant.writes && (route->tx == TX_WRITE || !socket->grant.reads)) {
        log_refusal(socket, "may only read");
        return close_with(socket, "This key may only read");
    }
    socket->is_open = true;
    if (route->socket->open)
        route->socket->open(socket);
    return true;
}

/* The first message of a client that speaks the subprotocol. False: it is closed. */
static bool authenticate(Socket *socket, Arena *arena, const WsMessage *message)
{
    const Json *json = message->is_binary ? NULL : json_read(arena, message->data), *type = json_get(json, "type"),
               *token = json_get(json, "token");
    if (!type || type->kind != JSON_STRING || !str_is(type->text, "auth"))
        return close_with(socket, "Expected 'auth' message");
    AccessGrant grant = socket->grant;
    Str text = json_is_null(token) ? STR_NULL : token->kind == JSON_STRING ? token->text : STR("?");
    AccessVerdict verdict = access_judge_token(socket->app->access, arena, text, clock_now(), &grant);
    bool is_known = verdict == ACCESS_GRANTED || (verdict == ACCESS_MISSING && socket->grant.reads); /* by its header */
    if (!is_known) {
        log_refusal(socket, refusals[verdict].logged);
        return close_with(socket, refusals[verdict].reason);
    }
    grant.who = arena_str(socket->arena, grant.who);
    socket->grant = grant;
    if (socket->route->tx != TX_WRITE || grant.writes)
        ws_send(socket->handle, STR("{\"type\":\"auth_success\"}"));
    return open_granted(socket);
}

/* ---- batches ---- */

typedef struct SocketJob {
    Job job;
    Socket *socket;
    WsBatch *batch;
} SocketJob;

static bool run_job(Tx *tx, void *arg)
{
    const SocketJob *job = arg;
    bool ok = job->socket->route->socket->handle(job->socket, tx, job->batch);
    if (!ok && tx->error->code == ERR_NONE)
        (void)fail(tx->error, ERR_INTERNAL, "%s: the handler failed without an error", job->socket->route->path);
    return ok && tx->error->code == ERR_NONE;
}

/* What is not stored is not acknowledged: the client sends it again, over another socket. */
static void finish_job(void *arg, const Error *error)
{
    const SocketJob *job = arg;
    const Socket *socket = job->socket;
    bool is_busy = error->code == ERR_BUSY || error->code == ERR_OVERLOADED;
    if (error->code != ERR_NONE) {
        log_error("orion.api", "WebSocket %.*s: %s", STR_ARG(socket->path), error->message);
        ws_close(socket->handle, is_busy ? CLOSE_TRY_LATER : CLOSE_INTERNAL,
                 is_busy ? "The database cannot be used now" : "Internal Server Error");
    }
    ws_done(job->batch);
}

static void submit(Socket *socket, WsBatch *batch)
{
    SocketJob *job = arena_new_of(batch->arena, SocketJob);
    job->socket = socket;
    job->batch = batch;
    job->job = (Job){ .run = run_job, .done = finish_job, .arg = job, .arena = batch->arena,
                      .write = socket->route->tx == TX_WRITE };
    db_submit(socket->app->db, &job->job);
}

static bool has_binary(const WsBatch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->messages[i].is_binary)
            return true;
    return false;
}

static void take(WsBatch *batch)
{
    Socket *socket = batch->user;
    const SocketSpec *spec = socket->route->socket;
    if (!socket->is_open) {
        if (!authenticate(socket, batch->arena, batch->messages)) {
            ws_done(batch);
            return;
        }
        batch->messages++;
        batch->count--;
    }
    if (!spec->takes_binary && has_binary(batch)) {
        ws_close(socket->handle, CLOSE_UNSUPPORTED, "Only text is taken here");
        ws_done(batch);
    } else if (batch->count == 0) {
        ws_done(batch);
    } else if (socket->route->tx == TX_NONE) {
        spec->texts(socket, batch);
    } else {
        submit(socket, batch);
    }
}

/* Before it is open, its grant is still to come. */
static bool may_stay(const void *user)
{
    const Socket *socket = user;
    return !socket->is_open || access_still_grants(socket->app->access, &socket->grant, clock_now());
}

static void closed(WsHandle handle, int code, void *user)
{
    Socket *socket = user;
    (void)handle;
    if (socket->is_open && socket->route->socket->close)
        socket->route->socket->close(socket, code);
    arena_free(socket->arena); /* which holds it */
}

/* ---- the handshake ---- */

/* Answers with a status that is none of an error's (api/reply.c). */
static void refuse(Req *req, int status, const char *why)
{
    HttpHeader headers[6] = { { STR("content-type"), STR("application/json") } };
    size_t count = 1;
    if (status == 405)
        headers[count++] = (HttpHeader){ STR("allow"), STR("GET") };
    if (status == 426) {
        headers[count++] = (HttpHeader){ STR("upgrade"), STR("websocket") };
        headers[count++] = (HttpHeader){ STR("sec-websocket-version"), STR("13") };
    }
    JsonWriter *w = reply_json(req);
    json_object(w);
    json_key(w, "detail");
    json_text(w, why);
    json_object_end(w);
    req->status = status;
    reply_send_with(req, headers, count);
}

static void refuse_as_full(Req *req)
{
    (void)fail(&req->error, ERR_OVERLOADED, "There are too many WebSockets. Try again in %d seconds.",
               TRY_AGAIN_SECONDS);
    reply_send(req);
}

static Socket *socket_new(Req *req, bool speaks)
{
    const SocketSpec *spec = req->route->socket;
    Arena *arena = arena_new_small(sizeof(Socket) + SOCKET_SIZE);
    Socket *socket = arena_new_of(arena, Socket);
    *socket = (Socket){ .arena = arena, .app = req->app, .route = req->route, .grant = req->grant,
                        .peer = arena_str(arena, request_peer(req)), .path = arena_str(arena, req->http->raw_path),
                        .use = { .take = take, .closed = closed, .may_stay = may_stay, .message_max = spec->message_max,
                                 .speaks_first = speaks } };
    socket->grant.who = arena_str(arena, req->grant.who);
    for (size_t i = 0; i < COUNT_OF(socket->params); i++)
        socket->params[i] = arena_str(arena, req->params[i]);
    return socket;
}

/* A client that does not speak the subprotocol sends no auth message. */
static void open_without_message(Socket *socket)
{
    if (!socket->grant.reads) {
        log_refusal(socket, refusals[ACCESS_MISSING].logged);
        (void)close_with(socket, "'" SUBPROTOCOL "' subprotocol required when auth is configured");
        return;
    }
    (void)!open_granted(socket);
}

void socket_accept(Req *req)
{
    const char *why;
    int status = ws_check(req->http, &why);
    if (status) {
        refuse(req, status, why);
        return;
    }
    if (!ws_has_room(req->http)) {
        refuse_as_full(req);
        return;
    }
    bool speaks = ws_offers(req->http, SUBPROTOCOL);
    Socket *socket = socket_new(req, speaks);
    request_log_end(req, 101, 0);
    request_stats_end(req, 101);
    if (!ws_accept(req->http, &socket->use, socket, speaks ? SUBPROTOCOL : NULL, &socket->handle)) {
        http_reply(req->http, 503, NULL, 0, STR("")); /* the server is stopping */
        arena_free(socket->arena);
    } else if (!speaks) {
        open_without_message(socket);
    }
}
