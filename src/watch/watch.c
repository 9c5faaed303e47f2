/* watch/watch.c -- the thread that answers, and its looks at the database, which are shared and seldom. */
#include "watch/watch.h"

#include "api/readiness.h"
#include "api/reply.h"
#include "base/log.h"
#include "base/thread.h"
#include "watch/view.h"

enum {
    WAIT_US = 2 * 1000 * 1000,       /* for the database, of one answer */
    LOOK_AGE_US = 15 * 1000 * 1000,  /* of a look that is still shown, at least; */
    LOOK_PART = 100                  /* and so many times what it took, so that looking is never much of the work */
};

/* A look, done or under way, in memory of its own, since it may outlive the requests. */
typedef struct Looking {
    Watch *watch;
    Job job;
    Look look;
    int64_t ran;      /* when it began to run, monotonic */
} Looking;

struct Watch {
    const App *app;
    const HttpServer *http;
    Services *services;
    Time started;
    int64_t began;              /* the same, monotonic */
    pthread_t thread;
    bool runs, quit;
    pthread_mutex_t lock;       /* protects `runs`, `quit` and all that follows */
    pthread_cond_t changed;
    Req *first, **last;         /* waiting */
    Looking lookings[2];
    Looking *shown;             /* NULL: none; the other one is taken next */
    bool is_looking;
    int64_t look_again;         /* monotonic: `shown` is too old then */
    _Atomic int64_t usual;      /* for Job.usual */
};

/* ---- looking ---- */

static bool run_look(Tx *tx, void *arg)
{
    Looking *looking = arg;
    looking->ran = clock_monotonic();
    return look_take(tx, &looking->look);
}

static void look_done(void *arg, const Error *error)
{
    Looking *looking = arg;
    Watch *watch = looking->watch;
    int64_t now = clock_monotonic(), age = LOOK_PART * (now - looking->ran);
    if (error->code != ERR_NONE)
        log_debug("orion.watch", "The database could not be looked at: %s", error->message);
    pthread_mutex_lock(&watch->lock);
    watch->is_looking = false;
    watch->shown = error->code == ERR_NONE ? looking : NULL;
    watch->look_again = error->code != ERR_NONE ? now : now + (age > LOOK_AGE_US ? age : LOOK_AGE_US);
    pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

/* Releases the lock while submitting, since a closed queue calls `done` at once. */
static void look_if_due(Watch *watch)
{
    if (watch->is_looking || (watch->shown && clock_monotonic() < watch->look_again))
        return;
    Looking *next = &watch->lookings[watch->shown == &watch->lookings[0]];
    watch->is_looking = true;
    pthread_mutex_unlock(&watch->lock);
    arena_reset(next->job.arena);
    db_submit(watch->app->db, &next->job);
    pthread_mutex_lock(&watch->lock);
}

/* ---- answering ---- */

/* What is known now, or will be in time. The look is not replaced while the answers are made: only this thread begins
 * the next one. */
static View take_view(Watch *watch)
{
    int64_t until = clock_monotonic() + WAIT_US;
    View view = { .app = watch->app, .http = watch->http, .services = watch->services, .started = watch->started };
    pthread_mutex_lock(&watch->lock);
    look_if_due(watch);
    pthread_mutex_unlock(&watch->lock);
    view.ready = readiness_wait(watch->app->readiness);
    pthread_mutex_lock(&watch->lock);
    while (watch->is_looking && clock_condition_wait(&watch->changed, &watch->lock, until))
        ;
    view.look = watch->shown && !watch->is_looking ? &watch->shown->look : NULL;
    pthread_mutex_unlock(&watch->lock);
    view.uptime = clock_monotonic() - watch->began;
    return view;
}

/* Waits for requests and takes all that there are. NULL: the server ends. */
static Req *take_waiting(Watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    while (!watch->first && !watch->quit)
        pthread_cond_wait(&watch->changed, &watch->lock);
    Req *taken = watch->first;
    watch->first = NULL;
    watch->last = &watch->first;
    pthread_mutex_unlock(&watch->lock);
    return taken;
}

static const struct WatchRoute {
    const char *path;
    RequestPlace place;
    void (*answer)(Req *req, const View *view);
    const char *setting; /* that turns it off; NULL: none */
} routes[] = {
    { "/metrics", PLACE_METRICS, metrics_answer, "ORION_METRICS" },
    { "/orion/status", PLACE_STATUS, status_answer, NULL },
};

static const struct WatchRoute *find_route(Str path)
{
    for (size_t i = 0; i < COUNT_OF(routes); i++)
        if (str_is(path, routes[i].path))
            return &routes[i];
    return NULL;
}

bool watch_has(Str path)
{
    return find_route(path) != NULL;
}

static void *work(void *arg)
{
    Watch *watch = arg;
    for (Req *req, *next; (req = take_waiting(watch));) {
        View view = take_view(watch);
        for (; req; req = next) {
            next = req->next;
            find_route(req->http->path)->answer(req, &view);
        }
    }
    return NULL;
}

static void add_waiting(Watch *watch, Req *req)
{
    pthread_mutex_lock(&watch->lock);
    watch->runs = watch->runs || thread_start(&watch->thread, work, watch);
    bool runs = watch->runs;
    if (runs) {
        req->next = NULL;
        *watch->last = req;
        watch->last = &req->next;
        pthread_cond_broadcast(&watch->changed);
    }
    pthread_mutex_unlock(&watch->lock);
    if (runs)
        return;
    (void)req_fail(req, ERR_BUSY, "The server cannot start a thread");
    reply_send(req);
}

bool watch_handle(Req *req)
{
    const struct WatchRoute *route = find_route(req->http->path);
    if (!route)
        return false;
    req->place = route->place;
    if (req->http->method != HTTP_GET && req->http->method != HTTP_HEAD) {
        reply_not_allowed(req, HTTP_GET);
    } else if (route->setting && !settings_bool(req->app->settings, route->setting)) {
        (void)fail(&req->error, ERR_NOT_FOUND, "%s is off on this server", route->setting);
        reply_send(req);
    } else {
        add_waiting(req->app->watch, req);
    }
    return true;
}

/* ---- start and stop ---- */

Watch *watch_new(const App *app)
{
    Watch *watch = xcalloc(1, sizeof *watch);
    watch->app = app;
    watch->started = clock_now();
    watch->began = clock_monotonic();
    watch->last = &watch->first;
    pthread_mutex_init(&watch->lock, NULL);
    clock_condition_init(&watch->changed);
    for (size_t i = 0; i < COUNT_OF(watch->lookings); i++) {
        Looking *looking = &watch->lookings[i];
        looking->watch = watch;
        looking->job = (Job){ .run = run_look, .done = look_done, .arg = looking, .arena = arena_new_small(256),
                              .usual = &watch->usual };
    }
    return watch;
}

void watch_begin(Watch *watch, const HttpServer *http, Services *services)
{
    watch->http = http;
    watch->services = services;
}

void watch_stop(Watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    watch->quit = true;
    pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
    if (watch->runs)
        pthread_join(watch->thread, NULL);
}

void watch_free(Watch *watch)
{
    for (size_t i = 0; i < COUNT_OF(watch->lookings); i++)
        arena_free(watch->lookings[i].job.arena);
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}
