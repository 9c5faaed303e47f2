/* base/unicode.c -- UTF-8, and what Python knows of characters: spaces, and the digits of all scripts. */
#include "base/unicode.h"

#include "base/buf.h"

/* ---- UTF-8 ---- */

/* The length of the character at p; 0 if the bytes are not a character: overlong forms and surrogates do not count. */
static size_t character_length(const unsigned char *p, const unsigned char *end)
{
    unsigned char lead = p[0];
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    size_t n = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if ((size_t)(end - p) < n)
        return 0;
    unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return n;
}

const char *utf8_find_invalid(Str text)
{
    if (text.n == 0)
        return NULL;
    const unsigned char *p = (const unsigned char *)text.p, *end = p + text.n;
    while (p < end) {
        uint64_t word;
        /* Eight bytes of ASCII at a time. */
        if (end - p >= 8 && (memcpy(&word, p, 8), (word & 0x8080808080808080u) == 0)) {
            p += 8;
            continue;
        }
        size_t n = character_length(p, end);
        if (n == 0)
            return (const char *)p;
        p += n;
    }
    return NULL;
}

bool utf8_is_valid(Str text)
{
    return !utf8_find_invalid(text);
}

Str utf8_repaired(Arena *arena, Str text)
{
    const char *invalid = utf8_find_invalid(text);
    if (!invalid)
        return text;
    Buf out;
    buf_init(&out, arena, text.n + 16);
    for (; invalid; invalid = utf8_find_invalid(text)) {
        size_t n = (size_t)(invalid - text.p);
        buf_add(&out, text.p, n);
        buf_text(&out, "\xEF\xBF\xBD");
        text = (Str){ invalid + 1, text.n - n - 1 };
    }
    buf_str(&out, text);
    return buf_view(&out);
}

void utf8_blank_invalid(char *text, size_t n)
{
    for (const char *bad; (bad = utf8_find_invalid((Str){ text, n }));) {
        size_t before = (size_t)(bad - text);
        text[before] = '?';
        text += before + 1;
        n -= before + 1;
    }
}

size_t utf8_count(Str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.n; i++)
        count += ((unsigned char)text.p[i] & 0xC0) != 0x80;
    return count;
}

/* ---- characters ---- */

static bool is_strange(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) /* the controls of ASCII, and those in one character */
           || (c >= 0x2028 && c <= 0x202E)      /* ends of lines and paragraphs, directions */
           || (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F;
}

void utf8_blank_strange(char *text, size_t n)
{
    size_t size;
    utf8_blank_invalid(text, n);
    for (size_t at = 0; at < n; at += size) {
        size = 1;
        if (text[at] >= ' ' && text[at] < 0x7F) /* most are */
            continue;
        if (is_strange(unicode_at((Str){ text, n }, at, &size)))
            memset(text + at, ' ', size);
    }
}

/* The zeros of Unicode 14 (Python 3.11) other than ASCII's, in ascending order; each is followed by the other nine
 * digits of its script. */
static const uint32_t zeros[] = {
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0, 0xF20,
    0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0,
    0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0,
    0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60, 0x16AC0, 0x16B50,
    0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0,
};

uint32_t unicode_at(Str s, size_t at, size_t *ret_size)
{
    unsigned char c = (unsigned char)s.p[at];
    *ret_size = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    uint32_t code = c < 0x80 ? c : c & (0x7fu >> *ret_size);
    for (size_t i = 1; i < *ret_size && at + i < s.n; i++)
        code = code << 6 | ((unsigned char)s.p[at + i] & 0x3fu);
    return code;
}

bool unicode_is_space(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
        (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* The ASCII digit of the same value; 0 if c is not a digit, or already ASCII. */
static char ascii_digit(uint32_t c)
{
    for (size_t i = 0; i < COUNT_OF(zeros) && zeros[i] <= c; i++)
        if (c - zeros[i] < 10)
            return (char)('0' + (c - zeros[i]));
    return 0;
}

Str unicode_to_ascii(Arena *arena, Str s, bool spaces)
{
    Buf out;
    size_t size;
    buf_init(&out, arena, s.n + 1);
    for (size_t at = 0; at < s.n; at += size) {
        uint32_t c = unicode_at(s, at, &size);
        char digit = ascii_digit(c);
        if (digit)
            buf_char(&out, digit);
        else if (spaces && c >= 0x80 && unicode_is_space(c))
            buf_char(&out, ' ');
        else
            buf_add(&out, s.p + at, size);
    }
    return str_from(buf_cstr(&out));
}
