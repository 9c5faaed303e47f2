/* model/log.c -- log lines of runs. */
#include "model/log.h"

static const Field columns[] = { /* order: of the keys in responses */
    FIELD(LogRow, id, F_UUID),
    FIELD(LogRow, created, F_TIME),
    FIELD(LogRow, updated, F_TIME),
    FIELD(LogRow, name, F_STR),
    FIELD(LogRow, level, F_INT),
    FIELD(LogRow, message, F_STR),
    FIELD(LogRow, timestamp, F_TIME),
    FIELD(LogRow, flow_run_id, F_UUID),
    FIELD(LogRow, task_run_id, F_UUID, .flags = NULLABLE),
};
static const Field create_fields[] = {
    FIELD(LogRow, name, F_STR, .flags = REQUIRED),
    FIELD(LogRow, level, F_INT, .flags = REQUIRED),
    FIELD(LogRow, message, F_STR, .flags = REQUIRED),
    FIELD(LogRow, timestamp, F_TIME, .flags = REQUIRED),
    FIELD(LogRow, flow_run_id, F_UUID, .flags = REQUIRED),
    FIELD(LogRow, task_run_id, F_UUID, .flags = NULLABLE),
};
const Model log_model = MODEL(LogRow, columns, .table = "log", .schema = "Log");
const Model log_create_model = MODEL(LogRow, create_fields, .forbid_extra = true, .schema = "LogCreate");
