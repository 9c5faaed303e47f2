/* entity/batch.h -- many rows at once: one statement where the engine takes arrays of values, else one for each row. */
#ifndef ORION_BATCH_H
#define ORION_BATCH_H

#include "entity/codec.h"

/* As codec_send_insert, for each of `count` objects that follow one another. */
bool batch_send_insert(Tx *tx, const Model *model, const void *objects, size_t count) MUST_CHECK;
/* As codec_insert_new; ret_new[i] says whether object i, whose first field is its id, was inserted. */
bool batch_insert_new(Tx *tx, const Model *model, const void *objects, size_t count, bool *ret_new) MUST_CHECK;

#endif
