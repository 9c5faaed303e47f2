/* api/openapi_schema.h -- tables of fields, filters and sorts as JSON Schema. */
#ifndef ORION_OPENAPI_SCHEMA_H
#define ORION_OPENAPI_SCHEMA_H

#include "api/request.h"

typedef struct Component Component;

/* A document being written, and the named schemas that it has referred to so far. */
typedef struct Schemas {
    Arena *arena;
    JsonWriter *w;
    Component *first, *last;
} Schemas;

/* Each writes one schema. What has a name is written as a reference to it, and remembered. */
void schema_model(Schemas *s, const Model *model);
void schema_field(Schemas *s, const Field *field);
/* JSON text; "#/components/schemas/…" in it must name one of openapi_shapes. */
void schema_text(Schemas *s, const char *json);
/* The body of several parameters: those of the row and those of its list. */
void schema_parameters(Schemas *s, const Route *route, const char *name);
/* All schemas that were referred to, and those that these refer to, as one object. */
void schemas_write(Schemas *s);

/* What handlers write by hand and unions hold, by name: models for the description alone (api/openapi_shapes.c). */
extern const Model *const openapi_shapes[]; /* NULL-terminated */

#endif
