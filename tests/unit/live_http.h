/* tests/unit/live_http.h -- a live HTTP server on a thread of its own, and clients that speak to it over sockets. */
#ifndef ORION_TEST_LIVE_HTTP_H
#define ORION_TEST_LIVE_HTTP_H

#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "http/http.h"

enum { BODY_MAX = 1 << 20, HEAD_MAX = 4096, BIG = 8 << 20, COPIED = 1 << 20 };

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* A server on a thread of its own; requests under /defer are answered by another thread. */
typedef struct Live {
    HttpServer *server;
    pthread_t loop, worker;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    HttpRequest *waiting[64]; /* for the worker, or, under /hold, for the test */
    unsigned count;
    HttpRequest *held;
    bool quit;
    double drain;
    char *big;
} Live;

static void answer(HttpRequest *request, const Live *live)
{
    HttpHeader headers[] = { { STR("content-type"), STR("text/plain") }, { STR("x-path"), request->path } };
    if (str_is(request->path, "/big"))
        http_reply(request, 200, headers, 1, (Str){ live->big, BIG });
    else if (str_is(request->path, "/costly")) {
        (void)!arena_alloc(request->arena, 300 << 20);
        http_reply(request, 200, headers, 1, arena_str(request->arena, (Str){ live->big, BIG }));
    } else if (str_is(request->path, "/copied"))
        http_reply(request, 200, headers, 1, arena_str(request->arena, (Str){ live->big, COPIED }));
    else if (str_is(request->path, "/none"))
        http_reply(request, 204, NULL, 0, STR_NULL);
    else if (request->body.n)
        http_reply(request, 200, headers, 1, request->body);
    else
        http_reply(request, 200, headers, 2, request->query);
}

static void handle(HttpRequest *request, void *context)
{
    Live *live = context;
    bool deferred = str_is(request->path, "/defer"), hold = str_is(request->path, "/hold");
    if (!deferred && !hold) {
        answer(request, live);
        return;
    }
    pthread_mutex_lock(&live->lock);
    if (hold)
        live->held = request;
    else
        live->waiting[live->count++] = request;
    pthread_cond_broadcast(&live->changed);
    pthread_mutex_unlock(&live->lock);
}

static void *work(void *arg)
{
    Live *live = arg;
    pthread_mutex_lock(&live->lock);
    while (!live->quit || live->count) {
        if (!live->count) {
            pthread_cond_wait(&live->changed, &live->lock);
            continue;
        }
        HttpRequest *request = live->waiting[--live->count];
        pthread_mutex_unlock(&live->lock);
        answer(request, live);
        pthread_mutex_lock(&live->lock);
    }
    pthread_mutex_unlock(&live->lock);
    return NULL;
}

static void *run(void *arg)
{
    Live *live = arg;
    http_server_run(live->server, live->drain);
    return NULL;
}

static HttpConfig live_config(void *context)
{
    return (HttpConfig){
        .host = "127.0.0.1", .keep_alive_timeout = 5, .body_max = BODY_MAX, .head_max = HEAD_MAX,
        .connections_max = 512, .handle = handle, .context = context,
    };
}

static Live *live_start(const HttpConfig *config, double drain)
{
    Live *live = xcalloc(1, sizeof *live);
    HttpConfig used = *config;
    Error error = { 0 };
    used.context = live;
    live->drain = drain;
    live->big = xmalloc(BIG);
    for (size_t i = 0; i < BIG; i++)
        live->big[i] = (char)('a' + i % 23);
    pthread_mutex_init(&live->lock, NULL);
    pthread_cond_init(&live->changed, NULL);
    live->server = http_server_new(&used, &error);
    assert_non_null(live->server);
    assert_int_equal(pthread_create(&live->loop, NULL, run, live), 0);
    assert_int_equal(pthread_create(&live->worker, NULL, work, live), 0);
    return live;
}

static Live *live_default(void)
{
    HttpConfig config = live_config(NULL);
    return live_start(&config, 5);
}

static void live_end(Live *live)
{
    http_server_stop(live->server);
    pthread_join(live->loop, NULL);
    http_server_free(live->server);
    pthread_mutex_lock(&live->lock);
    live->quit = true;
    pthread_cond_broadcast(&live->changed);
    pthread_mutex_unlock(&live->lock);
    pthread_join(live->worker, NULL);
    pthread_mutex_destroy(&live->lock);
    pthread_cond_destroy(&live->changed);
    free(live->big);
    free(live);
}

static HttpRequest *wait_held(Live *live)
{
    pthread_mutex_lock(&live->lock);
    while (!live->held)
        pthread_cond_wait(&live->changed, &live->lock);
    HttpRequest *request = live->held;
    live->held = NULL;
    pthread_mutex_unlock(&live->lock);
    return request;
}

static int try_connect(unsigned port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval patience = { .tv_sec = 10 };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static int client(const Live *live)
{
    int fd = try_connect(http_server_port(live->server));
    assert_true(fd >= 0);
    return fd;
}

static void say(int fd, const char *text)
{
    size_t n = strlen(text);
    assert_int_equal(send(fd, text, n, MSG_NOSIGNAL), n);
}

/* One reply, head and body, as text that the next call overwrites; "" at the end of the connection. */
static const char *hear_reply(int fd, bool bodiless)
{
    static char text[16384];
    size_t n = 0, total = SIZE_MAX;
    while (n < total && n < sizeof text - 1) {
        if (recv(fd, text + n, 1, 0) != 1)
            break;
        text[++n] = '\0';
        if (total != SIZE_MAX || n < 4 || memcmp(text + n - 4, "\r\n\r\n", 4) != 0)
            continue;
        const char *length = strstr(text, "content-length: ");
        total = n + (length && !bodiless ? (size_t)strtoul(length + 16, NULL, 10) : 0);
    }
    text[n] = '\0';
    return text;
}

static const char *body_of(const char *reply)
{
    const char *end = strstr(reply, "\r\n\r\n");
    return end ? end + 4 : "";
}

static void assert_reply(int fd, const char *status, const char *body)
{
    const char *reply = hear_reply(fd, false);
    assert_memory_equal(reply, "HTTP/1.1 ", 9);
    if (strncmp(reply + 9, status, 3) != 0)
        print_error("%s\n", reply);
    assert_memory_equal(reply + 9, status, 3);
    if (body)
        assert_string_equal(body_of(reply), body);
}

static void assert_ended(int fd)
{
    char byte;
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    close(fd);
}

#endif
