/* base/library.h -- shared libraries that are loaded when they are needed, not with the program. */
#ifndef ORION_LIBRARY_H
#define ORION_LIBRARY_H

#include "base/base.h"

typedef struct LibraryFunction {
    void *place; /* of a pointer to the function, with the type of the library's header */
    const char *name;
} LibraryFunction;

/* Opens the library, by a name such as "libpq.so.5", and fills in its functions. It stays open until the process
 * ends, since the libraries that it needs keep thread-local data; loading it again costs nothing. False: it lacks
 * the function *ret_missing or, if that is NULL, cannot be loaded. */
bool library_load(const char *name, const LibraryFunction *functions, size_t count,
                  const char **ret_missing) MUST_CHECK;

#endif
