/* http/websocket.c -- the loop's side of a WebSocket: frames into batches of messages, the queue into bytes, pings,
 * and the ways it ends. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/unicode.h"
#include "http/link.h"
#include "http/ws.h"

enum {
    BATCH_SIZE = 512,       /* bytes that a batch begins with */
    MESSAGE_FIRST = 512,    /* and an incomplete message */
    PARTS = 16              /* of the queue, sent at once */
};

static const Str too_slow = { "too much was left unread", 24 }, too_many = { "too many incomplete messages", 28 },
                 no_answer = { "keepalive ping timeout", 22 }, no_word = { "no message came in time", 23 },
                 not_granted = { "the key is not valid any more", 29 };

/* ---- batches ---- */

static WsIncoming *incoming_new(Ws *ws, size_t expected)
{
    Arena *arena = arena_new_small(sizeof(WsIncoming) + BATCH_SIZE + expected);
    WsIncoming *incoming = arena_new_of(arena, WsIncoming);
    incoming->server = ws->server;
    incoming->ws = ws;
    incoming->batch = (WsBatch){ .arena = arena, .socket = ws->handle, .user = ws->user, .own = incoming };
    return incoming;
}

/* The batch that what comes now belongs to. Only the loop fills it, so that the lock is for its place alone. */
static WsIncoming *gather(Ws *ws, size_t expected)
{
    if (ws->waiting)
        return ws->waiting;
    WsIncoming *incoming = incoming_new(ws, expected);
    pthread_mutex_lock(&ws->server->sockets->lock);
    ws->waiting = incoming;
    pthread_mutex_unlock(&ws->server->sockets->lock);
    return incoming;
}

static void add_message(Ws *ws, Str data, bool is_binary)
{
    WsIncoming *in = gather(ws, data.n);
    Arena *arena = in->batch.arena;
    in->messages = arena_grow(arena, in->messages, in->batch.count, &in->capacity, sizeof *in->messages);
    ws->has_spoken = true;
    in->messages[in->batch.count++] = (WsMessage){ arena_str(arena, data), is_binary };
}

static void add_ping(Ws *ws, Str payload)
{
    WsIncoming *in = gather(ws, payload.n);
    Arena *arena = in->batch.arena;
    in->pings = arena_grow(arena, in->pings, in->ping_count, &in->ping_capacity, sizeof *in->pings);
    in->pings[in->ping_count++] = arena_str(arena, payload);
}

/* ---- what is watched ---- */

/* Whether more may be taken from the client. What waits for a batch is looked at again when that is done. */
static bool may_read(const Ws *ws)
{
    const WsIncoming *waiting = ws->waiting;
    const WsLimits *limits = &ws->server->sockets->limits;
    if (ws->is_shut || ws->said_goodbye || ws->server->draining)
        return false;
    return !waiting || (waiting->batch.count + waiting->ping_count <= limits->waiting_max &&
                        arena_used(waiting->batch.arena) <= limits->message_max);
}

static void watch(Connection *c)
{
    const Ws *ws = c->ws;
    bool reads = may_read(ws);
    connection_watch(c, (reads ? EPOLLIN : 0u) | (ws->is_deaf ? EPOLLOUT : 0u));
    ListName list = ws->is_shut ? LIST_SOCKET_CLOSING : !reads ? LIST_SOCKET_PAUSED
        : ws->use->speaks_first && !ws->has_spoken ? LIST_SOCKET_NEW
        : ws->is_asked ? LIST_SOCKET_ASKED : LIST_SOCKET;
    if (c->list != list)
        connection_list_move(c, list);
}

/* The client has shown that it is there. */
static void heard(Connection *c)
{
    c->ws->is_asked = false;
    if (c->list == LIST_SOCKET || c->list == LIST_SOCKET_ASKED)
        connection_list_move(c, LIST_SOCKET);
}

/* ---- sending ---- */

/* The first parts of the queue that are not sent. The loop alone takes items out, so they stay. */
static size_t next_parts(Ws *ws, struct iovec parts[PARTS])
{
    size_t count = 0;
    pthread_mutex_lock(&ws->server->sockets->lock);
    for (const WsItem *item = ws->first; item && count < PARTS; item = item->next) {
        size_t from = count ? 0 : ws->sent;
        parts[count++] = (struct iovec){ item->text->bytes + from, item->text->n - from };
    }
    pthread_mutex_unlock(&ws->server->sockets->lock);
    return count;
}

/* Sends until the queue is empty or the client reads no more. False: the connection broke, and is closed. */
static bool send_queue(Connection *c)
{
    struct iovec parts[PARTS];
    size_t count;
    c->ws->is_deaf = false;
    while (!c->ws->is_deaf && (count = next_parts(c->ws, parts)) > 0) {
        struct msghdr message = { .msg_iov = parts, .msg_iovlen = count };
        ssize_t n = sendmsg(c->fd, &message, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN) {
            connection_close(c);
            return false;
        }
        counter_add_alone(&c->server->counts.sent, n > 0 ? (size_t)n : 0);
        ws_sent(c->ws, n > 0 ? (size_t)n : 0);
        c->ws->is_deaf = n < 0;
    }
    return true;
}

/* Sends what there is, and ends the connection behind our close. */
static void flush(Connection *c)
{
    Ws *ws = c->ws;
    if (!send_queue(c))
        return;
    if (ws_is_over(ws)) {
        ws_cut_queue(ws);
        ws_shut(ws, CLOSE_POLICY, too_slow);
        if (!send_queue(c))
            return;
    }
    if (ws_is_finished(ws)) {
        c->ws = NULL;
        connection_linger(c);
        ws_detach(ws);
        return;
    }
    watch(c);
}

/* ---- receiving ---- */

static void drop_message(Ws *ws)
{
    ws->server->sockets->incomplete -= ws->message_size;
    free(ws->message);
    ws->message = NULL;
    ws->message_n = ws->message_size = 0;
}

/* The one that holds the longest incomplete message. */
static Ws *longest(WsTable *table)
{
    Ws *found = NULL;
    pthread_mutex_lock(&table->lock);
    for (uint32_t i = 0; i < table->used; i++) {
        Ws *ws = table->slots[i].ws;
        if (ws && ws->message && (!found || ws->message_size > found->message_size))
            found = ws;
    }
    pthread_mutex_unlock(&table->lock);
    return found;
}

/* Ends sockets with long incomplete messages until `more` bytes are free. */
static void make_room(WsTable *table, size_t more)
{
    Ws *ws;
    while (table->incomplete + more > table->limits.incomplete_max && (ws = longest(table)) != NULL) {
        drop_message(ws);
        ws_shut(ws, CLOSE_TRY_LATER, too_many);
    }
}

/* Appends to the incomplete message. False: the socket had to make room itself. */
static bool keep_part(Ws *ws, Str data)
{
    size_t needed = ws->message_n + data.n, size = ws->message_size ? ws->message_size : MESSAGE_FIRST;
    while (size < needed)
        size *= 2;
    if (size > ws->message_size) {
        make_room(ws->server->sockets, size - ws->message_size);
        if (ws->is_shut)
            return false;
        ws->message = xrealloc(ws->message, size);
        ws->server->sockets->incomplete += size - ws->message_size;
        ws->message_size = size;
    }
    if (data.n)
        memcpy(ws->message + ws->message_n, data.p, data.n);
    ws->message_n = needed;
    return true;
}

/* The client has broken the protocol. What came before is handled all the same. */
static void break_off(Ws *ws, int code, const char *why)
{
    ws_hand_over(ws);
    ws_shut(ws, code, str_from(why));
}

static void take_data(Ws *ws, const FramePiece *piece)
{
    Str whole = piece->data;
    if (ws->message || !piece->is_end) {
        if (!keep_part(ws, piece->data) || !piece->is_end)
            return;
        whole = (Str){ ws->message, ws->message_n };
    }
    if (piece->kind == FRAME_TEXT && !utf8_is_valid(whole))
        break_off(ws, CLOSE_NOT_UTF8, "invalid UTF-8");
    else
        add_message(ws, whole, piece->kind == FRAME_BINARY);
    drop_message(ws);
}

/* The client says goodbye. It is answered when what came before is handled. */
static void take_goodbye(Ws *ws, Str payload)
{
    FramePiece piece = { .bad = 0 };
    int code = frame_read_close(&ws->reader, payload, &piece);
    if (piece.bad) {
        break_off(ws, piece.bad, piece.why);
        return;
    }
    ws->said_goodbye = true;
    ws->goodbye = code;
    ws->goodbye_n = (uint8_t)(payload.n ? payload.n - 2 : 0);
}

static void take_control(Ws *ws, const FramePiece *piece)
{
    Str data = piece->data;
    if (data.n)
        memcpy(ws->control + ws->control_n, data.p, data.n);
    ws->control_n = (uint8_t)(ws->control_n + data.n);
    if (!piece->is_end)
        return;
    Str payload = { ws->control, ws->control_n };
    ws->control_n = 0;
    if (piece->kind == FRAME_CLOSE)
        take_goodbye(ws, payload);
    else if (piece->kind == FRAME_PING)
        add_ping(ws, payload);
}

static size_t message_max(const Ws *ws)
{
    size_t own = ws->use->message_max, all = ws->server->sockets->limits.message_max;
    return own && own < all ? own : all;
}

/* Says goodbye if nothing is to be done before. */
static void end_if_due(Ws *ws)
{
    if (ws->is_handled || ws->waiting)
        return;
    if (ws->said_goodbye)
        ws_shut(ws, ws->goodbye, (Str){ ws->control + 2, ws->goodbye_n });
    else if (ws->server->draining)
        ws_shut(ws, CLOSE_GOING_AWAY, STR("the server is shutting down"));
}

static void settle(Connection *c)
{
    end_if_due(c->ws);
    flush(c);
}

/* Drops what has not been handled of one that may not go on. */
static bool may_stay(Ws *ws)
{
    if (!ws->use->may_stay || ws->use->may_stay(ws->user))
        return true;
    ws_cut_queue(ws);
    ws_refuse(ws, CLOSE_POLICY, not_granted);
    return false;
}

void ws_take(Connection *c, char *bytes, size_t n)
{
    Ws *ws = c->ws;
    size_t at = may_stay(ws) ? 0 : n;
    while (at < n && !ws->is_shut && !ws->said_goodbye) {
        FramePiece piece;
        at += frame_take(&ws->reader, bytes + at, n - at, message_max(ws), &piece);
        if (piece.bad)
            break_off(ws, piece.bad, piece.why);
        else if (piece.is_payload && piece.kind >= FRAME_CLOSE)
            take_control(ws, &piece);
        else if (piece.is_payload)
            take_data(ws, &piece);
    }
    ws_hand_over(ws);
    settle(c);
}

static void read_socket(Connection *c)
{
    HttpServer *server = c->server;
    ssize_t n = recv(c->fd, server->input, READ_SIZE, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        connection_close(c);
        return;
    }
    counter_add_alone(&server->counts.received, (size_t)n);
    heard(c);
    ws_take(c, server->input, (size_t)n);
}

void ws_begin(Connection *c, Ws *ws)
{
    c->state = SOCKET;
    c->ws = ws;
    ws_attach(ws, c);
    settle(c);
}

void ws_event(Connection *c, uint32_t events)
{
    if (events & (EPOLLERR | EPOLLHUP)) {
        connection_close(c);
        return;
    }
    if (events & EPOLLOUT) {
        heard(c);
        flush(c);
    }
    if (c->state == SOCKET && (events & EPOLLIN))
        read_socket(c);
}

void ws_time_out(Connection *c)
{
    Ws *ws = c->ws;
    if (c->list == LIST_SOCKET_CLOSING) {
        connection_close(c);
        return;
    }
    if (c->list == LIST_SOCKET_NEW) {
        ws_shut(ws, CLOSE_POLICY, no_word);
    } else if (c->list == LIST_SOCKET_ASKED) {
        ws_cut_queue(ws);
        ws_shut(ws, CLOSE_INTERNAL, no_answer);
    } else if (may_stay(ws)) {
        ws->is_asked = true;
        ws_put(ws, FRAME_PING, STR(""));
    }
    flush(c);
}

/* ---- turns ---- */

void ws_turn(HttpServer *server)
{
    WsIncoming *done;
    Ws *ws;
    while ((done = ws_take_done(server)) != NULL)
        for (WsIncoming *next; done; done = next) {
            next = done->next;
            Connection *c = ws_finish_batch(done);
            if (c)
                settle(c);
        }
    while ((ws = ws_take_flush(server)) != NULL)
        if (ws->connection)
            flush(ws->connection);
    while ((ws = ws_longest_queue(server)) != NULL) {
        ws->is_over = true;
        flush(ws->connection);
    }
}

void ws_drain(HttpServer *server)
{
    static const ListName lists[] = { LIST_SOCKET_NEW, LIST_SOCKET, LIST_SOCKET_ASKED, LIST_SOCKET_PAUSED };
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        for (Connection *c = server->lists[lists[i]].first, *later; c; c = later) {
            later = c->later;
            settle(c);
        }
}
