/* services/service.c -- the table of services, and the threads that run each when it is due. */
#include "services/service.h"

#include "base/log.h"
#include "base/thread.h"

/* A thread each: a webhook that hangs, or many deployments to plan, must not keep late runs waiting. */
static const Service table[] = {
    { "scheduler", "Creates the runs that schedules ask for.", "PREFECT_ORION_SERVICES_SCHEDULER_ENABLED",
      "PREFECT_ORION_SERVICES_SCHEDULER_LOOP_SECONDS", .tick = scheduler_tick },
    { "recentdeploymentsscheduler", "Does so at once for deployments that have just changed.",
      "PREFECT_ORION_SERVICES_SCHEDULER_ENABLED", .seconds = 5, .tick = recent_deployments_tick },
    { "marklateruns", "Marks runs that did not start in time as late.", "PREFECT_ORION_SERVICES_LATE_RUNS_ENABLED",
      "PREFECT_ORION_SERVICES_LATE_RUNS_LOOP_SECONDS", .tick = late_runs_tick },
    { "failexpiredpauses", "Fails runs that have been paused for too long.",
      "PREFECT_ORION_SERVICES_PAUSE_EXPIRATIONS_ENABLED", "PREFECT_ORION_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS",
      .tick = pause_expirations_tick },
    { "cancellationcleanup", "Cancels what cancelled runs left running.",
      "PREFECT_ORION_SERVICES_CANCELLATION_CLEANUP_ENABLED",
      "PREFECT_ORION_SERVICES_CANCELLATION_CLEANUP_LOOP_SECONDS", .tick = cancellation_cleanup_tick },
    { "flowrunnotifications", "Sends notifications of flow runs.",
      "PREFECT_ORION_SERVICES_FLOW_RUN_NOTIFICATIONS_ENABLED", .seconds = 4, .tick = flow_run_notifications_tick },
    { "upkeep", "Makes missing indexes and keeps the planner's statistics fresh.",
      "PREFECT_ORION_DATABASE_MIGRATE_ON_START", .seconds = 300, .tick = upkeep_tick },
    { "retention", "Deletes runs and logs that are old enough.", .seconds = 300, .tick = retention_tick,
      .is_on = retention_is_on },
    { "cacheexpiry", "Deletes expired rows of the task cache.", .seconds = 3600, .tick = cache_expiry_tick,
      .is_on = retention_is_on },
    { "stuckruns", "Ends runs that died.", "ORION_STUCK_AFTER", .seconds = 60, .tick = stuck_runs_tick },
    { "backups", "Makes backups of the database.", "ORION_BACKUP_EVERY", "ORION_BACKUP_EVERY", .seconds = 60,
      .tick = backups_tick },
};

static const double SECONDS_FALLBACK = 60, SECONDS_MIN = 0.01, SECONDS_MAX = 86400;

typedef struct ServiceThread {
    const Service *service;
    Services *services;
    double seconds;
    Time wall_ahead; /* of the clock that is never set; moves when somebody sets the wall clock */
    pthread_t id;
    ServiceReport report; /* without the error; like the next, guarded by the services' lock */
    Error error;          /* of the last tick */
} ServiceThread;

/* Made by services_start; services_stop frees it once every thread has ended. */
struct Services {
    const Settings *settings;
    Db *db;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* stopping was set */
    atomic_bool stopping;
    size_t count;
    ServiceThread threads[COUNT_OF(table)];
};

static double monotonic_seconds(void)
{
    return (double)clock_monotonic() / 1e6;
}

/* As in the reference, 0 counts as not set. */
static double period_of(const Settings *settings, const Service *service)
{
    double seconds = service->seconds_setting ? settings_float(settings, service->seconds_setting) : service->seconds;
    if (seconds == 0 || seconds != seconds)
        return SECONDS_FALLBACK;
    if (service->seconds > 0 && seconds > service->seconds)
        return service->seconds;
    return seconds < SECONDS_MIN ? SECONDS_MIN : seconds > SECONDS_MAX ? SECONDS_MAX : seconds;
}

static Time wall_ahead(void)
{
    return clock_now() - clock_monotonic();
}

static void note_tick(ServiceThread *thread, Time began, int64_t took, const Error *error)
{
    ServiceReport *report = &thread->report;
    pthread_mutex_lock(&thread->services->lock);
    report->last_tick = began;
    report->took = took;
    report->took_all += took;
    report->ticks++;
    report->failures += error->code != ERR_NONE;
    thread->error = *error;
    pthread_mutex_unlock(&thread->services->lock);
}

static void tick(ServiceThread *thread)
{
    Services *services = thread->services;
    const char *name = thread->service->name;
    Arena *arena = arena_new();
    Time ahead = wall_ahead();
    ServiceRun run = {
        .db = services->db, .settings = services->settings, .arena = arena, .now = clock_now(),
        .clock_set_back = ahead <= thread->wall_ahead - SECOND, .stopping = &services->stopping,
    };
    Error error = { .code = ERR_NONE };
    double began = monotonic_seconds();
    char logger[64];
    snprintf(logger, sizeof logger, "orion.services.%s", name);
    log_debug(logger, "About to run");
    if (thread->service->tick(&run, &error))
        thread->wall_ahead = ahead;
    else
        log_error(logger, "This round failed; the next one will try again: %s", error.message);
    double took = monotonic_seconds() - began;
    note_tick(thread, run.now, (int64_t)(took * (double)SECOND), &error);
    if (took > thread->seconds)
        log_warning(logger, "Took %.3f seconds to run, which is longer than its interval of %.3f seconds", took,
                    thread->seconds);
    arena_free(arena);
}

/* Waits until the deadline, or until the server stops. */
static void wait_until(Services *services, double deadline)
{
    int64_t until = (int64_t)(deadline * (double)SECOND);
    pthread_mutex_lock(&services->lock);
    while (!services->stopping && clock_condition_wait(&services->changed, &services->lock, until))
        ;
    pthread_mutex_unlock(&services->lock);
}

/* The next tick is due a period after this one began, or at once if this one took longer. */
static void *work(void *arg)
{
    ServiceThread *thread = arg;
    Services *services = thread->services;
    while (!services->stopping) {
        double began = monotonic_seconds();
        tick(thread);
        wait_until(services, began + thread->seconds);
    }
    return NULL;
}

static void start_one(Services *services, const Service *service)
{
    ServiceThread *thread = &services->threads[services->count];
    *thread = (ServiceThread){
        .service = service, .services = services, .seconds = period_of(services->settings, service),
        .wall_ahead = wall_ahead(), .report = { .name = service->name, .last_tick = TIME_NULL },
    };
    if (thread_start(&thread->id, work, thread))
        services->count++;
    else
        log_error("orion.services", "Cannot start a thread for service %s; it will not run", service->name);
}

static bool is_enabled(const Settings *settings, const Service *service)
{
    if (service->is_on)
        return service->is_on(settings);
    return settings_bool(settings, service->enabled_setting) || settings_float(settings, service->enabled_setting) > 0;
}

Services *services_start(const Settings *settings, Db *db)
{
    Services *services = xcalloc(1, sizeof *services);
    services->settings = settings;
    services->db = db;
    pthread_mutex_init(&services->lock, NULL);
    clock_condition_init(&services->changed);
    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (is_enabled(settings, &table[i]))
            start_one(services, &table[i]);
    if (services->count > 0)
        return services;
    services_stop(services);
    return NULL;
}

void services_stop(Services *services)
{
    if (!services)
        return;
    pthread_mutex_lock(&services->lock);
    services->stopping = true;
    pthread_cond_broadcast(&services->changed);
    pthread_mutex_unlock(&services->lock);
    for (size_t i = 0; i < services->count; i++)
        pthread_join(services->threads[i].id, NULL);
    pthread_cond_destroy(&services->changed);
    pthread_mutex_destroy(&services->lock);
    free(services);
}

bool services_state(const Settings *settings, size_t n, ServiceState *ret)
{
    if (n >= COUNT_OF(table))
        return false;
    const char *setting = table[n].enabled_setting;
    *ret = (ServiceState){ .name = table[n].name, .help = table[n].help, .is_enabled = is_enabled(settings, &table[n]),
                           .setting = setting ? setting : "ORION_RETENTION_RUNS" };
    return true;
}

ServiceReport *services_report(Services *services, Arena *arena, size_t *ret_count)
{
    *ret_count = services ? services->count : 0;
    ServiceReport *reports = arena_zalloc(arena, (*ret_count + 1) * sizeof *reports);
    for (size_t i = 0; i < *ret_count; i++) {
        ServiceThread *thread = &services->threads[i];
        pthread_mutex_lock(&services->lock);
        reports[i] = thread->report;
        if (thread->error.code != ERR_NONE)
            reports[i].error = arena_str(arena, str_from(thread->error.message));
        pthread_mutex_unlock(&services->lock);
    }
    return reports;
}
