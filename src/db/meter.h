/* db/meter.h -- counts the statements of a connection and takes their time: of each one, if slow ones are to be logged;
 * else of one in 16 on average, chosen at random, which counts for those before it, since two looks at the clock cost
 * as much as a tenth of a small statement. */
#ifndef ORION_METER_H
#define ORION_METER_H

#include "base/clock.h"
#include "base/counter.h"

typedef enum StatementOp {
    STATEMENT_SELECT, STATEMENT_INSERT, STATEMENT_UPDATE, STATEMENT_DELETE, STATEMENT_OTHER, STATEMENT_OPS
} StatementOp;

/* Only the thread that uses the connection adds to it. */
typedef struct Meter {
    struct {
        Counter count, us;
    } by_op[STATEMENT_OPS];
    int64_t slow;        /* microseconds from which a statement is logged; 0: none is */
    uint32_t until;      /* statements until the next one whose time is taken; */
    uint32_t stands_for; /* that is how many it stands for */
    uint32_t random;
} Meter;

/* One statement, from its beginning to its last row. */
typedef struct Timing {
    const char *sql;
    uint32_t weight;     /* 0: its time is not taken */
    int64_t us, since;   /* taken so far; monotonic, while it runs */
} Timing;

Timing meter_begin(Meter *meter, const char *sql);
void meter_end(Meter *meter, const Timing *timing); /* after timing_stop */

static inline void timing_start(Timing *timing)
{
    if (timing->weight)
        timing->since = clock_monotonic();
}

static inline void timing_stop(Timing *timing)
{
    if (timing->weight)
        timing->us += clock_monotonic() - timing->since;
}

/* Logs what took that long, if it is slow. Texts hold no values: those are bound. */
void meter_report(const Meter *meter, const char *sql, int64_t us);

#endif
