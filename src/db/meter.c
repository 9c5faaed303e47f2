/* db/meter.c -- how many statements there are of each kind, what they take, and which are slow. */
#include "db/meter.h"

#include "base/log.h"

enum { GAP = 31 }; /* statements between two whose time is taken, at most; 16 on average */

static StatementOp op_of(const char *sql)
{
    switch (sql[0]) {
    case 'S': return STATEMENT_SELECT;
    case 'I': return STATEMENT_INSERT;
    case 'U': return STATEMENT_UPDATE;
    case 'D': return STATEMENT_DELETE;
    case 'W': return strstr(sql, "INSERT INTO") ? STATEMENT_INSERT : STATEMENT_SELECT;
    default: return STATEMENT_OTHER;
    }
}

/* At random, since a transaction's statements come in the same order each time. */
static uint32_t next_gap(Meter *meter)
{
    meter->random = meter->random * 1664525 + 1013904223;
    return 1 + (meter->random >> 16) % GAP;
}

static uint32_t weight_of(Meter *meter)
{
    if (meter->slow)
        return 1;
    if (meter->until > 1) {
        meter->until--;
        return 0;
    }
    uint32_t weight = meter->stands_for ? meter->stands_for : 1;
    meter->until = meter->stands_for = next_gap(meter);
    return weight;
}

Timing meter_begin(Meter *meter, const char *sql)
{
    Timing timing = { .sql = sql, .weight = weight_of(meter) };
    counter_add_alone(&meter->by_op[op_of(sql)].count, 1);
    timing_start(&timing);
    return timing;
}

void meter_end(Meter *meter, const Timing *timing)
{
    if (!timing->weight)
        return;
    counter_add_alone(&meter->by_op[op_of(timing->sql)].us, timing->weight * (uint64_t)timing->us);
    meter_report(meter, timing->sql, timing->us);
}

void meter_report(const Meter *meter, const char *sql, int64_t us)
{
    if (meter->slow && us >= meter->slow)
        log_warning("orion.db.slow", "%.1f ms: %s", (double)us / 1e3, sql);
}
