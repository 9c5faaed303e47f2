/* base/buf.h -- a growable byte buffer in an arena. It cannot fail: out of memory ends the process. */
#ifndef ORION_BUF_H
#define ORION_BUF_H

#include "base/arena.h"

/* Takes the bytes of a buffer that would grow too large: when there are `from` of them and no more room, they are
 * handed on, and the buffer is empty again. */
typedef struct BufSink {
    size_t from;
    void (*take)(struct BufSink *sink, Str bytes);
} BufSink;

/* Set up by buf_init; nothing to free. There is always room for a zero after the n bytes. */
typedef struct Buf {
    Arena *arena;
    char *p;
    size_t n, capacity;
    BufSink *sink;  /* NULL, unless set after buf_init: all stays here */
} Buf;

void buf_init(Buf *buf, Arena *arena, size_t expected);
void buf_add(Buf *buf, const void *bytes, size_t n);
void buf_char(Buf *buf, char c);
void buf_str(Buf *buf, Str s);
void buf_text(Buf *buf, const char *c_string);
void buf_int(Buf *buf, int64_t value);
void buf_printf(Buf *buf, const char *format, ...) PRINTF(2, 3);
Str buf_view(const Buf *buf);       /* borrows; valid until the next addition */
const char *buf_cstr(Buf *buf);     /* the same, terminated */

#endif
