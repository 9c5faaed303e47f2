/* tests/unit/test_filter.c -- filters against rows: what each body finds is what the reference found in the same rows;
 * and what its checks answer. */
#include "engine.h"

#include "db/migrate.h"
#include "model/filters.h"

#define ID_BEGIN "00000000-0000-0000-0000-0000000000"
#define ID(end) "'" ID_BEGIN end "'"

static const char *const data[] = {
    "INSERT INTO work_pool (id, name, type) VALUES"
    " (" ID("a1") ", 'pool-1', 'process'),"
    " (" ID("a2") ", 'pool-2', 'docker')",
    "INSERT INTO work_queue (id, name, work_pool_id) VALUES"
    " (" ID("b1") ", 'Quick', " ID("a1") "),"
    " (" ID("b2") ", 'slow', " ID("a2") ")",
    "INSERT INTO flow (id, name, tags) VALUES"
    " (" ID("f1") ", 'Alpha', '[\"a\", \"b\"]'),"
    " (" ID("f2") ", 'beta', '[]'),"
    " (" ID("f3") ", 'ga_mma', '[\"a\"]')",
    "INSERT INTO deployment (id, name, flow_id, is_schedule_active, tags, work_queue_name, work_queue_id) VALUES"
    " (" ID("d1") ", 'dep-1', " ID("f1") ", true, '[\"x\"]', 'Quick', " ID("b1") "),"
    " (" ID("d2") ", 'dep-2', " ID("f2") ", false, '[]', 'slow', " ID("b2") "),"
    " (" ID("d3") ", 'dep-3', " ID("f2") ", true, '[]', NULL, NULL)",
    "INSERT INTO flow_run (id, name, flow_id, deployment_id, work_queue_name, work_queue_id, state_type, "
    "state_name, tags, start_time, expected_start_time, next_scheduled_start_time, flow_version, parent_task_run_id)"
    " VALUES"
    " (" ID("e1") ", 'r1', " ID("f1") ", " ID("d1") ", 'Quick', " ID("b1") ", 'RUNNING', 'Running', '[\"x\", \"y\"]',"
    "  '2020-01-01 10:00:00.000000', '2020-01-01 09:00:00.000000', NULL, 'v1', NULL),"
    " (" ID("e2") ", 'r2', " ID("f1") ", NULL, NULL, NULL, 'COMPLETED', 'Cached', '[]',"
    "  '2020-01-02 10:00:00.000000', '2020-01-02 09:00:00.000000', NULL, 'v2', NULL),"
    " (" ID("e3") ", 'r3', " ID("f2") ", " ID("d2") ", 'slow', " ID("b2") ", 'FAILED', 'Failed', '[\"x\"]',"
    "  NULL, '2020-01-03 09:00:00.000000', '2020-01-03 09:00:00.000000', NULL, NULL),"
    " (" ID("e4") ", 'r4', " ID("f2") ", " ID("d2") ", 'slow', " ID("b2") ", 'SCHEDULED', 'Late', '[]',"
    "  NULL, '2020-01-04 09:00:00.500000', '2020-01-04 09:00:00.500000', NULL, NULL)",
    "INSERT INTO task_run (id, name, task_key, dynamic_key, flow_run_id, state_type, state_name, tags, start_time) "
    "VALUES"
    " (" ID("c1") ", 't1', 'k', '1', " ID("e1") ", 'COMPLETED', 'Completed', '[\"m\"]', '2020-01-01 10:00:01.000000'),"
    " (" ID("c2") ", 't2', 'k', '2', " ID("e1") ", 'FAILED', 'Failed', '[]', '2020-01-01 10:00:02.000000'),"
    " (" ID("c3") ", 't3', 'k', '1', " ID("e2") ", 'RUNNING', 'Running', '[]', NULL),"
    " (" ID("c4") ", 't4', 'k', '1', " ID("e3")
        ", 'COMPLETED', 'Cached', '[\"m\", \"n\"]', '2020-01-03 10:00:00.000000')",
    "UPDATE flow_run SET parent_task_run_id = " ID("c3") " WHERE name = 'r4'",
    "INSERT INTO log (id, name, level, flow_run_id, task_run_id, message, timestamp) VALUES"
    " (" ID("91") ", 'l1', 10, " ID("e1") ", NULL, 'one', '2020-01-01 10:00:00.000000'),"
    " (" ID("92") ", 'l2', 20, " ID("e1") ", " ID("c1") ", 'two', '2020-01-01 11:00:00.000000'),"
    " (" ID("93") ", 'l3', 40, " ID("e3") ", NULL, 'three', '2020-01-03 10:00:00.000001')",
};

typedef struct Case {
    const char *table, *body; /* with ' for ", and U- for the beginning of the ids */
    const char *names;        /* of the rows found, in order */
} Case;

static const Case cases[] = {
    { "flow", "{}", "Alpha beta ga_mma" },
    { "flow", "{'flows':{}}", "Alpha beta ga_mma" },
    { "flow", "{'flow_runs':{}}", "Alpha beta" },
    { "flow", "{'task_runs':{}}", "Alpha beta" },
    { "flow", "{'deployments':{}}", "Alpha beta" },
    { "flow", "{'flows':{'name':{'any_':['beta','Alpha']}}}", "Alpha beta" },
    { "flow", "{'flows':{'name':{'like_':'A'}}}", "Alpha beta ga_mma" },
    { "flow", "{'flows':{'name':{'like_':'a_m'}}}", "ga_mma" },
    { "flow", "{'flows':{'name':{'any_':[]}}}", "" },
    { "flow", "{'flows':{'id':{'any_':['U-F1']}}}", "Alpha" },
    { "flow_run", "{'flows':{'id':{'any_':['U-f2']}}}", "r3 r4" },
    { "flow_run", "{'flows':{'id':{'any_':['U-f9']}}}", "" },
    { "flow_run", "{'deployments':{'id':{'any_':['U-d2']},'name':{'like_':'1'}}}", "" },
    { "flow_run", "{'work_pool_queues':{'id':{'any_':['U-b2']}}}", "r3 r4" },
    { "flow_run", "{'flow_runs':{'state':{'name':{'any_':['Cancelling']}}}}", "" },
    { "flow", "{'flows':{'tags':{'all_':['a']}}}", "Alpha ga_mma" },
    { "flow", "{'flows':{'tags':{'all_':['b','a','a']}}}", "Alpha" },
    { "flow", "{'flows':{'tags':{'all_':[]}}}", "Alpha beta ga_mma" },
    { "flow", "{'flows':{'tags':{'is_null_':true}}}", "beta" },
    { "flow", "{'flows':{'tags':{'is_null_':false}}}", "Alpha ga_mma" },
    { "flow", "{'flows':{'tags':{'operator':'or_','all_':['b'],'is_null_':true}}}", "Alpha beta" },
    { "flow", "{'flows':{'operator':'or_','name':{'any_':['beta']},'tags':{'all_':['b']}}}", "Alpha beta" },
    { "flow", "{'flows':{'operator':'or_','name':{},'tags':{'all_':['b']}}}", "Alpha beta ga_mma" },
    { "flow", "{'flow_runs':{'name':{'any_':['r1']}},'task_runs':{'name':{'any_':['t3']}}}", "" },
    { "flow", "{'flow_runs':{'name':{'any_':['r2']}},'task_runs':{'name':{'any_':['t3']}}}", "Alpha" },
    { "flow", "{'flow_runs':{'state':{'type':{'any_':['SCHEDULED']}}},'task_runs':{}}", "" },
    { "flow", "{'task_runs':{'state':{'name':{'any_':['Cached']}}}}", "beta" },
    { "flow", "{'deployments':{'is_schedule_active':{'eq_':false}}}", "beta" },
    { "flow", "{'deployments':{'work_queue_name':{'any_':['Quick']}},'flows':{'name':{'like_':'l'}}}", "Alpha" },
    { "flow_run", "{'flow_runs':{'id':{'not_any_':['U-e1']}}}", "r2 r3 r4" },
    { "flow_run", "{'flow_runs':{'id':{'not_any_':[]}}}", "r1 r2 r3 r4" },
    { "flow_run", "{'flow_runs':{'id':{'any_':['U-e1','U-e2'],'not_any_':['U-e1']}}}", "r2" },
    { "flow_run", "{'flow_runs':{'deployment_id':{'is_null_':true}}}", "r2" },
    { "flow_run", "{'flow_runs':{'deployment_id':{'operator':'or_','is_null_':true,'any_':['U-d1']}}}", "r1 r2" },
    { "flow_run", "{'flow_runs':{'work_queue_name':{'is_null_':false}}}", "r1 r3 r4" },
    { "flow_run", "{'flow_runs':{'state':{'operator':'or_','type':{'any_':['RUNNING']},'name':{'any_':['Late']}}}}",
      "r1 r4" },
    { "flow_run", "{'flow_runs':{'state':{'type':{'any_':['RUNNING']},'name':{'any_':['Late']}}}}", "" },
    { "flow_run", "{'flow_runs':{'state':{'operator':'or_','type':{},'name':{'any_':['Late']}}}}", "r4" },
    { "flow_run", "{'flow_runs':{'start_time':{'before_':'2020-01-01T12:00:00+02:00'}}}", "r1" },
    { "flow_run", "{'flow_runs':{'start_time':{'after_':'2020-01-01T10:00:00.000001Z'}}}", "r2" },
    { "flow_run", "{'flow_runs':{'start_time':{'is_null_':true}}}", "r3 r4" },
    { "flow_run", "{'flow_runs':{'expected_start_time':{'after_':'2020-01-02','before_':'2020-01-04T09:00:00.5Z'}}}",
      "r2 r3 r4" },
    { "flow_run", "{'flow_runs':{'next_scheduled_start_time':{'before_':'2020-01-04T09:00:00Z'}}}", "r3" },
    { "flow_run", "{'flow_runs':{'flow_version':{'any_':['v1','v9']}}}", "r1" },
    { "flow_run", "{'flow_runs':{'parent_task_run_id':{'is_null_':false}}}", "r4" },
    { "flow_run", "{'flows':{'name':{'any_':['Alpha']}},'task_runs':{'name':{'any_':['t3','t4']}}}", "r2" },
    { "flow_run", "{'flows':{'name':{'any_':['beta']}},'task_runs':{}}", "r3" },
    { "flow_run", "{'work_pools':{'type':{'any_':['docker']}}}", "r3 r4" },
    { "flow_run", "{'work_pools':{}}", "r1 r3 r4" },
    { "flow_run", "{'work_pool_queues':{'name':{'startswith_':['qu','zz']}}}", "r1" },
    { "flow_run", "{'work_pool_queues':{'name':{'startswith_':[]}}}", "r1 r3 r4" },
    { "flow_run", "{'work_pool_queues':{'name':{'startswith_':['%o']}}}", "r3 r4" },
    { "flow_run", "{'deployments':{'tags':{'all_':['x']}}}", "r1" },
    { "task_run", "{'task_runs':{'subflow_runs':{'exists_':true}}}", "t3" },
    { "task_run", "{'task_runs':{'subflow_runs':{'exists_':false}}}", "t1 t2 t4" },
    { "task_run", "{'flows':{'name':{'any_':['Alpha']}}}", "t1 t2 t3" },
    { "task_run", "{'flows':{'name':{'any_':['Alpha']}},'deployments':{}}", "t1 t2" },
    { "task_run", "{'flow_runs':{'name':{'any_':['r2','r3']}},'deployments':{'name':{'like_':'DEP'}}}", "t4" },
    { "task_run", "{'flow_runs':{}}", "t1 t2 t3 t4" },
    { "task_run", "{'task_runs':{'tags':{'all_':['m']},'start_time':{'after_':'2020-01-02'}}}", "t4" },
    { "task_run", "{'task_runs':{'operator':'or_','name':{'any_':['t3']},'state':{'type':{'any_':['FAILED']}}}}",
      "t2 t3" },
    { "deployment", "{'flows':{'name':{'any_':['beta']}}}", "dep-2 dep-3" },
    { "deployment", "{'flow_runs':{'name':{'any_':['r4']}},'task_runs':{}}", "" },
    { "deployment", "{'flow_runs':{'name':{'any_':['r3']}},'task_runs':{'name':{'any_':['t4']}}}", "dep-2" },
    { "deployment", "{'work_pools':{'name':{'any_':['pool-1']}}}", "dep-1" },
    { "deployment", "{'work_pools':{'name':{'any_':['pool-1']}},'work_pool_queues':{'name':{'any_':['slow']}}}", "" },
    { "deployment", "{'work_pool_queues':{}}", "dep-1 dep-2" },
    { "deployment", "{'deployments':{'is_schedule_active':{'eq_':true}}}", "dep-1 dep-3" },
    { "deployment", "{'task_runs':{'state':{'type':{'any_':['COMPLETED']}}}}", "dep-1 dep-2" },
    { "log", "{'logs':{'level':{'ge_':20,'le_':39}}}", "l2" },
    { "log", "{'logs':{'flow_run_id':{'any_':['U-e1']},'task_run_id':{'any_':['U-c1']}}}", "l2" },
    { "log", "{'logs':{'operator':'or_','task_run_id':{'any_':['U-c1']},"
             "'timestamp':{'after_':'2020-01-03T10:00:00.000001Z'}}}", "l2 l3" },
};

static const struct { const char *table; const FilterLink *links; } entities[] = {
    { "flow", flow_links },
    { "flow_run", flow_run_links },
    { "task_run", task_run_links },
    { "deployment", deployment_links },
    { "log", log_links },
};

static const Json *parse_body(Arena *arena, const char *body)
{
    Buf text;
    JsonError error;
    const Json *json;
    buf_init(&text, arena, 256);
    for (const char *p = body; *p; p++) {
        if (p[0] == 'U' && p[1] == '-')
            buf_text(&text, ID_BEGIN), p++;
        else
            buf_char(&text, *p == '\'' ? '"' : *p);
    }
    assert_true(json_parse(arena, buf_view(&text), &json, &error));
    return json;
}

static bool where(Invalid *invalid, const char *table, const char *body, Query *q)
{
    invalid_init(invalid, q->arena, 0);
    invalid_enter(invalid, "body");
    for (size_t i = 0; i < COUNT_OF(entities); i++) {
        if (strcmp(entities[i].table, table) == 0)
            return filter_where(invalid, entities[i].links, parse_body(q->arena, body), q);
    }
    return false;
}

/* ---- rows ---- */

/* Jobs run on a database thread, where cmocka's assertions can only end the program:
 * they leave what they found to the test. */
static bool insert_data(Tx *tx, void *arg)
{
    (void)arg;
    bool ok = migrate_up(tx);
    for (size_t i = 0; ok && i < COUNT_OF(data); i++)
        ok = db_exec(tx, data[i], NULL, 0) > 0;
    return ok;
}

typedef struct Search {
    const Case *c;
    bool checked;
    Buf names;
} Search;

static bool find_rows(Tx *tx, void *arg)
{
    Search *search = arg;
    const char *table = search->c->table;
    Invalid invalid;
    Query q;
    query_init(&q, tx->arena, tx->sql);
    buf_init(&search->names, tx->arena, 64);
    buf_printf(&q.sql, "SELECT %s.name FROM %s WHERE 1 = 1", table, table);
    search->checked = where(&invalid, table, search->c->body, &q);
    buf_printf(&q.sql, " ORDER BY %s.name", table);
    Rows *rows = query_run(tx, &q);
    while (db_next(rows))
        buf_printf(&search->names, "%s%.*s", search->names.n ? " " : "", STR_ARG(row_view(rows, 0)));
    return tx->error->code == ERR_NONE;
}

static void bodies_find_what_the_reference_finds(void **state)
{
    Error error = { .code = ERR_NONE };
    Db *db = engine_open();
    Arena *arena = arena_new();
    bool inserted = db_run(db, true, arena, insert_data, NULL, &error);
    assert_string_equal(error.message, "");
    assert_true(inserted);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Search search = { .c = &cases[i] };
        bool found = db_run(db, false, arena, find_rows, &search, &error);
        assert_string_equal(error.message, "");
        assert_true(found && search.checked);
        if (strcmp(buf_cstr(&search.names), cases[i].names) != 0)
            print_message("%s %s\n", cases[i].table, cases[i].body);
        assert_string_equal(buf_cstr(&search.names), cases[i].names);
    }
    arena_free(arena);
    db_close(db);
    (void)state;
}

/* ---- text ---- */

static const Dialect dialect = {
    "test",
    .op = { [SQL_ANY] = "%c IN %v", [SQL_ONLY] = "%c IS %v", [SQL_NOT_ANY] = "%c NOT IN %v",
      [SQL_ALL] = "%c HAS %v OF %v", [SQL_LIKE] = "%c LIKE %v",
      [SQL_BEFORE] = "%c <= %v", [SQL_AFTER] = "%c >= %v", [SQL_GE] = "%c >= %v", [SQL_LE] = "%c <= %v",
      [SQL_EQ] = "%c = %v",
      [SQL_IS_NULL] = "%c IS NULL", [SQL_IS_NOT_NULL] = "%c IS NOT NULL", [SQL_JSON_EMPTY] = "%c = '[]'",
      [SQL_JSON_NOT_EMPTY] = "%c != '[]'", [SQL_LIKE_ANY] = "%c LIKE ANY %v" },
    "now()",
};

static void values_are_bound_in_the_order_of_their_places(void **state)
{
    Arena *arena = arena_new();
    Invalid invalid;
    Query q;
    query_init(&q, arena, &dialect);
    query_bind(&q, v_int(1));
    assert_true(
        where(&invalid, "flow",
              "{'task_runs':{'name':{'like_':'x'}},'flow_runs':{'start_time':{'before_':'2020-01-01T01:00:00+01:00'}},"
              "'flows':{'tags':{'all_':['é'],'is_null_':true}},'ignored':{'x':1}}",
              &q));
    assert_string_equal(buf_cstr(&q.sql),
                        "$1 AND ((flow.tags HAS $2 OF $2 AND flow.tags = '[]')) AND EXISTS (SELECT 1 FROM flow_run"
                        " WHERE flow_run.flow_id = flow.id AND ((flow_run.start_time <= $3))"
                        " AND EXISTS (SELECT 1 FROM task_run"
                        " WHERE task_run.flow_run_id = flow_run.id AND ((task_run.name LIKE $4))))");
    assert_int_equal(q.count, 4);
    assert_int_equal(q.values[1].kind, VAL_LIST);
    assert_true(str_is(q.values[1].s, "[\"\\u00e9\"]"));
    assert_int_equal(q.values[2].kind, VAL_TIME);
    assert_int_equal(q.values[2].i, 1577836800 * SECOND);
    assert_true(str_is(q.values[3].s, "%x%"));
    arena_free(arena);
    (void)state;
}

static const char *conditions(Arena *arena, const char *table, const char *body)
{
    Invalid invalid;
    Query q;
    query_init(&q, arena, &dialect);
    assert_true(where(&invalid, table, body, &q));
    return buf_cstr(&q.sql);
}

/* The task runs of few flow runs are not found by asking each task run. */
static void rows_of_a_few_ids_are_looked_up(void **state)
{
    Arena *arena = arena_new();
    const char *ids = "'id':{'any_':['6fb2b2b8-6d3a-4a6b-8f3a-7d2f4d5f1a11','6fb2b2b8-6d3a-4a6b-8f3a-7d2f4d5f1a12']}";
    const char *few = arena_cstr(arena, arena_printf(arena, "{'flow_runs':{%s}}", ids));
    const char *either = arena_cstr(arena, arena_printf(arena, "{'flow_runs':{'operator':'or_',%s}}", ids));
    const char *both = arena_cstr(arena, arena_printf(arena, "{'flow_runs':{%s},'flows':{'name':{'like_':'x'}}}", ids));
    static const char looked_up[] = " AND task_run.flow_run_id IN (SELECT flow_run.id FROM flow_run WHERE (";
    assert_non_null(strstr(conditions(arena, "task_run", few), looked_up));
    assert_non_null(strstr(conditions(arena, "task_run", both), looked_up));
    assert_non_null(
        strstr(conditions(arena, "flow", few), " AND flow.id IN (SELECT flow_run.flow_id FROM flow_run WHERE ("));
    assert_null(strstr(conditions(arena, "task_run", either), looked_up));
    assert_null(strstr(conditions(arena, "task_run", "{'flow_runs':{'name':{'like_':'x'}}}"), looked_up));
    arena_free(arena);
    (void)state;
}

/* Equality leaves an index its order. */
static void rows_of_one_row_are_equal_to_it(void **state)
{
    Arena *arena = arena_new();
    const char *by_id = "{'flows':{'id':{'any_':['6fb2b2b8-6d3a-4a6b-8f3a-7d2f4d5f1a11']}}}";
    static const char one[] = " AND flow_run.flow_id = (SELECT flow.id FROM flow WHERE ((flow.";
    Invalid invalid;
    Query q;
    assert_non_null(strstr(conditions(arena, "flow_run", by_id), one));
    assert_non_null(strstr(conditions(arena, "flow_run", "{'flows':{'name':{'any_':['x']},'tags':{}}}"), one));
    static const char *const others[] = {
        "{'flows':{'name':{'any_':['x','x']}}}", "{'flows':{'name':{'any_':[]}}}", "{'flows':{'name':{'like_':'x'}}}",
        "{'flows':{'operator':'or_','name':{'any_':['x']},'tags':{'is_null_':true}}}",
        "{'deployments':{'name':{'any_':['x']}}}", "{'work_pool_queues':{'name':{'any_':['x']}}}",
    };
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_null(strstr(conditions(arena, "flow_run", others[i]), " = (SELECT"));
    query_init(&q, arena, &dialect);
    assert_true(where(&invalid, "flow_run", by_id, &q) && q.names_few);
    assert_string_equal(q.index_order, "flow_run.expected_start_time");
    arena_free(arena);
    (void)state;
}

/* So that an engine sees that an index of those few rows will do. */
static void a_value_that_few_rows_have_is_a_constant(void **state)
{
    Arena *arena = arena_new();
    static const char *const constant[] = {
        "{'flow_runs':{'state':{'name':{'any_':['Cancelling']}}}}", "flow_run.state_name = 'Cancelling'",
        "{'flow_runs':{'state':{'type':{'any_':['CANCELLING']}}}}", "flow_run.state_type = 'CANCELLING'",
    };
    static const char *const bound[] = {
        "{'flow_runs':{'state':{'name':{'any_':['Cancelling','Late']}}}}",
        "{'flow_runs':{'state':{'name':{'any_':['Cancelling\\u0027 OR 1']}}}}",
        "{'flow_runs':{'state':{'type':{'any_':['CANCELLED']}}}}",
        "{'flow_runs':{'name':{'any_':['Cancelling']}}}",
    };
    for (size_t i = 0; i < COUNT_OF(constant); i += 2)
        assert_non_null(strstr(conditions(arena, "flow_run", constant[i]), constant[i + 1]));
    for (size_t i = 0; i < COUNT_OF(bound); i++)
        assert_non_null(strstr(conditions(arena, "flow_run", bound[i]), " IN $1"));
    arena_free(arena);
    (void)state;
}

static void many_values_are_kept(void **state)
{
    Arena *arena = arena_new();
    Query q;
    query_init(&q, arena, &dialect);
    for (int i = 0; i < 100; i++)
        query_bind(&q, v_int(i));
    assert_int_equal(q.count, 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(q.values[i].i, i);
    assert_non_null(strstr(buf_cstr(&q.sql), "$9$10$11"));
    arena_free(arena);
    (void)state;
}

/* ---- errors ---- */

#define AT(...) "{\"loc\":[\"body\"," __VA_ARGS__ "],"
#define ERR(message, type) "\"msg\":\"" message "\",\"type\":\"" type "\""

static const struct { const char *table, *body, *errors; } refused[] = {
    { "flow", "{'task_runs':{'zz':1,'Zz':2,'id':{'any_':['x']}},'flows':5}",
      AT("\"flows\"") ERR("value is not a valid dict", "type_error.dict") "},"
      AT("\"task_runs\",\"id\",\"any_\",0") ERR("value is not a valid uuid", "type_error.uuid") "},"
      AT("\"task_runs\",\"Zz\"") ERR("extra fields not permitted", "value_error.extra") "},"
      AT("\"task_runs\",\"zz\"") ERR("extra fields not permitted", "value_error.extra") "}" },
    { "flow", "{'flows':{'name':{'any_':['a',null,[]],'like_':{},'x':1},'operator':'and'}}",
      AT("\"flows\",\"operator\"")
      ERR("value is not a valid enumeration member; permitted: 'and_', 'or_'", "type_error.enum")
      ",\"ctx\":{\"enum_values\":[\"and_\",\"or_\"]}},"
      AT("\"flows\",\"name\",\"any_\",1") ERR("none is not an allowed value", "type_error.none.not_allowed") "},"
      AT("\"flows\",\"name\",\"any_\",2") ERR("str type expected", "type_error.str") "},"
      AT("\"flows\",\"name\",\"like_\"") ERR("str type expected", "type_error.str") "},"
      AT("\"flows\",\"name\",\"x\"") ERR("extra fields not permitted", "value_error.extra") "}" },
    { "flow_run",
      "{'flow_runs':{'id':{'not_any_':'x','any_':[]},'state':{'type':{'any_':['Running']},'q':1,'operator':null}}}",
      AT("\"flow_runs\",\"id\",\"not_any_\"") ERR("value is not a valid list", "type_error.list") "},"
      AT("\"flow_runs\",\"state\",\"operator\"") ERR("none is not an allowed value", "type_error.none.not_allowed") "},"
      AT("\"flow_runs\",\"state\",\"type\",\"any_\",0")
      ERR("value is not a valid enumeration member; permitted: 'SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', "
          "'FAILED', 'CANCELLED', 'CRASHED', 'PAUSED', 'CANCELLING'", "type_error.enum")
      ",\"ctx\":{\"enum_values\":[\"SCHEDULED\",\"PENDING\",\"RUNNING\",\"COMPLETED\",\"FAILED\",\"CANCELLED\","
      "\"CRASHED\",\"PAUSED\",\"CANCELLING\"]}},"
      AT("\"flow_runs\",\"state\",\"q\"") ERR("extra fields not permitted", "value_error.extra") "}" },
    { "flow_run",
      "{'work_pool_queues':{'name':{'startswith_':'a'}},'work_pools':{'operator':5,'type':[]},"
      "'deployments':{'is_schedule_active':{'eq_':'maybe'}}}",
      AT("\"deployments\",\"is_schedule_active\",\"eq_\"")
      ERR("value could not be parsed to a boolean", "type_error.bool") "},"
      AT("\"work_pools\",\"operator\"")
      ERR("value is not a valid enumeration member; permitted: 'and_', 'or_'", "type_error.enum")
      ",\"ctx\":{\"enum_values\":[\"and_\",\"or_\"]}},"
      AT("\"work_pool_queues\",\"name\",\"startswith_\"") ERR("value is not a valid list", "type_error.list") "}" },
    { "task_run",
      "{'task_runs':{'subflow_runs':{'exists_':3},'tags':{'is_null_':[]},"
      "'start_time':{'operator':'or_','before_':'x','after_':5}}}",
      AT("\"task_runs\",\"tags\",\"is_null_\"") ERR("value could not be parsed to a boolean", "type_error.bool") "},"
      AT("\"task_runs\",\"start_time\",\"before_\"") ERR("Unable to parse string [x]", "value_error.parser") "},"
      AT("\"task_runs\",\"start_time\",\"after_\"") ERR("Unrecognized datetime.", "value_error") "},"
      AT("\"task_runs\",\"start_time\",\"operator\"") ERR("extra fields not permitted", "value_error.extra") "},"
      AT("\"task_runs\",\"subflow_runs\",\"exists_\"") ERR("value could not be parsed to a boolean", "type_error.bool")
      "}" },
    { "log", "{'logs':{'level':{'ge_':'a','le_':1.5},'name':{'any_':[]}}}",
      AT("\"logs\",\"level\",\"ge_\"") ERR("value is not a valid integer", "type_error.integer") "},"
      AT("\"logs\",\"name\"") ERR("extra fields not permitted", "value_error.extra") "}" },
    { "deployment", "{'flows':'x','deployments':{'tags':5}}",
      AT("\"flows\"") ERR("value is not a valid dict", "type_error.dict") "},"
      AT("\"deployments\",\"tags\"") ERR("value is not a valid dict", "type_error.dict") "}" },
};

static void checks_are_the_references(void **state)
{
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        Arena *arena = arena_new();
        Invalid invalid;
        Query q;
        query_init(&q, arena, &dialect);
        assert_false(where(&invalid, refused[i].table, refused[i].body, &q));
        assert_string_equal(buf_cstr(&invalid.items), refused[i].errors);
        arena_free(arena);
    }
    (void)state;
}

static void sorts_are_an_enum(void **state)
{
    Arena *arena = arena_new();
    Invalid invalid;
    invalid_init(&invalid, arena, 0);
    invalid_enter(&invalid, "body");
    const Json *body = parse_body(arena, "{'sort':'CREATED_DESC'}");
    assert_string_equal(sort_find(&invalid, flow_sorts, "NAME_ASC", body)->order_by, "flow.created DESC");
    assert_string_equal(sort_find(&invalid, flow_sorts, "NAME_ASC", parse_body(arena, "{'sort':null}"))->order_by,
                        "flow.name ASC");
    assert_string_equal(sort_find(&invalid, flow_sorts, NULL, NULL)->order_by, "flow.created DESC");
    assert_int_equal(invalid.count, 0);
    assert_null(sort_find(&invalid, flow_sorts, "NAME_ASC", parse_body(arena, "{'sort':'name_asc'}")));
    assert_string_equal(buf_cstr(&invalid.items),
                        AT("\"sort\"")
                        ERR("value is not a valid enumeration member; permitted: 'CREATED_DESC', 'UPDATED_DESC',"
                            " 'NAME_ASC', 'NAME_DESC'", "type_error.enum")
                        ",\"ctx\":{\"enum_values\":[\"CREATED_DESC\",\"UPDATED_DESC\",\"NAME_ASC\",\"NAME_DESC\"]}}");
    arena_free(arena);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_find_what_the_reference_finds),
        cmocka_unit_test(values_are_bound_in_the_order_of_their_places),
        cmocka_unit_test(rows_of_a_few_ids_are_looked_up),
        cmocka_unit_test(rows_of_one_row_are_equal_to_it),
        cmocka_unit_test(a_value_that_few_rows_have_is_a_constant),
        cmocka_unit_test(many_values_are_kept),
        cmocka_unit_test(checks_are_the_references),
        cmocka_unit_test(sorts_are_an_enum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
