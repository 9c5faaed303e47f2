/* tests/unit/test_address.c -- networks, what proxies say about a request, and the path below which they publish. */
#include "unit.h"

#include "api/forwarded.h"
#include "config/setting_proxies.h"

enum { HEADERS_MAX = 8 };

static bool covers(const char *networks, const char *address)
{
    Arena *arena = arena_new();
    Error error = { .code = ERR_NONE };
    Network *list;
    size_t count;
    struct in6_addr parsed;
    assert_true(networks_parse(arena, str_from(networks), &list, &count, &error));
    assert_true(address_parse(str_from(address), &parsed));
    bool found = networks_have(list, count, &parsed);
    arena_free(arena);
    return found;
}

static void networks_have_their_addresses(void **state)
{
    assert_true(covers("127.0.0.0/8,::1", "127.255.0.1"));
    assert_true(covers("127.0.0.0/8,::1", "::ffff:127.0.0.1"));
    assert_true(covers("127.0.0.0/8 , ::1", "::1"));
    assert_false(covers("127.0.0.0/8,::1", "128.0.0.1"));
    assert_false(covers("127.0.0.0/8,::1", "::2"));
    assert_true(covers("10.1.2.3", "10.1.2.3"));
    assert_false(covers("10.1.2.3", "10.1.2.2"));
    assert_true(covers("10.1.2.0/23", "10.1.3.255"));
    assert_false(covers("10.1.2.0/23", "10.1.4.0"));
    assert_true(covers("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(covers("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(covers("0.0.0.0/0", "9.9.9.9"));
    assert_false(covers("0.0.0.0/0", "2001:db8::1"));
    assert_true(covers("::/0", "9.9.9.9"));
    assert_true(covers("*", "2001:db8::1"));
    assert_false(covers("", "127.0.0.1"));
    assert_false(covers(" , ", "127.0.0.1"));
    (void)state;
}

static void bad_networks_are_named(void **state)
{
    static const struct { const char *text, *words; } bad[] = {
        { "::1,localhost", "\"localhost\" is neither" },   { "10.0.0", "\"10.0.0\" is neither" },
        { "10.0.0.0/", "from 0 to 32" },                   { "10.0.0.0/33", "from 0 to 32" },
        { "10.0.0.0/8x", "from 0 to 32" },                 { "::/129", "from 0 to 128" },
        { "::/0001", "from 0 to 128" },                    { "10.1.0.0/8", "the network is 10.0.0.0/8" },
        { "2001:db8::1/32", "the network is 2001:db8::/32" }, { "*/8", "\"*/8\" is neither" },
        { "[::1]", "\"[::1]\" is neither" },               { "127.0.0.1:80", "is neither" },
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        Arena *arena = arena_new();
        Error error = { .code = ERR_NONE };
        Network *list;
        size_t count;
        assert_false(networks_parse(arena, str_from(bad[i].text), &list, &count, &error));
        assert_non_null(strstr(error.message, bad[i].words));
        arena_free(arena);
    }
    (void)state;
}

/* Headers as "name: value" lines; the client's address, and what the rest says, as one text. */
static Str read_headers(Arena *arena, const char *peer, const char *lines)
{
    Error error = { .code = ERR_NONE };
    Network *list;
    Proxies proxies = { .text = STR("") };
    assert_true(networks_parse(arena, STR("127.0.0.0/8,::1,10.0.0.0/8"), &list, &proxies.count, &error));
    proxies.trusted = list;
    HttpHeader headers[HEADERS_MAX];
    HttpRequest http = { .arena = arena, .headers = headers };
    assert_true(address_parse(str_from(peer), &http.peer));
    for (Str rest = str_from(lines); rest.n;) {
        Str value = str_next_item(&rest, '\n'), name = str_next_item(&value, ':');
        headers[http.header_count++] = (HttpHeader){ name, str_trim(value) };
    }
    Forwarded said = forwarded_read(&http, &proxies);
    return arena_printf(arena, "%.*s %.*s %.*s %.*s %.*s", STR_ARG(address_text(arena, &said.client)),
                        STR_ARG(said.host), STR_ARG(said.proto), STR_ARG(said.port), STR_ARG(said.prefix));
}

static void lists_are_read_from_their_end(void **state)
{
    static const struct { const char *peer, *lines, *said; } cases[] = {
        { "192.0.2.9", "x-forwarded-for: 1.1.1.1\nx-forwarded-host: h", "192.0.2.9    " },
        { "192.0.2.9", "forwarded: for=1.1.1.1;host=h", "192.0.2.9    " },
        { "::1", "host: h", "::1    " },
        { "127.0.0.1", "x-forwarded-for: 1.1.1.1", "1.1.1.1    " },
        { "127.0.0.1", "x-forwarded-for: 6.6.6.6, 1.1.1.1", "1.1.1.1    " },
        { "127.0.0.1", "x-forwarded-for: 6.6.6.6\nx-forwarded-for: 1.1.1.1", "1.1.1.1    " },
        { "127.0.0.1", "x-forwarded-for: 6.6.6.6, 1.1.1.1, 10.0.0.1,", "1.1.1.1    " },
        { "127.0.0.1", "x-forwarded-for: 10.0.0.1, 10.0.0.2", "10.0.0.1    " },
        { "127.0.0.1", "x-forwarded-for: 6.6.6.6, unknown, 10.0.0.1", "10.0.0.1    " },
        { "127.0.0.1", "x-forwarded-for: 2001:db8::1", "2001:db8::1    " },
        { "127.0.0.1", "x-forwarded-for: [2001:db8::1]:80", "2001:db8::1    " },
        { "127.0.0.1", "x-forwarded-for: 1.1.1.1:80", "1.1.1.1    " },
        { "127.0.0.1", "x-forwarded-for: ::ffff:1.1.1.1", "1.1.1.1    " },
        { "127.0.0.1", "x-forwarded-for: [", "127.0.0.1    " },
        { "127.0.0.1", "x-forwarded-for: \", 1.1.1.1\nx-forwarded-host: \"\\, h", "1.1.1.1 h   " },
        { "127.0.0.1", "x-forwarded-host: a, b\nx-forwarded-proto: c, d\nx-forwarded-port: 1, 2\n"
                       "x-forwarded-prefix: /e, /f", "127.0.0.1 b d 2 /f" },
        { "127.0.0.1", "x-forwarded-for: 1.1.1.1, 10.0.0.1\nx-forwarded-host: a, b, c\nx-forwarded-proto: d",
          "1.1.1.1 b d  " },
        { "127.0.0.1", "x-forwarded-proto: https\nforwarded: for=1.1.1.1;host=h", "127.0.0.1  https  " },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Arena *arena = arena_new();
        assert_string_equal(read_headers(arena, cases[i].peer, cases[i].lines).p, cases[i].said);
        arena_free(arena);
    }
    (void)state;
}

static void forwarded_is_quoted_or_not(void **state)
{
    static const struct { const char *value, *said; } cases[] = {
        { "for=1.1.1.1;host=h;proto=https;by=2.2.2.2", "1.1.1.1 h https  " },
        { "FOR=\"1.1.1.1\" ; HOST=\"h:80\"", "1.1.1.1 h:80   " },
        { "for=\"[2001:db8::1]:80\"", "2001:db8::1    " },
        { "for=6.6.6.6;host=x, for=1.1.1.1;host=h", "1.1.1.1 h   " },
        { "for=6.6.6.6;host=x, for=1.1.1.1;host=h, for=10.0.0.1;host=i;proto=http", "1.1.1.1 h   " },
        { "for=_hidden;host=h", "127.0.0.1 h   " },
        { "host=\"a, for=6.6.6.6;\\\"b\"", "127.0.0.1 a, for=6.6.6.6;\"b   " },
        { "for=1.1.1.1;host=\"\\", "1.1.1.1 \"\\   " },
        { "for=6.6.6.6;host=\"\\\\\", for=1.1.1.1;host=h", "1.1.1.1 h   " },
        { "host=\"", "127.0.0.1 \"   " },
        { "host=\"\"", "127.0.0.1    " },
        { ";;,=,for", "127.0.0.1    " },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Arena *arena = arena_new();
        Str lines = arena_printf(arena, "forwarded: %s", cases[i].value);
        assert_string_equal(read_headers(arena, "127.0.0.1", lines.p).p, cases[i].said);
        arena_free(arena);
    }
    (void)state;
}

static void root_paths(void **state)
{
    static const char *const bad[] = { "prefect", "//", "/a//b", "/a/..", "/./a", "/a b", "/a\"", "/a<", "/a%20",
                                       "/api", "/api/x", "/\303\251", "/a?", "/a#", "/a\\b", "/a;b" };
    static const struct { const char *given, *path; } good[] = {
        { "", "" }, { "/", "" }, { "/prefect", "/prefect" }, { "/prefect/", "/prefect" },
        { "/a/b-c_d.e~f", "/a/b-c_d.e~f" }, { "/apis", "/apis" }, { "/a/api", "/a/api" }, { "/...", "/..." },
    };
    Str path;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(root_path_parse(str_from(bad[i]), &path));
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(root_path_parse(str_from(good[i].given), &path));
        assert_true(str_is(path, good[i].path));
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_have_their_addresses),
        cmocka_unit_test(bad_networks_are_named),
        cmocka_unit_test(lists_are_read_from_their_end),
        cmocka_unit_test(forwarded_is_quoted_or_not),
        cmocka_unit_test(root_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
