/* api/openapi.h -- the description of the API in OpenAPI 3, made from the tables of routes. */
#ifndef ORION_OPENAPI_H
#define ORION_OPENAPI_H

#include "api/request.h"

/* Writes the document. The reference has two: in /openapi.json, paths begin at the server's root (`prefix` "/api"), in
 * /api/openapi.json at the API's (""). *ret_servers is the offset in the writer's buffer at which the member "servers",
 * which depends on the request, is to be inserted, followed by a comma. */
void openapi_write(JsonWriter *w, Arena *arena, const char *prefix, size_t *ret_servers);

#endif
