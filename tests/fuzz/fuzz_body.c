/* tests/fuzz/fuzz_body.c -- bodies of requests: the first line chooses a model or a table's filters by its
 * first byte (from '0' on), the rest is the JSON. What is taken can be stored or asked for, what is
 * refused has reasons that are JSON. */
#include "fuzz.h"

#include "db/driver.h"
#include "blocks/block.h"
#include "model/concurrency_limit.h"
#include "model/deployment.h"
#include "model/filters.h"
#include "model/flow.h"
#include "model/log.h"
#include "model/notification_policy.h"
#include "model/run_bodies.h"
#include "model/saved_search.h"
#include "model/work_pool.h"

static const Time NOW = INT64_C(1795940000123456);

static const Model *const models[] = {
    &flow_create_model, &flow_update_model, &flow_run_create_model, &flow_run_update_model,
    &deployment_run_create_model, &task_run_create_model, &task_run_update_model, &state_create_model,
    &deployment_create_model, &deployment_update_model, &log_create_model, &saved_search_create_model,
    &concurrency_limit_create_model, &notification_policy_create_model, &notification_policy_update_model,
    &block_type_create_model, &block_type_update_model, &block_schema_create_model, &block_document_create_model,
    &block_document_update_model, &work_queue_create_model, &work_queue_update_model, &work_pool_create_model,
};
static const FilterLink *const filters[] = {
    flow_links, flow_run_links, task_run_links, deployment_links, log_links, work_pool_links, work_queue_links,
    block_type_links, block_schema_links, block_document_links,
};

static void check_errors(Arena *arena, Invalid *invalid)
{
    const Json *json;
    JsonError error;
    must(invalid->count > 0);
    must(json_parse(arena, arena_printf(arena, "[%.*s]", STR_ARG(buf_view(&invalid->items))), &json, &error));
    must(json->count == invalid->count);
}

static void check_model(Arena *arena, const Model *model, const Json *body)
{
    Invalid invalid;
    void *object = arena_zalloc(arena, model->size);
    invalid_init(&invalid, arena, NOW);
    if (!codec_decode(&invalid, model, body, object, NULL)) {
        check_errors(arena, &invalid);
        return;
    }
    const Json *json;
    JsonError error;
    must(json_parse(arena, codec_stored(arena, model, object), &json, &error));
}

/* Every value has its place, and no text came into the SQL but by way of a value. */
static void check_filter(Arena *arena, size_t which, const Json *body)
{
    Invalid invalid;
    Query q;
    invalid_init(&invalid, arena, NOW);
    query_init(&q, arena, sqlite_driver.dialect);
    if (!filter_where(&invalid, filters[which], body, &q)) {
        check_errors(arena, &invalid);
        return;
    }
    size_t depth = 0, highest = 0;
    Str sql = buf_view(&q.sql);
    for (size_t i = 0; i < sql.n; i++) {
        must((unsigned char)sql.p[i] < 128);
        depth += sql.p[i] == '(';
        must(sql.p[i] != ')' || depth-- > 0);
        size_t place = sql.p[i] == '$' ? strtoul(sql.p + i + 1, NULL, 10) : 0;
        highest = place > highest ? place : highest;
    }
    must(depth == 0 && highest == q.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Str rest = { (const char *)data, size }, first = cut_line(&rest);
    const Json *body;
    JsonError error;
    size_t which = first.n ? (size_t)(unsigned char)(first.p[0] - '0') % (COUNT_OF(models) + COUNT_OF(filters)) : 0;
    if (json_parse(arena, rest, &body, &error)) {
        if (which < COUNT_OF(models))
            check_model(arena, models[which], body);
        else
            check_filter(arena, which - COUNT_OF(models), body);
    }
    arena_free(arena);
    return 0;
}
