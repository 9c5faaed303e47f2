/* tests/fuzz/fuzz_server.c -- the bytes of a connection to a whole server: HTTP, keys, origins, proxies, the API on a
 * database in memory, its description. Its only key may read, so that no input changes what the next one finds. No
 * reply is a 500, and each is well-formed. Connections are pairs of sockets, since thousands to a port of TCP would use
 * up its addresses; one on 127.0.0.1 tells the loop's thread to take the next pair. */
#include "fuzz_db.h"
#include "fuzz_replies.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/address.h"
#include "api/backlog.h"
#include "api/offload.h"
#include "api/readiness.h"
#include "api/request_stats.h"
#include "api/routes/queue_polls.h"
#include "base/crypto.h"
#include "http/link.h"
#include "watch/watch.h"
#include "web/docs.h"
#include "web/web.h"

#define KEY "orion_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static Settings *load_settings(void)
{
    char path[] = "/tmp/orion-fuzz-XXXXXX";
    Error error = { .code = ERR_NONE };
    Arena *arena = arena_new();
    int fd = mkstemp(path);
    must(fd >= 0);
    dprintf(fd, "[keys.a]\nscope = \"read-only\"\nsha256 = \"%.*s\"\n", STR_ARG(sha256_hex(arena, STR(KEY))));
    close(fd);
    arena_free(arena);
    setenv("ORION_KEYS_FILE", path, 1);
    setenv("PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS", "true", 1);
    Settings *settings = settings_load(NULL, &error);
    must_not_fail(&error);
    return settings;
}

static App *new_app(void)
{
    static const Network loopback = { .address = IN6ADDR_ANY_INIT, .bits = 0 };
    static Proxies proxies = { .trusted = &loopback, .count = 1, .text = { "*", 1 } };
    static _Atomic int64_t usual_reads[USUAL_READS];
    static SpoolSpace spool = { .size = 1 << 20 };
    static App app;
    Error error = { .code = ERR_NONE };
    Settings *settings = load_settings();
    app = (App){ .settings = settings, .db = fuzz_db(), .default_limit = 200, .docs = docs_new(),
                 .offload = offload_new(), .proxies = &proxies, .root_path = STR("/prefect"), .on_loopback = true,
                 .spool = &spool, .usual_reads = usual_reads, .backlog = backlog_new(100),
                 .queue_polls = queue_polls_new(fuzz_db()), .request_stats = request_stats_new() };
    app.readiness = readiness_new(app.db);
    app.watch = watch_new(&app);
    app.access = access_new(settings, &error);
    must_not_fail(&error);
    unlink(getenv("ORION_KEYS_FILE"));
    return &app;
}

static void *serve(void *arg)
{
    http_server_run(arg, 0);
    return NULL;
}

static HttpServer *server;
static int next_end = -1; /* of a pair, for the server */

static void handle(HttpRequest *http, void *app)
{
    if (next_end < 0 || !str_is(http->path, "/next-pair")) {
        web_handle(http, app);
        return;
    }
    connection_new(server, next_end, (struct in6_addr)IN6ADDR_LOOPBACK_INIT);
    next_end = -1;
    http_reply(http, 204, NULL, 0, STR(""));
}

/* It runs until the process ends. Returns the connection that announces pairs. */
static int start_server(void)
{
    pthread_t thread;
    Error error = { .code = ERR_NONE };
    App *app = new_app();
    server = http_server_new(&(HttpConfig){ .host = "127.0.0.1", .keep_alive_timeout = 600, .body_max = 1 << 20,
                                            .head_max = 1 << 16, .head_timeout = 600, .connections_max = 64,
                                            .handle = handle, .context = app }, &error);
    must_not_fail(&error);
    watch_begin(app->watch, server, NULL);
    must(pthread_create(&thread, NULL, serve, server) == 0);
    pthread_detach(thread);
    const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)http_server_port(server)),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

/* recv, whatever of the fuzzer's timer comes in between. */
static ssize_t receive(int fd, char *bytes, size_t room)
{
    ssize_t n;
    do
        n = recv(fd, bytes, room, 0);
    while (n < 0 && errno == EINTR);
    return n;
}

/* Our end of a new connection. */
static int connect_pair(void)
{
    static const char request[] = "GET /next-pair HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static int announcer = -1;
    char reply[4096];
    size_t n = 0;
    int ends[2];
    if (announcer < 0)
        announcer = start_server();
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    must(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    next_end = ends[0];
    must(send(announcer, request, sizeof request - 1, MSG_NOSIGNAL) == (ssize_t)(sizeof request - 1));
    while (n < 4 || memcmp(reply + n - 4, "\r\n\r\n", 4) != 0) {
        ssize_t more = receive(announcer, reply + n, sizeof reply - n);
        must(more > 0);
        n += (size_t)more;
    }
    return ends[1];
}

static void converse(Str bytes, Buf *replies)
{
    char received[1 << 14];
    ssize_t n;
    int fd = connect_pair();
    (void)!send(fd, bytes.p, bytes.n, MSG_NOSIGNAL); /* the server may have closed it before the end */
    shutdown(fd, SHUT_WR);
    while ((n = receive(fd, received, sizeof received)) > 0)
        buf_add(replies, received, (size_t)n);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Buf replies, statuses;
    buf_init(&replies, arena, 1024);
    buf_init(&statuses, arena, 64);
    if (size) {
        converse((Str){ (const char *)data, size }, &replies);
        check_replies(buf_view(&replies), &statuses);
        must(!strstr(buf_cstr(&statuses), "500"));
    }
    arena_free(arena);
    return 0;
}
