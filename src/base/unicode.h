/* base/unicode.h -- what Python knows of characters: spaces, and the digits of all scripts. */
#ifndef ORION_UNICODE_H
#define ORION_UNICODE_H

#include "base/arena.h"

/* The character at a place in valid UTF-8; *ret_size gets its bytes. */
uint32_t unicode_at(Str s, size_t at, size_t *ret_size);
bool unicode_is_space(uint32_t c); /* str.isspace() */
/* Decimal digits of all scripts as 0 to 9, as \d in Python's patterns takes them, and where `spaces` are wanted, spaces beyond ASCII as ' ':
 * so int() and float() begin. All else as it is. */
Str unicode_to_ascii(Arena *arena, Str s, bool spaces);

#endif
