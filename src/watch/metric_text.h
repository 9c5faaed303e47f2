/* watch/metric_text.h -- writes Prometheus' text format, version 0.0.4. */
#ifndef ORION_METRIC_TEXT_H
#define ORION_METRIC_TEXT_H

#include "base/buf.h"
#include "base/counter.h"

#define METRIC_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

typedef enum MetricType { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM } MetricType;

typedef struct MetricLabel {
    const char *name;
    Str value;        /* UTF-8, whatever it holds */
} MetricLabel;

/* Writes one metric after the other. */
typedef struct MetricWriter {
    Buf *out;
    const char *name; /* of the metric that is being written */
} MetricWriter;

/* Begins a metric: what follows are its values. Names and help are literals, the help one line. */
void metric_begin(MetricWriter *w, const char *name, MetricType type, const char *help);
void metric_value(MetricWriter *w, const MetricLabel *labels, size_t count, double value);
void metric_histogram(MetricWriter *w, const MetricLabel *labels, size_t count, const Histogram *histogram,
                      const Buckets *buckets);

#endif
