/* api/request_stats.c -- counts of requests by route, method and status, their times, and those of the last minute. */
#include "api/request_stats.h"

#include "api/match.h"

enum {
    METHODS = HTTP_OTHER + 1,
    FINE = 96,          /* buckets of times, four to each doubling, */
    FINE_FROM = 4,      /* from 16 microseconds on, */
    MARKS = 64          /* seconds that are remembered: more than RECENT_SECONDS, so that none in use is written over */
};

static const int statuses[REQUEST_STATUSES] = { 200, 201, 204, 206, 304, 307, 400, 401, 403, 404, 405, 409, 413, 416,
                                                422, 500, 503, 507, 101 };
static const char *const methods[METHODS] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other" };
static const char *const places[REQUEST_PLACES] = {
    [PLACE_UNKNOWN] = "unknown", [PLACE_DASHBOARD] = "dashboard", [PLACE_DOCS] = "docs", [PLACE_METRICS] = "/metrics",
    [PLACE_STATUS] = "/orion/status",
};

/* What there was since the start. */
typedef struct Totals {
    Counter times[FINE];  /* requests by what they took */
    Counter failed;
} Totals;

/* The totals as they were when the first request of a second ended. */
typedef struct Mark {
    _Atomic int64_t second;
    Totals totals;
} Mark;

struct RequestStats {
    Totals totals;
    _Atomic int64_t newest;  /* the second of the last mark */
    Mark marks[MARKS];       /* that of second s at s % MARKS */
    size_t routes;
    RequestCounts counts[];  /* of the routes, then of the places by method */
};

static size_t count_routes(void)
{
    size_t count = 0;
    for (size_t f = 0; f < route_family_count; f++)
        count += route_families[f]->count;
    return count;
}

size_t request_stats_kinds(void)
{
    return count_routes() + REQUEST_PLACES * METHODS;
}

RequestStats *request_stats_new(void)
{
    RequestStats *stats = xcalloc(1, sizeof *stats + request_stats_kinds() * sizeof(RequestCounts));
    stats->routes = count_routes();
    return stats;
}

void request_stats_free(RequestStats *stats)
{
    free(stats);
}

/* ---- counting ---- */

static size_t kind_of(const RequestStats *stats, const Req *req)
{
    size_t place = stats->routes + (size_t)req->place * METHODS + (size_t)req->http->method;
    return req->route ? req->route_number : place;
}

/* The first place that is not used is that of all other statuses. */
static size_t status_number(int status)
{
    size_t i = 0;
    while (statuses[i] && statuses[i] != status)
        i++;
    return i;
}

static size_t fine_number(int64_t us)
{
    if (us < 1 << FINE_FROM)
        return 0;
    int power = 63 - __builtin_clzll((unsigned long long)us);
    size_t i = 1 + 4 * (size_t)(power - FINE_FROM) + (size_t)(us >> (power - 2) & 3);
    return i < FINE ? i : FINE - 1;
}

static void copy_totals(Totals *to, const Totals *from)
{
    for (size_t i = 0; i < FINE; i++)
        atomic_store_explicit(&to->times[i], counter_read(&from->times[i]), memory_order_relaxed);
    atomic_store_explicit(&to->failed, counter_read(&from->failed), memory_order_relaxed);
}

/* Whoever is the first in a second makes its mark. */
static void mark(RequestStats *stats, int64_t second)
{
    int64_t newest = atomic_load_explicit(&stats->newest, memory_order_relaxed);
    if (second <= newest || !atomic_compare_exchange_strong(&stats->newest, &newest, second))
        return;
    Mark *made = &stats->marks[second % MARKS];
    copy_totals(&made->totals, &stats->totals);
    atomic_store_explicit(&made->second, second, memory_order_release);
}

void request_stats_begin(Req *req)
{
    req->began = clock_monotonic();
}

void request_stats_end(Req *req, int status)
{
    RequestStats *stats = req->app->request_stats;
    int64_t now = clock_monotonic(), took = now - req->began;
    RequestCounts *counts = &stats->counts[kind_of(stats, req)];
    counter_add(&counts->ended[status_number(status)], 1);
    histogram_add(&counts->duration, &buckets_of_requests, took);
    mark(stats, now / SECOND);
    counter_add(&stats->totals.times[fine_number(took)], 1);
    if (status >= 500)
        counter_add(&stats->totals.failed, 1);
}

/* ---- what is read ---- */

int request_stats_status(size_t i)
{
    return statuses[i];
}

static const Route *route_of_number(size_t number)
{
    for (size_t f = 0; f < route_family_count; f++) {
        if (number < route_families[f]->count)
            return &route_families[f]->routes[number];
        number -= route_families[f]->count;
    }
    return NULL;
}

const RequestCounts *request_stats_of(const RequestStats *stats, size_t kind, Arena *arena, Str *ret_route,
                                      const char **ret_method)
{
    const RequestCounts *counts = &stats->counts[kind];
    if (histogram_count(&counts->duration) == 0)
        return NULL;
    const Route *route = route_of_number(kind);
    *ret_route = route ? match_route_template(arena, route) : str_from(places[(kind - stats->routes) / METHODS]);
    HttpMethod method = route ? route->method : (HttpMethod)((kind - stats->routes) % METHODS);
    *ret_method = methods[method == HTTP_WS ? HTTP_GET : method];
    return counts;
}

static uint64_t total(const Totals *totals)
{
    uint64_t count = 0;
    for (size_t i = 0; i < FINE; i++)
        count += counter_read(&totals->times[i]);
    return count;
}

/* The totals at the beginning of a second: those of the first mark from then on, for between them nothing ended. */
static const Totals *totals_at(RequestStats *stats, int64_t second, int64_t now)
{
    for (; second <= now; second++) {
        Mark *found = &stats->marks[second % MARKS];
        if (atomic_load_explicit(&found->second, memory_order_acquire) == second)
            return &found->totals;
    }
    return &stats->totals;
}

/* In milliseconds: the middle of its bucket. */
static double middle_of(size_t fine)
{
    if (fine == 0)
        return (double)(1 << FINE_FROM) / 2 / 1e3;
    size_t step = 4 + (fine - 1) % 4, power = FINE_FROM + (fine - 1) / 4;
    return ((double)step + 0.5) * (double)(1ULL << (power - 2)) / 1e3;
}

static double percentile(const uint64_t times[FINE], uint64_t count, double part)
{
    uint64_t below = 0;
    for (size_t i = 0; i < FINE; i++) {
        below += times[i];
        if (count && (double)below >= part * (double)count)
            return middle_of(i);
    }
    return -1;
}

void request_stats_recent(RequestStats *stats, RecentRequests *ret)
{
    Totals end;
    int64_t now = clock_monotonic() / SECOND, first = now - RECENT_SECONDS + 1;
    *ret = (RecentRequests){ .count = 0 };
    copy_totals(&end, &stats->totals);
    const Totals *begin = totals_at(stats, first > 0 ? first : 0, now);
    uint64_t times[FINE], before = total(begin), after;
    if (begin == &stats->totals)
        begin = &end;
    for (size_t i = 0; i < FINE; i++)
        ret->count += times[i] = counter_read(&end.times[i]) - counter_read(&begin->times[i]);
    ret->failed = counter_read(&end.failed) - counter_read(&begin->failed);
    ret->p50 = percentile(times, ret->count, 0.5);
    ret->p99 = percentile(times, ret->count, 0.99);
    for (int64_t i = 0; i < RECENT_SECONDS; i++, before = after) {
        const Totals *next = totals_at(stats, first + i + 1 > 0 ? first + i + 1 : 0, now);
        after = total(next == &stats->totals ? &end : next);
        ret->by_second[i] = after > before ? after - before : 0;
    }
}
