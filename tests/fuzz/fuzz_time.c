/* tests/fuzz/fuzz_time.c -- durations, times and ids as text: what was read and written again is read as the same. */
#include "fuzz.h"

#include "base/clock.h"
#include "base/unicode.h"
#include "base/uuid.h"

static const Time NOW = INT64_C(1795940000123456);

static void check_moment(Arena *arena, Str text)
{
    Moment moment, again;
    Buf out;
    if (!moment_parse(text, NOW, &moment))
        return;
    must(moment.us >= TIME_FIRST && moment.us < TIME_END);
    must(moment.offset > -86400 && moment.offset < 86400);
    buf_init(&out, arena, 64);
    moment_format(&out, moment);
    if (!moment_parse(buf_view(&out), TIME_NULL, &again) || again.us != moment.us) {
        fprintf(stderr, "%s\n", buf_cstr(&out));
        abort();
    }
}

static void check_stored(Arena *arena, Str text)
{
    Time time, again;
    Buf out;
    if (!time_parse_stored(text, &time))
        return;
    buf_init(&out, arena, 64);
    time_format_stored(&out, time);
    must(time_parse_stored(buf_view(&out), &again) && again == time);
}

/* A duration is as long with a minus sign in front. */
static void check_duration(Arena *arena, Str text)
{
    int64_t us, opposite;
    if (!duration_parse(text, &us))
        return;
    Str negative = arena_printf(arena, "-%.*s", STR_ARG(text));
    if (text.n && text.p[0] == 'P')
        must(duration_parse(negative, &opposite) && opposite == -us);
}

static void check_uuid(Arena *arena, Str text)
{
    Str id, again;
    if (uuid_parse(arena, text, &id))
        must(id.n == UUID_TEXT && uuid_parse(arena, id, &again) && str_eq(id, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Str text = { (const char *)data, size };
    if (utf8_is_valid(text)) {
        check_moment(arena, text);
        check_stored(arena, text);
        check_duration(arena, text);
        check_uuid(arena, text);
    }
    arena_free(arena);
    return 0;
}
