/* tests/fuzz/fuzz_websocket.c -- the bytes behind a WebSocket's handshake, given to the server's own code through a
 * pair of sockets, as a whole and one by one: the same messages reach the handler, valid UTF-8 where they are text,
 * the same frames come back but for the order of pongs, each as RFC 6455 wants it, and nothing is kept at the end.
 * The first byte says when batches are done: at once, or later. */
#include "fuzz.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/unicode.h"
#include "http/link.h"
#include "http/ws.h"

enum { MESSAGE_MAX = 1000, REPLIES_MAX = 1 << 20, ROUNDS_MAX = 10000 };

/* What came of a connection. */
typedef struct Outcome {
    Buf messages; /* what the handler was given */
    Buf frames;   /* that came back, without pongs */
    size_t pongs, closed;
    int code;
} Outcome;

static Outcome *outcome;   /* of the connection that is played */
static WsBatch *undone;    /* a batch that is handled later */
static bool is_late;

static void take(WsBatch *batch)
{
    must(batch->count > 0 && !undone);
    for (size_t i = 0; i < batch->count; i++) {
        const WsMessage *message = &batch->messages[i];
        must(message->data.n <= MESSAGE_MAX && (message->is_binary || utf8_is_valid(message->data)));
        buf_printf(&outcome->messages, "%d %zu ", message->is_binary, message->data.n);
        buf_str(&outcome->messages, message->data);
        ws_send(batch->socket, message->is_binary ? STR("bytes") : message->data);
    }
    if (is_late)
        undone = batch;
    else
        ws_done(batch);
}

static void closed(WsHandle socket, int code, void *user)
{
    must(user == outcome && !ws_send(socket, STR("too late")));
    outcome->closed++;
    outcome->code = code;
}

static void handle(HttpRequest *http, void *context)
{
    static const WsUse use = { .take = take, .closed = closed };
    const char *why;
    WsHandle socket;
    (void)context;
    must(ws_is_wanted(http) && ws_check(http, &why) == 0 && ws_accept(http, &use, outcome, NULL, &socket));
}

static HttpServer *the_server(void)
{
    static HttpServer *server;
    Error error = { .code = ERR_NONE };
    if (server)
        return server;
    server = http_server_new(&(HttpConfig){ .host = "127.0.0.1", .keep_alive_timeout = 5, .body_max = 1,
                                            .handle = handle,
                                            .head_max = 4096, .connections_max = 4,
                                            .sockets = { .message_max = MESSAGE_MAX } }, &error);
    must_not_fail(&error);
    server->loop = pthread_self();
    return server;
}

static void finish_late(void)
{
    WsBatch *batch = undone;
    undone = NULL;
    if (batch)
        ws_done(batch);
}

/* Lets the server read what there is, and handles what waits. */
static void turn(HttpServer *server, Connection *c)
{
    connection_event(c, c->events & (EPOLLIN | EPOLLOUT));
    ws_turn(server);
    finish_late();
    ws_turn(server);
}

static void read_frames(int fd, Buf *out)
{
    char bytes[4096];
    ssize_t n;
    while ((n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        buf_add(out, bytes, (size_t)n);
    must(out->n < REPLIES_MAX);
}

/* Cuts one frame off; it must be whole, plain and as short as it can be. */
static Str cut_frame(Str *rest, int *ret_kind)
{
    must(rest->n >= 2);
    size_t head = 2, n = (unsigned char)rest->p[1];
    must(n <= 127 && n != 127 && ((unsigned char)rest->p[0] & 0xF0) == 0x80);
    if (n == 126) {
        must(rest->n >= 4);
        n = (size_t)((unsigned char)rest->p[2] << 8 | (unsigned char)rest->p[3]);
        head = 4;
        must(n >= 126);
    }
    must(rest->n >= head + n);
    Str frame = { rest->p + head, n };
    *ret_kind = rest->p[0] & 0x0F;
    *rest = (Str){ rest->p + head + n, rest->n - head - n };
    return frame;
}

/* After the head of the 101. */
static void check_frames(Outcome *o, Str bytes)
{
    const char *end = memmem(bytes.p, bytes.n, "\r\n\r\n", 4);
    must(end && str_starts(bytes, "HTTP/1.1 101 "));
    Str rest = { end + 4, bytes.n - (size_t)(end + 4 - bytes.p) };
    for (int kind = 0; rest.n;) {
        must(kind != FRAME_CLOSE);
        Str payload = cut_frame(&rest, &kind);
        must(kind == FRAME_TEXT || kind == FRAME_CLOSE || kind == FRAME_PONG);
        must(kind != FRAME_TEXT || utf8_is_valid(payload));
        o->pongs += kind == FRAME_PONG;
        if (kind == FRAME_PONG)
            continue;
        buf_printf(&o->frames, "%d %zu ", kind, payload.n);
        buf_str(&o->frames, payload);
    }
}

static void play(Arena *arena, Outcome *o, Str bytes, size_t step)
{
    static const char handshake[] =
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n\r\n";
    HttpServer *server = the_server();
    Buf replies;
    int ends[2];
    buf_init(&replies, arena, 1024);
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    connection_new(server, ends[0], (struct in6_addr){ .s6_addr = { [15] = 1 } });
    Connection *c = server->lists[LIST_NEW].last;
    must(send(ends[1], handshake, sizeof handshake - 1, MSG_NOSIGNAL) == (ssize_t)sizeof handshake - 1);
    turn(server, c);
    must(c->state == SOCKET);
    for (size_t at = 0; at < bytes.n && c->state == SOCKET; at += step) {
        size_t n = bytes.n - at < step ? bytes.n - at : step;
        must(send(ends[1], bytes.p + at, n, MSG_NOSIGNAL) == (ssize_t)n);
        turn(server, c);
    }
    shutdown(ends[1], SHUT_WR);
    for (int i = 0; i < ROUNDS_MAX && c->fd >= 0; i++) {
        read_frames(ends[1], &replies);
        turn(server, c);
    }
    read_frames(ends[1], &replies);
    must(c->fd < 0 && c->state == CLOSED);
    connection_list_free(server, LIST_CLOSED);
    close(ends[1]);
    check_frames(o, buf_view(&replies));
}

static void check_nothing_is_left(void)
{
    const HttpServer *server = the_server();
    const WsTable *table = server->sockets;
    must(server->connection_count == 0 && server->input_held == 0 && atomic_load(&server->owners) == 1);
    must(atomic_load(&table->count) == 0 && table->incomplete == 0 && table->queued_bytes == 0);
    must(!table->flush && !table->done && !undone);
}

static Outcome play_checked(Arena *arena, Str bytes, size_t step)
{
    Outcome o = { .closed = 0 };
    buf_init(&o.messages, arena, 1024);
    buf_init(&o.frames, arena, 1024);
    outcome = &o;
    play(arena, &o, bytes, step);
    must(o.closed == 1);
    check_nothing_is_left();
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    Arena *arena = arena_new();
    Str bytes = { (const char *)data + 1, size - 1 };
    is_late = data[0] & 1;
    Outcome whole = play_checked(arena, bytes, bytes.n), pieces = play_checked(arena, bytes, 1);
    must(str_eq(buf_view(&whole.messages), buf_view(&pieces.messages)) && whole.code == pieces.code);
    must(is_late || (str_eq(buf_view(&whole.frames), buf_view(&pieces.frames)) && whole.pongs <= pieces.pongs));
    arena_free(arena);
    return 0;
}
