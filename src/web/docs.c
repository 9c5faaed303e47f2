/* web/docs.c -- /openapi.json and the page that shows it, which is one file inside the program (ui/docs.html). */
#include "web/docs.h"

#include "api/address.h"
#include "api/openapi.h"
#include "api/reply.h"
#include "base/text.h"
#include "web/page_headers.h"

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

typedef struct Description {
    Str text;       /* null until first requested */
    size_t servers; /* offset at which the part that depends on the request is inserted */
} Description;

struct Docs {
    Arena *arena;
    Description descriptions[COUNT_OF(documents)];
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

static void make_description(Docs *docs, Arena *work, const char *prefix, Description *ret)
{
    Buf out;
    JsonWriter w;
    buf_init(&out, work, EXPECTED_SIZE);
    json_writer_init(&w, &out, JSON_WIRE);
    openapi_write(&w, work, prefix, &ret->servers);
    ret->text = arena_str(docs->arena, buf_view(&out));
}

/* The description, with "servers" as the client sees it unless the paths begin at the client's root. */
static Str get_description(Req *req, const struct Document *document)
{
    Description *made = &req->app->docs->descriptions[document - documents];
    if (!made->text.p)
        make_description(req->app->docs, req->arena, document->prefix, made);
    Str root = request_root_path(req), base = document->prefix[0] ? root
                                              : arena_printf(req->arena, "%.*s/api", STR_ARG(root));
    if (!base.n)
        return made->text;
    Buf out;
    buf_init(&out, req->arena, made->text.n + base.n + 64);
    buf_str(&out, str_cut(made->text, 0, made->servers));
    buf_printf(&out, "\"servers\":[{\"url\":\"%.*s\"}],", STR_ARG(base));
    buf_str(&out, str_cut(made->text, made->servers, made->text.n));
    return buf_view(&out);
}

static void send_document(Req *req, const struct Document *document)
{
    Str text = document->prefix ? get_description(req, document) : str_from(docs_page);
    Str type = document->prefix ? STR("application/json") : STR("text/html; charset=utf-8");
    HttpHeader headers[3 + PAGE_HEADERS] = { { STR("content-type"), type } };
    Str policy = document->prefix ? STR_NULL : page_policy_of_script(req->arena, text);
    req->status = 200;
    req->reply = (Buf){ .arena = req->arena, .p = (char *)(uintptr_t)text.p, .n = text.n };
    reply_send_with(req, headers, page_headers_add(headers, 1, policy));
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
    if (document)
        req->place = PLACE_DOCS;
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
