/* model/deployment_schedule.c -- schedules between JSON and struct. */
#include "model/deployment_schedule.h"
