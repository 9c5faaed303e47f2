/* schedule/dates.h -- what every kind of schedule hands its dates to. Within schedule/ only. */
#ifndef ORION_DATES_H
#define ORION_DATES_H

#include "schedule/schedule.h"
#include "schedule/zone.h"

#define DAY_US (86400 * SECOND)

static inline int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* A request for dates and what was found, on the stack of schedule_dates. */
typedef struct Dates {
    Arena *arena;
    Zone zone;
    Time start;
    Time end;          /* INT64_MAX: none */
    int64_t end_wall;  /* the same on the zone's wall clock, as the reference compares; INT64_MAX: none */
    Moment *found;
    size_t count, most;
    size_t tries;      /* candidates so far */
} Dates;

/* Takes the next candidate. False: no more are wanted. */
bool dates_add(Dates *dates, Local local) MUST_CHECK;
/* The same for dates in the order of their instants, which are compared instead of the wall clock. */
bool dates_add_moment(Dates *dates, Moment date) MUST_CHECK;

/* interval.c */
void interval_dates(Dates *dates, const Schedule *schedule);

#endif
