/* model/work_pool.c -- work pools and their workers. */
#include "model/work_queue.h"

#include "base/ident.h"
#include "base/str_list.h"
#include "entity/checks.h"
#include "python/json_schema.h"
#include "python/python_values.h"

/* ---- the base job template: WorkPool.validate_base_job_template ---- */

/* As Python shows a set, but sorted. */
static Str shown_set(Arena *arena, const StrList *names)
{
    Buf out;
    buf_init(&out, arena, 128);
    for (size_t i = 0; i < names->count; i++) {
        buf_text(&out, i ? ", " : "{");
        buf_str(&out, json_python_repr(arena, names->items[i]));
    }
    buf_text(&out, names->count ? "}" : "set()");
    return buf_view(&out);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

/* The next "}}": where it stands, where the name before it ends, and the last line break in that. */
typedef struct Close {
    const char *at, *name_end, *line_break;
} Close;

static Close next_close(const char *from, const char *end)
{
    Close close = { .at = memmem(from, (size_t)(end - from), "}}", 2) };
    close.name_end = close.at;
    while (close.at && close.name_end > from && is_space(close.name_end[-1]))
        close.name_end--;
    close.line_break = close.at ? memrchr(from, '\n', (size_t)(close.name_end - from)) : NULL;
    return close;
}

/* Adds what stands between {{ and }} without the spaces around it; on one line, as "." matches no line break. Each "}}" is looked for
 * once, however many "{{" come before it. */
static void add_variables(StrList *names, Arena *arena, Str text)
{
    const char *p = text.p, *end = text.p + text.n;
    Close close = { .at = NULL };
    while ((p = memmem(p, (size_t)(end - p), "{{", 2))) {
        const char *from = p + 2;
        while (from < end && is_space(*from))
            from++;
        if (!close.at || close.at < from)
            close = next_close(from, end);
        if (!close.at)
            return;
        if (close.line_break && close.line_break >= from) {
            p++;
            continue;
        }
        str_list_add(names, arena, (Str){ from, close.name_end > from ? (size_t)(close.name_end - from) : 0 });
        p = close.at + 2;
    }
}

static const char *kind_name(const Json *json)
{
    static const char *const names[] = {
        [JSON_NULL] = "NoneType", [JSON_FALSE] = "bool", [JSON_TRUE] = "bool", [JSON_INT] = "int",
        [JSON_FLOAT] = "float", [JSON_STRING] = "str", [JSON_ARRAY] = "list", [JSON_OBJECT] = "dict",
    };
    return names[json->kind];
}

static bool check_variables(Invalid *invalid, const Json *configuration, const Json *properties)
{
    StrList expected = { 0 }, provided = { 0 };
    for (const Json *value = configuration->child; value; value = value->next) {
        if (value->kind != JSON_STRING)
            return invalid_add(invalid, "type_error", NULL, "expected string or bytes-like object, got '%s'", kind_name(value));
        add_variables(&expected, invalid->arena, value->text);
    }
    for (const Json *property = properties->child; property; property = property->next)
        str_list_add(&provided, invalid->arena, property->key);
    str_list_sort(&expected);
    str_list_sort(&provided);
    bool all = true;
    for (size_t i = 0; i < expected.count && all; i++)
        all = str_list_has(&provided, expected.items[i]);
    if (all)
        return true;
    Str wants = shown_set(invalid->arena, &expected), gives = shown_set(invalid->arena, &provided);
    return invalid_add(invalid, "value_error", NULL,
                       "The variables specified in the job configuration template must be present as attributes in the variables class. "
                       "Your job expects the following variables: %.*s, but your template provides: %.*s",
                       STR_ARG(wants), STR_ARG(gives));
}

static bool check_template(Invalid *invalid, void *member)
{
    const Json *template;
    JsonError unused;
    if (!json_parse(invalid->arena, *(Str *)member, &template, &unused) || template->count == 0)
        return true;
    const Json *configuration = json_get(template, "job_configuration"), *variables = json_get(template, "variables");
    if (!python_is_truthy(configuration) || !python_is_truthy(variables))
        return invalid_add(invalid, "value_error", NULL,
                           "The `base_job_template` must contain both a `job_configuration` key and a `variables` key.");
    const Json *properties = json_get(variables, "properties");
    if (configuration->kind != JSON_OBJECT || !properties || properties->kind != JSON_OBJECT) /* where the reference stumbles */
        return invalid_add(invalid, "value_error", NULL, "`job_configuration` and the `properties` of `variables` must be objects.");
    return check_variables(invalid, configuration, properties);
}

/* ---- tables ---- */

static const Field pool_columns[] = { /* order: of the keys in responses */
    FIELD(WorkPool, id, F_UUID),
    FIELD(WorkPool, created, F_TIME),
    FIELD(WorkPool, updated, F_TIME),
    FIELD(WorkPool, name, F_STR),
    FIELD(WorkPool, description, F_STR),
    FIELD(WorkPool, type, F_STR),
    FIELD(WorkPool, base_job_template, F_DICT),
    FIELD(WorkPool, is_paused, F_OPT_BOOL),
    FIELD(WorkPool, concurrency_limit, F_OPT_INT),
    FIELD(WorkPool, default_queue_id, F_UUID),
};
static const Field create_fields[] = {
    FIELD(WorkPool, name, F_STR, .flags = REQUIRED, .check = check_name),
    FIELD(WorkPool, description, F_STR, .flags = NULLABLE),
    FIELD(WorkPool, type, F_STR, .fallback = "\"prefect-agent\""),
    FIELD(WorkPool, base_job_template, F_DICT, .fallback = "{}", .check = check_template),
    FIELD(WorkPool, is_paused, F_OPT_BOOL, .fallback = "false"),
    FIELD(WorkPool, concurrency_limit, F_OPT_INT, .flags = NULLABLE, .check = check_opt_int_ge_0),
};
static const Field update_fields[] = {
    FIELD(WorkPool, description, F_STR, .flags = NULLABLE),
    FIELD(WorkPool, is_paused, F_OPT_BOOL, .flags = NULLABLE),
    FIELD(WorkPool, base_job_template, F_DICT, .check = check_template),
    FIELD(WorkPool, concurrency_limit, F_OPT_INT, .flags = NULLABLE, .check = check_opt_int_ge_0),
};
static const Field default_fields[] = {
    FIELD(WorkPool, default_queue_id, F_UUID),
};
static const Field worker_columns[] = {
    FIELD(Worker, id, F_UUID),
    FIELD(Worker, created, F_TIME),
    FIELD(Worker, updated, F_TIME),
    FIELD(Worker, name, F_STR),
    FIELD(Worker, work_pool_id, F_UUID),
    FIELD(Worker, last_heartbeat_time, F_TIME),
};
const Model work_pool_model = MODEL(WorkPool, pool_columns);
const Model work_pool_create_model = MODEL(WorkPool, create_fields, .forbid_extra = true, .schema = "WorkPoolCreate");
const Model work_pool_update_model = MODEL(WorkPool, update_fields, .forbid_extra = true, .schema = "WorkPoolUpdate");
static const Model default_model = MODEL(WorkPool, default_fields);
const Model worker_model = MODEL(Worker, worker_columns);

/* ---- pools ---- */

WorkPool *work_pool_find(Tx *tx, Str name)
{
    return codec_first_row(tx, DB_QUERY(tx, "SELECT id, created, updated, name, description, type, base_job_template, is_paused, concurrency_limit,"
                                            " default_queue_id FROM work_pool WHERE name = $1", v_text(name)), &work_pool_model);
}

WorkPool *work_pool_read(Tx *tx, Str name)
{
    WorkPool *pool = work_pool_find(tx, name);
    if (!pool)
        fail(tx->error, ERR_NOT_FOUND, "Work pool \"%.*s\" not found.", STR_ARG(name));
    return pool;
}

WorkPool *work_pool_create(Tx *tx, const WorkPool *wanted)
{
    WorkPool *pool = arena_new_of(tx->arena, WorkPool);
    *pool = *wanted;
    pool->id = uuid_new(tx->arena);
    pool->created = pool->updated = tx->now;
    pool->is_paused.has = true;
    if (!pool->base_job_template.p)
        pool->base_job_template = STR("{}");
    if (codec_insert(tx, &work_pool_model, "work_pool", pool, NULL) < 0)
        return NULL;
    const WorkQueue *queue = work_queue_create_in(tx, pool->id, &(WorkQueue){ .name = STR("default"), .description = STR("The work pool's default queue.") });
    if (!queue)
        return NULL;
    pool->default_queue_id = queue->id;
    if (!codec_send_update(tx, &default_model, "work_pool", pool->id, pool, 1))
        return NULL;
    return work_pool_find(tx, pool->name);
}

int64_t work_pool_delete(Tx *tx, Str id)
{
    DB_LOCK_ROWS(tx, "SELECT id FROM deployment WHERE work_queue_id IN (SELECT id FROM work_queue WHERE work_pool_id = $1)"
                     " ORDER BY id FOR UPDATE OF deployment", v_uuid(id));
    DB_LOCK_ROWS(tx, "SELECT id FROM work_pool WHERE id = $1 FOR UPDATE", v_uuid(id));
    DB_LOCK_ROWS(tx, "SELECT id FROM work_queue WHERE work_pool_id = $1 ORDER BY id FOR UPDATE", v_uuid(id));
    DB_SEND(tx, "DELETE FROM agent WHERE work_queue_id IN (SELECT id FROM work_queue WHERE work_pool_id = $1)", v_uuid(id));
    return DB_EXEC(tx, "DELETE FROM work_pool WHERE id = $1", v_uuid(id));
}

bool work_pool_default_queue_id(Tx *tx, Str pool_name, Str *ret_id)
{
    const WorkPool *pool = work_pool_read(tx, pool_name);
    if (!pool)
        return false;
    *ret_id = pool->default_queue_id;
    return true;
}

bool worker_record_heartbeat(Tx *tx, Str pool_id, Str name)
{
    return DB_EXEC(tx, "INSERT INTO worker (id, created, updated, name, work_pool_id, last_heartbeat_time) VALUES ($1, $2, $2, $3, $4, $2)"
                       " ON CONFLICT (work_pool_id, name) DO UPDATE SET last_heartbeat_time = excluded.last_heartbeat_time",
                   v_uuid(uuid_new(tx->arena)), v_time(tx->now), v_text(name), v_uuid(pool_id)) > 0;
}

/* ---- the configuration of deployments ---- */

static void put(Arena *arena, Json *object, const char *key, const Json *value)
{
    if (!value)
        return;
    Json *member = arena_new_of(arena, Json);
    *member = *value;
    member->key = str_from(key);
    member->next = object->child;
    object->child = member;
    object->count++;
}

/* What the reference makes of a template's variables before it checks: their properties, and which ones must be there. Beside those the
 * definitions that they may refer to; the reference, which leaves them out, fails then. */
static const Json *schema_of(Arena *arena, const Json *variables)
{
    Json *schema = arena_new_of(arena, Json);
    schema->kind = JSON_OBJECT;
    put(arena, schema, "definitions", json_get(variables, "definitions"));
    put(arena, schema, "required", json_get(variables, "required"));
    put(arena, schema, "properties", json_get(variables, "properties"));
    put(arena, schema, "type", &(Json){ .kind = JSON_STRING, .text = STR("object") });
    return schema;
}

bool work_pool_check_configuration(Tx *tx, Str pool_name, Str infra_overrides, const char *doing)
{
    if (str_is(pool_name, DEFAULT_AGENT_POOL))
        return true;
    const WorkPool *pool = work_pool_read(tx, pool_name);
    const Json *template, *value;
    JsonError unused;
    Str given = infra_overrides.p ? infra_overrides : STR("null");
    if (!pool)
        return false;
    if (!json_parse(tx->arena, pool->base_job_template, &template, &unused) || !json_parse(tx->arena, given, &value, &unused))
        return fail(tx->error, ERR_INTERNAL, "The base job template of a work pool, or infrastructure overrides, are no JSON");
    const Json *variables = json_get(template, "variables");
    Buf message;
    buf_init(&message, tx->arena, 256);
    if (json_is_null(variables) || json_schema_check(tx->arena, schema_of(tx->arena, variables), value, &message))
        return true;
    Str shown = json_python_repr(tx->arena, buf_view(&message));
    return fail(tx->error, ERR_CONFLICT, "Error %s deployment: <ValidationError: %.*s>", doing, STR_ARG(shown));
}
