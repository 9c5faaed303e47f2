/* model/deployment_schedule.h -- the `schedule` of deployments:
 * SCHEDULE_TYPES of the reference, a union of three classes. */
#ifndef ORION_DEPLOYMENT_SCHEDULE_H
#define ORION_DEPLOYMENT_SCHEDULE_H

#include "entity/codec.h"
#include "schedule/schedule.h"

/* Field.decode of an F_CUSTOM field: the first class of the union that takes it, as JSON in the form that the reference
 * stores and answers, its zone under a name that the reference knows, but for an anchor that was not sent, which stays
 * null; else the errors of every class. */
bool deployment_schedule_decode(Invalid *invalid, const Json *json, void *member);
/* What deployment_schedule_decode gave, with its anchor, ready to be stored: that of the `stored` schedule (null: there
 * is none) where the two are the same but for it, so that applying a schedule once more does not move it;
 * else `now`, as in the reference. */
Str deployment_schedule_anchored(Arena *arena, Str decoded, Str stored, Time now);
/* From the column's JSON and the deployment's `created`, which stands in for an anchor that is not there.
 * False: it is none of the three, or this machine lacks its zone; *error says which. */
bool deployment_schedule_load(Arena *arena, Str json_text, Time created, Schedule *ret, Error *error) MUST_CHECK;

#endif
