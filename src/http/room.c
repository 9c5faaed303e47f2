/* http/room.c -- which clients are closed when connections or memory run out while they make us wait. Whoever has
 * waited longest goes first, so that nobody keeps others out by doing nothing. Requests that are with the handler
 * are never among them. */
#include <malloc.h>

#include "http/link.h"

enum {
    ROOM_AGE = 50,          /* milliseconds; newer connections get the time to say something */
    BUSY_PAUSE = 20,        /* milliseconds until the next try if all requests are with the handler */
    LOOKS = 64,             /* connections that a search may pass over, so that it stays short */
    BODIES_WAIT = 1000,     /* milliseconds between two checks of bodies */
    MEMORY_WAIT = 250,      /* milliseconds between two checks of memory while it is too much */
    TRIM_CROWD = 1000,      /* requests, also incomplete ones, whose memory is worth giving back to the system */
    TRIM_WAIT = 1000,       /* milliseconds between two such times */
    REPLY_MAX = 8 << 20,    /* bytes of replies that clients leave unread */
    REPLY_GRACE = 10000,    /* milliseconds that a client may read nothing if there are more */
    BODIES_MAX = 8 << 20,   /* bytes of incomplete bodies, if there are more than a few */
    CROWD = 16,             /* more clients than that who keep us waiting are a crowd, with less grace: */
    CROWD_GRACE = 250,
    CROWD_REPLY_MAX = 256 << 20  /* bytes of a crowd's replies above which there is no grace */
};

static Connection *older(Connection *a, Connection *b)
{
    if (!a || !b)
        return a ? a : b;
    return b->since < a->since ? b : a;
}

/* One whose body does not come at the minimum rate. */
static Connection *slow_body(HttpServer *server)
{
    Connection *c = server->lists[LIST_BODY].first;
    for (int i = 0; c && c->quick && i < LOOKS; i++)
        c = c->later;
    return c && !c->quick ? c : NULL;
}

/* One that does not read its reply; those that do move to the end of the list. */
static Connection *deaf_client(HttpServer *server)
{
    /* Those that were checked in this turn are at the end of the list, with the current time. */
    for (int i = 0; i < LOOKS; i++) {
        Connection *c = server->lists[LIST_WRITING].first;
        if (!c || c->since == server->now)
            return NULL; /* all others were checked, or have just come */
        if (!connection_is_read(c))
            return c;
        connection_list_move(c, LIST_WRITING);
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

/* One that has begun a request and not finished it, or has sent several and reads no reply. */
static Connection *input_holder(HttpServer *server)
{
    Connection *c = older(server->lists[LIST_HEAD].first, deaf_client(server));
    return c && c->since < server->now ? c : NULL;
}

static Connection *reply_holder(HttpServer *server)
{
    const ConnectionList *writing = &server->lists[LIST_WRITING];
    bool crowd = writing->count > CROWD, most = crowd && server->reply_held > CROWD_REPLY_MAX;
    Connection *c = deaf_client(server);
    if (!c && most)
        c = writing->first;
    int64_t grace = most ? 0 : crowd ? CROWD_GRACE : REPLY_GRACE;
    return c && server->now - c->since >= grace ? c : NULL;
}

/* The memory of many requests stays with the process, in pieces between others that are still in use, unless it is
 * trimmed explicitly. That takes a while: it is done when a quarter of the requests are gone, and again, until only
 * a few are left. */
void room_give_back(HttpServer *server)
{
    static const ListName with_memory[] = { LIST_HEAD, LIST_BODY, LIST_BUSY, LIST_HALF, LIST_WRITING,
                                            LIST_LINGERING };
    unsigned count = 0;
    for (size_t i = 0; i < COUNT_OF(with_memory); i++)
        count += server->lists[with_memory[i]].count;
    if (count > server->crowd)
        server->crowd = count;
    if (count >= TRIM_CROWD)
        server->crowded = true;
    if (!server->crowded || count > server->crowd - server->crowd / 4)
        return;
    if (server->now < server->trim_again) {
        if (!server->memory_again || server->memory_again > server->trim_again)
            server->memory_again = server->trim_again;
        return;
    }
    malloc_trim(0);
    server->trim_again = server->now + TRIM_WAIT;
    server->crowd = count;
    server->crowded = count > CROWD;
}

void room_for_memory(HttpServer *server)
{
    server->memory_again = 0;
    /* Each iteration closes a connection that holds some of it. */
    while (server->input_held > INPUT_MAX || server->reply_held > REPLY_MAX) {
        Connection *c = server->input_held > INPUT_MAX ? input_holder(server) : reply_holder(server);
        if (!c) {
            server->memory_again = server->now + MEMORY_WAIT;
            return;
        }
        connection_displace(c);
    }
}

static bool is_body_late(const Connection *c)
{
    double earned = 1000 * (double)c->exchange->body.n / c->server->config.body_rate;
    return (double)(c->server->now - c->since) >= (double)c->server->lists[c->list].wait + earned;
}

/* Ends those of a crowd of bodies that have stopped coming, until the rest is small enough. `held`: bytes of all. */
static void end_stalled_bodies(HttpServer *server, size_t held)
{
    const ConnectionList *bodies = &server->lists[LIST_BODY];
    for (Connection *c = bodies->first, *later; c && held > BODIES_MAX && bodies->count > CROWD; c = later) {
        later = c->later;
        if (c->quick)
            continue;
        held -= c->exchange->body.n;
        connection_time_out(c);
    }
}

void room_look_at_bodies(HttpServer *server)
{
    if (server->now < server->bodies_again)
        return;
    int64_t wait = server->lists[LIST_BODY].wait < BODIES_WAIT ? server->lists[LIST_BODY].wait : BODIES_WAIT;
    double least = server->config.body_rate * (double)wait / 1000;
    size_t held = 0;
    server->bodies_again = server->now + wait;
    for (Connection *c = server->lists[LIST_BODY].first, *later; c; c = later) {
        later = c->later;
        c->quick = (double)(c->exchange->body.n - c->body_seen) >= least;
        c->body_seen = c->exchange->body.n;
        if (is_body_late(c))
            connection_time_out(c);
        else
            held += c->body_seen;
    }
    end_stalled_bodies(server, held);
}
