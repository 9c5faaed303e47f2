/* api/docs.h -- the description of the API, as JSON and as a page to read. */
#ifndef ORION_DOCS_H
#define ORION_DOCS_H

#include "api/request.h"

/* Answers /openapi.json, /docs, /redoc and their like below /api; false: it is another path. */
bool docs_handle(Req *req);

#endif
