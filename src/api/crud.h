/* api/crud.h -- handlers that need no more than a row's `model`: the path's first parameter is the id. */
#ifndef ORION_CRUD_H
#define ORION_CRUD_H

#include "api/request.h"

bool crud_read(Req *req) MUST_CHECK;
bool crud_list(Req *req) MUST_CHECK;   /* by what was decoded of the body */
bool crud_count(Req *req) MUST_CHECK;  /* likewise */
bool crud_update(Req *req) MUST_CHECK; /* what was sent of the row's `body`, a model of the same table */
bool crud_delete(Req *req) MUST_CHECK; /* by the row's `remove`, if any; answers null unless the status is 204 */

/* For handlers that read or change one row in their own way: the answer, or the route's 404 if there is no such row. An
 * error of the transaction takes precedence. */
bool crud_reply(Req *req, const void *object) MUST_CHECK;  /* NULL: no such row */
bool crud_created(Req *req, const void *object, bool created) MUST_CHECK; /* the same; 201 if just created */
bool crud_changed(Req *req, int64_t rows) MUST_CHECK;      /* 0: no such row; < 0: tx->error */
bool crud_missing(Req *req) MUST_CHECK;
/* If tx->error is a violated constraint: 409 with this message instead, which says what it was. False. */
bool crud_conflict(Req *req, const char *message) MUST_CHECK;

#endif
