/* api/docs.c -- /openapi.json and the page that shows it, which is one file inside the program (ui/docs.html). */
#include "api/docs.h"

#include "api/openapi.h"
#include "api/reply.h"

extern const char docs_page[];

/* Where FastAPI serves its two pages, ours is served: from the server's root and below /api. */
static const struct Document {
    const char *path;
    const char *prefix; /* of the paths in the description; NULL: the page */
} documents[] = {
    { "/openapi.json", "/api" },
    { "/docs", NULL },
    { "/redoc", NULL },
    { "/api/openapi.json", "" },
    { "/api/docs", NULL },
    { "/api/redoc", NULL },
};

static void send_document(Req *req, const struct Document *document)
{
    HttpHeader headers[3];
    req->status = 200;
    if (document->prefix) {
        openapi_write(reply_json(req), req->arena, document->prefix);
        headers[0] = (HttpHeader){ STR("content-type"), STR("application/json") };
    } else {
        buf_init(&req->reply, req->arena, 1);
        buf_text(&req->reply, docs_page);
        headers[0] = (HttpHeader){ STR("content-type"), STR("text/html; charset=utf-8") };
    }
    reply_send_with(req, headers, 1);
}

static const struct Document *find_document(Str path)
{
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        if (str_is(path, documents[i].path))
            return &documents[i];
    }
    return NULL;
}

bool docs_handle(Req *req)
{
    static const Route get = { .method = HTTP_GET };
    Str path = req->http->path;
    const struct Document *document = find_document(path);
    bool slash = !document && str_starts(path, "/api/") && path.p[path.n - 1] == '/';
    if (slash && find_document((Str){ path.p, path.n - 1 })) {
        reply_redirect(req, (Str){ path.p + 4, path.n - 5 });
        return true;
    }
    if (!document)
        return false;
    if (req->http->method == HTTP_GET || req->http->method == HTTP_HEAD)
        send_document(req, document);
    else
        reply_not_allowed(req, &get);
    return true;
}
