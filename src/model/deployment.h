/* model/deployment.h -- deployments: how and when a flow is to be run. */
#ifndef ORION_DEPLOYMENT_H
#define ORION_DEPLOYMENT_H

#include "entity/codec.h"

/* models.deployments.schedule_runs: plans the next runs of a deployment whose schedule is active; those that exist stay.
 * TIME_NULL, 0: the default of the setting. */
typedef struct SchedulePlan {
    Time start, end;
    int64_t min_time;        /* microseconds */
    int64_t min_runs, max_runs;
} SchedulePlan;

#endif
