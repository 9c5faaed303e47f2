/* schedule/rrule_days.c -- the days of a year that a recurrence rule means, as dateutil's masks have them. */
#include "schedule/rules.h"

static int modulo(int a, int b)
{
    return (a % b + b) % b;
}

static int weekday_at(const YearDays *y, int day)
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

static void set_calendar(YearDays *y)
{
    int i = 0;
    for (int month = 1; month <= 13; month++) {
        int length = month == 13 ? 31 : civil_month_days(y->year, month);
        for (int day = 1; day <= length && i < y->length + 7; day++, i++) {
            y->months[i] = (unsigned char)(month == 13 ? 1 : month);
            y->days[i] = (signed char)day;
            y->days_left[i] = (signed char)(day - length - 1);
        }
    }
}

/* ---- weeks by number ---- */

/* Where weeks begin: `first` is the first day of the year that begins a week, `week1` the day that week 1 begins or goes on. */
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

static void mark_week(YearDays *y, const Rule *rule, int day)
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

/* The days before week 1, which are in the last week of the year before. */
static void mark_last_week_before(YearDays *y, const Rule *rule, const Weeks *w)
{
    int number = -1;
    if (!contains(&rule->by[BY_WEEKNO], -1)) {
        int weekday = first_weekday_of(y->year - 1), length = year_length(y->year - 1);
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

static void set_weeks(YearDays *y, const Rule *rule)
{
    const Ints *numbers = &rule->by[BY_WEEKNO];
    Weeks w = weeks_of(y->length, y->first_weekday, rule->week_start);
    memset(y->weekno, 0, sizeof y->weekno);
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

/* ---- Easter ---- */

/* Of the western churches, by the rule of Meeus, as an index into the year. */
static int easter_of(const YearDays *y)
{
    int golden = y->year % 19, century = y->year / 100, rest = y->year % 100;
    int moon = (19 * golden + century - century / 4 - (century - (century + 8) / 25 + 1) / 3 + 15) % 30;
    int sunday = (32 + 2 * (century % 4) + 2 * (rest / 4) - moon - rest % 4) % 7;
    int late = (golden + 11 * moon + 22 * sunday) / 451;
    int sum = moon + sunday - 7 * late + 114;
    return (int)(civil_days(y->year, sum / 31, sum % 31 + 1) - y->first);
}

/* Days before the year's start count from its end, as indices do in Python. */
static bool set_easter(YearDays *y, const Rule *rule)
{
    int easter = easter_of(y), n = y->length + 7;
    memset(y->easter, 0, sizeof y->easter);
    for (int i = 0; i < rule->by[BY_EASTER].count; i++) {
        int day = easter + rule->by[BY_EASTER].values[i];
        if (day < 0)
            day += n;
        if (day < 0 || day >= n)
            return false;
        y->easter[day] = true;
    }
    return true;
}

/* ---- the n-th weekday of a month or year ---- */

static bool mark_nth(YearDays *y, const Rule *rule, int first, int end)
{
    int last = end - 1;
    for (size_t i = 0; i < rule->nth_count; i++) {
        int n = rule->nth[i].n, weekday = rule->nth[i].weekday;
        int day = n < 0 ? last + (n + 1) * 7 : first + (n - 1) * 7, room = 385 - y->first_weekday;
        if (day >= room || day < -room) /* beyond the table of weekdays that dateutil has; it fails then */
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

static bool mark_month_nth(YearDays *y, const Rule *rule, int month)
{
    if (month < 1 || month > 12)
        return false;
    int first = (int)(civil_days(y->year, month, 1) - y->first);
    return mark_nth(y, rule, first, first + civil_month_days(y->year, month));
}

static bool set_nth(YearDays *y, const Rule *rule, int month)
{
    const Ints *months = &rule->by[BY_MONTH];
    memset(y->nth, 0, sizeof y->nth);
    if (rule->frequency == MONTHLY)
        return mark_month_nth(y, rule, month);
    if (!months->given)
        return mark_nth(y, rule, 0, y->length);
    for (int i = 0; i < months->count; i++) {
        if (!mark_month_nth(y, rule, months->values[i]))
            return false;
    }
    return true;
}

bool year_days_set(YearDays *y, const Rule *rule, int year, int month)
{
    bool new_year = year != y->year;
    if (new_year) {
        y->year = year;
        y->length = year_length(year);
        y->first = civil_days(year, 1, 1);
        y->first_weekday = first_weekday_of(year);
        set_calendar(y);
        if (rule->by[BY_WEEKNO].given)
            set_weeks(y, rule);
    }
    if (rule->nth_count && (new_year || month != y->month) && !set_nth(y, rule, month))
        return false;
    y->month = month;
    return !new_year || !rule->by[BY_EASTER].given || set_easter(y, rule);
}

/* Days of the month are asked for from its start and from its end; 0 asks for nothing. */
static bool has_month_day(const YearDays *y, const Ints *list, int day)
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

static bool has_year_day(const YearDays *y, const Ints *list, int day)
{
    if (day < y->length)
        return contains(list, day + 1) || contains(list, day - y->length);
    return contains(list, day + 1 - y->length) || contains(list, day - y->length - year_length(y->year + 1));
}

bool year_days_has(const YearDays *y, const Rule *rule, int day)
{
    const Ints *by = rule->by;
    if (by[BY_MONTH].given && !contains(&by[BY_MONTH], y->months[day]))
        return false;
    if (rule->weekdays && !(rule->weekdays >> weekday_at(y, day) & 1))
        return false;
    if ((by[BY_WEEKNO].given && !y->weekno[day]) || (rule->nth_count && !y->nth[day]) || (by[BY_EASTER].given && !y->easter[day]))
        return false;
    if (by[BY_MONTHDAY].given && !has_month_day(y, &by[BY_MONTHDAY], day))
        return false;
    return !by[BY_YEARDAY].given || has_year_day(y, &by[BY_YEARDAY], day);
}
