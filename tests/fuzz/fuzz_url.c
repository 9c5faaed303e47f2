/* tests/fuzz/fuzz_url.c -- URLs of databases: a line with the URL, then a user and a database in a line each. No
 * message shows a password; a user and a password with everything escaped are read as they were. */
#include "fuzz.h"

#include "base/text.h"
#include "db/postgres.h"
#include "db/sqlite_url.h"

#define SECRET "Kx9secretKx9"

/* As libpq has them; it need not be installed. */
static PQconninfoOption *conndefaults(void)
{
    static const char *const names[] = {
        "application_name", "connect_timeout", "dbname", "host", "options", "password", "port", "sslmode", "user",
    };
    static PQconninfoOption options[COUNT_OF(names) + 1];
    for (size_t i = 0; i < COUNT_OF(names); i++)
        options[i].keyword = (char *)(uintptr_t)names[i];
    return options;
}

static void keep(PQconninfoOption *options)
{
    (void)options;
}

static Str read_keyword(const PgPlace *place, const char *keyword)
{
    size_t i = pg_keyword_find(place, keyword);
    return place->keywords[i] ? str_from(place->values[i]) : STR_NULL;
}

static bool read_postgres(Arena *arena, Str url, PgPlace *place, Error *error)
{
    *place = (PgPlace){ .pq = { .conndefaults = conndefaults, .conninfoFree = keep }, .keeps_statements = true };
    bool ok = postgres_url_read(arena, url, place, error);
    must(ok == (error->code == ERR_NONE) && ok == (error->message[0] == '\0'));
    for (size_t i = 0; ok && place->keywords[i]; i++)
        must(i < PG_KEYWORDS_MAX && place->values[i]);
    return ok;
}

static void check_url(Arena *arena, Str url)
{
    PgPlace place;
    DbPlace located;
    Error error = { .code = ERR_NONE };
    if (!memmem(url.p, url.n, "://", 3))
        return;
    (void)!read_postgres(arena, url, &place, &error);
    if (memchr(url.p, '\0', url.n))
        return;
    error = (Error){ .code = ERR_NONE };
    if (sqlite_locate(arena, &(DbConfig){ .url = url }, &located, &error))
        must(located.path != NULL);
    else
        must(error.message[0] != '\0');
}

/* Whatever follows a password that itself is written correctly. */
static void check_secret(Arena *arena, Str user, Str rest)
{
    PgPlace place;
    Error error = { .code = ERR_NONE };
    size_t n = 0;
    if (memmem(rest.p, rest.n, SECRET, sizeof SECRET - 1)) /* where it is not the password */
        return;
    while (n < user.n && !char_in(user.p[n], ":/@?"))
        n++;
    Str url = arena_printf(arena, "postgresql+asyncpg://%.*s:" SECRET "@%.*s", STR_ARG(str_cut(user, 0, n)),
                           STR_ARG(rest));
    (void)!read_postgres(arena, url, &place, &error);
    must(!strstr(error.message, SECRET));
}

static Str escaped(Arena *arena, Str text)
{
    Buf out;
    buf_init(&out, arena, 3 * text.n + 1);
    for (size_t i = 0; i < text.n; i++)
        buf_printf(&out, "%%%02X", (unsigned char)text.p[i]);
    return buf_view(&out);
}

static void check_escaped(Arena *arena, Str user, Str password)
{
    PgPlace place;
    Error error = { .code = ERR_NONE };
    bool holds_zero = (user.n && memchr(user.p, 0, user.n)) || (password.n && memchr(password.p, 0, password.n));
    Str url = arena_printf(arena, "postgresql://%.*s:%.*s@h:1/d", STR_ARG(escaped(arena, user)),
                           STR_ARG(escaped(arena, password)));
    must(read_postgres(arena, url, &place, &error) == !holds_zero);
    if (holds_zero)
        return;
    must(str_eq(read_keyword(&place, "password"), (Str){ password.n ? password.p : "", password.n }));
    must(user.n == 0 || str_eq(read_keyword(&place, "user"), user));
    must(str_is(read_keyword(&place, "host"), "h") && str_is(read_keyword(&place, "port"), "1"));
    must(str_is(read_keyword(&place, "dbname"), "d"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Str rest = { (const char *)data, size }, url = cut_line(&rest), user = cut_line(&rest);
    check_url(arena, url);
    check_secret(arena, user, rest);
    check_escaped(arena, user, rest);
    arena_free(arena);
    return 0;
}
