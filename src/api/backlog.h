/* api/backlog.h -- how many writes may wait for the database at once: of all clients, and of one address. */
#ifndef ORION_BACKLOG_H
#define ORION_BACKLOG_H

#include "api/request.h"

typedef struct Backlog Backlog;

Backlog *backlog_new(int64_t max); /* writes */
void backlog_free(Backlog *backlog);
/* Counts the request's write in, until backlog_leave. False: there are too many already; req->error is set. */
bool backlog_enter(Req *req) MUST_CHECK;
void backlog_leave(Req *req);

#endif
