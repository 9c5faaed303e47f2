/* http/exchange.h -- the server's own structures: a request with its reply, a connection, the loop. */
#ifndef ORION_HTTP_EXCHANGE_H
#define ORION_HTTP_EXCHANGE_H

#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "http/parse.h"

typedef struct Connection Connection;

/* A request and its reply, in the request's arena. The loop makes it when a head is complete and owns it, but between
 * the handler's call and http_reply: then it is the handler's, on whatever thread, and an owner of the server. A reply
 * that has to wait may move to a smaller one (exchange_shrink). */
typedef struct Exchange {
    HttpRequest request; /* first: http_reply is given its address */
    HttpServer *server;
    HttpFraming framing;
    HttpBody body;
    bool close;            /* the connection ends with this reply */
    bool refused;          /* by the server itself; what the client still sends is of no interest */
    Str reply_head;
    Str reply_body;
    HttpFile *file;        /* holds the body instead; NULL: none */
    off_t file_sent;
    struct Ws *ws;         /* what the connection carries once this reply is sent; NULL: requests */
    char *date;            /* within reply_head: the loop fills it in as it sends */
    struct Exchange *next; /* in the queue of replies */
} Exchange;

enum { DATE_LENGTH = 29 }; /* Mon, 23 Nov 2026 11:17:54 GMT */
/* Its arena begins small: thousands of clients may each keep us waiting for a body. `expected`: bytes beyond itself */
Exchange *exchange_new(HttpServer *server, Connection *c, size_t expected);
void exchange_free(Exchange *exchange);
/* Making a reply may have taken many times its size. If so, what is not written yet moves to a new one, and the old one
 * is freed. From any thread that owns the exchange. */
Exchange *exchange_shrink(Exchange *exchange, size_t written) MUST_CHECK;
/* Both build the head; `headers` are copied. */
void exchange_set_reply(Exchange *exchange, int status, const HttpHeader *headers, size_t count, Str body);
void exchange_set_file(Exchange *exchange, int status, const HttpHeader *headers, size_t count, HttpFile *file);
void exchange_stamp(Exchange *exchange); /* puts the current date into the head; on the loop's thread */

typedef enum ConnectionState {
    READING_HEAD, READING_BODY, HANDLING, WRITING,
    SOCKET,        /* a WebSocket (websocket.c) */
    LINGERING, CLOSED
} ConnectionState;

/* Every connection is in one list, in the order in which they entered it. All members may wait equally long, except
 * for bodies: their time depends on what has arrived, so they are checked once a second. */
typedef enum ListName {
    LIST_NEW,       /* nothing has come yet */
    LIST_IDLE,      /* between two requests */
    LIST_HEAD, LIST_WRITING, LIST_LINGERING,
    LIST_HALF,      /* HANDLING, and the client has closed its half or all: to be asked which */
    LIST_SOCKET_NEW, LIST_SOCKET, /* a WebSocket: that has to say something; that was heard; that has our ping; */
    LIST_SOCKET_ASKED, LIST_SOCKET_CLOSING, /* that has our close */
    LIST_BODY,
    LIST_SOCKET_PAUSED, /* which we do not read, so that nothing can be heard */
    LIST_BUSY, LIST_CLOSED, LIST_COUNT
} ListName;

/* One client, from accept to the end of the turn in which it was closed. Only the loop's thread touches it. Closed
 * while its request is with the handler, it stays, without its socket, until http_reply: the request points to it. */
struct Connection {
    HttpServer *server;
    int fd;               /* -1: the client is gone */
    struct in6_addr peer; /* as in HttpRequest */
    uint32_t events;      /* what epoll watches for */
    atomic_bool is_gone;  /* the client has closed it while HANDLING; read by the handler's threads */
    bool is_http_10;      /* its request is: such a client does not know interim replies */
    ConnectionState state;
    bool unread;          /* more came in while a request was being handled */
    bool quick;           /* its body came at the minimum rate or faster when it was last checked */
    ListName list;
    int64_t since;        /* in this list; milliseconds of the monotonic clock */
    Connection *earlier, *later;
    char *input;          /* bytes that came but are not parsed yet; NULL: none */
    size_t input_n;
    size_t scanned;       /* of the input: searched for the end of a head */
    size_t body_seen;     /* the body's length when it was last checked */
    Exchange *exchange;   /* NULL while no request has a complete head */
    size_t written;       /* of the reply, head and body */
    size_t reply_held;    /* bytes of the reply's arena while the client does not read it */
    int queued;           /* bytes in the socket, unread when last checked */
    struct Ws *ws;        /* of a SOCKET; else NULL */
};

typedef struct ConnectionList {
    Connection *first, *last;
    unsigned count;
    int64_t wait; /* milliseconds */
} ConnectionList;

enum {
    READ_SIZE = 32 << 10,
    INPUT_MAX = 8 << 20,    /* bytes of unfinished heads and of requests that wait for others, of all connections */
    REPLIED_SMALL = 1 << 20, /* bytes of replies that wait for the loop, above which only replies themselves are kept */
    REPLIED_MAX = 16 << 20, /* bytes of replies that wait for the loop */
    LISTENERS_MAX = 8
};

struct HttpServer {
    HttpConfig config;
    int epoll, wake;                  /* wake: an eventfd, written by http_reply and http_server_stop */
    int listeners[LISTENERS_MAX];
    unsigned listener_count, port;
    bool has_loopback;                /* a listener is on a loopback address */
    bool accepting, draining;         /* the listeners are watched; the server ends */
    int64_t accept_again;             /* when to try again after no connection could be closed, */
    unsigned paused_at;               /* and how many there were then */
    int64_t said_full;                /* when that was last logged */
    int64_t bodies_again, beat_again; /* when bodies are checked again; when config.beat is called again */
    int64_t memory_again;             /* when memory that waits for clients is checked again; 0: need not be */
    int64_t trim_again;               /* when what was freed may go back to the system again */
    unsigned crowd;                   /* most requests at once since that was last done */
    bool crowded;                     /* there was a crowd, and more than a few of it are left */
    size_t input_held, reply_held;    /* bytes of all: requests incomplete or waiting; replies that are not read */
    ConnectionList lists[LIST_COUNT];
    unsigned connection_count;
    size_t body_budget;
    int64_t now;                      /* milliseconds, monotonic; read once a turn */
    time_t date_second;               /* when `date` was written */
    char date[DATE_LENGTH + 1];
    pthread_t loop;
    Exchange *handling;               /* the loop's thread is inside config.handle with it */
    bool handled;                     /* and it was answered there */
    _Atomic(Exchange *) replied;      /* answered by other threads, the last one first */
    atomic_size_t replied_bytes;      /* what these hold; with more than REPLIED_MAX the threads wait for the loop */
    pthread_mutex_t lock;             /* for that wait, and of: */
    pthread_cond_t taken;
    bool ended;                       /* the loop takes no more */
    HttpCounts counts;                /* only the loop adds to them */
    struct WsTable *sockets;
    atomic_bool stopping;
    atomic_uint owners;               /* its user, and each request that is with the handler */
    char input[READ_SIZE];            /* the loop reads into it; what cannot be used at once moves to the connection */
};

/* Ends the loop's wait. From any thread or a signal handler. */
static inline void server_wake(const HttpServer *server)
{
    uint64_t one = 1;
    while (write(server->wake, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

#endif
