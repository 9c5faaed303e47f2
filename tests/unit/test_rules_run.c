/* tests/unit/test_rules_run.c -- rules of both kinds of runs, and the engine around them.
 * Expected values are the reference's. */
#include "world.h"

#include "model/removal.h"

static void a_run_without_a_state_is_pending(void **state)
{
    (void)state;
    FlowRun *run = read_flow_run(new_flow_run(""));
    assert_int_equal(run->run.state_type, STATE_PENDING);
    assert_str(run->run.state_name, "Pending");
    assert_non_null(run->run.state);
    assert_str(run->run.state->state_details.flow_run_id, arena_cstr(world.arena, run->run.id));
    assert_true(run->run.name.n > 0);
    assert_true(run->run.state_timestamp == run->run.state->timestamp);
    assert_true(run->run.expected_start_time == run->run.state->timestamp);
}

static void an_idempotency_key_gives_the_same_run(void **state)
{
    (void)state;
    Call first = create_flow_run("\"idempotency_key\": \"k\", \"name\": \"one\", ");
    Call second = create_flow_run("\"idempotency_key\": \"k\", \"name\": \"two\", ");
    assert_true(first.created);
    assert_false(second.created);
    assert_str(second.flow_run->run.name, "one");
    assert_true(str_eq(first.flow_run->run.id, second.flow_run->run.id));
    assert_non_null(second.flow_run->run.state);
    assert_int_equal(sql_number("SELECT COUNT(*) FROM flow_run_state"), 1);
}

static void the_same_keys_give_the_same_task_run(void **state)
{
    (void)state;
    Str flow_run = new_flow_run("");
    Call first = create_task_run(flow_run, "k", "");
    Call second = create_task_run(flow_run, "k", "\"state\": {\"type\": \"RUNNING\"}, ");
    assert_true(first.created);
    assert_false(second.created);
    assert_int_equal(second.task_run->run.state_type, STATE_PENDING);
}

static void a_run_goes_forward(void **state)
{
    (void)state;
    Str id = new_flow_run("\"state\": {\"type\": \"SCHEDULED\"}, ");
    assert_outcome(set_flow(id, "\"type\": \"PENDING\""), TRANSITION_ACCEPT, STATE_PENDING, "Pending");
    assert_outcome(set_flow(id, "\"type\": \"RUNNING\", \"data\": {\"x\": 1}"), TRANSITION_ACCEPT, STATE_RUNNING,
                   "Running");
    assert_outcome(set_flow(id, "\"type\": \"CANCELLING\""), TRANSITION_ACCEPT, STATE_CANCELLING, "Cancelling");
}

static void a_run_does_not_go_back(void **state)
{
    (void)state;
    Str id = new_flow_run("\"state\": {\"type\": \"RUNNING\", \"data\": 5}, ");
    assert_refused(set_flow(id, "\"type\": \"PENDING\""), TRANSITION_ABORT,
                   "This run cannot transition to the StateType.PENDING state from the StateType.RUNNING state.",
                   STATE_RUNNING);
    assert_refused(set_flow(id, "\"type\": \"RUNNING\""), TRANSITION_ABORT,
                   "This run cannot transition to the StateType.RUNNING state from the StateType.RUNNING state.",
                   STATE_RUNNING);
    assert_str(read_flow_run(id)->run.state->data, "5");
}

static void nothing_changes_where_nothing_is_written(void **state)
{
    (void)state;
    Str id = new_flow_run("\"state\": {\"type\": \"RUNNING\"}, ");
    sql("UPDATE flow_run SET updated = '2000-01-01 00:00:00.000000'");
    set_flow(id, "\"type\": \"PENDING\"");
    assert_int_equal(sql_number("SELECT COUNT(*) FROM flow_run WHERE updated = '2000-01-01 00:00:00.000000'"), 1);
    set_flow(id, "\"type\": \"COMPLETED\"");
    assert_int_equal(sql_number("SELECT COUNT(*) FROM flow_run WHERE updated > '2020-01-01'"), 1);
}

static void the_scheduled_time_is_copied(void **state)
{
    (void)state;
    Str id = new_flow_run("\"state\": {\"type\": \"SCHEDULED\", \"state_details\": {"
                          "\"scheduled_time\": \"2026-01-01T00:00:00+02:00\"}}, ");
    TransitionResult result = set_flow(id, "\"type\": \"PENDING\"");
    Time noon = result.state->state_details.scheduled_time.us;
    assert_true(noon == INT64_C(1767218400) * SECOND);
    assert_int_equal(result.state->state_details.scheduled_time.offset, 7200);

    id = new_flow_run("\"state\": {\"type\": \"SCHEDULED\"}, ");
    result = set_flow(id, "\"type\": \"PENDING\", \"state_details\": {\"scheduled_time\": \"2026-01-02T00:00:00Z\"}");
    assert_true(result.state->state_details.scheduled_time.us == INT64_C(1767312000) * SECOND);
}

/* The operation happens a second after world.now. */
static TransitionResult run_early(int64_t microseconds)
{
    Str due = time_text(world.arena, world.now + 2 * SECOND + microseconds);
    Str members =
        arena_printf(world.arena,
                     "\"state\": {\"type\": \"SCHEDULED\", \"state_details\": {\"scheduled_time\": \"%.*s\"}}, ",
                     STR_ARG(due));
    Str id = new_flow_run(arena_cstr(world.arena, members));
    return set_flow(id, "\"type\": \"RUNNING\"");
}

static void a_run_waits_for_its_time(void **state)
{
    (void)state;
    TransitionResult result = run_early(60 * SECOND);
    assert_refused(result, TRANSITION_WAIT, "Scheduled time is in the future", STATE_SCHEDULED);
    assert_int_equal(result.delay_seconds, 60);
    assert_int_equal(run_early(1600000).delay_seconds, 2);
    assert_int_equal(run_early(1500000).delay_seconds, 1);
    assert_int_equal(run_early(500001).delay_seconds, 1);
}

static void a_run_starts_when_its_time_has_come(void **state)
{
    (void)state;
    assert_outcome(run_early(0), TRANSITION_ACCEPT, STATE_RUNNING, "Running");
    assert_outcome(run_early(500000), TRANSITION_ACCEPT, STATE_RUNNING, "Running");
    assert_outcome(run_early(-600000), TRANSITION_ACCEPT, STATE_RUNNING, "Running");
    assert_outcome(run_early(-3 * SECOND), TRANSITION_ACCEPT, STATE_RUNNING, "Running");
}

static void force_goes_past_the_rules(void **state)
{
    (void)state;
    Str id = new_flow_run("\"state\": {\"type\": \"RUNNING\"}, ");
    assert_outcome(set_flow_with(id, "\"type\": \"RUNNING\"", (TransitionOptions){ .force = true }), TRANSITION_ACCEPT,
                   STATE_RUNNING, "Running");
    assert_int_equal(read_flow_run(id)->run.run_count, 2);
}

static void a_missing_run_is_named(void **state)
{
    (void)state;
    Str id = STR("00000000-0000-0000-0000-000000000000");
    assert_int_equal(flow_error(id, "\"type\": \"PENDING\""), ERR_OBJECT_NOT_FOUND);
    assert_string_equal(world.error.message, "Flow run with id 00000000-0000-0000-0000-000000000000 not found");
    assert_int_equal(task_error(id, "\"type\": \"PENDING\""), ERR_OBJECT_NOT_FOUND);
    assert_string_equal(world.error.message, "Task run with id 00000000-0000-0000-0000-000000000000 not found");
}

static void a_run_that_lost_its_state(void **state)
{
    (void)state;
    Str id = new_flow_run("");
    sql("UPDATE flow_run SET state_id = NULL");
    TransitionResult result = set_flow(id, "\"type\": \"PAUSED\"");
    assert_int_equal(result.status, TRANSITION_ABORT);
    assert_null(result.state);
    assert_str(result.reason,
               "Error validating state: UnmappedInstanceError(\"Class 'builtins.NoneType' is not mapped\")");
    assert_outcome(set_flow(id, "\"type\": \"RUNNING\""), TRANSITION_ACCEPT, STATE_RUNNING, "Running");
}

static void states_of_one_moment_get_different_times(void **state)
{
    (void)state;
    Str id = new_flow_run("");
    Time first = read_flow_run(id)->run.state->timestamp;
    world.now = first - SECOND;
    assert_true(set_flow(id, "\"type\": \"RUNNING\"").state->timestamp == first + 1);
}

static void data_goes_to_an_artifact(void **state)
{
    (void)state;
    new_flow_run("\"state\": {\"type\": \"COMPLETED\", \"data\": {\"b\":[1,2.50]}}, ");
    assert_str(sql_text("SELECT data FROM artifact"), "{\"b\": [1, 2.5]}");
    assert_str(sql_text("SELECT metadata_ FROM artifact"), "null");
    assert_int_equal(sql_number("SELECT COUNT(*) FROM flow_run_state JOIN artifact ON artifact.id = result_artifact_id"
                                " AND artifact.flow_run_id = flow_run_state.flow_run_id"
                                " WHERE flow_run_state.data IS NULL AND key IS NULL"),
                     1);
}

static void older_rows_hold_their_data_themselves(void **state)
{
    (void)state;
    Str id = new_flow_run("\"state\": {\"type\": \"COMPLETED\", \"data\": 7}, ");
    sql("UPDATE flow_run_state SET data = '{\"old\": 1}'");
    assert_str(read_flow_run(id)->run.state->data, "{\"old\": 1}");
    sql("UPDATE flow_run_state SET data = '{}'");
    assert_str(read_flow_run(id)->run.state->data, "7");
}

static bool job_delete_flow_run(Tx *tx, void *arg)
{
    Call *call = arg;
    call->number = flow_run_delete(tx, call->id);
    return call->number >= 0;
}

static void a_deleted_run_takes_along_what_is_its_own(void **state)
{
    (void)state;
    Str id = new_flow_run("\"state\": {\"type\": \"RUNNING\", \"data\": 1}, ");
    Str task = new_task_run(id, "k", "\"state\": {\"type\": \"COMPLETED\", \"data\": 2}, ");
    Str parent = arena_printf(world.arena, "\"parent_task_run_id\": \"%.*s\", ", STR_ARG(task));
    Str child = new_flow_run(arena_cstr(world.arena, parent));
    sql(sql_of(id, "INSERT INTO log (name, level, flow_run_id, message, timestamp) VALUES ('l', 20, ",
               ", 'm', '2026-01-01 00:00:00.000000')"));
    Call call = { .id = id };
    world_must(job_delete_flow_run, &call);
    assert_int_equal(call.number, 1);
    assert_int_equal(sql_number("SELECT COUNT(*) FROM log"), 0);
    assert_int_equal(sql_number("SELECT COUNT(*) FROM artifact"), 0);
    assert_int_equal(sql_number("SELECT COUNT(*) FROM task_run"), 0);
    assert_int_equal(sql_number("SELECT COUNT(*) FROM flow_run_state"), 1);
    assert_null(read_flow_run(child)->parent_task_run_id.p);
    world_must(job_delete_flow_run, &call);
    assert_int_equal(call.number, 0);
}

static void the_answer_is_written(void **state)
{
    (void)state;
    Buf out;
    JsonWriter w;
    buf_init(&out, world.arena, 256);
    json_writer_init(&w, &out, JSON_WIRE);
    transition_write(&w, &(TransitionResult){ .status = TRANSITION_WAIT, .reason = STR("r"), .delay_seconds = 30 });
    assert_str(buf_view(&out), "{\"state\":null,\"status\":\"WAIT\",\"details\":{\"type\":\"wait_details\","
                               "\"delay_seconds\":30,\"reason\":\"r\"}}");
    buf_init(&out, world.arena, 256);
    json_writer_init(&w, &out, JSON_WIRE);
    transition_write(&w, &(TransitionResult){ .status = TRANSITION_ACCEPT });
    assert_str(buf_view(&out), "{\"state\":null,\"status\":\"ACCEPT\",\"details\":{\"type\":\"accept_details\"}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_run_without_a_state_is_pending),
        WORLD_TEST(an_idempotency_key_gives_the_same_run),
        WORLD_TEST(the_same_keys_give_the_same_task_run),
        WORLD_TEST(a_run_goes_forward),
        WORLD_TEST(a_run_does_not_go_back),
        WORLD_TEST(nothing_changes_where_nothing_is_written),
        WORLD_TEST(the_scheduled_time_is_copied),
        WORLD_TEST(a_run_waits_for_its_time),
        WORLD_TEST(a_run_starts_when_its_time_has_come),
        WORLD_TEST(force_goes_past_the_rules),
        WORLD_TEST(a_missing_run_is_named),
        WORLD_TEST(a_run_that_lost_its_state),
        WORLD_TEST(states_of_one_moment_get_different_times),
        WORLD_TEST(data_goes_to_an_artifact),
        WORLD_TEST(older_rows_hold_their_data_themselves),
        WORLD_TEST(a_deleted_run_takes_along_what_is_its_own),
        WORLD_TEST(the_answer_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
