/* api/openapi.h -- the description of the API in OpenAPI 3, made from the tables of routes. */
#ifndef ORION_OPENAPI_H
#define ORION_OPENAPI_H

#include "api/request.h"

/* Writes the document. The reference has two: /openapi.json names the paths from the server's root (`prefix` "/api"),
 * /api/openapi.json from the API's root (""), whose place it states separately. */
void openapi_write(JsonWriter *w, Arena *arena, const char *prefix);

#endif
