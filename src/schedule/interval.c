/* schedule/interval.c -- dates at equal distances from an anchor: the n-th date is the anchor plus n times the
 * interval. Whole days are added on the wall clock, the rest in real time. The reference counts from wherever it
 * starts, so that around a clock change each pass has dates of its own. */
#include "schedule/dates.h"

static Moment date_at(const Zone *zone, const Schedule *schedule, int64_t n)
{
    int64_t days = schedule->interval / DAY_US, rest = schedule->interval % DAY_US;
    Local local = local_from_utc(zone, schedule->anchor.us);
    if (days != 0 && n != 0)
        local = local_from_wall(zone, local.wall + n * days * DAY_US);
    Time us = local_moment(zone, local).us + n * rest;
    return (Moment){ us, zone_offset(zone, us) };
}

void interval_dates(Dates *dates, const Schedule *schedule)
{
    /* Whatever a zone's history, its offsets differ by less than two days: no date is farther from
     * what real time alone gives. */
    const int64_t slack = 2 * DAY_US, interval = schedule->interval, from_anchor = dates->start - schedule->anchor.us;
    const int64_t first = -floor_div(schedule->anchor.us - TIME_FIRST + slack, interval);
    const int64_t last = floor_div(TIME_END - schedule->anchor.us + slack, interval);
    int64_t n = floor_div(interval < DAY_US ? from_anchor : from_anchor - slack, interval);
    for (n = n < first ? first : n; n <= last; n++) {
        Moment date = date_at(&dates->zone, schedule, n);
        if (date.us >= dates->start && (date.us >= TIME_END || !dates_add_moment(dates, date)))
            return;
    }
}
