/* api/dispatch.h -- from an HTTP request to a handler in its transaction, and from there to the reply. */
#ifndef ORION_DISPATCH_H
#define ORION_DISPATCH_H

#include "api/request.h"

Req *req_new(HttpRequest *http, const App *app); /* in the request's arena */
void api_handle(Req *req);                       /* a path below /api: answers, now or when its transaction has ended */

#endif
