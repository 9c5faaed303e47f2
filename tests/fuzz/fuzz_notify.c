/* tests/fuzz/fuzz_notify.c -- notifications: a line with the slug of a block type, a line with the message, then the
 * block's data. What would be sent goes to an address of the web, and its body is what its type says; a refusal has a
 * reason. */
#include "fuzz.h"

#include "base/unicode.h"
#include "notify/notify.h"

static const Time NOW = INT64_C(1795940000123456);

static void check_request(Arena *arena, const NotifyRequest *request)
{
    const Json *json;
    JsonError error;
    must(str_starts(request->url, "http://") || str_starts(request->url, "https://"));
    must(utf8_is_valid(request->url) && utf8_is_valid(request->body));
    must(request->content_type.n > 0 && request->status_max >= 200 && request->status_max < 300);
    if (str_is(request->content_type, "application/json"))
        must(json_parse(arena, request->body, &json, &error) && json->kind == JSON_OBJECT);
    must((request->user.p == NULL) == (request->password.p == NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Error error = { .code = ERR_NONE };
    Str rest = { (const char *)data, size }, slug = cut_line(&rest), message = cut_line(&rest);
    const Json *block = json_read(arena, rest);
    const NotifyRequest *requests = NULL;
    if (block && utf8_is_valid(message)) { /* as they come from the database */
        bool ok = notify_requests(arena, slug, block, STR("Prefect"), message, NOW, &requests, &error);
        must(ok == (error.code == ERR_NONE) && (ok ? requests != NULL : error.message[0] != '\0'));
        for (const NotifyRequest *request = ok ? requests : NULL; request; request = request->next)
            check_request(arena, request);
    }
    arena_free(arena);
    return 0;
}
