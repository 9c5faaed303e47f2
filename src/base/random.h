/* base/random.h -- random bytes, numbers and names. */
#ifndef ORION_RANDOM_H
#define ORION_RANDOM_H

#include "base/arena.h"

void random_bytes(void *out, size_t n);
uint64_t random_64(void); /* from bytes that a thread gets in advance: for ids and names, not for keys */
double random_unit(void); /* [0, 1) */
/* For runs that nobody named: "adjective-animal", the form of coolname's generate_slug(2), from our own words. */
Str random_name(Arena *arena);

#endif
