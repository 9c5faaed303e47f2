/* tests/fuzz/fuzz_cron.c -- cron expressions: a line with a time zone, then the expression. Those that are taken have
 * dates, on whole minutes if there is no field for seconds, and the same ones with wider gaps between the fields. */
#include "fuzz_dates.h"

#include "base/text.h"
#include "schedule/cron.h"

static Str with_wider_gaps(Arena *arena, Str text)
{
    Buf out;
    buf_init(&out, arena, 2 * text.n + 1);
    for (size_t i = 0; i < text.n; i++) {
        buf_char(&out, text.p[i]);
        if (text.p[i] == ' ')
            buf_text(&out, "\t ");
    }
    return buf_view(&out);
}

/* What is drawn from R(…) depends on the whole text. */
static bool is_drawn(Str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (char_in(text.p[i], "rRhH"))
            return true;
    return false;
}

static void check_cron(Arena *arena, Schedule schedule)
{
    Cron cron;
    Moment dates[DATES];
    must(cron_parse(arena, schedule.cron, &cron));
    size_t count = check_dates(arena, &schedule, dates);
    for (size_t i = 0; i < count; i++)
        must(dates[i].us % SECOND == 0 && (cron.fields > 5 || (dates[i].us / SECOND + dates[i].offset) % 60 == 0));
    if (is_drawn(schedule.cron))
        return;
    schedule.cron = with_wider_gaps(arena, schedule.cron);
    must(cron_check(arena, schedule.cron));
    check_same_dates(arena, &schedule, dates, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Str rest = { (const char *)data, size }, zone = cut_line(&rest);
    Schedule schedule = { .kind = SCHEDULE_CRON, .timezone = zone, .cron = rest, .day_or = true };
    if (zone.n && zone.p[0] == '&') { /* both days must match */
        schedule.timezone = str_cut(zone, 1, zone.n);
        schedule.day_or = false;
    }
    if (utf8_is_valid(rest) && cron_check(arena, rest))
        check_cron(arena, schedule);
    arena_free(arena);
    return 0;
}
