/* schedule/rules.h -- what the files of schedule/ share among themselves; nothing else includes it. */
#ifndef ORION_RULES_H
#define ORION_RULES_H

#include "schedule/schedule.h"
#include "schedule/zone.h"

#define DAY_US (86400 * SECOND)

/* A request for dates and what was found: one for each call of schedule_dates. */
typedef struct Dates {
    Arena *arena;
    Zone zone;
    Time start, now;
    int64_t end_wall;  /* on the zone's wall clock, as the reference compares; INT64_MAX: none */
    Moment *found;
    size_t count, most;
    size_t tries;      /* candidates so far */
} Dates;

/* Takes the next candidate. False: no more are wanted. */
bool dates_add(Dates *dates, Local local) MUST_CHECK;

void interval_dates(Dates *dates, const Schedule *schedule);

/* ---- cron.c reads, cron_dates.c searches ---- */

enum { CRON_MINUTE, CRON_HOUR, CRON_DAY, CRON_MONTH, CRON_WEEKDAY, CRON_SECOND, CRON_YEAR, CRON_FIELDS };

typedef struct CronField {
    bool any;  /* every value will do; the list is then not looked at */
    bool last; /* "L": the last day of the month; comes after all values */
    int count;
    int values[130]; /* ascending */
} CronField;

typedef struct Cron {
    int fields; /* 5, 6 or 7 */
    CronField field[CRON_FIELDS];
    unsigned nth[7];      /* "5#2", "L5": bit n for the n-th such weekday of a month, bit 0 for the last one */
    bool has_nth;
    int nearest_weekday;  /* "15W": the day; 0: none */
} Cron;

bool cron_parse(Arena *arena, Str text, Cron *ret) MUST_CHECK;
void cron_dates(Dates *dates, const Cron *cron, bool day_or);

#endif
