/* blocks/encryption.h -- the key of encrypted block data: ORION_ENCRYPTION_KEY, else the row
 * ENCRYPTION_KEY of `configuration`. */
#ifndef ORION_ENCRYPTION_H
#define ORION_ENCRYPTION_H

#include "base/crypto.h"
#include "config/settings.h"
#include "db/db.h"

/* Takes the key of the settings, if there is one, for all that follows: called once, before anything else here. False:
 * it is no key, which is not in the error. */
bool encryption_use(const Settings *settings, Error *error) MUST_CHECK;
/* The same, but nothing is taken. */
bool encryption_check(const Settings *settings, Error *error) MUST_CHECK;
/* After encryption_use: whether ORION_ENCRYPTION_KEY is set. The database's key, if any, is not used then. */
bool encryption_key_is_given(void);
/* JSON text as a Fernet token. Makes and stores a key where there is none yet (a write transaction); a row that
 * holds none is replaced only where no block document needs what it held. Null: tx->error. */
Str block_data_encrypt(Tx *tx, Str json_text);
/* The JSON text of a token; null: tx->error (no key, or not the one that the data was encrypted with). */
Str block_data_decrypt(Tx *tx, Str token);

enum { ROTATION_NAMED_MAX = 20 };

typedef struct KeyRotation {
    FernetKey key;                 /* the new one, from the caller */
    Arena *arena;                  /* the caller's, for names; not the job's */
    int64_t documents;             /* all that there are */
    int64_t unreadable;            /* of them: not encrypted with the present key */
    Str named[ROTATION_NAMED_MAX]; /* the first of those, "type/name (id)" */
    bool was_committing;           /* all was done but the commit */
} KeyRotation;

/* Decrypts the data of each block document with the present key and encrypts it with the new one, which becomes the
 * database's unless ORION_ENCRYPTION_KEY gives the present one. In a write transaction; holds one document at a time.
 * False: tx->error, and nothing must stay; where documents could not be read, those are in *rotation. */
bool encryption_rotate(Tx *tx, KeyRotation *rotation) MUST_CHECK;

#endif
