/* python/json_schema.h -- whether a value fits a JSON schema, judged and worded as by Python's
 * jsonschema.validate (draft 2020-12, its default). Not supported: unevaluatedItems, unevaluatedProperties,
 * $dynamicRef, $anchor, other documents. */
#ifndef ORION_JSON_SCHEMA_H
#define ORION_JSON_SCHEMA_H

#include "base/buf.h"
#include "base/json.h"

/* False: `message` has the message of the error that jsonschema's best_match chooses: "'x' is a required
 * property". A keyword whose value is malformed is ignored. Work is bounded: a schema that refers to
 * itself endlessly is an error. */
bool json_schema_check(Arena *arena, const Json *schema, const Json *value, Buf *message) MUST_CHECK;

#endif
