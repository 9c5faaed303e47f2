/* web/web.c -- hands requests to the API, to its description or to the dashboard. */
#include "web/web.h"

#include "api/address.h"
#include "api/dispatch.h"
#include "api/guard.h"
#include "api/offload.h"
#include "api/origin.h"
#include "api/reply.h"
#include "base/log.h"
#include "watch/watch.h"
#include "web/docs.h"
#include "web/ui.h"

static GuardPlace place_of(Str path)
{
    bool files = !str_starts(path, "/api/") && !docs_has(path) && !watch_has(path) && ui_is_file(path);
    return files ? GUARD_FILES : GUARD_API;
}

static void hand_to_dashboard(Req *req)
{
    req->place = PLACE_DASHBOARD;
    if (req->app->ui_dir)
        offload_submit(req->app->offload, req, ui_handle);
    else
        ui_handle(req);
}

static void handle(Req *req)
{
    HttpRequest *http = req->http;
    forwarded_note_ignored(http, req->app->proxies);
    request_strip_root_path(req);
    if (!origin_check(req)) {
        reply_send(req);
        return;
    }
    if (reply_preflight(req)) /* browsers send no key with it */
        return;
    if (!guard_admit(req, place_of(http->path))) {
        reply_send(req);
        return;
    }
    if (docs_handle(req))
        return;
    if (str_starts(http->path, "/api/"))
        api_handle(req);
    else if (!watch_handle(req))
        hand_to_dashboard(req);
}

void web_handle(HttpRequest *http, void *app)
{
    log_request(http->id);
    handle(req_new(http, app));
    log_request(STR_NULL);
}
