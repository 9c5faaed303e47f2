/* tests/unit/test_transforms.c -- the bookkeeping on runs. Expected values are the reference's. */
#include "world.h"

static const TransitionOptions by_force = { .force = true };

static void the_run_shows_its_state(void **state)
{
    (void)state;
    Str id = new_flow_run("");
    State *now = set_flow(id, "\"type\": \"RUNNING\", \"name\": \"Mine\"").state;
    FlowRun *run = read_flow_run(id);
    assert_int_equal(run->run.state_type, STATE_RUNNING);
    assert_str(run->run.state_name, "Mine");
    assert_true(run->run.state_timestamp == now->timestamp);
    assert_true(str_eq(run->run.state_id, now->id));
}

static void times_of_a_run(void **state)
{
    (void)state;
    Str id = new_flow_run("");
    Time start = set_flow(id, "\"type\": \"RUNNING\"").state->timestamp;
    Time end = set_flow(id, "\"type\": \"COMPLETED\"").state->timestamp;
    FlowRun *run = read_flow_run(id);
    assert_true(run->run.start_time == start);
    assert_true(run->run.end_time == end);
    assert_int_equal(run->run.total_run_time, end - start);
    assert_int_equal(run->run.estimated_run_time, end - start);
    set_flow_with(id, "\"type\": \"RUNNING\"", by_force);
    run = read_flow_run(id);
    assert_true(run->run.start_time == start);
    assert_true(run->run.end_time == TIME_NULL);
    assert_int_equal(run->run.run_count, 2);
    assert_int_equal(run->run.estimated_run_time, end - start + SECOND); /* reading comes a second later */
}

static void an_end_without_a_start_has_no_time(void **state)
{
    (void)state;
    Str id = new_flow_run("\"state\": {\"type\": \"COMPLETED\"}, ");
    assert_true(read_flow_run(id)->run.end_time == TIME_NULL);
}

static void the_interval_is_stored_as_the_reference_does(void **state)
{
    (void)state;
    Str id = new_flow_run("\"state\": {\"type\": \"RUNNING\"}, ");
    set_flow(id, "\"type\": \"COMPLETED\"");
    assert_str(sql_text("SELECT CAST(total_run_time AS TEXT) FROM flow_run"),
               by_engine("1970-01-01 00:00:01.000000", "00:00:01"));
}

static void expected_and_next_start(void **state)
{
    (void)state;
    Str id = new_flow_run("\"state\": {\"type\": \"SCHEDULED\", \"state_details\": {"
                          "\"scheduled_time\": \"2026-01-01T00:00:00+02:00\"}}, ");
    Time due = INT64_C(1767218400) * SECOND;
    FlowRun *run = read_flow_run(id);
    assert_true(run->run.expected_start_time == due);
    assert_true(run->run.next_scheduled_start_time == due);
    set_flow(id, "\"type\": \"PENDING\"");
    run = read_flow_run(id);
    assert_true(run->run.expected_start_time == due);
    assert_true(run->run.next_scheduled_start_time == TIME_NULL);
    set_flow(id, "\"type\": \"RUNNING\"");
    run = read_flow_run(id);
    assert_int_equal(run->run.estimated_start_time_delta, run->run.start_time - due);
}

static void a_scheduled_state_without_a_time_is_for_now(void **state)
{
    (void)state;
    FlowRun *run = read_flow_run(new_flow_run("\"state\": {\"type\": \"SCHEDULED\"}, "));
    assert_true(run->run.next_scheduled_start_time == run->run.state->timestamp);
    assert_int_equal(run->run.estimated_start_time_delta, SECOND);
}

static void states_name_their_runs(void **state)
{
    (void)state;
    const char *lie =
        "\"type\": \"RUNNING\", \"state_details\": {\"flow_run_id\": \"00000000-0000-0000-0000-000000000000\","
        " \"task_run_id\": \"00000000-0000-0000-0000-000000000000\"}";
    Str flow = new_flow_run("");
    StateDetails details = set_flow(flow, lie).state->state_details;
    assert_true(str_eq(details.flow_run_id, flow));
    assert_str(details.task_run_id, "00000000-0000-0000-0000-000000000000");
    Str task = new_task_run(flow, "k", "");
    details = set_task(task, lie).state->state_details;
    assert_true(str_eq(details.flow_run_id, flow));
    assert_true(str_eq(details.task_run_id, task));
}

static void a_subflow_moves_its_parent_task(void **state)
{
    (void)state;
    Str flow = new_flow_run("\"state\": {\"type\": \"RUNNING\"}, ");
    Str task = new_task_run(flow, "k", "");
    Str child = new_flow_run(
        arena_cstr(world.arena, arena_printf(world.arena, "\"parent_task_run_id\": \"%.*s\", ", STR_ARG(task))));
    State *own = set_flow(child, "\"type\": \"RUNNING\", \"message\": \"m\", \"data\": 3").state;
    assert_true(str_eq(own->state_details.task_run_id, task));
    assert_true(str_eq(own->state_details.flow_run_id, child));
    assert_null(own->state_details.child_flow_run_id.p);

    TaskRun *parent = read_task_run(task);
    assert_int_equal(parent->run.state_type, STATE_RUNNING);
    assert_int_equal(parent->run.run_count, 1);
    assert_str(parent->run.state->message, "m");
    assert_str(parent->run.state->data, "3");
    assert_true(str_eq(parent->run.state->state_details.child_flow_run_id, child));
    assert_true(str_eq(parent->run.state->state_details.flow_run_id, flow));
    assert_false(str_eq(parent->run.state->id, own->id));

    set_flow(child, "\"type\": \"PENDING\""); /* aborted: the parent stays */
    assert_int_equal(sql_number("SELECT COUNT(*) FROM task_run_state"), 3);
}

static void runs_are_counted(void **state)
{
    (void)state;
    Str flow = new_flow_run("\"empirical_policy\": {\"resuming\": true}, ");
    set_flow(flow, "\"type\": \"RUNNING\"");
    FlowRun *run = read_flow_run(flow);
    assert_int_equal(run->run.run_count, 0);
    assert_false(run->empirical_policy.resuming.v);

    flow = new_flow_run("\"empirical_policy\": {\"resuming\": true}, ");
    set_flow_with(flow, "\"type\": \"RUNNING\"", (TransitionOptions){ .api_version = 803 });
    run = read_flow_run(flow);
    assert_int_equal(run->run.run_count, 1);
    assert_true(run->empirical_policy.resuming.v);

    Str task = new_task_run(flow, "k", "");
    set_task(task, "\"type\": \"RUNNING\"");
    TaskRun *task_run = read_task_run(task);
    assert_int_equal(task_run->run.run_count, 1);
    assert_int_equal(task_run->flow_run_run_count, 1);
}

static void details_are_stored_as_the_reference_does(void **state)
{
    (void)state;
    Str id = new_flow_run("\"state\": {\"type\": \"PENDING\", \"state_details\": {\"cache_key\": \"\\u00e9\", "
                          "\"pause_timeout\": \"2026-01-01T00:00:00+02:00\"}}, ");
    Str details = sql_text(sql_of(id, "SELECT REPLACE(CAST(state_details AS TEXT), ", ", 'ID') FROM flow_run_state"));
    assert_str(details, by_engine("{\"flow_run_id\": \"ID\", \"task_run_id\": null, \"child_flow_run_id\": null, "
                                  "\"scheduled_time\": null, \"cache_key\": \"\\u00e9\", \"cache_expiration\": null,"
                                  " \"untrackable_result\": false, \"pause_timeout\": \"2026-01-01T00:00:00+02:00\","
                                  " \"pause_reschedule\": false, \"pause_key\": null, \"refresh_cache\": null}",
                                  /* jsonb has an order of its own */
                                  "{\"cache_key\": \"\xc3\xa9\", \"pause_key\": null, \"flow_run_id\": \"ID\", "
                                  "\"task_run_id\": null, \"pause_timeout\": \"2026-01-01T00:00:00+02:00\","
                                  " \"refresh_cache\": null, \"scheduled_time\": null, \"cache_expiration\": null,"
                                  " \"pause_reschedule\": false, \"child_flow_run_id\": null, "
                                  "\"untrackable_result\": false}"));
    assert_str(sql_text("SELECT empirical_policy FROM flow_run"),
               by_engine("{\"max_retries\": 0, \"retry_delay_seconds\": 0.0, \"retries\": null, \"retry_delay\": null, "
                         "\"pause_keys\": [], \"resuming\": false}",
                         "{\"retries\": null, \"resuming\": false, \"pause_keys\": [], \"max_retries\": 0, "
                         "\"retry_delay\": null, \"retry_delay_seconds\": 0.0}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(the_run_shows_its_state),
        WORLD_TEST(times_of_a_run),
        WORLD_TEST(an_end_without_a_start_has_no_time),
        WORLD_TEST(the_interval_is_stored_as_the_reference_does),
        WORLD_TEST(expected_and_next_start),
        WORLD_TEST(a_scheduled_state_without_a_time_is_for_now),
        WORLD_TEST(states_name_their_runs),
        WORLD_TEST(a_subflow_moves_its_parent_task),
        WORLD_TEST(runs_are_counted),
        WORLD_TEST(details_are_stored_as_the_reference_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
