/* services/service.h -- background services: a table of them, each with a thread of its own. */
#ifndef ORION_SERVICE_H
#define ORION_SERVICE_H

#include <stdatomic.h>

#include "config/settings.h"
#include "db/db.h"

/* What a tick gets. Its jobs go through the same queues as requests do: a few small ones rather than one long. */
typedef struct ServiceRun {
    Db *db;
    const Settings *settings;
    Arena *arena;                 /* of this tick */
    Time now;
    bool clock_set_back;          /* the wall clock, by a second or more, since the last round that succeeded */
    const atomic_bool *stopping;  /* true: end between two jobs */
} ServiceRun;

/* A row of the table. Ticks are safe to run twice at once, by several servers on one database. */
typedef struct Service {
    const char *name;             /* in the log */
    const char *help;             /* what it does */
    const char *enabled_setting;  /* true, or a time: above 0; NULL: .is_on says whether it runs */
    const char *seconds_setting;  /* between the beginnings of two ticks; NULL: .seconds */
    double seconds;               /* with a setting too: at most; 0: as much as it says */
    bool (*tick)(ServiceRun *run, Error *error); /* false: *error is logged; the next tick tries again */
    bool (*is_on)(const Settings *settings);
} Service;

enum {
    OTHERS_TURN_US = 12 * 1000    /* after a step of a long write: other processes look for SQLite's lock only now and
                                   * then */
};

typedef struct Services Services;

/* Starts a thread for every service that its setting enables; each ticks at once. NULL: none is enabled. */
Services *services_start(const Settings *settings, Db *db);
/* Lets ticks under way end, and waits for the threads; NULL is fine. */
void services_stop(Services *services);

/* How a service has fared since the start. */
typedef struct ServiceReport {
    const char *name;
    Time last_tick;               /* when the last one that has ended began; TIME_NULL: none has */
    int64_t took;                 /* microseconds; that one, */
    int64_t took_all;             /* and all */
    uint64_t ticks, failures;
    Str error;                    /* of the last tick, in the arena; null: it succeeded */
} ServiceReport;
ServiceReport *services_report(Services *services, Arena *arena, size_t *ret_count); /* NULL is fine: there are none */

/* What the nth row of the table is, and whether these settings enable it. False: there is no such row. */
typedef struct ServiceState {
    const char *name, *help;
    const char *setting;          /* that enables it */
    bool is_enabled;
} ServiceState;
bool services_state(const Settings *settings, size_t n, ServiceState *ret);

/* The ticks, each in a file of its name. */
bool scheduler_tick(ServiceRun *run, Error *error);
bool recent_deployments_tick(ServiceRun *run, Error *error); /* in scheduler.c */
bool late_runs_tick(ServiceRun *run, Error *error);
bool pause_expirations_tick(ServiceRun *run, Error *error);
bool cancellation_cleanup_tick(ServiceRun *run, Error *error);
bool flow_run_notifications_tick(ServiceRun *run, Error *error);
bool upkeep_tick(ServiceRun *run, Error *error);
bool retention_tick(ServiceRun *run, Error *error);
bool cache_expiry_tick(ServiceRun *run, Error *error); /* in retention.c */
bool stuck_runs_tick(ServiceRun *run, Error *error);
bool backups_tick(ServiceRun *run, Error *error);

bool retention_is_on(const Settings *settings); /* for runs, for logs, or both */

#endif
