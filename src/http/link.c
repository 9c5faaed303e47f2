/* http/link.c -- what happens to a connection whatever it carries: what epoll watches, the lists, the end. */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/link.h"
#include "http/ws.h"

void connection_watch(Connection *c, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = c };
    if (c->events != events && epoll_ctl(c->server->epoll, EPOLL_CTL_MOD, c->fd, &event) == 0)
        c->events = events;
}

static void list_remove(Connection *c)
{
    ConnectionList *list = &c->server->lists[c->list];
    *(c->earlier ? &c->earlier->later : &list->first) = c->later;
    *(c->later ? &c->later->earlier : &list->last) = c->earlier;
    c->earlier = c->later = NULL;
    list->count--;
}

void connection_list_move(Connection *c, ListName to)
{
    if (c->list != LIST_COUNT)
        list_remove(c);
    ConnectionList *list = &c->server->lists[to];
    c->list = to;
    c->since = c->server->now;
    c->earlier = list->last;
    *(list->last ? &list->last->later : &list->first) = c;
    list->last = c;
    list->count++;
}

void connection_list_free(HttpServer *server, ListName name)
{
    for (Connection *c = server->lists[name].first, *later; c; c = later) {
        later = c->later;
        connection_free(c);
    }
    server->lists[name].first = server->lists[name].last = NULL;
    server->lists[name].count = 0;
}

void connection_new(HttpServer *server, int fd, struct in6_addr peer)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP };
    Connection *c = xcalloc(1, sizeof *c);
    event.data.ptr = c;
    if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        close(fd);
        free(c);
        return;
    }
    *c = (Connection){
        .server = server, .fd = fd, .peer = peer, .events = EPOLLIN | EPOLLRDHUP, .state = READING_HEAD,
        .list = LIST_COUNT,
    };
    server->connection_count++;
    counter_add_alone(&server->counts.opened, 1);
    connection_list_move(c, LIST_NEW);
}

void connection_drop_input(Connection *c)
{
    free(c->input);
    c->server->input_held -= c->input_n;
    c->input = NULL;
    c->input_n = c->scanned = 0;
}

/* Accounts for a reply that waits because its client does not read it. */
void connection_hold_reply(Connection *c, size_t bytes)
{
    c->server->reply_held += bytes - c->reply_held;
    c->reply_held = bytes;
}

void connection_drop_exchange(Connection *c)
{
    connection_hold_reply(c, 0);
    exchange_free(c->exchange);
    c->exchange = NULL;
}

void connection_close(Connection *c)
{
    if (c->fd >= 0) {
        /* Closing would leave it watched for as long as another process, which looks at our descriptors, has its
         * file. */
        epoll_ctl(c->server->epoll, EPOLL_CTL_DEL, c->fd, NULL);
        close(c->fd);
    }
    c->fd = -1;
    atomic_store(&c->is_gone, true);
    connection_drop_input(c);
    if (c->state == HANDLING)
        return;
    connection_drop_exchange(c);
    ws_detach(c->ws);
    c->ws = NULL;
    if (c->state != CLOSED) {
        c->server->connection_count--;
        counter_add_alone(&c->server->counts.closed, 1);
    }
    c->state = CLOSED;
    connection_list_move(c, LIST_CLOSED); /* freed at the end of the turn: an event of this turn may still refer to
                                           * it */
}

void connection_displace(Connection *c)
{
    counter_add_alone(&c->server->counts.displaced, 1);
    connection_close(c);
}

void connection_free(Connection *c)
{
    if (c->fd >= 0)
        close(c->fd);
    connection_drop_input(c);
    if (c->state != HANDLING)
        exchange_free(c->exchange);
    ws_detach(c->ws);
    free(c);
}

/* Tells the client that nothing more comes, and keeps reading for a while: closing with bytes unread would reset the
 * connection, and the client might never see the reply. */
void connection_linger(Connection *c)
{
    connection_drop_input(c);
    c->state = LINGERING;
    shutdown(c->fd, SHUT_WR);
    connection_watch(c, EPOLLIN);
    connection_list_move(c, LIST_LINGERING);
}
