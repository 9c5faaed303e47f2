/* api/decode.h -- checks and decodes what a request holds, before its transaction. */
#ifndef ORION_API_DECODE_H
#define ORION_API_DECODE_H

#include "api/request.h"

/* Decodes all that the request's row asks for: version, path, query, headers and body. False: req->error, or
 * every error in req->invalid. */
bool decode_request(Req *req) MUST_CHECK;

bool route_takes_body(const Route *route);
bool route_takes(const Route *route, BodyPart part); /* in a body of several parameters */

#endif
