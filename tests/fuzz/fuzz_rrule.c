/* tests/fuzz/fuzz_rrule.c -- recurrence rules: a line with a time zone, then the lines of the rule. Those that are
 * taken have dates; a rule of one line has the same ones with the property's name in front, and no more than its
 * COUNT. */
#include "fuzz_dates.h"

#include "schedule/rrule.h"

enum { RULE_MAX = 6500 }; /* characters; longer ones are refused before */

static void check_rrule(Arena *arena, Schedule schedule)
{
    RuleSet set;
    Str reason;
    Moment dates[DATES];
    size_t count = check_dates(arena, &schedule, dates);
    must(rrule_parse(arena, schedule.rrule, START, &set, &reason));
    if (set.rule_count == 1 && set.rdate_count == 0 && set.rules[0].has_count)
        must((int64_t)count <= set.rules[0].count || set.rules[0].count < 0);
    if (!str_starts(schedule.rrule, "FREQ=") || memchr(schedule.rrule.p, '\n', schedule.rrule.n))
        return;
    schedule.rrule = arena_printf(arena, "RRULE:%.*s", STR_ARG(schedule.rrule));
    must(rrule_check(arena, schedule.rrule, &reason));
    check_same_dates(arena, &schedule, dates, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Str rest = { (const char *)data, size }, zone = cut_line(&rest), reason = STR_NULL;
    Schedule schedule = { .kind = SCHEDULE_RRULE, .timezone = zone, .rrule = rest, .created = START };
    if (utf8_is_valid(rest) && rest.n <= RULE_MAX && rrule_check(arena, rest, &reason))
        check_rrule(arena, schedule);
    arena_free(arena);
    return 0;
}
