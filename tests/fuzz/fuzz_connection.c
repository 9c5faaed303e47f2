/* tests/fuzz/fuzz_connection.c -- the bytes of a connection, given to the server's own code through a pair of
 * sockets, as a whole and one by one: the same requests reach the handler, the same replies come back, each well-
 * formed, and nothing is kept when the connection has ended. */
#include "fuzz_replies.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/link.h"

enum { HEAD_MAX = 4096, BODY_MAX = 1 << 14, REPLIES_MAX = 1 << 20, ROUNDS_MAX = 10000 };

/* What came of a connection. */
typedef struct Outcome {
    Buf requests; /* what the handler was given */
    Buf replies;  /* as they came */
    Buf statuses; /* without the interim ones, which depend on how the bytes arrive */
} Outcome;

static Outcome *outcome;       /* of the connection that is played */
static Exchange *unanswered;   /* a request whose handler has not replied yet */

static void reply(HttpRequest *http)
{
    static const HttpHeader headers[] = { { { "content-type", 12 }, { "text/plain", 10 } } };
    http_reply(http, 200, headers, COUNT_OF(headers), arena_str(http->arena, http->path));
}

/* Requests for "/later…" are answered when more has come, as those that wait for the database. */
static void handle(HttpRequest *http, void *context)
{
    (void)context;
    Buf *out = &outcome->requests;
    const Str line[] = { http->method_text, http->path, http->query };
    for (size_t i = 0; i < COUNT_OF(line); i++)
        buf_str(out, line[i]);
    for (size_t i = 0; i < http->header_count; i++) {
        buf_str(out, http->headers[i].name);
        buf_str(out, http->headers[i].value);
    }
    buf_str(out, http->body);
    if (str_starts(http->path, "/later"))
        unanswered = (Exchange *)http;
    else
        reply(http);
}

static HttpServer *the_server(void)
{
    static HttpServer *server;
    Error error = { .code = ERR_NONE };
    if (server)
        return server;
    server = http_server_new(&(HttpConfig){ .host = "127.0.0.1", .keep_alive_timeout = 5, .body_max = BODY_MAX,
                                            .head_max = HEAD_MAX, .connections_max = 4, .handle = handle }, &error);
    must_not_fail(&error);
    server->loop = pthread_self();
    return server;
}

static void answer_late(HttpServer *server, Connection *c)
{
    Exchange *exchange = unanswered;
    unanswered = NULL;
    if (!exchange)
        return;
    exchange_set_reply(exchange, 200, NULL, 0, STR("late"));
    atomic_fetch_sub(&server->owners, 1);
    connection_reply(c, exchange);
}

static void read_replies(int fd)
{
    char bytes[4096];
    ssize_t n;
    while ((n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        buf_add(&outcome->replies, bytes, (size_t)n);
    must(outcome->replies.n < REPLIES_MAX);
}

/* Lets the server read what there is, and answers what waits. */
static void turn(HttpServer *server, Connection *c)
{
    connection_event(c, c->events & (EPOLLIN | EPOLLOUT));
    answer_late(server, c);
}

static void play(Str bytes, size_t step)
{
    HttpServer *server = the_server();
    size_t budget = server->body_budget;
    int ends[2];
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    connection_new(server, ends[0], (struct in6_addr){ .s6_addr = { [15] = 1 } });
    Connection *c = server->lists[LIST_NEW].last;
    for (size_t at = 0; at < bytes.n && c->fd >= 0; at += step) {
        size_t n = bytes.n - at < step ? bytes.n - at : step;
        if (send(ends[1], bytes.p + at, n, MSG_NOSIGNAL) != (ssize_t)n)
            break;
        turn(server, c);
    }
    shutdown(ends[1], SHUT_WR);
    for (int i = 0; i < ROUNDS_MAX && c->fd >= 0; i++) {
        read_replies(ends[1]);
        turn(server, c);
    }
    read_replies(ends[1]);
    must(c->fd < 0 && c->state == CLOSED);
    connection_list_free(server, LIST_CLOSED);
    close(ends[1]);
    must(server->connection_count == 0 && server->body_budget == budget);
    must(server->input_held == 0 && server->reply_held == 0 && atomic_load(&server->owners) == 1);
}

static Outcome play_checked(Arena *arena, Str bytes, size_t step)
{
    Outcome o;
    buf_init(&o.requests, arena, 1024);
    buf_init(&o.replies, arena, 1024);
    buf_init(&o.statuses, arena, 64);
    outcome = &o;
    play(bytes, step);
    check_replies(buf_view(&o.replies), &o.statuses);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Str bytes = { (const char *)data, size };
    if (size) {
        Outcome whole = play_checked(arena, bytes, size), pieces = play_checked(arena, bytes, 1);
        must(str_eq(buf_view(&whole.requests), buf_view(&pieces.requests)));
        must(str_eq(buf_view(&whole.statuses), buf_view(&pieces.statuses)));
    }
    arena_free(arena);
    return 0;
}
