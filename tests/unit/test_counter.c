/* tests/unit/test_counter.c -- counters, distributions, and the sampling of statements. */
#include "unit.h"

#include "base/counter.h"
#include "db/meter.h"

static void values_fall_into_buckets(void **state)
{
    (void)state;
    static const int64_t values[] = { -5, 0, 1, 2, 3, 128, 129, INT64_MAX };
    Histogram histogram = { .sum = 0 };
    for (size_t i = 0; i < 7; i++)
        histogram_add(&histogram, &buckets_of_batches, values[i]);
    assert_int_equal(histogram_count(&histogram), 7);
    assert_int_equal(counter_read(&histogram.counts[0]), 3); /* up to 1 */
    assert_int_equal(counter_read(&histogram.counts[1]), 1);
    assert_int_equal(counter_read(&histogram.counts[2]), 1);
    assert_int_equal(counter_read(&histogram.counts[7]), 1); /* 128 is its own bucket's bound */
    assert_int_equal(counter_read(&histogram.counts[8]), 1);
    assert_int_equal(counter_read(&histogram.sum), 1 + 2 + 3 + 128 + 129); /* no negative time shrinks it */
    histogram_add(&histogram, &buckets_of_batches, values[7]);
    assert_int_equal(counter_read(&histogram.counts[8]), 2);
}

static void bounds_ascend(void **state)
{
    (void)state;
    const Buckets *all[] = { &buckets_of_requests, &buckets_of_commits, &buckets_of_batches };
    for (size_t b = 0; b < COUNT_OF(all); b++) {
        assert_true(all[b]->count <= BUCKETS_MAX);
        for (size_t i = 1; i < all[b]->count; i++)
            assert_true(all[b]->bounds[i - 1] < all[b]->bounds[i]);
    }
}

static void statements_are_told_apart(void **state)
{
    (void)state;
    static const struct { const char *sql; StatementOp op; } statements[] = {
        { "SELECT 1", STATEMENT_SELECT }, { "INSERT INTO flow (id) VALUES ($1)", STATEMENT_INSERT },
        { "UPDATE flow SET id = $1", STATEMENT_UPDATE }, { "DELETE FROM flow", STATEMENT_DELETE },
        { "WITH a AS (INSERT INTO flow (id) VALUES ($1) RETURNING id) SELECT 1", STATEMENT_INSERT },
        { "WITH a AS (SELECT 1) SELECT 1 FROM a", STATEMENT_SELECT }, { "PRAGMA x", STATEMENT_OTHER },
        { "", STATEMENT_OTHER },
    };
    for (size_t i = 0; i < COUNT_OF(statements); i++) {
        Meter meter = { .slow = 0 };
        Timing timing = meter_begin(&meter, statements[i].sql);
        timing_stop(&timing);
        meter_end(&meter, &timing);
        for (StatementOp op = 0; op < STATEMENT_OPS; op++)
            assert_int_equal(counter_read(&meter.by_op[op].count), op == statements[i].op);
    }
}

/* Those whose time is taken stand for all before them, and none is the same each time in a transaction of any length:
 * each of its statements has about its share. */
static void samples_stand_for_all(void **state)
{
    (void)state;
    enum { ALL = 320000 };
    for (size_t length = 1; length <= 40; length++) {
        Meter meter = { .slow = 0 };
        uint64_t stood_for = 0, first = 0, taken = 0;
        for (size_t i = 0; i < ALL; i++) {
            Timing timing = meter_begin(&meter, "SELECT 1");
            stood_for += timing.weight;
            taken += timing.weight > 0;
            first += i % length == 0 ? timing.weight : 0;
        }
        assert_true(stood_for <= ALL + 31 && stood_for + 31 >= ALL);
        assert_in_range(taken, ALL / 17, ALL / 15);
        assert_in_range(first, ALL / length * 3 / 4, ALL / length * 5 / 4);
        assert_int_equal(counter_read(&meter.by_op[STATEMENT_SELECT].count), ALL);
    }
}

static void all_are_timed_to_find_slow_ones(void **state)
{
    (void)state;
    Meter meter = { .slow = INT64_MAX };
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(meter_begin(&meter, "SELECT 1").weight, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_fall_into_buckets),
        cmocka_unit_test(bounds_ascend),
        cmocka_unit_test(statements_are_told_apart),
        cmocka_unit_test(samples_stand_for_all),
        cmocka_unit_test(all_are_timed_to_find_slow_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
