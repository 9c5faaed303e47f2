/* api/address.h -- the server's address as the client sees it, and the client's address, through proxies or not. */
#ifndef ORION_ADDRESS_H
#define ORION_ADDRESS_H

#include "api/forwarded.h"
#include "api/request.h"

/* What trusted proxies say; parsed once per request. */
const Forwarded *request_forwarded(Req *req);
/* The client's address as text, for logs. */
Str request_peer(Req *req);
/* "https://name:port", as the client would write it. From trusted proxies, X-Forwarded-Host overrides Host, and
 * X-Forwarded-Proto may select https. Empty if no header names a usable host. Return it only to the client that sent
 * the headers. */
Str request_address(Req *req);
/* The path below which the client sees the server, such as "/prefect"; empty for the root. X-Forwarded-Prefix overrides
 * ORION_ROOT_PATH. Safe to insert into pages and scripts unescaped. */
Str request_root_path(Req *req);
/* Removes the root path from the request's path if a proxy left it there. Paths below /api/ are left alone: no root
 * path begins with /api. */
void request_strip_root_path(Req *req);

#endif
