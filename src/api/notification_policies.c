/* api/notification_policies.c -- /flow_run_notification_policies: the routes stand at the end. */
#include "api/families.h"

const RouteFamily notification_policy_family = { NULL, 0 };
