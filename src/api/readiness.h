/* api/readiness.h -- whether the server can do its work now: the response of /ready. */
#ifndef ORION_READINESS_H
#define ORION_READINESS_H

#include "api/request.h"

/* What clients are told instead of an internal error's own message. */
#define READINESS_INTERNAL "An internal error, which is in the server's log"

typedef struct Readiness Readiness;

Readiness *readiness_new(Db *db); /* the thread starts with the first request */
/* Responds within two seconds, from another thread: 200 if a read found this version's schema and the database accepts
 * writes, otherwise 503; the reason is only for clients with read access. Concurrent requests share one check, so that
 * many of them do not add work. */
void readiness_answer(Readiness *readiness, Req *req);
/* The same for a thread that may wait: ERR_NONE, or what is wrong. */
Error readiness_wait(Readiness *readiness);
/* Answers the requests still waiting and starts no more checks. Call it after the last readiness_answer and before the
 * database is closed. */
void readiness_stop(Readiness *readiness);
/* Call it after the database is closed: until then, a check may be in its queues. */
void readiness_free(Readiness *readiness);

#endif
