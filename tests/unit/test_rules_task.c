/* tests/unit/test_rules_task.c -- rules of task runs: the cache, slots, ends, retries, names.
 * Expected values are the reference's. */
#include "world.h"

#define ENDED "This run has already terminated."
#define FLOW_NOT_RUNNING "The enclosing flow must be running to begin task execution."

static Str running_flow(void)
{
    return new_flow_run("\"state\": {\"type\": \"RUNNING\"}, ");
}

static void force_task(Str id, const char *state)
{
    assert_int_equal(set_task_with(id, state, (TransitionOptions){ .force = true }).status, TRANSITION_ACCEPT);
}

static void force_flow(Str id, const char *state)
{
    assert_int_equal(set_flow_with(id, state, (TransitionOptions){ .force = true }).status, TRANSITION_ACCEPT);
}

/* ---- CacheInsertion, CacheRetrieval ---- */

#define WITH_KEY ", \"state_details\": {\"cache_key\": \"key\"}"

static void complete_cached(Str flow, const char *details)
{
    Str id = new_task_run(flow, "first", "");
    set_task(id, "\"type\": \"RUNNING\"");
    set_task(id, arena_cstr(world.arena, arena_printf(
        world.arena, "\"type\": \"COMPLETED\", \"data\": \"d\", \"message\": \"m\", \"state_details\": {%s}",
        details)));
}

static void a_cached_result_is_taken_over(void **state)
{
    (void)state;
    Str flow = running_flow();
    complete_cached(flow, "\"cache_key\": \"key\"");
    assert_int_equal(sql_number("SELECT COUNT(*) FROM task_run_state_cache"), 1);
    Str id = new_task_run(flow, "second", "");
    TransitionResult result = set_task(id, "\"type\": \"RUNNING\"" WITH_KEY);
    assert_outcome(result, TRANSITION_REJECT, STATE_COMPLETED, "Cached");
    assert_str(result.reason, "Retrieved state from cache");
    assert_str(result.state->data, "\"d\"");
    assert_str(result.state->message, "m");
    assert_true(str_eq(result.state->state_details.task_run_id, id));
    assert_int_equal(sql_number("SELECT COUNT(*) FROM task_run_state_cache"), 1);
    assert_int_equal(sql_number("SELECT COUNT(*) FROM artifact"), 2);
    assert_int_equal(read_task_run(id)->run.run_count, 0);
}

static void the_cache_is_passed_by(void **state)
{
    (void)state;
    Str flow = running_flow();
    complete_cached(flow, "\"cache_key\": \"key\"");
    assert_outcome(set_task(new_task_run(flow, "none", ""), "\"type\": \"RUNNING\""), TRANSITION_ACCEPT, STATE_RUNNING,
                   "Running");
    assert_outcome(set_task(new_task_run(flow, "refresh", ""),
                            "\"type\": \"RUNNING\","
                            " \"state_details\": {\"cache_key\": \"key\", \"refresh_cache\": true}"),
                   TRANSITION_ACCEPT, STATE_RUNNING, "Running");
    assert_outcome(set_task(new_task_run(flow, "other", ""),
                            "\"type\": \"RUNNING\", \"state_details\": {\"cache_key\": \"other\"}"),
                   TRANSITION_ACCEPT, STATE_RUNNING, "Running");
}

static void a_cached_result_expires(void **state)
{
    (void)state;
    Str flow = running_flow();
    complete_cached(flow, "\"cache_key\": \"key\", \"cache_expiration\": \"2020-01-01T00:00:00Z\"");
    assert_outcome(set_task(new_task_run(flow, "k", ""), "\"type\": \"RUNNING\"" WITH_KEY), TRANSITION_ACCEPT,
                   STATE_RUNNING, "Running");
}

static void a_cached_end_can_be_taken_again(void **state)
{
    (void)state;
    Str flow = running_flow();
    complete_cached(flow, "\"cache_key\": \"key\"");
    Str id = new_task_run(flow, "k", "\"state\": {\"type\": \"COMPLETED\"}, ");
    assert_outcome(set_task(id, "\"type\": \"RUNNING\"" WITH_KEY), TRANSITION_REJECT, STATE_COMPLETED, "Cached");
}

static void the_last_result_counts_though_the_clock_was_set_back(void **state)
{
    (void)state;
    Str flow = running_flow();
    complete_cached(flow, "\"cache_key\": \"key\"");
    world.now -= 3600 * SECOND;
    Str id = new_task_run(flow, "refreshed", "");
    set_task(id, "\"type\": \"RUNNING\"");
    set_task(id, "\"type\": \"COMPLETED\", \"message\": \"last\"" WITH_KEY);
    TransitionResult result = set_task(new_task_run(flow, "k", ""), "\"type\": \"RUNNING\"" WITH_KEY);
    assert_outcome(result, TRANSITION_REJECT, STATE_COMPLETED, "Cached");
    assert_str(result.state->message, "last");
}

/* ---- HandleTaskTerminalStateTransitions ---- */

static void an_end_is_an_end(void **state)
{
    (void)state;
    Str flow = running_flow();
    static const char *const ends[] = { "COMPLETED", "FAILED", "CRASHED", "CANCELLED" };
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        Str id = new_task_run(flow, ends[i], "");
        set_task(id, "\"type\": \"RUNNING\"");
        force_task(id, arena_cstr(world.arena, arena_printf(world.arena, "\"type\": \"%s\"", ends[i])));
        TransitionResult result = set_task(id, "\"type\": \"RUNNING\"");
        assert_int_equal(result.status, TRANSITION_ABORT);
        assert_str(result.reason, ENDED);
        assert_str(str_from(state_type_names[result.state->type]), ends[i]);
        assert_int_equal(set_task(id, "\"type\": \"SCHEDULED\"").status, TRANSITION_ABORT);
    }
}

static void a_failed_task_runs_again_with_its_flow(void **state)
{
    (void)state;
    Str flow = running_flow();
    Str id = new_task_run(flow, "k", "");
    set_task(id, "\"type\": \"RUNNING\"");
    set_task(id, "\"type\": \"FAILED\"");
    assert_int_equal(read_task_run(id)->flow_run_run_count, 1);
    force_flow(flow, "\"type\": \"RUNNING\"");
    assert_outcome(set_task(id, "\"type\": \"RUNNING\""), TRANSITION_ACCEPT, STATE_RUNNING, "Retrying");
    TaskRun *run = read_task_run(id);
    assert_int_equal(run->run.run_count, 1);
    assert_int_equal(run->flow_run_run_count, 2);
}

static void a_fizzled_rerun_keeps_its_count(void **state)
{
    (void)state;
    Str flow = running_flow();
    Str id = new_task_run(flow, "k", "");
    set_task(id, "\"type\": \"RUNNING\"");
    set_task(id, "\"type\": \"FAILED\"");
    force_flow(flow, "\"type\": \"RUNNING\"");
    force_flow(flow, "\"type\": \"COMPLETED\"");
    assert_refused(set_task(id, "\"type\": \"RUNNING\""), TRANSITION_ABORT, FLOW_NOT_RUNNING, STATE_FAILED);
    assert_int_equal(read_task_run(id)->run.run_count, 1);
}

/* ---- PreventRunningTasksFromStoppedFlows ---- */

static void tasks_run_only_in_running_flows(void **state)
{
    (void)state;
    Str flow = new_flow_run("");
    Str id = new_task_run(flow, "k", "");
    assert_refused(set_task(id, "\"type\": \"RUNNING\""), TRANSITION_ABORT, FLOW_NOT_RUNNING, STATE_PENDING);
    sql("UPDATE flow_run SET state_id = NULL");
    assert_refused(set_task(id, "\"type\": \"RUNNING\""), TRANSITION_ABORT, FLOW_NOT_RUNNING, STATE_PENDING);
    force_flow(flow, "\"type\": \"RUNNING\"");
    assert_outcome(set_task(id, "\"type\": \"RUNNING\""), TRANSITION_ACCEPT, STATE_RUNNING, "Running");
}

static void tasks_of_a_paused_flow_are_not_ready(void **state)
{
    (void)state;
    Str flow = running_flow();
    Str id = new_task_run(flow, "k", "");
    set_flow(flow, "\"type\": \"PAUSED\"");
    TransitionResult result = set_task(id, "\"type\": \"RUNNING\"");
    assert_outcome(result, TRANSITION_REJECT, STATE_PAUSED, "NotReady");
    Str reason = arena_printf(world.arena, "The flow is paused, new tasks can execute after resuming flow run: %.*s.",
                              STR_ARG(flow));
    assert_true(str_eq(result.reason, reason));
    set_flow(flow, "\"type\": \"RUNNING\"");
    assert_outcome(set_task(id, "\"type\": \"RUNNING\""), TRANSITION_ACCEPT, STATE_RUNNING, "Running");
}

/* ---- SecureTaskConcurrencySlots, ReleaseTaskConcurrencySlots ---- */

static void limit(const char *tag, int count)
{
    sql(arena_cstr(world.arena,
                   arena_printf(world.arena, "INSERT INTO concurrency_limit (tag, concurrency_limit) VALUES ('%s', %d)",
                                tag, count)));
}

static Str slots(const char *tag)
{
    return sql_text(
        arena_cstr(world.arena,
                   arena_printf(world.arena, "SELECT active_slots FROM concurrency_limit WHERE tag = '%s'", tag)));
}

static void assert_slots(const char *tag, Str first, Str second)
{
    Str none = STR("[]");
    Str one = arena_printf(world.arena, "[\"%.*s\"]", STR_ARG(first));
    Str two = arena_printf(world.arena, "[\"%.*s\", \"%.*s\"]", STR_ARG(first), STR_ARG(second));
    assert_str(slots(tag), arena_cstr(world.arena, second.p ? two : first.p ? one : none));
}

static void a_slot_is_held_while_running(void **state)
{
    (void)state;
    limit("a", 2);
    Str flow = running_flow();
    Str one = new_task_run(flow, "one", "\"tags\": [\"a\", \"a\", \"free\"], "),
        two = new_task_run(flow, "two", "\"tags\": [\"a\"], ");
    set_task(one, "\"type\": \"RUNNING\"");
    set_task(two, "\"type\": \"RUNNING\"");
    assert_slots("a", one, two);
    set_task(one, "\"type\": \"CANCELLING\"");
    assert_slots("a", one, two);
    set_task(one, "\"type\": \"CANCELLED\"");
    assert_slots("a", two, STR_NULL);
    force_task(two, "\"type\": \"SCHEDULED\"");
    assert_slots("a", STR_NULL, STR_NULL);
}

static void a_full_tag_makes_wait(void **state)
{
    (void)state;
    limit("a", 1);
    Str flow = running_flow();
    Str one = new_task_run(flow, "one", "\"tags\": [\"a\"], "), two = new_task_run(flow, "two", "\"tags\": [\"a\"], ");
    set_task(one, "\"type\": \"RUNNING\"");
    TransitionResult result = set_task(two, "\"type\": \"RUNNING\"");
    assert_refused(result, TRANSITION_WAIT, "Concurrency limit for the a tag has been reached", STATE_PENDING);
    assert_int_equal(result.delay_seconds, 30);
    assert_slots("a", one, STR_NULL);
    set_task(one, "\"type\": \"COMPLETED\"");
    assert_outcome(set_task(two, "\"type\": \"RUNNING\""), TRANSITION_ACCEPT, STATE_RUNNING, "Running");
}

static void a_limit_of_none_aborts(void **state)
{
    (void)state;
    limit("zero", 0);
    limit("a", 1);
    Str id = new_task_run(running_flow(), "k", "\"tags\": [\"a\", \"zero\"], ");
    assert_refused(set_task(id, "\"type\": \"RUNNING\""), TRANSITION_ABORT,
                   "The concurrency limit on tag \"zero\" is 0 and will deadlock if the task tries to run again.",
                   STATE_PENDING);
    assert_slots("a", STR_NULL, STR_NULL);
}

/* The reference would keep the slot of "b" here, and wait for itself ever after. */
static void who_waits_holds_no_slot(void **state)
{
    (void)state;
    limit("a", 1);
    limit("b", 1);
    Str flow = running_flow();
    Str one = new_task_run(flow, "one", "\"tags\": [\"a\"], "),
        two = new_task_run(flow, "two", "\"tags\": [\"b\", \"a\"], ");
    set_task(one, "\"type\": \"RUNNING\"");
    assert_refused(set_task(two, "\"type\": \"RUNNING\""), TRANSITION_WAIT,
                   "Concurrency limit for the a tag has been reached", STATE_PENDING);
    assert_slots("b", STR_NULL, STR_NULL);
    set_task(one, "\"type\": \"COMPLETED\"");
    assert_outcome(set_task(two, "\"type\": \"RUNNING\""), TRANSITION_ACCEPT, STATE_RUNNING, "Running");
}

static void a_fizzled_start_gives_its_slot_back(void **state)
{
    (void)state;
    limit("a", 1);
    Str id = new_task_run(running_flow(), "k", "\"tags\": [\"a\"], \"state\": {\"type\": \"SCHEDULED\","
                                               " \"state_details\": {\"scheduled_time\": \"2099-01-01T00:00:00Z\"}}, ");
    assert_refused(set_task(id, "\"type\": \"RUNNING\""), TRANSITION_WAIT, "Scheduled time is in the future",
                   STATE_SCHEDULED);
    assert_slots("a", STR_NULL, STR_NULL);
}

static void a_cached_result_needs_no_slot(void **state)
{
    (void)state;
    limit("zero", 0);
    Str flow = running_flow();
    complete_cached(flow, "\"cache_key\": \"key\"");
    Str id = new_task_run(flow, "k", "\"tags\": [\"zero\"], ");
    assert_outcome(set_task(id, "\"type\": \"RUNNING\"" WITH_KEY), TRANSITION_REJECT, STATE_COMPLETED, "Cached");
}

/* ---- RetryFailedTasks ---- */

static Str attempt(const char *policy)
{
    static unsigned number;
    Str members = arena_printf(world.arena, "\"empirical_policy\": {%s}, ", policy);
    Str key = arena_printf(world.arena, "attempt%u", number++);
    Str id = new_task_run(running_flow(), arena_cstr(world.arena, key), arena_cstr(world.arena, members));
    set_task(id, "\"type\": \"RUNNING\"");
    return id;
}

/* Microseconds until the retry, or -1 where the task failed for good. */
static int64_t retry_after(Str id)
{
    TransitionResult result = set_task(id, "\"type\": \"FAILED\", \"message\": \"m\", \"data\": 1");
    if (result.status == TRANSITION_ACCEPT)
        return -1;
    assert_outcome(result, TRANSITION_REJECT, STATE_SCHEDULED, "AwaitingRetry");
    assert_str(result.reason, "Retrying");
    assert_str(result.state->message, "m");
    assert_str(result.state->data, "1");
    return result.state->state_details.scheduled_time.us - world.now;
}

static void a_retry_cannot_lie_beyond_the_calendar(void **state)
{
    (void)state;
    static const char *const delays[] = { "9000000000000000000", "300000000000", "-300000000000" };
    for (size_t i = 0; i < COUNT_OF(delays); i++) {
        Str id = attempt(
            arena_cstr(world.arena, arena_printf(world.arena, "\"retries\": 1, \"retry_delay\": %s", delays[i])));
        assert_int_equal(task_error(id, "\"type\": \"FAILED\""), ERR_INTERNAL);
        assert_int_equal(read_task_run(id)->run.state_type, STATE_RUNNING);
    }
}

static void a_failed_task_is_retried(void **state)
{
    (void)state;
    Str id = attempt("\"retries\": 1, \"retry_delay\": 3");
    assert_int_equal(retry_after(id), 3 * SECOND);
    world.now += 3 * SECOND;
    assert_outcome(set_task(id, "\"type\": \"RUNNING\""), TRANSITION_ACCEPT, STATE_RUNNING, "Retrying");
    assert_int_equal(read_task_run(id)->run.run_count, 2);
    assert_int_equal(retry_after(id), -1);
    assert_int_equal(retry_after(attempt("")), -1);
    assert_int_equal(retry_after(attempt("\"retries\": 1")), 0);
    assert_int_equal(retry_after(attempt("\"max_retries\": 1, \"retry_delay_seconds\": 2.5")), 2 * SECOND);
}

static void delays_come_from_a_list(void **state)
{
    (void)state;
    Str id = attempt("\"retries\": 5, \"retry_delay\": [1, 2]");
    static const int64_t seconds[] = { 1, 2, 2 };
    for (size_t i = 0; i < COUNT_OF(seconds); i++) {
        assert_int_equal(retry_after(id), seconds[i] * SECOND);
        world.now += 5 * SECOND;
        set_task(id, "\"type\": \"RUNNING\"");
    }
    assert_int_equal(task_error(attempt("\"retries\": 1, \"retry_delay\": []"), "\"type\": \"FAILED\""), ERR_INTERNAL);
}

static void delays_jitter_within_bounds(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        int64_t us = retry_after(attempt("\"retries\": 1, \"retry_delay\": 100, \"retry_jitter_factor\": 1"));
        assert_true(us <= 200 * SECOND + 1);
        assert_true(us >= 41503749); /* 100 * log2(4 / 3) */
    }
    assert_int_equal(task_error(attempt("\"retries\": 1, \"retry_jitter_factor\": 1"), "\"type\": \"FAILED\""),
                     ERR_INTERNAL);
}

/* ---- RenameReruns ---- */

static void reruns_are_named(void **state)
{
    (void)state;
    Str id = attempt("");
    force_task(id, "\"type\": \"PENDING\"");
    assert_outcome(set_task(id, "\"type\": \"RUNNING\", \"name\": \"Mine\""), TRANSITION_ACCEPT, STATE_RUNNING,
                   "Rerunning");
    force_task(id, "\"type\": \"SCHEDULED\", \"name\": \"AwaitingRetry\"");
    assert_outcome(set_task(id, "\"type\": \"RUNNING\""), TRANSITION_ACCEPT, STATE_RUNNING, "Retrying");
    assert_str(read_task_run(id)->run.state_name, "Retrying");
}

/* ---- PreventRedundantTransitions, for task runs ---- */

static void a_task_does_not_go_back(void **state)
{
    (void)state;
    assert_refused(set_task(attempt(""), "\"type\": \"PENDING\""), TRANSITION_ABORT,
                   "This run cannot transition to the StateType.PENDING state from the StateType.RUNNING state.",
                   STATE_RUNNING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_cached_result_is_taken_over),
        WORLD_TEST(the_cache_is_passed_by),
        WORLD_TEST(a_cached_result_expires),
        WORLD_TEST(a_cached_end_can_be_taken_again),
        WORLD_TEST(the_last_result_counts_though_the_clock_was_set_back),
        WORLD_TEST(an_end_is_an_end),
        WORLD_TEST(a_failed_task_runs_again_with_its_flow),
        WORLD_TEST(a_fizzled_rerun_keeps_its_count),
        WORLD_TEST(tasks_run_only_in_running_flows),
        WORLD_TEST(tasks_of_a_paused_flow_are_not_ready),
        WORLD_TEST(a_slot_is_held_while_running),
        WORLD_TEST(a_full_tag_makes_wait),
        WORLD_TEST(a_limit_of_none_aborts),
        WORLD_TEST(who_waits_holds_no_slot),
        WORLD_TEST(a_fizzled_start_gives_its_slot_back),
        WORLD_TEST(a_cached_result_needs_no_slot),
        WORLD_TEST(a_failed_task_is_retried),
        WORLD_TEST(a_retry_cannot_lie_beyond_the_calendar),
        WORLD_TEST(delays_come_from_a_list),
        WORLD_TEST(delays_jitter_within_bounds),
        WORLD_TEST(reruns_are_named),
        WORLD_TEST(a_task_does_not_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
