/* entity/invalid.h -- validation errors, as the reference lists them in "exception_detail",
 * and the place that a decoder is at. */
#ifndef ORION_INVALID_H
#define ORION_INVALID_H

#include "base/json.h"

typedef struct Invalid {
    Arena *arena;
    Time now;             /* what a body means that says "now"; TIME_NULL: such a body means nothing */
    Buf items;            /* JSON objects {"loc":[…],"msg":…,"type":…[,"ctx":…]} separated by commas */
    size_t count;
    struct { Str key; int64_t index; } loc[32]; /* key null: an index */
    size_t depth;
} Invalid;

void invalid_init(Invalid *invalid, Arena *arena, Time now);
void invalid_enter(Invalid *invalid, const char *key);
void invalid_enter_str(Invalid *invalid, Str key);
void invalid_enter_index(Invalid *invalid, int64_t index);
void invalid_leave(Invalid *invalid);
/* Adds an error at the present place; ctx is JSON text or NULL. Returns false. */
bool invalid_add(Invalid *invalid, const char *type, const char *ctx, const char *message, ...) PRINTF(4, 5);

#endif
