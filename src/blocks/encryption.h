/* blocks/encryption.h -- the key of encrypted block data: ORION_ENCRYPTION_KEY, else the row
 * ENCRYPTION_KEY of `configuration`. */
#ifndef ORION_ENCRYPTION_H
#define ORION_ENCRYPTION_H

#include "db/db.h"

/* False: ORION_ENCRYPTION_KEY is set, but is not a key. Called at startup, before any request needs it. The error
 * does not contain the key. */
bool encryption_check(Error *error) MUST_CHECK;
/* JSON text as a Fernet token. Creates and stores a key if there is none yet (in a write transaction); an invalid one
 * is replaced only if there are no block documents. Null: tx->error. */
Str block_data_encrypt(Tx *tx, Str json_text);
/* The JSON text of a token; null: tx->error (no key, or not the one that the data was encrypted with). */
Str block_data_decrypt(Tx *tx, Str token);

#endif
