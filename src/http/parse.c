/* http/parse.c -- the request head and the body's framing. A request of which two readers could disagree where it
 * ends (bare line feeds, folded lines, two lengths) is refused. */
#include "http/parse.h"

#include "base/text.h"

enum {
    HEADERS_MAX = 128,
    FRAMING_MAX = 4096, /* bytes of one chunk's size line, or of all trailers */
    BODY_FIRST = 512    /* the first allocation for a body of unknown length */
};

static bool refuse(HttpFailure *failure, int status, const char *text)
{
    *failure = (HttpFailure){ status, text };
    return false;
}

static bool is_token_char(char c)
{
    return char_is_letter(c) || char_is_digit(c) || char_in(c, "!#$%&'*+-.^_`|~");
}

static bool is_token(Str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_token_char(s.p[i]))
            return false;
    return s.n > 0;
}

static bool is_field_char(unsigned char c)
{
    return c == '\t' || (c >= ' ' && c != 0x7F);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool is_word(Str s, const char *lower_case)
{
    size_t n = strlen(lower_case);
    for (size_t i = 0; i < n && i < s.n; i++)
        if (lower(s.p[i]) != lower_case[i])
            return false;
    return s.n == n;
}

static Str trim(Str s)
{
    while (s.n && (*s.p == ' ' || *s.p == '\t'))
        s = (Str){ s.p + 1, s.n - 1 };
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* Takes the part before `separator` off *rest; without one, all of it. False: *rest was null, nothing is left. */
static bool take_part(Str *rest, char separator, Str *ret_part)
{
    if (!rest->p)
        return false;
    const char *end = rest->n ? memchr(rest->p, separator, rest->n) : NULL;
    *ret_part = (Str){ rest->p, end ? (size_t)(end - rest->p) : rest->n };
    *rest = end ? (Str){ end + 1, rest->n - ret_part->n - 1 } : STR_NULL;
    return true;
}

bool http_head_find(Str bytes, size_t *scanned, size_t *ret_length, HttpFailure *failure)
{
    const char *p = bytes.p;
    *ret_length = 0;
    for (size_t i = *scanned; i < bytes.n; i++) {
        /* Up to here CR and LF have come only in pairs: two LF with one byte between them are an empty line. */
        bool after_cr = i > 0 && p[i - 1] == '\r';
        if (after_cr != (p[i] == '\n'))
            return refuse(failure, 400, "Lines must end with CR and LF.");
        if (!is_field_char((unsigned char)p[i]) && p[i] != '\r' && p[i] != '\n')
            return refuse(failure, 400, "Control characters are not allowed.");
        if (i >= 3 && p[i] == '\n' && p[i - 2] == '\n') {
            *ret_length = i + 1;
            return true;
        }
    }
    *scanned = bytes.n;
    return true;
}

static const struct { const char *text; HttpMethod method; } methods[] = {
    { "GET", HTTP_GET }, { "HEAD", HTTP_HEAD }, { "POST", HTTP_POST }, { "PUT", HTTP_PUT },
    { "PATCH", HTTP_PATCH }, { "DELETE", HTTP_DELETE }, { "OPTIONS", HTTP_OPTIONS },
};

static HttpMethod method_named(Str text)
{
    for (size_t i = 0; i < COUNT_OF(methods); i++)
        if (str_is(text, methods[i].text))
            return methods[i].method;
    return HTTP_OTHER;
}

static bool parse_version(Str text, HttpFraming *framing, HttpFailure *failure)
{
    bool formed = text.n == 8 && str_starts(text, "HTTP/") && text.p[6] == '.'
        && char_is_digit(text.p[5]) && char_is_digit(text.p[7]);
    if (!formed)
        return refuse(failure, 400, "The request line is malformed.");
    if (text.p[5] != '1')
        return refuse(failure, 505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
    framing->version_10 = text.p[7] == '0';
    return true;
}

/* "http://host:port/path" becomes "/path", and *ret_host the part between. Other forms stay as they are. */
static Str strip_authority(Str target, Str *ret_host)
{
    size_t scheme = is_word((Str){ target.p, target.n < 7 ? target.n : 7 }, "http://") ? 7
        : is_word((Str){ target.p, target.n < 8 ? target.n : 8 }, "https://") ? 8 : 0;
    if (!scheme)
        return target;
    size_t end = scheme;
    while (end < target.n && target.p[end] != '/' && target.p[end] != '?')
        end++;
    *ret_host = (Str){ target.p + scheme, end - scheme };
    return (Str){ target.p + end, target.n - end };
}

static bool parse_target(Arena *arena, Str target, HttpRequest *request, Str *ret_host, HttpFailure *failure)
{
    for (size_t i = 0; i < target.n; i++)
        if (target.p[i] <= ' ' || target.p[i] > '~' || target.p[i] == '#')
            return refuse(failure, 400, "The request target has characters that must be escaped.");
    Str rest = strip_authority(target, ret_host);
    take_part(&rest, '?', &request->raw_path);
    request->query = rest.p ? rest : STR("");
    if (ret_host->p && request->raw_path.n == 0)
        request->raw_path = STR("/");
    bool asterisk = str_is(request->raw_path, "*") && request->method == HTTP_OPTIONS;
    if (!str_starts(request->raw_path, "/") && !asterisk)
        return refuse(failure, 400, "The request target is malformed.");
    request->path = http_percent_decode(arena, request->raw_path, false);
    return true;
}

static bool parse_request_line(Arena *arena, Str line, HttpRequest *request, HttpFraming *framing, Str *ret_host,
                               HttpFailure *failure)
{
    Str target;
    if (!take_part(&line, ' ', &request->method_text) || !take_part(&line, ' ', &target) || !line.p
        || !is_token(request->method_text))
        return refuse(failure, 400, "The request line is malformed.");
    request->method = method_named(request->method_text);
    return parse_version(line, framing, failure) && parse_target(arena, target, request, ret_host, failure);
}

/* `line` is without its CR LF; the name is made lower case in place. */
static bool parse_header(char *line, size_t n, HttpHeader *ret, HttpFailure *failure)
{
    const char *colon = memchr(line, ':', n);
    Str name = { line, colon ? (size_t)(colon - line) : 0 };
    if (!is_token(name)) /* refuses obsolete folded lines, too, which begin with a space */
        return refuse(failure, 400, "A header line is malformed.");
    for (size_t i = 0; i < name.n; i++)
        line[i] = lower(line[i]);
    *ret = (HttpHeader){ name, trim((Str){ colon + 1, n - name.n - 1 }) };
    return true;
}

/* What the headers that frame the message said, and how often those came that may come once. */
typedef struct Seen {
    unsigned hosts, lengths, codings;
    bool close, keep_alive;
    Str host;
} Seen;

static bool see_length(Str value, HttpFraming *framing, HttpFailure *failure)
{
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '9')
            return refuse(failure, 400, "Content-Length is malformed.");
        if (framing->length > (UINT64_MAX - 9) / 10)
            return refuse(failure, 413, "The body is too large.");
        framing->length = framing->length * 10 + (uint64_t)(value.p[i] - '0');
    }
    return value.n > 0 || refuse(failure, 400, "Content-Length is malformed.");
}

static void see_connection(Str value, Seen *seen)
{
    Str option;
    while (take_part(&value, ',', &option)) {
        seen->close |= is_word(trim(option), "close");
        seen->keep_alive |= is_word(trim(option), "keep-alive");
    }
}

static bool see_header(const HttpHeader *header, HttpFraming *framing, Seen *seen, HttpFailure *failure)
{
    Str value = header->value;
    if (str_is(header->name, "connection")) {
        see_connection(value, seen);
    } else if (str_is(header->name, "host")) {
        seen->host = value;
        if (seen->hosts++)
            return refuse(failure, 400, "Host comes twice.");
    } else if (str_is(header->name, "content-length")) {
        if (seen->lengths++)
            return refuse(failure, 400, "Content-Length comes twice.");
        return see_length(value, framing, failure);
    } else if (str_is(header->name, "transfer-encoding")) {
        if (seen->codings++)
            return refuse(failure, 400, "Transfer-Encoding comes twice.");
        framing->chunked = true;
        if (!is_word(value, "chunked"))
            return refuse(failure, 501, "Only the transfer coding chunked is known.");
    } else if (str_is(header->name, "expect")) {
        framing->expect_continue = is_word(value, "100-continue");
        if (!framing->expect_continue && !framing->version_10)
            return refuse(failure, 417, "Only the expectation 100-continue is known.");
    }
    return true;
}

/* Characters of a host and port; what handlers build from Host (a redirect) cannot carry anything else. */
static bool is_host(Str host)
{
    for (size_t i = 0; i < host.n; i++)
        if (!is_token_char(host.p[i]) && !char_in(host.p[i], ":[]();=,"))
            return false;
    return true;
}

static bool check_headers(const HttpRequest *request, HttpFraming *framing, Str target_host, HttpFailure *failure)
{
    Seen seen = { .host = STR_NULL };
    for (size_t i = 0; i < request->header_count; i++)
        if (!see_header(&request->headers[i], framing, &seen, failure))
            return false;
    if (seen.lengths && seen.codings)
        return refuse(failure, 400, "Content-Length and Transfer-Encoding exclude each other.");
    if (seen.codings && framing->version_10)
        return refuse(failure, 400, "HTTP/1.0 has no transfer codings.");
    if (!seen.hosts && !framing->version_10)
        return refuse(failure, 400, "Host is missing.");
    if (!is_host(seen.host) || !is_host(target_host))
        return refuse(failure, 400, "Host is malformed.");
    framing->keep_alive = !seen.close && (seen.keep_alive || !framing->version_10);
    framing->expect_continue = framing->expect_continue && !framing->version_10;
    return true;
}

/* The head's lines after the first one. `bytes` ends with CR LF. */
static bool parse_headers(Arena *arena, char *bytes, size_t n, HttpRequest *request, HttpFailure *failure)
{
    HttpHeader headers[HEADERS_MAX];
    size_t count = 0;
    while (n > 2) {
        const char *end = memchr(bytes, '\r', n);
        size_t line = end ? (size_t)(end - bytes) : n;
        if (count == HEADERS_MAX)
            return refuse(failure, 431, "There are too many headers.");
        if (!parse_header(bytes, line, &headers[count++], failure))
            return false;
        size_t step = line + 2 < n ? line + 2 : n;
        bytes += step;
        n -= step;
    }
    HttpHeader *kept = arena_alloc(arena, count * sizeof *kept);
    if (count)
        memcpy(kept, headers, count * sizeof *kept);
    request->headers = kept;
    request->header_count = count;
    return true;
}

/* An absolute target names the host; the Host header is then ignored. */
static void replace_host(HttpRequest *request, Str host)
{
    HttpHeader *headers = (HttpHeader *)(uintptr_t)request->headers;
    for (size_t i = 0; i < request->header_count; i++)
        if (str_is(headers[i].name, "host"))
            headers[i].value = host;
}

bool http_head_parse(Arena *arena, Str head, HttpRequest *request, HttpFraming *framing, HttpFailure *failure)
{
    *framing = (HttpFraming){ 0 };
    char *bytes = arena_cstr(arena, head);
    char *end = memchr(bytes, '\r', head.n);
    size_t line = end ? (size_t)(end - bytes) : head.n;
    size_t step = line + 2 < head.n ? line + 2 : head.n;
    Str target_host = STR_NULL;
    if (!parse_request_line(arena, (Str){ bytes, line }, request, framing, &target_host, failure)
        || !parse_headers(arena, bytes + step, head.n - step, request, failure)
        || !check_headers(request, framing, target_host, failure))
        return false;
    if (target_host.p)
        replace_host(request, target_host);
    return true;
}

bool http_body_begin(HttpBody *body, const HttpFraming *framing, size_t max, size_t *budget, HttpFailure *failure)
{
    if (framing->length > max)
        return refuse(failure, 413, "The body is too large.");
    *body = (HttpBody){ .max = max, .budget = budget, .remaining = framing->length };
    body->state = framing->chunked ? CHUNK_SIZE : framing->length ? BODY_LENGTH : BODY_DONE;
    return true;
}

void http_body_end(HttpBody *body)
{
    free(body->p);
    if (body->capacity)
        *body->budget += body->capacity;
    body->p = NULL;
    body->n = body->capacity = 0;
}

static bool body_reserve(HttpBody *body, size_t more, HttpFailure *failure)
{
    if (more <= body->capacity - body->n)
        return true;
    size_t capacity = body->capacity ? 2 * body->capacity : BODY_FIRST;
    if (body->state == BODY_LENGTH && capacity > body->n + body->remaining)
        capacity = body->n + (size_t)body->remaining;
    if (capacity < body->n + more)
        capacity = body->n + more;
    if (capacity - body->capacity > *body->budget)
        return refuse(failure, 503, "Too many large bodies at once.");
    *body->budget -= capacity - body->capacity;
    body->p = xrealloc(body->p, capacity);
    body->capacity = capacity;
    return true;
}

/* Takes bytes of content, up to the end of the chunk or the body. */
static bool body_data(HttpBody *body, Str bytes, size_t *consumed, HttpFailure *failure)
{
    size_t n = bytes.n < body->remaining ? bytes.n : (size_t)body->remaining;
    if (!body_reserve(body, n, failure))
        return false;
    memcpy(body->p + body->n, bytes.p, n);
    body->n += n;
    body->remaining -= n;
    *consumed += n;
    if (body->remaining == 0)
        body->state = body->state == BODY_LENGTH ? BODY_DONE : CHUNK_DATA_CR;
    return true;
}

static bool chunk_size_byte(HttpBody *body, char c, HttpFailure *failure)
{
    int digit = char_hex_value(c);
    if (digit >= 0) {
        body->digits = true;
        body->remaining = body->remaining * 16 + (uint64_t)digit;
        if (body->remaining > body->max - body->n) /* each time, so that it cannot overflow */
            return refuse(failure, 413, "The body is too large.");
        return true;
    }
    if (!body->digits || (c != '\r' && c != ';'))
        return refuse(failure, 400, "A chunk is malformed.");
    body->state = c == '\r' ? CHUNK_SIZE_LF : CHUNK_EXTENSION;
    return true;
}

/* A size line is over: the chunk's data follow, or, after the chunk of size 0, the trailers. */
static HttpBodyState after_size(HttpBody *body)
{
    body->line = 0;
    return body->remaining ? CHUNK_DATA : TRAILER_START;
}

static HttpBodyState next_chunk(HttpBody *body)
{
    body->line = 0;
    body->digits = false;
    return CHUNK_SIZE;
}

/* Takes one byte of what lies between pieces of content. */
static bool framing_byte(HttpBody *body, char c, HttpFailure *failure)
{
    bool field = is_field_char((unsigned char)c), known = true;
    HttpBodyState next = body->state;
    switch (body->state) {
    case CHUNK_SIZE: return chunk_size_byte(body, c, failure);
    case CHUNK_EXTENSION: known = field || c == '\r'; next = c == '\r' ? CHUNK_SIZE_LF : next; break;
    case CHUNK_SIZE_LF: known = c == '\n'; next = after_size(body); break;
    case CHUNK_DATA_CR: known = c == '\r'; next = CHUNK_DATA_LF; break;
    case CHUNK_DATA_LF: known = c == '\n'; next = next_chunk(body); break;
    case TRAILER_START: known = c == '\r' || is_token_char(c); next = c == '\r' ? TRAILER_END_LF : TRAILER_NAME; break;
    case TRAILER_NAME: known = c == ':' || is_token_char(c); next = c == ':' ? TRAILER_VALUE : next; break;
    case TRAILER_VALUE: known = field || c == '\r'; next = c == '\r' ? TRAILER_LF : next; break;
    case TRAILER_LF: known = c == '\n'; next = TRAILER_START; break;
    case TRAILER_END_LF: known = c == '\n'; next = BODY_DONE; break;
    case BODY_LENGTH: case CHUNK_DATA: case BODY_DONE: break; /* not reached: no framing there */
    }
    body->state = next;
    return known || refuse(failure, 400, "A chunk is malformed.");
}

bool http_body_feed(HttpBody *body, Str bytes, size_t *ret_consumed, HttpFailure *failure)
{
    size_t consumed = 0;
    bool ok = true;
    while (ok && consumed < bytes.n && body->state != BODY_DONE) {
        if (body->state == BODY_LENGTH || body->state == CHUNK_DATA) {
            ok = body_data(body, (Str){ bytes.p + consumed, bytes.n - consumed }, &consumed, failure);
        } else {
            ok = framing_byte(body, bytes.p[consumed++], failure);
            if (ok && ++body->line > FRAMING_MAX)
                ok = refuse(failure, 431, "Chunk extensions or trailers are too large.");
        }
    }
    *ret_consumed = consumed;
    return ok;
}
