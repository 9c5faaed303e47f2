/* schedule/rrule.h -- recurrence rules: rrule_read.c and rrule_time.c read them, rrule_days.c finds the days of a year,
 * rrule_dates.c the dates. Within schedule/ only. */
#ifndef ORION_RRULE_H
#define ORION_RRULE_H

#include "schedule/dates.h"

typedef enum Frequency { YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY, SECONDLY } Frequency;

/* 2020-01-01T00:00:00: DEFAULT_ANCHOR_DATE of later releases. 2.7.12 takes the present instead, so that
 * each pass plans other runs. */
#define RRULE_ANCHOR (INT64_C(1577836800) * SECOND)

typedef struct Ints {
    bool given;
    int count;
    int *values;
} Ints;

enum { BY_SETPOS, BY_MONTH, BY_MONTHDAY, BY_YEARDAY, BY_EASTER, BY_WEEKNO, BY_HOUR, BY_MINUTE, BY_SECOND, BY_COUNT };

typedef struct RecurrenceRule {
    Frequency frequency;
    int64_t start;              /* DTSTART on the wall clock, microseconds; its zone is ignored */
    int64_t interval, count, until;
    bool has_count, has_until;
    int week_start;             /* Monday 0 */
    /* Hours, minutes and seconds ascending, without repetition, and given if the frequency needs them. */
    Ints by[BY_COUNT];
    unsigned weekdays;          /* bit for each */
    size_t nth_count;
    struct { int weekday, n; } *nth; /* BYDAY=+2MO in years and months */
} RecurrenceRule;

typedef struct RuleSet {
    size_t rule_count, exrule_count, rdate_count, exdate_count;
    RecurrenceRule *rules, *exrules;
    int64_t *rdates, *exdates;  /* ascending */
} RuleSet;

/* Rules without DTSTART begin at RRULE_ANCHOR, or with COUNT at `created` (TIME_NULL: not known yet), both on the wall
 * clock. False: *ret_reason in dateutil's words, null if only FREQ is missing. */
bool rrule_parse(Arena *arena, Str text, int64_t created, RuleSet *ret, Str *ret_reason) MUST_CHECK;
void rrule_dates(Dates *dates, const RuleSet *set);

/* A date of DTSTART, UNTIL, RDATE or EXDATE in ISO's forms. False: *ret_reason. */
bool rrule_time_parse(Arena *arena, Str text, int64_t *ret_wall, bool *ret_has_zone, Str *ret_reason) MUST_CHECK;

enum { YEAR_WORDS = 6, YEAR_KINDS = 28 };

/* The days of a year that a rule selects, a bit for each: bit 0 is January 1st; the first seven of
 * the next year are included. */
typedef struct DayBits {
    bool known;
    unsigned failing;       /* bit n: dateutil fails on periods that begin in month n (from 1); the rule ends there */
    uint64_t bits[YEAR_WORDS];
} DayBits;

/* The current year of a rule. Except for Easter, years with the same weekdays, and the same leap years around
 * them, have the same days. */
typedef struct YearDays {
    int year, length;
    int64_t first;          /* day since 1970 */
    DayBits now, kinds[YEAR_KINDS];
} YearDays;

/* Takes its cost from *steps. False: the rule cannot be followed in this year. */
bool year_days_set(YearDays *days, const RecurrenceRule *rule, int year, int64_t *steps) MUST_CHECK;
/* The first day from `day` on that the rule selects; INT_MAX if the year has no more. */
int year_days_next(const YearDays *days, int day) MUST_CHECK;

#endif
