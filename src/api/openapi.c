/* api/openapi.c -- tables of routes, models and filters as an OpenAPI document. */
#include "api/openapi.h"
