/* http/websocket.h -- WebSockets (RFC 6455): a request becomes a socket, which carries messages both ways. No
 * extensions: permessage-deflate is declined. src/http/README.md says how one lives. */
#ifndef ORION_WEBSOCKET_H
#define ORION_WEBSOCKET_H

#include "http/frame.h"
#include "http/http.h"

/* Names a socket, from any thread, until the server is freed. What is done to one that is gone has no effect. */
typedef struct WsHandle {
    HttpServer *server;
    uint32_t index, generation;
} WsHandle;

typedef struct WsMessage {
    Str data;       /* valid UTF-8, unless: */
    bool is_binary;
} WsMessage;

/* Messages of one socket, in the order in which they came: all that came in one read, or while the batch before was
 * being handled. A socket has one batch at a time with its handler, which owns it until ws_done. */
typedef struct WsBatch {
    Arena *arena;             /* the batch's own: for what handling it takes */
    WsHandle socket;
    void *user;               /* as given to ws_accept */
    const WsMessage *messages;
    size_t count;             /* at least one */
    struct WsIncoming *own;   /* the server's */
} WsBatch;

/* What a socket is for. All are called on the loop's thread and must not block. */
typedef struct WsUse {
    void (*take)(WsBatch *batch);
    /* Once for each socket that was accepted, when the client is gone and no batch is with the handler. `code` is the
     * one with which it was closed, 1005 if that was without, 1006 if it broke off. When the server is freed it may be
     * called by the thread that frees it, or that has the last batch. */
    void (*closed)(WsHandle socket, int code, void *user);
    /* Whether it may go on: asked on the loop's thread whenever its client is heard, or has not been for
     * `ping_interval`. False: it is closed with 1008. NULL: always. */
    bool (*may_stay)(const void *user);
    size_t message_max;       /* bytes; 1009 beyond them. 0: the server's limit */
    bool speaks_first;        /* the client's first message must come within `head_timeout`; else 1008 */
} WsUse;

/* Whether the request asks for a WebSocket; whether it asks as it should is told by ws_check. */
bool ws_is_wanted(const HttpRequest *request);
/* The status that refuses it, with a text for its author; 0: it can be accepted. */
int ws_check(const HttpRequest *request, const char **ret_why);
/* Whether the request names that subprotocol among those it speaks. */
bool ws_offers(const HttpRequest *request, const char *subprotocol);
/* Answers a request that ws_check found right with 101 and ends it, as http_reply does. `subprotocol`: NULL, or what is
 * chosen. At once one may send to the handle. False: there are as many sockets as may be, or the server is stopping,
 * and the request is still to be answered. */
bool ws_accept(HttpRequest *request, const WsUse *use, void *user, const char *subprotocol,
               WsHandle *ret_socket) MUST_CHECK;

/* From any thread, once for each batch: its messages are handled. Frees it, then answers the pings that came behind
 * them: a pong says that all that was sent before its ping has been handled. */
void ws_done(WsBatch *batch);

/* A text on its way to any number of sockets. */
typedef struct WsText WsText;
WsText *ws_text_new(Str text);      /* a copy, with one owner: */
void ws_text_release(WsText *text); /* sockets to which it is sent are owners of their own */

/* From any thread. Sends after what was sent before. False: the socket is gone or
 * closing, or it has now left so much unread that it is closed (1008). */
bool ws_send_shared(WsHandle socket, WsText *text);
bool ws_send(WsHandle socket, Str text); /* a copy of the text */
/* From any thread: says goodbye after what was sent before, and ends the socket. What has come and is not with the
 * handler yet is dropped, and its pings are not answered. `reason`: at most 123 bytes of UTF-8. */
void ws_close(WsHandle socket, int code, const char *reason);

/* Whether there is room for one more, at this moment. */
bool ws_has_room(const HttpRequest *request);

#endif
