/* api/peer.c -- an address as text. */
#include "api/peer.h"

#include <arpa/inet.h>

void peer_text(const Req *req, char ret[PEER_TEXT])
{
    const struct in6_addr *peer = &req->http->peer;
    bool four = IN6_IS_ADDR_V4MAPPED(peer);
    if (!inet_ntop(four ? AF_INET : AF_INET6, four ? peer->s6_addr + 12 : peer->s6_addr, ret, PEER_TEXT))
        ret[0] = '\0';
}
