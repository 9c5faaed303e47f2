/* api/request.c -- decoding of bodies as FastAPI passes them. */
#include "api/request.h"

#include "base/log.h"

const Json *body_parameter(Req *req, const char *name, bool required, bool *ret_missing)
{
    *ret_missing = false;
    bool object = req->body && req->body->kind == JSON_OBJECT;
    bool sent = !json_is_null(req->body) || req->body_text.p; /* null counts as no body */
    const Json *value = object ? json_get(req->body, name) : NULL;
    if (json_is_null(value))
        value = NULL;
    if (!value && (required || (sent && !object))) {
        invalid_enter(&req->invalid, name);
        invalid_add(&req->invalid, "value_error.missing", NULL, "field required");
        invalid_leave(&req->invalid);
        *ret_missing = true;
    }
    return value;
}

bool body_field(Req *req, const Field *field, void *base)
{
    bool missing;
    const Json *value = body_parameter(req, field->name, (field->flags & REQUIRED) != 0, &missing);
    if (missing)
        return false;
    JsonError unused;
    if (!value && field->fallback && !json_parse(req->arena, str_from(field->fallback), &value, &unused))
        return false;
    if (!value)
        return true;
    invalid_enter(&req->invalid, field->name);
    bool ok = codec_decode_field(&req->invalid, field, value, (char *)base + field->offset);
    invalid_leave(&req->invalid);
    return ok;
}

/* One that came beside the body, as text. */
static bool decode_text(Req *req, const char *place, const Field *field, Str text, void *member)
{
    bool ok = true;
    const Json *value = &(Json){ .kind = JSON_STRING, .text = text };
    JsonError unused;
    invalid_enter(&req->invalid, place);
    invalid_enter(&req->invalid, field->name);
    if (!text.p)
        value = NULL;
    if (!value && field->fallback && !json_parse(req->arena, str_from(field->fallback), &value, &unused))
        ok = false;
    else if (value)
        ok = codec_decode_field(&req->invalid, field, value, member);
    else if (field->flags & REQUIRED)
        ok = invalid_add(&req->invalid, "value_error.missing", NULL, "field required");
    invalid_leave(&req->invalid);
    invalid_leave(&req->invalid);
    return ok;
}

bool query_field(Req *req, const Field *field, void *base)
{
    Str text;
    if (!http_query_value(req->http, field->name, &text))
        text = STR_NULL;
    return decode_text(req, "query", field, text, (char *)base + field->offset);
}

bool header_field(Req *req, const Field *field, void *base)
{
    return decode_text(req, "header", field, http_header(req->http, field->name), (char *)base + field->offset);
}

void reply_status(Req *req, int status)
{
    req->status = status;
}

JsonWriter *reply_json(Req *req)
{
    buf_init(&req->reply, req->arena, 1024);
    json_writer_init(&req->out, &req->reply, JSON_WIRE);
    return &req->out;
}

void reply_model(Req *req, const Model *model, const void *object)
{
    codec_write(reply_json(req), model, object);
}

bool req_fail(Req *req, ErrorCode code, const char *message)
{
    return fail(req->tx ? req->tx->error : &req->error, code, "%s", message);
}
