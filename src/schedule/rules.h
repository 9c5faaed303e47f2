/* schedule/rules.h -- what the files of schedule/ share among themselves; nothing else includes it. */
#ifndef ORION_RULES_H
#define ORION_RULES_H

#include "schedule/schedule.h"
#include "schedule/zone.h"

#define DAY_US (86400 * SECOND)

static inline Str cut(Str s, size_t from, size_t to)
{
    return (Str){ s.p + from, to - from };
}

/* Where the character stands first; s.n if nowhere. */
static inline size_t find(Str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

static inline int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* A request for dates and what was found: one for each call of schedule_dates. */
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
/* The same for dates that come in the order of their instants, which alone tells one from another. */
bool dates_add_moment(Dates *dates, Moment date) MUST_CHECK;

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

/* ---- rrule_read.c and rrule_time.c read, rrule_days.c and rrule_dates.c search ---- */

typedef enum Frequency { YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY, SECONDLY } Frequency;

/* 2020-01-01T00:00:00: DEFAULT_ANCHOR_DATE of later releases. 2.7.12 takes the present instead, so that each look plans other runs. */
#define RRULE_ANCHOR (INT64_C(1577836800) * SECOND)

typedef struct Ints {
    bool given;
    int count;
    int *values;
} Ints;

enum { BY_SETPOS, BY_MONTH, BY_MONTHDAY, BY_YEARDAY, BY_EASTER, BY_WEEKNO, BY_HOUR, BY_MINUTE, BY_SECOND, BY_COUNT };

typedef struct Rule {
    Frequency frequency;
    int64_t start;              /* DTSTART on the wall clock, microseconds; its zone is of no account */
    int64_t interval, count, until;
    bool has_count, has_until;
    int week_start;             /* Monday 0 */
    Ints by[BY_COUNT];          /* hours, minutes and seconds ascending, without repetition, and given where the frequency needs them */
    unsigned weekdays;          /* bit for each */
    size_t nth_count;
    struct { int weekday, n; } *nth; /* BYDAY=+2MO in years and months */
} Rule;

typedef struct RuleSet {
    size_t rule_count, exrule_count, rdate_count, exdate_count;
    Rule *rules, *exrules;
    int64_t *rdates, *exdates;  /* ascending */
} RuleSet;

/* Without DTSTART rules begin at RRULE_ANCHOR on the wall clock; those with COUNT at `created`, also on the wall clock: TIME_NULL if that is
 * not known yet. False: *ret_reason in dateutil's words, null if all that is missing is FREQ. */
bool rrule_parse(Arena *arena, Str text, int64_t created, RuleSet *ret, Str *ret_reason) MUST_CHECK;
void rrule_dates(Dates *dates, const RuleSet *set);

/* A date of DTSTART, UNTIL, RDATE or EXDATE in ISO's forms. False: *ret_reason. */
bool rrule_time_parse(Arena *arena, Str text, int64_t *ret_wall, bool *ret_has_zone, Str *ret_reason) MUST_CHECK;

enum { YEAR_WORDS = 6, YEAR_KINDS = 28 };

/* The days of a year that a rule means, a bit for each: bit 0 is January 1st, the first seven of the next year are there too. */
typedef struct DayBits {
    bool known;
    unsigned failing;       /* bit n: periods that begin in month n (from 1) cannot be followed, dateutil fails there */
    uint64_t bits[YEAR_WORDS];
} DayBits;

/* The present year of a rule. But for Easter, years of the same weekdays and leap days around have the same days. */
typedef struct YearDays {
    int year, length;
    int64_t first;          /* day since 1970 */
    DayBits now, kinds[YEAR_KINDS];
} YearDays;

/* Takes from *steps what it costs. False: the rule cannot be followed in this year. */
bool year_days_set(YearDays *days, const Rule *rule, int year, int64_t *steps) MUST_CHECK;
/* The first day from `day` on that the rule means; INT_MAX where the year has no more. */
int year_days_next(const YearDays *days, int day) MUST_CHECK;

#endif
