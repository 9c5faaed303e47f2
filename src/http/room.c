/* http/room.c -- who makes room where clients make us wait: for another connection, for memory, for another body. Whoever has waited
 * longest goes first, so that nobody keeps others out by doing nothing. Requests that are with the handler are never among them. */
#include "http/exchange.h"

enum {
    ROOM_AGE = 200,         /* milliseconds; whoever came later still gets the time to say something */
    BUSY_PAUSE = 20,        /* milliseconds until one looks again where all requests are with the handler */
    LOOKS = 64,             /* at connections that might be spared, so that finding one takes no time */
    BODIES_WAIT = 1000,     /* milliseconds between two looks at bodies */
    HELD_GRACE = 1000,      /* milliseconds that a client may let bytes wait when there are too many */
    HELD_MAX = 12 << 20,    /* bytes that wait for clients, all together */
    HELD_MOST = 256 << 20   /* where there is no grace either */
};

static Connection *older(Connection *a, Connection *b)
{
    if (!a || !b)
        return a ? a : b;
    return b->since < a->since ? b : a;
}

/* One whose body does not come at the least rate. */
static Connection *slow_body(HttpServer *server)
{
    Connection *c = server->lists[LIST_BODY].first;
    for (int i = 0; c && c->quick && i < LOOKS; i++)
        c = c->later;
    return c && !c->quick ? c : NULL;
}

/* One that does not take its reply; those that do move behind the others. */
static Connection *deaf_client(HttpServer *server)
{
    for (int i = 0; i < LOOKS; i++) {
        Connection *c = server->lists[LIST_WRITING].first;
        if (!c || c->since == server->now)
            return NULL; /* the others were looked at, or came just now */
        if (!connection_is_read(c))
            return c;
        list_move(c, LIST_WRITING);
    }
    return NULL;
}

Connection *room_find(HttpServer *server)
{
    static const ListName waiting[] = { LIST_NEW, LIST_IDLE, LIST_HEAD, LIST_LINGERING };
    Connection *c = older(slow_body(server), deaf_client(server));
    for (size_t i = 0; i < COUNT_OF(waiting); i++)
        c = older(c, server->lists[waiting[i]].first);
    if (!c)
        c = older(server->lists[LIST_BODY].first, server->lists[LIST_WRITING].first);
    if (c && server->now - c->since >= ROOM_AGE)
        return c;
    server->accept_again = c ? c->since + ROOM_AGE : server->now + BUSY_PAUSE;
    return NULL;
}

void room_for_memory(HttpServer *server)
{
    server->held_again = 0;
    while (server->held > HELD_MAX) {
        bool most = server->held > HELD_MOST;
        Connection *c = older(server->lists[LIST_HEAD].first, deaf_client(server));
        if (!c && most)
            c = server->lists[LIST_WRITING].first;
        if (!c || (!most && server->now - c->since < HELD_GRACE)) {
            server->held_again = (c ? c->since : server->now) + HELD_GRACE;
            return;
        }
        connection_close(c);
    }
}

bool room_for_body(Connection *c)
{
    const ConnectionList *bodies = &c->server->lists[LIST_BODY];
    if (bodies->first == c || c->server->now - bodies->first->since < bodies->wait)
        return false;
    connection_close(bodies->first);
    return true;
}

static bool is_body_late(const Connection *c)
{
    double earned = 1000 * (double)c->exchange->body.n / c->server->config.body_rate;
    return (double)(c->server->now - c->since) >= (double)c->server->lists[c->list].wait + earned;
}

void room_look_at_bodies(HttpServer *server)
{
    if (server->now < server->bodies_again)
        return;
    int64_t wait = server->lists[LIST_BODY].wait < BODIES_WAIT ? server->lists[LIST_BODY].wait : BODIES_WAIT;
    double least = server->config.body_rate * (double)wait / 1000;
    server->bodies_again = server->now + wait;
    for (Connection *c = server->lists[LIST_BODY].first, *later; c; c = later) {
        later = c->later;
        c->quick = (double)(c->exchange->body.n - c->body_seen) >= least;
        c->body_seen = c->exchange->body.n;
        if (is_body_late(c))
            connection_time_out(c);
    }
}
