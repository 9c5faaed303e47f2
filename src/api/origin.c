/* api/origin.c -- the checks of Origin and Host. */
#include "api/origin.h"

#include <arpa/inet.h>
#include <unistd.h>

#include "api/address.h"

/* Whether the setting, a list, contains the text or "*". */
static bool list_has(const Settings *settings, const char *setting, Str text)
{
    Str rest = settings_text(settings, setting);
    while (rest.n) {
        Str item = str_next_item(&rest, ',');
        if (item.n > 1 && item.p[item.n - 1] == '/')
            item.n--;
        if (item.n && (str_is(item, "*") || str_same_word(item, text)))
            return true;
    }
    return false;
}

/* "name:port" without the port and without the dot that ends a full name; "[::1]:80" keeps its
 * brackets. Null: malformed. */
static Str host_of(Str authority)
{
    if (!authority.n)
        return STR_NULL;
    const char *end = memchr(authority.p, authority.p[0] == '[' ? ']' : ':', authority.n);
    if (end)
        end += *end == ']';
    else
        end = authority.p + authority.n;
    if (end < authority.p + authority.n && *end != ':')
        return STR_NULL;
    authority.n = (size_t)(end - authority.p);
    if (authority.n > 1 && authority.p[authority.n - 1] == '.')
        authority.n--;
    return authority;
}

/* The host of "https://name:port"; null for others, "null" among them. */
static Str host_of_origin(Str origin)
{
    const char *behind = memmem(origin.p, origin.n, "://", 3);
    if (!behind)
        return STR_NULL;
    return host_of((Str){ behind + 3, origin.n - (size_t)(behind + 3 - origin.p) });
}

static bool is_loopback(Str host)
{
    char text[INET6_ADDRSTRLEN];
    struct in_addr four;
    struct in6_addr six;
    static const Str name = { ".localhost", 10 };
    if (str_same_word(host, STR("localhost"))
        || (host.n > name.n && str_same_word((Str){ host.p + host.n - name.n, name.n }, name)))
        return true;
    bool brackets = host.n > 2 && host.p[0] == '[';
    if (brackets)
        host = (Str){ host.p + 1, host.n - 2 };
    if (!host.n || host.n >= sizeof text)
        return false;
    (void)snprintf(text, sizeof text, "%.*s", STR_ARG(host));
    return (!brackets && inet_pton(AF_INET, text, &four) == 1 && ntohl(four.s_addr) >> 24 == 127) ||
           (inet_pton(AF_INET6, text, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six));
}

/* The machine's name, whole or up to its first dot. */
static bool is_machine(Str host)
{
    char name[256] = "";
    if (gethostname(name, sizeof name - 1) != 0 || !*name)
        return false;
    return str_same_word(host, str_from(name)) || str_same_word(host, (Str){ name, strcspn(name, ".") });
}

/* On a loopback address, legitimate clients use one of the server's own names. Any other name may be that of a web page
 * that was suddenly resolved to this address (DNS rebinding), so that the browser treats this server as the page's own.
 * Clients other than browsers may omit Host. X-Forwarded-Host is ignored here, since such a page can send it. */
static bool check_host(Req *req)
{
    Str sent = http_header(req->http, "host"), host = host_of(sent);
    if (!sent.n || !req->app->on_loopback || is_loopback(host) || is_machine(host)
        || list_has(req->app->settings, "ORION_ALLOWED_HOSTS", host))
        return true;
    return req_fail(req, ERR_BAD_REQUEST,
                    "This server is not known by the name in Host. If it should be, behind a proxy for instance, list "
                    "the name in the setting ORION_ALLOWED_HOSTS.");
}

/* Compares the name in Host, or the one from a trusted proxy. A page cannot send X-Forwarded-Host to another server
 * without a preflight request, which is refused. */
static bool is_own(Req *req, Str host)
{
    return str_same_word(host, host_of(http_header(req->http, "host")))
           || str_same_word(host, host_of(request_forwarded(req)->host));
}

static bool check_origin(Req *req)
{
    Str origin = http_header(req->http, "origin");
    if (!origin.p)
        return true;
    const Settings *settings = req->app->settings;
    Str host = host_of_origin(origin);
    bool any = list_has(settings, "ORION_CORS_ORIGINS", STR("*"));
    bool near = host.n && (is_loopback(host) || is_own(req, host));
    if (!any && !near && !list_has(settings, "ORION_CORS_ORIGINS", origin))
        return req_fail(req, ERR_FORBIDDEN,
                        "Pages of this origin may not use this server. To let them, list the origin in the setting "
                        "ORION_CORS_ORIGINS.");
    req->cors = any ? CORS_ANY : CORS_THIS;
    return true;
}

bool origin_check(Req *req)
{
    return check_host(req) && check_origin(req);
}
