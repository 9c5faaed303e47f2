/* api/reply.c -- the ends of a request: success, errors in the reference's shapes, redirects, CORS. */
#include "api/reply.h"

#include "api/address.h"
#include "api/guard.h"
#include "api/request_log.h"
#include "api/request_stats.h"
#include "base/log.h"
#include "base/unicode.h"

/* Seconds. Clients of Prefect then try five more times; without the header they wait longer each time. */
#define RETRY_AFTER "5"

/* How each error looks on the wire; if the row has a text, that hides the message (which goes to the log). */
static const struct ErrorShape {
    int status;
    const char *key, *text;
} error_shapes[] = {
    [ERR_INVALID] = { 422, "detail", NULL },
    [ERR_BAD_REQUEST] = { 400, "detail", NULL },
    [ERR_UNAUTHORIZED] = { 401, "detail", NULL },
    [ERR_FORBIDDEN] = { 403, "detail", NULL },
    [ERR_NOT_FOUND] = { 404, "detail", NULL },
    [ERR_OBJECT_NOT_FOUND] = { 404, "exception_message", NULL },
    [ERR_CONFLICT] = { 409, "detail", NULL },
    [ERR_INTEGRITY] = { 409, "detail",
        "Data integrity conflict. This usually means a unique or foreign key constraint was violated. See server logs"
        " for details." },
    [ERR_TOO_LARGE] = { 413, "detail", NULL },
    [ERR_ANSWER_TOO_LARGE] = { 507, "exception_message", NULL },
    [ERR_OVERLOADED] = { 503, "exception_message", NULL },
    [ERR_BUSY] = { 503, "exception_message", NULL },
    [ERR_SPOILED] = { 500, "exception_message", NULL },
    [ERR_INTERNAL] = { 500, "exception_message", "Internal Server Error" },
};

static void write_invalid(Req *req)
{
    JsonWriter *w = reply_json(req);
    json_object(w);
    json_key(w, "exception_message");
    json_text(w, "Invalid request received.");
    json_key(w, "exception_detail");
    json_array(w);
    json_raw(w, buf_view(&req->invalid.items));
    json_array_end(w);
    json_key(w, "request_body");
    if (req->body)
        json_value(w, req->body);
    else
        json_str(w, req->body_text);
    json_object_end(w);
    req->status = 422;
}

static void write_error(Req *req)
{
    const struct ErrorShape *shape = &error_shapes[req->error.code];
    if (shape->text)
        log_error("orion.api", "%.*s %.*s: %s", STR_ARG(req->http->method_text), STR_ARG(req->http->path),
                  req->error.message);
    JsonWriter *w = reply_json(req);
    json_object(w);
    json_key(w, shape->key);
    json_text(w, shape->text ? shape->text : req->error.message);
    json_object_end(w);
    req->status = shape->status;
}

void reply_send_with(Req *req, HttpHeader *headers, size_t count)
{
    Str origin = req->cors == CORS_NONE ? STR_NULL : http_header(req->http, "origin");
    /* Browsers refuse "*" if they sent a cookie. */
    bool named = origin.p && (req->cors == CORS_THIS || http_header(req->http, "cookie").p);
    if (origin.p)
        headers[count++] = (HttpHeader){ STR("access-control-allow-origin"), named ? origin : STR("*") };
    if (named)
        headers[count++] = (HttpHeader){ STR("vary"), STR("Origin") };
    log_request(req->http->id);
    request_log_end(req, req->status, req->spool.file ? (size_t)req->spool.file->size : req->reply.n);
    request_stats_end(req, req->status);
    if (req->spool.file)
        http_reply_file(req->http, req->status, headers, count, req->spool.file);
    else
        http_reply(req->http, req->status, headers, count, buf_view(&req->reply));
    log_request(STR_NULL);
}

void reply_send(Req *req)
{
    HttpHeader headers[6];
    log_request(req->http->id);
    size_t count = req->error.code == ERR_UNAUTHORIZED ? guard_challenges(req, headers) : 0;
    if (req->error.code == ERR_OVERLOADED)
        headers[count++] = (HttpHeader){ STR("retry-after"), STR(RETRY_AFTER) };
    if (req->error.code != ERR_NONE)
        write_error(req);
    else if (req->invalid.count)
        write_invalid(req);
    if (req->reply.n || req->spool.file)
        headers[count++] = (HttpHeader){ STR("content-type"), STR("application/json") };
    /* Another program may have put anything into a database. */
    Str text = utf8_repaired(req->arena, buf_view(&req->reply));
    req->reply = (Buf){ .arena = req->arena, .p = (char *)(uintptr_t)text.p, .n = text.n };
    reply_send_with(req, headers, count);
}

static const char *method_name(HttpMethod method)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD", [HTTP_POST] = "POST", [HTTP_PUT] = "PUT",
        [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS", [HTTP_OTHER] = "",
    };
    return names[method];
}

void reply_not_allowed(Req *req, HttpMethod allowed)
{
    HttpHeader headers[6] = {
        { STR("content-type"), STR("application/json") },
        { STR("allow"), str_from(method_name(allowed)) },
    };
    buf_init(&req->reply, req->arena, 64);
    buf_text(&req->reply, "{\"detail\":\"Method Not Allowed\"}");
    req->status = 405;
    reply_send_with(req, headers, 2);
}

/* Like urllib's quote; `kept` is what Starlette does not escape. */
static void add_quoted(Buf *out, Str text)
{
    static const char kept[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~:/%#?=@[]!$&'()*+,;";
    for (size_t i = 0; i < text.n; i++) {
        if (char_in(text.p[i], kept))
            buf_char(out, text.p[i]);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)text.p[i]);
    }
}

/* The location is absolute, made from the client's address of the server and the decoded path, as Starlette does. */
void reply_redirect(Req *req, Str path)
{
    HttpRequest *http = req->http;
    Str address = request_address(req), root = request_root_path(req);
    Buf location;
    buf_init(&location, req->arena, address.n + root.n + path.n + http->query.n + 16);
    buf_str(&location, address);
    buf_str(&location, root);
    buf_text(&location, "/api");
    add_quoted(&location, path);
    if (http->query.n) {
        buf_char(&location, '?');
        add_quoted(&location, http->query);
    }
    HttpHeader headers[6] = { { STR("location"), buf_view(&location) } };
    req->status = 307;
    reply_send_with(req, headers, 1);
}

bool reply_preflight(Req *req)
{
    HttpRequest *http = req->http;
    if (http->method != HTTP_OPTIONS || !http_header(http, "origin").p
        || !http_header(http, "access-control-request-method").p)
        return false;
    Str asked = http_header(http, "access-control-request-headers");
    HttpHeader headers[6] = {
        { STR("access-control-allow-origin"), req->cors == CORS_THIS ? http_header(http, "origin") : STR("*") },
        { STR("access-control-allow-methods"), STR("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT") },
        { STR("access-control-max-age"), STR("600") },
        { STR("content-type"), STR("text/plain; charset=utf-8") },
    };
    size_t count = 4;
    bool known = false;
    for (HttpMethod m = HTTP_GET; m < HTTP_OTHER; m++)
        known = known || str_is(http_header(http, "access-control-request-method"), method_name(m));
    if (asked.p)
        headers[count++] = (HttpHeader){ STR("access-control-allow-headers"), asked };
    if (req->cors == CORS_THIS)
        headers[count++] = (HttpHeader){ STR("vary"), STR("Origin") };
    Str text = known ? STR("OK") : STR("Disallowed CORS method");
    request_log_end(req, known ? 200 : 400, text.n);
    request_stats_end(req, known ? 200 : 400);
    http_reply(http, known ? 200 : 400, headers, count, text);
    return true;
}
