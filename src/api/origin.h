/* api/origin.h -- who may talk to the server: what a browser says about the page that sends a request (Origin), and the
 * name that the request is addressed to (Host). The reference serves every page, so that any web page can read and
 * change everything on a server of its visitor. */
#ifndef ORION_ORIGIN_H
#define ORION_ORIGIN_H

#include "api/request.h"

/* Sets req->cors. False: req->error says what is refused and which setting allows it. Clients other than browsers send
 * no Origin, and use the name that they were given. */
bool origin_check(Req *req) MUST_CHECK;

#endif
