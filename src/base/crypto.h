/* base/crypto.h -- the little cryptography the API needs: SHA-256 for checksums, keys and policies, Fernet for block
 * data. */
#ifndef ORION_CRYPTO_H
#define ORION_CRYPTO_H

#include "base/arena.h"
#include "base/clock.h"

enum { SHA256_SIZE = 32 };
void sha256(Str bytes, unsigned char ret[SHA256_SIZE]);
Str sha256_hex(Arena *arena, Str bytes);
/* Whether they are equal, in constant time. */
bool bytes_are_equal(const void *a, const void *b, size_t n);

Str base64url_text(Arena *arena, const unsigned char *bytes, size_t n); /* unpadded, NUL-terminated */
bool base64_decode(Arena *arena, Str text, Str *ret) MUST_CHECK;        /* plain base64, padded */
Str sha256_base64(Arena *arena, Str bytes); /* plain base64, padded */
Str sha1_base64(Arena *arena, Str bytes);   /* the same; for the handshake of WebSockets, which is no matter of
                                             * security */

/* A Fernet key: 16 bytes sign, 16 encrypt. */
typedef struct FernetKey {
    unsigned char bytes[32];
} FernetKey;

/* From and to 32 bytes as base64url text. False: the text is not that. */
bool fernet_key_parse(Str text, FernetKey *ret) MUST_CHECK;
Str fernet_key_text(Arena *arena, const FernetKey *key);
void fernet_key_new(FernetKey *ret);

/* A token (base64url) of the plain text, stamped with `now`; null if the library fails. */
Str fernet_encrypt(Arena *arena, const FernetKey *key, Str plain, Time now);
/* False: not a token, or not made with this key. Its age is not checked, as in the reference. */
bool fernet_decrypt(Arena *arena, const FernetKey *key, Str token, Str *ret_plain) MUST_CHECK;

#endif
