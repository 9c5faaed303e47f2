/* entity/json_schema.h -- whether a value fits a JSON schema, as Python's jsonschema (draft 7) judges and words it. */
#ifndef ORION_JSON_SCHEMA_H
#define ORION_JSON_SCHEMA_H

#include "base/buf.h"
#include "base/json.h"

/* False: `message` has the first error's message as jsonschema.validate words it: "'x' is a required property". */
bool json_schema_check(Arena *arena, const Json *schema, const Json *value, Buf *message) MUST_CHECK;

#endif
