/* model/block_data.h -- the data of a block document as JSON trees: hiding secrets, and merging an update into what is stored. */
#ifndef ORION_BLOCK_DATA_H
#define ORION_BLOCK_DATA_H

#include "base/json.h"

/* `schema_fields` is the schema's JSON object; its "secret_fields" are dotted paths, "*" standing for all below. */
/* The data with each secret leaf replaced by "********". */
const Json *block_data_obfuscate(Arena *arena, const Json *data, const Json *schema_fields);
/* The update without secrets that came back obfuscated; with `merge`, laid over the current data (its keys first). */
const Json *block_data_update(Arena *arena, const Json *current, const Json *update, const Json *schema_fields, bool merge);

#endif
