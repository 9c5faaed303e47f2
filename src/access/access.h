/* access/access.h -- who may use the server: the keys of keys.toml, followed while the server runs, and the user name
 * and password of ORION_AUTH_STRING. */
#ifndef ORION_ACCESS_H
#define ORION_ACCESS_H

#include "access/refusals.h"
#include "base/arena.h"
#include "base/clock.h"
#include "config/settings.h"

typedef struct Access Access;

/* What a request may do. Cleared: nothing. */
typedef struct AccessGrant {
    bool reads, writes;
    Str who;            /* "key ci", "user ann"; null where nobody need say who he is. For logs, never for answers */
} AccessGrant;

typedef enum AccessVerdict {
    ACCESS_GRANTED,
    ACCESS_MISSING,      /* no credentials, or of a kind that is not offered */
    ACCESS_UNKNOWN_KEY,
    ACCESS_EXPIRED_KEY,
    ACCESS_WRONG_PASSWORD
} AccessVerdict;

/* What a request without credentials is asked for. Neither: everybody may do everything. */
typedef struct AccessOffers { bool keys, password; } AccessOffers;

/* The settings that are about access, as far as they can be judged without reading a file: two names of
 * ORION_AUTH_STRING that differ, one that is not user:password. No message has the value in it. */
bool access_check_settings(const Settings *settings, Error *error) MUST_CHECK;

/* Reads the keys. NULL: the settings or the file are wrong, or ORION_KEYS_FILE names one that is not there. */
Access *access_new(const Settings *settings, Error *error) MUST_CHECK;
/* Starts the thread that reads the file again when it has changed. False: it cannot. */
bool access_watch(Access *access) MUST_CHECK;
void access_free(Access *access); /* NULL is fine */

/* What the thread does twice a second. A file that is gone, cannot be read or is wrong is logged once and changes
 * nothing, since an open door would be worse than an old key. */
void access_refresh(Access *access);

AccessOffers access_offers(Access *access);
/* Judges the header Authorization, which may be null. *ret is written where it is granted, and for an expired key, so
 * that the log can name it. From any thread. */
AccessVerdict access_judge(Access *access, Arena *arena, Str authorization, Time now, AccessGrant *ret);
Refusals *access_refusals(Access *access);

/* The path of the keys' file. */
Str access_keys_path(const Settings *settings);

#endif
