/* base/library.c -- the only file that opens shared libraries. */
#include "base/library.h"

#include <dlfcn.h>

bool library_load(const char *name, const LibraryFunction *functions, size_t count, const char **ret_missing)
{
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    *ret_missing = NULL;
    for (size_t i = 0; library && i < count; i++) {
        void *found = dlsym(library, functions[i].name);
        if (!found) {
            *ret_missing = functions[i].name;
            return false;
        }
        memcpy(functions[i].place, &found, sizeof found); /* C has no cast from an object to a function */
    }
    return library != NULL;
}
