/* http/ws_table.c -- what any thread may do to a socket: find it by its handle, send, close, say that a batch is
 * handled. One lock protects the slots, the queues and the two lists for the loop; it is never held while a handler or
 * the system is called. */
#include "http/ws.h"

enum {
    MESSAGE_MAX = 16 << 20,
    WAITING_MAX = 256,
    UNREAD_MAX = 1 << 20, UNREAD_TEXTS_MAX = 1024, ALL_UNREAD_MAX = 64 << 20,
    INCOMPLETE_MESSAGES = 4,
    PING_SECONDS = 20, CLOSE_SECONDS = 10
};

/* ---- the table ---- */

WsTable *ws_table_new(const HttpConfig *config)
{
    WsTable *table = xcalloc(1, sizeof *table);
    const WsLimits *l = &config->sockets;
    size_t message_max = l->message_max ? l->message_max : MESSAGE_MAX;
    table->limits = (WsLimits){
        .sockets_max = l->sockets_max ? l->sockets_max : config->connections_max / 2,
        .message_max = message_max,
        .incomplete_max = l->incomplete_max ? l->incomplete_max : INCOMPLETE_MESSAGES * message_max,
        .waiting_max = l->waiting_max ? l->waiting_max : WAITING_MAX,
        .unread_max = l->unread_max ? l->unread_max : UNREAD_MAX,
        .unread_texts_max = l->unread_texts_max ? l->unread_texts_max : UNREAD_TEXTS_MAX,
        .all_unread_max = l->all_unread_max ? l->all_unread_max : ALL_UNREAD_MAX,
        .ping_interval = l->ping_interval > 0 ? l->ping_interval : PING_SECONDS,
        .ping_timeout = l->ping_timeout > 0 ? l->ping_timeout : PING_SECONDS,
        .close_timeout = l->close_timeout > 0 ? l->close_timeout : CLOSE_SECONDS,
    };
    pthread_mutex_init(&table->lock, NULL);
    return table;
}

void ws_table_free(WsTable *table)
{
    pthread_mutex_destroy(&table->lock);
    free(table->slots);
    free(table);
}

bool ws_has_room(const HttpRequest *request)
{
    const HttpServer *server = ((const Exchange *)request)->server;
    return atomic_load(&server->sockets->count) < server->sockets->limits.sockets_max;
}

/* Under the lock; NULL: all are taken. */
static WsSlot *take_slot(WsTable *table)
{
    if (!table->slots)
        table->slots = xcalloc(table->limits.sockets_max + 1, sizeof *table->slots);
    if (table->free) {
        WsSlot *slot = &table->slots[table->free - 1];
        table->free = slot->next_free;
        return slot;
    }
    return table->used < table->limits.sockets_max ? &table->slots[table->used++] : NULL;
}

Ws *ws_new(HttpServer *server, const WsUse *use, void *user)
{
    WsTable *table = server->sockets;
    Ws *ws = xcalloc(1, sizeof *ws);
    pthread_mutex_lock(&table->lock);
    WsSlot *slot = table->is_ended ? NULL : take_slot(table);
    if (slot) {
        slot->generation++;
        slot->ws = ws;
        *ws = (Ws){ .server = server, .use = use, .user = user, .holders = 1,
                    .handle = { server, (uint32_t)(slot - table->slots), slot->generation } };
        atomic_fetch_add(&table->count, 1);
    }
    pthread_mutex_unlock(&table->lock);
    if (slot)
        return ws;
    free(ws);
    return NULL;
}

/* Under the lock; NULL: it is gone. */
static Ws *find(WsHandle handle)
{
    const WsTable *table = handle.server->sockets;
    if (handle.index >= table->used)
        return NULL;
    const WsSlot *slot = &table->slots[handle.index];
    return slot->generation == handle.generation ? slot->ws : NULL;
}

/* ---- texts and queues ---- */

static WsText *frame_new(FrameKind kind, Str payload)
{
    char head[FRAME_HEAD_MAX];
    size_t n = frame_head(head, kind, payload.n);
    WsText *text = xmalloc(sizeof *text + n + payload.n);
    atomic_init(&text->owners, 1);
    text->queued = 0;
    text->n = n + payload.n;
    memcpy(text->bytes, head, n);
    if (payload.n)
        memcpy(text->bytes + n, payload.p, payload.n);
    return text;
}

WsText *ws_text_new(Str text)
{
    return frame_new(FRAME_TEXT, text);
}

void ws_text_release(WsText *text)
{
    if (atomic_fetch_sub(&text->owners, 1) == 1)
        free(text);
}

/* Under the lock, as the next functions. Puts the socket into the list for the loop; true: the list was empty. */
static bool list_flush(WsTable *table, Ws *ws)
{
    bool first = !table->flush;
    if (ws->is_flushed)
        return false;
    ws->is_flushed = true;
    ws->next_flush = table->flush;
    table->flush = ws;
    return first;
}

static void unlist_flush(WsTable *table, Ws *ws)
{
    Ws **at = &table->flush;
    while (ws->is_flushed && *at != ws)
        at = &(*at)->next_flush;
    if (ws->is_flushed)
        *at = ws->next_flush;
    ws->is_flushed = false;
}

static void append(WsTable *table, Ws *ws, WsText *text)
{
    WsItem *item = xmalloc(sizeof *item);
    *item = (WsItem){ .text = text };
    atomic_fetch_add(&text->owners, 1);
    *(ws->last ? &ws->last->next : &ws->first) = item;
    ws->last = item;
    ws->queued_bytes += text->n;
    ws->queued_texts++;
    table->queued_bytes += sizeof *item + (text->queued++ ? 0 : text->n);
}

static void drop_item(WsTable *table, Ws *ws, WsItem *item)
{
    WsText *text = item->text;
    ws->queued_bytes -= text->n;
    ws->queued_texts--;
    table->queued_bytes -= sizeof *item + (--text->queued ? 0 : text->n);
    ws_text_release(text);
    free(item);
}

static void drop_items(WsTable *table, Ws *ws, WsItem *from)
{
    for (WsItem *item = from, *next; item; item = next) {
        next = item->next;
        drop_item(table, ws, item);
    }
}

/* Whether the client has left too much unread. A single text is sent however long it is. */
static bool is_too_much(const WsTable *table, const Ws *ws)
{
    return ws->is_deaf && ws->first != ws->last &&
           (ws->queued_bytes > table->limits.unread_max || ws->queued_texts > table->limits.unread_texts_max);
}

/* A burst may be more than the client may leave unread, since the loop has yet to send it. */
static bool may_append(const WsTable *table, const Ws *ws, const WsText *text)
{
    return !ws->first || (table->queued_bytes + text->n <= table->limits.all_unread_max && !is_too_much(table, ws));
}

static void append_close(WsTable *table, Ws *ws, int code, Str reason)
{
    char payload[FRAME_CONTROL_MAX] = { (char)(code >> 8), (char)code };
    size_t n = reason.n < sizeof payload - 2 ? reason.n : sizeof payload - 2;
    bool is_said = code != CLOSE_NO_CODE && code != CLOSE_LOST;
    memcpy(payload + 2, reason.p ? reason.p : "", n);
    WsText *text = frame_new(FRAME_CLOSE, (Str){ payload, is_said ? n + 2 : 0 });
    append(table, ws, text);
    ws_text_release(text);
    ws->is_shut = true;
    if (!ws->code)
        ws->code = code;
}

bool ws_send_shared(WsHandle socket, WsText *text)
{
    WsTable *table = socket.server->sockets;
    bool sent = false, wake = false;
    pthread_mutex_lock(&table->lock);
    Ws *ws = find(socket);
    if (ws && !ws->is_shut && !ws->is_over) {
        sent = may_append(table, ws, text);
        if (sent)
            append(table, ws, text);
        ws->is_over = !sent || is_too_much(table, ws);
        wake = list_flush(table, ws);
    }
    pthread_mutex_unlock(&table->lock);
    if (wake)
        server_wake(socket.server);
    return sent;
}

bool ws_send(WsHandle socket, Str text)
{
    WsText *copy = ws_text_new(text);
    bool sent = ws_send_shared(socket, copy);
    ws_text_release(copy);
    return sent;
}

void ws_close(WsHandle socket, int code, const char *reason)
{
    WsTable *table = socket.server->sockets;
    bool wake = false;
    pthread_mutex_lock(&table->lock);
    Ws *ws = find(socket);
    if (ws) {
        ws->is_dropped = true;
        if (!ws->is_shut)
            append_close(table, ws, code, str_from(reason));
        wake = list_flush(table, ws);
    }
    pthread_mutex_unlock(&table->lock);
    if (wake)
        server_wake(socket.server);
}

void ws_put(Ws *ws, FrameKind kind, Str payload)
{
    WsTable *table = ws->server->sockets;
    WsText *text = frame_new(kind, payload);
    pthread_mutex_lock(&table->lock);
    if (!ws->is_shut && !ws->is_over) {
        append(table, ws, text);
        ws->is_over = is_too_much(table, ws);
        list_flush(table, ws);
    }
    pthread_mutex_unlock(&table->lock);
    ws_text_release(text);
}

void ws_refuse(Ws *ws, int code, Str reason)
{
    pthread_mutex_lock(&ws->server->sockets->lock);
    ws->is_dropped = true;
    pthread_mutex_unlock(&ws->server->sockets->lock);
    ws_shut(ws, code, reason);
}

void ws_shut(Ws *ws, int code, Str reason)
{
    WsTable *table = ws->server->sockets;
    pthread_mutex_lock(&table->lock);
    if (!ws->is_shut)
        append_close(table, ws, code, reason);
    list_flush(table, ws);
    pthread_mutex_unlock(&table->lock);
}

void ws_cut_queue(Ws *ws)
{
    WsTable *table = ws->server->sockets;
    pthread_mutex_lock(&table->lock);
    WsItem *begun = ws->sent ? ws->first : NULL, *rest = begun ? begun->next : ws->first;
    ws->first = ws->last = begun;
    if (begun)
        begun->next = NULL;
    drop_items(table, ws, rest);
    ws->is_over = ws->is_shut = false;
    pthread_mutex_unlock(&table->lock);
}

void ws_sent(Ws *ws, size_t n)
{
    WsTable *table = ws->server->sockets;
    pthread_mutex_lock(&table->lock);
    ws->sent += n;
    for (WsItem *item; (item = ws->first) && ws->sent >= item->text->n;) {
        ws->sent -= item->text->n;
        ws->first = item->next;
        ws->last = ws->first ? ws->last : NULL;
        drop_item(table, ws, item);
    }
    pthread_mutex_unlock(&table->lock);
}

bool ws_is_finished(Ws *ws)
{
    pthread_mutex_lock(&ws->server->sockets->lock);
    bool is_finished = ws->is_shut && !ws->first;
    pthread_mutex_unlock(&ws->server->sockets->lock);
    return is_finished;
}

bool ws_is_over(Ws *ws)
{
    WsTable *table = ws->server->sockets;
    pthread_mutex_lock(&table->lock);
    bool is_over = ws->is_over || (!ws->is_shut && is_too_much(table, ws));
    pthread_mutex_unlock(&table->lock);
    return is_over;
}

Ws *ws_longest_queue(HttpServer *server)
{
    WsTable *table = server->sockets;
    Ws *found = NULL;
    pthread_mutex_lock(&table->lock);
    for (uint32_t i = 0; i < table->used && table->queued_bytes > table->limits.all_unread_max; i++) {
        Ws *ws = table->slots[i].ws;
        bool counts = ws && ws->connection && !ws->is_shut;
        if (counts && (!found || ws->queued_bytes > found->queued_bytes))
            found = ws;
    }
    pthread_mutex_unlock(&table->lock);
    return found;
}

Ws *ws_take_flush(HttpServer *server)
{
    WsTable *table = server->sockets;
    pthread_mutex_lock(&table->lock);
    Ws *ws = table->flush;
    if (ws)
        unlist_flush(table, ws);
    pthread_mutex_unlock(&table->lock);
    return ws;
}

/* ---- batches, and the end ---- */

static void free_incoming(WsIncoming *incoming)
{
    if (incoming)
        arena_free(incoming->batch.arena); /* which holds it */
}

/* Frees its slot, then itself. */
static void end(Ws *ws)
{
    WsTable *table = ws->server->sockets;
    pthread_mutex_lock(&table->lock);
    WsSlot *slot = &table->slots[ws->handle.index];
    slot->ws = NULL;
    slot->next_free = table->free;
    table->free = ws->handle.index + 1;
    unlist_flush(table, ws);
    drop_items(table, ws, ws->first);
    table->incomplete -= ws->message_size;
    pthread_mutex_unlock(&table->lock);
    free(ws->message);
    int code = ws->code ? ws->code : ws->said_goodbye ? ws->goodbye : CLOSE_LOST;
    ws->use->closed(ws->handle, code, ws->user);
    free(ws);
    atomic_fetch_sub(&table->count, 1);
}

static void let_go(Ws *ws)
{
    WsTable *table = ws->server->sockets;
    pthread_mutex_lock(&table->lock);
    bool is_last = --ws->holders == 0;
    pthread_mutex_unlock(&table->lock);
    if (is_last)
        end(ws);
}

void ws_attach(Ws *ws, Connection *c)
{
    pthread_mutex_lock(&ws->server->sockets->lock);
    ws->connection = c;
    pthread_mutex_unlock(&ws->server->sockets->lock);
}

/* Under the lock: what waits, if it is not to be handled any more. */
static WsIncoming *take_dropped(const WsTable *table, Ws *ws)
{
    WsIncoming *dropped = ws->is_dropped || table->is_ended ? ws->waiting : NULL;
    if (dropped)
        ws->waiting = NULL;
    return dropped;
}

void ws_detach(Ws *ws)
{
    if (!ws)
        return;
    WsTable *table = ws->server->sockets;
    pthread_mutex_lock(&table->lock);
    ws->connection = NULL;
    ws->is_shut = true;
    drop_items(table, ws, ws->first);
    ws->first = ws->last = NULL;
    pthread_mutex_unlock(&table->lock);
    ws_hand_over(ws);
    let_go(ws);
}

static void answer_pings(const WsIncoming *incoming)
{
    for (size_t i = 0; i < incoming->ping_count; i++)
        ws_put(incoming->ws, FRAME_PONG, incoming->pings[i]);
}

void ws_hand_over(Ws *ws)
{
    WsTable *table = ws->server->sockets;
    pthread_mutex_lock(&table->lock);
    WsIncoming *dropped = take_dropped(table, ws), *incoming = ws->is_handled ? NULL : ws->waiting;
    bool has_messages = incoming && incoming->batch.count;
    if (incoming)
        ws->waiting = NULL;
    if (has_messages) {
        ws->is_handled = true;
        ws->holders++;
    }
    pthread_mutex_unlock(&table->lock);
    free_incoming(dropped);
    if (has_messages) {
        atomic_fetch_add(&ws->server->owners, 1);
        incoming->batch.messages = incoming->messages;
        ws->use->take(&incoming->batch);
    } else if (incoming) {
        answer_pings(incoming);
        free_incoming(incoming);
    }
}

Connection *ws_finish_batch(WsIncoming *incoming)
{
    Ws *ws = incoming->ws;
    WsTable *table = ws->server->sockets;
    pthread_mutex_lock(&table->lock);
    Connection *c = ws->connection;
    ws->is_handled = false;
    pthread_mutex_unlock(&table->lock);
    answer_pings(incoming); /* which does nothing if it was closed */
    free_incoming(incoming);
    ws_hand_over(ws);
    let_go(ws);
    return c;
}

void ws_push_done(WsBatch *batch)
{
    WsIncoming *incoming = batch->own;
    HttpServer *server = incoming->server;
    WsTable *table = server->sockets;
    pthread_mutex_lock(&table->lock);
    bool is_ended = table->is_ended, wake = !table->done;
    if (!is_ended) {
        incoming->next = table->done;
        table->done = incoming;
    }
    pthread_mutex_unlock(&table->lock);
    if (is_ended)
        (void)ws_finish_batch(incoming);
    else if (wake)
        server_wake(server);
}

WsIncoming *ws_take_done(HttpServer *server)
{
    WsTable *table = server->sockets;
    pthread_mutex_lock(&table->lock);
    WsIncoming *taken = table->done, *in_order = NULL;
    table->done = NULL;
    pthread_mutex_unlock(&table->lock);
    for (WsIncoming *next; taken; taken = next) {
        next = taken->next;
        taken->next = in_order;
        in_order = taken;
    }
    return in_order;
}

void ws_table_end(HttpServer *server)
{
    WsTable *table = server->sockets;
    pthread_mutex_lock(&table->lock);
    table->is_ended = true;
    pthread_mutex_unlock(&table->lock);
    for (WsIncoming *done = ws_take_done(server), *next; done; done = next) {
        next = done->next;
        (void)ws_finish_batch(done);
    }
}
