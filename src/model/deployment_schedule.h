/* model/deployment_schedule.h -- the `schedule` of deployments:
 * SCHEDULE_TYPES of the reference, a union of three classes. */
#ifndef ORION_DEPLOYMENT_SCHEDULE_H
#define ORION_DEPLOYMENT_SCHEDULE_H

#include "entity/codec.h"
#include "schedule/schedule.h"

/* Field.decode of an F_CUSTOM field: the first class of the union that accepts the body, as JSON in the form that the
 * reference stores and answers, with a zone name that the reference knows; only an anchor that was not sent stays null.
 * If no class does, the errors of every class. */
bool deployment_schedule_decode(Invalid *invalid, const Json *json, void *member);
/* What deployment_schedule_decode returned, with its anchor, ready to be stored. A missing anchor is that of the
 * `stored` schedule (may be null) if the two are otherwise equal, so that applying a schedule again does not move it;
 * else it is `now`, as in the reference. */
Str deployment_schedule_anchored(Arena *arena, Str decoded, Str stored, Time now);
/* Reads the column's JSON; the deployment's `created` replaces a missing anchor. False: not one of the three classes,
 * or a zone that this machine lacks; *error says which. */
bool deployment_schedule_load(Arena *arena, Str json_text, Time created, Schedule *ret, Error *error) MUST_CHECK;

#endif
