/* model/run_bodies.c -- the bodies that create and change runs, and the unions in them. */
#include "model/run_bodies.h"

#include "base/random.h"
#include "model/run_tables.h"

/* ---- task_inputs: {name: [TaskRunResult | Parameter | Constant]} ---- */

/* A class of the union: its input_type, and its only other member. */
typedef struct InputKind {
    const char *input_type;
    Field value;
} InputKind;

static const InputKind input_kinds[] = { /* order: in which the union tries them and lists their errors */
    { "task_run", { .name = "id", .kind = F_UUID, .flags = REQUIRED } },
    { "parameter", { .name = "name", .kind = F_STR, .flags = REQUIRED } },
    { "constant", { .name = "type", .kind = F_STR, .flags = REQUIRED } },
};

static bool check_input_type(Invalid *invalid, const char *wanted, const Json *given)
{
    if (!given || (given->kind == JSON_STRING && str_is(given->text, wanted)))
        return true;
    invalid_enter(invalid, "input_type");
    if (given->kind == JSON_NULL) {
        invalid_add(invalid, "type_error.none.not_allowed", NULL, "none is not an allowed value");
    } else {
        Str text = json_format(invalid->arena, given, JSON_WIRE);
        Str ctx = arena_printf(invalid->arena, "{\"given\":%.*s,\"permitted\":[\"%s\"]}", STR_ARG(text), wanted);
        invalid_add(invalid, "value_error.const", arena_cstr(invalid->arena, ctx), "unexpected value; permitted: '%s'",
                    wanted);
    }
    invalid_leave(invalid);
    return false;
}

static bool decode_input_value(Invalid *invalid, const Field *field, const Json *json, Str *ret)
{
    bool ok;
    invalid_enter(invalid, field->name);
    if (json)
        ok = codec_decode_field(invalid, field, json, ret);
    else
        ok = invalid_add(invalid, "value_error.missing", NULL, "field required");
    invalid_leave(invalid);
    return ok;
}

static bool decode_input_as(Invalid *invalid, const InputKind *kind, const Json *json, JsonWriter *w)
{
    if (json->kind != JSON_OBJECT)
        return invalid_add(invalid, "type_error.dict", NULL, "value is not a valid dict");
    Str value;
    bool type_ok = check_input_type(invalid, kind->input_type, json_get(json, "input_type"));
    bool value_ok = decode_input_value(invalid, &kind->value, json_get(json, kind->value.name), &value);
    if (!type_ok || !value_ok)
        return false;
    json_object(w);
    json_key(w, "input_type");
    json_text(w, kind->input_type);
    json_key(w, kind->value.name);
    json_str(w, value);
    json_object_end(w);
    return true;
}

/* The first kind that fits; the errors of those tried before it are dropped. */
static bool decode_input(Invalid *invalid, const Json *json, JsonWriter *w)
{
    if (json->kind == JSON_NULL)
        return invalid_add(invalid, "type_error.none.not_allowed", NULL, "none is not an allowed value");
    size_t length = invalid->items.n, count = invalid->count;
    for (size_t i = 0; i < COUNT_OF(input_kinds); i++) {
        if (!decode_input_as(invalid, &input_kinds[i], json, w))
            continue;
        invalid->items.n = length;
        invalid->count = count;
        return true;
    }
    return false;
}

static bool check_input_list(Invalid *invalid, const Json *json)
{
    if (json->kind == JSON_NULL)
        return invalid_add(invalid, "type_error.none.not_allowed", NULL, "none is not an allowed value");
    return json->kind == JSON_ARRAY || invalid_add(invalid, "type_error.list", NULL, "value is not a valid list");
}

static bool decode_input_list(Invalid *invalid, const Json *json, JsonWriter *w)
{
    bool ok = check_input_list(invalid, json);
    int64_t index = 0;
    json_array(w);
    for (const Json *item = ok ? json->child : NULL; item; item = item->next, index++) {
        invalid_enter_index(invalid, index);
        ok = decode_input(invalid, item, w) && ok;
        invalid_leave(invalid);
    }
    json_array_end(w);
    return ok;
}

/* Accepts what Python's dict(value) does besides an object: empty text, pairs. NULL: refused. */
static const Json *as_object(Invalid *invalid, const Json *json)
{
    static const Field dict_field = { .name = "task_inputs", .kind = F_DICT };
    Str text;
    if (json->kind != JSON_OBJECT
        && (!codec_decode_field(invalid, &dict_field, json, &text)
            || !(json = json_read(invalid->arena, text))))
        return NULL;
    return json;
}

static bool decode_task_inputs(Invalid *invalid, const Json *json, void *member)
{
    json = as_object(invalid, json);
    if (!json)
        return false;
    Buf text;
    JsonWriter w;
    buf_init(&text, invalid->arena, 256);
    json_writer_init(&w, &text, JSON_STORED);
    bool ok = true;
    json_object(&w);
    for (const Json *list = json->child; list; list = list->next) {
        json_key_str(&w, list->key);
        invalid_enter_str(invalid, list->key);
        ok = decode_input_list(invalid, list, &w) && ok;
        invalid_leave(invalid);
    }
    json_object_end(&w);
    if (ok)
        *(Str *)member = buf_view(&text);
    return ok;
}

/* ---- the bodies ---- */

static int64_t cache_key_max = 2000; /* characters */

void run_bodies_set_cache_key_max(int64_t characters)
{
    cache_key_max = characters;
}

static bool check_cache_key(Invalid *invalid, void *member)
{
    Str key = *(const Str *)member;
    int64_t characters = 0;
    for (size_t i = 0; i < key.n; i++)
        characters += ((unsigned char)key.p[i] & 0xC0) != 0x80;
    return characters <= cache_key_max
           || invalid_add(invalid, "value_error", NULL, "Cache key exceeded maximum allowed length of %lld characters.",
                          (long long)cache_key_max);
}

/* FlowRun.set_name and TaskRun.set_name run before the type is checked: any value that Python considers
 * false gets a generated name. */
static bool decode_name(Invalid *invalid, const Json *json, void *member)
{
    static const Field text = { .name = "name", .kind = F_STR };
    bool empty = json->kind == JSON_FALSE
                 || ((json->kind == JSON_ARRAY || json->kind == JSON_OBJECT) && json->count == 0);
    bool zero = (json->kind == JSON_INT || json->kind == JSON_FLOAT) && strtod(json->text.p, NULL) == 0.0;
    if (!empty && !zero)
        return codec_decode_field(invalid, &text, json, member);
    *(Str *)member = STR("");
    return true;
}

static bool generate_name(Invalid *invalid, void *object)
{
    Run *run = object; /* first member of both */
    if (run->name.n == 0)
        run->name = random_name(invalid->arena);
    return true;
}

static const Field flow_run_create_fields[] = { /* order: of errors, in all five */
    RUN_FIELD(FlowRun, state, F_OPT_MODEL, .flags = NULLABLE, .model = &state_create_model),
    RUN_FIELD(FlowRun, name, F_STR, .flags = NULLABLE, .decode = decode_name),
    FIELD(FlowRun, flow_id, F_UUID, .flags = REQUIRED),
    FIELD(FlowRun, deployment_id, F_UUID, .flags = NULLABLE),
    FIELD(FlowRun, flow_version, F_STR, .flags = NULLABLE),
    FIELD(FlowRun, parameters, F_DICT, .fallback = "{}"),
    FIELD(FlowRun, context, F_DICT, .fallback = "{}"),
    FIELD(FlowRun, parent_task_run_id, F_UUID, .flags = NULLABLE),
    FIELD(FlowRun, infrastructure_document_id, F_UUID, .flags = NULLABLE),
    FIELD(FlowRun, empirical_policy, F_MODEL, .model = &flow_run_policy_model),
    RUN_FIELD(FlowRun, tags, F_STRS, .fallback = "[]"),
    FIELD(FlowRun, idempotency_key, F_STR, .flags = NULLABLE),
};
static const Field deployment_run_create_fields[] = {
    RUN_FIELD(FlowRun, state, F_OPT_MODEL, .flags = NULLABLE, .model = &state_create_model),
    RUN_FIELD(FlowRun, name, F_STR, .flags = NULLABLE, .decode = decode_name),
    FIELD(FlowRun, parameters, F_DICT, .fallback = "{}"),
    FIELD(FlowRun, context, F_DICT, .fallback = "{}"),
    FIELD(FlowRun, infrastructure_document_id, F_UUID, .flags = NULLABLE),
    FIELD(FlowRun, empirical_policy, F_MODEL, .model = &flow_run_policy_model),
    RUN_FIELD(FlowRun, tags, F_STRS, .fallback = "[]"),
    FIELD(FlowRun, idempotency_key, F_STR, .flags = NULLABLE),
    FIELD(FlowRun, parent_task_run_id, F_UUID, .flags = NULLABLE),
};
static const Field flow_run_update_fields[] = {
    RUN_FIELD(FlowRun, name, F_STR, .flags = NULLABLE, .decode = decode_name),
    FIELD(FlowRun, flow_version, F_STR, .flags = NULLABLE),
    FIELD(FlowRun, parameters, F_DICT, .fallback = "{}"),
    FIELD(FlowRun, empirical_policy, F_MODEL, .model = &flow_run_policy_model),
    RUN_FIELD(FlowRun, tags, F_STRS, .fallback = "[]"),
    FIELD(FlowRun, infrastructure_pid, F_STR, .flags = NULLABLE),
};
static const Field task_run_create_fields[] = {
    RUN_FIELD(TaskRun, state, F_OPT_MODEL, .flags = NULLABLE, .model = &state_create_model),
    RUN_FIELD(TaskRun, name, F_STR, .flags = NULLABLE, .decode = decode_name),
    FIELD(TaskRun, flow_run_id, F_UUID, .flags = REQUIRED),
    FIELD(TaskRun, task_key, F_STR, .flags = REQUIRED),
    FIELD(TaskRun, dynamic_key, F_STR, .flags = REQUIRED),
    FIELD(TaskRun, cache_key, F_STR, .flags = NULLABLE, .check = check_cache_key),
    FIELD(TaskRun, cache_expiration, F_TIME, .flags = NULLABLE),
    FIELD(TaskRun, task_version, F_STR, .flags = NULLABLE),
    FIELD(TaskRun, empirical_policy, F_MODEL, .model = &task_run_policy_model),
    RUN_FIELD(TaskRun, tags, F_STRS, .fallback = "[]"),
    FIELD(TaskRun, task_inputs, F_CUSTOM, .decode = decode_task_inputs, .fallback = "{}", .schema = TASK_INPUTS_SCHEMA),
};
static const Field task_run_update_fields[] = {
    RUN_FIELD(TaskRun, name, F_STR, .flags = NULLABLE, .decode = decode_name),
};
const Model flow_run_create_model = MODEL(FlowRun, flow_run_create_fields,
                                          .forbid_extra = true, .finish = generate_name, .schema = "FlowRunCreate");
const Model deployment_run_create_model = MODEL(FlowRun, deployment_run_create_fields,
    .forbid_extra = true, .finish = generate_name, .schema = "DeploymentFlowRunCreate");
const Model flow_run_update_model = MODEL(FlowRun, flow_run_update_fields, .table = "flow_run",
                                          .forbid_extra = true, .finish = generate_name, .schema = "FlowRunUpdate");
const Model task_run_create_model = MODEL(TaskRun, task_run_create_fields,
                                          .forbid_extra = true, .finish = generate_name, .schema = "TaskRunCreate");
const Model task_run_update_model = MODEL(TaskRun, task_run_update_fields, .table = "task_run",
                                          .forbid_extra = true, .finish = generate_name, .schema = "TaskRunUpdate");
