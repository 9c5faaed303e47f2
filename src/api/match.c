/* api/match.c -- finds the row of the families' tables for a path and a method. */
#include "api/match.h"

#include "base/uuid.h"
#include "http/websocket.h"

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

/* Sets req->params and req->route_number if a row is found. */
static const Route *find_route(Req *req, Str path, HttpMethod method, const Route **ret_other)
{
    size_t before = 0;
    *ret_other = NULL;
    for (size_t f = 0; f < route_family_count; f++) {
        for (size_t i = 0; i < route_families[f]->count; i++) {
            const Route *route = &route_families[f]->routes[i];
            if (!path_matches(req->arena, route->path, path, req->params))
                continue;
            if (route->method == method) {
                req->route_number = before + i;
                return route;
            }
            if (!*ret_other && route->method != HTTP_WS)
                *ret_other = route;
        }
        before += route_families[f]->count;
    }
    return NULL;
}

const Route *match_route(Req *req, Str path, const Route **ret_other)
{
    return find_route(req, path, req->http->method, ret_other);
}

const Route *match_socket(Req *req, Str path)
{
    const Route *other;
    return ws_is_wanted(req->http) ? find_route(req, path, HTTP_WS, &other) : NULL;
}

const char *match_plain_path(Arena *arena, const char *path)
{
    Buf out;
    buf_init(&out, arena, strlen(path) + 1);
    while (*path) {
        if (*path == ':')
            path += strcspn(path, "}");
        else
            buf_char(&out, *path++);
    }
    return buf_cstr(&out);
}

Str match_route_template(Arena *arena, const Route *route)
{
    return arena_printf(arena, "/api%s", match_plain_path(arena, route->path));
}
