/* schedule/cron_dates.c -- the next time that matches a cron expression, searched for step by step like croniter: how
 * it skips decides what becomes of days that a month lacks, and of hours that the clocks skip or show twice. */
#include "schedule/cron.h"

enum { YEARS_MAX = 50, STEPS_MAX = 200000 }; /* how far ahead a date may be */

/* A wall clock time that is moved forward, and the expression that it is moved by. */
typedef struct Search {
    const Cron *cron;
    bool any_day, any_weekday; /* not restricted; if either will do, each of two searches leaves one out */
    int64_t day;               /* since 1970 */
    Civil c;
} Search;

/* A wall clock time and its offset, together an instant. */
typedef struct Aware {
    int64_t wall;
    int32_t offset;
} Aware;

static Time utc_of(Aware a)
{
    return a.wall - a.offset * SECOND;
}

static void set_day(Search *s, int64_t day)
{
    s->day = day;
    civil_from_days(day, &s->c);
    s->c.hour = s->c.minute = s->c.second = 0;
}

/* How far it is from x to the next value of the field; past its last one, to the first of the next round of `range`. */
static int distance(const CronField *field, int x, int range)
{
    for (int i = 0; i < field->count; i++) {
        if (field->values[i] <= range && field->values[i] >= x)
            return field->values[i] - x;
    }
    if (field->last)
        return range - x;
    return field->values[0] - x + range;
}

/* Each move_… returns true if it had to move. */

static bool move_year(Search *s, bool *ret_past)
{
    const CronField *field = &s->cron->field[CRON_YEAR];
    if (s->cron->fields < CRON_FIELDS || field->any)
        return false;
    for (int i = 0; i < field->count; i++) {
        if (field->values[i] == s->c.year)
            return false;
        if (field->values[i] > s->c.year) {
            set_day(s, civil_days(field->values[i], 1, 1));
            return true;
        }
    }
    *ret_past = true;
    return true;
}

static bool move_month(Search *s)
{
    const CronField *field = &s->cron->field[CRON_MONTH];
    int months = field->any ? 0 : distance(field, s->c.month, 12);
    if (months == 0)
        return false;
    int month = s->c.month - 1 + months;
    set_day(s, civil_days(s->c.year + month / 12, month % 12 + 1, 1));
    return true;
}

static bool move_days(Search *s, int days)
{
    if (days == 0)
        return false;
    set_day(s, s->day + days);
    return true;
}

static int weekday_of(int64_t day) /* Sunday 0 */
{
    return (int)(((day + 4) % 7 + 7) % 7);
}

/* The workday nearest to the month's day, in the same month. */
static int nearest_workday(const Search *s)
{
    int last = civil_month_days(s->c.year, s->c.month);
    int day = s->cron->nearest_weekday < last ? s->cron->nearest_weekday : last;
    int weekday = weekday_of(s->day - s->c.day + day);
    if (weekday == 6)
        return day > 1 ? day - 1 : day + 2;
    if (weekday == 0)
        return day < last ? day + 1 : day - 2;
    return day;
}

static int days_to_next_month(const Search *s)
{
    return civil_month_days(s->c.year, s->c.month) - s->c.day + 1;
}

static bool move_day(Search *s)
{
    const CronField *field = &s->cron->field[CRON_DAY];
    int last = civil_month_days(s->c.year, s->c.month);
    if (s->cron->nearest_weekday) {
        int day = nearest_workday(s);
        return move_days(s, day >= s->c.day ? day - s->c.day : days_to_next_month(s));
    }
    if (s->any_day || (field->last && s->c.day == last))
        return false;
    return move_days(s, distance(field, s->c.day, last));
}

/* Moves to the next of the weekdays that are given by their number in the month. */
static bool move_nth_weekday(Search *s)
{
    int last = civil_month_days(s->c.year, s->c.month), best = 0;
    for (int weekday = 0; weekday < 7; weekday++) {
        int first = 1 + (weekday - weekday_of(s->day - s->c.day + 1) + 7) % 7;
        for (int nth = 0; nth <= 5; nth++) {
            int day = nth ? first + (nth - 1) * 7 : first + (last - first) / 7 * 7;
            bool asked = s->cron->nth[weekday] >> nth & 1;
            if (asked && day <= last && day >= s->c.day && (best == 0 || day < best))
                best = day;
        }
    }
    return move_days(s, best ? best - s->c.day : days_to_next_month(s));
}

static bool move_weekday(Search *s)
{
    if (s->cron->has_nth)
        return move_nth_weekday(s);
    return !s->any_weekday && move_days(s, distance(&s->cron->field[CRON_WEEKDAY], weekday_of(s->day), 7));
}

static bool move_hour(Search *s)
{
    const CronField *field = &s->cron->field[CRON_HOUR];
    int hours = field->any ? 0 : distance(field, s->c.hour, 24);
    if (hours == 0)
        return false;
    int hour = s->c.hour + hours;
    if (hour >= 24)
        set_day(s, s->day + 1);
    s->c.hour = hour % 24;
    s->c.minute = s->c.second = 0;
    return true;
}

static void add_seconds(Search *s, int seconds)
{
    int total = s->c.hour * 3600 + s->c.minute * 60 + s->c.second + seconds;
    if (total >= 86400)
        set_day(s, s->day + 1);
    s->c.hour = total / 3600 % 24;
    s->c.minute = total / 60 % 60;
    s->c.second = total % 60;
}

static bool move_minute(Search *s)
{
    const CronField *field = &s->cron->field[CRON_MINUTE];
    int minutes = field->any ? 0 : distance(field, s->c.minute, 60);
    if (minutes == 0)
        return false;
    s->c.second = 0;
    add_seconds(s, minutes * 60);
    return true;
}

static bool move_second(Search *s)
{
    const CronField *field = &s->cron->field[CRON_SECOND];
    if (s->cron->fields == 5) {
        s->c.second = 0;
        return false;
    }
    int seconds = field->any ? 0 : distance(field, s->c.second, 60);
    if (seconds == 0)
        return false;
    add_seconds(s, seconds);
    return true;
}

/* The first time on the wall clock after `wall` that matches the expression. */
static bool search(Search *s, int64_t wall, int64_t *ret_wall)
{
    int64_t unit = s->cron->fields > 5 ? SECOND : 60 * SECOND;
    wall += unit;
    wall -= (wall % unit + unit) % unit;
    s->c = civil_from_time(wall, 0);
    s->day = civil_days(s->c.year, s->c.month, s->c.day);
    int first_year = s->c.year;
    bool past = false;
    /* Invariant: nothing between `wall` and s->c is a date. A field that moves resets the smaller ones. */
    for (int i = 0; i < STEPS_MAX && s->c.year - first_year <= YEARS_MAX && s->c.year <= 9999; i++) {
        if (move_year(s, &past)) {
            if (past)
                return false;
        } else if (!(move_month(s) || move_day(s) || move_weekday(s) ||
                     move_hour(s) || move_minute(s) || move_second(s))) {
            *ret_wall = civil_to_time(&s->c);
            return true;
        }
    }
    return false;
}

static bool is_after(Aware a, Aware b)
{
    return utc_of(a) > utc_of(b);
}

/* The instant that `wall` means: of two, the first that is after `previous`; if there is none, the next
 * minute that exists, and false. */
static bool settle(const Zone *zone, int64_t wall, Aware previous, Aware *ret)
{
    WallMeaning meaning = zone_wall(zone, wall);
    bool exists = meaning.kind != WALL_NEVER;
    while (meaning.kind == WALL_NEVER) {
        wall += 60 * SECOND;
        meaning = zone_wall(zone, wall);
    }
    *ret = (Aware){ wall, meaning.before };
    if (meaning.kind == WALL_TWICE && !is_after(*ret, previous))
        ret->offset = meaning.after;
    return exists;
}

/* If the offset changed on the way, the old clock's reading may match at an earlier time: the
 * clocks went back over it. */
static bool try_other_offset(const Zone *zone, Search *s, Aware now, Aware *found)
{
    Aware other;
    int64_t wall;
    int32_t change = found->offset - now.offset;
    if (change == 0)
        return true;
    if (!search(s, now.wall + change * SECOND, &wall))
        return false;
    if (settle(zone, wall, now, &other) && is_after(other, now) && is_after(*found, other))
        *found = other;
    return true;
}

static bool next_date(const Zone *zone, Search *s, Aware now, Aware *ret)
{
    int64_t wall;
    if (!search(s, now.wall, &wall))
        return false;
    bool exists = settle(zone, wall, now, ret);
    bool stays = is_after(*ret, now) && !s->cron->field[CRON_HOUR].any;
    while (!exists && !stays) {
        if (!search(s, wall, &wall))
            return false;
        exists = settle(zone, wall, now, ret);
    }
    return try_other_offset(zone, s, now, ret);
}

/* If both a day and a weekday are given, either will do: the earlier result of two searches. A side that finds nothing
 * is ignored, unless the expression has "5#2" or "15W", which count on both sides. */
static bool next_of_either(const Zone *zone, const Cron *cron, Aware now, Aware *ret)
{
    Search by_day = { .cron = cron, .any_weekday = true }, by_weekday = { .cron = cron, .any_day = true };
    Aware a, b;
    bool has_a = next_date(zone, &by_day, now, &a), has_b = next_date(zone, &by_weekday, now, &b);
    bool apart = !cron->has_nth && !cron->nearest_weekday;
    if (has_a && has_b)
        *ret = utc_of(a) < utc_of(b) ? a : b;
    else
        *ret = has_a ? a : b;
    return apart ? has_a || has_b : has_a && has_b;
}

void cron_dates(Dates *dates, const Cron *cron, bool day_or)
{
    const Zone *zone = &dates->zone;
    bool any_day = cron->field[CRON_DAY].any, any_weekday = cron->field[CRON_WEEKDAY].any;
    /* From a second before, so that the start itself may be a date; with a fraction, from the fraction on. */
    int64_t wall = local_from_utc(zone, dates->start - SECOND).wall;
    Aware now = { wall, zone_wall(zone, wall).after };
    Time at = utc_of(now) + (dates->start % SECOND ? SECOND : 0);
    bool found;
    do {
        now.offset = zone_offset(zone, at);
        now.wall = at + now.offset * SECOND;
        Search s = { .cron = cron, .any_day = any_day, .any_weekday = any_weekday };
        Aware next;
        if (!any_day && !any_weekday && day_or)
            found = next_of_either(zone, cron, now, &next);
        else
            found = next_date(zone, &s, now, &next);
        if (!found)
            return;
        at = utc_of(next);
        found = dates_add(dates, local_from_wall(zone, next.wall));
    } while (found);
}
