/* tests/fuzz/fuzz_server.c -- the bytes of a connection to a whole server on 127.0.0.1: HTTP, keys, origins, proxies,
 * the API on a database in memory, its description. Its only key may read, so that no input changes what the next one
 * finds. No reply is a 500, and each is well-formed. */
#include "fuzz_db.h"
#include "fuzz_replies.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/address.h"
#include "api/offload.h"
#include "api/readiness.h"
#include "base/crypto.h"
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
    static App app;
    Error error = { .code = ERR_NONE };
    Settings *settings = load_settings();
    app = (App){ .settings = settings, .db = fuzz_db(), .default_limit = 200, .docs = docs_new(),
                 .offload = offload_new(), .proxies = &proxies, .root_path = STR("/prefect"), .on_loopback = true };
    app.readiness = readiness_new(app.db);
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

/* Runs until the process ends. */
static unsigned the_port(void)
{
    static HttpServer *server;
    pthread_t thread;
    Error error = { .code = ERR_NONE };
    if (server)
        return http_server_port(server);
    server = http_server_new(&(HttpConfig){ .host = "127.0.0.1", .keep_alive_timeout = 600, .body_max = 1 << 20,
                                            .head_max = 1 << 16, .head_timeout = 600, .connections_max = 64,
                                            .handle = web_handle, .context = new_app() }, &error);
    must_not_fail(&error);
    must(pthread_create(&thread, NULL, serve, server) == 0);
    pthread_detach(thread);
    return http_server_port(server);
}

/* Closed with a reset, so that no port stays taken for a minute. */
static void converse(Str bytes, Buf *replies)
{
    const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)the_port()),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const struct linger reset = { .l_onoff = 1 };
    char received[1 << 14];
    ssize_t n;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0);
    must(send(fd, bytes.p, bytes.n, MSG_NOSIGNAL) == (ssize_t)bytes.n);
    shutdown(fd, SHUT_WR);
    while ((n = recv(fd, received, sizeof received, 0)) > 0)
        buf_add(replies, received, (size_t)n);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
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
