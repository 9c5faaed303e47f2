/* blocks/block_data.h -- the data of a block document as JSON trees: hiding secrets, merging an
 * update, separating references. */
#ifndef ORION_BLOCK_DATA_H
#define ORION_BLOCK_DATA_H

#include "base/json.h"

/* `schema_fields` is the schema's JSON object; its "secret_fields" are dotted paths, where
 * "*" means everything below. */
/* The data with each secret leaf replaced by "********". */
const Json *block_data_obfuscate(Arena *arena, const Json *data, const Json *schema_fields);
/* The update without secrets that came back obfuscated; with `merge`, laid over the current data (its keys first). */
const Json *block_data_update(Arena *arena, const Json *current, const Json *update, const Json *schema_fields,
                              bool merge);

/* A key whose value is {"$ref": {"block_document_id": …}}. */
typedef struct BlockReference {
    Str name, document_id;
    struct BlockReference *next;
} BlockReference;

/* _separate_block_references_from_data: the data without those keys. NULL: error names a key whose
 * reference has no valid id. */
const Json *block_data_separate(Arena *arena, const Json *data, BlockReference **ret_references, Error *error);

#endif
