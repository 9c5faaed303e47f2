/* tests/unit/test_queue.c -- the order in which jobs are taken, by a writer, by readers, and where many write. One
 * thread takes them all, so that what it would have to wait for is not asked for. */
#include "unit.h"

#include "base/thread.h"
#include "db/threads.h"

enum { THREADS = 8, WRITES_MAX = 6 }; /* a quarter of the connections is kept for reads */

static bool is_connected(const DbConnection *connection)
{
    (void)connection;
    return true;
}

static unsigned connected(const DbPlace *place)
{
    (void)place;
    return THREADS;
}

static const Driver driver = { .is_connected = is_connected, .connected = connected };

typedef struct Fixture {
    Db db;
    DbWorker worker;
    Queue *queue;
} Fixture;

static int open_queue(void **state)
{
    Fixture *f = xcalloc(1, sizeof *f);
    f->db.driver = &driver;
    f->worker.db = &f->db;
    f->queue = &f->db.reads;
    queue_init(f->queue);
    *state = f;
    return 0;
}

static int open_crowd(void **state)
{
    open_queue(state);
    crowd_init(&((Fixture *)*state)->db, THREADS);
    return 0;
}

static int close_queue(void **state)
{
    Fixture *f = *state;
    if (f->queue->crowd)
        pthread_cond_destroy(&f->db.crowd.needed);
    queue_free(f->queue);
    free(f);
    return 0;
}

static void put(Fixture *f, Job *job)
{
    assert_true(queue_put(f->queue, job));
}

/* ---- one writes ---- */

static void a_writer_takes_all_kinds_in_order(void **state)
{
    Fixture *f = *state;
    Job jobs[5] = { { .write = true }, { .write = false }, { .write = true }, { .write = true }, { .write = false } };
    for (size_t i = 0; i < COUNT_OF(jobs); i++)
        put(f, &jobs[i]);
    assert_ptr_equal(queue_take(f->queue, 3), &jobs[0]);
    assert_ptr_equal(jobs[0].next, &jobs[1]);
    assert_ptr_equal(jobs[1].next, &jobs[2]);
    assert_null(jobs[2].next);
    put(f, &jobs[0]);
    assert_ptr_equal(queue_take(f->queue, 9), &jobs[3]);
    assert_ptr_equal(jobs[3].next, &jobs[4]);
    assert_ptr_equal(jobs[4].next, &jobs[0]);
    assert_null(jobs[0].next);
}

/* A step holds up whatever is committed with it, so it waits for none and only those that come after it wait. */
static void a_step_begins_a_batch(void **state)
{
    Fixture *f = *state;
    Job steps[2] = { { .write = true, .is_long = true, .steps = 1 }, { .write = true, .is_long = true, .steps = 1 } };
    Job jobs[3] = { { .write = true }, { .write = true }, { .write = true } };
    put(f, &jobs[0]);
    put(f, &steps[0]);
    put(f, &steps[1]);
    put(f, &jobs[1]);
    assert_ptr_equal(queue_take(f->queue, 9), &jobs[0]);
    assert_ptr_equal(jobs[0].next, &jobs[1]);
    assert_null(jobs[1].next);
    put(f, &jobs[2]);
    assert_ptr_equal(queue_take(f->queue, 9), &steps[0]);
    assert_ptr_equal(steps[0].next, &jobs[2]);
    assert_null(jobs[2].next);
    assert_ptr_equal(queue_take(f->queue, 9), &steps[1]);
    assert_null(steps[1].next);
}

static void steps_wait_for_housekeeping_but_not_for_ever(void **state)
{
    Fixture *f = *state;
    Job step = { .write = true, .is_long = true, .steps = 1 }, job = { .write = true };
    queue_hold_steps(f->queue, true);
    put(f, &step);
    put(f, &job);
    assert_ptr_equal(queue_take(f->queue, 9), &job);
    assert_null(job.next);
    queue_hold_steps(f->queue, false);
    assert_ptr_equal(queue_take(f->queue, 9), &step);
    queue_hold_steps(f->queue, true);
    put(f, &step);
    queue_close(f->queue);
    assert_false(queue_put(f->queue, &step)); /* what it has done stays, and it does no more */
    assert_ptr_equal(queue_take(f->queue, 9), &step);
    assert_null(queue_take(f->queue, 9));
}

static void *put_later(void *argument)
{
    static Job late = { .write = true };
    Fixture *f = argument;
    nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000 * 1000 }, NULL);
    put(f, &late);
    return NULL;
}

static void a_writer_lets_others_come(void **state)
{
    Fixture *f = *state;
    Job jobs[2] = { { .write = true }, { .write = true } };
    const int64_t long_us = 10 * 1000 * 1000;
    int64_t began = clock_monotonic();
    put(f, &jobs[0]);
    queue_gather(f->queue, 1, long_us); /* for nobody, if one is enough */
    put(f, &jobs[1]);
    queue_gather(f->queue, 2, long_us);
    pthread_t thread;
    assert_true(thread_start(&thread, put_later, f));
    queue_gather(f->queue, 3, long_us); /* until the third has come */
    pthread_join(thread, NULL);
    assert_true(clock_monotonic() - began < long_us);
    assert_ptr_equal(queue_take(f->queue, 9), &jobs[0]);
    assert_non_null(jobs[1].next);

    put(f, &jobs[0]);
    began = clock_monotonic();
    queue_gather(f->queue, 2, 50 * 1000); /* nobody comes */
    assert_true(clock_monotonic() - began >= 50 * 1000);
    assert_ptr_equal(queue_take(f->queue, 9), &jobs[0]);
}

static void a_reader_learns_that_nothing_has_come(void **state)
{
    Fixture *f = *state;
    Job job = { .is_long = true };
    const int64_t long_us = 10 * 1000 * 1000;
    int64_t began = clock_monotonic();
    assert_false(queue_wait(f->queue, false, 50 * 1000));
    assert_true(clock_monotonic() - began >= 50 * 1000);
    began = clock_monotonic();
    pthread_t thread;
    assert_true(thread_start(&thread, put_later, f));
    assert_true(queue_wait(f->queue, false, long_us));
    pthread_join(thread, NULL);
    assert_non_null(queue_take(f->queue, 1));
    put(f, &job);
    assert_true(queue_wait(f->queue, false, long_us));
    assert_false(queue_wait(f->queue, true, 1000)); /* which may not take it */
    queue_close(f->queue);
    assert_true(queue_wait(f->queue, true, long_us));
    assert_ptr_equal(queue_take_read(f->queue, true), &job);
    assert_true(clock_monotonic() - began < long_us);
}

static void a_kept_reader_takes_no_long_reads(void **state)
{
    Fixture *f = *state;
    Job jobs[4] = { { .is_long = true }, { .is_long = false }, { .is_long = false }, { .is_long = false } };
    for (size_t i = 0; i < 3; i++)
        put(f, &jobs[i]);
    assert_ptr_equal(queue_take_read(f->queue, true), &jobs[1]);
    queue_put_long(f->queue, &jobs[1]); /* which came before the last one */
    put(f, &jobs[3]);
    assert_ptr_equal(queue_take_read(f->queue, false), &jobs[0]);
    assert_ptr_equal(queue_take_read(f->queue, false), &jobs[1]);
    assert_ptr_equal(queue_take_read(f->queue, false), &jobs[2]);
    assert_ptr_equal(queue_take_read(f->queue, false), &jobs[3]);
    put(f, &jobs[0]);
    queue_close(f->queue);
    assert_ptr_equal(queue_take_read(f->queue, true), &jobs[0]); /* the others may be gone */
    assert_null(queue_take_read(f->queue, true));
    assert_false(queue_put(f->queue, &jobs[0]));
}

/* ---- many write ---- */

static void reads_pass_writes_that_must_wait(void **state)
{
    Fixture *f = *state;
    Job writes[WRITES_MAX + 2] = { 0 }, reads[3] = { 0 };
    put(f, &reads[0]);
    for (size_t i = 0; i < COUNT_OF(writes); i++) {
        writes[i].write = true;
        put(f, &writes[i]);
    }
    put(f, &reads[1]);
    assert_ptr_equal(crowd_take(&f->worker), &reads[0]);
    for (size_t i = 0; i < WRITES_MAX; i++)
        assert_ptr_equal(crowd_take(&f->worker), &writes[i]);
    assert_ptr_equal(crowd_take(&f->worker), &reads[1]);
    put(f, &reads[2]);
    crowd_done(&f->worker, &writes[0]);
    assert_ptr_equal(crowd_take(&f->worker), &writes[WRITES_MAX]);
    assert_ptr_equal(crowd_take(&f->worker), &reads[2]);
    crowd_done(&f->worker, &writes[1]);
    assert_ptr_equal(crowd_take(&f->worker), &writes[WRITES_MAX + 1]);
}

static void steps_get_a_quarter_of_the_connections(void **state)
{
    Fixture *f = *state;
    Job steps[THREADS / 4 + 1] = { 0 }, write = { .write = true };
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        steps[i] = (Job){ .write = true, .is_long = true, .steps = 1 };
        put(f, &steps[i]);
    }
    put(f, &write);
    for (size_t i = 0; i < THREADS / 4; i++)
        assert_ptr_equal(crowd_take(&f->worker), &steps[i]);
    assert_ptr_equal(crowd_take(&f->worker), &write);
    crowd_done(&f->worker, &steps[0]);
    assert_ptr_equal(crowd_take(&f->worker), &steps[THREADS / 4]);
}

static void one_connection_is_kept_from_long_reads(void **state)
{
    Fixture *f = *state;
    Job longs[THREADS] = { 0 }, read = { 0 };
    for (size_t i = 0; i < COUNT_OF(longs); i++) {
        longs[i].is_long = true;
        put(f, &longs[i]);
    }
    put(f, &read);
    for (size_t i = 0; i < THREADS - 1; i++)
        assert_ptr_equal(crowd_take(&f->worker), &longs[i]);
    assert_ptr_equal(crowd_take(&f->worker), &read);
    crowd_done(&f->worker, &longs[0]);
    assert_ptr_equal(crowd_take(&f->worker), &longs[THREADS - 1]);
}

static void a_read_that_made_room_is_the_last(void **state)
{
    Fixture *f = *state;
    Job jobs[4] = { { .write = false }, { .write = true }, { .write = false }, { .write = false } };
    for (size_t i = 0; i < 3; i++)
        put(f, &jobs[i]);
    assert_ptr_equal(crowd_take(&f->worker), &jobs[0]);
    crowd_put_long(&f->worker, &jobs[0]);
    put(f, &jobs[3]);
    assert_ptr_equal(crowd_take(&f->worker), &jobs[1]);
    assert_ptr_equal(crowd_take(&f->worker), &jobs[2]);
    assert_ptr_equal(crowd_take(&f->worker), &jobs[0]);
    assert_ptr_equal(crowd_take(&f->worker), &jobs[3]);
}

static void a_job_that_comes_back_is_the_first(void **state)
{
    Fixture *f = *state;
    Job jobs[3] = { { .write = true }, { .write = false }, { .write = true } };
    put(f, &jobs[0]);
    assert_ptr_equal(crowd_take(&f->worker), &jobs[0]);
    crowd_return(&f->worker, &jobs[0]); /* to an empty queue */
    put(f, &jobs[1]);
    put(f, &jobs[2]);
    assert_ptr_equal(crowd_take(&f->worker), &jobs[0]);
    crowd_return(&f->worker, &jobs[0]);
    for (size_t i = 0; i < COUNT_OF(jobs); i++)
        assert_ptr_equal(crowd_take(&f->worker), &jobs[i]);
}

/* A read that runs long is asked to make room only for what no idle thread could take. */
static void others_are_noted_while_all_are_at_work(void **state)
{
    Fixture *f = *state;
    Job running[THREADS] = { 0 }, waiting = { .write = true }, last = { .is_long = true }, read = { 0 };
    for (size_t i = 0; i < COUNT_OF(running); i++) {
        running[i].write = i < WRITES_MAX;
        put(f, &running[i]);
    }
    assert_false(f->queue->others);
    for (size_t i = 0; i < COUNT_OF(running); i++)
        assert_non_null(crowd_take(&f->worker));
    put(f, &waiting); /* for other writes */
    put(f, &last);
    assert_false(f->queue->others);
    put(f, &read);
    assert_true(f->queue->others);
    crowd_done(&f->worker, &running[WRITES_MAX]);
    assert_false(f->queue->others);
    assert_ptr_equal(crowd_take(&f->worker), &last);
    assert_true(f->queue->others);
    crowd_done(&f->worker, &running[WRITES_MAX + 1]);
    assert_ptr_equal(crowd_take(&f->worker), &read);
    assert_false(f->queue->others);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_writer_takes_all_kinds_in_order, open_queue, close_queue),
        cmocka_unit_test_setup_teardown(a_step_begins_a_batch, open_queue, close_queue),
        cmocka_unit_test_setup_teardown(steps_wait_for_housekeeping_but_not_for_ever, open_queue, close_queue),
        cmocka_unit_test_setup_teardown(a_writer_lets_others_come, open_queue, close_queue),
        cmocka_unit_test_setup_teardown(a_reader_learns_that_nothing_has_come, open_queue, close_queue),
        cmocka_unit_test_setup_teardown(a_kept_reader_takes_no_long_reads, open_queue, close_queue),
        cmocka_unit_test_setup_teardown(reads_pass_writes_that_must_wait, open_crowd, close_queue),
        cmocka_unit_test_setup_teardown(steps_get_a_quarter_of_the_connections, open_crowd, close_queue),
        cmocka_unit_test_setup_teardown(one_connection_is_kept_from_long_reads, open_crowd, close_queue),
        cmocka_unit_test_setup_teardown(a_read_that_made_room_is_the_last, open_crowd, close_queue),
        cmocka_unit_test_setup_teardown(a_job_that_comes_back_is_the_first, open_crowd, close_queue),
        cmocka_unit_test_setup_teardown(others_are_noted_while_all_are_at_work, open_crowd, close_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
