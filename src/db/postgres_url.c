/* db/postgres_url.c -- URLs of PostgreSQL databases, as SQLAlchemy with asyncpg takes them, into libpq's keywords and values. No error
 * shows more of a URL than the name of a parameter: passwords are in it. */
#include "db/postgres.h"

enum { KEYWORDS_MAX = 64 };

bool postgres_takes(Str scheme)
{
    return str_is(scheme, "postgresql") || str_is(scheme, "postgresql+asyncpg");
}

static bool refuse(Error *error, const char *what)
{
    return fail(error, ERR_INTERNAL, "%s in PREFECT_ORION_DATABASE_CONNECTION_URL. It should look like "
                "postgresql+asyncpg://user:password@host:5432/database", what);
}

/* Cuts s at the first of `separators`; what follows it comes back, null where there is none. */
static Str cut(Str *s, const char *separators)
{
    for (size_t i = 0; i < s->n; i++)
        if (strchr(separators, s->p[i])) {
            Str rest = { s->p + i + 1, s->n - i - 1 };
            s->n = i;
            return rest;
        }
    return STR_NULL;
}

static int hex_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* As Python's unquote, which leaves alone what is no escape; NULL: it holds a zero byte. */
static char *decoded(Arena *arena, Str s)
{
    char *text = arena_alloc(arena, s.n + 1), *out = text;
    for (size_t i = 0; i < s.n; i++) {
        int high = s.p[i] == '%' && i + 2 < s.n ? hex_of(s.p[i + 1]) : -1, low = high >= 0 ? hex_of(s.p[i + 2]) : -1;
        *out++ = low >= 0 ? (char)(high << 4 | low) : s.p[i];
        i += low >= 0 ? 2 : 0;
        if (out[-1] == '\0')
            return NULL;
    }
    *out = '\0';
    return text;
}

/* ---- keywords ---- */

static bool put(PgPlace *place, const char *keyword, const char *value, Error *error)
{
    size_t i = 0;
    while (place->keywords[i] && strcmp(place->keywords[i], keyword) != 0)
        i++;
    if (i == KEYWORDS_MAX)
        return refuse(error, "There are too many parameters");
    place->keywords[i] = keyword;
    place->values[i] = value;
    return true;
}

static bool put_decoded(Arena *arena, PgPlace *place, const char *keyword, Str value, Error *error)
{
    const char *text = decoded(arena, value);
    return text ? put(place, keyword, text, error) : refuse(error, "There is a zero byte (%00)");
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

/* asyncpg's ssl: the modes of libpq, and truth. */
static bool put_ssl(PgPlace *place, const char *value, Error *error)
{
    static const char *const modes[] = { "disable", "allow", "prefer", "require", "verify-ca", "verify-full" };
    if (strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0)
        return put(place, "sslmode", "require", error);
    if (strcasecmp(value, "false") == 0 || strcmp(value, "0") == 0)
        return put(place, "sslmode", "disable", error);
    for (size_t i = 0; i < COUNT_OF(modes); i++)
        if (strcmp(value, modes[i]) == 0)
            return put(place, "sslmode", modes[i], error);
    return refuse(error, "ssl is none of disable, allow, prefer, require, verify-ca, verify-full");
}

/* host=a:1&host=b:2, as SQLAlchemy takes several servers; also a folder of sockets. */
static bool put_host(Arena *arena, PgPlace *place, const char *value, Error *error)
{
    const char *colon = value[0] == '/' ? NULL : strrchr(value, ':'), *hosts = "", *ports = "";
    Str host = { value, colon ? (size_t)(colon - value) : strlen(value) };
    for (size_t i = 0; place->keywords[i]; i++) {
        if (strcmp(place->keywords[i], "host") == 0)
            hosts = arena_printf(arena, "%s,", place->values[i]).p;
        if (strcmp(place->keywords[i], "port") == 0)
            ports = arena_printf(arena, "%s,", place->values[i]).p;
    }
    return put(place, "host", arena_printf(arena, "%s%.*s", hosts, STR_ARG(host)).p, error)
           && (!colon || put(place, "port", arena_printf(arena, "%s%s", ports, colon + 1).p, error));
}

static bool put_parameter(Arena *arena, PgPlace *place, Str name, Str value, Error *error)
{
    const char *key = decoded(arena, name), *text = decoded(arena, value.p ? value : STR(""));
    if (!key || !text)
        return refuse(error, "There is a zero byte (%00)");
    if (strcmp(key, "ssl") == 0)
        return put_ssl(place, text, error);
    if (strcmp(key, "host") == 0)
        return put_host(arena, place, text, error);
    if (strcmp(key, "database") == 0)
        return put(place, "dbname", text, error);
    if (strcmp(key, "statement_cache_size") == 0 || strcmp(key, "prepared_statement_cache_size") == 0) {
        place->keeps_statements = place->keeps_statements && strcmp(text, "0") != 0;
        return true;
    }
    if (strcmp(key, "command_timeout") == 0 || strcmp(key, "timeout") == 0 || strcmp(key, "prepared_statement_name_func") == 0)
        return true; /* the Python driver's own: here the settings say it */
    if (is_keyword(place, key))
        return put(place, key, text, error);
    return refuse(error, arena_printf(arena, "There is an unknown parameter, %s,", key).p);
}

static bool read_parameters(Arena *arena, PgPlace *place, Str parameters, Error *error)
{
    while (parameters.n) {
        Str value, name = parameters;
        parameters = cut(&name, "&");
        value = cut(&name, "=");
        if (name.n && !put_parameter(arena, place, name, value, error))
            return false;
    }
    return true;
}

/* ---- user, password, host, port ---- */

static bool read_address(Arena *arena, PgPlace *place, Str address, Error *error)
{
    Str host = address, port = STR_NULL;
    if (address.n && address.p[0] == '[') { /* [::1]:5432 */
        host = (Str){ address.p + 1, address.n - 1 };
        port = cut(&host, "]");
        if (!port.p || (port.n && port.p[0] != ':'))
            return refuse(error, "The host is no address");
        port = port.n ? (Str){ port.p + 1, port.n - 1 } : STR_NULL;
    } else {
        port = cut(&host, ":");
    }
    if (host.n && !put_decoded(arena, place, "host", host, error))
        return false;
    for (size_t i = 0; i < port.n; i++)
        if (port.p[i] < '0' || port.p[i] > '9')
            return refuse(error, "The port is no number");
    return !port.n || put_decoded(arena, place, "port", port, error);
}

static bool read_authority(Arena *arena, PgPlace *place, Str authority, Error *error)
{
    const char *at = authority.n ? memrchr(authority.p, '@', authority.n) : NULL; /* passwords may hold it */
    if (!at)
        return read_address(arena, place, authority, error);
    Str user = { authority.p, (size_t)(at - authority.p) }, password = cut(&user, ":");
    Str address = { at + 1, authority.n - user.n - (password.p ? password.n + 1 : 0) - 1 };
    return (!user.n || put_decoded(arena, place, "user", user, error)) && (!password.p || put_decoded(arena, place, "password", password, error))
           && read_address(arena, place, address, error);
}

bool postgres_url_read(Arena *arena, Str url, PgPlace *place, Error *error)
{
    const char *behind = memmem(url.p, url.n, "://", 3);
    place->keywords = arena_zalloc(arena, (KEYWORDS_MAX + 1) * sizeof(*place->keywords));
    place->values = arena_zalloc(arena, (KEYWORDS_MAX + 1) * sizeof(*place->values));
    Str authority = { behind + 3, url.n - (size_t)(behind + 3 - url.p) };
    Str parameters = cut(&authority, "?");
    /* The last '@' ends the password, which may hold slashes. */
    const char *at = authority.n ? memrchr(authority.p, '@', authority.n) : NULL;
    Str rest = at ? (Str){ at, authority.n - (size_t)(at - authority.p) } : authority;
    Str database = cut(&rest, "/");
    authority.n = (size_t)(rest.p - authority.p) + rest.n;
    return put(place, "fallback_application_name", "orion", error) && read_authority(arena, place, authority, error)
           && (!database.n || put_decoded(arena, place, "dbname", database, error)) && read_parameters(arena, place, parameters, error);
}
