/* watch/status.c -- /orion/status: what `orion status` shows. */
#include "api/reply.h"
#include "watch/view.h"

void status_answer(Req *req, const View *view)
{
    JsonWriter *w = reply_json(req);
    json_object(w);
    json_key(w, "ready");
    json_bool(w, view->ready.code == ERR_NONE);
    json_object_end(w);
    req->status = 200;
    reply_send(req);
}
