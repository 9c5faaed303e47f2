/* api/peer.h -- who sent a request, as the log names it. */
#ifndef ORION_PEER_H
#define ORION_PEER_H

#include "api/request.h"

Str request_peer(Req *req); /* "192.0.2.7", "2001:db8::7"; in the request's arena */

#endif
