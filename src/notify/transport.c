/* notify/transport.c -- requests over libcurl, which is loaded when the first notification goes out. */
#include "notify/transport.h"

#include "notify/curl.h"

/* As long as the reference's library waits. */
static const long CONNECT_MILLISECONDS = 4000, REQUEST_MILLISECONDS = 10000;
enum { ANSWER_MAX = 64 << 10 };

struct Transport {
    Curl curl;
    CURL *easy;
    const atomic_bool *stopping;
    int64_t deadline;      /* by the monotonic clock */
    char problem[CURL_ERROR_SIZE];
    size_t answer_size;
    char answer[8];        /* its beginning */
};

Transport *transport_new(const atomic_bool *stopping, Error *error)
{
    Transport *transport = xcalloc(1, sizeof *transport);
    transport->stopping = stopping;
    transport->deadline = clock_monotonic() + NOTIFY_SECONDS_MAX * SECOND;
    if (curl_load(&transport->curl, "notifications cannot be sent", error))
        transport->easy = transport->curl.init();
    if (transport->easy)
        return transport;
    (void)fail(error, ERR_INTERNAL, "libcurl cannot be initialized");
    free(transport);
    return NULL;
}

void transport_free(Transport *transport)
{
    if (!transport)
        return;
    transport->curl.cleanup(transport->easy);
    free(transport);
}

static size_t take_answer(char *bytes, size_t size, size_t count, void *arg)
{
    Transport *transport = arg;
    size_t n = size * count, room = sizeof transport->answer;
    if (transport->answer_size < room) {
        room -= transport->answer_size;
        memcpy(transport->answer + transport->answer_size, bytes, n < room ? n : room);
    }
    transport->answer_size += n;
    return transport->answer_size > ANSWER_MAX ? 0 : n;
}

/* Called several times a second while a request is under way: true ends it. */
static int look_up(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const Transport *transport = arg;
    (void)a, (void)b, (void)c, (void)d;
    return *transport->stopping || clock_monotonic() > transport->deadline;
}

/* The file of trusted certificates, as the reference's library finds it; NULL: the system's. */
static const char *certificates(void)
{
    const char *file = getenv("REQUESTS_CA_BUNDLE");
    return file && *file ? file : getenv("CURL_CA_BUNDLE");
}

static void add_header(Arena *arena, const Curl *curl, struct curl_slist **headers, const char *name, Str value)
{
    if (value.p)
        *headers = curl->append(*headers, arena_printf(arena, "%s: %.*s", name, STR_ARG(value)).p);
}

static bool has_control(Str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 32)
            return true;
    return false;
}

static void prepare(Transport *transport, Arena *arena, const NotifyRequest *request, struct curl_slist *headers)
{
    const Curl *curl = &transport->curl;
    CURL *easy = transport->easy;
    curl->reset(easy);
    curl->set(easy, CURLOPT_URL, arena_cstr(arena, request->url));
    curl->set(easy, CURLOPT_PROTOCOLS_STR, "https");
    curl->set(easy, CURLOPT_NOSIGNAL, 1L);
    curl->set(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl->set(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MILLISECONDS);
    curl->set(easy, CURLOPT_TIMEOUT_MS, REQUEST_MILLISECONDS);
    curl->set(easy, CURLOPT_NOPROGRESS, 0L);
    curl->set(easy, CURLOPT_XFERINFOFUNCTION, look_up);
    curl->set(easy, CURLOPT_XFERINFODATA, transport);
    curl->set(easy, CURLOPT_WRITEFUNCTION, take_answer);
    curl->set(easy, CURLOPT_WRITEDATA, transport);
    curl->set(easy, CURLOPT_ERRORBUFFER, transport->problem);
    curl->set(easy, CURLOPT_HTTPHEADER, headers);
    curl->set(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
    curl->set(easy, CURLOPT_POSTFIELDS, request->body.p);
    if (certificates())
        curl->set(easy, CURLOPT_CAINFO, certificates());
    if (request->user.p) {
        curl->set(easy, CURLOPT_USERNAME, arena_cstr(arena, request->user));
        curl->set(easy, CURLOPT_PASSWORD, arena_cstr(arena, request->password));
    }
}

/* What went wrong, in libcurl's own words, which name hosts at most. */
static bool fail_post(const Transport *transport, CURLcode code, Error *error)
{
    if (*transport->stopping)
        return fail(error, ERR_INTERNAL, "the server is stopping");
    if (transport->answer_size > ANSWER_MAX)
        return fail(error, ERR_INTERNAL, "the answer is too long");
    return fail(error, ERR_INTERNAL, "no answer (libcurl says %d: %s)", (int)code,
                transport->problem[0] ? transport->problem : "no more");
}

bool transport_post(Transport *transport, const NotifyRequest *request, NotifyAnswer *ret, Error *error)
{
    if (has_control(request->authorization))
        return fail(error, ERR_INVALID, "the block's key has characters that are not allowed in a header");
    Arena *arena = arena_new();
    const Curl *curl = &transport->curl;
    struct curl_slist *headers = NULL;
    add_header(arena, curl, &headers, "User-Agent", STR("Prefect Notifications"));
    add_header(arena, curl, &headers, "Accept", request->accept);
    add_header(arena, curl, &headers, "Content-Type", request->content_type);
    add_header(arena, curl, &headers, "Authorization", request->authorization);
    add_header(arena, curl, &headers, "Expect", STR("")); /* none: the body follows at once */
    prepare(transport, arena, request, headers);
    transport->answer_size = 0;
    transport->problem[0] = '\0';
    CURLcode code = curl->perform(transport->easy);
    bool ok = code == CURLE_OK || fail_post(transport, code, error);
    if (ok) {
        curl->info(transport->easy, CURLINFO_RESPONSE_CODE, &ret->status);
        ret->said_ok = transport->answer_size == 2 && memcmp(transport->answer, "ok", 2) == 0;
    }
    curl->free_list(headers);
    arena_free(arena);
    return ok;
}
