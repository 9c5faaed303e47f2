/* base/arena.h -- memory with one owner and one end: a request, a service tick. Nothing inside is freed
 * individually. */
#ifndef ORION_ARENA_H
#define ORION_ARENA_H

#include <stdarg.h>

#include "base/base.h"

typedef struct Arena Arena;

Arena *arena_new(void);
Arena *arena_new_small(size_t first); /* with a first block of `first` bytes: for what may wait by the thousand */
void arena_free(Arena *arena); /* NULL is fine */
void arena_reset(Arena *arena); /* empties it, keeping its first block */

/* A mark and a return to it: what was allocated after the mark is freed. Marks nest: releasing one ends those that
 * were taken after it. */
typedef struct ArenaMark { void *block; size_t used; } ArenaMark;
ArenaMark arena_mark(Arena *arena);
void arena_release(Arena *arena, ArenaMark mark);

void *arena_alloc(Arena *arena, size_t n) MUST_CHECK;  /* aligned for anything, not cleared */
void *arena_zalloc(Arena *arena, size_t n) MUST_CHECK; /* cleared */
#define arena_new_of(arena, Type) ((Type *)arena_zalloc((arena), sizeof(Type)))
/* For lists that grow by one: `items` itself while `count` is less than *capacity, else a copy with room for twice
 * as many. Start with NULL and a capacity of 0. */
void *arena_grow(Arena *arena, void *items, size_t count, size_t *capacity, size_t item_size) MUST_CHECK;

Str arena_str(Arena *arena, Str s);                /* a copy, terminated by a zero beyond its length; null stays null */
char *arena_cstr(Arena *arena, Str s);             /* the same as a C string; NULL for null */
Str arena_printf(Arena *arena, const char *format, ...) PRINTF(2, 3);
Str arena_vprintf(Arena *arena, const char *format, va_list args) PRINTF(2, 0);
size_t arena_used(const Arena *arena);             /* bytes taken from malloc, used or not */

#endif
