/* api/work_pools.c -- /experimental/work_pools: the routes stand at the end. */
#include "api/families.h"

const RouteFamily work_pool_family = { NULL, 0 };
