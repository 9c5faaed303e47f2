/* api/address.h -- by which address a client reached the server, through proxies or not. */
#ifndef ORION_ADDRESS_H
#define ORION_ADDRESS_H

#include "api/request.h"

/* The first item of an X-Forwarded header's list: of several proxies, that of the one that the client spoke
 * to. Null if there is none. */
Str forwarded_item(const HttpRequest *http, const char *header);
/* "https://name:port", as the client would have to write it: X-Forwarded-Host over Host, and https if X-Forwarded-Proto
 * says so; from lists in these headers the first item, which is about the proxy that the client spoke to. Empty if no
 * header names a usable host. What the headers say may go back to the client that sent them and to nobody else. */
Str request_address(const Req *req);

#endif
