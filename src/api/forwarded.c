/* api/forwarded.c -- what proxies say about a request they forwarded, and which of them are trusted. */
#include "api/forwarded.h"

#include "base/log.h"
#include "base/str_list.h"
#include "base/text.h"

static const char *const headers[] = {
    "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-prefix", "forwarded",
};
enum { CLASSIC = COUNT_OF(headers) - 1 }; /* the number of X-Forwarded headers */

/* ---- texts ---- */

/* Like str_next_item, but ignores separators within quotes. */
static Str next_quoted_item(Str *rest, char separator)
{
    bool quoted = false;
    size_t end = 0;
    for (; end < rest->n && (quoted || rest->p[end] != separator); end++) {
        if (rest->p[end] == '"')
            quoted = !quoted;
        else if (quoted && rest->p[end] == '\\' && end + 1 < rest->n)
            end++;
    }
    Str item = str_trim(str_cut(*rest, 0, end));
    *rest = str_cut(*rest, end + (end < rest->n), rest->n);
    return item;
}

static Str unquote(Arena *arena, Str s)
{
    if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"')
        return s;
    char *out = arena_alloc(arena, s.n);
    size_t n = 0;
    for (size_t i = 1; i < s.n - 1; i++) {
        i += s.p[i] == '\\' && i + 2 < s.n;
        out[n++] = s.p[i];
    }
    return (Str){ out, n };
}

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80". */
static bool parse_node(Str s, struct in6_addr *ret)
{
    size_t colon = str_find(s, ':');
    if (s.n && s.p[0] == '[')
        s = str_cut(s, 1, str_find(s, ']'));
    else if (colon < s.n && !memchr(s.p + colon + 1, ':', s.n - colon - 1))
        s.n = colon;
    return address_parse(s, ret);
}

/* ---- lists ---- */

/* The items of all headers with this name, as one list. Only RFC 7239 has quotes: in the other headers, a client could
 * use them to hide what a proxy appends. */
static StrList list_items(const HttpRequest *http, const char *name, Str (*cut)(Str *rest, char separator))
{
    StrList list = { .count = 0 };
    for (size_t i = 0; i < http->header_count; i++) {
        Str rest = http->headers[i].value;
        while (str_is(http->headers[i].name, name) && rest.n) {
            Str item = cut(&rest, ',');
            if (item.n)
                str_list_add(&list, http->arena, item);
        }
    }
    return list;
}

/* The item added by the outermost of `proxies` proxies. */
static Str item_of(const StrList *list, size_t proxies)
{
    if (!list->count)
        return STR_NULL;
    return list->items[list->count > proxies ? list->count - proxies : 0];
}

/* The number of trusted proxies in a row, with the peer; *client becomes the first address that is not one of them. */
static size_t count_proxies(const StrList *nodes, const Proxies *proxies, struct in6_addr *client)
{
    size_t count = 1;
    for (size_t i = nodes->count; i-- > 0;) {
        if (!parse_node(nodes->items[i], client) || !networks_have(proxies->trusted, proxies->count, client))
            break;
        count++;
    }
    return count;
}

/* ---- the headers ---- */

static void read_classic(const HttpRequest *http, const Proxies *proxies, Forwarded *said)
{
    StrList nodes = list_items(http, "x-forwarded-for", str_next_item);
    size_t count = count_proxies(&nodes, proxies, &said->client);
    const struct { const char *name; Str *value; } parts[] = {
        { "x-forwarded-host", &said->host }, { "x-forwarded-proto", &said->proto },
        { "x-forwarded-port", &said->port }, { "x-forwarded-prefix", &said->prefix },
    };
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        StrList list = list_items(http, parts[i].name, str_next_item);
        *parts[i].value = item_of(&list, count);
    }
}

/* The value of a parameter in an element such as "for=192.0.2.1;host=x"; null if it is missing. */
static Str parameter(Arena *arena, Str element, const char *name)
{
    while (element.n) {
        Str value = next_quoted_item(&element, ';');
        Str key = next_quoted_item(&value, '=');
        if (str_same_word(key, str_from(name)))
            return unquote(arena, value);
    }
    return STR_NULL;
}

static void read_standard(const HttpRequest *http, const Proxies *proxies, Forwarded *said)
{
    StrList elements = list_items(http, "forwarded", next_quoted_item), nodes = { .count = 0 };
    for (size_t i = 0; i < elements.count; i++)
        str_list_add(&nodes, http->arena, parameter(http->arena, elements.items[i], "for"));
    Str element = item_of(&elements, count_proxies(&nodes, proxies, &said->client));
    said->host = parameter(http->arena, element, "host");
    said->proto = parameter(http->arena, element, "proto");
}

/* The index of the first known header present; CLASSIC if only `Forwarded` is, COUNT_OF(headers) if none is. */
static size_t find_header(const HttpRequest *http)
{
    size_t first = COUNT_OF(headers);
    for (size_t i = 0; i < http->header_count; i++) {
        Str name = http->headers[i].name;
        if (!str_starts(name, "x-forwarded-") && !str_starts(name, "forwarded"))
            continue;
        for (size_t k = 0; k < first; k++)
            if (str_is(name, headers[k]))
                first = k;
    }
    return first;
}

Forwarded forwarded_read(const HttpRequest *http, const Proxies *proxies)
{
    Forwarded said = { .client = http->peer };
    if (!networks_have(proxies->trusted, proxies->count, &http->peer))
        return said;
    size_t found = find_header(http);
    if (found < CLASSIC)
        read_classic(http, proxies, &said);
    else if (found == CLASSIC)
        read_standard(http, proxies, &said);
    return said;
}

void forwarded_note_ignored(const HttpRequest *http, Proxies *proxies)
{
    if (proxies->noted_count == PROXIES_NOTED_MAX || networks_have(proxies->trusted, proxies->count, &http->peer))
        return;
    size_t found = find_header(http);
    if (found == COUNT_OF(headers))
        return;
    for (size_t i = 0; i < proxies->noted_count; i++)
        if (memcmp(&proxies->noted[i], &http->peer, sizeof http->peer) == 0)
            return;
    proxies->noted[proxies->noted_count++] = http->peer;
    Str address = address_text(http->arena, &http->peer);
    log_warning("orion.api",
                "%.*s sent the header %s, which is ignored because it is not a trusted proxy. If it is your proxy, set "
                "ORION_TRUSTED_PROXIES=%.*s%s%.*s",
                STR_ARG(address), headers[found], STR_ARG(proxies->text), proxies->text.n ? "," : "", STR_ARG(address));
}
