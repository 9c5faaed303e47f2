/* base/unicode.h -- UTF-8, and what Python knows of characters: spaces, and the digits of all scripts. */
#ifndef ORION_UNICODE_H
#define ORION_UNICODE_H

#include "base/arena.h"

bool utf8_is_valid(Str text);
/* The first byte that is not UTF-8, or NULL. */
const char *utf8_find_invalid(Str text);
/* The text with U+FFFD for each such byte; the text itself if it is valid. */
Str utf8_repaired(Arena *arena, Str text);
/* Puts a question mark in place of each such byte, for lines that people read. */
void utf8_blank_invalid(char *text, size_t n);
/* The same, and spaces in place of what begins another line, controls a terminal, or shows in another order. */
void utf8_blank_strange(char *text, size_t n);

size_t utf8_count(Str text); /* how many characters it has, if it is valid */

/* The character at byte `at` of valid UTF-8; *ret_size is its length in bytes. */
uint32_t unicode_at(Str s, size_t at, size_t *ret_size);
bool unicode_is_space(uint32_t c); /* str.isspace() */
/* Turns decimal digits of all scripts (\d in Python's patterns) into 0 to 9 and, with `spaces`, spaces beyond ASCII
 * into ' ', which is how int() and float() begin. Everything else stays. */
Str unicode_to_ascii(Arena *arena, Str s, bool spaces);

#endif
