/* http/http.h -- an HTTP/1.1 server: one epoll loop; replies may come from any thread. Knows nothing of routes'
 * meaning. */
#ifndef ORION_HTTP_H
#define ORION_HTTP_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/counter.h"

typedef struct HttpServer HttpServer;
typedef struct HttpHeader { Str name, value; } HttpHeader;

typedef enum HttpMethod {
    HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS, HTTP_OTHER,
    HTTP_WS /* of no request, whose method is GET, but of routes to WebSockets */
} HttpMethod;

/* One request, complete with its body. Lives from the handler's call to http_reply, which ends it; its slices live in
 * its arena. */
typedef struct HttpRequest {
    Arena *arena;
    HttpMethod method;
    Str method_text;
    Str path;   /* percent-decoded once, without the query */
    Str raw_path; /* as sent */
    Str query;  /* raw, without '?'; empty if there is none */
    Str id;     /* X-Request-Id if it is fit for logs, else made; the reply has it too */
    const HttpHeader *headers;
    size_t header_count;
    Str body;
    struct in6_addr peer; /* the client or a proxy; IPv4 as ::ffff:a.b.c.d */
    const atomic_bool *is_gone; /* whether the client has closed the connection: nobody waits for the reply */
    void *connection; /* the server's own */
    void *user;       /* the handler's own */
} HttpRequest;

typedef struct HttpFile {
    int descriptor;
    off_t size;
    void (*close)(struct HttpFile *file); /* once it is sent, or need not be; on the loop's thread as a rule */
} HttpFile;

/* Of WebSockets (http/websocket.h). 0: the default. */
typedef struct WsLimits {
    unsigned sockets_max;       /* half of connections_max, which they count among. They make no room for others */
    size_t message_max;         /* bytes; 16 MB */
    size_t incomplete_max;      /* bytes of all messages that have not come whole; 4 * message_max */
    unsigned waiting_max;       /* messages of a socket that wait while others are handled, before it is read no
                                 * further; 256 */
    size_t unread_max;          /* bytes, and */
    unsigned unread_texts_max;  /* texts that a client may leave unread; 1 MB, 1024. Beyond them it is closed (1008) */
    size_t all_unread_max;      /* bytes that wait for all of them, those that many share counted once; 64 MB */
    double ping_interval, ping_timeout; /* seconds; 20: one that is not heard is asked, and closed without an answer */
    double close_timeout;       /* seconds that it may take to read what was sent before our close; 10 */
} WsLimits;

typedef struct HttpConfig {
    const char *host;
    unsigned port;              /* 0: any free one (tests) */
    double keep_alive_timeout;  /* seconds an idle connection is kept */
    double head_timeout;        /* seconds a head may take, and a body before it must have come at `body_rate`; 0: 10 */
    double body_rate;           /* bytes a second on average; 0: 1000 */
    double reply_timeout;       /* seconds a client may leave our reply unread; 0: 60 */
    size_t body_max, head_max;  /* 413 and 431 beyond them */
    unsigned connections_max;   /* beyond them the one that has waited longest makes room for a new one */
    WsLimits sockets;
    void (*handle)(HttpRequest *request, void *context); /* called on the loop's thread; must not block */
    /* The server itself has refused what came, after so many milliseconds, before `handle` could see it; NULL: nobody
     * wants to know. Path and method are null if the head could not be read. On the loop's thread. */
    void (*refused)(const HttpRequest *request, int status, size_t bytes, int64_t milliseconds, void *context);
    /* Called on the loop's thread every `beat_every` milliseconds (0: never), and once more when the drain begins.
     * NULL: nobody wants to know. */
    void (*beat)(bool draining, void *context);
    int64_t beat_every;
    void *context;
} HttpConfig;

/* Listens. NULL: *error says why, for the user ("Port 4200 on 127.0.0.1 is already in use."). */
HttpServer *http_server_new(const HttpConfig *config, Error *error) MUST_CHECK;
unsigned http_server_port(const HttpServer *server);
/* Whether an address that it listens on is a loopback one, under whatever name. */
bool http_server_has_loopback(const HttpServer *server);
/* Since the start. */
typedef struct HttpCounts {
    Counter opened, closed;     /* connections */
    Counter displaced;          /* of these closed to make room for another, or for its bytes */
    Counter received, sent;     /* bytes */
    Counter refused;            /* requests that the server answered itself: malformed, too large, too late */
} HttpCounts;
const HttpCounts *http_server_counts(const HttpServer *server); /* which it is part of */
uint64_t http_server_connections(const HttpServer *server); /* that are open; from any thread */
/* Runs until http_server_stop; then takes no new request, finishes those in flight (at most `drain` seconds), and
 * returns. */
void http_server_run(HttpServer *server, double drain);
void http_server_stop(HttpServer *server); /* from any thread or a signal handler */
/* Replies still owed by other threads may come after it; they go nowhere. */
void http_server_free(HttpServer *server);

Str http_header(const HttpRequest *request, const char *lower_case_name); /* null where absent */
/* Sends the reply and ends the request: neither it nor its arena may be touched afterwards. From any thread, once for
 * each request. content-length, date, server, x-request-id and connection are added; a body is not sent for HEAD, 204
 * and 304.
 * `headers` are copied; `body` is not: it lives in the request's arena or is a constant. */
void http_reply(HttpRequest *request, int status, const HttpHeader *headers, size_t count, Str body);
/* The same with a body that is a file, from its start. The reply owns the file. */
void http_reply_file(HttpRequest *request, int status, const HttpHeader *headers, size_t count, HttpFile *file);
/* The id that the client or a proxy sent, if it is 1 to 128 letters, digits or "-._~:/+=@"; else 16 hexadecimal
 * digits, allocated in the request's arena. */
Str http_request_id(const HttpRequest *request);
/* Percent- and plus-decoded; of several the last one; false: absent. */
bool http_query_value(const HttpRequest *request, const char *name, Str *ret_value);

#endif
