/* schedule/schedule.c -- dates of whichever kind. */
#include "schedule/schedule.h"
