/* api/openapi_schema.c -- JSON Schema from the tables by which bodies are decoded and answers written. */
#include "api/openapi_schema.h"

#include "api/openapi_shapes.h"
#include "model/filters.h"
#include "model/run.h"

#define REFERENCE "#/components/schemas/"

typedef void (*WriteComponent)(Schemas *s, const Component *component);

struct Component {
    Component *next;
    const char *name;
    WriteComponent write; /* the members of its object */
    const void *what;     /* a Model, Filter, Sort … as `write` knows */
};

/* Enumerations that have a name in the reference; others are written inline. */
static const struct EnumName {
    const void *rows; /* names of a field, or the rows of a sort */
    const char *name;
} enum_names[] = {
    { state_type_names, "StateType" },
    { set_state_status_names, "SetStateStatus" },
    { flow_sorts, "FlowSort" },
    { flow_run_sorts, "FlowRunSort" },
    { task_run_sorts, "TaskRunSort" },
    { log_sorts, "LogSort" },
    { deployment_sorts, "DeploymentSort" },
};

static const struct KindSchema {
    const char *type, *format, *item_type, *item_format;
} kind_schemas[] = {
    [F_STR] = { "string" },
    [F_UUID] = { "string", "uuid" },
    [F_INT] = { "integer" },
    [F_OPT_INT] = { "integer" },
    [F_FLOAT] = { "number" },
    [F_OPT_FLOAT] = { "number" },
    [F_BOOL] = { "boolean" },
    [F_OPT_BOOL] = { "boolean" },
    [F_TIME] = { "string", "date-time" },
    [F_MOMENT] = { "string", "date-time" },
    [F_DURATION] = { "number", "time-delta" },
    [F_DICT] = { "object" },
    [F_ANY] = { NULL },
    [F_STRS] = { "array", NULL, "string" },
    [F_UUIDS] = { "array", NULL, "string", "uuid" },
    [F_CUSTOM] = { NULL },
};

/* ---- references ---- */

static void remember(Schemas *s, const char *name, WriteComponent write, const void *what)
{
    for (const Component *c = s->first; c; c = c->next) {
        if (strcmp(c->name, name) == 0)
            return;
    }
    Component *component = arena_new_of(s->arena, Component);
    *component = (Component){ .name = name, .write = write, .what = what };
    if (s->last)
        s->last->next = component;
    else
        s->first = component;
    s->last = component;
}

static void refer(Schemas *s, const char *name, WriteComponent write, const void *what)
{
    remember(s, name, write, what);
    json_object(s->w);
    json_key(s->w, "$ref");
    json_str(s->w, arena_printf(s->arena, REFERENCE "%s", name));
    json_object_end(s->w);
}

static void write_member(Schemas *s, const char *key, const char *text)
{
    if (!text)
        return;
    json_key(s->w, key);
    json_text(s->w, text);
}

static void write_member_json(Schemas *s, const char *key, const char *json)
{
    if (!json)
        return;
    json_key(s->w, key);
    json_stored(s->w, str_from(json));
}

/* ---- enumerations ---- */

static const char *enum_name(const void *rows)
{
    for (size_t i = 0; i < COUNT_OF(enum_names); i++) {
        if (enum_names[i].rows == rows)
            return enum_names[i].name;
    }
    return NULL;
}

static void write_names(Schemas *s, const Component *component)
{
    const char *const *names = component->what;
    write_member(s, "type", "string");
    json_key(s->w, "enum");
    json_array(s->w);
    for (; *names; names++)
        json_text(s->w, *names);
    json_array_end(s->w);
}

static void write_sorts(Schemas *s, const Component *component)
{
    write_member(s, "type", "string");
    json_key(s->w, "enum");
    json_array(s->w);
    for (const Sort *sort = component->what; sort->key; sort++)
        json_text(s->w, sort->key);
    json_array_end(s->w);
}

static const char *const join_words[] = { "and_", "or_", NULL };

static void write_operator_word(Schemas *s)
{
    json_key(s->w, "operator");
    json_object(s->w);
    json_key(s->w, "allOf");
    json_array(s->w);
    refer(s, "Operator", write_names, join_words);
    json_array_end(s->w);
    write_member(s, "default", "and_");
    json_object_end(s->w);
}

/* ---- fields and models ---- */

static void write_properties(Schemas *s, const Model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        if (model->fields[i].flags & HIDDEN)
            continue;
        json_key(s->w, model->fields[i].name);
        schema_field(s, &model->fields[i]);
    }
}

static void write_required(Schemas *s, const Model *model)
{
    bool any = false;
    for (size_t i = 0; i < model->count; i++) {
        if (!(model->fields[i].flags & REQUIRED))
            continue;
        if (!any) {
            json_key(s->w, "required");
            json_array(s->w);
        }
        any = true;
        json_text(s->w, model->fields[i].name);
    }
    if (any)
        json_array_end(s->w);
}

static void write_closed(Schemas *s, bool closed)
{
    if (!closed)
        return;
    json_key(s->w, "additionalProperties");
    json_bool(s->w, false);
}

static void write_model(Schemas *s, const Component *component)
{
    const Model *model = component->what;
    write_member(s, "type", "object");
    write_required(s, model);
    write_closed(s, model->forbid_extra);
    json_key(s->w, "properties");
    json_object(s->w);
    write_properties(s, model);
    json_object_end(s->w);
}

void schema_model(Schemas *s, const Model *model)
{
    refer(s, model->schema ? model->schema : model->name, write_model, model);
}

static void write_kind(Schemas *s, const Field *field)
{
    const struct KindSchema *kind = &kind_schemas[field->kind];
    if (field->kind == F_ENUM) {
        write_names(s, &(Component){ .what = field->names });
        return;
    }
    write_member(s, "type", kind->type);
    write_member(s, "format", kind->format);
    if (!kind->item_type)
        return;
    json_key(s->w, "items");
    json_object(s->w);
    write_member(s, "type", kind->item_type);
    write_member(s, "format", kind->item_format);
    json_object_end(s->w);
}

static bool is_named(const Field *field)
{
    return field->kind == F_MODEL || field->kind == F_OPT_MODEL || (field->kind == F_ENUM && enum_name(field->names));
}

/* The schema of a field's value that is not null. */
static void write_value(Schemas *s, const Field *field)
{
    if (field->schema) {
        schema_text(s, field->schema);
    } else if (field->kind == F_MODEL || field->kind == F_OPT_MODEL) {
        schema_model(s, field->model);
    } else if (is_named(field)) {
        refer(s, enum_name(field->names), write_names, field->names);
    } else {
        json_object(s->w);
        write_kind(s, field);
        json_object_end(s->w);
    }
}

/* Between the two stands the schema of what a nullable value is otherwise. */
static void open_or_null(Schemas *s)
{
    json_object(s->w);
    json_key(s->w, "anyOf");
    json_array(s->w);
}

static void close_choices(Schemas *s)
{
    json_stored(s->w, STR("{\"type\": \"null\"}"));
    json_array_end(s->w);
}

static void close_or_null(Schemas *s)
{
    close_choices(s);
    json_object_end(s->w);
}

/* JSON text of what an absent field becomes; NULL: nothing worth stating. */
static const char *default_of(const Field *field)
{
    static const char *const zeros[] = {
        [F_INT] = "0", [F_FLOAT] = "0.0", [F_BOOL] = "false", [F_DURATION] = "0.0", [F_CUSTOM] = NULL,
    };
    if (field->fallback)
        return strcmp(field->fallback, "null") == 0 ? NULL : field->fallback;
    return field->flags & (REQUIRED | NULLABLE | IGNORED) ? NULL : zeros[field->kind];
}

void schema_field(Schemas *s, const Field *field)
{
    const char *fallback = field->schema ? NULL : default_of(field);
    bool or_null = (field->flags & NULLABLE) && (field->kind != F_ANY || field->schema);
    if (!fallback && !or_null) {
        write_value(s, field);
        return;
    }
    if (or_null) {
        open_or_null(s);
        write_value(s, field);
        close_choices(s);
    } else if (is_named(field)) { /* older tools ignore whatever is next to a reference */
        json_object(s->w);
        json_key(s->w, "allOf");
        json_array(s->w);
        write_value(s, field);
        json_array_end(s->w);
    } else {
        json_object(s->w);
        write_kind(s, field);
    }
    write_member_json(s, "default", fallback);
    json_object_end(s->w);
}

static void remember_shapes(Schemas *s, const char *json)
{
    for (const char *at = strstr(json, REFERENCE); at; at = strstr(at, REFERENCE)) {
        at += strlen(REFERENCE);
        Str name = { at, strcspn(at, "\"") };
        for (const Model *const *shape = openapi_shapes; *shape; shape++) {
            if (str_is(name, (*shape)->name))
                remember(s, (*shape)->name, write_model, *shape);
        }
    }
}

void schema_text(Schemas *s, const char *json)
{
    remember_shapes(s, json);
    json_stored(s->w, str_from(json));
}

/* ---- filters ---- */

/* A filter's name is its class's and its key's: FlowRunFilter, start_time -> FlowRunFilterStartTime. */
static const char *filter_name(Schemas *s, const char *class_name, const char *key)
{
    Buf name;
    bool upper = true;
    buf_init(&name, s->arena, 64);
    buf_text(&name, class_name);
    for (; *key; key++) {
        if (*key != '_')
            buf_char(&name, upper && *key >= 'a' && *key <= 'z' ? (char)(*key - 'a' + 'A') : *key);
        upper = *key == '_';
    }
    return buf_cstr(&name);
}

static void write_operand(Schemas *s, const FilterOperator *op, const Filter *filter)
{
    static const FieldKind kinds[] = { [OPERAND_TEXT] = F_STR, [OPERAND_TEXTS] = F_STR, [OPERAND_FLAG] = F_BOOL };
    bool list = op->operand == OPERAND_LIST || op->operand == OPERAND_TEXTS;
    bool own = op->operand == OPERAND_LIST || op->operand == OPERAND_ONE;
    const FieldKind kind = own ? filter->operand : kinds[op->operand];
    const Field field = { .kind = kind, .names = filter->names };
    open_or_null(s);
    if (list) {
        json_object(s->w);
        write_member(s, "type", "array");
        json_key(s->w, "items");
    }
    write_value(s, &field);
    if (list)
        json_object_end(s->w);
    close_or_null(s);
}

static void write_filters(Schemas *s, const char *name, const Filter *filters);

static void write_filter(Schemas *s, const Component *component)
{
    const Filter *filter = component->what;
    write_member(s, "type", "object");
    write_closed(s, true);
    json_key(s->w, "properties");
    json_object(s->w);
    if (filter->ops & WITH_OPERATOR)
        write_operator_word(s);
    for (size_t i = 0; i < FILTER_OPERATORS; i++) {
        if (!(filter->ops & filter_operators[i].flag))
            continue;
        json_key(s->w, filter_operators[i].key);
        write_operand(s, &filter_operators[i], filter);
    }
    if (filter->group)
        write_filters(s, component->name, filter->group);
    json_object_end(s->w);
}

static void write_filters(Schemas *s, const char *name, const Filter *filters)
{
    for (const Filter *filter = filters; filter->key; filter++) {
        json_key(s->w, filter->key);
        open_or_null(s);
        refer(s, filter_name(s, name, filter->key), write_filter, filter);
        close_or_null(s);
    }
}

static void write_filter_class(Schemas *s, const Component *component)
{
    const FilterClass *class = component->what;
    write_member(s, "type", "object");
    write_closed(s, true);
    json_key(s->w, "properties");
    json_object(s->w);
    if (class->with_operator)
        write_operator_word(s);
    write_filters(s, component->name, class->filters);
    json_object_end(s->w);
}

/* ---- bodies of several parameters ---- */

static void write_sort(Schemas *s, const ListSpec *spec)
{
    const char *name = enum_name(spec->sorts);
    json_key(s->w, "sort");
    json_object(s->w);
    if (name) {
        json_key(s->w, "allOf");
        json_array(s->w);
        refer(s, name, write_sorts, spec->sorts);
        json_array_end(s->w);
    } else {
        write_sorts(s, &(Component){ .what = spec->sorts });
    }
    write_member(s, "default", spec->sort_default);
    json_object_end(s->w);
}

static void write_filters_of(Schemas *s, const ListSpec *list)
{
    for (const FilterLink *link = list->links; link->key; link++) {
        const char *name = link->filter->name;
        json_key(s->w, link->key);
        open_or_null(s);
        refer(s, name ? name : filter_name(s, "Filter", link->key), write_filter_class, link->filter);
        close_or_null(s);
    }
}

static void write_part(Schemas *s, const Route *route, BodyPart part)
{
    switch (part) {
    case BODY_LIMIT:
        json_key(s->w, "limit");
        json_stored(s->w, STR("{\"anyOf\": [{\"type\": \"integer\"}, {\"type\": \"null\"}]}"));
        break;
    case BODY_OFFSET:
        json_key(s->w, "offset");
        json_stored(s->w, STR("{\"type\": \"integer\", \"minimum\": 0, \"default\": 0}"));
        break;
    case BODY_SORT:
        write_sort(s, route->list);
        break;
    case BODY_FILTERS:
        write_filters_of(s, route->list);
        break;
    case BODY_PARAMETERS:
    case BODY_END:
        break;
    }
}

static void write_parameters(Schemas *s, const Component *component)
{
    const Route *route = component->what;
    write_member(s, "type", "object");
    if (route->parameters)
        write_required(s, route->parameters);
    json_key(s->w, "properties");
    json_object(s->w);
    if (route->parameters)
        write_properties(s, route->parameters);
    for (const BodyPart *part = route->order; part && *part; part++)
        write_part(s, route, *part);
    json_object_end(s->w);
}

void schema_parameters(Schemas *s, const Route *route, const char *name)
{
    refer(s, name, write_parameters, route);
}

void schemas_write(Schemas *s)
{
    json_object(s->w);
    for (const Component *c = s->first; c; c = c->next) { /* grows while it is walked */
        json_key(s->w, c->name);
        json_object(s->w);
        write_member(s, "title", c->name);
        c->write(s, c);
        json_object_end(s->w);
    }
    json_object_end(s->w);
}
