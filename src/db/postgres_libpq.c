/* db/postgres_libpq.c -- loads libpq. It stays loaded: libraries beneath it keep thread data. */
#include "db/libpq.h"

#include <dlfcn.h>

enum { VERSION_LEAST = 140000 }; /* pipelines */

bool libpq_load(Libpq *pq, Error *error)
{
    *pq = (Libpq){ .library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL) };
    if (!pq->library)
        return fail(error, ERR_INTERNAL, "PostgreSQL needs libpq.so.5, which is not installed (on Debian: apt-get install libpq5)");
    const struct { void *place; const char *name; } functions[] = {
#define LIBPQ_ROW(name) { &pq->name, "PQ" #name },
        LIBPQ_FUNCTIONS(LIBPQ_ROW)
#undef LIBPQ_ROW
    };
    for (size_t i = 0; i < COUNT_OF(functions); i++) {
        void *found = dlsym(pq->library, functions[i].name);
        if (!found)
            return fail(error, ERR_INTERNAL, "libpq lacks %s: version 14 or newer is needed", functions[i].name);
        memcpy(functions[i].place, &found, sizeof found);
    }
    return pq->libVersion() >= VERSION_LEAST || fail(error, ERR_INTERNAL, "libpq %d is too old: 14 or newer is needed", pq->libVersion() / 10000);
}
