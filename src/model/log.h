/* model/log.h -- log lines of runs. */
#ifndef ORION_LOG_MODEL_H
#define ORION_LOG_MODEL_H

#include "entity/codec.h"

typedef struct LogRow { /* schemas.core.Log */
    Str id;
    Time created, updated;
    Str name;
    int64_t level;
    Str message;
    Time timestamp;
    Str flow_run_id, task_run_id;
} LogRow;

extern const Model log_model, log_create_model;

#endif
