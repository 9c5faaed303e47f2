/* schedule/schedule.c -- dates of whichever kind. */
#include "schedule/schedule.h"

#include "schedule/rules.h"
#include "schedule/zone_names.h"

enum { TRIES_MAX = 1000 }; /* the reference looks at so many candidates */

bool timezone_exists(Arena *arena, Str name)
{
    Zone zone;
    Error ignored = { .code = ERR_NONE };
    return name.n > 0 && (zone_name_is_known(name) || zone_load(arena, name, &zone, &ignored));
}

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

bool schedule_dates(Arena *arena, const Schedule *schedule, size_t n, Time start, Time end, Moment *ret_dates, size_t *ret_count, Error *error)
{
    Dates dates = { .arena = arena, .start = start, .end = INT64_MAX, .end_wall = INT64_MAX, .found = ret_dates, .most = n };
    Cron cron;
    RuleSet rules;
    Str reason;
    *ret_count = 0;
    if (n == 0)
        return true;
    if (!zone_load(arena, schedule->timezone, &dates.zone, error))
        return false;
    if (end != TIME_NULL) {
        dates.end = end;
        dates.end_wall = local_from_utc(&dates.zone, end).wall;
    }
    switch (schedule->kind) {
    case SCHEDULE_INTERVAL:
        if (schedule->interval <= 0)
            return fail(error, ERR_INVALID, "The interval must be positive");
        interval_dates(&dates, schedule);
        break;
    case SCHEDULE_CRON:
        if (!cron_parse(arena, schedule->cron, &cron))
            return fail(error, ERR_INVALID, "Invalid cron string: \"%.*s\"", STR_ARG(schedule->cron));
        cron_dates(&dates, &cron, schedule->day_or);
        break;
    case SCHEDULE_RRULE:
        if (!rrule_parse(arena, schedule->rrule, local_from_utc(&dates.zone, schedule->created).wall, &rules, &reason))
            return fail(error, ERR_INVALID, "Invalid RRule string: %.*s", STR_ARG(reason));
        rrule_dates(&dates, &rules);
        break;
    }
    *ret_count = dates.count;
    return true;
}
