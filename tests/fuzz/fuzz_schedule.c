/* tests/fuzz/fuzz_schedule.c -- schedules: the first line is "c" and a time zone for a cron expression, "r" and one for
 * a rule; the rest is its text. What is taken has dates within its bounds, and the same ones for a later look. */
#include "fuzz.h"

#include "base/unicode.h"
#include "schedule/schedule.h"

enum { DATES = 20 };
/* March 2026 to March 2030 */
static const Time START = INT64_C(1773000000) * SECOND, END = INT64_C(1899000000) * SECOND;

static size_t find_dates(Arena *arena, const Schedule *schedule, Time start, Moment *dates)
{
    size_t count = 0;
    Error error = { .code = ERR_NONE };
    if (!schedule_dates(arena, schedule, DATES, start, END, dates, &count, &error)) {
        must(error.message[0] != '\0');
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        must(dates[i].us >= start && dates[i].us <= END + 86400 * SECOND);
    return count;
}

static bool is_among(const Moment *dates, size_t count, Moment date)
{
    for (size_t i = 0; i < count; i++)
        if (dates[i].us == date.us && dates[i].offset == date.offset)
            return true;
    return false;
}

static void check_dates(Arena *arena, const Schedule *schedule)
{
    Moment first[DATES], later[DATES];
    size_t count = find_dates(arena, schedule, START, first);
    if (count < 2)
        return;
    size_t later_count = find_dates(arena, schedule, first[1].us, later);
    for (size_t i = 1; i < count; i++)
        must(first[i].us < first[1].us || is_among(later, later_count, first[i]));
}

static bool is_taken(Arena *arena, const Schedule *schedule)
{
    Str reason = STR_NULL;
    if (schedule->kind == SCHEDULE_CRON)
        return cron_check(arena, schedule->cron);
    return rrule_check(arena, schedule->rrule, &reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Str rest = { (const char *)data, size }, line = cut_line(&rest);
    Schedule schedule = { .kind = line.n && line.p[0] == 'r' ? SCHEDULE_RRULE : SCHEDULE_CRON,
                          .day_or = true,
                          .created = START };
    if (line.n)
        schedule.timezone = (Str){ line.p + 1, line.n - 1 };
    schedule.cron = schedule.rrule = rest;
    if (utf8_is_valid(rest) && rest.n <= 6500 && is_taken(arena, &schedule))
        check_dates(arena, &schedule);
    Moment moment;
    if (moment_parse(rest, START, &moment))
        must(moment.us >= TIME_FIRST && moment.us < TIME_END);
    arena_free(arena);
    return 0;
}
