/* model/deployment_schedule.h -- the `schedule` of deployments: SCHEDULE_TYPES of the reference, a union of three classes. */
#ifndef ORION_DEPLOYMENT_SCHEDULE_H
#define ORION_DEPLOYMENT_SCHEDULE_H

#include "entity/codec.h"
#include "schedule/schedule.h"

/* Field.decode of an F_CUSTOM field: the first class of the union that takes it, as JSON in the form that the reference stores and
 * answers, its zone under a name that the reference knows; else the errors of every class. */
bool schedule_decode(Invalid *invalid, const Json *json, void *member);
/* From the column's JSON. False: it is none of the three, or this machine lacks its zone; *error says which. */
bool schedule_load(Arena *arena, Str json_text, Schedule *ret, Error *error) MUST_CHECK;

#endif
