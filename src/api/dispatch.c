/* api/dispatch.c -- from an HTTP request to a handler in its transaction, and from there to the reply. */
#include "api/request.h"

#include "api/reply.h"
#include "api/worker.h"
#include "base/ident.h"
#include "base/unicode.h"
#include <strings.h>

enum {
    VERSION_MINIMUM = 800,
    LOOP_BODY_MAX = 64 << 10 /* bytes; checking takes some 15 ns for each, and 350 where every value is wrong and said to be */
};

/* ---- matching ---- */

static Str next_segment(Str *rest)
{
    size_t n = 0;
    while (n < rest->n && rest->p[n] != '/')
        n++;
    Str segment = { rest->p, n };
    rest->p += n;
    rest->n -= n;
    return segment;
}

static bool segment_matches(Arena *arena, Str pattern, Str segment, Str *params, size_t *count)
{
    if (pattern.n == 0 || pattern.p[0] != '{')
        return str_eq(pattern, segment);
    if (segment.n == 0)
        return false;
    Str canonical;
    bool converter = pattern.n > 6 && memcmp(pattern.p + pattern.n - 6, ":uuid}", 6) == 0;
    if (converter && (segment.n != UUID_TEXT || !uuid_parse(arena, segment, &canonical) || !str_eq(segment, canonical)))
        return false;
    params[(*count)++] = segment;
    return true;
}

static bool path_matches(Arena *arena, const char *pattern_text, Str path, Str *params)
{
    Str pattern = str_from(pattern_text);
    size_t count = 0;
    while (pattern.n && path.n) {
        if (pattern.p[0] != '/' || path.p[0] != '/')
            return false;
        pattern = (Str){ pattern.p + 1, pattern.n - 1 };
        path = (Str){ path.p + 1, path.n - 1 };
        Str p = next_segment(&pattern);
        Str s = next_segment(&path);
        if (!segment_matches(arena, p, s, params, &count))
            return false;
    }
    return pattern.n == 0 && path.n == 0;
}

/* The first row whose method fits too; else *ret_partial is the first one of another method. */
static const Route *find_route(Req *req, Str path, const Route **ret_partial)
{
    *ret_partial = NULL;
    for (size_t f = 0; f < route_family_count; f++) {
        for (size_t i = 0; i < route_families[f]->count; i++) {
            const Route *route = &route_families[f]->routes[i];
            if (!path_matches(req->arena, route->path, path, req->params))
                continue;
            if (route->method == req->http->method)
                return route;
            if (!*ret_partial)
                *ret_partial = route;
        }
    }
    return NULL;
}

/* ---- what every route of the API asks for ---- */

/* Python's int(): surrounding spaces, a sign and single underscores are fine. What is too long to matter is cut. */
static bool version_part(Str part, int64_t *ret)
{
    enum { LARGEST = 1000000 };
    int64_t value = 0;
    bool digit = false; /* the last character was one */
    while (part.n && part.p[part.n - 1] == ' ')
        part.n--;
    while (part.n && part.p[0] == ' ')
        part = (Str){ part.p + 1, part.n - 1 };
    bool negative = part.n && part.p[0] == '-';
    size_t i = part.n && (part.p[0] == '-' || part.p[0] == '+') ? 1 : 0;
    for (; i < part.n; i++) {
        if (part.p[i] == '_' && digit) {
            digit = false;
            continue;
        }
        if (part.p[i] < '0' || part.p[i] > '9')
            return false;
        value = value * 10 + (part.p[i] - '0');
        value = value > LARGEST ? LARGEST : value;
        digit = true;
    }
    *ret = negative ? -value : value;
    return digit;
}

static bool version_parse(Str text, int64_t parts[3])
{
    size_t part = 0, start = 0;
    for (size_t i = 0; i <= text.n; i++) {
        if (i < text.n && text.p[i] != '.')
            continue;
        if (part == 3 || !version_part((Str){ text.p + start, i - start }, &parts[part]))
            return false;
        part++;
        start = i + 1;
    }
    return part == 3;
}

/* Headers are Latin-1 to the reference. */
static Str latin1_to_utf8(Arena *arena, Str text)
{
    Buf out;
    buf_init(&out, arena, text.n * 2);
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x80)
            buf_char(&out, (char)(0xC0 | c >> 6));
        buf_char(&out, (char)(c < 0x80 ? c : (0x80 | (c & 0x3F))));
    }
    return buf_view(&out);
}

static bool check_version(Req *req)
{
    Str text = http_header(req->http, "x-prefect-api-version");
    if (!text.p || text.n == 0)
        return true;
    int64_t v[3];
    if (!version_parse(text, v)) {
        text = latin1_to_utf8(req->arena, text);
        return fail(&req->error, ERR_BAD_REQUEST,
                    "Invalid X-PREFECT-API-VERSION header format.Expected header in format 'x.y.z' but received %.*s", STR_ARG(text));
    }
    bool old = v[0] < 0 || (v[0] == 0 && (v[1] < 8 || (v[1] == 8 && v[2] < 0)));
    if (old)
        return fail(&req->error, ERR_BAD_REQUEST,
                    "The request specified API version %.*s but this server requires version 0.8.0 or higher.", STR_ARG(text));
    int64_t number = v[0] * 10000 + (v[1] < 100 ? v[1] : 99) * 100 + (v[2] < 100 ? v[2] : 99);
    req->api_version = (unsigned)(number < VERSION_MINIMUM ? VERSION_MINIMUM : number);
    return true;
}

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

/* A parsed value takes some hundred times the two bytes that it may be written in: without a limit on their number the largest body
 * would need gigabytes. No client comes near it. */
static bool check_value_count(Req *req, Str body)
{
    enum { VALUES_MAX = 2000000 };
    size_t count = 0;
    bool in_string = false;
    for (size_t i = 0; i < body.n; i++) {
        char c = body.p[i];
        if (c == '"')
            in_string = !in_string;
        else if (in_string)
            i += c == '\\'; /* what is escaped, a quote perhaps */
        else
            count += c == ',' || c == '[' || c == '{';
    }
    return count <= VALUES_MAX || fail(&req->error, ERR_TOO_LARGE, "The body holds more than %d values.", VALUES_MAX);
}

static bool read_body(Req *req)
{
    Str body = req->http->body;
    if (body.n == 0)
        return true;
    if (!check_value_count(req, body))
        return false;
    if (!utf8_is_valid(body)) /* FastAPI's answer where it is to be JSON; the reference fails on showing others */
        return fail(&req->error, ERR_BAD_REQUEST, "There was an error parsing the body");
    if (!is_json_type(http_header(req->http, "content-type"))) {
        req->body_text = body;
        return true;
    }
    JsonError error;
    if (json_parse(req->arena, body, &req->body, &error))
        return true;
    req->body_text = body;
    return error_malformed_json(req, error);
}

static bool decode_path(Req *req)
{
    size_t param = 0;
    for (const char *p = strchr(req->route->path, '{'); p; p = strchr(p + 1, '{'), param++) {
        const char *end = strchr(p, '}');
        size_t n = (size_t)(end - p) - 1;
        Str name = { p + 1, n };
        if (n > 4 && memcmp(end - 4, ":str", 4) == 0)
            continue;
        if (n > 5 && memcmp(end - 5, ":uuid", 5) == 0)
            name.n -= 5;
        Str raw = req->params[param];
        if (uuid_parse(req->arena, raw, &req->params[param]))
            continue;
        invalid_enter(&req->invalid, "path");
        invalid_enter_str(&req->invalid, name);
        invalid_add(&req->invalid, "type_error.uuid", NULL, "value is not a valid uuid");
        invalid_leave(&req->invalid);
        invalid_leave(&req->invalid);
    }
    return true;
}

static bool decode_model(Req *req)
{
    const Model *model = req->route->body;
    Invalid *invalid = &req->invalid;
    if (json_is_null(req->body) && !req->body_text.p)
        return invalid_add(invalid, "value_error.missing", NULL, "field required");
    Json text = { .kind = JSON_STRING, .text = req->body_text };
    req->object = arena_zalloc(req->arena, model->size);
    return codec_decode(invalid, model, req->body ? req->body : &text, req->object, &req->sent);
}

/* Every one of them, so that all errors are told. */
static bool decode_parameters(Req *req, const Model *model, bool (*decode)(Req *, const Field *, void *))
{
    bool ok = true;
    if (!req->object)
        req->object = arena_zalloc(req->arena, model->size);
    for (size_t i = 0; i < model->count; i++)
        ok = (model->fields[i].decode == limit_decode || decode(req, &model->fields[i], req->object)) && ok;
    return ok;
}

bool body_parameters(Req *req)
{
    return decode_parameters(req, req->route->parameters, body_field);
}

/* The limit among the parameters of a body is judged before all else, as a dependency of the reference's: out of range, it ends the request. */
static bool decode_limit(Req *req)
{
    const Model *model = req->route->parameters;
    for (size_t i = 0; model && i < model->count; i++) {
        const Field *field = &model->fields[i];
        if (field->decode != limit_decode)
            continue;
        req->object = arena_zalloc(req->arena, model->size);
        invalid_enter(&req->invalid, "body");
        bool ok = body_field(req, field, req->object);
        invalid_leave(&req->invalid);
        return !ok || limit_check(req, *(const OptInt *)((const char *)req->object + field->offset));
    }
    return true;
}

/* Everything that can be found wrong before a transaction. False: req->error or req->invalid says what. */
static bool check_request(Req *req)
{
    const Route *route = req->route;
    bool takes_body = route->body || route->parameters || route->spec || route->reads_body;
    if (takes_body && !read_body(req))
        return false;
    if (!route->any_version && !check_version(req))
        return false;
    if ((route->gate && !route->gate(req)) || !decode_limit(req))
        return false;
    decode_path(req);
    bool ok = !route->query || decode_parameters(req, route->query, query_field);
    if (route->headers)
        ok = decode_parameters(req, route->headers, header_field) && ok;
    if (takes_body)
        invalid_enter(&req->invalid, "body");
    if (route->body)
        ok = decode_model(req) && ok;
    if (route->parameters && !(route->spec && route->spec->offset_last))
        ok = body_parameters(req) && ok;
    if (route->prepare)
        ok = route->prepare(req) && ok;
    if (takes_body)
        invalid_leave(&req->invalid);
    return ok && req->invalid.count == 0;
}

/* ---- running ---- */

static bool run_job(Tx *tx, void *arg)
{
    Req *req = arg;
    req->tx = tx;
    req->status = req->route->status;
    req->reply = (Buf){ 0 };
    db_lock(tx, req->route->lock);
    bool ok = req->route->handle(req);
    if (!ok && tx->error->code == ERR_NONE)
        (void)fail(tx->error, ERR_INTERNAL, "%s: the handler failed without an error", req->route->path);
    return ok && tx->error->code == ERR_NONE;
}

static void finish_job(void *arg, const Error *error)
{
    Req *req = arg;
    req->tx = NULL;
    if (error->code != ERR_NONE)
        req->error = *error;
    reply_send(req);
}

static void run(Req *req)
{
    if (req->route->tx == TX_NONE) {
        req->status = req->route->status;
        (void)!req->route->handle(req);
        reply_send(req);
        return;
    }
    req->job = (Job){ .run = run_job, .done = finish_job, .arg = req, .arena = req->arena, .write = req->route->tx == TX_WRITE };
    db_submit(req->app->db, &req->job);
}

/* Starlette's redirect_slashes: the same path with or without its last slash has a row. */
static bool redirect_slash(Req *req, Str path)
{
    const Route *partial;
    bool slash = path.n > 1 && path.p[path.n - 1] == '/';
    if (path.n <= 1)
        return false;
    Buf other;
    buf_init(&other, req->arena, path.n + 1);
    buf_add(&other, path.p, slash ? path.n - 1 : path.n);
    if (!slash)
        buf_char(&other, '/');
    if (!find_route(req, buf_view(&other), &partial) && !partial)
        return false;
    reply_redirect(req, buf_view(&other));
    return true;
}

static void check_and_run(Req *req)
{
    if (check_request(req))
        run(req);
    else
        reply_send(req);
}

static void dispatch(Req *req, Str path)
{
    const Route *partial;
    req->route = find_route(req, path, &partial);
    if (!req->route && partial) {
        reply_not_allowed(req, partial);
    } else if (!req->route) {
        if (redirect_slash(req, path))
            return;
        (void)fail(&req->error, ERR_NOT_FOUND, "Not Found");
        reply_send(req);
    } else if (req->route->slow || req->http->body.n > LOOP_BODY_MAX) {
        worker_submit(req->app->worker, req, check_and_run);
    } else {
        check_and_run(req);
    }
}

Req *req_new(HttpRequest *http, const App *app)
{
    Req *req = arena_new_of(http->arena, Req);
    req->http = http;
    req->arena = http->arena;
    req->app = app;
    req->now = clock_now();
    invalid_init(&req->invalid, req->arena, req->now);
    return req;
}

void api_handle(Req *req)
{
    Str path = req->http->path;
    dispatch(req, (Str){ path.p + 4, path.n - 4 });
}
