/* python/json_pointer.h -- JSON pointers as URI fragments, by which schemas refer to parts of themselves. */
#ifndef ORION_JSON_POINTER_H
#define ORION_JSON_POINTER_H

#include "base/json.h"

/* NULL: it points to nothing, or to another document. Adds the cost of the search to *steps. */
const Json *json_pointer(Arena *arena, const Json *root, Str pointer, size_t *steps);

#endif
