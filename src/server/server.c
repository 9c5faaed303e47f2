/* server/server.c -- the running server: assembles database, routes and HTTP, and ends them in order. */
#include "server/server.h"

#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>

#include "api/backlog.h"
#include "api/forwarded.h"
#include "api/offload.h"
#include "api/readiness.h"
#include "api/request_log.h"
#include "api/request_stats.h"
#include "api/routes/queue_polls.h"
#include "base/log.h"
#include "blocks/block_registration.h"
#include "blocks/encryption.h"
#include "db/indexes.h"
#include "db/migrate.h"
#include "model/run_bodies.h"
#include "schedule/zone.h"
#include "server/exposed_files.h"
#include "server/supervisor.h"
#include "services/service.h"
#include "watch/watch.h"
#include "web/docs.h"
#include "web/web.h"

enum {
    BODY_MAX = 64 << 20,       /* bytes; the largest bodies are batches of logs and block schemas, far below it */
    HEAD_MAX = 64 << 10,
    DESCRIPTORS_SPARE = 64,    /* for files, listeners, notifications; connections to the database come on top */
    DRAIN_SECONDS = 30
};

/* Both are the main thread's alone: all others are started with signals blocked (thread_start). */
static HttpServer *volatile running; /* for the signal handler: NULL while there is nothing to stop */
static volatile sig_atomic_t stop_asked;

static void on_signal(int number)
{
    (void)number;
    stop_asked = 1;
    HttpServer *server = running;
    if (server)
        http_server_stop(server);
}

static void take_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal };
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

static bool migrate_if_wanted(Tx *tx, void *arg)
{
    const Settings *settings = arg;
    if (settings_bool(settings, "PREFECT_ORION_DATABASE_MIGRATE_ON_START"))
        return migrate_up(tx);
    return true;
}

static bool make_indexes(Tx *tx, void *arg)
{
    (void)arg;
    return indexes_make_at_once(tx);
}

static bool check_rights(Tx *tx, void *arg)
{
    const DbConfig *config = arg;
    return db_may_serve(tx, config->pgbouncer ? 0 : config->connections); /* a pooler has connections of its own */
}

static bool register_blocks(Tx *tx, void *arg)
{
    (void)arg;
    return block_registration_run(tx);
}

/* A change that has a limit of its own, since another server may be at it, or the database far away. */
static bool run_long(const Settings *settings, Db *db, Arena *arena, bool (*run)(Tx *, void *), void *arg, Error *error)
{
    Error found = { .code = ERR_NONE };
    int64_t limit = db_migration_limit(settings), until = clock_monotonic() + limit;
    if (db_run_within(db, limit, true, arena, run, arg, &found))
        return true;
    bool is_late = found.code == ERR_BUSY && clock_monotonic() > until - SECOND / 2;
    return fail(error, found.code, "%s%s", found.message,
                is_late ? ". The limit is ORION_DATABASE_MIGRATION_TIMEOUT; another server or command may hold a lock."
                        : "");
}

/* A role that owns no tables, or a database that takes no writes, is served without: lists are slower then. The
 * background makes them as soon as it may. */
static void make_indexes_on_start(const Settings *settings, Db *db, Arena *arena)
{
    Error error = { .code = ERR_NONE };
    if (settings_bool(settings, "PREFECT_ORION_DATABASE_MIGRATE_ON_START") &&
        !run_long(settings, db, arena, make_indexes, NULL, &error))
        log_debug("orion.db", "Indexes could not be made at the start: %s", error.message);
}

/* A database that cannot take them now, locked or without tables, is served all the same. */
static void register_on_start(const Settings *settings, Db *db, Arena *arena)
{
    Error error = { .code = ERR_NONE };
    if (settings_bool(settings, "PREFECT_ORION_BLOCKS_REGISTER_ON_START") &&
        !run_long(settings, db, arena, register_blocks, NULL, &error))
        log_warning("orion.api", "Block types could not be registered: %s", error.message);
}

/* A database that is too busy for an answer now is served all the same. */
static bool may_serve(DbConfig *config, Db *db, Arena *arena, Error *error)
{
    Error found = { .code = ERR_NONE };
    if (db_run(db, false, arena, check_rights, config, &found) || found.code == ERR_BUSY)
        return true;
    return fail(error, found.code, "%s", found.message);
}

static Db *open_database(const Settings *settings, Error *error)
{
    DbConfig config = db_config(settings);
    Db *db = db_open(&config, error);
    if (!db)
        return NULL;
    Arena *arena = arena_new();
    bool ok = run_long(settings, db, arena, migrate_if_wanted, (void *)(uintptr_t)settings, error) &&
              may_serve(&config, db, arena, error);
    if (ok) {
        make_indexes_on_start(settings, db, arena);
        register_on_start(settings, db, arena);
    }
    arena_free(arena);
    malloc_trim(0); /* what the registration took, 1.2 MB, is not needed again */
    if (ok)
        return db;
    db_close(db);
    return NULL;
}

/* Maximum number of client connections: the setting, or less if the process may not open enough descriptors. */
static unsigned connections_allowed(const Settings *settings)
{
    int64_t wanted = settings_int(settings, "ORION_SERVER_CONNECTIONS");
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return (unsigned)wanted;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    rlim_t spare = DESCRIPTORS_SPARE + db_config(settings).connections;
    if (limit.rlim_max >= (rlim_t)wanted + spare)
        return (unsigned)wanted;
    rlim_t allowed = limit.rlim_max > 2 * spare ? limit.rlim_max - spare : limit.rlim_max / 2;
    log_warning("orion.api",
                "Only %llu connections are allowed instead of the %lld of ORION_SERVER_CONNECTIONS: this process may "
                "open %llu descriptors (ulimit -Hn).",
                (unsigned long long)allowed, (long long)wanted, (unsigned long long)limit.rlim_max);
    return (unsigned)allowed;
}

static void on_beat(bool draining, void *context)
{
    const App *app = context;
    supervisor_beat(app->supervisor, draining);
}

static HttpServer *listen_http(const Settings *settings, const ServerOptions *options, App *app, Error *error)
{
    Str host = settings_text(settings, "PREFECT_ORION_API_HOST");
    HttpConfig config = {
        .host = options->host ? options->host : host.p,
        .port = options->port ? options->port : (unsigned)settings_int(settings, "PREFECT_ORION_API_PORT"),
        .keep_alive_timeout = options->keep_alive_timeout,
        .body_max = BODY_MAX,
        .head_max = HEAD_MAX,
        .head_timeout = settings_float(settings, "ORION_SERVER_HEAD_TIMEOUT"),
        .body_rate = settings_float(settings, "ORION_SERVER_BODY_RATE"),
        .connections_max = connections_allowed(settings),
        .handle = web_handle,
        .refused = request_log_refused,
        .beat = on_beat,
        .beat_every = app->supervisor->beat_every,
        .context = app,
    };
    HttpServer *server = http_server_new(&config, error);
    if (server && options->listening)
        options->listening(config.host, http_server_port(server), options->arg);
    if (server)
        supervisor_ready(app->supervisor, config.host, http_server_port(server));
    return server;
}

static void warn_without_zones(void)
{
    Error error = { .code = ERR_NONE };
    Arena *arena = arena_new();
    if (!zones_are_there(arena, &error))
        log_warning("orion.api", "%s", error.message);
    arena_free(arena);
}

/* Warns if other machines can reach the server without credentials, or if there are keys but no password for
 * browsers. */
static void warn_of_open_doors(const App *app)
{
    AccessOffers offers = access_offers(app->access);
    if (!offers.keys && !offers.password && !app->on_loopback)
        log_warning("orion.access",
                    "Anyone who can reach this server can read, change and delete everything. Create a key with "
                    "`orion key create NAME`, set ORION_AUTH_STRING to user:password, or listen on 127.0.0.1 only.");
    if (offers.keys && !offers.password && settings_bool(app->settings, "PREFECT_ORION_UI_ENABLED"))
        log_warning("orion.access",
                    "The dashboard cannot send a key: it will not work in a browser unless ORION_AUTH_STRING is set to "
                    "user:password, which a browser asks for. --no-ui turns it off.");
}

static void serve(App *app, HttpServer *server)
{
    app->on_loopback = http_server_has_loopback(server);
    warn_of_open_doors(app);
    if (!access_watch(app->access))
        log_error("orion.access", "Cannot start a thread: new and revoked keys will count after a restart.");
    running = server;
    if (stop_asked)
        http_server_stop(server);
    Services *services = services_start(app->settings, app->db);
    watch_begin(app->watch, server, services);
    http_server_run(server, DRAIN_SECONDS);
    running = NULL;
    watch_stop(app->watch);
    services_stop(services);
}

static bool read_proxies(const Settings *settings, Arena *arena, Proxies *ret, Error *error)
{
    Network *trusted;
    *ret = (Proxies){ .text = settings_text(settings, "ORION_TRUSTED_PROXIES") };
    if (!networks_parse(arena, ret->text, &trusted, &ret->count, error))
        return false;
    ret->trusted = trusted;
    return true;
}

/* After the loop has ended; `server` may be NULL. */
static void close_all(App *app, HttpServer *server)
{
    offload_free(app->offload); /* its remaining requests are now with the database */
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
    supervisor_leave(app->supervisor);
    access_free(app->access); /* last: the database may have answered requests until now, and they are logged */
}

static bool open_and_serve(const Settings *settings, const ServerOptions *options, Proxies *proxies, Error *error)
{
    if (!encryption_use(settings, error))
        return false;
    Access *access = access_new(settings, error);
    Db *db = access ? open_database(settings, error) : NULL;
    if (!db) {
        access_free(access);
        return false;
    }
    _Atomic int64_t usual_reads[USUAL_READS] = { 0 };
    Supervisor supervisor;
    supervisor_find(&supervisor);
    SpoolSpace spool = { .size = (int64_t)settings_float(settings, "ORION_SERVER_SPOOL") };
    App app = {
        .settings = settings,
        .db = db,
        .default_limit = settings_int(settings, "PREFECT_ORION_API_DEFAULT_LIMIT"),
        .ui_dir = options->ui_dir,
        .access = access,
        .docs = docs_new(),
        .offload = offload_new(),
        .proxies = proxies,
        .root_path = settings_text(settings, "ORION_ROOT_PATH"),
        .readiness = readiness_new(db),
        .spool = &spool,
        .usual_reads = usual_reads,
        .logs_access = settings_bool(settings, "ORION_LOG_ACCESS"),
        .backlog = backlog_new(settings_int(settings, "ORION_SERVER_QUEUE")),
        .queue_polls = queue_polls_new(db),
        .request_stats = request_stats_new(),
        .supervisor = &supervisor,
    };
    app.watch = watch_new(&app);
    warn_without_zones();
    exposed_files_warn(settings, db);
    run_bodies_set_cache_key_max(settings_int(settings, "PREFECT_ORION_TASK_CACHE_KEY_MAX_LENGTH"));
    take_signals(); /* before it reports that it is ready */
    HttpServer *server = listen_http(settings, options, &app, error);
    bool served = server != NULL;
    if (served)
        serve(&app, server);
    close_all(&app, server);
    return served;
}

bool server_run(const Settings *settings, const ServerOptions *options, Error *error)
{
    Proxies proxies;
    Arena *arena = arena_new_small(256);
    bool served = read_proxies(settings, arena, &proxies, error) && open_and_serve(settings, options, &proxies, error);
    arena_free(arena);
    return served;
}
