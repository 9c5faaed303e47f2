/* access/access.h -- who may use the server: the keys in keys.toml, reloaded when the file changes, and the user name
 * and password in ORION_AUTH_STRING. */
#ifndef ORION_ACCESS_H
#define ORION_ACCESS_H

#include "access/refusals.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "config/settings.h"

typedef struct Access Access;

/* What a request may do. All zero: nothing. */
typedef struct AccessGrant {
    bool reads, writes;
    Str who;            /* "key ci", "user ann"; null if access is open. For logs only, never for responses */
    unsigned char key[SHA256_SIZE]; /* the key's digest; zeros: it is no key's */
} AccessGrant;

typedef enum AccessVerdict {
    ACCESS_GRANTED,
    ACCESS_MISSING,      /* no credentials, or of a kind that the server does not accept */
    ACCESS_UNKNOWN_KEY,
    ACCESS_EXPIRED_KEY,
    ACCESS_WRONG_PASSWORD
} AccessVerdict;

/* Which credentials the server accepts. Neither: access is open to all. */
typedef struct AccessOffers { bool keys, password; } AccessOffers;

/* Checks the access settings without reading any file: ORION_AUTH_STRING has the form user:password, and its aliases
 * agree. Messages never contain the value. */
bool access_check_settings(const Settings *settings, Error *error) MUST_CHECK;

/* Whether a server could read its keys now. */
bool access_check_keys(const Settings *settings, Error *error) MUST_CHECK;

/* Reads the keys. NULL: the settings or the file are invalid, or the file named by ORION_KEYS_FILE does not exist. */
Access *access_new(const Settings *settings, Error *error) MUST_CHECK;
/* Starts the thread that reloads the file when it changes. False: the thread cannot be started. */
bool access_watch(Access *access) MUST_CHECK;
void access_free(Access *access); /* NULL is fine */

/* What the thread does twice a second. A file that is missing, unreadable or invalid is logged once and the old keys
 * stay in use, since opening the server would be worse than keeping an old key. */
void access_refresh(Access *access);

AccessOffers access_offers(Access *access);
/* Checks the Authorization header, which may be null. *ret is written if access is granted, and for an expired key, so
 * that the log can name it. Callable from any thread. */
AccessVerdict access_judge(Access *access, Arena *arena, Str authorization, Time now, AccessGrant *ret);
/* The same for the token in a WebSocket's auth message, which may be null: a key, or user:password. */
AccessVerdict access_judge_token(Access *access, Arena *arena, Str token, Time now, AccessGrant *ret);
/* Whether what was granted before still is: its key may have been revoked, or expired, since. */
bool access_still_grants(Access *access, const AccessGrant *grant, Time now);
Refusals *access_refusals(Access *access);

/* The path of the key file. */
Str access_keys_path(const Settings *settings);

#endif
