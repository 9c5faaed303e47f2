/* api/routes/root.c -- /health and /hello, which need no database, and /ready, which checks it. The table is at the
 * end. */
#include "api/routes/families.h"

#include "api/readiness.h"

static bool read_health(Req *req)
{
    json_bool(reply_json(req), true);
    return true;
}

static bool hello(Req *req)
{
    json_text(reply_json(req), "\xF0\x9F\x91\x8B");
    return true;
}

static bool read_ready(Req *req)
{
    readiness_answer(req->app->readiness, req);
    return true;
}

static const Route root_routes[] = {
    { HTTP_GET,  "/hello",  hello,       TX_NONE,  200, .doc = { "hello" } },
    { HTTP_GET,  "/health", read_health, TX_NONE,  200, .any_version = true, .open = true, .doc = { "health_check" } },
    { HTTP_HEAD, "/health", read_health, TX_NONE,  200, .any_version = true, .open = true, .own = true },
    { HTTP_GET,  "/ready",  read_ready,  TX_LATER, 200, .any_version = true, .open = true, .own = true },
    { HTTP_HEAD, "/ready",  read_ready,  TX_LATER, 200, .any_version = true, .open = true, .own = true },
};
const RouteFamily root_family = FAMILY(root_routes, .tag = "Root");
