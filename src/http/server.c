/* http/server.c -- the loop: listening, accepting, time limits, replies of other threads, and the orderly end. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/link.h"
#include "http/ws.h"

enum {
    BACKLOG = 2048,
    UNSENT_MAX = 128 << 10, /* bytes that the kernel keeps for a client that reads none; by default megabytes */
    EVENTS = 64,          /* taken from epoll in one turn */
    ACCEPTS = 64,         /* in one turn */
    HEAD_WAIT = 10,       /* seconds */
    BODY_RATE = 1000,     /* bytes a second */
    REPLY_WAIT = 60,      /* seconds */
    LINGERING_WAIT = 2000,
    HALF_WAIT = 200,      /* milliseconds that a client that has closed its half is left in peace: most replies come
                           * sooner */
    FULL_PAUSE = 60000,   /* milliseconds between two log lines that say that all connections are taken */
    BODIES_AT_ONCE = 4    /* of the largest size, in memory */
};

static int64_t now_milliseconds(void)
{
    return clock_monotonic() / 1000;
}

static unsigned bound_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        return 0;
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
    return address->sa_family == AF_INET &&
           ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

static struct in6_addr peer_address(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return ((const struct sockaddr_in6 *)address)->sin6_addr;
    struct in6_addr mapped = { .s6_addr = { [10] = 0xff, [11] = 0xff } };
    memcpy(&mapped.s6_addr[12], &((const struct sockaddr_in *)address)->sin_addr, 4);
    return mapped;
}

/* If the first address was given any free port, the others take the same one. */
static void set_port(struct sockaddr *address, unsigned port)
{
    if (address->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)address)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)address)->sin_port = htons((uint16_t)port);
}

/* -1: errno says why. Accepted sockets inherit the options of TCP. */
static int listen_on(const struct addrinfo *address)
{
    int on = 1, unsent = UNSENT_MAX;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

/* Listens on all addresses of the host; one that this machine does not have is skipped if another works. */
static bool listen_all(HttpServer *server, const struct addrinfo *addresses, const char *host, Error *error)
{
    int reason = EADDRNOTAVAIL;
    for (const struct addrinfo *a = addresses; a && server->listener_count < LISTENERS_MAX; a = a->ai_next) {
        set_port(a->ai_addr, server->port);
        int fd = listen_on(a);
        if (fd >= 0) {
            server->listeners[server->listener_count++] = fd;
            server->port = bound_port(fd);
            server->has_loopback |= is_loopback(a->ai_addr);
            continue;
        }
        reason = errno;
        if (reason == EADDRINUSE)
            return fail(error, ERR_BUSY, "Port %u on %s is already in use.", server->port, host);
        if (reason != EADDRNOTAVAIL && reason != EAFNOSUPPORT)
            break;
    }
    if (server->listener_count && (reason == EADDRNOTAVAIL || reason == EAFNOSUPPORT))
        return true;
    return fail(error, ERR_INTERNAL, "Cannot listen on port %u of %s: %s.", server->port, host, strerror(reason));
}

static bool server_listen(HttpServer *server, Error *error)
{
    const char *host = server->config.host && server->config.host[0] ? server->config.host : NULL;
    if (server->config.port > UINT16_MAX)
        return fail(error, ERR_INVALID, "%u is not a port: the largest one is 65535.", server->config.port);
    struct addrinfo *addresses, hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    int problem = getaddrinfo(host, "0", &hints, &addresses);
    if (problem)
        return fail(error, ERR_INVALID, "Cannot find the host %s: %s.", host ? host : "*", gai_strerror(problem));
    server->port = server->config.port;
    bool listening = listen_all(server, addresses, host ? host : "*", error);
    freeaddrinfo(addresses);
    return listening;
}

static void watch_listeners(HttpServer *server, bool on)
{
    for (unsigned i = 0; i < server->listener_count && on != server->accepting; i++) {
        struct epoll_event event = { .events = on ? EPOLLIN : 0, .data.ptr = server->listeners };
        epoll_ctl(server->epoll, EPOLL_CTL_MOD, server->listeners[i], &event);
    }
    server->accepting = on;
}

static bool server_open(HttpServer *server, Error *error)
{
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    server->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = server };
    if (server->epoll < 0 || server->wake < 0 || epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->wake, &event) < 0)
        return fail(error, ERR_INTERNAL, "Cannot start the HTTP loop: %s.", strerror(errno));
    if (!server_listen(server, error))
        return false;
    for (unsigned i = 0; i < server->listener_count; i++) {
        event = (struct epoll_event){ .events = EPOLLIN, .data.ptr = server->listeners };
        if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listeners[i], &event) < 0)
            return fail(error, ERR_INTERNAL, "Cannot start the HTTP loop: %s.", strerror(errno));
    }
    server->accepting = true;
    return true;
}

HttpServer *http_server_new(const HttpConfig *config, Error *error)
{
    HttpServer *server = xcalloc(1, sizeof *server);
    server->config = *config;
    server->epoll = server->wake = -1;
    server->now = now_milliseconds();
    server->date_second = -1;
    server->body_budget = config->body_max < SIZE_MAX / BODIES_AT_ONCE ? BODIES_AT_ONCE * config->body_max : SIZE_MAX;
    server->lists[LIST_IDLE].wait = (int64_t)(config->keep_alive_timeout * 1000);
    server->config.body_rate = config->body_rate > 0 ? config->body_rate : BODY_RATE;
    int64_t head_wait = (int64_t)(1000 * (config->head_timeout > 0 ? config->head_timeout : HEAD_WAIT));
    server->lists[LIST_NEW].wait = server->lists[LIST_HEAD].wait = server->lists[LIST_BODY].wait = head_wait;
    server->lists[LIST_SOCKET_NEW].wait = head_wait;
    double reply_wait = config->reply_timeout > 0 ? config->reply_timeout : REPLY_WAIT;
    server->lists[LIST_WRITING].wait = (int64_t)(1000 * reply_wait);
    server->lists[LIST_LINGERING].wait = LINGERING_WAIT;
    server->lists[LIST_HALF].wait = HALF_WAIT;
    server->sockets = ws_table_new(config);
    server->lists[LIST_SOCKET].wait = (int64_t)(1000 * server->sockets->limits.ping_interval);
    server->lists[LIST_SOCKET_ASKED].wait = (int64_t)(1000 * server->sockets->limits.ping_timeout);
    server->lists[LIST_SOCKET_CLOSING].wait = (int64_t)(1000 * server->sockets->limits.close_timeout);
    atomic_init(&server->replied, NULL);
    atomic_init(&server->replied_bytes, 0);
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->taken, NULL);
    atomic_init(&server->stopping, false);
    atomic_init(&server->owners, 1);
    if (server_open(server, error))
        return server;
    http_server_free(server);
    return NULL;
}

unsigned http_server_port(const HttpServer *server)
{
    return server->port;
}

bool http_server_has_loopback(const HttpServer *server)
{
    return server->has_loopback;
}

const HttpCounts *http_server_counts(const HttpServer *server)
{
    return &server->counts;
}

/* Another one may be opened and closed between the two looks. */
uint64_t http_server_connections(const HttpServer *server)
{
    uint64_t closed = counter_read(&server->counts.closed), opened = counter_read(&server->counts.opened);
    return opened > closed ? opened - closed : 0;
}

static void say_full(HttpServer *server, const char *why)
{
    if (server->said_full && server->now - server->said_full < FULL_PAUSE)
        return;
    server->said_full = server->now;
    log_warning("orion.http", "%s, with %u connections: for each new one the one that has waited longest is closed.",
                why, server->connection_count);
}

static bool is_out_of_room(int reason)
{
    return reason == EMFILE || reason == ENFILE || reason == ENOBUFS || reason == ENOMEM;
}

/* False: nobody waits, or nobody can make room now. */
static bool accept_one(HttpServer *server, int listener)
{
    Connection *leaves = NULL;
    if (server->connection_count >= server->config.connections_max) {
        say_full(server, "No more connections are allowed");
        leaves = room_find(server);
        if (!leaves)
            return false;
    }
    struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
    socklen_t size = sizeof peer;
    int fd = accept4(listener, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && is_out_of_room(errno)) {
        say_full(server, strerror(errno));
        leaves = room_find(server);
        if (leaves)
            connection_displace(leaves);
        return leaves != NULL;
    }
    if (fd >= 0 && leaves)
        connection_displace(leaves);
    if (fd >= 0)
        connection_new(server, fd, peer_address(&peer));
    return fd >= 0;
}

static void accept_all(HttpServer *server)
{
    unsigned left = ACCEPTS;
    server->accept_again = 0;
    for (unsigned i = 0; i < server->listener_count; i++)
        while (left && accept_one(server, server->listeners[i]))
            left--;
    if (server->accept_again <= server->now)
        return;
    server->paused_at = server->connection_count;
    watch_listeners(server, false);
}

static void accept_resume(HttpServer *server)
{
    if (!server->accepting && (server->connection_count < server->paused_at || server->now >= server->accept_again))
        watch_listeners(server, true);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Milliseconds until something is due, for epoll; -1: nothing is. */
static int next_wait(const HttpServer *server, int64_t end)
{
    int64_t due = end;
    for (int i = 0; i < LIST_BODY; i++)
        if (server->lists[i].first)
            due = earlier(due, server->lists[i].first->since + server->lists[i].wait);
    if (server->lists[LIST_BODY].first)
        due = earlier(due, server->bodies_again);
    if (server->memory_again)
        due = earlier(due, server->memory_again);
    if (server->config.beat_every)
        due = earlier(due, server->beat_again);
    if (!server->accepting && !server->draining)
        due = earlier(due, server->accept_again);
    if (due == INT64_MAX)
        return -1;
    int64_t wait = due - now_milliseconds();
    return wait < 0 ? 0 : wait > INT32_MAX ? INT32_MAX : (int)wait;
}

static void time_out(HttpServer *server)
{
    for (int i = 0; i < LIST_BODY; i++) {
        Connection *c = server->lists[i].first;
        for (Connection *later; c && c->since + server->lists[i].wait <= server->now; c = later) {
            later = c->later;
            connection_time_out(c);
        }
    }
    room_look_at_bodies(server);
    room_for_memory(server);
}

/* Otherwise threads that make replies faster than the loop sends them would fill the memory. */
static void wait_for_loop(HttpServer *server)
{
    if (atomic_load(&server->replied_bytes) <= REPLIED_MAX)
        return;
    pthread_mutex_lock(&server->lock);
    while (atomic_load(&server->replied_bytes) > REPLIED_MAX && !server->ended)
        pthread_cond_wait(&server->taken, &server->lock);
    pthread_mutex_unlock(&server->lock);
}

/* The queue begins with the last reply; this returns them in order. */
static Exchange *take_replies(HttpServer *server)
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

/* The loop has ended: threads that wait for it may continue. */
static void take_no_more(HttpServer *server)
{
    pthread_mutex_lock(&server->lock);
    server->ended = true;
    pthread_cond_broadcast(&server->taken);
    pthread_mutex_unlock(&server->lock);
}

/* Only the first reply since the loop last emptied the queue wakes it: the loop takes all there are. */
static void queue_reply(HttpServer *server, Exchange *exchange)
{
    Exchange *before = atomic_load(&server->replied);
    atomic_fetch_add(&server->replied_bytes, arena_used(exchange->request.arena));
    do
        exchange->next = before;
    while (!atomic_compare_exchange_weak(&server->replied, &before, exchange));
    if (!before)
        server_wake(server);
}

static void send_replies(HttpServer *server)
{
    uint64_t count;
    if (read(server->wake, &count, sizeof count) < 0)
        return;
    for (Exchange *x = take_replies(server), *next; x; x = next) {
        next = x->next;
        connection_reply(x->request.connection, x);
    }
}

static void beat(HttpServer *server)
{
    if (server->config.beat_every == 0 || server->now < server->beat_again)
        return;
    server->beat_again = server->now + server->config.beat_every;
    server->config.beat(server->draining, server->config.context);
}

static void loop_turn(HttpServer *server, int64_t end)
{
    struct epoll_event events[EVENTS];
    bool woken = false, arrived = false;
    int n = epoll_wait(server->epoll, events, EVENTS, next_wait(server, end));
    server->now = now_milliseconds();
    for (int i = 0; i < n; i++) {
        void *source = events[i].data.ptr;
        if (source == server)
            woken = true;
        else if (source == server->listeners)
            arrived = true;
        else
            connection_event(source, events[i].events);
    }
    if (woken)
        send_replies(server);
    ws_turn(server);
    if (arrived)
        accept_all(server);
    time_out(server);
    beat(server);
    connection_list_free(server, LIST_CLOSED);
    room_give_back(server);
    if (!server->draining)
        accept_resume(server);
}

static void close_listeners(HttpServer *server)
{
    for (unsigned i = 0; i < server->listener_count; i++)
        close(server->listeners[i]);
    server->listener_count = 0;
}

/* What clients had sent before the stop is still served: closing with it unread would reset their connections. */
static void drain_begin(HttpServer *server)
{
    static const ListName waiting[] = { LIST_NEW, LIST_IDLE, LIST_HEAD };
    server->draining = true;
    if (server->config.beat)
        server->config.beat(true, server->config.context);
    accept_all(server);
    close_listeners(server);
    for (size_t i = 0; i < COUNT_OF(waiting); i++) {
        for (Connection *c = server->lists[waiting[i]].first, *later; c; c = later) {
            later = c->later;
            connection_last_chance(c);
        }
    }
    ws_drain(server);
}

void http_server_run(HttpServer *server, double drain)
{
    int64_t end = INT64_MAX;
    server->loop = pthread_self();
    /* Until the drain there is no `end`; then it is when the remaining connections are given up. */
    while (!server->draining || (server->connection_count && server->now < end)) {
        loop_turn(server, end);
        if (server->draining || !atomic_load(&server->stopping))
            continue;
        end = server->now + (int64_t)(drain * 1000);
        drain_begin(server);
    }
    take_no_more(server);
}

void http_server_stop(HttpServer *server)
{
    int kept = errno;
    atomic_store(&server->stopping, true);
    server_wake(server);
    errno = kept;
}

/* The last owner frees it. */
static void release(HttpServer *server)
{
    if (atomic_fetch_sub(&server->owners, 1) != 1)
        return;
    for (Exchange *x = atomic_load(&server->replied), *next; x; x = next) {
        next = x->next;
        exchange_free(x);
    }
    connection_list_free(server, LIST_BUSY);
    pthread_cond_destroy(&server->taken);
    pthread_mutex_destroy(&server->lock);
    ws_table_free(server->sockets);
    if (server->wake >= 0)
        close(server->wake);
    free(server);
}

/* The exchange has its reply, and leaves the handler. */
static void hand_back(Exchange *exchange)
{
    HttpServer *server = exchange->server;
    if (pthread_equal(pthread_self(), server->loop) && server->handling == exchange)
        server->handled = true;
    else {
        if (atomic_load(&server->replied_bytes) > REPLIED_SMALL)
            exchange = exchange_shrink(exchange, 0);
        wait_for_loop(server);
        queue_reply(server, exchange);
    }
    release(server);
}

void http_reply(HttpRequest *request, int status, const HttpHeader *headers, size_t count, Str body)
{
    exchange_set_reply((Exchange *)request, status, headers, count, body);
    hand_back((Exchange *)request);
}

void http_reply_file(HttpRequest *request, int status, const HttpHeader *headers, size_t count, HttpFile *file)
{
    exchange_set_file((Exchange *)request, status, headers, count, file);
    hand_back((Exchange *)request);
}

bool ws_accept(HttpRequest *request, const WsUse *use, void *user, const char *subprotocol, WsHandle *ret_socket)
{
    Exchange *exchange = (Exchange *)request;
    HttpServer *server = exchange->server;
    Ws *ws = atomic_load(&server->stopping) ? NULL : ws_new(server, use, user);
    if (!ws)
        return false;
    *ret_socket = ws->handle;
    exchange->ws = ws;
    ws_set_reply(exchange, subprotocol);
    hand_back(exchange);
    return true;
}

void ws_done(WsBatch *batch)
{
    HttpServer *server = batch->own->server;
    ws_push_done(batch);
    release(server);
}

/* Requests that are still with their handlers keep the structure and their connections alive; their replies go
 * nowhere. */
void http_server_free(HttpServer *server)
{
    if (!server)
        return;
    take_no_more(server);
    ws_table_end(server);
    close_listeners(server);
    while (server->lists[LIST_HALF].first)
        connection_list_move(server->lists[LIST_HALF].first, LIST_BUSY);
    for (Connection *c = server->lists[LIST_BUSY].first, *later; c; c = later) {
        later = c->later;
        connection_close(c);
    }
    for (int i = 0; i < LIST_COUNT; i++)
        if (i != LIST_BUSY)
            connection_list_free(server, (ListName)i);
    if (server->epoll >= 0)
        close(server->epoll);
    release(server);
}
