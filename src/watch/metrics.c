/* watch/metrics.c -- /metrics: the table of all metrics, in the order in which they are written. */
#include "api/reply.h"
#include "api/request_stats.h"
#include "watch/metric_text.h"
#include "watch/view.h"

enum { EXPECTED_SIZE = 64 << 10 };

/* What a metric is a member of. */
typedef enum Source {
    OF_NOTHING, /* `write` knows */
    OF_HTTP     /* HttpCounts: a Counter */
} Source;

typedef struct Metric {
    const char *name;
    MetricType type;
    const char *help;
    void (*write)(MetricWriter *w, const View *view); /* NULL: the value is that of the member */
    Source source;
    size_t offset;
} Metric;

static MetricLabel label(const char *name, const char *value)
{
    return (MetricLabel){ name, str_from(value) };
}

/* ---- HTTP ---- */

static void write_connections(MetricWriter *w, const View *view)
{
    const HttpCounts *counts = http_server_counts(view->http);
    metric_value(w, NULL, 0, (double)(counter_read(&counts->opened) - counter_read(&counts->closed)));
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

static const Metric metrics[] = {
    { "orion_http_requests_total", METRIC_COUNTER,
      "Requests that were answered, by route, method and status.", write_requests },
    { "orion_http_request_duration_seconds", METRIC_HISTOGRAM,
      "Time from a complete request to its answer, by route and method.", write_request_durations },
    { "orion_http_connections", METRIC_GAUGE, "Connections of clients that are open.", write_connections },
    { "orion_http_sent_bytes_total", METRIC_COUNTER, "Bytes sent to clients.",
      .source = OF_HTTP, .offset = offsetof(HttpCounts, sent) },
};

static const char *base_of(const View *view, Source source)
{
    switch (source) {
    case OF_HTTP: return (const char *)http_server_counts(view->http);
    case OF_NOTHING: break;
    }
    return NULL;
}

static void write_metric(MetricWriter *w, const Metric *metric, const View *view)
{
    metric_begin(w, metric->name, metric->type, metric->help);
    if (metric->write)
        metric->write(w, view);
    else
        metric_value(w, NULL, 0, (double)counter_read((const Counter *)(const void *)(base_of(view, metric->source)
                                                                                       + metric->offset)));
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
