/* api/peer.c -- an address as text. */
#include "api/peer.h"

#include <arpa/inet.h>

Str request_peer(Req *req)
{
    char text[INET6_ADDRSTRLEN] = "";
    const struct in6_addr *peer = &req->http->peer;
    bool four = IN6_IS_ADDR_V4MAPPED(peer);
    (void)!inet_ntop(four ? AF_INET : AF_INET6, four ? peer->s6_addr + 12 : peer->s6_addr, text, sizeof text);
    return arena_str(req->arena, str_from(text));
}
