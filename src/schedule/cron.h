/* schedule/cron.h -- a cron expression: cron.c reads it, cron_dates.c searches its dates. Within schedule/ only. */
#ifndef ORION_CRON_H
#define ORION_CRON_H

#include "schedule/dates.h"

enum { CRON_MINUTE, CRON_HOUR, CRON_DAY, CRON_MONTH, CRON_WEEKDAY, CRON_SECOND, CRON_YEAR, CRON_FIELDS };

typedef struct CronField {
    bool any;  /* every value matches; the list is not used then */
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
