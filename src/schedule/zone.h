/* schedule/zone.h -- time zones: the offsets of a place, from the system's compiled zone files. Times are microseconds,
 * offsets seconds. */
#ifndef ORION_ZONE_H
#define ORION_ZONE_H

#include "base/clock.h"

/* offset[0] holds before at[0], offset[i + 1] from at[i] on. */
typedef struct Zone {
    size_t count;
    int64_t *at;     /* seconds UTC, ascending */
    int32_t *offset; /* count + 1 */
} Zone;

/* Loads the zone under this name, or else under an older or newer one. "UTC" needs no file; null or empty is UTC.
 * False: there is no such zone on this machine, *error says which one and what to install. */
bool zone_load(Arena *arena, Str name, Zone *ret, Error *error) MUST_CHECK;
/* Whether there is such a zone: for the reference, or in the system's zone database. */
bool zone_exists(Arena *arena, Str name) MUST_CHECK;
/* The name under which a schedule's zone is stored: the reference's own, since it fails to read any deployment if one
 * has another. False: it has none, or this machine has no such zone. */
bool zone_name_stored(Arena *arena, Str name, Str *ret, Error *error) MUST_CHECK;
/* False: this machine has only UTC, *error says what to install. */
bool zones_are_there(Arena *arena, Error *error) MUST_CHECK;
int32_t zone_offset(const Zone *zone, Time utc);

/* What a wall clock's time means: nothing (the clocks jumped over it), one instant, or two. */
typedef enum WallKind { WALL_ONCE, WALL_NEVER, WALL_TWICE } WallKind;
typedef struct WallMeaning {
    WallKind kind;
    int32_t before, after; /* the offsets on either side of the change; equal if there is none nearby */
} WallMeaning;
WallMeaning zone_wall(const Zone *zone, int64_t wall);

/* A time as the clocks of a zone show it. Two of them compare by what they show, as Python compares times of one
 * zone. */
typedef struct Local {
    int64_t wall; /* microseconds, counted as if the wall clock were in UTC */
    bool second;  /* of the two instants at which the clocks show this, the later one */
} Local;
Local local_from_utc(const Zone *zone, Time utc);
/* Of two instants, the later one; if there is none, moved on by as much as the clocks jumped. */
Local local_from_wall(const Zone *zone, int64_t wall);
Moment local_moment(const Zone *zone, Local local);

#endif
