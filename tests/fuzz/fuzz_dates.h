/* tests/fuzz/fuzz_dates.h -- what holds for the dates of every kind of schedule: they lie within the bounds, and a
 * later look finds the same ones. The first line of an input is the time zone. */
#ifndef ORION_FUZZ_DATES_H
#define ORION_FUZZ_DATES_H

#include "fuzz.h"

#include "base/unicode.h"
#include "schedule/schedule.h"
#include "schedule/zone.h"

enum { DATES = 20, DAY_SECONDS = 86400 };
/* March 2026 to March 2030 */
static const Time START = INT64_C(1773000000) * SECOND, END = INT64_C(1899000000) * SECOND;

static inline size_t find_dates(Arena *arena, const Schedule *schedule, Time start, Moment *dates)
{
    size_t count = 0;
    Error error = { .code = ERR_NONE };
    if (!schedule_dates(arena, schedule, DATES, start, END, dates, &count, &error)) {
        must(error.message[0] != '\0');
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        must(dates[i].us >= start && dates[i].us <= END + DAY_SECONDS * SECOND);
    return count;
}

static inline bool is_among(const Moment *dates, size_t count, Moment date)
{
    for (size_t i = 0; i < count; i++)
        if (dates[i].us == date.us && dates[i].offset == date.offset)
            return true;
    return false;
}

/* Of the hours that a clock shows twice, or not at all, cron finds those that the reference finds: which these are
 * depends on where it begins. */
static inline bool depends_on_start(Arena *arena, const Schedule *schedule, Moment date)
{
    Zone zone;
    Error error = { .code = ERR_NONE };
    must(zone_load(arena, schedule->timezone, &zone, &error));
    return schedule->kind == SCHEDULE_CRON
        && zone_offset(&zone, date.us - DAY_SECONDS * SECOND) != zone_offset(&zone, date.us + DAY_SECONDS * SECOND);
}

/* Returns how many there are. */
static inline size_t check_dates(Arena *arena, const Schedule *schedule, Moment *ret_dates)
{
    Moment later[DATES];
    size_t count = find_dates(arena, schedule, START, ret_dates);
    if (count < 2)
        return count;
    size_t later_count = find_dates(arena, schedule, ret_dates[1].us, later);
    for (size_t i = 1; i < count; i++)
        must(ret_dates[i].us < ret_dates[1].us || is_among(later, later_count, ret_dates[i])
             || depends_on_start(arena, schedule, ret_dates[i]));
    return count;
}

/* Two schedules that say the same in different words. */
static inline void check_same_dates(Arena *arena, const Schedule *other, const Moment *dates, size_t count)
{
    Moment found[DATES];
    must(find_dates(arena, other, START, found) == count);
    for (size_t i = 0; i < count; i++)
        must(found[i].us == dates[i].us && found[i].offset == dates[i].offset);
}

#endif
