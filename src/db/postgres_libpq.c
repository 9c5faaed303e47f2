/* db/postgres_libpq.c -- loads libpq. */
#include "db/libpq.h"

#include "base/library.h"

enum { VERSION_MIN = 140000 }; /* pipelines */

bool libpq_load(Libpq *pq, Error *error)
{
    const LibraryFunction functions[] = {
#define LIBPQ_ROW(name) { &pq->name, "PQ" #name },
        LIBPQ_FUNCTIONS(LIBPQ_ROW)
#undef LIBPQ_ROW
    };
    const char *missing;
    if (!library_load("libpq.so.5", functions, COUNT_OF(functions), &missing))
        return missing ? fail(error, ERR_INTERNAL, "libpq lacks %s: version 14 or newer is needed", missing)
                       : fail(error, ERR_INTERNAL, "PostgreSQL needs libpq.so.5, which is not installed (on Debian:"
                                                   " apt-get install libpq5)");
    int version = pq->libVersion();
    return version >= VERSION_MIN ||
           fail(error, ERR_INTERNAL, "libpq %d is too old: 14 or newer is needed", version / 10000);
}
