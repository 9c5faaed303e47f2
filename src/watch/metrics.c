/* watch/metrics.c -- /metrics: the table of all metrics, in the order in which they are written. */
#include "api/reply.h"
#include "api/request_stats.h"
#include "api/version.h"
#include "db/counts.h"
#include "watch/metric_text.h"
#include "watch/process.h"
#include "watch/view.h"

enum { EXPECTED_SIZE = 64 << 10 };

/* What a metric is a member of. */
typedef enum Source {
    OF_NOTHING, /* `write` knows */
    OF_HTTP,    /* HttpCounts: a Counter, */
    OF_DB,      /* or DbCounts; a Histogram if there are `buckets` */
    OF_LOOK     /* Look: an int64_t; negative, it is not known */
} Source;

typedef struct Metric {
    const char *name;
    MetricType type;
    const char *help;
    void (*write)(MetricWriter *w, const View *view); /* NULL: the value is that of the member */
    Source source;
    size_t offset;
    const Buckets *buckets;
} Metric;

static MetricLabel label(const char *name, const char *value)
{
    return (MetricLabel){ name, str_from(value) };
}

/* ---- HTTP ---- */

static void write_connections(MetricWriter *w, const View *view)
{
    metric_value(w, NULL, 0, (double)http_server_connections(view->http));
}

static void write_statuses(MetricWriter *w, MetricLabel labels[3], const RequestCounts *counts)
{
    for (size_t i = 0; i < REQUEST_STATUSES; i++) {
        uint64_t count = counter_read(&counts->ended[i]);
        char status[12] = "other";
        if (request_stats_status(i))
            snprintf(status, sizeof status, "%d", request_stats_status(i));
        labels[2] = label("status", status);
        if (count)
            metric_value(w, labels, 3, (double)count);
    }
}

static void write_durations(MetricWriter *w, MetricLabel labels[3], const RequestCounts *counts)
{
    metric_histogram(w, labels, 2, &counts->duration, &buckets_of_requests);
}

static void each_kind(MetricWriter *w, const View *view,
                      void (*write)(MetricWriter *, MetricLabel labels[3], const RequestCounts *))
{
    for (size_t kind = 0; kind < request_stats_kinds(); kind++) {
        Str route;
        const char *method;
        const RequestCounts *counts = request_stats_of(view->app->request_stats, kind, w->out->arena, &route, &method);
        MetricLabel labels[3] = { { "route", STR_NULL }, { "method", STR_NULL } };
        if (!counts)
            continue;
        labels[0].value = route;
        labels[1].value = str_from(method);
        write(w, labels, counts);
    }
}

static void write_requests(MetricWriter *w, const View *view)
{
    each_kind(w, view, write_statuses);
}

static void write_request_durations(MetricWriter *w, const View *view)
{
    each_kind(w, view, write_durations);
}

/* ---- the database ---- */

static void write_jobs(MetricWriter *w, const View *view)
{
    const DbCounts *counts = db_counts(view->app->db);
    const MetricLabel read = label("kind", "read"), write = label("kind", "write");
    metric_value(w, &read, 1, (double)counter_read(&counts->reads));
    metric_value(w, &write, 1, (double)counter_read(&counts->writes));
}

static void write_waiting(MetricWriter *w, const View *view)
{
    DbWaiting waiting = db_waiting(view->app->db);
    const struct { const char *kind; unsigned count; } kinds[] = {
        { "read", waiting.reads }, { "long_read", waiting.long_reads },
        { "write", waiting.writes }, { "write_step", waiting.steps },
    };
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const MetricLabel kind = label("kind", kinds[i].kind);
        metric_value(w, &kind, 1, kinds[i].count);
    }
}

static void write_statements_of(MetricWriter *w, const View *view, bool seconds)
{
    static const char *const names[STATEMENT_OPS] = {
        [STATEMENT_SELECT] = "select", [STATEMENT_INSERT] = "insert", [STATEMENT_UPDATE] = "update",
        [STATEMENT_DELETE] = "delete", [STATEMENT_OTHER] = "other",
    };
    StatementCounts counts[STATEMENT_OPS];
    db_count_statements(view->app->db, counts);
    for (size_t i = 0; i < STATEMENT_OPS; i++) {
        const MetricLabel operation = label("operation", names[i]);
        metric_value(w, &operation, 1, seconds ? counts[i].seconds : (double)counts[i].count);
    }
}

static void write_statements(MetricWriter *w, const View *view)
{
    write_statements_of(w, view, false);
}

static void write_statement_seconds(MetricWriter *w, const View *view)
{
    write_statements_of(w, view, true);
}

static void write_log_size(MetricWriter *w, const View *view)
{
    int64_t bytes = db_log_bytes(view->app->db);
    if (bytes >= 0)
        metric_value(w, NULL, 0, (double)bytes);
}

/* ---- services ---- */

static double ticks_of(const ServiceReport *report)
{
    return (double)report->ticks;
}

static double failures_of(const ServiceReport *report)
{
    return (double)report->failures;
}

static double seconds_of(const ServiceReport *report)
{
    return (double)report->took_all / (double)SECOND;
}

static double last_tick_of(const ServiceReport *report)
{
    return report->last_tick == TIME_NULL ? 0 : (double)report->last_tick / (double)SECOND;
}

static void each_service(MetricWriter *w, const View *view, double (*value)(const ServiceReport *report))
{
    size_t count;
    const ServiceReport *reports = services_report(view->services, w->out->arena, &count);
    for (size_t i = 0; i < count; i++) {
        const MetricLabel service = label("service", reports[i].name);
        metric_value(w, &service, 1, value(&reports[i]));
    }
}

static void write_ticks(MetricWriter *w, const View *view)
{
    each_service(w, view, ticks_of);
}

static void write_tick_failures(MetricWriter *w, const View *view)
{
    each_service(w, view, failures_of);
}

static void write_tick_seconds(MetricWriter *w, const View *view)
{
    each_service(w, view, seconds_of);
}

static void write_last_ticks(MetricWriter *w, const View *view)
{
    each_service(w, view, last_tick_of);
}

/* ---- the server as a whole ---- */

static void write_build(MetricWriter *w, const View *view)
{
    const MetricLabel labels[] = {
        label("version", ORION_VERSION), label("commit", orion_commit), label("api_version", API_VERSION),
        label("database", db_dialect(view->app->db)->name),
    };
    metric_value(w, labels, COUNT_OF(labels), 1);
}

static void write_ready(MetricWriter *w, const View *view)
{
    metric_value(w, NULL, 0, view->ready.code == ERR_NONE);
}

static void write_runs(MetricWriter *w, const View *view)
{
    for (int t = 0; view->look && t < STATE_COUNT; t++) {
        const MetricLabel state = label("state", state_type_names[t]);
        metric_value(w, &state, 1, (double)view->look->runs[t]);
    }
}

static void write_start(MetricWriter *w, const View *view)
{
    metric_value(w, NULL, 0, (double)view->started / (double)SECOND);
}

static void write_known(MetricWriter *w, double value)
{
    if (value >= 0)
        metric_value(w, NULL, 0, value);
}

static void write_cpu(MetricWriter *w, const View *view)
{
    (void)view;
    write_known(w, process_cpu_seconds());
}

static void write_memory(MetricWriter *w, const View *view)
{
    (void)view;
    write_known(w, process_resident_bytes());
}

static void write_descriptors(MetricWriter *w, const View *view)
{
    (void)view;
    write_known(w, process_descriptors());
}

static void write_descriptors_max(MetricWriter *w, const View *view)
{
    (void)view;
    write_known(w, process_descriptors_max());
}

#define MEMBER(of, Struct, member) .source = (of), .offset = offsetof(Struct, member)

static const Metric metrics[] = {
    { "orion_build_info", METRIC_GAUGE, "1, with the versions of program and API, and the database's engine.",
      write_build },
    { "orion_ready", METRIC_GAUGE, "Whether the database takes reads and writes, as /api/ready says: 1 or 0.",
      write_ready },

    { "orion_http_requests_total", METRIC_COUNTER, "Requests that were answered, by route, method and status.",
      write_requests },
    { "orion_http_request_duration_seconds", METRIC_HISTOGRAM,
      "Time from a complete request to its answer, by route and method.", write_request_durations },
    { "orion_http_refused_requests_total", METRIC_COUNTER,
      "Requests that never were complete: malformed, too large, or too slow.", MEMBER(OF_HTTP, HttpCounts, refused) },
    { "orion_http_connections", METRIC_GAUGE, "Connections of clients that are open.", write_connections },
    { "orion_http_connections_total", METRIC_COUNTER, "Connections that were accepted.",
      MEMBER(OF_HTTP, HttpCounts, opened) },
    { "orion_http_displaced_connections_total", METRIC_COUNTER,
      "Connections that were closed to make room, for others or in memory.", MEMBER(OF_HTTP, HttpCounts, displaced) },
    { "orion_http_received_bytes_total", METRIC_COUNTER, "Bytes received from clients.",
      MEMBER(OF_HTTP, HttpCounts, received) },
    { "orion_http_sent_bytes_total", METRIC_COUNTER, "Bytes sent to clients.", MEMBER(OF_HTTP, HttpCounts, sent) },

    { "orion_database_transactions_total", METRIC_COUNTER,
      "Transactions of requests and services that have ended, by kind.",
      write_jobs },
    { "orion_database_failed_transactions_total", METRIC_COUNTER,
      "Those that the database failed: it was locked, too slow, full, or out of reach.",
      MEMBER(OF_DB, DbCounts, failed) },
    { "orion_database_repeated_transactions_total", METRIC_COUNTER,
      "Times that one was run again, after a collision, a lost connection, or a common commit that failed.",
      MEMBER(OF_DB, DbCounts, again) },
    { "orion_database_queued_transactions", METRIC_GAUGE,
      "Transactions that wait for a connection, by kind.", write_waiting },
    { "orion_database_commit_duration_seconds", METRIC_HISTOGRAM, "Time that commits of writes took.",
      MEMBER(OF_DB, DbCounts, commit), .buckets = &buckets_of_commits },
    { "orion_database_commit_writes", METRIC_HISTOGRAM, "Writes that were committed together.",
      MEMBER(OF_DB, DbCounts, batch), .buckets = &buckets_of_batches },
    { "orion_database_statements_total", METRIC_COUNTER, "Statements, by operation.", write_statements },
    { "orion_database_statement_seconds_total", METRIC_COUNTER,
      "Time that statements took, by operation; taken of one in 16.", write_statement_seconds },
    { "orion_database_size_bytes", METRIC_GAUGE, "Size of the database.", MEMBER(OF_LOOK, Look, bytes) },
    { "orion_database_free_bytes", METRIC_GAUGE, "Size of the free pages in an SQLite database.",
      MEMBER(OF_LOOK, Look, free_bytes) },
    { "orion_database_wal_size_bytes", METRIC_GAUGE, "Size of an SQLite database's write-ahead log.", write_log_size },

    { "orion_service_ticks_total", METRIC_COUNTER, "Rounds of background services that have ended.", write_ticks },
    { "orion_service_tick_failures_total", METRIC_COUNTER, "Rounds that failed.", write_tick_failures },
    { "orion_service_tick_seconds_total", METRIC_COUNTER, "Time that rounds took.", write_tick_seconds },
    { "orion_service_last_tick_timestamp_seconds", METRIC_GAUGE,
      "When the last round that has ended began; 0: none has.", write_last_ticks },

    { "orion_flow_runs", METRIC_GAUGE, "Flow runs, by the type of their state.", write_runs },
    { "orion_late_flow_runs", METRIC_GAUGE, "Scheduled flow runs that are marked late.", MEMBER(OF_LOOK, Look, late) },
    { "orion_due_flow_runs", METRIC_GAUGE, "Scheduled flow runs whose time has come, late ones included.",
      MEMBER(OF_LOOK, Look, due) },
    { "orion_concurrency_slots", METRIC_GAUGE, "Slots of all concurrency limits by tag.",
      MEMBER(OF_LOOK, Look, slots) },
    { "orion_concurrency_slots_in_use", METRIC_GAUGE, "Slots that task runs hold.",
      MEMBER(OF_LOOK, Look, slots_in_use) },

    { "process_start_time_seconds", METRIC_GAUGE, "When the server started, in seconds since 1970.", write_start },
    { "process_cpu_seconds_total", METRIC_COUNTER, "Processor time used, of the user and of the system.",
      write_cpu },
    { "process_resident_memory_bytes", METRIC_GAUGE, "Resident memory.", write_memory },
    { "process_open_fds", METRIC_GAUGE, "Open file descriptors.", write_descriptors },
    { "process_max_fds", METRIC_GAUGE, "Maximum number of open file descriptors.", write_descriptors_max },
};

static const char *base_of(const View *view, Source source)
{
    switch (source) {
    case OF_HTTP: return (const char *)http_server_counts(view->http);
    case OF_DB: return (const char *)db_counts(view->app->db);
    case OF_LOOK: return (const char *)view->look;
    case OF_NOTHING: break;
    }
    return NULL;
}

static void write_member(MetricWriter *w, const Metric *metric, const View *view)
{
    const char *base = base_of(view, metric->source);
    const void *member = base ? base + metric->offset : NULL;
    if (!member)
        return;
    if (metric->buckets)
        metric_histogram(w, NULL, 0, member, metric->buckets);
    else if (metric->source != OF_LOOK)
        metric_value(w, NULL, 0, (double)counter_read(member));
    else if (*(const int64_t *)member >= 0)
        metric_value(w, NULL, 0, (double)*(const int64_t *)member);
}

static void write_metric(MetricWriter *w, const Metric *metric, const View *view)
{
    metric_begin(w, metric->name, metric->type, metric->help);
    if (metric->write)
        metric->write(w, view);
    else
        write_member(w, metric, view);
}

void metrics_answer(Req *req, const View *view)
{
    HttpHeader headers[6] = { { STR("content-type"), STR(METRIC_TEXT_TYPE) } };
    MetricWriter w = { .out = &req->reply };
    buf_init(&req->reply, req->arena, EXPECTED_SIZE);
    for (size_t i = 0; i < COUNT_OF(metrics); i++)
        write_metric(&w, &metrics[i], view);
    req->status = 200;
    reply_send_with(req, headers, 1);
}
