/* tests/unit/test_run_bodies.c -- what clients may send to make and change runs.
 * Expected errors are pydantic's on the reference's models. */
#include "unit.h"

#include "model/run_bodies.h"

#define RUN_ID "6fb2b2b8-6d3a-4a6b-8f3a-7d2f4d5f1a11"
#define KEYS "\"flow_run_id\": \"" RUN_ID "\", \"task_key\": \"k\", \"dynamic_key\": \"0\""
#define INT_ERROR(loc) "{\"loc\":" loc ",\"msg\":\"value is not a valid integer\",\"type\":\"type_error.integer\"}"
#define MISSING(loc) "{\"loc\":" loc ",\"msg\":\"field required\",\"type\":\"value_error.missing\"}"
#define NOT_NULL(loc) \
    "{\"loc\":" loc ",\"msg\":\"none is not an allowed value\",\"type\":\"type_error.none.not_allowed\"}"
#define NOT_A_LIST(loc) "{\"loc\":" loc ",\"msg\":\"value is not a valid list\",\"type\":\"type_error.list\"}"

static Arena *arena;

static int open_arena(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static bool decode(const Model *model, const char *text, void *object, Invalid *invalid)
{
    const Json *json;
    JsonError error;
    assert_true(json_parse(arena, str_from(text), &json, &error));
    invalid_init(invalid, arena, 0);
    return codec_decode(invalid, model, json, object, NULL);
}

static const char *errors_of(const Model *model, const char *text)
{
    Invalid invalid;
    void *object = arena_alloc(arena, model->size);
    return decode(model, text, object, &invalid) ? "none" : buf_cstr(&invalid.items);
}

static const char *stored(const Model *model, const char *text)
{
    Invalid invalid;
    void *object = arena_alloc(arena, model->size);
    bool ok = decode(model, text, object, &invalid);
    assert_string_equal(invalid.items.n ? buf_cstr(&invalid.items) : "", "");
    assert_true(ok);
    return arena_cstr(arena, codec_stored(arena, model, object));
}

static void a_task_policy_has_one_delay_or_many(void **state)
{
    (void)state;
    const Model *model = &task_run_policy_model;
    const struct { const char *sent, *kept; } cases[] = {
        { "{}", "null" }, { "{\"retry_delay\": \"3\"}", "3" }, { "{\"retry_delay\": [1, \"2\"]}", "[1, 2]" },
        { "{\"retry_delay\": 1.7}", "1" }, { "{\"retry_delay\": true}", "1" }, { "{\"retry_delay\": [1.5]}", "[1]" },
        { "{\"retry_delay\": []}", "[]" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Str expected = arena_printf(arena,
                                    "{\"max_retries\": 0, \"retry_delay_seconds\": 0.0, \"retries\": null, "
                                    "\"retry_delay\": %s, \"retry_jitter_factor\": null}",
                                    cases[i].kept);
        assert_string_equal(stored(model, cases[i].sent), arena_cstr(arena, expected));
    }
    assert_string_equal(errors_of(model, "{\"retry_delay\": \"x\"}"),
                        INT_ERROR("[\"retry_delay\"]") "," NOT_A_LIST("[\"retry_delay\"]"));
    assert_string_equal(errors_of(model, "{\"retry_delay\": [\"x\", 1]}"),
                        INT_ERROR("[\"retry_delay\"]") "," INT_ERROR("[\"retry_delay\",0]"));
    assert_string_equal(errors_of(model, "{\"retry_delay\": [null]}"),
                        INT_ERROR("[\"retry_delay\"]") "," NOT_NULL("[\"retry_delay\",0]"));
}

static void a_task_policy_is_checked(void **state)
{
    (void)state;
    assert_string_equal(errors_of(&task_run_policy_model, "{\"retry_jitter_factor\": -1}"),
                        "{\"loc\":[\"retry_jitter_factor\"],\"msg\":\"`retry_jitter_factor` must be >= 0.\","
                        "\"type\":\"value_error\"}");
    assert_string_equal(errors_of(&task_run_policy_model,
                                  "{\"retry_delay\": [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
                                  "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}"),
                        "{\"loc\":[\"retry_delay\"],\"msg\":\"Can not configure more than 50 retry delays per task.\","
                        "\"type\":\"value_error\"}");
    assert_string_equal(errors_of(&task_run_policy_model, "{\"max_retries\": null}"), NOT_NULL("[\"max_retries\"]"));
}

static void deprecated_fields_still_work(void **state)
{
    (void)state;
    assert_string_equal(stored(&task_run_policy_model, "{\"max_retries\": 3, \"retries\": 0,"
                                                       " \"retry_delay_seconds\": 2.5, \"retry_delay\": []}"),
                        "{\"max_retries\": 3, \"retry_delay_seconds\": 2.5, \"retries\": 3, \"retry_delay\": 2, "
                        "\"retry_jitter_factor\": null}");
    assert_string_equal(stored(&flow_run_policy_model, "{\"max_retries\": -1, \"retry_delay_seconds\": 2.5, "
                                                       "\"retry_delay\": 4, \"resuming\": null, \"pause_keys\": null}"),
                        "{\"max_retries\": -1, \"retry_delay_seconds\": 2.5, \"retries\": -1, \"retry_delay\": 4, "
                        "\"pause_keys\": null, \"resuming\": null}");
}

static void pause_keys_are_a_set(void **state)
{
    (void)state;
    const Model *model = &flow_run_policy_model;
    assert_non_null(strstr(stored(model, "{\"pause_keys\": [\"a\", \"b\", \"a\", 1, null]}"),
                           "\"pause_keys\": [\"a\", \"b\", 1, null]"));
    assert_string_equal(errors_of(model, "{\"pause_keys\": {\"a\": 1}}"),
                        "{\"loc\":[\"pause_keys\"],\"msg\":\"value is not a valid set\",\"type\":\"type_error.set\"}");
    assert_string_equal(errors_of(model, "{\"pause_keys\": [[1]]}"),
                        "{\"loc\":[\"pause_keys\"],\"msg\":\"unhashable type: 'list'\",\"type\":\"type_error\"}");
}

static const char *inputs_kept(const char *inputs)
{
    TaskRun run;
    Invalid invalid;
    assert_true(decode(&task_run_create_model,
                       arena_cstr(arena, arena_printf(arena, "{" KEYS ", \"task_inputs\": %s}", inputs)), &run,
                       &invalid));
    return arena_cstr(arena, run.task_inputs);
}

static const char *input_errors(const char *inputs)
{
    return errors_of(&task_run_create_model,
                     arena_cstr(arena, arena_printf(arena, "{" KEYS ", \"task_inputs\": %s}", inputs)));
}

/* As many as this show whether each is compared with each: that would take minutes. */
static void many_pause_keys_are_a_set_too(void **state)
{
    (void)state;
    enum { KEYS_COUNT = 200000 };
    Buf text;
    FlowRunPolicy policy;
    Invalid invalid;
    const Json *json;
    JsonError error;
    buf_init(&text, arena, 4 << 20);
    buf_text(&text, "{\"pause_keys\": [\"0\"");
    for (int i = 0; i < KEYS_COUNT; i++)
        buf_printf(&text, ", \"%d\"", i);
    buf_text(&text, "]}");
    assert_true(decode(&flow_run_policy_model, buf_cstr(&text), &policy, &invalid));
    assert_true(json_parse(arena, policy.pause_keys, &json, &error));
    assert_int_equal(json->count, KEYS_COUNT);
    assert_true(str_starts(policy.pause_keys, "[\"0\", \"1\", \"2\", "));
}

static void delays_beyond_integers_are_the_longest(void **state)
{
    (void)state;
    FlowRunPolicy policy;
    TaskRunPolicy task_policy;
    Invalid invalid;
    assert_true(decode(&flow_run_policy_model, "{\"retry_delay_seconds\": 1e300}", &policy, &invalid));
    assert_true(policy.retry_delay.v == INT64_MAX);
    assert_true(decode(&flow_run_policy_model, "{\"retry_delay_seconds\": -1e300}", &policy, &invalid));
    assert_true(policy.retry_delay.v == INT64_MIN);
    assert_true(decode(&task_run_policy_model, "{\"retry_delay_seconds\": 1e300}", &task_policy, &invalid));
    assert_true(str_is(task_policy.retry_delay, "9223372036854775807"));
}

static void inputs_are_results_parameters_or_constants(void **state)
{
    (void)state;
    assert_string_equal(inputs_kept("{}"), "{}");
    assert_string_equal(inputs_kept("\"\""), "{}");
    assert_string_equal(inputs_kept("[[\"a\", []]]"), "{\"a\": []}");
    assert_string_equal(
        inputs_kept("{\"a\": [], \"b\": [{\"id\": \"6FB2b2b86d3a4a6b8f3a7d2f4d5f1a11\", \"more\": 1}]}"),
                        "{\"a\": [], \"b\": [{\"input_type\": \"task_run\", \"id\": \"" RUN_ID "\"}]}");
    assert_string_equal(inputs_kept("{\"a\": [{\"name\": 5}, {\"input_type\": \"constant\", \"type\": \"int\"}, "
                                    "{\"name\": 5, \"id\": \"x\"}]}"),
                        "{\"a\": [{\"input_type\": \"parameter\", \"name\": \"5\"}, {\"input_type\": \"constant\", "
                        "\"type\": \"int\"}, {\"input_type\": \"parameter\", \"name\": \"5\"}]}");
}

static void bad_inputs_show_the_errors_of_each_kind(void **state)
{
    (void)state;
#define AT(key) "[\"task_inputs\",\"a\",0,\"" key "\"]"
#define NO_DICT "{\"loc\":[\"task_inputs\",\"a\",0],\"msg\":\"value is not a valid dict\",\"type\":\"type_error.dict\"}"
#define WRONG_TYPE(permitted) \
    "{\"loc\":" AT("input_type") ",\"msg\":\"unexpected value; permitted: '" permitted "'\"," \
    "\"type\":\"value_error.const\"," \
    "\"ctx\":{\"given\":\"zz\",\"permitted\":[\"" permitted "\"]}}"
    assert_string_equal(input_errors("null"), NOT_NULL("[\"task_inputs\"]"));
    assert_string_equal(input_errors("\"x\""), "{\"loc\":[\"task_inputs\"],\"msg\":\"value is not a valid dict\","
                                               "\"type\":\"type_error.dict\"}");
    assert_string_equal(input_errors("{\"a\": null}"), NOT_NULL("[\"task_inputs\",\"a\"]"));
    assert_string_equal(input_errors("{\"a\": {}}"), NOT_A_LIST("[\"task_inputs\",\"a\"]"));
    assert_string_equal(input_errors("{\"a\": [{}]}"),
                        MISSING(AT("id")) "," MISSING(AT("name")) "," MISSING(AT("type")));
    assert_string_equal(input_errors("{\"a\": [1]}"), NO_DICT "," NO_DICT "," NO_DICT);
    assert_string_equal(input_errors("{\"a\": [{\"input_type\": \"zz\"}]}"),
                        WRONG_TYPE("task_run") "," MISSING(AT("id")) "," WRONG_TYPE("parameter") ","
                        MISSING(AT("name")) "," WRONG_TYPE("constant") "," MISSING(AT("type")));
    assert_string_equal(input_errors("{\"a\": [{\"input_type\": null, \"name\": 5}]}"),
                        NOT_NULL(AT("input_type")) "," MISSING(AT("id")) "," NOT_NULL(AT("input_type")) ","
                        NOT_NULL(AT("input_type")) "," MISSING(AT("type")));
}

static void names_are_generated_where_there_is_none(void **state)
{
    (void)state;
    static const char *const bodies[] = { "{}", "{\"name\": null}", "{\"name\": \"\"}" };
    Invalid invalid;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        FlowRun flow_run;
        TaskRun task_run;
        assert_true(decode(&flow_run_update_model, bodies[i], &flow_run, &invalid));
        assert_true(decode(&task_run_update_model, bodies[i], &task_run, &invalid));
        assert_non_null(memchr(flow_run.run.name.p, '-', flow_run.run.name.n));
        assert_non_null(memchr(task_run.run.name.p, '-', task_run.run.name.n));
    }
}

static void states_are_checked(void **state)
{
    (void)state;
    State body;
    Invalid invalid;
    assert_true(decode(&state_create_model,
                       "{\"type\": \"RUNNING\", \"id\": \"" RUN_ID "\", \"timestamp\": \"2020-01-01T00:00:00Z\"}",
                       &body, &invalid));
    assert_null(body.id.p);
    state_complete(arena, &body, 5);
    assert_true(body.timestamp == 5);
    assert_true(body.id.n == 36);
    assert_string_equal(errors_of(&state_create_model, "{\"x\": 1}"),
                        MISSING("[\"type\"]")
                        ",{\"loc\":[\"x\"],\"msg\":\"extra fields not permitted\",\"type\":\"value_error.extra\"}");
    assert_string_equal(errors_of(&state_create_model, "{\"type\": \"RUNNING\", \"state_details\": null}"),
                        NOT_NULL("[\"state_details\"]"));
}

static void cache_keys_have_a_limit(void **state)
{
    (void)state;
    Buf text;
    buf_init(&text, arena, 8192);
    buf_text(&text, "{" KEYS ", \"cache_key\": \"");
    for (int i = 0; i < 2000; i++)
        buf_text(&text, "\xc3\xa9");
    size_t length = text.n;
    buf_text(&text, "\"}");
    assert_string_equal(errors_of(&task_run_create_model, buf_cstr(&text)), "none");
    text.n = length;
    buf_text(&text, "x\"}");
    assert_string_equal(errors_of(&task_run_create_model, buf_cstr(&text)),
                        "{\"loc\":[\"cache_key\"],"
                        "\"msg\":\"Cache key exceeded maximum allowed length of 2000 characters.\","
                        "\"type\":\"value_error\"}");
}

#define ARENA_TEST(test) cmocka_unit_test_setup_teardown(test, open_arena, close_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_task_policy_has_one_delay_or_many),
        ARENA_TEST(a_task_policy_is_checked),
        ARENA_TEST(deprecated_fields_still_work),
        ARENA_TEST(pause_keys_are_a_set),
        ARENA_TEST(many_pause_keys_are_a_set_too),
        ARENA_TEST(delays_beyond_integers_are_the_longest),
        ARENA_TEST(inputs_are_results_parameters_or_constants),
        ARENA_TEST(bad_inputs_show_the_errors_of_each_kind),
        ARENA_TEST(names_are_generated_where_there_is_none),
        ARENA_TEST(states_are_checked),
        ARENA_TEST(cache_keys_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
