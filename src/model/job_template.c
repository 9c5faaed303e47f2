/* model/job_template.c -- the base job template of a work pool: a job configuration with {{ variables }}, and the JSON
 * schema of the variables, which deployments set. */
#include "model/job_template.h"

#include "base/str_list.h"
#include "base/text.h"
#include "python/json_schema.h"
#include "python/python_values.h"

/* ---- templates ---- */

/* As Python prints a set, but sorted. */
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

/* The next "}}": its position (NULL: none), the end of the name before it, and the last line break within that. */
typedef struct Close {
    const char *at, *name_end, *line_break;
} Close;

static Close next_close(const char *from, const char *end)
{
    Close close = { .at = memmem(from, (size_t)(end - from), "}}", 2) };
    close.name_end = close.at;
    while (close.at && close.name_end > from && char_is_python_space(close.name_end[-1]))
        close.name_end--;
    close.line_break = close.at ? memrchr(from, '\n', (size_t)(close.name_end - from)) : NULL;
    return close;
}

/* Adds the names between {{ and }}, stripped and on one line, as "." in the reference's pattern matches no line break.
 * Each "}}" is searched for once, however many "{{" come before it. */
static void add_variables(StrList *names, Arena *arena, Str text)
{
    const char *p = text.p, *end = text.p + text.n;
    Close close = { .at = NULL };
    while ((p = memmem(p, (size_t)(end - p), "{{", 2))) {
        const char *from = p + 2;
        while (from < end && char_is_python_space(*from))
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
            return invalid_add(invalid, "type_error", NULL, "expected string or bytes-like object, got '%s'",
                               kind_name(value));
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
                       "The variables specified in the job configuration template must be present as attributes in the "
                       "variables class. Your job expects the following variables: %.*s, "
                       "but your template provides: %.*s",
                       STR_ARG(wants), STR_ARG(gives));
}

bool job_template_check(Invalid *invalid, void *member)
{
    const Json *template = json_read(invalid->arena, *(Str *)member);
    if (!template || template->count == 0)
        return true;
    const Json *configuration = json_get(template, "job_configuration"), *variables = json_get(template, "variables");
    if (!python_is_truthy(configuration) || !python_is_truthy(variables))
        return invalid_add(invalid, "value_error", NULL,
                           "The `base_job_template` must contain both a `job_configuration` key and a `variables` "
                           "key.");
    const Json *properties = json_get(variables, "properties");
    /* where the reference fails */
    if (configuration->kind != JSON_OBJECT || !properties || properties->kind != JSON_OBJECT)
        return invalid_add(invalid, "value_error", NULL,
                           "`job_configuration` and the `properties` of `variables` must be objects.");
    return check_variables(invalid, configuration, properties);
}

/* ---- the variables that a deployment sets ---- */

static void put_member(Arena *arena, Json *object, const char *key, const Json *value)
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

/* The schema that the reference builds from a template's variables: their properties, and which are required. We add
 * the definitions that they may refer to; the reference leaves those out, and then fails. */
static const Json *schema_of(Arena *arena, const Json *variables)
{
    Json *schema = arena_new_of(arena, Json);
    schema->kind = JSON_OBJECT;
    put_member(arena, schema, "definitions", json_get(variables, "definitions"));
    put_member(arena, schema, "required", json_get(variables, "required"));
    put_member(arena, schema, "properties", json_get(variables, "properties"));
    put_member(arena, schema, "type", &(Json){ .kind = JSON_STRING, .text = STR("object") });
    return schema;
}

bool job_template_check_variables(Tx *tx, Str template_text, Str infra_overrides)
{
    const Json *template = json_read(tx->arena, template_text);
    const Json *value = json_read(tx->arena, infra_overrides.p ? infra_overrides : STR("null"));
    if (!template || !value)
        return fail(tx->error, ERR_INTERNAL,
                    "The base job template of a work pool, or infrastructure overrides, are not JSON");
    const Json *variables = json_get(template, "variables");
    Buf message;
    buf_init(&message, tx->arena, 256);
    if (json_is_null(variables) || json_schema_check(tx->arena, schema_of(tx->arena, variables), value, &message))
        return true;
    Str shown = json_python_repr(tx->arena, buf_view(&message));
    return fail(tx->error, ERR_CONFLICT, "Error creating deployment: <ValidationError: %.*s>", STR_ARG(shown));
}
