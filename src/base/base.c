/* base/base.c -- slices and the record of the first error. */
#include "base/base.h"

#include <stdarg.h>
#include <strings.h>

Str str_from(const char *c_string)
{
    return c_string ? (Str){ c_string, strlen(c_string) } : STR_NULL;
}

bool str_eq(Str a, Str b)
{
    if (!a.p || !b.p)
        return !a.p && !b.p;
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_is(Str a, const char *c_string)
{
    return str_eq(a, str_from(c_string));
}

bool str_starts(Str s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.p && s.n >= n && memcmp(s.p, prefix, n) == 0;
}

Str str_trim(Str s)
{
    static const char blanks[] = " \t\n\v\f\r";
    while (s.n && char_in(s.p[0], blanks))
        s = (Str){ s.p + 1, s.n - 1 };
    while (s.n && char_in(s.p[s.n - 1], blanks))
        s.n--;
    return s;
}

Str str_next_item(Str *rest, char separator)
{
    const char *end = rest->n ? memchr(rest->p, separator, rest->n) : NULL;
    Str item = { rest->p, end ? (size_t)(end - rest->p) : rest->n };
    *rest = end ? (Str){ end + 1, rest->n - item.n - 1 } : (Str){ rest->p + rest->n, 0 };
    return str_trim(item);
}

bool str_same_word(Str a, Str b)
{
    return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

bool char_in(char c, const char *set)
{
    return c && strchr(set, c);
}

/* Truncation must not split a character: drops the bytes of an incomplete one. */
static void cut_at_character(char *text, size_t n)
{
    size_t start = n;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (n - (start - 1) < need)
        text[start - 1] = '\0';
}

bool fail(Error *error, ErrorCode code, const char *format, ...)
{
    if (error->code != ERR_NONE)
        return false;
    error->code = code;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    if (n < 0)
        error->message[0] = '\0';
    else if ((size_t)n >= sizeof error->message)
        cut_at_character(error->message, sizeof error->message - 1);
    return false;
}
