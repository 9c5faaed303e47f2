/* base/uuid.c -- new UUIDs, and those that clients send. */
#include "base/uuid.h"

#include <time.h>

#include "base/random.h"
#include "base/text.h"

enum { UUID_BYTES = 16, UUID_DIGITS = 32 };

static Str uuid_text(Arena *arena, const unsigned char bytes[UUID_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    char *text = arena_alloc(arena, UUID_TEXT + 1);
    char *p = text;
    for (int i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = hex[bytes[i] >> 4];
        *p++ = hex[bytes[i] & 15];
    }
    *p = '\0';
    return (Str){ text, UUID_TEXT };
}

/* The 12 bits after the milliseconds hold the fraction of the millisecond (RFC 9562, 6.2, method 3): so ids that are
 * made one after another sort that way, without a counter shared by threads. */
Str uuid_new(Arena *arena)
{
    unsigned char b[UUID_BYTES];
    struct timespec now;
    uint64_t random = random_64();
    memcpy(b + 8, &random, 8);
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    unsigned fraction = (unsigned)((uint64_t)now.tv_nsec % 1000000 * 4096 / 1000000);
    for (int i = 0; i < 6; i++)
        b[i] = (unsigned char)(ms >> (40 - 8 * i));
    b[6] = (unsigned char)(0x70 | fraction >> 8);
    b[7] = (unsigned char)fraction;
    b[8] = (unsigned char)(0x80 | (b[8] & 0x3F));
    return uuid_text(arena, b);
}

/* str.replace(word, ""): one pass, in place; returns the new length. */
static size_t remove_word(char *text, size_t n, const char *word)
{
    size_t length = strlen(word), kept = 0;
    for (size_t i = 0; i < n;) {
        if (n - i >= length && memcmp(text + i, word, length) == 0)
            i += length;
        else
            text[kept++] = text[i++];
    }
    return kept;
}

/* int(text, 16): surrounding space, a plus sign, "0x", and single underscores between digits are all accepted. */
static bool parse_python_hex(Str s, unsigned char ret[UUID_BYTES])
{
    unsigned char digits[UUID_DIGITS];
    size_t i = 0, end = s.n, n = 0;
    while (i < end && char_is_space(s.p[i]))
        i++;
    while (end > i && char_is_space(s.p[end - 1]))
        end--;
    if (i < end && s.p[i] == '+')
        i++;
    bool prefixed = end - i >= 2 && s.p[i] == '0' && (s.p[i + 1] | 0x20) == 'x';
    if (prefixed)
        i += 2;
    /* An underscore must come after a digit or the prefix, and before a digit. */
    bool underscore_may_follow = prefixed;
    for (; i < end; i++) {
        int value = char_hex_value(s.p[i]);
        if (value < 0 && !(s.p[i] == '_' && underscore_may_follow))
            return false;
        underscore_may_follow = value >= 0;
        if (value >= 0)
            digits[n++] = (unsigned char)value;
    }
    if (n == 0 || !underscore_may_follow)
        return false;
    memset(ret, 0, UUID_BYTES);
    for (size_t k = 0; k < n; k++) {
        size_t nibble = UUID_DIGITS - n + k;
        ret[nibble / 2] = (unsigned char)(ret[nibble / 2] << 4 | digits[k]);
    }
    return true;
}

/* The form in which nearly all arrive, which stays as it is: lower case, with hyphens. */
static bool is_canonical(Str text)
{
    if (text.n != UUID_TEXT)
        return false;
    for (size_t i = 0; i < UUID_TEXT; i++) {
        char c = text.p[i];
        bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_hyphen ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

bool uuid_parse(Arena *arena, Str text, Str *ret)
{
    if (!text.p)
        return false;
    if (is_canonical(text)) {
        *ret = (Str){ arena_cstr(arena, text), UUID_TEXT };
        return true;
    }
    ArenaMark mark = arena_mark(arena);
    char *copy = arena_cstr(arena, text);
    /* The steps of uuid.UUID(text), in its order. */
    size_t n = remove_word(copy, text.n, "urn:");
    n = remove_word(copy, n, "uuid:");
    char *start = copy;
    while (n > 0 && (*start == '{' || *start == '}'))
        start++, n--;
    while (n > 0 && (start[n - 1] == '{' || start[n - 1] == '}'))
        n--;
    n = remove_word(start, n, "-");
    unsigned char bytes[UUID_BYTES];
    bool ok = n == UUID_DIGITS && parse_python_hex((Str){ start, n }, bytes);
    arena_release(arena, mark);
    if (ok)
        *ret = uuid_text(arena, bytes);
    return ok;
}
