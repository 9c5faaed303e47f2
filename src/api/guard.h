/* api/guard.h -- whether a request has the key that it needs. */
#ifndef ORION_GUARD_H
#define ORION_GUARD_H

#include "api/request.h"

/* What is asked for, so that the guard knows what it takes. */
typedef enum GuardPlace {
    GUARD_API,   /* the API, its description, what tells the dashboard where it is: keys or the password protect it */
    GUARD_FILES  /* the dashboard's own files: the password alone does, since a page cannot be asked for a key */
} GuardPlace;

/* Sets req->grant. False: req->error is a 401, and the log has it. Before anything is decoded. */
bool guard_admit(Req *req, GuardPlace place) MUST_CHECK;
/* Whether the grant covers what the row does. False: a 403. Before the body is looked at. */
bool guard_check_route(Req *req) MUST_CHECK;
/* Whether it covers what was asked for: secrets in clear text need a full key. False: a 403. Once all is decoded. */
bool guard_check_object(Req *req) MUST_CHECK;

/* The headers WWW-Authenticate of a 401: at most two, which is how many there are. */
enum { CHALLENGES_MAX = 2 };
size_t guard_challenges(const Req *req, HttpHeader ret[CHALLENGES_MAX]);

#endif
