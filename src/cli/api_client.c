/* cli/api_client.c -- one GET over libcurl. */
#include "cli/api_client.h"

#include <strings.h>

#include "base/buf.h"
#include "notify/curl.h"

enum { ANSWER_MAX = 16 << 20 };

static bool has_control(Str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7F)
            return true;
    return false;
}

static size_t take_answer(char *bytes, size_t size, size_t count, void *arg)
{
    Buf *body = arg;
    if (body->n + size * count > ANSWER_MAX)
        return 0;
    buf_add(body, bytes, size * count);
    return size * count;
}

/* Called several times a second while a request is under way: true ends it. */
static int look_up(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const ApiTarget *target = arg;
    (void)a, (void)b, (void)c, (void)d;
    return target->is_unwanted && target->is_unwanted(target->arg);
}

/* A proxy for all of the network cannot reach this machine's own addresses. */
static bool is_loopback(Str url)
{
    static const char *const beginnings[] = { "http://127.", "http://localhost", "http://[::1]" };
    for (size_t i = 0; i < COUNT_OF(beginnings); i++)
        if (url.n >= strlen(beginnings[i]) && strncasecmp(url.p, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

static Str url_of(Arena *arena, Str api, const char *path)
{
    bool above = strncmp(path, "/../", 4) == 0;
    while (api.n && api.p[api.n - 1] == '/')
        api.n--;
    if (above && api.n > 4 && memcmp(api.p + api.n - 4, "/api", 4) == 0)
        api.n -= 4;
    return arena_printf(arena, "%.*s%s", STR_ARG(api), above ? path + 3 : path);
}

static void prepare(const Curl *curl, CURL *easy, const ApiTarget *target, Arena *arena)
{
    const char *certificates = getenv("SSL_CERT_FILE");
    long verify = target->any_certificate ? 0 : 1;
    curl->set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl->set(easy, CURLOPT_NOSIGNAL, 1L);
    curl->set(easy, CURLOPT_USERAGENT, "orion/" ORION_VERSION);
    curl->set(easy, CURLOPT_TIMEOUT_MS, (long)(target->seconds * 1e3));
    curl->set(easy, CURLOPT_NOPROGRESS, 0L);
    curl->set(easy, CURLOPT_XFERINFOFUNCTION, look_up);
    curl->set(easy, CURLOPT_XFERINFODATA, target);
    curl->set(easy, CURLOPT_WRITEFUNCTION, take_answer);
    curl->set(easy, CURLOPT_SSL_VERIFYPEER, verify);
    curl->set(easy, CURLOPT_SSL_VERIFYHOST, 2 * verify);
    if (certificates && *certificates)
        curl->set(easy, CURLOPT_CAINFO, certificates);
    if (is_loopback(target->url))
        curl->set(easy, CURLOPT_PROXY, "");
    if (target->user.p && !target->key.p)
        curl->set(easy, CURLOPT_USERPWD, arena_cstr(arena, target->user));
}

static bool perform(const Curl *curl, CURL *easy, const ApiTarget *target, Buf *body, long *ret_status, Error *error)
{
    char problem[CURL_ERROR_SIZE] = "";
    curl->set(easy, CURLOPT_ERRORBUFFER, problem);
    curl->set(easy, CURLOPT_WRITEDATA, body);
    CURLcode code = curl->perform(easy);
    curl->set(easy, CURLOPT_ERRORBUFFER, NULL);
    if (code == CURLE_WRITE_ERROR)
        return fail(error, ERR_INTERNAL, "%.*s: The answer is longer than %d MB.", STR_ARG(target->shown),
                    ANSWER_MAX >> 20);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return fail(error, ERR_BUSY, "%.*s has not answered for %g seconds.", STR_ARG(target->shown), target->seconds);
    if (code != CURLE_OK)
        return fail(error, ERR_BUSY, "%.*s cannot be reached: %s (libcurl's error %d).", STR_ARG(target->shown),
                    problem[0] ? problem : "no answer", (int)code);
    curl->info(easy, CURLINFO_RESPONSE_CODE, ret_status);
    return true;
}

bool api_get(const ApiTarget *target, Arena *arena, const char *path, ApiAnswer *ret, Error *error)
{
    Curl curl;
    struct curl_slist *headers = NULL;
    Buf body;
    if (has_control(target->key))
        return fail(error, ERR_INVALID, "PREFECT_API_KEY has characters that no key has.");
    if (!curl_load(&curl, "no server can be asked", error))
        return false;
    CURL *easy = curl.init();
    if (!easy)
        return fail(error, ERR_INTERNAL, "libcurl cannot be initialized");
    buf_init(&body, arena, 4096);
    prepare(&curl, easy, target, arena);
    curl.set(easy, CURLOPT_URL, url_of(arena, target->url, path).p);
    if (target->key.p)
        headers = curl.append(headers, arena_printf(arena, "Authorization: Bearer %.*s", STR_ARG(target->key)).p);
    curl.set(easy, CURLOPT_HTTPHEADER, headers);
    bool ok = perform(&curl, easy, target, &body, &ret->status, error);
    ret->body = buf_view(&body);
    curl.free_list(headers);
    curl.cleanup(easy);
    return ok;
}
