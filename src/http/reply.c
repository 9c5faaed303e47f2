/* http/reply.c -- the head of a reply, and its way from the thread that answers to the loop. */
#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "http/exchange.h"

enum {
    KEPT_SIZE = 32 << 10, /* bytes of an arena that are not worth a copy of the reply */
    KEPT_MORE = 64        /* for the ends and the alignment of head and body */
};

static const struct { int status; const char *reason; } reasons[] = {
    { 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" }, { 206, "Partial Content" },
    { 301, "Moved Permanently" }, { 302, "Found" }, { 303, "See Other" }, { 304, "Not Modified" },
    { 307, "Temporary Redirect" }, { 308, "Permanent Redirect" },
    { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" }, { 408, "Request Timeout" }, { 409, "Conflict" }, { 410, "Gone" }, { 412, "Precondition Failed" },
    { 413, "Request Entity Too Large" }, { 415, "Unsupported Media Type" }, { 416, "Requested Range Not Satisfiable" },
    { 417, "Expectation Failed" }, { 422, "Unprocessable Entity" }, { 428, "Precondition Required" },
    { 429, "Too Many Requests" }, { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" }, { 501, "Not Implemented" }, { 502, "Bad Gateway" }, { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" }, { 505, "HTTP Version Not Supported" },
};

static const char *reason_of(int status)
{
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}

/* A value may come from a client, decoded: a line end in it must not begin another header. */
static void add_value(Buf *out, Str value)
{
    size_t start = out->n;
    buf_str(out, value);
    for (size_t i = start; i < out->n; i++)
        if ((unsigned char)out->p[i] < ' ' && out->p[i] != '\t')
            out->p[i] = ' ';
}

void exchange_set_reply(Exchange *exchange, int status, const HttpHeader *headers, size_t count, Str body)
{
    Buf head;
    size_t expected = 192;
    for (size_t i = 0; i < count; i++)
        expected += headers[i].name.n + headers[i].value.n + 4;
    buf_init(&head, exchange->request.arena, expected);
    buf_printf(&head, "HTTP/1.1 %d %s\r\ndate: ", status, reason_of(status));
    size_t date = head.n;
    buf_printf(&head, "%*s\r\nserver: orion\r\n", DATE_LENGTH, "");
    bool bodiless = status == 204 || status == 304 || status < 200;
    if (!bodiless)
        buf_printf(&head, "content-length: %zu\r\n", body.n);
    for (size_t i = 0; i < count; i++) {
        buf_str(&head, headers[i].name);
        buf_text(&head, ": ");
        add_value(&head, headers[i].value);
        buf_text(&head, "\r\n");
    }
    exchange->close = !exchange->framing.keep_alive || atomic_load(&exchange->server->stopping);
    if (exchange->close)
        buf_text(&head, "connection: close\r\n");
    else if (exchange->framing.version_10)
        buf_text(&head, "connection: keep-alive\r\n");
    buf_text(&head, "\r\n");
    exchange->date = head.p + date;
    exchange->reply_head = buf_view(&head);
    bool sent = body.n && !bodiless && exchange->request.method != HTTP_HEAD;
    exchange->reply_body = sent ? body : STR("");
}

Exchange *exchange_new(HttpServer *server, Connection *c, size_t expected)
{
    Arena *arena = arena_new_small(sizeof(Exchange) + expected);
    Exchange *exchange = arena_new_of(arena, Exchange);
    exchange->server = server;
    exchange->request = (HttpRequest){ .arena = arena, .connection = c, .body = STR("") };
    return exchange;
}

Exchange *exchange_shrink(Exchange *exchange, size_t written)
{
    size_t of_head = written < exchange->reply_head.n ? written : exchange->reply_head.n, of_body = written - of_head;
    Str head = { exchange->reply_head.p + of_head, exchange->reply_head.n - of_head };
    Str body = { exchange->reply_body.p + of_body, exchange->reply_body.n - of_body };
    if (arena_used(exchange->request.arena) < KEPT_SIZE + 2 * (head.n + body.n)) /* a body that is a constant too */
        return exchange;
    Exchange *kept = exchange_new(exchange->server, exchange->request.connection, head.n + body.n + KEPT_MORE);
    kept->close = exchange->close;
    kept->refused = exchange->refused;
    kept->reply_head = arena_str(kept->request.arena, head);
    kept->reply_body = arena_str(kept->request.arena, body);
    if (exchange->date && of_head == 0)
        kept->date = (char *)(uintptr_t)kept->reply_head.p + (exchange->date - exchange->reply_head.p);
    kept->body = (HttpBody){ .capacity = exchange->body.capacity, .budget = exchange->body.budget }; /* given back on the loop */
    exchange->body.capacity = 0;
    exchange_free(exchange);
    return kept;
}

void exchange_free(Exchange *exchange)
{
    if (!exchange)
        return;
    http_body_end(&exchange->body);
    arena_free(exchange->request.arena); /* which holds the exchange itself */
}

/* Else threads that make replies faster than the loop sends them would fill the memory. */
static void wait_for_loop(HttpServer *server)
{
    if (atomic_load(&server->replied_bytes) <= REPLIED_MAX)
        return;
    pthread_mutex_lock(&server->lock);
    while (atomic_load(&server->replied_bytes) > REPLIED_MAX && !server->ended)
        pthread_cond_wait(&server->taken, &server->lock);
    pthread_mutex_unlock(&server->lock);
}

/* The queue holds the last reply first. */
Exchange *http_server_take_replies(HttpServer *server)
{
    Exchange *taken = atomic_exchange(&server->replied, NULL), *in_order = NULL;
    size_t bytes = 0;
    for (Exchange *next; taken; taken = next) {
        next = taken->next;
        taken->next = in_order;
        in_order = taken;
        bytes += arena_used(taken->request.arena);
    }
    if (atomic_fetch_sub(&server->replied_bytes, bytes) > REPLIED_MAX) {
        pthread_mutex_lock(&server->lock);
        pthread_cond_broadcast(&server->taken);
        pthread_mutex_unlock(&server->lock);
    }
    return in_order;
}

void http_server_take_no_more(HttpServer *server)
{
    pthread_mutex_lock(&server->lock);
    server->ended = true;
    pthread_cond_broadcast(&server->taken);
    pthread_mutex_unlock(&server->lock);
}

/* Only the first reply since the loop last looked wakes it: the loop takes all there are. */
static void queue_reply(HttpServer *server, Exchange *exchange)
{
    Exchange *before = atomic_load(&server->replied);
    atomic_fetch_add(&server->replied_bytes, arena_used(exchange->request.arena));
    do
        exchange->next = before;
    while (!atomic_compare_exchange_weak(&server->replied, &before, exchange));
    uint64_t one = 1;
    while (!before && write(server->wake, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

void http_reply(HttpRequest *request, int status, const HttpHeader *headers, size_t count, Str body)
{
    Exchange *exchange = (Exchange *)request;
    HttpServer *server = exchange->server;
    exchange_set_reply(exchange, status, headers, count, body);
    if (pthread_equal(pthread_self(), server->loop) && server->handling == exchange)
        server->handled = true;
    else {
        if (atomic_load(&server->replied_bytes) > REPLIED_SMALL)
            exchange = exchange_shrink(exchange, 0);
        wait_for_loop(server);
        queue_reply(server, exchange);
    }
    http_server_release(server);
}
