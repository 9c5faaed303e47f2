/* api/request_stats.h -- how many requests there were of each kind, how they ended, and how long they took. */
#ifndef ORION_REQUEST_STATS_H
#define ORION_REQUEST_STATS_H

#include "api/request.h"
#include "base/counter.h"

enum { REQUEST_STATUSES = 20, RECENT_SECONDS = 60 };

typedef struct RequestStats RequestStats;

RequestStats *request_stats_new(void);
void request_stats_free(RequestStats *stats);

void request_stats_begin(Req *req);            /* notes the time */
void request_stats_end(Req *req, int status); /* before the reply, which ends the request */

/* Requests of one kind: of a row of the tables of routes, or of one of RequestPlace and a method. */
typedef struct RequestCounts {
    Counter ended[REQUEST_STATUSES]; /* by status, in the order of request_stats_status */
    Histogram duration;              /* microseconds, in buckets_of_requests */
} RequestCounts;

/* The kinds, numbered from 0 on. NULL: there were no such requests yet. The route is a template, "/api/flows/{id}", in
 * the arena. */
size_t request_stats_kinds(void);
const RequestCounts *request_stats_of(const RequestStats *stats, size_t kind, Arena *arena, Str *ret_route,
                                      const char **ret_method);
int request_stats_status(size_t i); /* 0: any that is not in the list */

/* The last minute: whole seconds, and the one that is under way. */
typedef struct RecentRequests {
    uint64_t count, failed;               /* failed: answered with 500 or above */
    double p50, p99;                      /* milliseconds, as near as an eighth; negative: there were none */
    uint64_t by_second[RECENT_SECONDS];   /* the oldest first */
} RecentRequests;

void request_stats_recent(RequestStats *stats, RecentRequests *ret);

#endif
