/* api/guard.h -- whether a request has the key that it needs. */
#ifndef ORION_GUARD_H
#define ORION_GUARD_H

#include "api/request.h"

/* What is requested; decides which credentials are needed. */
typedef enum GuardPlace {
    GUARD_API,   /* the API, its description, and the dashboard's settings: protected by keys or the password */
    GUARD_FILES  /* the dashboard's own files: protected only if a password is set, since browsers cannot send keys */
} GuardPlace;

/* Sets req->grant. False: req->error is a 401, and the refusal is logged. Runs before anything is decoded. */
bool guard_admit(Req *req, GuardPlace place) MUST_CHECK;
/* At most one line per second and address, and never the credentials. `who`: as in AccessGrant. */
void guard_log_refusal(const App *app, Str peer, Str who, const char *why, Str method, Str path);
/* Whether the grant covers the route. False: a 403. Runs before the body is decoded. */
bool guard_check_route(Req *req) MUST_CHECK;
/* Whether the grant covers the decoded request: secrets in clear text need a full key. False: a 403. Runs after
 * decoding. */
bool guard_check_object(Req *req) MUST_CHECK;

/* Writes the WWW-Authenticate headers of a 401 and returns their number, at most two. */
enum { CHALLENGES_MAX = 2 };
size_t guard_challenges(const Req *req, HttpHeader ret[CHALLENGES_MAX]);

#endif
