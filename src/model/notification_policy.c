/* model/notification_policy.c -- which states of which runs are told to whom. */
#include "model/notification_policy.h"
