/* api/request_log.c -- uvicorn's line, with the time it took and whose key it was: 127.0.0.1 - "GET /api/flows/1" 200
 * 1.3 ms key ci. The query is left out. */
#include "api/request_log.h"

#include "api/peer.h"
#include "base/log.h"

void request_log_begin(Req *req)
{
    if (log_wants(LOG_INFO))
        req->began = clock_monotonic();
}

void request_log_end(const Req *req, int status)
{
    char peer[PEER_TEXT];
    if (!log_wants(LOG_INFO))
        return;
    peer_text(req, peer);
    Str who = req->grant.who;
    log_info("orion.access", "%s - \"%.*s %.*s\" %d %.1f ms%s%.*s", peer, STR_ARG(req->http->method_text),
             STR_ARG(req->http->raw_path), status, (double)(clock_monotonic() - req->began) / 1e3, who.n ? " " : "",
             STR_ARG(who));
}
