/* api/spool.h -- long answers: what would take too much memory goes to a temporary file that has no name, so that the
 * transaction, its thread and its snapshot end before the client has read it. */
#ifndef ORION_SPOOL_H
#define ORION_SPOOL_H

#include <stdatomic.h>

#include "base/buf.h"
#include "http/http.h"

/* What the files of all answers may take together; outlives them. */
typedef struct SpoolSpace {
    int64_t size;       /* bytes */
    _Atomic int64_t used;
} SpoolSpace;

/* One answer, on its way. */
typedef struct Spool {
    BufSink sink;
    SpoolSpace *space;
    Error *error;
    HttpFile *file;     /* NULL: it fits into its buffer until now */
} Spool;

/* What `out` cannot hold goes to the spool from here on, once that is `from` bytes. If it cannot be stored, *error says
 * why, and the answer is of no use. */
void spool_begin(Spool *spool, SpoolSpace *space, size_t from, Buf *out, Error *error);
/* The answer is complete: if there is a file, the rest of it goes there too, and `out` is empty. False: *error. */
bool spool_finish(Spool *spool, Buf *out) MUST_CHECK;
void spool_discard(Spool *spool); /* there will be no answer, or another one */

#endif
