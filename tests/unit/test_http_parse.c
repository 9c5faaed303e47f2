/* tests/unit/test_http_parse.c -- tables of heads, targets and bodies for the HTTP parser. */
#include "unit.h"

#include "http/parse.h"

/* Refused heads, each with the status that says so; 0: taken. */
static const struct { const char *head; int status; } heads[] = {
    { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 0 },
    { "GET / HTTP/1.1\r\nhOsT:\r\n\r\n", 0 },
    { "GET / HTTP/1.0\r\n\r\n", 0 },
    { "GET / HTTP/1.7\r\nHost: x\r\n\r\n", 0 },
    { "M-SEARCH /?x=%zz HTTP/1.1\r\nHost: [::1]:42\r\nA:\tb \t\r\n\r\n", 0 },
    { "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 0 },
    { "GET HTTPS://h:1?a HTTP/1.1\r\nHost: x\r\n\r\n", 0 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 007\r\n\r\n", 0 },
    { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n", 0 },
    { "GET / HTTP/1.1\r\nHost: x\r\nA: caf\xC3\xA9\r\n\r\n", 0 },
    { "GET / HTTP/1.0\r\nExpect: anything\r\n\r\n", 0 },
    { "GET / HTTP/1.1\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
    { "GET http://a@b/ HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "GET /\r\n\r\n", 400 },
    { "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400 },
    { " GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "G(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "GET x HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "GET /#a HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "GET /\xC3\xA9 HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "CONNECT h:80 HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "GET / HTTP/11\r\nHost: x\r\n\r\n", 400 },
    { "GET / http/1.1\r\nHost: x\r\n\r\n", 400 },
    { "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505 },
    { "GET / HTTP/1.1\nHost: x\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: x\n\n", 400 },
    { "GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: x\r\nA: \x01\r\n\r\n", 400 },
    { "\x16\x03\x01\x02", 400 },
    { "GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: x\r\nAb\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 413 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
    { "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501 },
    { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n", 501 },
    { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0b" "chunked\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\n\r\n", 417 },
};

static int head_status(Arena *arena, Str bytes, HttpRequest *request, HttpFraming *framing)
{
    HttpFailure failure = { 0, NULL };
    size_t scanned = 0, length = 0;
    *request = (HttpRequest){ .arena = arena };
    if (http_head_find(bytes, &scanned, &length, &failure) && length == bytes.n)
        (void)!http_head_parse(arena, bytes, request, framing, &failure);
    else if (!failure.status)
        return -1;
    return failure.status;
}

static void heads_are_taken_or_refused(void **state)
{
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        Arena *arena = arena_new();
        HttpRequest request;
        HttpFraming framing;
        int status = head_status(arena, str_from(heads[i].head), &request, &framing);
        if (status != heads[i].status)
            print_error("head %zu: %s\n", i, heads[i].head);
        assert_int_equal(status, heads[i].status);
        arena_free(arena);
    }
    (void)state;
}

static void a_head_is_found_byte_by_byte(void **state)
{
    Str bytes = STR("GET / HTTP/1.1\r\nHost: x\r\n\r\nrest");
    HttpFailure failure;
    size_t scanned = 0, length = 0;
    for (size_t n = 1; n < bytes.n - 4; n++) {
        assert_true(http_head_find((Str){ bytes.p, n }, &scanned, &length, &failure));
        assert_int_equal(length, 0);
    }
    assert_true(http_head_find(bytes, &scanned, &length, &failure));
    assert_int_equal(length, bytes.n - 4);
    (void)state;
}

static void a_head_becomes_a_request(void **state)
{
    Arena *arena = arena_new();
    HttpRequest request;
    HttpFraming framing;
    Str head = STR("PATCH http://other:1/a%20b%2Fc?x=1?2 HTTP/1.1\r\nHost: x\r\nX-A:  one \r\nx-a: two\r\n"
                   "Connection: foo, CLOSE\r\nContent-Length: 12\r\nExpect: 100-Continue\r\n\r\n");
    assert_int_equal(head_status(arena, head, &request, &framing), 0);
    assert_int_equal(request.method, HTTP_PATCH);
    assert_true(str_is(request.method_text, "PATCH"));
    assert_true(str_is(request.raw_path, "/a%20b%2Fc"));
    assert_true(str_is(request.path, "/a b/c"));
    assert_true(str_is(request.query, "x=1?2"));
    assert_int_equal(request.header_count, 6);
    assert_true(str_is(http_header(&request, "x-a"), "one"));
    assert_true(str_is(http_header(&request, "host"), "other:1"));
    assert_null(http_header(&request, "x-b").p);
    assert_true(!framing.keep_alive && !framing.version_10 && !framing.chunked && framing.expect_continue);
    assert_int_equal(framing.length, 12);
    arena_free(arena);
    (void)state;
}

static void connections_are_kept_by_version_and_header(void **state)
{
    static const struct { const char *head; bool keep; } cases[] = {
        { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false },
        { "GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false },
        { "GET / HTTP/1.0\r\n\r\n", false },
        { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
        { "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Arena *arena = arena_new();
        HttpRequest request;
        HttpFraming framing;
        assert_int_equal(head_status(arena, str_from(cases[i].head), &request, &framing), 0);
        assert_int_equal(framing.keep_alive, cases[i].keep);
        arena_free(arena);
    }
    (void)state;
}

static void too_many_headers_are_refused(void **state)
{
    for (int count = 127; count <= 128; count++) {
        char head[4096];
        size_t n = (size_t)snprintf(head, sizeof head, "GET / HTTP/1.1\r\nHost: x\r\n");
        for (int i = 0; i < count; i++)
            n += (size_t)snprintf(head + n, sizeof head - n, "a: %d\r\n", i);
        n += (size_t)snprintf(head + n, sizeof head - n, "\r\n");
        Arena *arena = arena_new();
        HttpRequest request;
        HttpFraming framing;
        assert_int_equal(head_status(arena, (Str){ head, n }, &request, &framing), count == 127 ? 0 : 431);
        arena_free(arena);
    }
    (void)state;
}

/* What Python's urllib.parse.unquote gives. */
static void paths_are_decoded_as_python_does(void **state)
{
    static const struct { const char *from; Str to; } cases[] = {
        { "/a%20b", { "/a b", 4 } }, { "/a%2Fb", { "/a/b", 4 } }, { "/%zz%4", { "/%zz%4", 6 } }, { "/%", { "/%", 2 } },
        { "/%C3%A9", { "/\xC3\xA9", 3 } }, { "/%ff", { "/\xEF\xBF\xBD", 4 } }, { "/%E2%82x", { "/\xEF\xBF\xBDx", 5 } },
        { "/%ED%A0%80", { "/\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", 10 } },
        { "/%F0%9F%98%80", { "/\xF0\x9F\x98\x80", 5 } },
        { "/a+b", { "/a+b", 4 } }, { "/%25%32%30", { "/%20", 4 } }, { "/%00", { "/\0", 2 } },
        { "/%F4%90%80%80", { "/\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", 13 } },
        { "/%C0%AF", { "/\xEF\xBF\xBD\xEF\xBF\xBD", 7 } }, { "/%E2%82%AC%E2", { "/\xE2\x82\xAC\xEF\xBF\xBD", 7 } },
    };
    Arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Str decoded = http_percent_decode(arena, str_from(cases[i].from), false);
        assert_int_equal(decoded.n, cases[i].to.n);
        assert_memory_equal(decoded.p, cases[i].to.p, decoded.n);
    }
    arena_free(arena);
    (void)state;
}

/* What dict(urllib.parse.parse_qsl(query, keep_blank_values=True)).get("a") gives; NULL: None. */
static void query_values_are_the_last_ones(void **state)
{
    static const struct { const char *query, *value; } cases[] = {
        { "a=1&a=2", "2" }, { "a=b+c%26", "b c&" }, { "a", "" }, { "b=1", NULL }, { "a=&b", "" }, { "%61=x", "x" },
        { "a%=1&a=%ff", "\xEF\xBF\xBD" }, { "&&a=1=2&", "1=2" }, { "A=1", NULL }, { "a+=3", NULL }, { "=a", NULL },
        { "a=1;b=2", "1;b=2" }, { "", NULL },
    };
    Arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        HttpRequest request = { .arena = arena, .query = str_from(cases[i].query) };
        Str value = STR_NULL;
        assert_int_equal(http_query_value(&request, "a", &value), cases[i].value != NULL);
        assert_true(str_eq(value, str_from(cases[i].value)));
    }
    arena_free(arena);
    (void)state;
}

/* Chunked bodies: the content, or NULL and the status of the refusal (0: it is not over yet). */
static const struct { const char *bytes, *content; int status; } bodies[] = {
    { "5\r\nhello\r\n0\r\n\r\n", "hello", 0 },
    { "0\r\n\r\n", "", 0 },
    { "000\r\n\r\n", "", 0 },
    { "5;a=b;c=\"d\"\r\nhello\r\n00006\r\n world\r\n0\r\nT: x\r\nU:\r\n\r\n", "hello world", 0 },
    { "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", 0 },
    { "5\r\nhel", NULL, 0 },
    { "5\r\nhello\r\n0\r\n\r", NULL, 0 },
    { "5\r\nhelloX\r\n", NULL, 400 },
    { "5\nhello\r\n0\r\n\r\n", NULL, 400 },
    { "5\r\nhello\n0\r\n\r\n", NULL, 400 },
    { "5 \r\nhello\r\n0\r\n\r\n", NULL, 400 },
    { "\r\nhello", NULL, 400 },
    { ";x\r\n\r\n", NULL, 400 },
    { "0x5\r\nhello\r\n", NULL, 400 },
    { "-5\r\nhello\r\n", NULL, 400 },
    { "5;a\nb\r\nhello\r\n", NULL, 400 },
    { "0\r\nT\r\n\r\n", NULL, 400 },
    { "0\r\n T: x\r\n\r\n", NULL, 400 },
    { "0\r\nT: x\n\r\n", NULL, 400 },
    { "65\r\n", NULL, 413 },
    { "ffffffffffffffffff\r\n", NULL, 413 },
    { "60\r\n012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345\r\n5\r\n",
      NULL, 413 },
};

static void chunked_bodies_are_read_strictly(void **state)
{
    for (size_t i = 0; i < 2 * COUNT_OF(bodies); i++) {
        Str bytes = str_from(bodies[i / 2].bytes);
        size_t step = i % 2 ? 1 : bytes.n, budget = 1 << 20, consumed = 0;
        HttpFailure failure = { 0, NULL };
        HttpFraming framing = { .chunked = true };
        HttpBody body;
        assert_true(http_body_begin(&body, &framing, 100, &budget, &failure));
        bool ok = true;
        for (size_t at = 0; ok && at < bytes.n; at += consumed)
            ok = http_body_feed(&body, (Str){ bytes.p + at, step < bytes.n - at ? step : bytes.n - at }, &consumed,
                                &failure);
        assert_int_equal(failure.status, bodies[i / 2].status);
        assert_int_equal(body.state == BODY_DONE, bodies[i / 2].content != NULL);
        if (bodies[i / 2].content)
            assert_true(str_is((Str){ body.p ? body.p : "", body.n }, bodies[i / 2].content));
        http_body_end(&body);
        assert_int_equal(budget, 1 << 20);
    }
    (void)state;
}

static void long_trailers_and_extensions_are_refused(void **state)
{
    static const char *const begins[] = { "5;", "0\r\nT: ", "0\r\nT" };
    char bytes[8192];
    for (size_t i = 0; i < COUNT_OF(begins); i++) {
        memset(bytes, 'x', sizeof bytes);
        memcpy(bytes, begins[i], strlen(begins[i]));
        size_t budget = 1 << 20, consumed;
        HttpFailure failure = { 0, NULL };
        HttpFraming framing = { .chunked = true };
        HttpBody body;
        assert_true(http_body_begin(&body, &framing, 100, &budget, &failure));
        assert_false(http_body_feed(&body, (Str){ bytes, sizeof bytes }, &consumed, &failure));
        assert_int_equal(failure.status, 431);
        http_body_end(&body);
    }
    (void)state;
}

static void bodies_share_a_budget(void **state)
{
    static const char bytes[60];
    size_t budget = 100, consumed;
    HttpFailure failure = { 0, NULL };
    HttpFraming framing = { .length = sizeof bytes };
    HttpBody one, two;
    assert_true(http_body_begin(&one, &framing, 100, &budget, &failure));
    assert_true(http_body_begin(&two, &framing, 100, &budget, &failure));
    assert_true(http_body_feed(&one, (Str){ bytes, sizeof bytes }, &consumed, &failure));
    assert_int_equal(one.state, BODY_DONE);
    assert_false(http_body_feed(&two, (Str){ bytes, sizeof bytes }, &consumed, &failure));
    assert_int_equal(failure.status, 503);
    http_body_end(&one);
    http_body_end(&two);
    assert_int_equal(budget, 100);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_taken_or_refused),
        cmocka_unit_test(a_head_is_found_byte_by_byte),
        cmocka_unit_test(a_head_becomes_a_request),
        cmocka_unit_test(connections_are_kept_by_version_and_header),
        cmocka_unit_test(too_many_headers_are_refused),
        cmocka_unit_test(paths_are_decoded_as_python_does),
        cmocka_unit_test(query_values_are_the_last_ones),
        cmocka_unit_test(chunked_bodies_are_read_strictly),
        cmocka_unit_test(long_trailers_and_extensions_are_refused),
        cmocka_unit_test(bodies_share_a_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
