/* schedule/rrule_days.c -- the days of a year that a recurrence rule selects, as in dateutil's masks. They are found
 * once for each kind of year, so that years without days cost next to nothing. */
#include "schedule/rrule.h"

#include <limits.h>

enum { FILL_STEPS = 400 }; /* what finding them costs, in the steps of rrule_dates.c */

/* A year while its days are being found. */
typedef struct Year {
    int number, length;
    int64_t first;          /* day since 1970 */
    int first_weekday;      /* Monday 0 */
    unsigned char months[373];
    signed char days[373], days_left[373]; /* of the month, from its start and (negative) from its end */
    bool weekno[380], nth[373];
} Year;

static int modulo(int a, int b)
{
    return (a % b + b) % b;
}

static int weekday_at(const Year *y, int day)
{
    return modulo(y->first_weekday + day, 7);
}

static bool contains(const Ints *list, int value)
{
    for (int i = 0; i < list->count; i++) {
        if (list->values[i] == value)
            return true;
    }
    return false;
}

static int year_length(int year)
{
    return 365 + civil_is_leap(year);
}

static int first_weekday_of(int year)
{
    int64_t day = civil_days(year, 1, 1) + 3; /* 1970 began on a Thursday */
    return (int)((day % 7 + 7) % 7);
}

static void set_calendar(Year *y)
{
    int i = 0;
    for (int month = 1; month <= 13; month++) {
        int length = month == 13 ? 31 : civil_month_days(y->number, month);
        for (int day = 1; day <= length && i < y->length + 7; day++, i++) {
            y->months[i] = (unsigned char)(month == 13 ? 1 : month);
            y->days[i] = (signed char)day;
            y->days_left[i] = (signed char)(day - length - 1);
        }
    }
}

/* ---- weeks by number ---- */

/* `first`: the first day of the year that begins a week. `week1`: the first day of the year that is in week 1. */
typedef struct Weeks { int first, week1, count; } Weeks;

static Weeks weeks_of(int length, int first_weekday, int week_start)
{
    Weeks w;
    w.first = w.week1 = modulo(7 - first_weekday + week_start, 7);
    int days = length - w.week1;
    if (w.week1 >= 4) { /* the days before belong to week 1 */
        w.week1 = 0;
        days = length + modulo(first_weekday - week_start, 7);
    }
    w.count = days / 7 + days % 7 / 4;
    return w;
}

static void mark_week(Year *y, const RecurrenceRule *rule, int day)
{
    for (int i = 0; i < 7 && day < (int)COUNT_OF(y->weekno); i++) {
        y->weekno[day++] = true;
        if (weekday_at(y, day) == rule->week_start)
            break;
    }
}

static int day_of_week(const Weeks *w, int number)
{
    int day = w->week1 + (number - 1) * 7;
    return number > 1 && w->week1 != w->first ? day - (7 - w->first) : day;
}

/* Marks the days before week 1, which are in the last week of the year before. */
static void mark_last_week_before(Year *y, const RecurrenceRule *rule, const Weeks *w)
{
    int number = -1;
    if (!contains(&rule->by[BY_WEEKNO], -1)) {
        int weekday = first_weekday_of(y->number - 1), length = year_length(y->number - 1);
        if (modulo(7 - weekday + rule->week_start, 7) >= 4)
            number = 52 + modulo(length + modulo(weekday - rule->week_start, 7), 7) / 4;
        else
            number = 52 + modulo(y->length - w->week1, 7) / 4;
    }
    if (!contains(&rule->by[BY_WEEKNO], number))
        return;
    for (int day = 0; day < w->week1; day++)
        y->weekno[day] = true;
}

static void set_weeks(Year *y, const RecurrenceRule *rule)
{
    const Ints *numbers = &rule->by[BY_WEEKNO];
    Weeks w = weeks_of(y->length, y->first_weekday, rule->week_start);
    for (int i = 0; i < numbers->count; i++) {
        int number = numbers->values[i] < 0 ? numbers->values[i] + w.count + 1 : numbers->values[i];
        if (number > 0 && number <= w.count)
            mark_week(y, rule, day_of_week(&w, number));
    }
    if (contains(numbers, 1)) { /* week 1 of the next year may begin in this one */
        int day = w.week1 + w.count * 7 - (w.week1 != w.first ? 7 - w.first : 0);
        if (day < y->length)
            mark_week(y, rule, day);
    }
    if (w.week1)
        mark_last_week_before(y, rule, &w);
}

/* ---- the n-th weekday of a month or year ---- */

static bool mark_nth(Year *y, const RecurrenceRule *rule, int first, int end)
{
    int last = end - 1;
    for (size_t i = 0; i < rule->nth_count; i++) {
        int n = rule->nth[i].n, weekday = rule->nth[i].weekday;
        int day = n < 0 ? last + (n + 1) * 7 : first + (n - 1) * 7, room = 385 - y->first_weekday;
        if (day >= room || day < -room) /* beyond dateutil's table of weekdays, where it fails */
            return false;
        if (n < 0)
            day -= modulo(weekday_at(y, day) - weekday, 7);
        else
            day += modulo(7 - weekday_at(y, day) + weekday, 7);
        if (day >= first && day <= last)
            y->nth[day] = true;
    }
    return true;
}

static bool mark_month_nth(Year *y, const RecurrenceRule *rule, int month)
{
    if (month < 1 || month > 12)
        return false;
    int first = (int)(civil_days(y->number, month, 1) - y->first);
    return mark_nth(y, rule, first, first + civil_month_days(y->number, month));
}

/* In MONTHLY rules, for each month. Returns DayBits.failing. */
static unsigned set_nth(Year *y, const RecurrenceRule *rule)
{
    const Ints *months = &rule->by[BY_MONTH];
    unsigned failing = 0;
    if (rule->frequency == MONTHLY) {
        for (int month = 1; month <= 12; month++)
            failing |= mark_month_nth(y, rule, month) ? 0 : 1u << month;
        return failing;
    }
    if (!months->given)
        return mark_nth(y, rule, 0, y->length) ? 0 : UINT_MAX;
    for (int i = 0; i < months->count; i++) {
        if (!mark_month_nth(y, rule, months->values[i]))
            return UINT_MAX;
    }
    return 0;
}

/* ---- all together ---- */

/* Days count from the month's start, or negative from its end; 0 is ignored, and a list of zeros selects every day. */
static bool has_month_day(const Year *y, const Ints *list, int day)
{
    bool asked = false;
    for (int i = 0; i < list->count; i++) {
        int value = list->values[i];
        asked |= value != 0;
        if (value != 0 && (value == y->days[day] || value == y->days_left[day]))
            return true;
    }
    return !asked;
}

static bool has_year_day(const Year *y, const Ints *list, int day)
{
    if (day < y->length)
        return contains(list, day + 1) || contains(list, day - y->length);
    return contains(list, day + 1 - y->length) || contains(list, day - y->length - year_length(y->number + 1));
}

static bool has_day(const Year *y, const RecurrenceRule *rule, int day)
{
    const Ints *by = rule->by;
    if (by[BY_MONTH].given && !contains(&by[BY_MONTH], y->months[day]))
        return false;
    if (rule->weekdays && !(rule->weekdays >> weekday_at(y, day) & 1))
        return false;
    if ((by[BY_WEEKNO].given && !y->weekno[day]) || (rule->nth_count && !y->nth[day]))
        return false;
    if (by[BY_MONTHDAY].given && !has_month_day(y, &by[BY_MONTHDAY], day))
        return false;
    return !by[BY_YEARDAY].given || has_year_day(y, &by[BY_YEARDAY], day);
}

static void find_days(const RecurrenceRule *rule, int year, DayBits *ret)
{
    Year y = { .number = year, .length = year_length(year), .first = civil_days(year, 1, 1) };
    y.first_weekday = first_weekday_of(year);
    *ret = (DayBits){ .known = true };
    set_calendar(&y);
    if (rule->by[BY_WEEKNO].given)
        set_weeks(&y, rule);
    if (rule->nth_count)
        ret->failing = set_nth(&y, rule);
    for (int day = 0; day < y.length + 7; day++) {
        if (has_day(&y, rule, day))
            ret->bits[day / 64] |= UINT64_C(1) << day % 64;
    }
}

/* What the days depend on: the weekday of January 1st, and whether this year, the last or the next is a leap year. */
static int kind_of(int year)
{
    int leap = civil_is_leap(year) ? 1 : civil_is_leap(year - 1) ? 2 : civil_is_leap(year + 1) ? 3 : 0;
    return 4 * first_weekday_of(year) + leap;
}

/* Easter of the western churches, by the rule of Meeus, as an index into the year. */
static int easter_of(const YearDays *days)
{
    int golden = days->year % 19, century = days->year / 100, rest = days->year % 100;
    int moon = (19 * golden + century - century / 4 - (century - (century + 8) / 25 + 1) / 3 + 15) % 30;
    int sunday = (32 + 2 * (century % 4) + 2 * (rest / 4) - moon - rest % 4) % 7;
    int late = (golden + 11 * moon + 22 * sunday) / 451;
    int sum = moon + sunday - 7 * late + 114;
    return (int)(civil_days(days->year, sum / 31, sum % 31 + 1) - days->first);
}

/* Days before the year's start count from its end, as indices do in Python. */
static bool keep_easter(YearDays *days, const RecurrenceRule *rule)
{
    uint64_t asked[YEAR_WORDS] = { 0 };
    int easter = easter_of(days), n = days->length + 7;
    for (int i = 0; i < rule->by[BY_EASTER].count; i++) {
        int day = easter + rule->by[BY_EASTER].values[i];
        if (day < 0)
            day += n;
        if (day < 0 || day >= n)
            return false;
        asked[day / 64] |= UINT64_C(1) << day % 64;
    }
    for (int i = 0; i < YEAR_WORDS; i++)
        days->now.bits[i] &= asked[i];
    return true;
}

bool year_days_set(YearDays *days, const RecurrenceRule *rule, int year, int64_t *steps)
{
    if (year == days->year)
        return true;
    DayBits *kind = &days->kinds[kind_of(year)];
    if (!kind->known) {
        *steps -= FILL_STEPS;
        find_days(rule, year, kind);
    }
    *steps -= 1 + rule->by[BY_EASTER].count;
    days->year = year;
    days->length = year_length(year);
    days->first = civil_days(year, 1, 1);
    days->now = *kind;
    return !rule->by[BY_EASTER].given || keep_easter(days, rule);
}

int year_days_next(const YearDays *days, int day)
{
    for (int i = day / 64; i < YEAR_WORDS; i++) {
        uint64_t bits = days->now.bits[i];
        if (i == day / 64)
            bits &= UINT64_MAX << day % 64;
        if (bits)
            return 64 * i + __builtin_ctzll(bits);
    }
    return INT_MAX;
}
