/* api/routes/root.c -- /health and /hello, which need no database; its table of routes is at the end. */
#include "api/routes/families.h"

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

static const Route root_routes[] = {
    { HTTP_GET, "/hello",  hello,       TX_NONE, 200, .doc = { "hello" } },
    { HTTP_GET, "/health", read_health, TX_NONE, 200, .any_version = true, .doc = { "health_check" } },
};
const RouteFamily root_family = FAMILY(root_routes, .tag = "Root");
