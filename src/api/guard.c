/* api/guard.c -- checks the key, and says in response and log why a request is refused. */
#include "api/guard.h"

#include "access/access.h"
#include "api/address.h"
#include "api/match.h"
#include "base/log.h"

static const char missing_key[] =
    "This server needs a key. Set PREFECT_API_KEY to one that was made with `orion key create NAME` on the server.";
static const char missing_either[] =
    "This server needs a key, or a user name and password. Set PREFECT_API_KEY to one that was made with `orion key "
    "create NAME` on the server; later clients may set PREFECT_API_AUTH_STRING to user:password instead.";
static const char missing_password[] =
    "This server needs a user name and password. Set PREFECT_API_AUTH_STRING to user:password; clients that do not "
    "know that setting need a key: set PREFECT_API_KEY to one that was made with `orion key create NAME` on the "
    "server.";

static const char *missing_text(AccessOffers offers)
{
    return offers.keys && offers.password ? missing_either : offers.keys ? missing_key : missing_password;
}

/* By verdict: the text for the client (NULL: depends on what the server accepts), and for the log. */
static const struct Refusal { const char *answer, *logged; } refusals[] = {
    [ACCESS_MISSING] = { NULL, "no key" },
    [ACCESS_UNKNOWN_KEY] = {
        "The key in PREFECT_API_KEY is unknown to this server, or was revoked. `orion key create NAME` on the server "
        "makes a new one.", "unknown key" },
    [ACCESS_EXPIRED_KEY] = {
        "The key in PREFECT_API_KEY has expired. `orion key create NAME` on the server makes a new one.",
        "expired" },
    [ACCESS_WRONG_PASSWORD] = { "The user name or the password is wrong.", "wrong user name or password" },
};

void guard_log_refusal(const App *app, Str peer, Str who, const char *why, Str method, Str path)
{
    unsigned more;
    char others[64] = "";
    if (!refusals_count(access_refusals(app->access), peer, clock_monotonic(), &more))
        return;
    if (more)
        (void)snprintf(others, sizeof others, "; %u more since the last line", more);
    log_warning("orion.access", "Refused %.*s: %.*s%s%s: %.*s %.*s%s", STR_ARG(peer), STR_ARG(who),
                who.n ? " " : "", why, STR_ARG(method), STR_ARG(path), others);
}

static void log_refusal(Req *req, const char *why)
{
    guard_log_refusal(req->app, request_peer(req), req->grant.who, why, req->http->method_text, req->http->raw_path);
}

/* Whether the path has a route that needs no key, whatever the method, or leads to a WebSocket, whose key comes in its
 * first message. */
static bool is_open(Req *req)
{
    const Route *other;
    Str path = req->http->path;
    if (!str_starts(path, "/api/"))
        return false;
    path = (Str){ path.p + 4, path.n - 4 };
    if (match_socket(req, path))
        return true;
    const Route *route = match_route(req, path, &other);
    return route ? route->open : other && other->open;
}

bool guard_admit(Req *req, GuardPlace place)
{
    Access *access = req->app->access;
    Str sent = http_header(req->http, "authorization");
    AccessVerdict verdict = access_judge(access, req->arena, sent, req->now, &req->grant);
    if (verdict == ACCESS_GRANTED)
        return true;
    AccessOffers offers = access_offers(access);
    if ((place == GUARD_FILES && !offers.password) || is_open(req))
        return true;
    log_refusal(req, refusals[verdict].logged);
    const char *answer = refusals[verdict].answer;
    return req_fail(req, ERR_UNAUTHORIZED, answer ? answer : missing_text(offers));
}

static bool refuse_reader(Req *req, const char *answer, const char *logged)
{
    log_refusal(req, logged);
    return req_fail(req, ERR_FORBIDDEN, answer);
}

bool guard_check_route(Req *req)
{
    if (req->grant.writes || req->route->tx != TX_WRITE)
        return true;
    return refuse_reader(req, "This key may only read, and this request changes something: it needs a full key.",
                         "may only read");
}

static bool asks_for_secrets(const Req *req, const Model *model)
{
    for (size_t i = 0; model && i < model->count; i++) {
        const Field *field = &model->fields[i];
        bool named = field->kind == F_BOOL && strcmp(field->name, "include_secrets") == 0;
        if (named && *(const bool *)((const char *)req->object + field->offset))
            return true;
    }
    return false;
}

bool guard_check_object(Req *req)
{
    const Route *route = req->route;
    if (req->grant.writes || (!asks_for_secrets(req, route->query) && !asks_for_secrets(req, route->parameters)))
        return true;
    return refuse_reader(req, "This key may only read, and not secrets: include_secrets needs a full key.",
                         "may not read secrets");
}

size_t guard_challenges(const Req *req, HttpHeader ret[CHALLENGES_MAX])
{
    AccessOffers offers = access_offers(req->app->access);
    size_t count = 0;
    if (offers.keys)
        ret[count++] = (HttpHeader){ STR("www-authenticate"), STR("Bearer realm=\"Orion\"") };
    if (offers.password)
        ret[count++] = (HttpHeader){ STR("www-authenticate"), STR("Basic realm=\"Orion\", charset=\"UTF-8\"") };
    return count;
}
