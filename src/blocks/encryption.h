/* blocks/encryption.h -- the key of encrypted block data: ORION_ENCRYPTION_KEY, else the row
 * ENCRYPTION_KEY of `configuration`. */
#ifndef ORION_ENCRYPTION_H
#define ORION_ENCRYPTION_H

#include "db/db.h"

/* False: ORION_ENCRYPTION_KEY is set and is no key; asked at the start, before any request needs it.
 * The key is not in the error. */
bool encryption_check(Error *error) MUST_CHECK;
/* JSON text as a Fernet token. Makes and stores a key where there is none yet (a write transaction); a row that
 * holds none is replaced only where no block document needs what it held. Null: tx->error. */
Str block_data_encrypt(Tx *tx, Str json_text);
/* The JSON text of a token; null: tx->error (no key, or another one than the data was encrypted with). */
Str block_data_decrypt(Tx *tx, Str token);

#endif
