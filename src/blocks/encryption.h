/* blocks/encryption.h -- the key of encrypted block data: ORION_ENCRYPTION_KEY, else the row
 * ENCRYPTION_KEY of `configuration`. */
#ifndef ORION_ENCRYPTION_H
#define ORION_ENCRYPTION_H

#include "base/crypto.h"
#include "config/settings.h"
#include "db/db.h"

/* Uses the key from the settings, if any, from now on. Call it once, before anything else here. False: the key is
 * invalid; the error does not contain it. */
bool encryption_use(const Settings *settings, Error *error) MUST_CHECK;
/* Only checks the setting. */
bool encryption_check(const Settings *settings, Error *error) MUST_CHECK;
/* After encryption_use: whether ORION_ENCRYPTION_KEY is set. If so, a key in the database is ignored. */
bool encryption_key_is_given(void);
/* Encrypts JSON text as a Fernet token. Creates and stores a key if there is none (a write transaction); a row that
 * does not hold a valid key is replaced only if no block document needs the key it held. Null: tx->error. */
Str block_data_encrypt(Tx *tx, Str json_text);
/* The JSON text of a token; null: tx->error (no key, or not the one that the data was encrypted with). */
Str block_data_decrypt(Tx *tx, Str token);

/* Calls `found` for each block document that cannot be decrypted with the present key, by "type/name (id)", which is
 * borrowed. *ret_reason is a literal. A read job. False: tx->error. */
bool encryption_find_unreadable(Tx *tx, void (*found)(void *arg, Str label), void *arg, const char **ret_reason)
    MUST_CHECK;

enum { ROTATION_NAMED_MAX = 20 };

typedef struct KeyRotation {
    FernetKey key;                 /* the new key, from the caller */
    Arena *arena;                  /* for the names; the caller's, not the job's */
    int64_t documents;             /* number found */
    int64_t unreadable;            /* of these, not decryptable with the present key */
    Str named[ROTATION_NAMED_MAX]; /* the first unreadable ones, as "type/name (id)" */
    bool was_committing;           /* all was done except the commit */
} KeyRotation;

/* Decrypts each block document with the present key and encrypts it with the new one, which is also stored in the
 * database unless ORION_ENCRYPTION_KEY provides the present key. Runs in a write transaction; holds one document at a
 * time. False: tx->error, and the transaction must be rolled back; documents that could not be decrypted are listed in
 * *rotation. */
bool encryption_rotate(Tx *tx, KeyRotation *rotation) MUST_CHECK;

#endif
