/* api/ui.c -- the dashboard: files embedded at build time or from a folder. */
#include "api/ui.h"

#include "api/reply.h"

void ui_handle(Req *req)
{
    (void)fail(&req->error, ERR_NOT_FOUND, "Not Found");
    reply_send(req);
}
