/* db/postgres_url.c -- URLs of PostgreSQL databases, as SQLAlchemy with asyncpg accepts them, into libpq's keywords
 * and values. No error shows more of a URL than the name of a parameter: passwords are in it. */
#include "db/postgres.h"

#include <ctype.h>

#include "base/text.h"

#define ZERO_BYTE "There is a zero byte (%00)"

bool postgres_takes(Str scheme)
{
    return str_is(scheme, "postgresql") || str_is(scheme, "postgresql+asyncpg");
}

static bool refuse(Error *error, const char *what)
{
    return fail(error, ERR_INTERNAL, "%s in PREFECT_ORION_DATABASE_CONNECTION_URL. It should look like "
                "postgresql+asyncpg://user:password@host:5432/database", what);
}

/* Cuts s at the first of `separators`; returns what follows it, null if there is none. */
static Str cut(Str *s, const char *separators)
{
    for (size_t i = 0; i < s->n; i++)
        if (char_in(s->p[i], separators)) {
            Str rest = { s->p + i + 1, s->n - i - 1 };
            s->n = i;
            return rest;
        }
    return STR_NULL;
}

/* The first of `separators`, or the end. */
static size_t find(Str s, const char *separators)
{
    size_t i = 0;
    while (i < s.n && !char_in(s.p[i], separators))
        i++;
    return i;
}

/* As Python's unquote, which leaves alone what is not an escape; NULL: it holds a zero byte. */
static char *unquoted(Arena *arena, Str s)
{
    char *text = arena_alloc(arena, s.n + 1), *out = text;
    for (size_t i = 0; i < s.n; i++) {
        int high = s.p[i] == '%' && i + 2 < s.n ? char_hex_value(s.p[i + 1]) : -1,
            low = high >= 0 ? char_hex_value(s.p[i + 2]) : -1;
        *out = s.p[i];
        if (low >= 0) {
            *out = (char)(high << 4 | low);
            i += 2;
        }
        if (*out++ == '\0')
            return NULL;
    }
    *out = '\0';
    return text;
}

/* As in queries: with plus signs for spaces. */
static char *decoded(Arena *arena, Str s)
{
    char *text = arena_alloc(arena, s.n + 1);
    for (size_t i = 0; i < s.n; i++)
        text[i] = s.p[i] == '+' ? ' ' : s.p[i];
    return unquoted(arena, (Str){ text, s.n });
}

/* ---- keywords ---- */

size_t pg_keyword_find(const PgPlace *place, const char *keyword)
{
    size_t i = 0;
    while (place->keywords[i] && strcmp(place->keywords[i], keyword) != 0)
        i++;
    return i;
}

static bool put_keyword(PgPlace *place, const char *keyword, const char *value, Error *error)
{
    size_t i = pg_keyword_find(place, keyword);
    if (i == PG_KEYWORDS_MAX)
        return refuse(error, "There are too many parameters");
    place->keywords[i] = keyword;
    place->values[i] = value;
    return true;
}

static bool put_unquoted(Arena *arena, PgPlace *place, const char *keyword, Str value, Error *error)
{
    const char *text = unquoted(arena, value);
    return text ? put_keyword(place, keyword, text, error) : refuse(error, ZERO_BYTE);
}

static bool is_keyword(const PgPlace *place, const char *name)
{
    PQconninfoOption *options = place->pq.conndefaults();
    bool found = false;
    for (const PQconninfoOption *option = options; option && option->keyword && !found; option++)
        found = strcmp(option->keyword, name) == 0;
    place->pq.conninfoFree(options);
    return found;
}

/* asyncpg's ssl: the modes of libpq, or a boolean. */
static bool put_ssl(PgPlace *place, const char *value, Error *error)
{
    static const char *const modes[] = { "disable", "allow", "prefer", "require", "verify-ca", "verify-full" };
    if (strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0)
        return put_keyword(place, "sslmode", "require", error);
    if (strcasecmp(value, "false") == 0 || strcmp(value, "0") == 0)
        return put_keyword(place, "sslmode", "disable", error);
    for (size_t i = 0; i < COUNT_OF(modes); i++)
        if (strcmp(value, modes[i]) == 0)
            return put_keyword(place, "sslmode", modes[i], error);
    return refuse(error, "ssl is not one of disable, allow, prefer, require, verify-ca, verify-full");
}

/* Parameters of the Python driver alone: settings take their place, or nothing does. */
static bool is_drivers_own(const char *name)
{
    static const char *const names[] = {
        "command_timeout", "timeout", "prepared_statement_name_func", "max_cached_statement_lifetime",
        "max_cacheable_statement_size", "async_fallback",
    };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* The name is shown only if it cannot be part of a password in which '@' or '?' was not escaped. */
static bool refuse_parameter(Arena *arena, const char *name, bool may_be_shown, Error *error)
{
    for (const char *p = name; *p; p++)
        may_be_shown = may_be_shown && (isalnum((unsigned char)*p) || *p == '_');
    if (may_be_shown)
        return refuse(error, arena_printf(arena, "There is an unknown parameter, %.64s,", name).p);
    return refuse(error, "There is an unknown parameter (in passwords @ is written %40, ? is written %3F)");
}

static bool put_parameter(Arena *arena, PgPlace *place, const char *key, const char *text, bool may_be_shown,
                          Error *error)
{
    if (strcmp(key, "ssl") == 0)
        return put_ssl(place, text, error);
    if (strcmp(key, "database") == 0)
        return put_keyword(place, "dbname", text, error);
    if (strcmp(key, "statement_cache_size") == 0 || strcmp(key, "prepared_statement_cache_size") == 0) {
        place->keeps_statements = place->keeps_statements && strcmp(text, "0") != 0;
        return true;
    }
    if (is_drivers_own(key))
        return true;
    if (is_keyword(place, key))
        return put_keyword(place, key, text, error);
    return refuse_parameter(arena, key, may_be_shown, error);
}

/* Several servers: host=a&host=b or a,b, each with a port of its own or the URL's. Also folders of sockets. */
typedef struct Hosts {
    Buf names, ports;
    size_t count;
    bool have_ports;
} Hosts;

static void add_host(Hosts *hosts, Str host)
{
    bool is_folder = host.n && host.p[0] == '/';
    const char *colon = is_folder ? NULL : memrchr(host.p, ':', host.n);
    Str name = host, port = STR("");
    /* else an IPv6 address */
    if (colon && (memchr(host.p, ':', host.n) == colon || (host.p[0] == '[' && colon[-1] == ']'))) {
        name.n = (size_t)(colon - host.p);
        port = (Str){ colon + 1, host.n - name.n - 1 };
        hosts->have_ports = true;
    }
    if (hosts->count++) {
        buf_char(&hosts->names, ',');
        buf_char(&hosts->ports, ',');
    }
    bool is_bracketed = name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']';
    buf_add(&hosts->names, name.p + is_bracketed, name.n - 2 * is_bracketed);
    buf_str(&hosts->ports, port);
}

static void add_hosts(Hosts *hosts, Str list)
{
    while (list.p) {
        Str host = list;
        list = cut(&host, ",");
        add_host(hosts, host);
    }
}

static void hosts_init(Hosts *hosts, Arena *arena)
{
    *hosts = (Hosts){ .count = 0 };
    buf_init(&hosts->names, arena, 64);
    buf_init(&hosts->ports, arena, 64);
}

/* Those of the parameters replace the URL's own. */
static bool put_hosts(PgPlace *place, Hosts *hosts, Error *error)
{
    if (hosts->count == 0)
        return true;
    return put_keyword(place, "host", buf_cstr(&hosts->names), error)
           && (!hosts->have_ports || put_keyword(place, "port", buf_cstr(&hosts->ports), error));
}

/* As Python's parse_qsl: a plus sign is a space, and a parameter without a value is ignored. */
static bool read_parameters(Arena *arena, PgPlace *place, Str parameters, Error *error)
{
    bool may_be_shown = !parameters.n || !memchr(parameters.p, '@', parameters.n);
    Hosts hosts;
    hosts_init(&hosts, arena);
    while (parameters.n) {
        Str name = parameters;
        parameters = cut(&name, "&");
        Str value = cut(&name, "=");
        if (!value.n)
            continue;
        char *key = decoded(arena, name), *text = decoded(arena, value);
        if (!key || !text)
            return refuse(error, ZERO_BYTE);
        if (strcmp(key, "host") == 0)
            add_hosts(&hosts, str_from(text));
        else if (!put_parameter(arena, place, key, text, may_be_shown, error))
            return false;
    }
    return put_hosts(place, &hosts, error);
}

/* ---- user, password, host, port ---- */

/* As libpq takes them, and asyncpg without SQLAlchemy: host1:5432,host2:5432 */
static bool read_addresses(Arena *arena, PgPlace *place, Str addresses, Error *error)
{
    Hosts hosts;
    const char *text = unquoted(arena, addresses);
    if (!text)
        return refuse(error, ZERO_BYTE);
    hosts_init(&hosts, arena);
    add_hosts(&hosts, str_from(text));
    return put_hosts(place, &hosts, error);
}

static bool read_address(Arena *arena, PgPlace *place, Str address, Error *error)
{
    if (address.n && memchr(address.p, ',', address.n))
        return read_addresses(arena, place, address, error);
    Str host = address, port = STR_NULL;
    if (address.n && address.p[0] == '[') { /* [::1]:5432 */
        host = (Str){ address.p + 1, address.n - 1 };
        port = cut(&host, "]");
        if (!port.p || (port.n && port.p[0] != ':'))
            return refuse(error, "The host is not a valid address");
        port = port.n ? (Str){ port.p + 1, port.n - 1 } : STR_NULL;
    } else {
        port = cut(&host, ":");
    }
    if (host.n && !put_unquoted(arena, place, "host", host, error))
        return false;
    for (size_t i = 0; i < port.n; i++)
        if (port.p[i] < '0' || port.p[i] > '9')
            return refuse(error, "The port is not a number");
    return !port.n || put_unquoted(arena, place, "port", port, error);
}

/* Takes "user:password@" off the URL. As in SQLAlchemy, the user ends at ':' or '/' and the password at the next
 * '@', whatever is in it; if that leaves an '@' in the host, which cannot have one, the password extends to the last
 * '@'. */
static bool read_user(Arena *arena, PgPlace *place, Str *url, Error *error)
{
    Str user = { url->p, find(*url, ":/") }, password = STR_NULL;
    const char *end;
    if (user.n < url->n && url->p[user.n] == ':' && (end = memchr(url->p + user.n, '@', url->n - user.n))) {
        Str host = { end, (size_t)(url->p + url->n - end) };
        host.n = find(host, "/?");
        end = memrchr(host.p, '@', host.n);
        password = (Str){ user.p + user.n + 1, (size_t)(end - user.p) - user.n - 1 };
    } else if ((end = memrchr(user.p, '@', user.n))) {
        user.n = (size_t)(end - user.p);
    } else {
        return true;
    }
    *url = (Str){ end + 1, (size_t)(url->p + url->n - end) - 1 };
    return (!user.n || put_unquoted(arena, place, "user", user, error))
           && (!password.p || put_unquoted(arena, place, "password", password, error));
}

/* The database's name is taken literally: SQLAlchemy does not unquote it. */
bool postgres_url_read(Arena *arena, Str url, PgPlace *place, Error *error)
{
    const char *behind = memmem(url.p, url.n, "://", 3);
    place->keywords = arena_zalloc(arena, (PG_KEYWORDS_MAX + PG_KEYWORDS_OURS) * sizeof(*place->keywords));
    place->values = arena_zalloc(arena, (PG_KEYWORDS_MAX + PG_KEYWORDS_OURS) * sizeof(*place->values));
    Str address = { behind + 3, url.n - (size_t)(behind + 3 - url.p) };
    if (!put_keyword(place, "fallback_application_name", "orion", error) || !read_user(arena, place, &address, error))
        return false;
    Str parameters = cut(&address, "?"), database = cut(&address, "/");
    return read_address(arena, place, address, error)
           && (!database.n || put_keyword(place, "dbname", arena_cstr(arena, database), error))
           && read_parameters(arena, place, parameters, error)
           && put_keyword(place, "client_encoding", "UTF8", error); /* whatever the database's own is */
}
