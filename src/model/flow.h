/* model/flow.h -- a flow is a named unit of work; its runs are in model/run.h. */
#ifndef ORION_FLOW_H
#define ORION_FLOW_H

#include "entity/codec.h"

typedef struct Flow { /* schemas.core.Flow */
    Str id;
    Time created, updated;
    Str name;
    Str tags; /* JSON array text */
} Flow;

extern const Model flow_model, flow_create_model, flow_update_model;

/* The flow of that name: created now (*ret_created) or existing. NULL: tx->error. */
Flow *flow_create(Tx *tx, const Flow *wanted, bool *ret_created);
Flow *flow_read_by_name(Tx *tx, Str name); /* NULL: no such flow, or tx->error */

#endif
