/* blocks/encryption.h -- the key of encrypted block data: ORION_ENCRYPTION_KEY, else the row
 * ENCRYPTION_KEY of `configuration`. */
#ifndef ORION_ENCRYPTION_H
#define ORION_ENCRYPTION_H

#include "base/crypto.h"
#include "db/db.h"

/* False: ORION_ENCRYPTION_KEY is set and is no key; asked at the start, before any request needs it.
 * The key is not in the error. */
bool encryption_check(Error *error) MUST_CHECK;
bool encryption_key_is_given(void); /* by ORION_ENCRYPTION_KEY: then the database's key, if any, is not used */
/* JSON text as a Fernet token. Makes and stores a key where there is none yet (a write transaction); a row that
 * holds none is replaced only where no block document needs what it held. Null: tx->error. */
Str block_data_encrypt(Tx *tx, Str json_text);
/* The JSON text of a token; null: tx->error (no key, or another one than the data was encrypted with). */
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
