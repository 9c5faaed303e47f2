/* api/address.c -- the server's address as the client knows it. */
#include "api/address.h"

#include <ctype.h>

/* A host with or without a port, and nothing that could be taken for more. */
static bool is_authority(Str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!isalnum((unsigned char)s.p[i]) && !char_in(s.p[i], "-._:[]"))
            return false;
    return s.n > 0 && s.n < 300;
}

Str forwarded_item(const HttpRequest *http, const char *header)
{
    Str list = http_header(http, header);
    return list.p ? str_next_item(&list, ',') : STR_NULL;
}

Str request_address(const Req *req)
{
    Str host = forwarded_item(req->http, "x-forwarded-host");
    if (!is_authority(host))
        host = http_header(req->http, "host");
    if (!is_authority(host))
        return STR("");
    bool tls = str_same_word(forwarded_item(req->http, "x-forwarded-proto"), STR("https"));
    return arena_printf(req->arena, "%s://%.*s", tls ? "https" : "http", STR_ARG(host));
}
