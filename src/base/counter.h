/* base/counter.h -- numbers that any thread adds to and any other reads, without locks: what the server says about
 * itself. They order nothing, and together they are not of one moment. */
#ifndef ORION_COUNTER_H
#define ORION_COUNTER_H

#include <stdatomic.h>

#include "base/base.h"

typedef _Atomic uint64_t Counter;

static inline void counter_add(Counter *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* Where only one thread adds: cheaper, since nothing is locked. */
static inline void counter_add_alone(Counter *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline uint64_t counter_read(const Counter *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* ---- distributions ---- */

/* The upper bounds of a histogram's buckets, ascending; what is larger than all goes into one more. */
typedef struct Buckets {
    const int64_t *bounds;
    size_t count;         /* at most BUCKETS_MAX */
    double per_unit;      /* bounds are in so many parts of the base unit: 1e6 if they are microseconds */
} Buckets;
enum { BUCKETS_MAX = 16 };

extern const Buckets buckets_of_requests; /* 250 us to 10 s */
extern const Buckets buckets_of_commits;  /* 50 us to 2.5 s */
extern const Buckets buckets_of_batches;  /* 1 to 128 */

typedef struct Histogram {
    Counter counts[BUCKETS_MAX + 1]; /* by bucket, those below not included */
    Counter sum;                     /* in the bounds' unit */
} Histogram;

void histogram_add(Histogram *histogram, const Buckets *buckets, int64_t value);
uint64_t histogram_count(const Histogram *histogram);

#endif
