/* schedule/schedule.h -- the dates of a schedule: intervals, cron expressions and RRULEs, in a time zone.
 * Mirrors get_dates of prefect.orion.schemas.schedules, date by date. */
#ifndef ORION_SCHEDULE_H
#define ORION_SCHEDULE_H

#include "base/clock.h"

typedef enum ScheduleKind { SCHEDULE_INTERVAL, SCHEDULE_CRON, SCHEDULE_RRULE } ScheduleKind;

typedef struct Schedule {
    ScheduleKind kind;
    Str timezone;          /* IANA name; null or empty: UTC */
    int64_t interval;      /* INTERVAL: microseconds */
    Moment anchor;         /* INTERVAL: dates are counted from here */
    Str cron;              /* CRON */
    bool day_or;           /* CRON: if both days are given: either (true) or both (false) */
    Str rrule;             /* RRULE: one or several lines */
    Time created;          /* RRULE: rules with COUNT but without DTSTART count from here */
} Schedule;

/* What croniter.is_valid accepts. */
bool cron_check(Arena *arena, Str cron) MUST_CHECK;
/* Whether a field is a bare R or H, which the reference refuses. */
bool cron_is_random(Str cron) MUST_CHECK;
/* What dateutil's rrulestr accepts. False: *ret_reason in its words, null if only FREQ is missing. */
bool rrule_check(Arena *arena, Str rrule, Str *ret_reason) MUST_CHECK;

/* The next dates from start on, at most n, before or at end (TIME_NULL: without end), in the order of the reference's
 * generator, each with its offset in the schedule's own zone; ret_dates has room for n. A schedule has one set of
 * dates: a later start leaves out those before it and changes none. Work is bounded: a rule that yields nothing gives
 * none. False: the schedule is not valid (a database may hold anything), *error says why. */
bool schedule_dates(Arena *arena, const Schedule *schedule, size_t n, Time start, Time end, Moment *ret_dates,
                    size_t *ret_count, Error *error) MUST_CHECK;

#endif
