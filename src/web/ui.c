/* web/ui.c -- what is served outside /api: the dashboard as a single-page application, and /ui-settings, from which
 * it learns where the API is. */
#include "web/ui.h"

#include <ctype.h>

#include "api/address.h"
#include "api/reply.h"
#include "web/page_headers.h"
#include "web/static_files.h"

enum { HEADERS_MAX = 12 }; /* reply_send_with adds up to two */

bool ui_is_embedded(void)
{
    return static_files[0].path != NULL;
}

/* ---- what headers say ---- */

/* The q of "gzip;q=0.5" in thousandths; 1000 without one. */
static int read_quality(Str parameters)
{
    while (parameters.n) {
        Str parameter = str_next_item(&parameters, ';');
        Str name = str_next_item(&parameter, '=');
        if (!str_same_word(name, STR("q")) || parameter.n == 0)
            continue;
        int value = parameter.p[0] == '1' ? 1000 : 0;
        for (size_t i = 2, place = 100; i < parameter.n && place; i++, place /= 10)
            value += isdigit((unsigned char)parameter.p[i]) ? (parameter.p[i] - '0') * (int)place : 0;
        return value > 1000 ? 1000 : value;
    }
    return 1000;
}

/* How much the client wants a coding; -1: it does not mention it. */
static int find_quality(Str accepted, Str coding)
{
    int quality = -1;
    while (accepted.n) {
        Str item = str_next_item(&accepted, ',');
        if (str_same_word(str_next_item(&item, ';'), coding))
            quality = read_quality(item);
    }
    return quality;
}

static bool wants_gzip(const HttpRequest *http)
{
    Str accepted = http_header(http, "accept-encoding");
    if (!accepted.p)
        return false;
    int gzip = find_quality(accepted, STR("gzip"));
    if (gzip < 0)
        gzip = find_quality(accepted, STR("*"));
    return gzip > 0 && gzip >= find_quality(accepted, STR("identity"));
}

/* Tags are compared weakly, as RFC 9110 asks. `tag` is quoted. */
static bool has_tag(const HttpRequest *http, Str tag)
{
    Str known = http_header(http, "if-none-match");
    while (known.p && known.n) {
        Str item = str_next_item(&known, ',');
        if (str_starts(item, "W/"))
            item = (Str){ item.p + 2, item.n - 2 };
        if (str_is(item, "*") || str_eq(item, tag))
            return true;
    }
    return false;
}

/* ---- where the API is ---- */

/* The address the browser used, unless the setting overrides it: works on any port and behind any proxy. */
static Str api_address(Req *req)
{
    static const char name[] = "PREFECT_ORION_UI_API_URL";
    const Settings *settings = req->app->settings;
    Str address = settings_source(settings, name) == FROM_DEFAULT ? request_address(req) : STR("");
    return address.n ? arena_printf(req->arena, "%.*s%.*s/api", STR_ARG(address), STR_ARG(request_root_path(req)))
                     : settings_text(settings, name);
}

/* ---- files ---- */

/* `policy` is for pages only. */
static void send_file(Req *req, Str data, Str tag, Str policy, HttpHeader *headers, size_t count)
{
    headers[count++] = (HttpHeader){ STR("etag"), tag };
    count = page_headers_add(headers, count, policy);
    bool known = has_tag(req->http, tag);
    req->status = known ? 304 : 200;
    if (!known)
        req->reply = (Buf){ .arena = req->arena, .p = (char *)(uintptr_t)data.p, .n = data.n };
    reply_send_with(req, headers, count);
}

static bool is_page(Str path)
{
    return path.n > 5 && memcmp(path.p + path.n - 5, ".html", 5) == 0;
}

static void send_embedded(Req *req, const StaticFile *file)
{
    HttpHeader headers[HEADERS_MAX];
    size_t count = 0;
    Str path = str_from(file->path);
    bool packed = file->gzipped && wants_gzip(req->http);
    Str root = file->place_count ? request_root_path(req) : STR("");
    /* Names below assets/ contain a hash of the content; other files may change on upgrade, and those that contain the
     * root path change with it. */
    bool hashed = str_starts(path, "assets/") && !root.n;
    headers[count++] = (HttpHeader){ STR("content-type"), str_from(static_content_type(path)) };
    Str caching = hashed ? STR("public, max-age=31536000, immutable") : STR("no-cache");
    headers[count++] = (HttpHeader){ STR("cache-control"), caching };
    if (file->gzipped)
        headers[count++] = (HttpHeader){ STR("vary"), STR("Accept-Encoding") };
    if (packed)
        headers[count++] = (HttpHeader){ STR("content-encoding"), STR("gzip") };
    Str tag = arena_printf(req->arena, "\"%s%.*s%s\"", file->tag, STR_ARG(root), packed ? "-gzip" : "");
    bool known = has_tag(req->http, tag);
    Str data = { file->data, file->size };
    if (!known && root.n)
        data = static_file_rooted(req->arena, file, root, packed);
    else if (!known && !packed)
        data = static_file_inflate(req->arena, file);
    Str policy = is_page(path) ? page_policy_of_dashboard(req->arena, api_address(req)) : STR_NULL;
    send_file(req, data, tag, policy, headers, count);
}

/* Any path that names no file is one of the application's own: it gets the page, which looks at the address itself. */
static bool serve_embedded(Req *req, Str path)
{
    const StaticFile *file = static_file_find(path);
    if (!file)
        file = static_file_find(STR("index.html"));
    if (!file)
        return req_fail(req, ERR_NOT_FOUND, "Not Found");
    send_embedded(req, file);
    return true;
}

/* On the offload thread, since reading may wait for the disk. */
static bool serve_folder(Req *req, const char *folder, Str path)
{
    Str data, tag;
    bool found;
    if (!static_file_read(req->arena, folder, path, &data, &tag, &found, &req->error))
        return false;
    if (!found) {
        path = STR("index.html");
        if (!static_file_read(req->arena, folder, path, &data, &tag, &found, &req->error))
            return false;
    }
    if (!found)
        return req_fail(req, ERR_NOT_FOUND, "Not Found");
    HttpHeader headers[HEADERS_MAX] = {
        { STR("content-type"), str_from(static_content_type(path)) },
        { STR("cache-control"), STR("no-cache") },
    };
    Str policy = is_page(path) ? page_policy_of_folder() : STR_NULL;
    send_file(req, data, arena_printf(req->arena, "\"%.*s\"", STR_ARG(tag)), policy, headers, 2);
    return true;
}

static bool serve_file(Req *req)
{
    Str path;
    if (!static_path_normalise(req->arena, req->http->path, &path))
        path = STR("index.html");
    const char *folder = req->app->ui_dir;
    return folder ? serve_folder(req, folder, path) : serve_embedded(req, path);
}

/* ---- /ui-settings ---- */

static void send_settings(Req *req)
{
    static const struct { const char *setting, *flag; } experiments[] = {
        { "PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS", "work_pools" },
        { "PREFECT_EXPERIMENTAL_ENABLE_WORKERS", "workers" },
    };
    JsonWriter *w = reply_json(req);
    json_object(w);
    json_key(w, "api_url");
    json_str(w, api_address(req));
    json_key(w, "flags");
    json_array(w);
    for (size_t i = 0; i < COUNT_OF(experiments); i++)
        if (settings_bool(req->app->settings, experiments[i].setting))
            json_text(w, experiments[i].flag);
    json_array_end(w);
    json_object_end(w);
    req->status = 200;
    HttpHeader headers[HEADERS_MAX] = {
        { STR("content-type"), STR("application/json") },
        { STR("cache-control"), STR("no-store") },
    };
    reply_send_with(req, headers, page_headers_add(headers, 2, STR_NULL));
}

/* ---- dispatch ---- */

static void send_not_allowed(Req *req, bool only_get)
{
    HttpHeader headers[HEADERS_MAX] = {
        { STR("content-type"), STR("application/json") },
        { STR("allow"), STR("GET") },
    };
    req->status = 405;
    buf_init(&req->reply, req->arena, 64);
    buf_text(&req->reply, "{\"detail\":\"Method Not Allowed\"}");
    reply_send_with(req, headers, only_get ? 2 : 1);
}

bool ui_is_file(Str path)
{
    return !str_is(path, "/ui-settings");
}

/* The dashboard answers GET and HEAD on every path. Without it, only /ui-settings exists. */
void ui_handle(Req *req)
{
    HttpMethod method = req->http->method;
    bool has_files = req->app->ui_dir || ui_is_embedded();
    bool served = has_files && settings_bool(req->app->settings, "PREFECT_ORION_UI_ENABLED");
    bool settings = !ui_is_file(req->http->path);
    if (settings && method == HTTP_GET)
        send_settings(req);
    else if (served && (method == HTTP_GET || method == HTTP_HEAD)) {
        if (!serve_file(req))
            reply_send(req);
    } else if (served || settings)
        send_not_allowed(req, !served);
    else {
        (void)req_fail(req, ERR_NOT_FOUND, "Not Found");
        reply_send(req);
    }
}
