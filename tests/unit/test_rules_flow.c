/* tests/unit/test_rules_flow.c -- rules of flow runs: ends, cancelling, pauses, retries, notifications.
 * Expected values are the reference's. */
#include "world.h"

#include "base/uuid.h"

#define DEPLOYMENT_ID "de000000-0000-4000-8000-00000000000d"
#define ENDED "This run has already terminated."
#define CANCELLING_ONLY "Cannot transition flows that are cancelling to a state other than Cancelled."

static void make_deployment(void)
{
    sql("INSERT INTO deployment (id, name, flow_id) VALUES ('" DEPLOYMENT_ID "', 'd', '" FLOW_ID "')");
}

static Str running(const char *members)
{
    return new_flow_run(
        arena_cstr(world.arena, arena_printf(world.arena, "%s\"state\": {\"type\": \"RUNNING\"}, ", members)));
}

static const FlowRunPolicy *policy_of(Str id)
{
    return &read_flow_run(id)->empirical_policy;
}

/* ---- HandleFlowTerminalStateTransitions ---- */

static void an_end_is_an_end(void **state)
{
    (void)state;
    static const char *const ends[] = { "COMPLETED", "FAILED", "CRASHED", "CANCELLED" };
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        Str id = new_flow_run(
            arena_cstr(world.arena, arena_printf(world.arena, "\"state\": {\"type\": \"%s\"}, ", ends[i])));
        TransitionResult result = set_flow(id, "\"type\": \"RUNNING\"");
        assert_int_equal(result.status, TRANSITION_ABORT);
        assert_str(result.reason, ENDED);
        assert_str(str_from(state_type_names[result.state->type]), ends[i]);
        assert_refused(set_flow(id, "\"type\": \"SCHEDULED\""), TRANSITION_ABORT, ENDED, result.state->type);
    }
}

static void a_run_of_a_deployment_can_be_restarted(void **state)
{
    (void)state;
    make_deployment();
    Str id = new_flow_run("\"deployment_id\": \"" DEPLOYMENT_ID
                          "\", \"empirical_policy\": {\"pause_keys\": [\"k\"], \"resuming\": true}, "
                          "\"state\": {\"type\": \"PENDING\"}, ");
    set_flow_with(id, "\"type\": \"FAILED\"", (TransitionOptions){ .force = true, .api_version = 803 });
    assert_str(policy_of(id)->pause_keys, "[\"k\"]");
    assert_outcome(set_flow(id, "\"type\": \"SCHEDULED\", \"name\": \"AwaitingRetry\""), TRANSITION_ACCEPT,
                   STATE_SCHEDULED, "AwaitingRetry");
    assert_str(policy_of(id)->pause_keys, "[]");
    assert_false(policy_of(id)->resuming.v);
}

static void another_run_cannot_but_forgets_its_pauses(void **state)
{
    (void)state;
    Str id = new_flow_run("\"empirical_policy\": {\"pause_keys\": [\"k\"]}, \"state\": {\"type\": \"FAILED\"}, ");
    assert_refused(set_flow_with(id, "\"type\": \"SCHEDULED\", \"name\": \"AwaitingRetry\"",
                                 (TransitionOptions){ .api_version = 803 }),
                   TRANSITION_ABORT, "Cannot restart a run without an associated deployment.", STATE_FAILED);
    assert_str(policy_of(id)->pause_keys, "[\"k\"]");
    assert_refused(set_flow(id, "\"type\": \"SCHEDULED\", \"name\": \"AwaitingRetry\""), TRANSITION_ABORT,
                   "Cannot restart a run without an associated deployment.", STATE_FAILED);
    assert_str(policy_of(id)->pause_keys, "[]");
}

static void a_fizzled_restart_gives_the_pauses_back(void **state)
{
    (void)state;
    make_deployment();
    Str id = new_flow_run(
        "\"deployment_id\": \"" DEPLOYMENT_ID
        "\", \"empirical_policy\": {\"pause_keys\": [\"k\"]}, \"state\": {\"type\": \"CANCELLED\"}, ");
    assert_refused(set_flow(id, "\"type\": \"SCHEDULED\", \"name\": \"AwaitingRetry\""), TRANSITION_REJECT,
                   CANCELLING_ONLY, STATE_CANCELLED);
    assert_str(policy_of(id)->pause_keys, "[\"k\"]");
}

/* ---- HandleCancellingStateTransitions ---- */

static void a_cancelling_run_can_only_be_cancelled(void **state)
{
    (void)state;
    Str id = running("");
    set_flow(id, "\"type\": \"CANCELLING\"");
    assert_refused(set_flow(id, "\"type\": \"COMPLETED\""), TRANSITION_REJECT, CANCELLING_ONLY, STATE_CANCELLING);
    assert_refused(set_flow(id, "\"type\": \"RUNNING\""), TRANSITION_REJECT, CANCELLING_ONLY, STATE_CANCELLING);
    assert_outcome(set_flow(id, "\"type\": \"CANCELLED\""), TRANSITION_ACCEPT, STATE_CANCELLED, "Cancelled");
}

/* ---- HandlePausingFlows ---- */

static void a_running_flow_is_paused_once_for_each_key(void **state)
{
    (void)state;
    Str id = running("");
    assert_outcome(set_flow(id, "\"type\": \"PAUSED\", \"state_details\": {\"pause_key\": \"k\"}"), TRANSITION_ACCEPT,
                   STATE_PAUSED, "Paused");
    assert_str(policy_of(id)->pause_keys, "[\"k\"]");
    set_flow(id, "\"type\": \"RUNNING\"");
    assert_refused(set_flow(id, "\"type\": \"PAUSED\", \"state_details\": {\"pause_key\": \"k\"}"), TRANSITION_REJECT,
                   "This pause has already fired.", STATE_RUNNING);
    assert_outcome(set_flow(id, "\"type\": \"PAUSED\", \"name\": \"Mine\""), TRANSITION_ACCEPT, STATE_PAUSED, "Mine");
    assert_int_equal(policy_of(id)->pause_keys.n, strlen("[\"k\", \"\"]") + UUID_TEXT);
}

static void only_running_flows_are_paused(void **state)
{
    (void)state;
    Str id = new_flow_run("");
    assert_refused(set_flow(id, "\"type\": \"PAUSED\""), TRANSITION_REJECT,
                   "Cannot pause flows that are not currently running.", STATE_PENDING);
    id = running("\"empirical_policy\": {\"pause_keys\": null}, ");
    assert_int_equal(flow_error(id, "\"type\": \"PAUSED\""), ERR_INTERNAL);
}

static void pauses_that_reschedule_need_a_deployment(void **state)
{
    (void)state;
    const char *pause = "\"type\": \"PAUSED\", \"state_details\": {\"pause_reschedule\": true}";
    assert_refused(set_flow(running(""), pause), TRANSITION_ABORT,
                   "Cannot pause flows without a deployment with the reschedule option.", STATE_RUNNING);
    Str parent = running("");
    Str task = new_task_run(parent, "k", "");
    Str child = running(
        arena_cstr(world.arena, arena_printf(world.arena, "\"parent_task_run_id\": \"%.*s\", ", STR_ARG(task))));
    assert_refused(set_flow(child, pause), TRANSITION_ABORT, "Cannot pause subflows with the reschedule option.",
                   STATE_RUNNING);
    make_deployment();
    assert_outcome(set_flow(running("\"deployment_id\": \"" DEPLOYMENT_ID "\", "), pause), TRANSITION_ACCEPT,
                   STATE_PAUSED, "Paused");
}

/* ---- HandleResumingPausedFlows ---- */

static void a_paused_run_resumes(void **state)
{
    (void)state;
    Str id = running("");
    set_flow(id, "\"type\": \"PAUSED\"");
    assert_outcome(set_flow(id, "\"type\": \"RUNNING\""), TRANSITION_ACCEPT, STATE_RUNNING, "Running");
    FlowRun *run = read_flow_run(id);
    assert_int_equal(run->run.run_count, 2); /* the mark comes after the count: only the next attempt is spared */
    assert_true(run->empirical_policy.resuming.v);
    set_flow(id, "\"type\": \"COMPLETED\"");
    assert_false(policy_of(id)->resuming.v);
}

static void a_rescheduled_pause_does_not_count_twice(void **state)
{
    (void)state;
    make_deployment();
    Str id = running("\"deployment_id\": \"" DEPLOYMENT_ID "\", ");
    set_flow(id, "\"type\": \"PAUSED\", \"state_details\": {\"pause_reschedule\": true}");
    assert_outcome(set_flow(id, "\"type\": \"SCHEDULED\", \"name\": \"Resuming\""), TRANSITION_ACCEPT, STATE_SCHEDULED,
                   "Resuming");
    assert_outcome(set_flow(id, "\"type\": \"RUNNING\""), TRANSITION_ACCEPT, STATE_RUNNING, "Running");
    FlowRun *run = read_flow_run(id);
    assert_int_equal(run->run.run_count, 1);
    assert_false(run->empirical_policy.resuming.v);
}

static void some_ways_out_of_a_pause_are_closed(void **state)
{
    (void)state;
    Str id = running("");
    set_flow(id, "\"type\": \"PAUSED\"");
    assert_refused(set_flow(id, "\"type\": \"PENDING\""), TRANSITION_REJECT,
                   "This run cannot transition to the StateType.PENDING state from the StateType.PAUSED state.",
                   STATE_PAUSED);
    assert_true(policy_of(id)->resuming.v); /* the rejected transition leaves its mark */
    id = running("");
    set_flow_with(id, "\"type\": \"PAUSED\", \"state_details\": {\"pause_reschedule\": true}",
                  (TransitionOptions){ .force = true });
    assert_refused(set_flow(id, "\"type\": \"RUNNING\""), TRANSITION_REJECT,
                   "Cannot reschedule a paused flow run without a deployment.", STATE_PAUSED);
}

static void a_pause_times_out(void **state)
{
    (void)state;
    Str id = running("");
    set_flow(id, "\"type\": \"PAUSED\", \"state_details\": {\"pause_timeout\": \"2020-01-01T00:00:00Z\"}");
    TransitionResult result = set_flow(id, "\"type\": \"RUNNING\"");
    assert_outcome(result, TRANSITION_REJECT, STATE_FAILED, "Failed");
    assert_str(result.reason, "The flow run pause has timed out and can no longer resume.");
    assert_str(result.state->message, "The flow was paused and never resumed.");
    assert_true(policy_of(id)->resuming.v);
}

/* ---- RetryFailedFlows ---- */

static void a_failed_flow_is_retried(void **state)
{
    (void)state;
    Str id = running("\"empirical_policy\": {\"retries\": 1, \"retry_delay\": 10, \"pause_keys\": [\"k\"]}, ");
    TransitionResult result = set_flow(id, "\"type\": \"FAILED\", \"message\": \"m\", \"data\": [1]");
    assert_outcome(result, TRANSITION_REJECT, STATE_SCHEDULED, "AwaitingRetry");
    assert_str(result.reason, "Retrying");
    assert_str(result.state->message, "m");
    assert_str(result.state->data, "[1]");
    Time due = world.now + 10 * SECOND;
    assert_true(result.state->state_details.scheduled_time.us == due);
    FlowRun *run = read_flow_run(id);
    assert_str(run->empirical_policy.pause_keys, "[]");
    assert_true(run->run.next_scheduled_start_time == due);

    world.now += 10 * SECOND;
    set_flow(id, "\"type\": \"RUNNING\"");
    assert_outcome(set_flow(id, "\"type\": \"FAILED\""), TRANSITION_ACCEPT, STATE_FAILED, "Failed");
}

static void a_flow_without_retries_fails(void **state)
{
    (void)state;
    assert_outcome(set_flow(running(""), "\"type\": \"FAILED\""), TRANSITION_ACCEPT, STATE_FAILED, "Failed");
    assert_outcome(set_flow(running("\"empirical_policy\": {\"retries\": 0}, "), "\"type\": \"FAILED\""),
                   TRANSITION_ACCEPT, STATE_FAILED, "Failed");
}

static void a_retry_cannot_lie_beyond_the_calendar(void **state)
{
    (void)state;
    static const char *const delays[] = { "9000000000000000000", "-9000000000000000000", "300000000000",
                                          "-300000000000" };
    for (size_t i = 0; i < COUNT_OF(delays); i++) {
        Str policy = arena_printf(world.arena, "\"empirical_policy\": {\"retries\": 1, \"retry_delay\": %s}, ",
                                  delays[i]);
        Str id = running(arena_cstr(world.arena, policy));
        assert_int_equal(flow_error(id, "\"type\": \"FAILED\""), ERR_INTERNAL);
        assert_int_equal(read_flow_run(id)->run.state_type, STATE_RUNNING);
    }
}

static void old_clients_get_their_tasks_rescheduled(void **state)
{
    (void)state;
    Str id = running("\"empirical_policy\": {\"retries\": 1, \"pause_keys\": [\"k\"]}, ");
    Str failed = new_task_run(id, "a", "\"state\": {\"type\": \"RUNNING\"}, ");
    Str completed = new_task_run(id, "b", "\"state\": {\"type\": \"COMPLETED\"}, ");
    set_task(failed, "\"type\": \"FAILED\"");
    set_flow_with(id, "\"type\": \"FAILED\"", (TransitionOptions){ .api_version = 802 });
    TaskRun *task = read_task_run(failed);
    assert_str(task->run.state_name, "AwaitingRetry");
    assert_int_equal(task->run.run_count, 0);
    assert_int_equal(read_task_run(completed)->run.state_type, STATE_COMPLETED);
    assert_str(policy_of(id)->pause_keys, "[\"k\"]");
}

static void newer_clients_reschedule_tasks_themselves(void **state)
{
    (void)state;
    Str id = running("\"empirical_policy\": {\"retries\": 1}, ");
    Str failed = new_task_run(id, "a", "\"state\": {\"type\": \"FAILED\"}, ");
    set_flow_with(id, "\"type\": \"FAILED\"", (TransitionOptions){ .api_version = 803 });
    assert_int_equal(read_task_run(failed)->run.state_type, STATE_FAILED);
}

/* ---- notifications ---- */

static int64_t queued(void)
{
    return sql_number("SELECT COUNT(*) FROM flow_run_notification_queue");
}

static void notifications_are_queued(void **state)
{
    (void)state;
    Str id = running("\"tags\": [\"a\", \"b\"], ");
    sql("INSERT INTO block_type (id, name, slug) VALUES ('b1000000-0000-4000-8000-000000000001', 't', 't')");
    sql("INSERT INTO block_schema (id, checksum, block_type_id)"
        " VALUES ('b2000000-0000-4000-8000-000000000001', 'c', 'b1000000-0000-4000-8000-000000000001')");
    sql("INSERT INTO block_document (id, name, block_schema_id, block_type_id) VALUES"
        " ('b3000000-0000-4000-8000-000000000001', 'n', 'b2000000-0000-4000-8000-000000000001', "
        "'b1000000-0000-4000-8000-000000000001')");
    sql("INSERT INTO flow_run_notification_policy (is_active, state_names, tags, block_document_id) VALUES"
        " (true, '[\"Failed\", \"Mine\"]', '[]', 'b3000000-0000-4000-8000-000000000001'),"
        " (true, '[]', '[\"x\", \"b\"]', 'b3000000-0000-4000-8000-000000000001'),"
        " (true, '[]', '[\"x\"]', 'b3000000-0000-4000-8000-000000000001'),"
        " (false, '[]', '[]', 'b3000000-0000-4000-8000-000000000001')");
    set_flow(id, "\"type\": \"CANCELLING\"");
    assert_int_equal(queued(), 1);
    set_flow(id, "\"type\": \"RUNNING\""); /* rejected without a state: the present one is told again */
    assert_int_equal(queued(), 2);
    assert_int_equal(sql_number("SELECT COUNT(DISTINCT flow_run_state_id) FROM flow_run_notification_queue"), 1);
    set_flow(id, "\"type\": \"CANCELLED\", \"name\": \"Mine\"");
    assert_int_equal(queued(), 4);
    set_flow(id, "\"type\": \"RUNNING\""); /* aborted */
    assert_int_equal(queued(), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(an_end_is_an_end),
        WORLD_TEST(a_run_of_a_deployment_can_be_restarted),
        WORLD_TEST(another_run_cannot_but_forgets_its_pauses),
        WORLD_TEST(a_fizzled_restart_gives_the_pauses_back),
        WORLD_TEST(a_cancelling_run_can_only_be_cancelled),
        WORLD_TEST(a_running_flow_is_paused_once_for_each_key),
        WORLD_TEST(only_running_flows_are_paused),
        WORLD_TEST(pauses_that_reschedule_need_a_deployment),
        WORLD_TEST(a_paused_run_resumes),
        WORLD_TEST(a_rescheduled_pause_does_not_count_twice),
        WORLD_TEST(some_ways_out_of_a_pause_are_closed),
        WORLD_TEST(a_pause_times_out),
        WORLD_TEST(a_failed_flow_is_retried),
        WORLD_TEST(a_flow_without_retries_fails),
        WORLD_TEST(a_retry_cannot_lie_beyond_the_calendar),
        WORLD_TEST(old_clients_get_their_tasks_rescheduled),
        WORLD_TEST(newer_clients_reschedule_tasks_themselves),
        WORLD_TEST(notifications_are_queued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
