/* entity/decode.h -- what the files of entity/ share; elsewhere, only for coerce_object. */
#ifndef ORION_DECODE_H
#define ORION_DECODE_H

#include "entity/codec.h"

/* ---- invalid.c: errors that several decoders report; each returns false ---- */

bool invalid_null(Invalid *invalid);
bool invalid_list(Invalid *invalid);
/* Of GEN_3 only, in pydantic 2's own words. */
bool invalid_as(Invalid *invalid, const char *type, const char *ctx, const char *message);
bool invalid_because(Invalid *invalid, const char *type, const char *message, const char *why); /* ctx: its reason */
bool invalid_pattern(Invalid *invalid, const char *pattern);
bool invalid_enum(Invalid *invalid, const char *const *names); /* NULL-terminated */
/* Refuses unknown members: pydantic 1 sorted by name, pydantic 2 as they come. True: there are none. */
bool invalid_extras(Invalid *invalid, const Json *object, bool (*known)(const void *table, Str key),
                    const void *table) MUST_CHECK;
/* An enumeration of bounds, for checks: the value must be >= ge. `bound` is how Python writes it: "0", "0.0". */
typedef enum Bound { BOUND_GE, BOUND_GT, BOUND_LE, BOUND_LT } Bound;
bool invalid_bound(Invalid *invalid, Bound kind, const char *bound);

/* ---- pydantic1.c, pydantic2.c: what a generation's pydantic makes of single values, and how its walk differs ---- */

typedef struct Pydantic {
    bool (*to_str)(Invalid *invalid, const Json *json, Str *ret);
    bool (*to_uuid)(Invalid *invalid, const Json *json, Str *ret);
    bool (*to_int)(Invalid *invalid, const Json *json, int64_t *ret);
    bool (*to_float)(Invalid *invalid, const Json *json, double *ret);
    bool (*to_bool)(Invalid *invalid, const Json *json, bool *ret);
    bool (*to_moment)(Invalid *invalid, const Json *json, Moment *ret);
    bool (*to_duration)(Invalid *invalid, const Json *json, int64_t *ret_us);
    const Json *(*to_object)(Invalid *invalid, const Json *json, bool model);
    /* Whether the value is a number below all of ours (or, of floats, not a number), which is out of a field's bounds
     * rather than malformed. */
    bool (*is_far_below)(Invalid *invalid, const Json *json, bool of_int);
    bool refuses_null;          /* null is refused in the same words for every kind; else each kind refuses it */
    bool finishes_after_errors; /* .finish runs although a field was invalid */
} Pydantic;

extern const Pydantic pydantic1, pydantic2;
const Pydantic *coerce_rules(const Invalid *invalid); /* those of its generation */

/* ---- coerce.c: one JSON value, for pydantic 1 not null, to one C value, as the generation's validators do ---- */

bool coerce_str(Invalid *invalid, const Json *json, Str *ret) MUST_CHECK;
bool coerce_uuid(Invalid *invalid, const Json *json, Str *ret) MUST_CHECK;
bool coerce_int(Invalid *invalid, const Json *json, int64_t *ret) MUST_CHECK;
bool coerce_float(Invalid *invalid, const Json *json, double *ret) MUST_CHECK;
bool coerce_bool(Invalid *invalid, const Json *json, bool *ret) MUST_CHECK;
bool coerce_moment(Invalid *invalid, const Json *json, Moment *ret) MUST_CHECK;
bool coerce_duration(Invalid *invalid, const Json *json, int64_t *ret_us) MUST_CHECK;
bool coerce_enum(Invalid *invalid, const Json *json, const char *const *names, int *ret) MUST_CHECK;
/* Pydantic 1 accepts what Python's dict(value) does: an object, an empty string, an array of pairs. `model`: of what is
 * to become a model, keys must already be strings; otherwise they are converted. NULL: refused, and `invalid` has the
 * error. */
const Json *coerce_object(Invalid *invalid, const Json *json, bool model);

/* What both have in common. */
Str coerce_strip(Str s);                                 /* without Python's white space at either end */
bool coerce_parse_int(const char *s, int64_t *ret) MUST_CHECK; /* "+12"; false also if it does not fit */
bool coerce_parse_float(const char *s, double *ret) MUST_CHECK; /* "-1.5e3"; may be infinite */
double coerce_number(Invalid *invalid, const Json *json); /* of JSON_INT, JSON_FLOAT, JSON_STRING */
bool coerce_is_word(Str s, const char *word);            /* ignoring ASCII case */
bool coerce_says_yes(Str s);                             /* "on", "True", …: in any case */
bool coerce_says_no(Str s);

/* ---- speedate.c: times and durations of pydantic 2 ---- */

/* RFC 3339, or a number of seconds or milliseconds. False: something else, which pendulum may still know. */
bool moment_of_text(Arena *arena, Str text, Moment *ret) MUST_CHECK;
bool moment_of_number(Arena *arena, Str digits, Moment *ret) MUST_CHECK;
/* NULL, or why not, in speedate's words. */
const char *duration_of_text(const char *text, int64_t *ret_us);
const char *duration_of_number(double seconds, int64_t *ret_us);

/* ---- decode.c ---- */

/* An array of values, each by `element` (its name and offset unused), as JSON_STORED text. */
bool decode_list(Invalid *invalid, const Field *element, const Json *json, Str *ret) MUST_CHECK;

#endif
