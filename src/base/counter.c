/* base/counter.c -- distributions, and the buckets that the server's own are kept in. */
#include "base/counter.h"

static const int64_t request_bounds[] = { 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
                                          1000000, 2500000, 10000000 };
static const int64_t commit_bounds[] = { 50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
                                         500000, 1000000, 2500000 };
static const int64_t batch_bounds[] = { 1, 2, 4, 8, 16, 32, 64, 128 };

const Buckets buckets_of_requests = { request_bounds, COUNT_OF(request_bounds), 1e6 };
const Buckets buckets_of_commits = { commit_bounds, COUNT_OF(commit_bounds), 1e6 };
const Buckets buckets_of_batches = { batch_bounds, COUNT_OF(batch_bounds), 1 };

void histogram_add(Histogram *histogram, const Buckets *buckets, int64_t value)
{
    size_t i = 0;
    while (i < buckets->count && value > buckets->bounds[i])
        i++;
    counter_add(&histogram->counts[i], 1);
    counter_add(&histogram->sum, value > 0 ? (uint64_t)value : 0);
}

uint64_t histogram_count(const Histogram *histogram)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= BUCKETS_MAX; i++)
        count += counter_read(&histogram->counts[i]);
    return count;
}
