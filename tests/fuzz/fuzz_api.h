/* tests/fuzz/fuzz_api.h -- a request to the API out of bytes: a line "METHOD /path?query" (the path below /api), a
 * line "name: value" for each header, an empty line, the body. A first line that names no row of the tables chooses
 * one by its sum, with ids and names that exist, so that few inputs are wasted on paths. */
#ifndef ORION_FUZZ_API_H
#define ORION_FUZZ_API_H

#include "fuzz_db.h"

#include "api/decode.h"
#include "api/dispatch.h"
#include "api/match.h"
#include "api/routes/queue_polls.h"
#include "base/text.h"
#include "base/unicode.h"
#include "http/parse.h"

static inline const App *fuzz_app(void)
{
    static App app;
    Error error = { .code = ERR_NONE };
    if (app.db)
        return &app;
    setenv("PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS", "true", 1); /* else their routes are not served */
    app = (App){ .db = fuzz_db(), .settings = settings_load(NULL, &error), .default_limit = 200,
                 .queue_polls = queue_polls_new(fuzz_db()) };
    must_not_fail(&error);
    return &app;
}

static inline size_t sum_of(Str text)
{
    size_t sum = 0;
    for (size_t i = 0; i < text.n; i++)
        sum = sum * 31 + (unsigned char)text.p[i];
    return sum;
}

static inline HttpMethod method_of(Str text)
{
    static const char *const names[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_is(text, names[i]))
            return (HttpMethod)i;
    return HTTP_OTHER;
}

static inline const Route *route_by_sum(Str line)
{
    size_t count = 0, n;
    for (size_t i = 0; i < route_family_count; i++)
        count += route_families[i]->count;
    n = sum_of(line) % count;
    for (size_t i = 0;; n -= route_families[i++]->count)
        if (n < route_families[i]->count)
            return &route_families[i]->routes[n];
}

/* The row's path with its parameters filled in: all rows that matter have the same id, and the name "a". */
static inline Str path_of_row(Arena *arena, const Route *route)
{
    Buf path;
    buf_init(&path, arena, 128);
    for (const char *p = route->path; *p; p++) {
        if (*p != '{') {
            buf_char(&path, *p);
            continue;
        }
        const char *end = strchr(p, '}');
        bool is_name = end - p > 4 && memcmp(end - 4, ":str", 4) == 0;
        buf_text(&path, is_name ? "a" : FUZZ_ID);
        p = end;
    }
    return buf_view(&path);
}

/* Values as the parser of heads leaves them: no line ends, no zero bytes. Others end the headers. */
static inline void read_headers(HttpRequest *http, Str *rest)
{
    enum { HEADERS_MAX = 16 };
    HttpHeader *headers = arena_zalloc(http->arena, HEADERS_MAX * sizeof *headers);
    while (http->header_count < HEADERS_MAX) {
        Str line = cut_line(rest);
        size_t colon = str_find(line, ':');
        if (colon == line.n || (line.n && memchr(line.p, '\0', line.n)))
            break;
        headers[http->header_count++] = (HttpHeader){ str_cut(line, 0, colon),
                                                      str_trim(str_cut(line, colon + 1, line.n)) };
    }
    http->headers = headers;
}

/* Its row is in req->route. */
static inline Req *read_request(Arena *arena, Str text)
{
    HttpRequest *http = arena_new_of(arena, HttpRequest);
    Str rest = text, line = cut_line(&rest), target = line;
    const Route *other;
    http->arena = arena;
    http->method_text = str_cut(line, 0, str_find(line, ' '));
    http->method = method_of(http->method_text);
    target = http->method_text.n < line.n ? str_cut(line, http->method_text.n + 1, line.n) : STR("");
    size_t question = str_find(target, '?');
    http->raw_path = str_cut(target, 0, question);
    http->query = question < target.n ? str_cut(target, question + 1, target.n) : STR("");
    http->path = http_percent_decode(arena, http->raw_path, false);
    read_headers(http, &rest);
    http->body = rest;
    Req *req = req_new(http, fuzz_app());
    req->route = match_route(req, http->path, &other);
    if (!req->route) {
        const Route *route = route_by_sum(line);
        http->method = route->method;
        http->path = path_of_row(arena, route);
        req->route = match_route(req, http->path, &other);
        must(req->route != NULL);
    }
    return req;
}

/* The errors that are answered are JSON, and as many as were counted. */
static inline void check_errors(Invalid *invalid)
{
    const Json *json;
    JsonError error;
    Str text = arena_printf(invalid->arena, "[%.*s]", STR_ARG(buf_view(&invalid->items)));
    must(invalid->depth == 0);
    must(json_parse(invalid->arena, text, &json, &error));
    must(json->count == invalid->count);
}

/* False: refused, with reasons. */
static inline bool decode_checked(Req *req)
{
    if (decode_request(req))
        return true;
    must(req->invalid.count > 0 || req->error.code != ERR_NONE);
    must(req->error.code != ERR_INTERNAL);
    if (req->error.code == ERR_NONE)
        check_errors(&req->invalid);
    return false;
}

#endif
