/* tests/fuzz/fuzz.h -- what every fuzz target has: LLVMFuzzerTestOneInput reads bytes as a stranger may send them,
 * and aborts where what came out cannot be. The sanitizers see the rest. */
#ifndef ORION_FUZZ_H
#define ORION_FUZZ_H

#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(bool condition)
{
    if (!condition)
        abort();
}

/* Cuts the first line off, without its end. */
static inline Str cut_line(Str *rest)
{
    const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    size_t n = end ? (size_t)(end - rest->p) : rest->n;
    Str line = { rest->p, n };
    n += end != NULL;
    *rest = (Str){ rest->p + n, rest->n - n };
    return line;
}

#endif
