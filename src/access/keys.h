/* access/keys.h -- keys.toml: the name, scope and expiry of each key. The file holds only the keys' SHA-256, not the
 * keys themselves. */
#ifndef ORION_KEYS_H
#define ORION_KEYS_H

#include "base/crypto.h"
#include "base/clock.h"

typedef struct Key {
    Str name;
    unsigned char digest[SHA256_SIZE]; /* of the whole key */
    Str start;          /* first characters of the key, to recognise it by */
    bool read_only;
    Time created;
    Time expires;       /* TIME_NULL: never */
    struct Key *next;
} Key;

typedef struct Keys { /* all zero except the arena: no keys */
    Arena *arena;
    Key *first;         /* in file order */
} Keys;

/* Parses the file's text, which may be null. False: *error says what is wrong and where, without any secret. */
bool keys_parse(Arena *arena, Str text, Keys *ret, Error *error) MUST_CHECK;
/* Writes the file. A new one is private (0600); root gives it to the owner of the folder. To change the file, hold its
 * lock (file_lock) from before reading until after writing. */
bool keys_write(const char *path, const Keys *keys, Error *error) MUST_CHECK;

/* A name as messages may show it: without a key that somebody has pasted there, also behind other letters. */
Str keys_shown(Arena *arena, Str name);
Key *keys_find_text(const Keys *keys, Str text); /* whose key that is; NULL */
Key *keys_find(const Keys *keys, Str name); /* NULL: no such key */
/* Adds a key, which is returned in *ret_key and kept nowhere else; `expires` may be TIME_NULL. False: the name is taken
 * or invalid. */
bool keys_create(Keys *keys, Str name, bool read_only, Time now, Time expires, Str *ret_key, Error *error) MUST_CHECK;
bool keys_revoke(Keys *keys, Str name) MUST_CHECK; /* false: no such key */

#endif
