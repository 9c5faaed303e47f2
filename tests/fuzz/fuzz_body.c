/* tests/fuzz/fuzz_body.c -- requests to every row of the API's tables (fuzz_api.h), decoded as in production, up to
 * the transaction. What is refused has reasons that are JSON; what is taken is the same after it was written and
 * decoded again. */
#include "fuzz_api.h"

static bool same_object(const Model *model, const void *a, const void *b);

static bool same_member(const Field *field, const void *a, const void *b)
{
    switch (field->kind) {
    case F_INT:
    case F_TIME:
    case F_DURATION:
        return *(const int64_t *)a == *(const int64_t *)b;
    case F_OPT_INT:
        return ((const OptInt *)a)->v == ((const OptInt *)b)->v && ((const OptInt *)a)->has == ((const OptInt *)b)->has;
    case F_FLOAT:
        return *(const double *)a == *(const double *)b;
    case F_OPT_FLOAT:
        return ((const OptReal *)a)->v == ((const OptReal *)b)->v;
    case F_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case F_OPT_BOOL:
        return ((const OptBool *)a)->v == ((const OptBool *)b)->v;
    case F_MOMENT:
        return ((const Moment *)a)->us == ((const Moment *)b)->us;
    case F_ENUM:
        return *(const int *)a == *(const int *)b;
    case F_MODEL:
        return same_object(field->model, a, b);
    case F_OPT_MODEL:
        a = *(const void *const *)a;
        b = *(const void *const *)b;
        return a && b ? same_object(field->model, a, b) : a == b;
    default: /* the others are texts */
        return str_eq(*(const Str *)a, *(const Str *)b);
    }
}

static bool same_object(const Model *model, const void *a, const void *b)
{
    for (size_t i = 0; i < model->count; i++) {
        const Field *field = &model->fields[i];
        if (field->flags & (IGNORED | HIDDEN)) /* is not kept, or not written */
            continue;
        if (!same_member(field, (const char *)a + field->offset, (const char *)b + field->offset)) {
            fprintf(stderr, "%s.%s\n", model->name, field->name);
            return false;
        }
    }
    return true;
}

/* Not for a change, in which a member that was not sent would be written as null. */
static void check_stored(Req *req)
{
    const Model *model = req->route->body;
    Invalid again;
    Str text = codec_stored(req->arena, model, req->object);
    const Json *json = json_read(req->arena, text);
    void *object = arena_zalloc(req->arena, model->size);
    must(json != NULL);
    invalid_init(&again, req->arena, req->now);
    bool taken = codec_decode(&again, model, json, object, NULL);
    if (!taken || !same_object(model, req->object, object))
        fprintf(stderr, "%.*s\n%s\n", STR_ARG(text), taken ? "" : buf_cstr(&again.items));
    must(taken && same_object(model, req->object, object));
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
