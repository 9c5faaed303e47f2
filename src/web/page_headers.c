/* web/page_headers.c -- headers that restrict what a page may do in a browser, and what may be done with it. */
#include "web/page_headers.h"

#include "base/crypto.h"
#include "base/text.h"

/* Pages cannot be framed by other hosts, submit forms to them, or have their base URL changed. */
#define EVERYWHERE "frame-ancestors 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "

size_t page_headers_add(HttpHeader *headers, size_t count, Str policy)
{
    headers[count++] = (HttpHeader){ STR("x-content-type-options"), STR("nosniff") };
    headers[count++] = (HttpHeader){ STR("referrer-policy"), STR("same-origin") };
    if (policy.p)
        headers[count++] = (HttpHeader){ STR("content-security-policy"), policy };
    return count;
}

/* "https://name:port" of a URL, if it is safe to put in a policy; else empty. */
static Str origin_of(Str url)
{
    size_t scheme = str_starts(url, "https://") ? 8 : str_starts(url, "http://") ? 7 : 0;
    if (!scheme)
        return STR("");
    size_t end = scheme;
    while (end < url.n && url.p[end] != '/') {
        if (!char_is_letter(url.p[end]) && !char_is_digit(url.p[end]) && !char_in(url.p[end], "-._:[]"))
            return STR("");
        end++;
    }
    return str_cut(url, 0, end);
}

/* The dashboard needs eval (PixiJS compiles its shaders to functions) and blob workers (its layouts); block types have
 * logos from any host. */
Str page_policy_of_dashboard(Arena *arena, Str api_url)
{
    Str api = origin_of(api_url);
    return arena_printf(arena,
                        EVERYWHERE "default-src 'self'; script-src 'self' 'unsafe-eval'; worker-src 'self' blob:; "
                        "style-src 'self'; font-src 'self' data:; img-src * data: blob:; connect-src 'self' %.*s",
                        STR_ARG(api));
}

Str page_policy_of_folder(void)
{
    return STR("frame-ancestors 'self'");
}

/* The text between two others; empty if not found. */
static Str part_between(Str text, const char *begin, const char *end)
{
    const char *from = memmem(text.p, text.n, begin, strlen(begin));
    if (!from)
        return STR("");
    from += strlen(begin);
    const char *to = memmem(from, text.n - (size_t)(from - text.p), end, strlen(end));
    return to ? (Str){ from, (size_t)(to - from) } : STR("");
}

Str page_policy_of_script(Arena *arena, Str page)
{
    Str hash = sha256_base64(arena, part_between(page, "<script>", "</script>"));
    return arena_printf(arena,
                        EVERYWHERE "default-src 'none'; script-src 'sha256-%.*s'; style-src 'unsafe-inline'; "
                        "img-src 'self' data:; connect-src 'self'",
                        STR_ARG(hash));
}
