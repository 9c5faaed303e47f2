/* api/peer.h -- who sent a request, as the log names it. */
#ifndef ORION_PEER_H
#define ORION_PEER_H

#include "api/request.h"

enum { PEER_TEXT = INET6_ADDRSTRLEN };
void peer_text(const Req *req, char ret[PEER_TEXT]); /* "192.0.2.7", "2001:db8::7" */

#endif
