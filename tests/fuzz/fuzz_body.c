/* tests/fuzz/fuzz_body.c -- requests to every row of the API's tables (fuzz_api.h), decoded as in production, up to
 * the transaction. What is refused has reasons that are JSON; what is taken is the same after it was written and
 * decoded again. */
#include "fuzz_api.h"

/* Durations are written as seconds, times in UTC, and so on: the first text may differ from what was sent, but the
 * second is the first one. Not for a change, in which a member that was not sent would be written as null. */
static void check_stored(Req *req)
{
    const Model *model = req->route->body;
    Invalid again;
    Str text = codec_stored(req->arena, model, req->object);
    const Json *json = json_read(req->arena, text);
    void *object = arena_zalloc(req->arena, model->size);
    must(json != NULL);
    invalid_init(&again, req->arena, req->now);
    if (!codec_decode(&again, model, json, object, NULL)) {
        fprintf(stderr, "%.*s\n%s\n", STR_ARG(text), buf_cstr(&again.items));
        abort();
    }
    Str second = codec_stored(req->arena, model, object);
    if (!str_eq(text, second)) {
        fprintf(stderr, "%.*s\n%.*s\n", STR_ARG(text), STR_ARG(second));
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Req *req = read_request(arena, (Str){ (const char *)data, size });
    if (decode_checked(req) && req->route->body && req->route->method != HTTP_PATCH)
        check_stored(req);
    arena_free(arena);
    return 0;
}
