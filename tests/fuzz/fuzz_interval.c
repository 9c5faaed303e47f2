/* tests/fuzz/fuzz_interval.c -- intervals: a line with a time zone, a line with the interval as a JSON number or a
 * duration's text, then the anchor's time. In UTC each date is one interval after the one before, all count from the
 * anchor, and none before the first one was left out. */
#include "fuzz_dates.h"

#include "entity/codec.h"

static void check_in_utc(const Schedule *schedule, const Moment *dates, size_t count)
{
    int64_t first = count ? dates[0].us : END;
    for (size_t i = 0; i < count; i++)
        must(dates[i].offset == 0 && dates[i].us == first + (int64_t)i * schedule->interval);
    if (count == 0)
        return;
    must((first - schedule->anchor.us) % schedule->interval == 0);
    must(first - schedule->interval < START);
    must(count == DATES || dates[count - 1].us + schedule->interval > END);
}

/* As a deployment's schedule is decoded. */
static bool read_interval(Arena *arena, Str text, int64_t *ret)
{
    static const Field field = { .name = "interval", .kind = F_DURATION };
    const Json quoted = { .kind = JSON_STRING, .text = text }, *json = json_read(arena, text);
    Invalid invalid;
    invalid_init(&invalid, arena, START);
    return codec_decode_field(&invalid, &field, json ? json : &quoted, ret);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Moment dates[DATES];
    Str rest = { (const char *)data, size }, zone = cut_line(&rest), interval = cut_line(&rest);
    Schedule schedule = { .kind = SCHEDULE_INTERVAL, .timezone = zone };
    if (utf8_is_valid(interval) && utf8_is_valid(rest) && read_interval(arena, interval, &schedule.interval) &&
        moment_parse(rest, START, &schedule.anchor)) {
        size_t count = check_dates(arena, &schedule, dates);
        if (zone.n == 0 || str_is(zone, "UTC"))
            check_in_utc(&schedule, dates, count);
    }
    arena_free(arena);
    return 0;
}
