/* base/text.h -- the characters of ASCII, and parts of slices. */
#ifndef ORION_TEXT_H
#define ORION_TEXT_H

#include "base/base.h"

static inline bool char_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool char_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* As isspace() of C: blank, tab, line feed, vertical tab, form feed, carriage return. */
static inline bool char_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* As str.isspace() of Python, within ASCII: four more separators. */
static inline bool char_is_python_space(char c)
{
    return char_is_space(c) || (c >= 0x1c && c <= 0x1f);
}

/* The value of a hexadecimal digit; -1 if it is not one. */
static inline int char_hex_value(char c)
{
    if (char_is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The bytes from one index up to another, which is excluded. */
static inline Str str_cut(Str s, size_t from, size_t to)
{
    return (Str){ s.p + from, to - from };
}

/* The index of the first c; s.n if there is none. */
static inline size_t str_find(Str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

#endif
