/* model/run_policy.c -- how runs retry and pause: schemas.core.FlowRunPolicy and TaskRunPolicy. */
#include "model/run.h"

typedef struct Element { const Json *json; size_t index; } Element;

static int compare_elements(const void *a, const void *b)
{
    const Element *x = a, *y = b;
    if (x->json->kind != y->json->kind)
        return x->json->kind < y->json->kind ? -1 : 1;
    Str s = x->json->text, t = y->json->text;
    if (s.n != t.n)
        return s.n < t.n ? -1 : 1;
    int order = s.n ? memcmp(s.p, t.p, s.n) : 0;
    return order ? order : x->index < y->index ? -1 : 1;
}

static bool same_element(const Element *a, const Element *b)
{
    return a->json->kind == b->json->kind && str_eq(a->json->text, b->json->text);
}

/* Whether each element is the first with its value; by sorting, since clients can send many. */
static bool *first_of_each(Arena *arena, const Json *array)
{
    Element *sorted = arena_alloc(arena, (array->count + 1) * sizeof *sorted);
    bool *is_first = arena_zalloc(arena, array->count + 1);
    size_t n = 0;
    for (const Json *item = array->child; item; item = item->next, n++)
        sorted[n] = (Element){ item, n };
    qsort(sorted, n, sizeof *sorted, compare_elements);
    for (size_t i = 0; i < n; i++)
        is_first[sorted[i].index] = i == 0 || !same_element(&sorted[i - 1], &sorted[i]);
    return is_first;
}

/* A JSON array as a set in Python: each value once. */
static bool decode_set(Invalid *invalid, const Json *json, void *member)
{
    if (json->kind != JSON_ARRAY)
        return invalid_add(invalid, "type_error.set", NULL, "value is not a valid set");
    for (const Json *item = json->child; item; item = item->next)
        if (item->kind == JSON_ARRAY || item->kind == JSON_OBJECT)
            return invalid_add(invalid, "type_error", NULL, "unhashable type: '%s'",
                               item->kind == JSON_ARRAY ? "list" : "dict");
    Buf text;
    JsonWriter w;
    size_t index = 0;
    const bool *is_first = first_of_each(invalid->arena, json);
    buf_init(&text, invalid->arena, json->text.n + 2);
    json_writer_init(&w, &text, JSON_STORED);
    json_array(&w);
    for (const Json *item = json->child; item; item = item->next)
        if (is_first[index++])
            json_value(&w, item);
    json_array_end(&w);
    *(Str *)member = buf_view(&text);
    return true;
}

/* Python's integers are unbounded; beyond ours, any delay is too long anyway. */
static int64_t whole_seconds(double seconds)
{
    if (seconds >= 0x1p63)
        return INT64_MAX;
    return seconds < -0x1p63 ? INT64_MIN : (int64_t)seconds;
}

/* The deprecated members set the new ones; delays are truncated to whole seconds, as the reference
 * does when it validates again. */
static bool finish_flow_run_policy(Invalid *invalid, void *object)
{
    (void)invalid;
    FlowRunPolicy *policy = object;
    if (policy->retries.v == 0 && policy->max_retries != 0)
        policy->retries = (OptInt){ policy->max_retries, true };
    if (policy->retry_delay.v == 0 && policy->retry_delay_seconds != 0)
        policy->retry_delay = (OptInt){ whole_seconds(policy->retry_delay_seconds), true };
    return true;
}

static const Field flow_fields[] = { /* order: of the keys in responses and in the column */
    FIELD(FlowRunPolicy, max_retries, F_INT),
    FIELD(FlowRunPolicy, retry_delay_seconds, F_FLOAT),
    FIELD(FlowRunPolicy, retries, F_OPT_INT, .flags = NULLABLE),
    FIELD(FlowRunPolicy, retry_delay, F_OPT_INT, .flags = NULLABLE),
    FIELD(FlowRunPolicy, pause_keys, F_CUSTOM, .flags = NULLABLE, .decode = decode_set, .fallback = "[]",
          .schema = "{\"type\": \"array\", \"items\": {}, \"uniqueItems\": true}"),
    FIELD(FlowRunPolicy, resuming, F_OPT_BOOL, .flags = NULLABLE, .fallback = "false"),
};
const Model flow_run_policy_model = MODEL(FlowRunPolicy, flow_fields, .finish = finish_flow_run_policy);

/* ---- tasks ---- */

enum { RETRY_DELAYS_MAX = 50 };

static const Field delay_field = { .name = "retry_delay", .kind = F_INT };

static bool decode_delay_list(Invalid *invalid, const Json *json, Str *ret)
{
    if (json->kind != JSON_ARRAY)
        return invalid_add(invalid, "type_error.list", NULL, "value is not a valid list");
    bool ok = true;
    int64_t index = 0;
    Buf text;
    JsonWriter w;
    buf_init(&text, invalid->arena, 64);
    json_writer_init(&w, &text, JSON_STORED);
    json_array(&w);
    for (const Json *item = json->child; item; item = item->next, index++) {
        int64_t delay = 0;
        invalid_enter_index(invalid, index);
        ok = codec_decode_field(invalid, &delay_field, item, &delay) && ok;
        invalid_leave(invalid);
        json_int(&w, delay);
    }
    json_array_end(&w);
    *ret = buf_view(&text);
    return ok;
}

/* Union[None, int, List[int]]: the errors of the int precede those of the list, and are
 * dropped if the list is valid. */
static bool decode_retry_delay(Invalid *invalid, const Json *json, void *member)
{
    size_t length = invalid->items.n, count = invalid->count;
    int64_t delay;
    Str list;
    if (codec_decode_field(invalid, &delay_field, json, &delay)) {
        *(Str *)member = arena_printf(invalid->arena, "%lld", (long long)delay);
        return true;
    }
    if (!decode_delay_list(invalid, json, &list))
        return false;
    invalid->items.n = length;
    invalid->count = count;
    if (json->count > RETRY_DELAYS_MAX)
        return invalid_add(invalid, "value_error", NULL, "Can not configure more than %d retry delays per task.",
                           RETRY_DELAYS_MAX);
    *(Str *)member = list;
    return true;
}

static bool check_jitter(Invalid *invalid, void *member)
{
    const OptReal *factor = member;
    return factor->v >= 0 || invalid_add(invalid, "value_error", NULL, "`retry_jitter_factor` must be >= 0.");
}

static bool finish_task_run_policy(Invalid *invalid, void *object)
{
    TaskRunPolicy *policy = object;
    Str delay = policy->retry_delay;
    if (policy->retries.v == 0 && policy->max_retries != 0)
        policy->retries = (OptInt){ policy->max_retries, true };
    if ((!delay.p || str_is(delay, "0") || str_is(delay, "[]")) && policy->retry_delay_seconds != 0)
        policy->retry_delay = arena_printf(invalid->arena, "%lld",
                                           (long long)whole_seconds(policy->retry_delay_seconds));
    return true;
}

static const Field task_fields[] = { /* order: of the keys in responses and in the column */
    FIELD(TaskRunPolicy, max_retries, F_INT),
    FIELD(TaskRunPolicy, retry_delay_seconds, F_FLOAT),
    FIELD(TaskRunPolicy, retries, F_OPT_INT, .flags = NULLABLE),
    FIELD(TaskRunPolicy, retry_delay, F_CUSTOM, .flags = NULLABLE, .decode = decode_retry_delay,
          .schema = "{\"anyOf\": [{\"type\": \"integer\"}, "
                    "{\"type\": \"array\", \"items\": {\"type\": \"integer\"}}]}"),
    FIELD(TaskRunPolicy, retry_jitter_factor, F_OPT_FLOAT, .flags = NULLABLE, .check = check_jitter),
};
const Model task_run_policy_model = MODEL(TaskRunPolicy, task_fields, .finish = finish_task_run_policy);
