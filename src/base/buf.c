/* base/buf.c -- the growable buffer: its capacity doubles, and its old bytes stay in the arena. */
#include "base/buf.h"

#include <stdarg.h>

enum { BUF_MIN = 64 };

void buf_init(Buf *buf, Arena *arena, size_t expected)
{
    size_t capacity = expected < BUF_MIN ? BUF_MIN : expected;
    *buf = (Buf){ .arena = arena, .p = arena_alloc(arena, capacity), .capacity = capacity };
}

/* Makes room for `more` bytes and a terminating zero. */
static void buf_reserve(Buf *buf, size_t more)
{
    if (buf->n + more < buf->capacity)
        return;
    if (buf->sink && buf->n >= buf->sink->from) {
        buf->sink->take(buf->sink, buf_view(buf));
        buf->n = 0;
    }
    size_t need = buf->n + more + 1;
    if (need <= buf->capacity)
        return;
    size_t capacity = 2 * buf->capacity;
    if (capacity < need)
        capacity = need;
    char *p = arena_alloc(buf->arena, capacity);
    memcpy(p, buf->p, buf->n);
    buf->p = p;
    buf->capacity = capacity;
}

void buf_add(Buf *buf, const void *bytes, size_t n)
{
    if (n == 0)
        return;
    buf_reserve(buf, n);
    memcpy(buf->p + buf->n, bytes, n);
    buf->n += n;
}

void buf_char(Buf *buf, char c)
{
    buf_reserve(buf, 1);
    buf->p[buf->n++] = c;
}

void buf_str(Buf *buf, Str s)
{
    buf_add(buf, s.p, s.n);
}

void buf_text(Buf *buf, const char *c_string)
{
    buf_add(buf, c_string, strlen(c_string));
}

void buf_int(Buf *buf, int64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        digits[--at] = '-';
    buf_add(buf, digits + at, sizeof digits - at);
}

void buf_printf(Buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    /* Prints into the free space; if that is too small, grows and prints again. */
    int n = vsnprintf(buf->p + buf->n, buf->capacity - buf->n, format, args);
    va_end(args);
    if (n > 0) {
        if ((size_t)n >= buf->capacity - buf->n) {
            buf_reserve(buf, (size_t)n);
            vsnprintf(buf->p + buf->n, (size_t)n + 1, format, again);
        }
        buf->n += (size_t)n;
    }
    va_end(again);
}

Str buf_view(const Buf *buf)
{
    return (Str){ buf->p, buf->n };
}

const char *buf_cstr(Buf *buf)
{
    buf_reserve(buf, 0);
    buf->p[buf->n] = '\0';
    return buf->p;
}
