/* api/openapi.h -- the description of the API in OpenAPI 3, made from the tables of routes. */
#ifndef ORION_OPENAPI_H
#define ORION_OPENAPI_H

#include "api/request.h"

/* prefix "" for /api/openapi.json, "/api" for /openapi.json, as the reference names the paths there. */
void openapi_write(JsonWriter *w, const App *app, const char *prefix);

#endif
