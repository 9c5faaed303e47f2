/* tests/unit/test_notify.c -- the requests that tell a message, against those that the
 * reference sends for the same block. */
#include "unit.h"

#include "notify/notify.h"

enum { NOW = 1767323045 };

typedef struct Case {
    Str kind, body, subject;
    const Json *data, *requests;
} Case;

static Str read_file(Arena *arena, const char *path)
{
    Buf text;
    char part[4096];
    size_t n;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    buf_init(&text, arena, 1 << 18);
    while ((n = fread(part, 1, sizeof part, file)) > 0)
        buf_add(&text, part, n);
    fclose(file);
    return buf_view(&text);
}

static Case read_case(Arena *arena, Str line)
{
    const Json *json;
    JsonError error;
    assert_true(json_parse(arena, line, &json, &error));
    return (Case){
        .kind = json_get(json, "kind")->text,
        .body = json_get(json, "body")->text,
        .subject = json_get(json, "subject")->text,
        .data = json_get(json, "data"),
        .requests = json_get(json, "requests"),
    };
}

/* The time in a message to Slack is the sender's. */
static Str without_now(Arena *arena, Str body)
{
    static const char now[] = "\"ts\": 1767323045.0";
    const char *at = memmem(body.p, body.n, now, sizeof now - 1);
    if (!at)
        return body;
    size_t before = (size_t)(at - body.p), after = before + sizeof now - 1;
    return arena_printf(arena, "%.*s\"ts\": NOW%.*s", (int)before, body.p, (int)(body.n - after), body.p + after);
}

static Str header(const Json *request, const char *name)
{
    const Json *value = json_get(json_get(request, "headers"), name);
    return value ? value->text : STR_NULL;
}

static void compare_text(const Case *c, const char *what, Str ours, Str expected)
{
    if (str_eq(ours, expected))
        return;
    print_error("%s\n%.*s\n", what, STR_ARG(c->data->text));
    print_error("ours:     %.*s\nexpected: %.*s\n", STR_ARG(ours), STR_ARG(expected));
    assert_true(str_eq(ours, expected));
}

static void compare_request(Arena *arena, const Case *c, const NotifyRequest *ours, const Json *expected)
{
    compare_text(c, "url", ours->url, json_get(expected, "url")->text);
    compare_text(c, "body", without_now(arena, ours->body), json_get(expected, "body")->text);
    compare_text(c, "content-type", ours->content_type, header(expected, "content-type"));
    compare_text(c, "accept", ours->accept, header(expected, "accept"));
    if (ours->user.p)
        assert_true(str_starts(header(expected, "authorization"), "Basic "));
    else
        compare_text(c, "authorization", ours->authorization, header(expected, "authorization"));
}

static void compare_case(Arena *arena, const Case *c)
{
    Error error = { .code = ERR_NONE };
    const NotifyRequest *ours = NULL;
    bool ok = notify_requests(arena, c->kind, c->data, c->subject, c->body, NOW * SECOND, &ours, &error);
    const Json *expected = c->requests->child;
    for (; expected && ours; expected = expected->next, ours = ours->next)
        compare_request(arena, c, ours, expected);
    if (expected || ours || ok != (c->requests->count > 0))
        print_error("%.*s: %zu requests expected; %s\n", STR_ARG(c->data->text), c->requests->count, error.message);
    assert_true(!expected && !ours && ok == (c->requests->count > 0));
}

static void requests_are_the_references(void **state)
{
    Arena *files = arena_new(), *arena = arena_new();
    Str text = read_file(files, TESTS "/services/notifications.jsonl");
    size_t cases = 0;
    while (text.n > 0) {
        const char *end = memchr(text.p, '\n', text.n);
        assert_non_null(end);
        Str line = { text.p, (size_t)(end - text.p) };
        Case c = read_case(arena, line);
        compare_case(arena, &c);
        arena_reset(arena);
        text = (Str){ end + 1, text.n - line.n - 1 };
        cases++;
    }
    assert_true(cases > 100);
    arena_free(arena);
    arena_free(files);
    (void)state;
}

static void errors_tell_no_secret(void **state)
{
    static const struct { const char *kind, *data; } blocks[] = {
        { "slack-webhook", "{\"url\": \"https://example.com/sesame\"}" },
        { "twilio-sms",
          "{\"account_sid\": \"sesame\", \"auth_token\": \"sesame\", \"from_phone_number\": \"1\", "
          "\"to_phone_numbers\": []}" },
        { "pager-duty-webhook", "{\"integration_key\": \" sesame\", \"api_key\": \"sesame\"}" },
        { "opsgenie-webhook", "{\"apikey\": \" sesame\"}" },
        { "json", "{\"value\": \"sesame\"}" },
    };
    Arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        Error error = { .code = ERR_NONE };
        const NotifyRequest *unused;
        const Json *data;
        JsonError bad;
        assert_true(json_parse(arena, str_from(blocks[i].data), &data, &bad));
        assert_false(notify_requests(arena, str_from(blocks[i].kind), data, STR("s"), STR("b"), 0, &unused, &error));
        assert_true(error.message[0] && !strstr(error.message, "sesame"));
    }
    arena_free(arena);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_the_references),
        cmocka_unit_test(errors_tell_no_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
