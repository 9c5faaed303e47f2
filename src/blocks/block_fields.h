/* blocks/block_fields.h -- the fields of a block schema: an object of JSON Schema in
 * which other blocks may be nested. */
#ifndef ORION_BLOCK_FIELDS_H
#define ORION_BLOCK_FIELDS_H

#include "base/json.h"

/* Block._calculate_schema_checksum of the reference: "sha256:…" over the sorted fields without secret_fields and
 * without the definitions of blocks. */
Str block_fields_checksum(Arena *arena, const Json *fields);
/* The fields with these definitions in them; NULL: as they are. */
const Json *block_fields_with_definitions(Arena *arena, const Json *fields, const Json *definitions);
/* As stored: without block_schema_references and without the definitions of blocks, both of which
 * are added again on reading. */
const Json *block_fields_stored(Arena *arena, const Json *fields);
/* The definition that the property `name` refers to; if there are several, that of the type
 * with the slug. NULL: none. */
const Json *block_fields_of_child(Arena *arena, const Json *fields, const Json *definitions, Str name, Str slug);

#endif
