/* cli/api_client.h -- asks a running server, over libcurl. */
#ifndef ORION_API_CLIENT_H
#define ORION_API_CLIENT_H

#include "base/arena.h"
#include "config/settings.h"

/* Where a server is, and with what it is asked. */
typedef struct ApiTarget {
    Str url;          /* of its API: "http://127.0.0.1:4200/api" */
    Str shown;        /* the same without a password, for messages */
    Str key;          /* PREFECT_API_KEY; null: none */
    Str user;         /* "user:password", if there is no key; null: none */
    bool any_certificate; /* of TLS */
    double seconds;   /* that an answer may take */
    bool (*is_unwanted)(void *arg); /* asked while it waits, now and then; true ends the request. NULL: never */
    void *arg;
} ApiTarget;

typedef struct ApiAnswer {
    long status;
    Str body;
} ApiAnswer;

/* GET; `path` follows the API's URL or, if it begins with "/../", what that has instead of its last part. False: there
 * is no answer, and *error says why. */
bool api_get(const ApiTarget *target, Arena *arena, const char *path, ApiAnswer *ret, Error *error) MUST_CHECK;

#endif
