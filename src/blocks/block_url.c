/* blocks/block_url.c -- the URLs of block types, checked like pydantic's HttpUrl: what its pattern
 * accepts, and its error messages. */
#include "blocks/block.h"

#include <curl/curl.h>
#include <locale.h>
#include <strings.h>

#include "base/library.h"
#include "base/unicode.h"

enum { URL_MAX = 2083, LABEL_MAX = 63, PORT_MAX = 65535 };

/* The parts of a URL; null if absent. */
typedef struct Url {
    Str scheme, userinfo, host, port, tail; /* tail: path, query and fragment */
    bool is_domain;
} Url;

typedef enum DomainKind { DOMAIN_BAD, DOMAIN_ASCII, DOMAIN_INTERNATIONAL } DomainKind;

/* ---- characters ---- */

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Beyond ASCII, symbols and punctuation are in a few blocks; everything else counts as a letter. */
static bool is_any_letter(uint32_t c)
{
    if (c < 0x80)
        return is_letter(c);
    return c >= 0xc0 && c != 0xd7 && c != 0xf7 && !(c >= 0x2000 && c <= 0x2bff) && !(c >= 0x3000 && c <= 0x3004) &&
           !(c >= 0x1f000 && c <= 0x1faff);
}

static Str strip(Str s)
{
    size_t size, end = 0, start = 0;
    while (start < s.n && unicode_is_space(unicode_at(s, start, &size)))
        start += size;
    for (size_t at = start; at < s.n; at += size)
        if (!unicode_is_space(unicode_at(s, at, &size)))
            end = at + size;
    return (Str){ s.p + start, end > start ? end - start : 0 };
}

/* The number of bytes from `at` up to a space or one of `stops`. */
static size_t run_length(Str s, size_t at, const char *stops)
{
    size_t end = at, size;
    while (end < s.n) {
        uint32_t c = unicode_at(s, end, &size);
        if (unicode_is_space(c) || (c < 0x80 && char_in((char)c, stops)))
            break;
        end += size;
    }
    return end - at;
}

/* ---- the pattern ---- */

static Str cut(Str s, size_t at, size_t n)
{
    return (Str){ s.p + at, n };
}

static size_t match_scheme(Str s, Url *url)
{
    size_t n = 0;
    while (n < s.n &&
           (is_letter((unsigned char)s.p[n]) || (n > 0 && (is_digit((unsigned char)s.p[n]) || char_in(s.p[n], "+-.")))))
        n++;
    if (n < 2 || s.n < n + 3 || memcmp(s.p + n, "://", 3) != 0)
        return 0;
    url->scheme = cut(s, 0, n);
    return n + 3;
}

/* "user:password@": both run as far as they can, so that the last '@' counts. */
static size_t match_userinfo(Str s, size_t at, Url *url)
{
    size_t user = run_length(s, at, ":/"), run = user;
    const char *last = NULL;
    if (at + user < s.n && s.p[at + user] == ':') {
        run = user + 1 + run_length(s, at + user + 1, "/");
        last = memrchr(s.p + at + user + 1, '@', run - user - 1);
    }
    if (!last)
        last = memrchr(s.p + at, '@', user);
    if (!last)
        return at;
    url->userinfo = cut(s, at, (size_t)(last - s.p) - at);
    return (size_t)(last - s.p) + 1;
}

static bool ends_host(Str s, size_t at)
{
    return at == s.n || char_in(s.p[at], "/:#?");
}

/* Here and below: the length of the address at `at`, 0 if there is none or the host goes on after it. */
static size_t match_ipv4(Str s, size_t at)
{
    size_t end = at;
    for (int part = 0; part < 4; part++) {
        size_t digits = 0;
        if (part > 0 && (end >= s.n || s.p[end++] != '.'))
            return 0;
        while (digits < 3 && end < s.n && is_digit((unsigned char)s.p[end]))
            end++, digits++;
        if (digits == 0)
            return 0;
    }
    return ends_host(s, end) ? end - at : 0;
}

static size_t match_ipv6(Str s, size_t at)
{
    size_t end = at + 1, colon = 0;
    if (at >= s.n || s.p[at] != '[')
        return 0;
    for (; end < s.n && s.p[end] != ']'; end++) {
        if (s.p[end] == ':' && !colon)
            colon = end;
        else if (s.p[end] != ':' && !is_digit((unsigned char)s.p[end]) && !char_in(s.p[end], "abcdefABCDEF"))
            return 0;
    }
    if (end >= s.n || !colon || end == colon + 1)
        return 0;
    return ends_host(s, end + 1) ? end + 1 - at : 0;
}

static size_t match_host(Str s, size_t at, Url *url)
{
    size_t n = match_ipv4(s, at);
    if (!n)
        n = match_ipv6(s, at);
    url->is_domain = !n;
    if (!n)
        n = run_length(s, at, "/:?#");
    if (n)
        url->host = cut(s, at, n);
    at += n;
    size_t digits = at < s.n && s.p[at] == ':' ? at + 1 : s.n;
    while (digits < s.n && is_digit((unsigned char)s.p[digits]))
        digits++;
    if (at + 1 >= digits || digits == at || s.p[at] != ':')
        return at;
    url->port = cut(s, at + 1, digits - at - 1);
    return digits;
}

/* Path, query and fragment, each only if its first character is there. Returns the end. */
static size_t match_tail(Str s, size_t at, Url *url)
{
    size_t start = at;
    if (at < s.n && s.p[at] == '/')
        at += run_length(s, at, "?#");
    if (at < s.n && s.p[at] == '?')
        at += run_length(s, at, "#");
    if (at < s.n && s.p[at] == '#')
        at += 1 + run_length(s, at + 1, "#");
    url->tail = cut(s, start, at - start);
    return at;
}

/* ---- domains ---- */

/* Whether the label fits the ASCII pattern, or the international one, which accepts everything from 'a' on. */
static bool label_fits(Str label, bool international)
{
    size_t size;
    if (label.n == 0 || utf8_count(label) > LABEL_MAX || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    for (size_t at = 0; at < label.n; at += size) {
        uint32_t c = unicode_at(label, at, &size);
        bool plain = is_letter(c) || is_digit(c) || c == '_' || c == '-';
        if (!plain && (!international || c < 'a' || c > 0x40000))
            return false;
    }
    return true;
}

static bool labels_fit(Str host, bool international)
{
    for (;;) {
        const char *dot = memchr(host.p, '.', host.n);
        Str label = { host.p, dot ? (size_t)(dot - host.p) : host.n };
        if (!label_fits(label, international))
            return false;
        if (!dot)
            return true;
        host = cut(host, label.n + 1, host.n - label.n - 1);
    }
}

static bool is_top_level(Str label, bool international)
{
    size_t size, count = utf8_count(label);
    if (international && label.n > 4 && strncasecmp(label.p, "xn--", 4) == 0)
        return count - 4 >= 2;
    for (size_t at = 0; at < label.n; at += size) {
        uint32_t c = unicode_at(label, at, &size);
        if (international ? !is_any_letter(c) : !is_letter(c))
            return false;
    }
    return count >= 2 && count <= LABEL_MAX;
}

/* *ret_top_level: its last label can be a top-level domain. */
static DomainKind judge_domain(Str host, bool *ret_top_level)
{
    Str whole = host.n > 1 && host.p[host.n - 1] == '.' ? (Str){ host.p, host.n - 1 } : host;
    const char *dot = memrchr(whole.p, '.', whole.n);
    Str last = dot ? (Str){ dot + 1, whole.n - (size_t)(dot + 1 - whole.p) } : STR("");
    bool ascii = labels_fit(whole, false);
    *ret_top_level = last.n && is_top_level(last, false);
    if (ascii && *ret_top_level)
        return DOMAIN_ASCII;
    *ret_top_level = last.n && is_top_level(last, true);
    return ascii || labels_fit(whole, true) ? DOMAIN_INTERNATIONAL : DOMAIN_BAD;
}

/* libcurl's URL parser, loaded for the first international host for the reason that notify/transport.c gives. */
typedef struct UrlParser {
    __typeof__(&curl_url) open;
    __typeof__(&curl_url_set) set;
    __typeof__(&curl_url_get) get;
    __typeof__(&curl_url_cleanup) close;
    __typeof__(&curl_free) free_text;
} UrlParser;

static bool load_parser(UrlParser *parser)
{
    const LibraryFunction functions[] = {
        { &parser->open, "curl_url" }, { &parser->set, "curl_url_set" }, { &parser->get, "curl_url_get" },
        { &parser->close, "curl_url_cleanup" }, { &parser->free_text, "curl_free" },
    };
    const char *missing;
    return library_load("libcurl.so.4", functions, COUNT_OF(functions), &missing);
}

/* The host in ASCII, as used in DNS queries; null if it has no such form. */
static Str host_to_ascii(Arena *arena, Str host)
{
    UrlParser url;
    if (utf8_count(host) == host.n)
        return host;
    if (!load_parser(&url))
        return STR_NULL;
    /* libcurl reads hosts in the thread's locale */
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL), before = utf8 ? uselocale(utf8) : NULL;
    CURLU *handle = url.open();
    char *text = NULL;
    Str ascii = STR_NULL;
    if (handle && url.set(handle, CURLUPART_HOST, arena_cstr(arena, host), 0) == CURLUE_OK &&
        url.get(handle, CURLUPART_HOST, &text, CURLU_PUNYCODE) == CURLUE_OK)
        ascii = arena_str(arena, str_from(text));
    url.free_text(text);
    url.close(handle);
    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
    return ascii;
}

/* ---- the check ---- */

static bool refuse(Invalid *invalid, const char *type, const char *message)
{
    return invalid_add(invalid, type, NULL, "%s", message);
}

static bool refuse_extra(Invalid *invalid, Str extra)
{
    Buf context;
    JsonWriter w;
    buf_init(&context, invalid->arena, extra.n + 32);
    json_writer_init(&w, &context, JSON_WIRE);
    json_object(&w);
    json_key(&w, "extra");
    json_str(&w, extra);
    json_object_end(&w);
    Str shown = json_python_repr(invalid->arena, extra);
    return invalid_add(invalid, "value_error.url.extra", buf_cstr(&context),
                       "URL invalid, extra characters found after valid URL: %.*s", STR_ARG(shown));
}

static bool check_length(Invalid *invalid, Str text)
{
    if (text.n == 0)
        return invalid_add(invalid, "value_error.any_str.min_length", "{\"limit_value\":1}",
                           "ensure this value has at least 1 characters");
    if (utf8_count(text) > URL_MAX)
        return invalid_add(invalid, "value_error.any_str.max_length", "{\"limit_value\":2083}",
                           "ensure this value has at most 2083 characters");
    return true;
}

static bool is_http(Str scheme)
{
    return (scheme.n == 4 && strncasecmp(scheme.p, "http", 4) == 0) ||
           (scheme.n == 5 && strncasecmp(scheme.p, "https", 5) == 0);
}

static bool port_fits(Str port)
{
    unsigned value = 0;
    for (size_t i = 0; i < port.n && value <= PORT_MAX; i++)
        value = value * 10 + (unsigned)(port.p[i] - '0');
    return value <= PORT_MAX;
}

/* An international host is stored in its ASCII form, and the URL put together again without a default port. */
static bool rebuild(Invalid *invalid, const Url *url, Str *ret)
{
    Str host = host_to_ascii(invalid->arena, url->host), usual = str_is(url->scheme, "http") ? STR("80") : STR("443");
    if (!host.p)
        return refuse(invalid, "value_error.url.host", "URL host invalid");
    bool has_port = url->port.p && !str_eq(url->port, usual);
    *ret = arena_printf(invalid->arena, "%.*s://%.*s%s%.*s%s%.*s%.*s", STR_ARG(url->scheme), STR_ARG(url->userinfo),
                        url->userinfo.n ? "@" : "", STR_ARG(host), has_port ? ":" : "",
                        STR_ARG(has_port ? url->port : STR("")), STR_ARG(url->tail));
    return true;
}

static bool check_domain(Invalid *invalid, const Url *url, Str *ret)
{
    bool top_level;
    DomainKind kind = judge_domain(url->host, &top_level);
    if (kind == DOMAIN_BAD)
        return refuse(invalid, "value_error.url.host", "URL host invalid");
    if (!top_level)
        return refuse(invalid, "value_error.url.host", "URL host invalid, top level domain required");
    return kind == DOMAIN_ASCII || rebuild(invalid, url, ret);
}

bool block_check_url(Invalid *invalid, void *member)
{
    Str *text = member;
    Url url = { .scheme = STR_NULL };
    if (!text->p)
        return true;
    *text = strip(*text);
    if (!check_length(invalid, *text))
        return false;
    size_t at = match_scheme(*text, &url);
    if (!url.scheme.p)
        return refuse(invalid, "value_error.url.scheme", "invalid or missing URL scheme");
    if (!is_http(url.scheme))
        return invalid_add(invalid, "value_error.url.scheme", "{\"allowed_schemes\":[\"http\",\"https\"]}",
                           "URL scheme not permitted");
    at = match_userinfo(*text, at, &url);
    at = match_tail(*text, match_host(*text, at, &url), &url);
    if (!port_fits(url.port))
        return refuse(invalid, "value_error.url.port", "URL port invalid, port cannot exceed 65535");
    if (at != text->n)
        return refuse_extra(invalid, cut(*text, at, text->n - at));
    if (!url.host.n)
        return refuse(invalid, "value_error.url.host", "URL host invalid");
    return !url.is_domain || check_domain(invalid, &url, text);
}
