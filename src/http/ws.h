/* http/ws.h -- the inside of WebSockets: what a socket holds, and what the loop and other threads do with it. */
#ifndef ORION_WS_H
#define ORION_WS_H

#include "http/exchange.h"
#include "http/websocket.h"

typedef struct Ws Ws;

/* A frame on its way to one or more sockets, header and all. */
struct WsText {
    atomic_uint owners;
    unsigned queued;      /* sockets that have not sent it yet; under the table's lock */
    size_t n;
    char bytes[];
};

typedef struct WsItem { struct WsItem *next; WsText *text; } WsItem;

/* What came of a socket and is not handled yet. */
typedef struct WsIncoming {
    WsBatch batch;        /* in its arena, as this is */
    HttpServer *server;
    Ws *ws;
    WsMessage *messages;
    size_t capacity;
    Str *pings;           /* payloads, in order */
    size_t ping_count, ping_capacity;
    struct WsIncoming *next; /* of those that are done */
} WsIncoming;

/* One socket: from ws_accept until its connection is gone and no batch of it is with the handler. What an idle one
 * takes is this and its Connection. */
struct Ws {
    HttpServer *server;
    const WsUse *use;
    void *user;
    WsHandle handle;
    /* The loop's. */
    FrameReader reader;
    uint8_t control_n;
    char control[FRAME_CONTROL_MAX]; /* the payload of a close, ping or pong as far as it has come; a close's stays */
    char *message;        /* an incomplete message; NULL: none */
    size_t message_n, message_size;
    bool has_spoken;      /* a message has come */
    bool said_goodbye;    /* the client's close has come, */
    int goodbye;          /* with this code, and a reason of so many bytes */
    uint8_t goodbye_n;
    bool is_asked;        /* a ping of ours is under way */
    atomic_bool is_deaf;  /* its queue waits for the client to read */
    size_t sent;          /* bytes of the first item */
    /* Written under the table's lock; what is atomic, or the loop's alone to write, the loop reads without. */
    Connection *connection; /* NULL: before the 101 is sent, and after the end */
    unsigned holders;     /* its connection, or the exchange that will give it one; the batch that is handled */
    WsIncoming *waiting;  /* for the batch before it, or the end of this read; NULL: nothing. Filled by the loop */
    bool is_handled;      /* a batch is with the handler */
    atomic_bool is_shut;  /* our close is among the items: nothing may be sent after it */
    bool is_dropped;      /* closed by ws_close: what waits is not handled any more */
    atomic_bool is_over;  /* a text found no room, or too much is unread: to be closed */
    bool is_flushed;      /* in the table's list of sockets to flush */
    int code;             /* with which it ends; 0: it has not come to that */
    WsItem *first, *last;
    size_t queued_bytes, queued_texts;
    Ws *next_flush;
};

typedef struct WsSlot { Ws *ws; uint32_t generation, next_free; } WsSlot;

/* All sockets of a server. A socket may go while other threads have its handle: a slot that is used again counts up. */
typedef struct WsTable {
    WsLimits limits;
    pthread_mutex_t lock;
    WsSlot *slots;        /* limits.sockets_max; NULL before the first socket */
    uint32_t used, free;  /* slots ever used; the first free one of these, counted from 1 */
    atomic_uint count;
    Ws *flush;            /* those to which something was sent since the loop last looked */
    WsIncoming *done;     /* batches that are handled, the last one first */
    size_t queued_bytes;  /* of all sockets; a text that several share counts once */
    bool is_ended;        /* the loop takes no more */
    size_t incomplete;    /* bytes of incomplete messages; the loop's while it runs */
} WsTable;

/* ws_table.c: from any thread, if not said otherwise */
WsTable *ws_table_new(const HttpConfig *config);
void ws_table_end(HttpServer *server);   /* the loop has ended: what is done now ends itself */
void ws_table_free(WsTable *table);
Ws *ws_new(HttpServer *server, const WsUse *use, void *user); /* NULL: there are as many as may be */
void ws_attach(Ws *ws, Connection *c);   /* on the loop's thread */
/* Its connection is gone, or never came to be: once what has arrived is handled, it ends. NULL is fine. */
void ws_detach(Ws *ws);
void ws_put(Ws *ws, FrameKind kind, Str payload); /* into its queue; nothing once it is shut */
void ws_shut(Ws *ws, int code, Str reason);       /* puts the close there, and nothing after it */
void ws_refuse(Ws *ws, int code, Str reason);     /* the same, and drops what waits to be handled */
void ws_cut_queue(Ws *ws);               /* drops what is not begun, the close too; on the loop's thread */
void ws_sent(Ws *ws, size_t n);          /* takes that many bytes off the queue */
bool ws_is_finished(Ws *ws);             /* it is shut, and all is sent */
bool ws_is_over(Ws *ws);                 /* too much is unread, or was to be sent at once */
/* The one with the longest queue, if all together hold too much; else NULL. */
Ws *ws_longest_queue(HttpServer *server);
/* Gives the waiting batch to the handler, unless another one is there or it is not to be handled any more; pings alone
 * are answered at once. On the loop's thread. */
void ws_hand_over(Ws *ws);
void ws_push_done(WsBatch *batch);
/* On the loop's thread: all that are done, in order, and the first of those to flush; NULL: none. */
WsIncoming *ws_take_done(HttpServer *server);
Ws *ws_take_flush(HttpServer *server);
/* A batch is done: answers its pings, frees it, and hands the next one over. Returns the socket's connection; NULL: it
 * is gone. */
Connection *ws_finish_batch(WsIncoming *incoming);

/* handshake.c */
void ws_set_reply(Exchange *exchange, const char *subprotocol); /* the 101 */

/* websocket.c: on the loop's thread */
void ws_begin(Connection *c, Ws *ws);    /* the 101 is sent */
void ws_take(Connection *c, char *bytes, size_t n);
void ws_event(Connection *c, uint32_t events);
void ws_time_out(Connection *c);
void ws_drain(HttpServer *server);       /* says goodbye to all, each when what it sent is handled */
void ws_turn(HttpServer *server);        /* what other threads have sent and done since the last turn */

#endif
