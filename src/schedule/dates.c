/* schedule/dates.c -- collects the candidates of a schedule, one after another, until there are enough. */
#include "schedule/dates.h"

enum { TRIES_MAX = 1000 }; /* as many candidates as the reference tries */

/* Did an earlier date show the same on the wall clock? The reference drops the second of two such dates. */
static bool is_repeated(const Dates *dates, int64_t wall)
{
    for (size_t i = dates->count; i-- > 0;) {
        int64_t earlier = dates->found[i].us + dates->found[i].offset * SECOND;
        if (earlier == wall)
            return true;
        if (earlier < wall - DAY_US)
            return false;
    }
    return false;
}

bool dates_add(Dates *dates, Local local)
{
    if (local.wall > dates->end_wall)
        return false;
    if (!is_repeated(dates, local.wall))
        dates->found[dates->count++] = local_moment(&dates->zone, local);
    return dates->count < dates->most && dates->tries++ <= TRIES_MAX;
}

bool dates_add_moment(Dates *dates, Moment date)
{
    if (date.us > dates->end)
        return false;
    if (dates->count == 0 || dates->found[dates->count - 1].us != date.us)
        dates->found[dates->count++] = date;
    return dates->count < dates->most && dates->tries++ <= TRIES_MAX;
}
