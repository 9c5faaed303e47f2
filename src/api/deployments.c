/* api/deployments.c -- /deployments: the routes stand at the end. */
#include "api/families.h"

const RouteFamily deployment_family = { NULL, 0 };
