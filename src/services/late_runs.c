/* services/late_runs.c -- marks scheduled runs that did not begin in time. */
#include "services/service.h"
