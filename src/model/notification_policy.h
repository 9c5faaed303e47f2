/* model/notification_policy.h -- which states of which runs are told to whom. */
#ifndef ORION_NOTIFICATION_POLICY_H
#define ORION_NOTIFICATION_POLICY_H

#include "entity/codec.h"

#endif
