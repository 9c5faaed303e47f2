/* api/reply.h -- the ends of a request: success, errors in the reference's shapes, redirects, CORS. */
#ifndef ORION_REPLY_H
#define ORION_REPLY_H

#include "api/request.h"

/* Sends what the request came to (req->error, req->invalid, else status and reply) and ends it:
 * req is gone afterwards. */
void reply_send(Req *req);
/* Sends status and reply with these headers; the array has room for two more. */
void reply_send_with(Req *req, HttpHeader *headers, size_t count);
void reply_not_allowed(Req *req, HttpMethod allowed);
void reply_redirect(Req *req, Str path); /* below /api */
bool reply_preflight(Req *req); /* true: it was one, and is answered */

#endif
