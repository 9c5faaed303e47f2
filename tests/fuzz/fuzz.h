/* tests/fuzz/fuzz.h -- what every fuzz target has: LLVMFuzzerTestOneInput reads bytes as a stranger may send them,
 * and aborts where what came out cannot be. The sanitizers see the rest. */
#ifndef ORION_FUZZ_H
#define ORION_FUZZ_H

#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What holds for every input, whatever it is. */
#define must(condition) ((condition) ? (void)0 : fuzz_found(__FILE__, __LINE__, #condition))

static inline void fuzz_found(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: not true: %s\n", file, line, condition);
    abort();
}

/* For what cannot be wrong: says what it was. */
static inline void must_not_fail(const Error *error)
{
    if (error->code == ERR_NONE)
        return;
    fprintf(stderr, "%s\n", error->message);
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
