/* api/openapi.c -- tables of routes, models and filters as an OpenAPI document. */
#include "api/openapi.h"

#include <ctype.h>

#include "api/decode.h"
#include "api/match.h"
#include "api/openapi_schema.h"
#include "api/openapi_shapes.h"

static const char *const methods[] = {
    [HTTP_GET] = "get", [HTTP_HEAD] = "head", [HTTP_POST] = "post", [HTTP_PUT] = "put",
    [HTTP_PATCH] = "patch", [HTTP_DELETE] = "delete", [HTTP_OPTIONS] = "options",
};

static void member(JsonWriter *w, const char *key, const char *text)
{
    json_key(w, key);
    json_text(w, text);
}

/* ---- names ---- */

/* As FastAPI makes them, since code generators name functions by them: read_flow_flows__id__get. */
static const char *operation_id(Arena *arena, const Route *route)
{
    const char *method = methods[route->method];
    const char *name = route->doc.name ? route->doc.name : method, *path = match_plain_path(arena, route->path);
    char *id = arena_cstr(arena, arena_printf(arena, "%s%s_%s", name, path, method));
    for (char *p = id; *p; p++) {
        if (!isalnum((unsigned char)*p))
            *p = '_';
    }
    return id;
}

/* "flow_runs" -> "Flow Runs". */
static const char *title(Arena *arena, Str name)
{
    char *text = arena_cstr(arena, name);
    for (char *p = text; *p; p++) {
        if (*p == '_')
            *p = ' ';
        else if (p == text || p[-1] == ' ')
            *p = (char)toupper((unsigned char)*p);
    }
    return text;
}

static Str first_segment(const char *path)
{
    return (Str){ path + 1, strcspn(path + 1, "/") };
}

/* ---- parameters ---- */

static void write_parameter(Schemas *s, const char *place, Str name, const Field *field)
{
    JsonWriter *w = s->w;
    Field value = *field;
    value.flags &= ~(unsigned)NULLABLE; /* a query or a head has no null */
    json_object(w);
    json_key(w, "name");
    json_str(w, name);
    member(w, "in", place);
    json_key(w, "required");
    json_bool(w, (field->flags & REQUIRED) != 0);
    json_key(w, "schema");
    schema_field(s, field);
    json_object_end(w);
}

static void write_path_parameters(Schemas *s, const Route *route)
{
    for (const char *p = strchr(route->path, '{'); p; p = strchr(p + 1, '{')) {
        Str name = { p + 1, strcspn(p + 1, ":}") };
        bool text = strncmp(name.p + name.n, ":str}", 5) == 0;
        const Field field = { .kind = text ? F_STR : F_UUID, .flags = REQUIRED };
        write_parameter(s, "path", name, &field);
    }
}

static void write_fields(Schemas *s, const char *place, const Model *model)
{
    for (size_t i = 0; model && i < model->count; i++)
        write_parameter(s, place, str_from(model->fields[i].name), &model->fields[i]);
}

static void write_parameters(Schemas *s, const Route *route)
{
    static const Field version = { .kind = F_STR };
    if (route->any_version && !route->query && !route->headers && !strchr(route->path, '{'))
        return;
    json_key(s->w, "parameters");
    json_array(s->w);
    write_path_parameters(s, route);
    write_fields(s, "query", route->query);
    write_fields(s, "header", route->headers);
    if (!route->any_version)
        write_parameter(s, "header", STR("x-prefect-api-version"), &version);
    json_array_end(s->w);
}

/* ---- bodies and answers ---- */

static void write_list(Schemas *s, const Model *model)
{
    json_object(s->w);
    member(s->w, "type", "array");
    json_key(s->w, "items");
    schema_model(s, model);
    json_object_end(s->w);
}

static void open_content(JsonWriter *w)
{
    json_key(w, "content");
    json_object(w);
    json_key(w, "application/json");
    json_object(w);
    json_key(w, "schema");
}

static void close_content(JsonWriter *w)
{
    json_object_end(w);
    json_object_end(w);
}

static bool body_is_required(const Route *route)
{
    bool required = route->body || route->doc.body_items;
    for (size_t i = 0; route->parameters && i < route->parameters->count; i++)
        required = required || (route->parameters->fields[i].flags & REQUIRED);
    return required;
}

static void write_body(Schemas *s, const Route *route, const char *id)
{
    if (!route_takes_body(route))
        return;
    json_key(s->w, "requestBody");
    json_object(s->w);
    if (body_is_required(route)) {
        json_key(s->w, "required");
        json_bool(s->w, true);
    }
    open_content(s->w);
    if (route->body)
        schema_model(s, route->body);
    else if (route->doc.body_items)
        write_list(s, route->doc.body_items);
    else
        schema_parameters(s, route, arena_printf(s->arena, "Body_%s", id).p);
    close_content(s->w);
    json_object_end(s->w);
}

static void write_reply_schema(Schemas *s, const Route *route)
{
    const RouteDoc *doc = &route->doc;
    const Model *reply = doc->reply ? doc->reply : route->model;
    if (doc->reply_schema || !reply)
        schema_text(s, doc->reply_schema ? doc->reply_schema : "{}");
    else if (doc->reply_list || route_takes(route, BODY_OFFSET))
        write_list(s, reply);
    else
        schema_model(s, reply);
}

static void open_response(JsonWriter *w, const char *status, const char *description)
{
    json_key(w, status);
    json_object(w);
    member(w, "description", description);
}

static void write_success(Schemas *s, const Route *route, int status)
{
    open_response(s->w, arena_printf(s->arena, "%d", status).p, "Successful Response");
    if (status != 204) {
        open_content(s->w);
        write_reply_schema(s, route);
        close_content(s->w);
    }
    json_object_end(s->w);
}

static void write_refusal(Schemas *s, const char *status, const char *description, const Model *shape)
{
    open_response(s->w, status, description);
    open_content(s->w);
    schema_model(s, shape);
    close_content(s->w);
    json_object_end(s->w);
}

static void write_responses(Schemas *s, const Route *route)
{
    json_key(s->w, "responses");
    json_object(s->w);
    write_success(s, route, route->status);
    if (route->doc.other_status)
        write_success(s, route, route->doc.other_status);
    if (!route->any_version) {
        write_refusal(s, "422", "Validation Error", &validation_shape);
        write_refusal(s, "4XX", "Refused: the message says why", &message_shape);
        write_refusal(s, "503", "The database cannot be used now", &message_shape);
    }
    json_object_end(s->w);
}

/* ---- operations ---- */

static void write_operation(Schemas *s, const RouteFamily *family, const Route *route)
{
    JsonWriter *w = s->w;
    const char *id = operation_id(s->arena, route);
    json_key(w, methods[route->method]);
    json_object(w);
    json_key(w, "tags");
    json_array(w);
    json_text(w, family->tag ? family->tag : title(s->arena, first_segment(route->path)));
    json_array_end(w);
    member(w, "summary", title(s->arena, route->doc.name ? str_from(route->doc.name) : first_segment(route->path)));
    if (route->doc.about)
        member(w, "description", route->doc.about);
    member(w, "operationId", id);
    write_parameters(s, route);
    write_body(s, route, id);
    write_responses(s, route);
    json_object_end(w);
}

/* A path appears once, with all its methods, at its first row. */
static void write_path(Schemas *s, const RouteFamily *family, size_t first, const char *prefix)
{
    const char *path = match_plain_path(s->arena, family->routes[first].path);
    if (family->routes[first].own || family->routes[first].method == HTTP_WS)
        return;
    for (size_t i = 0; i < first; i++) {
        if (strcmp(match_plain_path(s->arena, family->routes[i].path), path) == 0)
            return;
    }
    json_key_str(s->w, arena_printf(s->arena, "%s%s", prefix, path));
    json_object(s->w);
    for (size_t i = first; i < family->count; i++) {
        bool is_shown = !family->routes[i].own && family->routes[i].method != HTTP_WS;
        if (is_shown && strcmp(match_plain_path(s->arena, family->routes[i].path), path) == 0)
            write_operation(s, family, &family->routes[i]);
    }
    json_object_end(s->w);
}

static void write_paths(Schemas *s, const char *prefix)
{
    json_key(s->w, "paths");
    json_object(s->w);
    for (size_t f = 0; f < route_family_count; f++) {
        for (size_t i = 0; i < route_families[f]->count; i++)
            write_path(s, route_families[f], i, prefix);
    }
    json_object_end(s->w);
}

void openapi_write(JsonWriter *w, Arena *arena, const char *prefix, size_t *ret_servers)
{
    Schemas s = { .arena = arena, .w = w };
    json_object(w);
    member(w, "openapi", "3.1.0");
    json_key(w, "info");
    json_object(w);
    member(w, "title", "Prefect Orion API");
    member(w, "version", prefix[0] ? "2.7.12" : "0.1.0");
    json_object_end(w);
    *ret_servers = w->out->n + 1; /* after the comma that comes next */
    write_paths(&s, prefix);
    json_key(w, "components");
    json_object(w);
    json_key(w, "schemas");
    schemas_write(&s);
    json_object_end(w);
    json_object_end(w);
}
