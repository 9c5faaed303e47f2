/* tests/websocket/server.c -- a server that has WebSockets, for the tests here: http/ and api/ as they are, with routes
 * of its own in place of the product's. Arguments: an SQLite file, then limits as NAME=NUMBER. Prints its port. */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "api/address.h"
#include "api/backlog.h"
#include "api/offload.h"
#include "api/readiness.h"
#include "api/request_log.h"
#include "api/request_stats.h"
#include "api/routes/queue_polls.h"
#include "api/socket.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "db/driver.h"
#include "watch/watch.h"
#include "web/docs.h"
#include "web/web.h"

enum { LISTENERS_MAX = 10000, CODES_MAX = 256 };

static HttpServer *server;

/* What happened, for /api/counts. The lock is for the listeners too. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned opened, batches, messages, codes[CODES_MAX], code_count;
static WsHandle listeners[LISTENERS_MAX];
static unsigned listener_count;

static void on_open(Socket *socket)
{
    (void)socket;
    pthread_mutex_lock(&lock);
    opened++;
    pthread_mutex_unlock(&lock);
}

static void on_close(Socket *socket, int code)
{
    (void)socket;
    pthread_mutex_lock(&lock);
    codes[code_count++ % CODES_MAX] = (unsigned)code;
    pthread_mutex_unlock(&lock);
}

static void count(const WsBatch *batch)
{
    pthread_mutex_lock(&lock);
    batches++;
    messages += (unsigned)batch->count;
    pthread_mutex_unlock(&lock);
}

/* ---- /echo: at once, on the loop ---- */

static void echo(Socket *socket, WsBatch *batch)
{
    count(batch);
    for (size_t i = 0; i < batch->count; i++)
        ws_send(socket->handle, batch->messages[i].data);
    ws_done(batch);
}

static const SocketSpec echo_spec = { .open = on_open, .close = on_close, .texts = echo };
static const SocketSpec short_spec = { .open = on_open, .close = on_close, .texts = echo, .message_max = 100 };

/* ---- /slow: each batch in a thread of its own, which sleeps as many milliseconds as the texts say ---- */

static void *work_slowly(void *arg)
{
    WsBatch *batch = arg;
    for (size_t i = 0; i < batch->count; i++) {
        usleep(1000 * (useconds_t)strtoul(batch->messages[i].data.p, NULL, 10));
        ws_send(batch->socket, arena_printf(batch->arena, "done %.*s", STR_ARG(batch->messages[i].data)));
    }
    ws_done(batch);
    return NULL;
}

static void slow(Socket *socket, WsBatch *batch)
{
    (void)socket;
    count(batch);
    if (!thread_start_detached(work_slowly, batch))
        ws_done(batch);
}

static const SocketSpec slow_spec = { .open = on_open, .close = on_close, .texts = slow };

/* ---- /flood: sends as many texts of some bytes as it is told, from another thread ---- */

static void *send_flood(void *arg)
{
    WsBatch *batch = arg;
    char *rest;
    unsigned long texts = strtoul(batch->messages[0].data.p, &rest, 10), size = strtoul(rest, NULL, 10), sent = 0;
    char *bytes = arena_alloc(batch->arena, size + 1);
    memset(bytes, 'x', size);
    while (sent < texts && ws_send(batch->socket, (Str){ bytes, size }))
        sent++;
    ws_send(batch->socket, arena_printf(batch->arena, "sent %lu", sent));
    ws_done(batch);
    return NULL;
}

static void flood(Socket *socket, WsBatch *batch)
{
    (void)socket;
    if (!thread_start_detached(send_flood, batch))
        ws_done(batch);
}

static const SocketSpec flood_spec = { .open = on_open, .close = on_close, .texts = flood };

/* ---- /broadcast: what one says, all hear ---- */

static void join(Socket *socket)
{
    on_open(socket);
    pthread_mutex_lock(&lock);
    if (listener_count < LISTENERS_MAX)
        listeners[listener_count++] = socket->handle;
    pthread_mutex_unlock(&lock);
}

static void broadcast(Socket *socket, WsBatch *batch)
{
    (void)socket;
    count(batch);
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < batch->count; i++) {
        WsText *text = ws_text_new(batch->messages[i].data);
        for (unsigned k = 0; k < listener_count; k++)
            ws_send_shared(listeners[k], text); /* also to those that are gone */
        ws_text_release(text);
    }
    pthread_mutex_unlock(&lock);
    ws_done(batch);
}

static const SocketSpec broadcast_spec = { .open = join, .close = on_close, .texts = broadcast };

/* ---- /store and /read: in transactions ---- */

static bool store(Socket *socket, Tx *tx, const WsBatch *batch)
{
    (void)socket;
    count(batch);
    for (size_t i = 0; i < batch->count; i++) {
        if (str_is(batch->messages[i].data, "fail"))
            return fail(tx->error, ERR_CONFLICT, "as was asked for");
        DB_EXEC(tx, "INSERT INTO kept (text) VALUES ($1)", v_text(batch->messages[i].data));
    }
    return tx->error->code == ERR_NONE;
}

static bool read_kept(Socket *socket, Tx *tx, const WsBatch *batch)
{
    (void)batch;
    int64_t n = DB_INT(tx, -1, "SELECT count(*) FROM kept");
    ws_send(socket->handle, arena_printf(tx->arena, "%lld", (long long)n));
    return tx->error->code == ERR_NONE;
}

static const SocketSpec store_spec = { .open = on_open, .close = on_close, .handle = store };
static const SocketSpec read_spec = { .open = on_open, .close = on_close, .handle = read_kept };

/* ---- requests ---- */

static bool read_counts(Req *req)
{
    JsonWriter *w = reply_json(req);
    pthread_mutex_lock(&lock);
    json_object(w);
    json_key(w, "opened");
    json_int(w, opened);
    json_key(w, "batches");
    json_int(w, batches);
    json_key(w, "messages");
    json_int(w, messages);
    json_key(w, "closed");
    json_int(w, code_count);
    json_key(w, "codes");
    json_array(w);
    for (unsigned i = code_count > CODES_MAX ? code_count - CODES_MAX : 0; i < code_count; i++)
        json_int(w, codes[i % CODES_MAX]);
    json_array_end(w);
    json_object_end(w);
    pthread_mutex_unlock(&lock);
    return true;
}

static const Route routes[] = {
    { HTTP_WS, "/echo", .socket = &echo_spec },
    { HTTP_WS, "/short", .socket = &short_spec },
    { HTTP_WS, "/slow", .socket = &slow_spec },
    { HTTP_WS, "/flood", .socket = &flood_spec },
    { HTTP_WS, "/broadcast", .socket = &broadcast_spec },
    { HTTP_WS, "/store", .tx = TX_WRITE, .socket = &store_spec },
    { HTTP_WS, "/read", .tx = TX_READ, .socket = &read_spec },
    { HTTP_GET, "/counts", read_counts, TX_NONE, 200, .any_version = true, .open = true },
};
static const RouteFamily family = { routes, COUNT_OF(routes), "Test" };
const RouteFamily *const route_families[] = { &family };
const size_t route_family_count = COUNT_OF(route_families);

/* ---- start and end ---- */

static void must(bool condition, const Error *error)
{
    if (condition)
        return;
    fprintf(stderr, "%s\n", error->message);
    exit(1);
}

static bool make_table(Tx *tx, void *arg)
{
    (void)arg;
    return db_script(tx, "CREATE TABLE IF NOT EXISTS kept (id INTEGER PRIMARY KEY, text TEXT)");
}

static Db *open_database(const char *file)
{
    Error error = { .code = ERR_NONE };
    Arena *arena = arena_new();
    DbConfig config = { .url = arena_printf(arena, "sqlite+aiosqlite:///%s", file), .timeout = 60, .readers = 1 };
    Db *db = db_open(&config, &error);
    must(db && db_run(db, true, arena, make_table, NULL, &error), &error);
    arena_free(arena);
    return db;
}

static double option(char **arguments, const char *name)
{
    size_t n = strlen(name);
    for (; *arguments; arguments++)
        if (strncmp(*arguments, name, n) == 0 && (*arguments)[n] == '=')
            return strtod(*arguments + n + 1, NULL);
    return 0;
}

static HttpConfig read_config(char **arguments, App *app)
{
    double connections = option(arguments, "connections");
    return (HttpConfig){
        .host = "127.0.0.1", .keep_alive_timeout = 5, .body_max = 1 << 20, .head_max = 1 << 16,
        .head_timeout = option(arguments, "head_timeout"),
        .connections_max = connections > 0 ? (unsigned)connections : 10000,
        .sockets = {
            .sockets_max = (unsigned)option(arguments, "sockets"),
            .message_max = (size_t)option(arguments, "message"),
            .incomplete_max = (size_t)option(arguments, "incomplete"),
            .waiting_max = (unsigned)option(arguments, "waiting"),
            .unread_max = (size_t)option(arguments, "unread"),
            .unread_texts_max = (unsigned)option(arguments, "unread_texts"),
            .all_unread_max = (size_t)option(arguments, "all_unread"),
            .ping_interval = option(arguments, "ping_interval"),
            .ping_timeout = option(arguments, "ping_timeout"),
            .close_timeout = option(arguments, "close_timeout"),
        },
        .handle = web_handle, .refused = request_log_refused, .context = app,
    };
}

static void on_signal(int number)
{
    (void)number;
    http_server_stop(server);
}

static void fill_app(App *app, Db *db, const Settings *settings)
{
    static _Atomic int64_t usual_reads[USUAL_READS];
    static SpoolSpace spool = { .size = 1 << 20 };
    static Proxies proxies;
    Error error = { .code = ERR_NONE };
    *app = (App){ .settings = settings, .db = db, .docs = docs_new(), .offload = offload_new(), .proxies = &proxies,
                  .root_path = STR(""), .on_loopback = true, .spool = &spool, .usual_reads = usual_reads,
                  .backlog = backlog_new(1000), .queue_polls = queue_polls_new(db), .readiness = readiness_new(db),
                  .request_stats = request_stats_new(), .access = access_new(settings, &error) };
    app->watch = watch_new(app);
    must(app->access && access_watch(app->access), &error);
}

/* In the order of server/server.c. */
static void free_app(App *app)
{
    offload_free(app->offload);
    readiness_stop(app->readiness);
    http_server_free(server);
    docs_free(app->docs);
    queue_polls_stop(app->queue_polls);
    db_close(app->db);
    queue_polls_free(app->queue_polls);
    readiness_free(app->readiness);
    watch_free(app->watch);
    request_stats_free(app->request_stats);
    backlog_free(app->backlog);
    access_free(app->access);
}

int main(int count_of_arguments, char **arguments)
{
    App app;
    Error error = { .code = ERR_NONE };
    (void)count_of_arguments;
    Settings *settings = settings_load(NULL, &error);
    must(settings, &error);
    fill_app(&app, open_database(arguments[1]), settings);
    HttpConfig config = read_config(arguments + 2, &app);
    server = http_server_new(&config, &error);
    must(server, &error);
    signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN);
    printf("%u\n", http_server_port(server));
    fflush(stdout);
    double drain = option(arguments + 2, "drain");
    http_server_run(server, drain > 0 ? drain : 30);
    signal(SIGTERM, SIG_IGN);
    free_app(&app);
    settings_free(settings);
    return 0;
}
