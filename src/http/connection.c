/* http/connection.c -- a connection's life: bytes into requests, one at a time, replies into bytes, then the next or
 * the end. */
#include <errno.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "http/link.h"
#include "http/ws.h"

enum {
    READ_SPARINGLY = 512, /* bytes; most heads are shorter */
    HEAD_MORE = 128,   /* bytes that a parsed head takes, besides its text and as much again for its headers' slices */
    REFUSAL_SIZE = 512,
    PATH_KEPT = 1024, /* bytes of a refused request's path, for log lines */
    FILE_AT_ONCE = 1 << 20 /* bytes sent of a file before others get their turn */
};

static void reply_sent(Connection *c)
{
    Exchange *exchange = c->exchange;
    Ws *ws = exchange->ws;
    exchange->ws = NULL;
    bool end = exchange->close || c->server->draining;
    bool linger = exchange->refused || c->unread;
    connection_drop_exchange(c);
    c->unread = false;
    if (ws) {
        ws_begin(c, ws);
        return;
    }
    if (end) {
        linger ? connection_linger(c) : connection_close(c);
        return;
    }
    c->state = READING_HEAD;
    connection_watch(c, EPOLLIN | EPOLLRDHUP);
}

static ssize_t send_some(const Connection *c)
{
    Str head = c->exchange->reply_head, body = c->exchange->reply_body;
    size_t of_head = c->written < head.n ? c->written : head.n;
    size_t of_body = c->written - of_head;
    struct iovec parts[2] = {
        { (void *)(uintptr_t)(head.p + of_head), head.n - of_head },
        { (void *)(uintptr_t)(body.p + of_body), body.n - of_body },
    };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = body.n ? 2 : 1 };
    return sendmsg(c->fd, &message, MSG_NOSIGNAL);
}

static int bytes_queued(const Connection *c)
{
    int n = 0;
    return ioctl(c->fd, SIOCOUTQ, &n) == 0 ? n : 0;
}

/* The socket becomes writable again only when much of what it holds was read: a slow client may be reading without
 * that. */
bool connection_is_read(Connection *c)
{
    int before = c->queued;
    c->queued = bytes_queued(c);
    return c->queued < before;
}

/* The client reads no more for now. */
static void wait_for_client(Connection *c, bool progress)
{
    Exchange *kept = exchange_shrink(c->exchange, c->written);
    if (kept != c->exchange)
        c->written = 0;
    c->exchange = kept;
    connection_watch(c, EPOLLOUT);
    if (c->list != LIST_WRITING || progress)
        connection_list_move(c, LIST_WRITING);
    c->queued = bytes_queued(c);
    connection_hold_reply(c, arena_used(c->exchange->request.arena));
}

/* The bytes of the reply that are not sent yet. */
static size_t bytes_left(const Connection *c)
{
    const Exchange *x = c->exchange;
    return x->reply_head.n + x->reply_body.n - c->written + (x->file ? (size_t)(x->file->size - x->file_sent) : 0);
}

/* Adds what is sent to c->written, or to the file's count. */
static ssize_t send_more(Connection *c)
{
    Exchange *x = c->exchange;
    bool is_in_file = c->written == x->reply_head.n + x->reply_body.n;
    ssize_t n = is_in_file
        ? sendfile(c->fd, x->file->descriptor, &x->file_sent, (size_t)(x->file->size - x->file_sent)) : send_some(c);
    size_t sent = n > 0 ? (size_t)n : 0;
    c->written += is_in_file ? 0 : sent;
    counter_add_alone(&c->server->counts.sent, sent);
    return n;
}

static void connection_write(Connection *c)
{
    size_t before = bytes_left(c);
    off_t from = c->exchange->file_sent;
    while (bytes_left(c)) {
        ssize_t n = send_more(c);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            connection_close(c);
            return;
        }
        if (n < 0 || c->exchange->file_sent - from > FILE_AT_ONCE) {
            wait_for_client(c, bytes_left(c) < before); /* which may replace the exchange by a shorter one */
            return;
        }
    }
    reply_sent(c);
}

static void start_writing(Connection *c)
{
    c->state = WRITING;
    c->written = 0;
    exchange_stamp(c->exchange);
    connection_write(c);
}

/* An exchange for a refusal, with what log lines name of the request. `refused`: its own; NULL: it has no head. */
static Exchange *refusal_of(Connection *c, const Exchange *refused)
{
    Exchange *x = exchange_new(c->server, c, REFUSAL_SIZE);
    HttpRequest *request = &x->request;
    x->refused = true;
    request->method = HTTP_OTHER;
    if (refused) {
        Str path = refused->request.raw_path;
        request->method = refused->request.method;
        request->method_text = arena_str(request->arena, refused->request.method_text);
        request->raw_path = arena_str(request->arena, (Str){ path.p, path.n < PATH_KEPT ? path.n : PATH_KEPT });
        request->id = arena_str(request->arena, refused->request.id);
    }
    if (!request->id.p)
        request->id = http_request_id(request);
    return x;
}

/* Answers for the handler and ends the connection: where one request ends and another begins is no longer certain. */
static void connection_refuse(Connection *c, const HttpFailure *failure)
{
    static const HttpHeader headers[] = { { { "content-type", 12 }, { "text/plain; charset=utf-8", 25 } } };
    const HttpConfig *config = &c->server->config;
    Exchange *x = refusal_of(c, c->exchange);
    bool begun = c->list == LIST_HEAD || c->list == LIST_BODY;
    connection_drop_exchange(c);
    c->exchange = x;
    counter_add_alone(&c->server->counts.refused, 1);
    exchange_set_reply(x, failure->status, headers, COUNT_OF(headers), str_from(failure->text));
    if (config->refused)
        config->refused(&x->request, failure->status, x->reply_body.n, begun ? c->server->now - c->since : 0,
                        config->context);
    start_writing(c);
}

static void hand_over(Connection *c)
{
    HttpServer *server = c->server;
    Exchange *exchange = c->exchange;
    if (exchange->body.n)
        exchange->request.body = (Str){ exchange->body.p, exchange->body.n };
    c->state = HANDLING;
    c->is_http_10 = exchange->framing.version_10;
    connection_list_move(c, LIST_BUSY);
    atomic_fetch_add(&server->owners, 1);
    server->handling = exchange;
    server->handled = false;
    server->config.handle(&exchange->request, server->config.context);
    server->handling = NULL;
    if (server->handled)
        start_writing(c);
}

static void send_continue(Connection *c)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (send(c->fd, text, sizeof text - 1, MSG_NOSIGNAL) != (ssize_t)(sizeof text - 1))
        connection_close(c);
}

/* A head is complete: `rest` follows it. */
static void begin_request(Connection *c, Str head, Str rest)
{
    HttpFailure failure;
    Exchange *x = c->exchange = exchange_new(c->server, c, 2 * head.n + HEAD_MORE);
    c->scanned = 0;
    if (!http_head_parse(x->request.arena, head, &x->request, &x->framing, &failure)) {
        connection_refuse(c, &failure);
        return;
    }
    x->request.id = http_request_id(&x->request);
    if (!http_body_begin(&x->body, &x->framing, c->server->config.body_max, &c->server->body_budget, &failure)) {
        connection_refuse(c, &failure);
        return;
    }
    if (x->body.state == BODY_DONE) {
        hand_over(c);
        return;
    }
    c->state = READING_BODY;
    c->body_seen = 0;
    c->quick = false;
    connection_list_move(c, LIST_BODY);
    if (x->framing.expect_continue && rest.n == 0)
        send_continue(c);
}

/* Returns the bytes taken; 0 if more are needed. */
static size_t take_head(Connection *c, Str bytes)
{
    if (bytes.n >= 2 && memcmp(bytes.p, "\r\n", 2) == 0) { /* an empty line before a request is allowed */
        c->scanned = 0;
        return 2;
    }
    HttpFailure failure;
    size_t length, head_max = c->server->config.head_max;
    if (!http_head_find(bytes, &c->scanned, &length, &failure)) {
        connection_refuse(c, &failure);
        return bytes.n;
    }
    if (length > head_max || (!length && bytes.n >= head_max)) {
        connection_refuse(c, &(HttpFailure){ 431, "The headers are too large." });
        return bytes.n;
    }
    if (length)
        begin_request(c, (Str){ bytes.p, length }, (Str){ bytes.p + length, bytes.n - length });
    return length;
}

/* Drops the body that has been arriving for longest, so that this one can go on. False: none has been for long
 * enough. */
static bool make_room_for_body(Connection *c)
{
    const ConnectionList *bodies = &c->server->lists[LIST_BODY];
    if (bodies->first == c || c->server->now - bodies->first->since < bodies->wait)
        return false;
    connection_displace(bodies->first);
    return true;
}

static size_t take_body(Connection *c, Str bytes)
{
    HttpFailure failure;
    HttpBody *body = &c->exchange->body;
    size_t taken = 0, consumed;
    /* Each failure that is not a refusal has dropped another body, and so freed memory. */
    while (!http_body_feed(body, (Str){ bytes.p + taken, bytes.n - taken }, &consumed, &failure)) {
        taken += consumed;
        if (failure.status == 503 && make_room_for_body(c))
            continue;
        connection_refuse(c, &failure);
        return bytes.n;
    }
    if (body->state == BODY_DONE)
        hand_over(c);
    return taken + consumed;
}

/* `rest` lies within c->input or, if that is NULL, in the loop's buffer. */
static void keep_input(Connection *c, Str rest)
{
    if (rest.n == 0) {
        connection_drop_input(c);
        return;
    }
    if (!c->input)
        c->input = xmalloc(rest.n);
    memmove(c->input, rest.p, rest.n);
    c->server->input_held += rest.n - c->input_n;
    c->input_n = rest.n;
}

static void wait_for_head(Connection *c)
{
    if (c->input_n && c->list != LIST_HEAD)
        connection_list_move(c, LIST_HEAD);
    else if (!c->input_n && c->list != LIST_HEAD && c->list != LIST_NEW && c->list != LIST_IDLE)
        connection_list_move(c, LIST_IDLE);
}

/* What a client has sent behind its handshake, without waiting for the answer. */
static void take_for_socket(Connection *c, Str bytes)
{
    char *kept = bytes.n ? xmalloc(bytes.n) : NULL;
    if (kept)
        memcpy(kept, bytes.p, bytes.n);
    connection_drop_input(c);
    if (kept)
        ws_take(c, kept, bytes.n);
    free(kept);
}

/* Takes as many requests from `bytes` as are complete and can be answered at once, and keeps what is left. */
static void connection_take(Connection *c, Str bytes)
{
    size_t taken = 1;
    /* `bytes` is what is left; the state says what it belongs to. If a reply has to wait, the state ends the loop. */
    while (bytes.n && taken && (c->state == READING_HEAD || c->state == READING_BODY)) {
        taken = c->state == READING_HEAD ? take_head(c, bytes) : take_body(c, bytes);
        bytes = (Str){ bytes.p + taken, bytes.n - taken };
    }
    if (c->fd < 0 || c->state == LINGERING)
        return;
    if (c->state == SOCKET) {
        take_for_socket(c, bytes);
        return;
    }
    keep_input(c, bytes);
    if (c->state == READING_HEAD)
        wait_for_head(c);
}

/* After a reply: continues with what came in after its request. */
static void connection_next(Connection *c)
{
    if (c->state == READING_HEAD || c->state == SOCKET)
        connection_take(c, (Str){ c->input, c->input_n });
}

void connection_reply(Connection *c, Exchange *exchange)
{
    c->exchange = exchange;
    if (c->fd >= 0) {
        start_writing(c);
        connection_next(c);
        return;
    }
    c->state = WRITING;
    connection_close(c);
}

/* Has the client closed its half of the connection, and waits for the reply, or is it gone? If it is, its system
 * answers what we send with a reset, which ends the connection. */
static void ask_if_gone(Connection *c)
{
    connection_list_move(c, LIST_BUSY);
    if (!c->is_http_10)
        send_continue(c);
}

void connection_time_out(Connection *c)
{
    if (c->state == HANDLING) {
        ask_if_gone(c);
        return;
    }
    if (c->state == SOCKET) {
        ws_time_out(c);
        return;
    }
    bool begun = c->state == READING_BODY || (c->state == READING_HEAD && c->input_n);
    if (begun)
        connection_refuse(c, &(HttpFailure){ 408, "The request did not come in time." });
    else
        connection_close(c);
}

/* Appends what was just read to what was kept before. */
static Str join_input(Connection *c, Str bytes)
{
    if (!c->input)
        return bytes;
    c->input = xrealloc(c->input, c->input_n + bytes.n);
    memcpy(c->input + c->input_n, bytes.p, bytes.n);
    c->input_n += bytes.n;
    c->server->input_held += bytes.n;
    return (Str){ c->input, c->input_n };
}

static void connection_read(Connection *c)
{
    HttpServer *server = c->server;
    /* What comes after a request is kept while that is being handled: if much is kept, the rest had better wait in
     * the socket. */
    bool sparing = c->state == READING_HEAD && server->input_held > INPUT_MAX / 2;
    ssize_t n = recv(c->fd, server->input, sparing ? READ_SPARINGLY : READ_SIZE, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0)
        connection_close(c);
    counter_add_alone(&server->counts.received, n > 0 ? (size_t)n : 0);
    if (n > 0 && c->state != LINGERING)
        connection_take(c, join_input(c, (Str){ server->input, (size_t)n }));
}

/* Something came while the request was being handled: another one, which waits in the socket, or the client's end. */
static void request_interrupted(Connection *c, uint32_t events)
{
    c->unread = true;
    connection_watch(c, events & EPOLLRDHUP ? 0 : EPOLLRDHUP);
    if (events & EPOLLRDHUP)
        connection_list_move(c, LIST_HALF);
}

void connection_event(Connection *c, uint32_t events)
{
    if (c->fd < 0)
        return;
    if (c->state == SOCKET) {
        ws_event(c, events);
        return;
    }
    if (events & (EPOLLERR | EPOLLHUP)) {
        connection_close(c);
    } else if (c->state == WRITING && (events & EPOLLOUT)) {
        connection_write(c);
        connection_next(c);
    } else if (c->state == HANDLING) {
        request_interrupted(c, events);
    } else if (events & EPOLLIN) {
        connection_read(c);
    }
}

void connection_last_chance(Connection *c)
{
    if (c->state == READING_HEAD)
        connection_read(c);
    if (c->state == READING_HEAD)
        connection_close(c);
}
