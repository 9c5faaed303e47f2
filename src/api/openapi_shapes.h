/* api/openapi_shapes.h -- answers that handlers write by hand, as models for the description alone. */
#ifndef ORION_OPENAPI_SHAPES_H
#define ORION_OPENAPI_SHAPES_H

#include "entity/codec.h"

extern const Model history_shape, orchestration_shape, dependency_shape, settings_shape;
extern const Model validation_shape; /* every 422 */
extern const Model message_shape;    /* every other error */
extern const char *const set_state_status_names[];

#endif
