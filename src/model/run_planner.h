/* model/run_planner.h -- the runs that a deployment's schedule calls for: their dates, and the rows that plan them. */
#ifndef ORION_RUN_PLANNER_H
#define ORION_RUN_PLANNER_H

#include "config/settings.h"
#include "model/deployment.h"

/* Which dates: from start on, none after end; at most max_runs (but at least one), and no more than it takes to have
 * min_runs and to reach start + min_time. */
typedef struct RunPlan {
    Time start, end;
    int64_t min_time;        /* microseconds */
    int64_t min_runs, max_runs;
} RunPlan;

/* As the settings of the scheduler say. */
RunPlan run_plan_default(const Settings *settings, Time start);
Time run_plan_end(const Settings *settings, Time start);

/* Wanted runs, each given by its date in the schedule's own zone. */
typedef struct PlannedRuns {
    const Deployment *deployment;
    Moment *dates;
    size_t count;
} PlannedRuns;

/* models.deployments._generate_scheduled_flow_runs. Empty if the deployment has no active schedule. False: *error says
 * what is wrong with the schedule, and of which deployment. Needs no transaction. */
bool planned_runs_make(Arena *arena, const Deployment *deployment, const RunPlan *plan, PlannedRuns *ret,
                       Error *error) MUST_CHECK;
/* Keeps only those that are not in the database yet. False: tx->error. */
bool planned_runs_drop_existing(Tx *tx, PlannedRuns *runs) MUST_CHECK;
/* Inserts `count` of them from `first` on, bypassing the rules as the reference does; existing ones are left alone. The
 * number of new ones, -1 on failure. */
int64_t planned_runs_insert(Tx *tx, const PlannedRuns *runs, size_t first, size_t count);

#endif
