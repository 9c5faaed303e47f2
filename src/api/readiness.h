/* api/readiness.h -- whether the server can do its work now: the answer of /ready. */
#ifndef ORION_READINESS_H
#define ORION_READINESS_H

#include "api/request.h"

typedef struct Readiness Readiness;

Readiness *readiness_new(Db *db); /* its thread starts with the first request */
/* Answers within two seconds, on another thread: 200 if a read found this program's schema and the database takes
 * writes, else 503 with the reason. Requests at the same time share one check, so that many do not add work. */
void readiness_answer(Readiness *readiness, Req *req);
/* Answers who still waits, and begins no more checks. Once nobody calls readiness_answer any more, and before the
 * database is closed. */
void readiness_stop(Readiness *readiness);
/* Once it is closed: until then a check may be in its queues. */
void readiness_free(Readiness *readiness);

#endif
