/* tests/fuzz/fuzz_http.c -- feeds bytes to the request parser as a connection would, whole and in pieces:
 * both must read the same. Then what proxies say in the headers is read. */
#include "fuzz.h"

#include "api/forwarded.h"
#include "config/setting_proxies.h"
#include "http/parse.h"

enum { HEAD_MAX = 4096, BODY_MAX = 1 << 16 };

typedef struct Outcome {
    int status;       /* of the refusal; 0: a whole request; -1: more bytes needed */
    size_t used;      /* bytes of the request, where it is whole */
    size_t headers, body;
} Outcome;

static void check_slices(HttpRequest *request)
{
    size_t sum = request->path.n + request->query.n;
    for (size_t i = 0; i < request->header_count; i++)
        for (size_t at = 0; at < request->headers[i].value.n; at++)
            sum += (unsigned char)request->headers[i].value.p[at];
    Str value;
    if (http_query_value(request, "a", &value))
        sum += value.n;
    if (request->path.n == 0 || sum == SIZE_MAX)
        abort();
}

/* What proxies say of it, all of them being trusted; a root path may stand in a page. */
static void check_forwarded(HttpRequest *request)
{
    static const Network all[] = { { .bits = 0 } };
    const Proxies proxies = { .trusted = all, .count = 1 };
    Forwarded said = forwarded_read(request, &proxies);
    const Str slices[] = { said.host, said.proto, said.port, said.prefix };
    size_t sum = address_text(request->arena, &said.client).n;
    for (size_t i = 0; i < COUNT_OF(slices); i++)
        for (size_t at = 0; at < slices[i].n; at++)
            sum += (unsigned char)slices[i].p[at];
    Str path;
    bool usable = said.prefix.p && root_path_parse(said.prefix, &path);
    for (size_t i = 0; usable && i < path.n; i++)
        if (char_in(path.p[i], "\"'<>&\\` ") || (unsigned char)path.p[i] > '~')
            abort();
    if (sum == SIZE_MAX)
        abort();
}

/* Gives `step` more bytes at a time to the search for the head. */
static size_t find_head(Str bytes, size_t step, HttpFailure *failure)
{
    size_t scanned = 0, length = 0;
    for (size_t n = step < bytes.n ? step : bytes.n;; n = n + step < bytes.n ? n + step : bytes.n) {
        if (!http_head_find((Str){ bytes.p, n }, &scanned, &length, failure) || length || n == bytes.n)
            return length;
    }
}

static void read_body(Str bytes, size_t step, const HttpFraming *framing, HttpFailure *failure, Outcome *outcome)
{
    size_t budget = 4 * BODY_MAX;
    HttpBody body;
    if (!http_body_begin(&body, framing, BODY_MAX, &budget, failure))
        return;
    size_t at = 0;
    while (at < bytes.n && body.state != BODY_DONE) {
        size_t n = bytes.n - at < step ? bytes.n - at : step, consumed;
        if (!http_body_feed(&body, (Str){ bytes.p + at, n }, &consumed, failure))
            break;
        at += consumed;
    }
    if (body.n > BODY_MAX || body.n > body.capacity)
        abort();
    outcome->body = body.n;
    outcome->used += at;
    outcome->status = body.state == BODY_DONE ? 0 : -1;
    http_body_end(&body);
    if (budget != 4 * BODY_MAX)
        abort();
}

static Outcome read_request(Str bytes, size_t step)
{
    Outcome outcome = { .status = -1 };
    HttpFailure failure = { 0, NULL };
    Arena *arena = arena_new();
    size_t head = find_head(bytes, step, &failure);
    if (head && head <= HEAD_MAX) {
        HttpRequest request = { .arena = arena };
        HttpFraming framing;
        outcome.used = head;
        if (http_head_parse(arena, (Str){ bytes.p, head }, &request, &framing, &failure)) {
            check_slices(&request);
            check_forwarded(&request);
            outcome.headers = request.header_count;
            read_body((Str){ bytes.p + head, bytes.n - head }, step, &framing, &failure, &outcome);
        }
    }
    if (failure.status)
        outcome = (Outcome){ .status = failure.status };
    arena_free(arena);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Str bytes = { (const char *)data, size };
    if (size == 0)
        return 0;
    Outcome whole = read_request(bytes, size), pieces = read_request(bytes, 1);
    if (whole.status != pieces.status || whole.headers != pieces.headers || whole.body != pieces.body ||
        whole.used != pieces.used)
        abort();
    return 0;
}
