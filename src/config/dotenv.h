/* config/dotenv.h -- a file of NAME=value lines as python-dotenv reads it. */
#ifndef ORION_DOTENV_H
#define ORION_DOTENV_H

#include "base/arena.h"

typedef struct DotenvEntry {
    Str name, value;
    unsigned line;
    struct DotenvEntry *next;
} DotenvEntry;

/* The entries in the file's order; of a name that comes twice the last one counts. A line that is none is left out, as
 * is a name without "=". ${NAME} and ${NAME:-otherwise} are replaced, from lines above or else the environment. */
DotenvEntry *dotenv_parse(Arena *arena, Str text);

#endif
