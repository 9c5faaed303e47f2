/* api/address.c -- the server's address as the client sees it, and the client's address, through proxies or not. */
#include "api/address.h"

#include "base/text.h"
#include "config/setting_proxies.h"

const Forwarded *request_forwarded(Req *req)
{
    if (!req->forwarded) {
        Forwarded *said = arena_new_of(req->arena, Forwarded);
        *said = forwarded_read(req->http, req->app->proxies);
        req->forwarded = said;
    }
    return req->forwarded;
}

Str request_peer(Req *req)
{
    return address_text(req->arena, &request_forwarded(req)->client);
}

/* ---- the server's address ---- */

/* A host with or without a port, and nothing that could be taken for more. */
static bool is_authority(Str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!char_is_letter(s.p[i]) && !char_is_digit(s.p[i]) && !char_in(s.p[i], "-._:[]"))
            return false;
    return s.n > 0 && s.n < 300;
}

static bool has_port(Str authority)
{
    size_t bracket = str_find(authority, ']');
    Str rest = bracket < authority.n ? str_cut(authority, bracket, authority.n) : authority;
    return str_find(rest, ':') < rest.n;
}

/* A proxy that drops the port from Host may send it separately. Default ports need not be written, and are often those
 * of another proxy. */
static bool is_worth_writing(Str port)
{
    for (size_t i = 0; i < port.n; i++)
        if (!char_is_digit(port.p[i]))
            return false;
    return port.n > 0 && port.n <= 5 && !str_is(port, "80") && !str_is(port, "443");
}

Str request_address(Req *req)
{
    const Forwarded *said = request_forwarded(req);
    Str host = is_authority(said->host) ? said->host : http_header(req->http, "host");
    if (!is_authority(host))
        return STR("");
    bool port = !has_port(host) && is_worth_writing(said->port);
    const char *scheme = str_same_word(said->proto, STR("https")) ? "https" : "http";
    Str suffix = port ? arena_printf(req->arena, ":%.*s", STR_ARG(said->port)) : STR("");
    return arena_printf(req->arena, "%s://%.*s%.*s", scheme, STR_ARG(host), STR_ARG(suffix));
}

/* ---- root path ---- */

Str request_root_path(Req *req)
{
    Str said = request_forwarded(req)->prefix, path;
    return said.p && root_path_parse(said, &path) ? path : req->app->root_path;
}

void request_strip_root_path(Req *req)
{
    Str path = req->http->path;
    if (str_starts(path, "/api/"))
        return;
    Str root = request_root_path(req);
    if (!root.n || path.n < root.n || memcmp(path.p, root.p, root.n) != 0)
        return;
    if (path.n == root.n)
        req->http->path = STR("/");
    else if (path.p[root.n] == '/')
        req->http->path = str_cut(path, root.n, path.n);
}
