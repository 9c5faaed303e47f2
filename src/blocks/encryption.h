/* blocks/encryption.h -- the key of encrypted block data: ORION_ENCRYPTION_KEY, else the row
 * ENCRYPTION_KEY of `configuration`. */
#ifndef ORION_ENCRYPTION_H
#define ORION_ENCRYPTION_H

#include "config/settings.h"
#include "db/db.h"

/* Takes the key of the settings, if there is one, for all that follows: called once, before anything else here. False:
 * it is no key, which is not in the error. */
bool encryption_use(const Settings *settings, Error *error) MUST_CHECK;
/* The same, but nothing is taken. */
bool encryption_check(const Settings *settings, Error *error) MUST_CHECK;
/* JSON text as a Fernet token. Makes and stores a key where there is none yet (a write transaction); a row that
 * holds none is replaced only where no block document needs what it held. Null: tx->error. */
Str block_data_encrypt(Tx *tx, Str json_text);
/* The JSON text of a token; null: tx->error (no key, or not the one that the data was encrypted with). */
Str block_data_decrypt(Tx *tx, Str token);

#endif
