/* api/version.c -- the version of the API that a client asks for, parsed like the reference does. */
#include "api/version.h"

enum { VERSION_MINIMUM = 800 };

/* Python's int(): surrounding spaces, a sign and single underscores are fine. Numbers too
 * large to matter are clamped. */
static bool version_part(Str part, int64_t *ret)
{
    enum { LARGEST = 1000000 };
    int64_t value = 0;
    bool digit = false; /* the last character was one */
    while (part.n && part.p[part.n - 1] == ' ')
        part.n--;
    while (part.n && part.p[0] == ' ')
        part = (Str){ part.p + 1, part.n - 1 };
    bool negative = part.n && part.p[0] == '-';
    size_t i = part.n && (part.p[0] == '-' || part.p[0] == '+') ? 1 : 0;
    for (; i < part.n; i++) {
        if (part.p[i] == '_' && digit) {
            digit = false;
            continue;
        }
        if (part.p[i] < '0' || part.p[i] > '9')
            return false;
        value = value * 10 + (part.p[i] - '0');
        value = value > LARGEST ? LARGEST : value;
        digit = true;
    }
    *ret = negative ? -value : value;
    return digit;
}

static bool version_parse(Str text, int64_t parts[3])
{
    size_t part = 0, start = 0;
    for (size_t i = 0; i <= text.n; i++) {
        if (i < text.n && text.p[i] != '.')
            continue;
        if (part == 3 || !version_part((Str){ text.p + start, i - start }, &parts[part]))
            return false;
        part++;
        start = i + 1;
    }
    return part == 3;
}

/* The reference reads headers as Latin-1. */
static Str latin1_to_utf8(Arena *arena, Str text)
{
    Buf out;
    buf_init(&out, arena, text.n * 2);
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x80)
            buf_char(&out, (char)(0xC0 | c >> 6));
        buf_char(&out, (char)(c < 0x80 ? c : (0x80 | (c & 0x3F))));
    }
    return buf_view(&out);
}

bool version_check(Req *req)
{
    Str text = http_header(req->http, "x-prefect-api-version");
    if (!text.p || text.n == 0)
        return true;
    int64_t v[3];
    if (!version_parse(text, v)) {
        text = latin1_to_utf8(req->arena, text);
        return fail(&req->error, ERR_BAD_REQUEST,
                    "Invalid X-PREFECT-API-VERSION header format.Expected header in format 'x.y.z' but received %.*s",
                    STR_ARG(text));
    }
    bool old = v[0] < 0 || (v[0] == 0 && (v[1] < 8 || (v[1] == 8 && v[2] < 0)));
    if (old)
        return fail(&req->error, ERR_BAD_REQUEST,
                    "The request specified API version %.*s but this server requires version 0.8.0 or higher.",
                    STR_ARG(text));
    int64_t number = v[0] * 10000 + (v[1] < 100 ? v[1] : 99) * 100 + (v[2] < 100 ? v[2] : 99);
    req->api_version = (unsigned)(number < VERSION_MINIMUM ? VERSION_MINIMUM : number);
    return true;
}
