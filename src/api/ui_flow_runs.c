/* api/ui_flow_runs.c -- /ui/flow_runs: the routes stand at the end. */
#include "api/families.h"

const RouteFamily ui_flow_run_family = { NULL, 0 };
