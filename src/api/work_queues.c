/* api/work_queues.c -- /work_queues: the routes stand at the end. */
#include "api/families.h"

const RouteFamily work_queue_family = { NULL, 0 };
