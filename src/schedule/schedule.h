/* schedule/schedule.h -- the dates of a schedule: intervals, cron expressions and RRULEs, in a time zone.
 * Mirrors get_dates of prefect.orion.schemas.schedules, date by date. */
#ifndef ORION_SCHEDULE_H
#define ORION_SCHEDULE_H

#include "base/clock.h"

typedef enum ScheduleKind { SCHEDULE_INTERVAL, SCHEDULE_CRON, SCHEDULE_RRULE } ScheduleKind;

typedef struct Schedule {
    ScheduleKind kind;
    Str timezone;          /* IANA name; null: UTC, or that of the anchor's offset */
    int64_t interval;      /* INTERVAL: microseconds */
    Moment anchor;         /* INTERVAL */
    Str cron;              /* CRON */
    bool day_or;           /* CRON: both days given: either (true) or both (false) */
    Str rrule;             /* RRULE: one or several lines */
} Schedule;

/* Whether there is such a zone (what pendulum takes, without regard to what the machine's own zone is). */
bool timezone_exists(Str name) MUST_CHECK;
/* croniter.is_valid, and what dateutil's rrulestr takes within the reference's limits. False: *error has the reference's message. */
bool cron_check(Str cron, Error *error) MUST_CHECK;
bool rrule_check(Arena *arena, Str rrule, Error *error) MUST_CHECK;

/* The next dates from start on (TIME_NULL: now), at most n, before or at end (TIME_NULL: without end), each with its offset in the
 * schedule's own zone; ret_dates has room for n. Work is bounded: a rule that yields nothing gives none. False: the schedule is
 * none (a database may hold anything), *error says why. */
bool schedule_dates(Arena *arena, const Schedule *schedule, size_t n, Time start, Time end, Time now, Moment *ret_dates, size_t *ret_count,
                    Error *error) MUST_CHECK;

#endif
