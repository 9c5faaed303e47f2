/* model/run_tables.h -- what flow_run.c and task_run.c share. */
#ifndef ORION_RUN_TABLES_H
#define ORION_RUN_TABLES_H

#include "model/run_state.h"

/* A field of the Run inside a FlowRun or TaskRun. */
#define RUN_FIELD(Type, member, kind_, ...) { .name = #member, .kind = (kind_), .offset = offsetof(Type, run.member), ##__VA_ARGS__ }

/* {name: [TaskRunResult | Parameter | Constant]} */
#define TASK_INPUTS_SCHEMA \
    "{\"type\": \"object\", \"additionalProperties\": {\"type\": \"array\", \"items\": {\"anyOf\": [" SCHEMA_REF("TaskRunResult") ", " \
    SCHEMA_REF("Parameter") ", " SCHEMA_REF("Constant") "]}}}"

/* A run with nothing in it but its name and tags, before its first state. */
Run run_blank(Tx *tx, const Run *wanted);
/* UPDATE of the model's columns where one of them differs between `before` and `now`. */
bool run_save(Tx *tx, const Model *model, const char *table, const void *before, const void *now) MUST_CHECK;

#endif
