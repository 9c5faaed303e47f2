/* api/request_log.c -- uvicorn's line, plus duration and key name: 127.0.0.1 - "GET /api/flows/1" 200 1.3 ms key ci.
 * The query is omitted. */
#include "api/request_log.h"

#include "api/address.h"
#include "base/log.h"

void request_log_end(Req *req, int status)
{
    if (!log_wants(LOG_INFO))
        return;
    Str peer = request_peer(req), who = req->grant.who;
    double ms = (double)(clock_monotonic() - req->began) / 1e3;
    log_info("orion.access", "%.*s - \"%.*s %.*s\" %d %.1f ms%s%.*s", STR_ARG(peer), STR_ARG(req->http->method_text),
             STR_ARG(req->http->raw_path), status, ms, who.n ? " " : "", STR_ARG(who));
}
