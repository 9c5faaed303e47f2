/* tests/unit/test_postgres_url.c -- URLs of PostgreSQL databases. Expected values are what SQLAlchemy's make_url and
 * its asyncpg dialect make of them, but where a case says that we take more. */
#include "unit.h"

#include "db/postgres.h"

static Libpq libpq;

/* "user=u password=p …" in the order of the URL, without what is the same in all. */
static const char *read_into(Arena *arena, const char *url, PgPlace *place)
{
    Error error = { 0 };
    place->pq = libpq;
    place->keeps_statements = true;
    if (!postgres_url_read(arena, str_from(url), place, &error)) {
        assert_int_equal(error.code, ERR_INTERNAL);
        assert_non_null(strstr(error.message, "PREFECT_ORION_DATABASE_CONNECTION_URL"));
        return arena_printf(arena, "refused: %s", error.message).p;
    }
    Buf out;
    buf_init(&out, arena, 256);
    for (size_t i = 0; place->keywords[i]; i++)
        if (strcmp(place->keywords[i], "fallback_application_name") != 0 &&
            strcmp(place->keywords[i], "client_encoding") != 0) {
            buf_text(&out, out.n ? " " : "");
            buf_text(&out, place->keywords[i]);
            buf_char(&out, '=');
            buf_text(&out, place->values[i]);
        }
    return buf_cstr(&out);
}

typedef struct Case {
    const char *url, *expected;
} Case;

static void assert_cases(const Case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Arena *arena = arena_new();
        PgPlace place = { .keeps_statements = true };
        const char *found = read_into(arena, cases[i].url, &place);
        if (strcmp(found, cases[i].expected) != 0)
            print_message("%s\n", cases[i].url);
        assert_string_equal(found, cases[i].expected);
        arena_free(arena);
    }
}

static void schemes(void **state)
{
    (void)state;
    assert_true(postgres_takes(STR("postgresql")));
    assert_true(postgres_takes(STR("postgresql+asyncpg")));
    assert_false(postgres_takes(STR("postgres"))); /* SQLAlchemy has no such dialect */
    assert_false(postgres_takes(STR("postgresql+psycopg2")));
    assert_false(postgres_takes(STR("sqlite")));
}

static void users_and_passwords(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "postgresql+asyncpg://me:pw@host:5433/db", "user=me password=pw host=host port=5433 dbname=db" },
        { "postgresql://me@host/db", "user=me host=host dbname=db" },
        { "postgresql://host/db", "host=host dbname=db" },
        { "postgresql://me:@host/db", "user=me password= host=host dbname=db" },
        { "postgresql://:pw@host", "password=pw host=host" },
        { "postgresql://me@db.example:pw@host/db", "user=me@db.example password=pw host=host dbname=db" },
        { "postgresql://m%40e:p%40%2F%3a%25%20w@host/db", "user=m@e password=p@/:% w host=host dbname=db" },
        { "postgresql://me:a:b/c?d#e+f@host/db", "user=me password=a:b/c?d#e+f host=host dbname=db" },
        { "postgresql://me:100%@host/db", "user=me password=100% host=host dbname=db" },
        { "postgresql://me:%4@host/db", "user=me password=%4 host=host dbname=db" },
        { "postgresql://me:%zz%4g@host/db", "user=me password=%zz%4g host=host dbname=db" },
        { "postgresql://me:%68@host/db", "user=me password=h host=host dbname=db" },
        { "postgresql://me:pw@host/db@home", "user=me password=pw host=host dbname=db@home" },
        { "postgresql://me:pw@host/db?application_name=a@b",
          "user=me password=pw host=host dbname=db application_name=a@b" },
        { "postgresql://host/db@home", "host=host dbname=db@home" },
        /* more than SQLAlchemy: it takes p for the password and w@host for a host */
        { "postgresql://me:p@w@host/db", "user=me password=p@w host=host dbname=db" },
    };
    assert_cases(cases, COUNT_OF(cases));
}

static void hosts(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "postgresql://", "" },
        { "postgresql:///db", "dbname=db" },
        { "postgresql://me@/db", "user=me dbname=db" },
        { "postgresql://host", "host=host" },
        { "postgresql://host:5433", "host=host port=5433" },
        { "postgresql://host:/db", "host=host dbname=db" },
        { "postgresql://me:pw@[::1]:5433/db", "user=me password=pw host=::1 port=5433 dbname=db" },
        { "postgresql://[fe80::1%eth0]/db", "host=fe80::1%eth0 dbname=db" },
        { "postgresql://me@/db?host=/run/postgresql", "user=me dbname=db host=/run/postgresql" },
        { "postgresql://me@/db?host=%2Frun%2Fpostgresql&port=5433",
          "user=me dbname=db port=5433 host=/run/postgresql" },
        { "postgresql://me@ignored:5433/db?host=/run/postgresql", "user=me host=/run/postgresql port=5433 dbname=db" },
        { "postgresql://me@/db?host=a&host=b&port=5433", "user=me dbname=db port=5433 host=a,b" },
        { "postgresql://me@/db?host=::1", "user=me dbname=db host=::1" },
        /* more than asyncpg takes: a port for each, and the form that libpq has for folders */
        { "postgresql://me@/db?host=a:1&host=b:2", "user=me dbname=db host=a,b port=1,2" },
        { "postgresql://me@/db?host=a&host=b:2", "user=me dbname=db host=a,b port=,2" },
        { "postgresql://me@/db?host=[::1]:7&host=/tmp", "user=me dbname=db host=::1,/tmp port=7," },
        { "postgresql://me@/db?host=a:1,b,[::1]:3", "user=me dbname=db host=a,b,::1 port=1,,3" },
        { "postgresql://me@/db?host=a,b&port=7", "user=me dbname=db port=7 host=a,b" },
        { "postgresql://me:pw@a:1,b:2/db", "user=me password=pw host=a,b port=1,2 dbname=db" },
        { "postgresql://a,[::1]:2,%2Frun/db", "host=a,::1,/run port=,2, dbname=db" },
        { "postgresql://a,b?host=c", "host=c" },
        { "postgresql://a:1,b:2?host=c&port=3", "host=c port=3" },
        { "postgresql://me@%2Frun%2Fpostgresql/db", "user=me host=/run/postgresql dbname=db" },
    };
    assert_cases(cases, COUNT_OF(cases));
}

/* SQLAlchemy unquotes parameters, but no database. */
static void databases(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "postgresql://host/a%20b", "host=host dbname=a%20b" },
        { "postgresql://host/a b+c/d", "host=host dbname=a b+c/d" },
        { "postgresql://host/?database=a%20b", "host=host dbname=a b" },
        { "postgresql://host/db?database=other", "host=host dbname=other" },
    };
    assert_cases(cases, COUNT_OF(cases));
}

static void parameters(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "postgresql://host/db?", "host=host dbname=db" },
        { "postgresql://host?user=me&password=p%26w", "host=host user=me password=p&w" },
        { "postgresql://host/db?application_name=my+app%2B1&&x=", "host=host dbname=db application_name=my app+1" },
        { "postgresql://me:pw@host/db?user=you&password=other&port=7",
          "user=you password=other host=host dbname=db port=7" },
        { "postgresql://host?ssl=require", "host=host sslmode=require" },
        { "postgresql://host?ssl=verify-full&sslrootcert=/etc/ca.pem",
          "host=host sslmode=verify-full sslrootcert=/etc/ca.pem" },
        { "postgresql://host?ssl=", "host=host" },
        { "postgresql://host?ssl=True", "host=host sslmode=require" },
        { "postgresql://host?ssl=false", "host=host sslmode=disable" },
        { "postgresql://host?sslmode=verify-ca&target_session_attrs=read-write",
          "host=host sslmode=verify-ca target_session_attrs=read-write" },
        { "postgresql://host?passfile=/p&service=s&options=-c+a%3Db",
          "host=host passfile=/p service=s options=-c a=b" },
        { "postgresql://host?timeout=5&command_timeout=6&async_fallback=true&max_cached_statement_lifetime=0",
          "host=host" },
    };
    assert_cases(cases, COUNT_OF(cases));
}

static void what_keeps_no_statements(void **state)
{
    (void)state;
    static const struct { const char *url; bool keeps; } cases[] = {
        { "postgresql://host", true },
        { "postgresql://host?statement_cache_size=0", false },
        { "postgresql://host?prepared_statement_cache_size=0", false },
        { "postgresql://host?prepared_statement_cache_size=0&statement_cache_size=10", false },
        { "postgresql://host?statement_cache_size=100&prepared_statement_cache_size=500", true },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Arena *arena = arena_new();
        PgPlace place = { .keeps_statements = true };
        assert_string_equal(read_into(arena, cases[i].url, &place), "host=host");
        assert_int_equal(place.keeps_statements, cases[i].keeps);
        arena_free(arena);
    }
}

static void the_session_speaks_utf8(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    PgPlace place = { .keeps_statements = true };
    read_into(arena, "postgresql://host?client_encoding=LATIN1", &place);
    bool found = false;
    for (size_t i = 0; place.keywords[i]; i++)
        found = found || (strcmp(place.keywords[i], "client_encoding") == 0 && strcmp(place.values[i], "UTF8") == 0);
    assert_true(found);
    arena_free(arena);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "postgresql://me:secret@host?colour=blue", "unknown parameter, colour," },
        { "postgresql://me:secret@host?sslMode=require", "unknown parameter, sslMode," },
        { "postgresql://me:secret@host?ssl=maybe", "ssl is not one of disable" },
        { "postgresql://me:secret@host:54x2/db", "port is not a number" },
        { "postgresql://me:secret@[::1/db", "host is not a valid address" },
        { "postgresql://me:secret@[::1]x/db", "host is not a valid address" },
        { "postgresql://me:secret%00@host", "zero byte" },
        { "postgresql://me:secret@host?application_name=%00", "zero byte" },
        /* passwords whose special characters were not escaped: nothing of them may be shown */
        { "postgresql://me:x@y?secret=1@host/db", "unknown parameter (in passwords @ is written %40" },
        { "postgresql://me:x@y?a&secret@host/db&b=%20", "unknown parameter (in passwords @ is written %40" },
        { "postgresql://me?secret%0A=1", "unknown parameter (in passwords @ is written %40" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Arena *arena = arena_new();
        PgPlace place = { .keeps_statements = true };
        const char *found = read_into(arena, cases[i].url, &place);
        if (!strstr(found, cases[i].expected))
            print_message("%s\n%s\n", cases[i].url, found);
        assert_non_null(strstr(found, cases[i].expected));
        assert_null(strstr(found, "secret"));
        arena_free(arena);
    }
}

/* All that libpq knows, each given twice, and as much again that it does not. */
static void keywords_have_room(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Buf url;
    size_t count = 0;
    buf_init(&url, arena, 4096);
    buf_text(&url, "postgresql://me:pw@host:1/db?a=");
    PQconninfoOption *options = libpq.conndefaults();
    for (int round = 0; round < 2; round++)
        for (const PQconninfoOption *option = options; option->keyword; option++, count++)
            buf_text(&url,
                     arena_printf(arena, "&%s=%s", option->keyword,
                                  strcmp(option->keyword, "dbname") == 0 ? "db" : "1").p);
    libpq.conninfoFree(options);
    PgPlace place = { .keeps_statements = true };
    assert_null(strstr(read_into(arena, buf_cstr(&url), &place), "refused"));
    size_t found = 0;
    while (place.keywords[found])
        found++;
    assert_int_equal(found, count / 2);
    arena_free(arena);
}

static int load(void **state)
{
    (void)state;
    Error error = { 0 };
    return libpq_load(&libpq, &error) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemes),
        cmocka_unit_test(users_and_passwords),
        cmocka_unit_test(hosts),
        cmocka_unit_test(databases),
        cmocka_unit_test(parameters),
        cmocka_unit_test(what_keeps_no_statements),
        cmocka_unit_test(the_session_speaks_utf8),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(keywords_have_room),
    };
    return cmocka_run_group_tests_name("postgres_url", tests, load, NULL);
}
