/* tests/fuzz/fuzz_replies.h -- what a server sends on a connection, taken apart. */
#ifndef ORION_FUZZ_REPLIES_H
#define ORION_FUZZ_REPLIES_H

#include "fuzz.h"

#include "base/text.h"

static inline size_t length_of_body(Str head)
{
    const char *at = memmem(head.p, head.n, "content-length: ", 16);
    return at ? strtoul(at + 16, NULL, 10) : 0;
}

/* Every byte belongs to a reply. One to HEAD has a length and no body: then another reply follows, or nothing. Adds the
 * statuses but for interim ones, which depend on how the request's bytes arrive. */
static inline void check_replies(Str rest, Buf *statuses)
{
    while (rest.n) {
        must(rest.n > 12 && str_starts(rest, "HTTP/1.1 "));
        const char *end = memmem(rest.p, rest.n, "\r\n\r\n", 4);
        must(end != NULL);
        Str head = { rest.p, (size_t)(end - rest.p) + 4 };
        if (rest.p[9] != '1')
            buf_add(statuses, rest.p + 9, 4);
        rest = str_cut(rest, head.n, rest.n);
        size_t body = length_of_body(head);
        if (rest.n && !str_starts(rest, "HTTP/1.1 ")) {
            must(body <= rest.n);
            rest = str_cut(rest, body, rest.n);
        }
    }
}

#endif
