/* api/block_capabilities.c -- /block_capabilities: the routes stand at the end. */
#include "api/families.h"

const RouteFamily block_capability_family = { NULL, 0 };
