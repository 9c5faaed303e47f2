/* api/origin.h -- who may speak to the server: what a browser says of the page that sends a request (Origin), and by
 * which name it came (Host). The reference serves every page, so that any web page can read and change all that the
 * server of its visitor holds. */
#ifndef ORION_ORIGIN_H
#define ORION_ORIGIN_H

#include "api/request.h"

/* Sets req->cors. False: req->error says what is refused and which setting allows it. Clients other than browsers send
 * no Origin, and come by the name that they were given. */
bool origin_check(Req *req) MUST_CHECK;

#endif
