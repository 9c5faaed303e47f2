/* api/decode.c -- checks and decodes requests as FastAPI does for the reference: the same errors in the same order. */
#include "api/decode.h"

#include "api/version.h"
#include "base/unicode.h"
#include "base/uuid.h"
#include "entity/checks.h"
#include <strings.h>

bool route_takes(const Route *route, BodyPart part)
{
    const BodyPart *taken = route->order;
    while (taken && *taken && *taken != part)
        taken++;
    return taken && *taken;
}

bool route_takes_body(const Route *route)
{
    return route->body || route->parameters || route->order || route->prepare;
}

/* ---- the body as it came ---- */

/* "application/json" and "application/…+json"; no content type at all counts as JSON, as FastAPI reads it. */
static bool is_json_type(Str type)
{
    if (!type.p || type.n == 0)
        return true;
    size_t n = 0;
    while (n < type.n && type.p[n] != ';' && type.p[n] != ' ')
        n++;
    static const char prefix[] = "application/";
    if (n < sizeof prefix || strncasecmp(type.p, prefix, sizeof prefix - 1) != 0)
        return false;
    Str subtype = { type.p + sizeof prefix - 1, n - (sizeof prefix - 1) };
    return (subtype.n == 4 && strncasecmp(subtype.p, "json", 4) == 0) ||
           (subtype.n > 5 && strncasecmp(subtype.p + subtype.n - 5, "+json", 5) == 0);
}

/* A value can be written in two bytes, and takes some hundred times that when parsed: without a limit on their number
 * the largest body would need gigabytes. No client comes near it. */
static bool check_value_count(Req *req, Str body)
{
    enum { VALUES_MAX = 2000000 };
    if (body.n <= VALUES_MAX)
        return true;
    size_t count = 0;
    bool in_string = false;
    for (size_t i = 0; i < body.n; i++) {
        char c = body.p[i];
        if (c == '"')
            in_string = !in_string;
        else if (in_string)
            i += c == '\\'; /* skips what is escaped, perhaps a quote */
        else
            count += c == ',' || c == '[' || c == '{';
    }
    return count <= VALUES_MAX || fail(&req->error, ERR_TOO_LARGE, "The body holds more than %d values.", VALUES_MAX);
}

static bool read_body(Req *req)
{
    Str body = req->http->body;
    JsonError error = { 0 };
    bool is_json = is_json_type(http_header(req->http, "content-type"));
    if (body.n == 0)
        return true;
    if (!check_value_count(req, body))
        return false;
    if (is_json && json_parse(req->arena, body, &req->body, &error))
        return true;
    if (!utf8_is_valid(body)) /* FastAPI's answer if it should be JSON; the reference fails to show others */
        return fail(&req->error, ERR_BAD_REQUEST, "There was an error parsing the body");
    req->body_text = body;
    if (is_json)
        (void)!invalid_malformed(&req->invalid, body, error);
    return !is_json;
}

/* ---- path, query and headers ---- */

static void add_missing(Invalid *invalid, const char *name)
{
    invalid->input = NULL; /* FastAPI shows nothing in place of the parameter */
    invalid_enter(invalid, name);
    invalid_missing(invalid);
    invalid_leave(invalid);
}

/* Decodes by the field's row into `base`; NULL: its fallback, or nothing. */
static void decode_value(Req *req, const Field *field, const Json *value, void *base)
{
    if (!value && !(field->fallback && (value = json_read(req->arena, str_from(field->fallback)))))
        return;
    invalid_enter(&req->invalid, field->name);
    (void)!codec_decode_field(&req->invalid, field, value, (char *)base + field->offset);
    invalid_leave(&req->invalid);
}

static void decode_path(Req *req)
{
    size_t param = 0;
    for (const char *p = strchr(req->route->path, '{'); p; p = strchr(p + 1, '{'), param++) {
        Str name = { p + 1, strcspn(p + 1, ":}") };
        bool is_text = strncmp(name.p + name.n, ":str}", 5) == 0;
        if (is_text || uuid_parse(req->arena, req->params[param], &req->params[param]))
            continue;
        invalid_enter(&req->invalid, "path");
        invalid_enter_str(&req->invalid, name);
        invalid_add(&req->invalid, "type_error.uuid", NULL, "value is not a valid uuid");
        invalid_leave(&req->invalid);
        invalid_leave(&req->invalid);
    }
}

static Str query_text(const HttpRequest *http, const char *name)
{
    Str text;
    return http_query_value(http, name, &text) ? text : STR_NULL;
}

/* Decodes the parameters that are sent as text, outside the body. */
static void decode_texts(Req *req, const char *place, const Model *model,
                         Str (*find)(const HttpRequest *, const char *))
{
    invalid_enter(&req->invalid, place);
    for (size_t i = 0; model && i < model->count; i++) {
        const Field *field = &model->fields[i];
        const Json value = { .kind = JSON_STRING, .text = find(req->http, field->name) };
        if (!value.text.p && (field->flags & REQUIRED))
            add_missing(&req->invalid, field->name);
        else
            decode_value(req, field, value.text.p ? &value : NULL, req->object);
    }
    invalid_leave(&req->invalid);
}

/* ---- the body decoded ---- */

/* One model is the whole of it. */
static void decode_model(Req *req)
{
    if (json_is_null(req->body) && !req->body_text.p) {
        invalid_missing(&req->invalid);
        return;
    }
    const Json text = { .kind = JSON_STRING, .text = req->body_text };
    const Json *body = req->body ? req->body : &text;
    (void)!codec_decode(&req->invalid, req->route->body, body, req->object, &req->sent);
}

/* Whether it cannot hold parameters: neither an object nor null, which counts as no body. FastAPI then reports each of
 * them as missing, required or not. */
static bool body_is_strange(const Req *req)
{
    return req->body_text.p || (!json_is_null(req->body) && req->body->kind != JSON_OBJECT);
}

/* A member that is null counts as absent. */
static void decode_parameter(Req *req, const Field *field, void *base)
{
    const Json *value = json_get(req->body, field->name);
    if (json_is_null(value))
        value = NULL;
    if (!value && ((field->flags & REQUIRED) || body_is_strange(req)))
        add_missing(&req->invalid, field->name);
    else
        decode_value(req, field, value, base);
}

typedef struct Page {
    OptInt limit;
    int64_t offset;
} Page;

/* Python's integers are unbounded: one beyond ours is out of range, not malformed. */
static bool decode_any_int(Invalid *invalid, const Json *json, void *member)
{
    static const Field plain = { .kind = F_OPT_INT };
    if (!json_is_beyond_int64(json))
        return codec_decode_field(invalid, &plain, json, member);
    *(OptInt *)member = (OptInt){ .v = json->text.p[0] == '-' ? INT64_MIN : INT64_MAX, .has = true };
    return true;
}

/* dependencies.LimitBody. False: out of range, which ends the request; a malformed one is
 * reported with all other errors. */
static bool decode_limit(Req *req)
{
    static const Field field = FIELD(Page, limit, F_OPT_INT, .decode = decode_any_int);
    const int64_t max = req->app->default_limit;
    Page page = { 0 };
    invalid_enter(&req->invalid, "body");
    decode_parameter(req, &field, &page);
    invalid_leave(&req->invalid);
    req->limit = page.limit.has ? page.limit.v : max;
    if (req->limit < 0)
        return fail(&req->error, ERR_INVALID, "Invalid limit: must be greater than or equal to 0.");
    return req->limit <= max
           || fail(&req->error, ERR_INVALID, "Invalid limit: must be less than or equal to %lld.", (long long)max);
}

static void decode_offset(Req *req)
{
    static const Field field = FIELD(Page, offset, F_INT, .fallback = "0", .check = check_int_ge_0);
    Page page = { 0 };
    decode_parameter(req, &field, &page);
    req->offset = page.offset;
}

static void decode_sort(Req *req)
{
    const ListSpec *list = req->route->list;
    if (body_is_strange(req))
        add_missing(&req->invalid, "sort");
    else
        req->sort = sort_find(&req->invalid, list->sorts, list->sort_default, req->body);
}

static void decode_filters(Req *req)
{
    const ListSpec *list = req->route->list;
    if (!body_is_strange(req)) {
        const Json *body = list->with_default ? list->with_default(req->arena, req->body) : req->body;
        (void)!filter_where(&req->invalid, list->links, body, &req->query);
        return;
    }
    for (const FilterLink *link = list->links; link->key; link++)
        add_missing(&req->invalid, link->key);
}

static void decode_parameters(Req *req)
{
    const Model *model = req->route->parameters;
    for (size_t i = 0; i < model->count; i++)
        decode_parameter(req, &model->fields[i], req->object);
}

static void decode_parts(Req *req, const BodyPart *part)
{
    static void (*const decoders[])(Req *) = {
        [BODY_OFFSET] = decode_offset,
        [BODY_SORT] = decode_sort,
        [BODY_FILTERS] = decode_filters,
        [BODY_PARAMETERS] = decode_parameters,
    };
    query_init(&req->query, req->arena, db_dialect(req->app->db));
    req->query.reads_all = !route_takes(req->route, BODY_OFFSET);
    for (; *part; part++) {
        if (*part != BODY_LIMIT) /* checked already */
            decoders[*part](req);
    }
}

static void decode_body(Req *req)
{
    static const BodyPart parameters_alone[] = { BODY_PARAMETERS, BODY_END };
    const Route *route = req->route;
    invalid_enter(&req->invalid, "body");
    if (route->body)
        decode_model(req);
    else if (route->order || route->parameters)
        decode_parts(req, route->order ? route->order : parameters_alone);
    if (route->prepare && req->invalid.count == 0)
        (void)!route->prepare(req);
    invalid_leave(&req->invalid);
}

bool decode_request(Req *req)
{
    const Route *route = req->route;
    const Model *models[] = { route->body, route->parameters, route->query, route->headers };
    if (route_takes_body(route) && !read_body(req))
        return false;
    if (!route->any_version && !version_check(req))
        return false;
    if (route->gate && !route->gate(req))
        return false;
    if (route_takes(route, BODY_LIMIT) && !decode_limit(req))
        return false;
    for (size_t i = 0; i < COUNT_OF(models) && !req->object; i++)
        req->object = models[i] ? arena_zalloc(req->arena, models[i]->size) : NULL;
    decode_path(req);
    decode_texts(req, "query", route->query, query_text);
    decode_texts(req, "header", route->headers, http_header);
    decode_body(req);
    return req->error.code == ERR_NONE && req->invalid.count == 0;
}
