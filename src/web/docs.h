/* web/docs.h -- the description of the API, as JSON and as a page to read. */
#ifndef ORION_DOCS_H
#define ORION_DOCS_H

#include "api/request.h"

/* The descriptions, each made when it is first asked for and kept: making one takes a millisecond. Used by the
 * loop's thread alone. */
typedef struct Docs Docs;
Docs *docs_new(void);
void docs_free(Docs *docs);

bool docs_has(Str path); /* whether docs_handle answers it with a document */
/* Answers /openapi.json, /docs, /redoc and their like below /api; false: it is another path. */
bool docs_handle(Req *req);

#endif
