/* api/address.h -- by which address and from where a client reached the server, through proxies or not. */
#ifndef ORION_ADDRESS_H
#define ORION_ADDRESS_H

#include "api/forwarded.h"
#include "api/request.h"

/* What the trusted proxies say, read once for each request. */
const Forwarded *request_forwarded(Req *req);
/* The client's address as text, for logs. */
Str request_peer(Req *req);
/* "https://name:port", as the client would have to write it: X-Forwarded-Host over Host, and https where
 * X-Forwarded-Proto says so; from trusted proxies only. Empty where no header names a usable host. What the headers say
 * may go to the client that sent them and to nobody else. */
Str request_address(Req *req);
/* "/prefect", below which the client sees the server; empty: at its root. X-Forwarded-Prefix over ORION_ROOT_PATH. It
 * may stand in pages and scripts as it is. */
Str request_root_path(Req *req);
/* A proxy may leave its path before ours: takes it off. Never off /api/…, which begins no root path. */
void request_strip_root_path(Req *req);

#endif
