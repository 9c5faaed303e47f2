/* access/keys.h -- keys.toml: who holds a key, how far it reaches, and when it ends. The keys themselves are nowhere:
 * the file has their SHA-256. */
#ifndef ORION_KEYS_H
#define ORION_KEYS_H

#include "base/crypto.h"
#include "base/clock.h"

typedef struct Key {
    Str name;
    unsigned char digest[SHA256_SIZE]; /* of the whole key */
    Str start;          /* its first characters, to recognise it by */
    bool read_only;
    Time created;
    Time expires;       /* TIME_NULL: never */
    struct Key *next;
} Key;

typedef struct Keys { /* cleared, but for the arena: none */
    Arena *arena;
    Key *first;         /* in the file's order */
} Keys;

/* What the file holds; *ret_text is null where there is no file. False: it cannot be read. */
bool keys_read(Arena *arena, const char *path, Str *ret_text, Error *error) MUST_CHECK;
/* A file's text, which may be null. False: *error says what is wrong and where; nothing in it is a secret. */
bool keys_parse(Arena *arena, Str text, Keys *ret, Error *error) MUST_CHECK;
/* Writes the file; a new one is readable by its owner alone, and belongs to the owner of its folder. Whoever changes
 * what was read holds the lock (file_lock) from before the reading. */
bool keys_write(const char *path, const Keys *keys, Error *error) MUST_CHECK;

Key *keys_find(const Keys *keys, Str name); /* NULL where there is none */
/* A new key, which *ret_key holds and nothing else; `expires` may be TIME_NULL. False: the name is taken, or is not
 * one. */
bool keys_create(Keys *keys, Str name, bool read_only, Time now, Time expires, Str *ret_key, Error *error) MUST_CHECK;
bool keys_revoke(Keys *keys, Str name) MUST_CHECK; /* false: there is none of that name */

#endif
