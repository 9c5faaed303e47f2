/* services/scheduler.c -- plans the runs of deployments with an active schedule. */
#include "services/service.h"
