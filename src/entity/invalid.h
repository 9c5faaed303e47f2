/* entity/invalid.h -- validation errors, as the reference lists them in "exception_detail", and the place
 * that a decoder has reached. */
#ifndef ORION_INVALID_H
#define ORION_INVALID_H

#include "base/generation.h"
#include "base/json.h"

/* Every request has one (in Req); whoever decodes stored text has one on the stack, and drops the errors. All memory is
 * the arena's. Decoders enter a member and leave it on every path, so that `depth` is as before when they return. A
 * union that has found its class rewinds `items.n` and `count` over the errors of those tried before. */
typedef struct Invalid {
    Arena *arena;
    Time now;             /* what "now" in a body means; TIME_NULL: it is refused */
    Generation generation; /* whose validation and words; 0: GEN_2_7 */
    const Json *input;    /* the value that is being checked: GEN_3 shows it. May be NULL */
    Buf items;            /* JSON objects separated by commas: {"loc":[…],"msg":…,"type":…[,"ctx":…]}, or of GEN_3
                           * {"type":…,"loc":[…],"msg":…,"input":…[,"ctx":…]} */
    size_t count;
    struct { Str key; int64_t index; } loc[32]; /* key null: an index */
    size_t depth;
} Invalid;

void invalid_init(Invalid *invalid, Arena *arena, Time now);
void invalid_enter(Invalid *invalid, const char *key);
void invalid_enter_str(Invalid *invalid, Str key);
void invalid_enter_index(Invalid *invalid, int64_t index);
void invalid_leave(Invalid *invalid);
/* Adds an error at the current place; ctx is JSON text or NULL. Returns false, for checks to end with. Type, ctx and
 * message are pydantic 1's; for GEN_3, what has a name of its own in pydantic 2 gets that and its words, and any other
 * value_error becomes what pydantic 2 makes of a ValueError. */
bool invalid_add(Invalid *invalid, const char *type, const char *ctx, const char *message, ...) PRINTF(4, 5);

/* Reports a required value that is not there; `input` should be what it is missing from. */
bool invalid_missing(Invalid *invalid);
/* Reports that the body is no JSON, at its place in the body, as FastAPI does. */
bool invalid_malformed(Invalid *invalid, Str body, JsonError error);

#endif
