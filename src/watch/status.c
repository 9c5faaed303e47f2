/* watch/status.c -- /orion/status: what `orion status` shows, as JSON. What could not be found out in time is null. */
#include "api/address.h"
#include "api/readiness.h"
#include "api/reply.h"
#include "api/request_stats.h"
#include "api/version.h"
#include "config/shown_url.h"
#include "db/counts.h"
#include "watch/view.h"

static void member_int(JsonWriter *w, const char *key, int64_t value)
{
    json_key(w, key);
    json_int(w, value);
}

static void member_float(JsonWriter *w, const char *key, double value)
{
    json_key(w, key);
    json_float(w, value);
}

static void member_text(JsonWriter *w, const char *key, Str value)
{
    json_key(w, key);
    json_str(w, value);
}

static void member_bool(JsonWriter *w, const char *key, bool value)
{
    json_key(w, key);
    json_bool(w, value);
}

/* Where a negative number means that it is not known. */
static void member_size(JsonWriter *w, const char *key, int64_t value)
{
    json_key(w, key);
    if (value < 0)
        json_null(w);
    else
        json_int(w, value);
}

static void member_milliseconds(JsonWriter *w, const char *key, double value)
{
    json_key(w, key);
    if (value < 0)
        json_null(w);
    else
        json_float(w, value);
}

static void member_time(JsonWriter *w, Arena *arena, const char *key, Time time)
{
    member_text(w, key, time == TIME_NULL ? STR_NULL : time_text(arena, time));
}

/* As /api/ready says it. */
static Str reason_of(const Error *error)
{
    if (error->code == ERR_NONE)
        return STR_NULL;
    return str_from(error->code == ERR_INTERNAL ? READINESS_INTERNAL : error->message);
}

static void write_server(JsonWriter *w, Req *req, const View *view)
{
    Str root = request_root_path(req), address = request_address(req);
    member_text(w, "version", STR(ORION_VERSION));
    member_text(w, "commit", str_from(orion_commit));
    member_text(w, "api_version", STR(API_VERSION));
    member_text(w, "address", arena_printf(req->arena, "%.*s%.*s/api", STR_ARG(address), STR_ARG(root)));
    member_time(w, req->arena, "started", view->started);
    member_float(w, "uptime", (double)view->uptime / (double)SECOND);
    member_bool(w, "ready", view->ready.code == ERR_NONE);
    member_text(w, "reason", reason_of(&view->ready));
}

static void write_database(JsonWriter *w, Req *req, const View *view)
{
    const Look *look = view->look;
    Str url = settings_text(req->app->settings, "PREFECT_ORION_DATABASE_CONNECTION_URL");
    json_key(w, "database");
    json_object(w);
    member_text(w, "engine", str_from(db_dialect(req->app->db)->name));
    member_text(w, "url", str_from(url_shown(req->arena, url)));
    member_size(w, "bytes", look ? look->bytes : -1);
    member_size(w, "wal_bytes", db_log_bytes(req->app->db));
    member_size(w, "free_bytes", look ? look->free_bytes : -1);
    json_object_end(w);
}

static void write_requests(JsonWriter *w, Req *req)
{
    RecentRequests recent;
    request_stats_recent(req->app->request_stats, &recent);
    json_key(w, "requests");
    json_object(w);
    member_int(w, "count", (int64_t)recent.count);
    member_int(w, "failed", (int64_t)recent.failed);
    member_milliseconds(w, "p50_ms", recent.p50);
    member_milliseconds(w, "p99_ms", recent.p99);
    json_key(w, "by_second");
    json_array(w);
    for (size_t i = 0; i < RECENT_SECONDS; i++)
        json_int(w, (int64_t)recent.by_second[i]);
    json_array_end(w);
    json_object_end(w);
}

static void write_runs(JsonWriter *w, const Look *look)
{
    json_object(w);
    for (int t = 0; t < STATE_COUNT; t++)
        member_int(w, state_type_names[t], look->runs[t]);
    json_object_end(w);
}

static void write_queues(JsonWriter *w, Arena *arena, const Look *look)
{
    json_array(w);
    for (size_t i = 0; i < look->queue_count; i++) {
        const LookQueue *queue = &look->queues[i];
        json_object(w);
        member_text(w, "name", queue->name);
        member_text(w, "work_pool", queue->pool);
        member_bool(w, "paused", queue->is_paused);
        member_int(w, "due", queue->due);
        member_time(w, arena, "oldest_due", queue->oldest_due);
        json_object_end(w);
    }
    json_array_end(w);
}

static void write_slots(JsonWriter *w, const Look *look)
{
    json_array(w);
    for (size_t i = 0; i < look->limit_count; i++) {
        json_object(w);
        member_text(w, "tag", look->limits[i].tag);
        member_int(w, "limit", look->limits[i].limit);
        member_int(w, "in_use", look->limits[i].in_use);
        json_object_end(w);
    }
    json_array_end(w);
}

static void write_look(JsonWriter *w, Arena *arena, const Look *look)
{
    json_key(w, "flow_runs");
    look ? write_runs(w, look) : json_null(w);
    member_size(w, "late", look ? look->late : -1);
    member_size(w, "due", look ? look->due : -1);
    json_key(w, "work_queues");
    look ? write_queues(w, arena, look) : json_null(w);
    json_key(w, "slots");
    look ? write_slots(w, look) : json_null(w);
}

static void write_services(JsonWriter *w, Arena *arena, Services *services)
{
    size_t count;
    const ServiceReport *reports = services_report(services, arena, &count);
    json_key(w, "services");
    json_array(w);
    for (size_t i = 0; i < count; i++) {
        const ServiceReport *report = &reports[i];
        json_object(w);
        member_text(w, "name", str_from(report->name));
        member_time(w, arena, "last_tick", report->last_tick);
        member_float(w, "seconds", (double)report->took / (double)SECOND);
        member_int(w, "ticks", (int64_t)report->ticks);
        member_int(w, "failures", (int64_t)report->failures);
        member_text(w, "error", report->error);
        json_object_end(w);
    }
    json_array_end(w);
}

void status_answer(Req *req, const View *view)
{
    JsonWriter *w = reply_json(req);
    json_object(w);
    write_server(w, req, view);
    write_database(w, req, view);
    write_requests(w, req);
    member_int(w, "connections", (int64_t)http_server_connections(view->http));
    write_look(w, req->arena, view->look);
    write_services(w, req->arena, view->services);
    json_object_end(w);
    req->status = 200;
    reply_send(req);
}
