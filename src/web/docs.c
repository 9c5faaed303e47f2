/* web/docs.c -- /openapi.json and the page that shows it, which is one file inside the program (ui/docs.html). */
#include "web/docs.h"

#include "api/openapi.h"
#include "api/reply.h"

enum { EXPECTED_SIZE = 128 << 10 };

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

struct Docs {
    Arena *arena;
    Str descriptions[COUNT_OF(documents)]; /* null until it is asked for */
};

Docs *docs_new(void)
{
    Arena *arena = arena_new();
    Docs *docs = arena_new_of(arena, Docs);
    docs->arena = arena;
    return docs;
}

void docs_free(Docs *docs)
{
    if (docs)
        arena_free(docs->arena);
}

static Str make_description(Docs *docs, Arena *work, const char *prefix)
{
    Buf out;
    JsonWriter w;
    buf_init(&out, work, EXPECTED_SIZE);
    json_writer_init(&w, &out, JSON_WIRE);
    openapi_write(&w, work, prefix);
    return arena_str(docs->arena, buf_view(&out));
}

static void send_document(Req *req, const struct Document *document)
{
    Str *description = &req->app->docs->descriptions[document - documents];
    if (document->prefix && !description->p)
        *description = make_description(req->app->docs, req->arena, document->prefix);
    Str text = document->prefix ? *description : str_from(docs_page);
    Str type = document->prefix ? STR("application/json") : STR("text/html; charset=utf-8");
    HttpHeader headers[3] = { { STR("content-type"), type } };
    req->status = 200;
    req->reply = (Buf){ .arena = req->arena, .p = (char *)(uintptr_t)text.p, .n = text.n };
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

bool docs_has(Str path)
{
    return find_document(path) != NULL;
}

bool docs_handle(Req *req)
{
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
        reply_not_allowed(req, HTTP_GET);
    return true;
}
