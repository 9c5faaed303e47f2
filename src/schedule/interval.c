/* schedule/interval.c -- dates at equal distances from an anchor. Whole days are added on the wall clock, the rest in real time. */
#include "schedule/rules.h"

#include <math.h>

/* Numbers go through double, and fractions of a second are rounded half to even, as Python does it: an anchor of long ago
 * must give the same microsecond. */
static int64_t microseconds(double seconds)
{
    double whole, fraction = modf(seconds, &whole);
    return (int64_t)whole * SECOND + (int64_t)nearbyint(fraction * (double)SECOND);
}

/* The rest of seconds / 60 first, as pendulum splits a duration before it adds it. */
static int64_t duration(double seconds)
{
    double size = fabs(seconds), rest = fmod(size, 60.0);
    int64_t us = (int64_t)((size - rest) / 60.0 + 0.5) * 60 * SECOND + microseconds(rest);
    return seconds < 0 ? -us : us;
}

static Local step(const Zone *zone, Local from, int64_t days, double seconds)
{
    if (days != 0)
        return local_from_wall(zone, from.wall + days * DAY_US + duration(seconds));
    return local_from_utc(zone, local_moment(zone, from).us + duration(seconds));
}

void interval_dates(Dates *dates, const Schedule *schedule)
{
    const Time far = (Time)253402300800 * SECOND; /* the year 10000 */
    const Zone *zone = &dates->zone;
    double interval = (double)schedule->interval / (double)SECOND;
    int64_t days = schedule->interval / DAY_US;
    double rest = interval - (double)(days * 86400);
    double steps = trunc((double)(dates->start - schedule->anchor.us) / (double)SECOND / interval);
    if (!(fabs(interval * steps) < 4e11) || days > 3652059) /* beyond the years of Python */
        return;
    Local next = local_from_utc(zone, schedule->anchor.us + duration(interval * steps));
    Local start = local_from_utc(zone, dates->start);
    while (next.wall < start.wall)
        next = step(zone, next, days, rest);
    while (next.wall < far && dates_add(dates, next))
        next = step(zone, next, days, rest);
}
