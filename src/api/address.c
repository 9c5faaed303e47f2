/* api/address.c -- the server's address as the client knows it. */
#include "api/address.h"

#include <ctype.h>
#include <strings.h>

/* A host with or without a port, and nothing that could stand for more. */
static bool is_authority(Str s)
{
    static const char others[] = "-._:[]";
    for (size_t i = 0; i < s.n; i++)
        if (!isalnum((unsigned char)s.p[i]) && !memchr(others, s.p[i], sizeof others - 1))
            return false;
    return s.n > 0 && s.n < 300;
}

/* The first item of a header's list, without spaces around it; null where the header is absent. */
static Str first_item(const HttpRequest *http, const char *name)
{
    Str item = http_header(http, name);
    const char *comma = item.n ? memchr(item.p, ',', item.n) : NULL;
    if (comma)
        item.n = (size_t)(comma - item.p);
    while (item.n && (item.p[0] == ' ' || item.p[0] == '\t'))
        item = (Str){ item.p + 1, item.n - 1 };
    while (item.n && (item.p[item.n - 1] == ' ' || item.p[item.n - 1] == '\t'))
        item.n--;
    return item;
}

Str request_address(const Req *req)
{
    Str host = first_item(req->http, "x-forwarded-host");
    if (!is_authority(host))
        host = http_header(req->http, "host");
    if (!is_authority(host))
        return STR("");
    Str protocol = first_item(req->http, "x-forwarded-proto");
    bool tls = protocol.n == 5 && strncasecmp(protocol.p, "https", 5) == 0;
    return arena_printf(req->arena, "%s://%.*s", tls ? "https" : "http", STR_ARG(host));
}
