/* watch/metric_text.c -- metrics as Prometheus reads them: their description, then a line for each value. */
#include "watch/metric_text.h"

#include <math.h>

#include "base/json.h"

void metric_begin(MetricWriter *w, const char *name, MetricType type, const char *help)
{
    static const char *const types[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram",
    };
    w->name = name;
    buf_printf(w->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, types[type]);
}

static void add_label(Buf *out, const char *name, Str value)
{
    buf_printf(out, "%s=\"", name);
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '\n')
            buf_text(out, "\\n");
        else if (char_in(value.p[i], "\\\""))
            buf_printf(out, "\\%c", value.p[i]);
        else
            buf_char(out, value.p[i]);
    }
    buf_char(out, '"');
}

static void add_number(Buf *out, double value)
{
    static const double whole_max = 9007199254740992; /* 2^53: beyond it not every integer has a double */
    char text[32];
    if (floor(value) == value && fabs(value) <= whole_max)
        buf_int(out, (int64_t)value);
    else
        buf_add(out, text, json_float_repr(value, text));
}

/* One line; `bound`: of a histogram's bucket, or null. */
static void add_line(MetricWriter *w, const char *suffix, const MetricLabel *labels, size_t count, Str bound,
                     double value)
{
    Buf *out = w->out;
    bool is_labelled = count || bound.p;
    buf_text(out, w->name);
    buf_text(out, suffix);
    for (size_t i = 0; i < count; i++) {
        buf_char(out, i ? ',' : '{');
        add_label(out, labels[i].name, labels[i].value);
    }
    if (bound.p) {
        buf_char(out, count ? ',' : '{');
        add_label(out, "le", bound);
    }
    buf_text(out, is_labelled ? "} " : " ");
    add_number(out, value);
    buf_char(out, '\n');
}

void metric_value(MetricWriter *w, const MetricLabel *labels, size_t count, double value)
{
    add_line(w, "", labels, count, STR_NULL, value);
}

/* Each bucket counts what is in those below it, too; the last one is the count, whatever is added meanwhile. */
void metric_histogram(MetricWriter *w, const MetricLabel *labels, size_t count, const Histogram *histogram,
                      const Buckets *buckets)
{
    uint64_t below = 0;
    for (size_t i = 0; i <= buckets->count; i++) {
        Buf bound;
        buf_init(&bound, w->out->arena, 24);
        if (i < buckets->count)
            add_number(&bound, (double)buckets->bounds[i] / buckets->per_unit);
        else
            buf_text(&bound, "+Inf");
        below += counter_read(&histogram->counts[i]);
        add_line(w, "_bucket", labels, count, buf_view(&bound), (double)below);
    }
    add_line(w, "_sum", labels, count, STR_NULL, (double)counter_read(&histogram->sum) / buckets->per_unit);
    add_line(w, "_count", labels, count, STR_NULL, (double)below);
}
