/* http/request.c -- what a handler asks of a request, and the decoding of what clients escape in targets. */
#include "base/random.h"
#include "base/text.h"
#include "http/parse.h"

/* The second byte of a character, where its first one narrows it: no overlong forms, no surrogates, nothing past
 * U+10FFFF. */
static bool second_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xE0: return second >= 0xA0;
    case 0xED: return second <= 0x9F;
    case 0xF0: return second >= 0x90;
    case 0xF4: return second <= 0x8F;
    default: return true;
    }
}

/* The length of the character at p, or, if it is ill-formed, of the part that one U+FFFD replaces. */
static size_t character_length(const unsigned char *p, size_t n, bool *ret_valid)
{
    unsigned char c = p[0];
    size_t need = c < 0x80 ? 1 : c >= 0xC2 && c <= 0xDF ? 2 : (c & 0xF0) == 0xE0 ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
    size_t i = 1;
    while (i < need && i < n && (p[i] & 0xC0) == 0x80 && (i > 1 || second_fits(c, p[1])))
        i++;
    *ret_valid = i == need;
    return i;
}

static Str replace_ill_formed(Arena *arena, Str text)
{
    char *out = arena_alloc(arena, 3 * text.n + 1);
    size_t n = 0, length;
    for (size_t i = 0; i < text.n; i += length) {
        bool valid;
        length = character_length((const unsigned char *)text.p + i, text.n - i, &valid);
        memcpy(out + n, valid ? text.p + i : "\xEF\xBF\xBD", valid ? length : 3);
        n += valid ? length : 3;
    }
    return (Str){ out, n };
}

Str http_percent_decode(Arena *arena, Str text, bool plus_is_space)
{
    char *out = arena_alloc(arena, text.n + 1);
    size_t n = 0;
    bool ascii = true;
    for (size_t i = 0; i < text.n; i++, n++) {
        bool escape = text.p[i] == '%' && i + 2 < text.n && char_hex_value(text.p[i + 1]) >= 0 &&
                      char_hex_value(text.p[i + 2]) >= 0;
        out[n] = plus_is_space && text.p[i] == '+' ? ' ' : text.p[i];
        if (!escape)
            continue;
        out[n] = (char)(char_hex_value(text.p[i + 1]) * 16 + char_hex_value(text.p[i + 2]));
        ascii = ascii && (unsigned char)out[n] < 0x80;
        i += 2;
    }
    Str decoded = { out, n };
    return ascii ? decoded : replace_ill_formed(arena, decoded);
}

Str http_header(const HttpRequest *request, const char *lower_case_name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (str_is(request->headers[i].name, lower_case_name))
            return request->headers[i].value;
    return STR_NULL;
}

static bool is_id(Str text)
{
    enum { ID_MAX = 128 };
    for (size_t i = 0; i < text.n; i++)
        if (!char_is_letter(text.p[i]) && !char_is_digit(text.p[i]) && !char_in(text.p[i], "-._~:/+=@"))
            return false;
    return text.n > 0 && text.n <= ID_MAX;
}

Str http_request_id(const HttpRequest *request)
{
    static const char digits[] = "0123456789abcdef";
    enum { DIGITS = 16 };
    Str sent = http_header(request, "x-request-id");
    if (is_id(sent))
        return sent;
    char *made = arena_alloc(request->arena, DIGITS);
    uint64_t bits = random_64();
    for (size_t i = 0; i < DIGITS; i++, bits >>= 4)
        made[i] = digits[bits & 15];
    return (Str){ made, DIGITS };
}

bool http_query_value(const HttpRequest *request, const char *name, Str *ret_value)
{
    Str rest = request->query, found = STR_NULL;
    while (rest.n) {
        const char *end = memchr(rest.p, '&', rest.n);
        Str pair = { rest.p, end ? (size_t)(end - rest.p) : rest.n };
        rest = end ? (Str){ end + 1, rest.n - pair.n - 1 } : STR_NULL;
        const char *equals = pair.n ? memchr(pair.p, '=', pair.n) : NULL;
        Str key = { pair.p, equals ? (size_t)(equals - pair.p) : pair.n };
        /* the last one counts, as in FastAPI */
        if (pair.n && str_is(http_percent_decode(request->arena, key, true), name))
            found = equals ? (Str){ equals + 1, pair.n - key.n - 1 } : STR("");
    }
    if (!found.p)
        return false;
    *ret_value = http_percent_decode(request->arena, found, true);
    return true;
}
