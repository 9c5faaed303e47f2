/* services/flow_run_notifications.c -- sends the queued notifications. */
#include "services/service.h"
