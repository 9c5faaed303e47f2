/* blocks/block_dict.h -- a JSON object under construction, in which keys are found quickly:
 * block data and definitions may have as many keys as a body has room for. */
#ifndef ORION_BLOCK_DICT_H
#define ORION_BLOCK_DICT_H

#include "base/json.h"

typedef struct Dict {
    Arena *arena;
    Json *object;       /* its members in their order; dropped ones are still there until dict_object */
    Json *last;
    Json **slots;       /* by the key's hash; NULL: free */
    size_t capacity;    /* a power of two */
    size_t used;        /* slots taken */
} Dict;

/* With the members of `object`, unless that is NULL or not an object. Nodes are copied,
 * what is below them is shared. */
void dict_init(Dict *dict, Arena *arena, const Json *object);
/* NULL: no such key. */
const Json *dict_get(const Dict *dict, Str key);
/* An existing key keeps its place. */
void dict_put(Dict *dict, Str key, const Json *value);
void dict_drop(Dict *dict, Str key);
/* The finished object. */
const Json *dict_object(Dict *dict);

const Json *json_of_str(Arena *arena, Str text);
/* The object in the text; an empty one if there is none. */
const Json *json_object_of(Arena *arena, Str text);

#endif
