/* schedule/schedule.c -- reads a schedule of any kind and finds its dates. */
#include "schedule/schedule.h"

#include "schedule/cron.h"
#include "schedule/rrule.h"

bool schedule_dates(Arena *arena, const Schedule *schedule, size_t n, Time start, Time end, Moment *ret_dates,
                    size_t *ret_count, Error *error)
{
    Dates dates = { .arena = arena, .start = start, .found = ret_dates, .most = n };
    dates.end = dates.end_wall = INT64_MAX;
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
