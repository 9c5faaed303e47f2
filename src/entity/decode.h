/* entity/decode.h -- what the files of entity/ share; elsewhere, only for coerce_object. */
#ifndef ORION_DECODE_H
#define ORION_DECODE_H

#include "entity/codec.h"

/* ---- invalid.c: errors that several decoders report; each returns false ---- */

bool invalid_null(Invalid *invalid);
bool invalid_enum(Invalid *invalid, const char *const *names); /* NULL-terminated */
/* Refuses unknown members, sorted by name as in pydantic. True: there are none. */
bool invalid_extras(Invalid *invalid, const Json *object, bool (*known)(const void *table, Str key),
                    const void *table) MUST_CHECK;

/* ---- coerce.c: one JSON value, not null, to one C value, as pydantic 1's validators coerce ---- */

bool coerce_str(Invalid *invalid, const Json *json, Str *ret) MUST_CHECK;
bool coerce_uuid(Invalid *invalid, const Json *json, Str *ret) MUST_CHECK;
bool coerce_int(Invalid *invalid, const Json *json, int64_t *ret) MUST_CHECK;
bool coerce_float(Invalid *invalid, const Json *json, double *ret) MUST_CHECK;
bool coerce_bool(Invalid *invalid, const Json *json, bool *ret) MUST_CHECK;
bool coerce_moment(Invalid *invalid, const Json *json, Moment *ret) MUST_CHECK;
bool coerce_duration(Invalid *invalid, const Json *json, int64_t *ret_us) MUST_CHECK;
bool coerce_enum(Invalid *invalid, const Json *json, const char *const *names, int *ret) MUST_CHECK;
/* Accepts what Python's dict(value) does: an object, an empty string, an array of pairs. `model`: keys must already be
 * strings; otherwise they are converted. NULL: refused, and `invalid` has the error. */
const Json *coerce_object(Invalid *invalid, const Json *json, bool model);

/* ---- decode.c ---- */

/* An array of values, each by `element` (its name and offset unused), as JSON_STORED text. */
bool decode_list(Invalid *invalid, const Field *element, const Json *json, Str *ret) MUST_CHECK;

#endif
