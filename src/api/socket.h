/* api/socket.h -- WebSockets that the tables of routes name: Prefect's subprotocol, its auth message and the keys. */
#ifndef ORION_SOCKET_H
#define ORION_SOCKET_H

#include "api/request.h"

/* One socket, from its handshake until its client is gone and no batch of it is being handled. */
struct Socket {
    Arena *arena;           /* its own, and small: for what lives as long as it */
    const App *app;
    const Route *route;
    WsHandle handle;        /* to send to it, from any thread, as long as it is there or not */
    Str params[4];          /* of the path, in order */
    AccessGrant grant;      /* what its key allows */
    bool is_open;           /* its client has shown that key */
    Str peer, path;         /* for the log */
    void *user;             /* the row's own */
    WsUse use;              /* what http/ knows of it */
};

/* Answers a request for which match_socket found req->route: 101, or why not. A client that speaks the subprotocol
 * `prefect` must first send {"type":"auth","token":…}, and is told {"type":"auth_success"}, or closed with 1008. One
 * that does not, as older clients, is taken as it is if the server asks for no key, or if it sent one as other requests
 * do. A row with TX_WRITE needs a key that may write. */
void socket_accept(Req *req);

#endif
