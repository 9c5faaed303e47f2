/* tests/schedule/dates.c -- the dates of schedules, for test_dates.py to compare. Reads a line {"schedule": {…}, "n": 3, "start": "…",
 * "end": "…" or null, "created": "…" where it counts} for each, and writes a line with "invalid" (a list of errors), or "stored" and "dates",
 * and "us", the time it took. "stored" in place of "schedule" is what a database has already. */
#include "model/deployment_schedule.h"

static Time time_of(const Json *json)
{
    Moment moment = MOMENT_NULL;
    return !json_is_null(json) && moment_parse(json->text, TIME_NULL, &moment) ? moment.us : TIME_NULL;
}

static void write_dates(JsonWriter *w, Arena *arena, const Json *request, Str stored)
{
    Schedule schedule;
    Error error = { 0 };
    size_t n = strtoul(json_get(request, "n")->text.p, NULL, 10), count = 0;
    Moment *dates = arena_alloc(arena, n * sizeof *dates);
    Time start = time_of(json_get(request, "start"));
    bool ok = deployment_schedule_load(arena, stored, time_of(json_get(request, "created")), &schedule, &error) &&
              schedule_dates(arena, &schedule, n, start, time_of(json_get(request, "end")), dates, &count, &error);
    json_key(w, "error");
    json_text(w, ok ? NULL : error.message);
    json_key(w, "dates");
    json_array(w);
    for (size_t i = 0; i < count; i++) {
        Buf text;
        buf_init(&text, arena, 40);
        moment_format(&text, dates[i]);
        json_str(w, buf_view(&text));
    }
    json_array_end(w);
}

static void answer(Arena *arena, const Json *request, Buf *out)
{
    JsonWriter w;
    Invalid invalid;
    Str stored = STR_NULL;
    Time begin = clock_now();
    invalid_init(&invalid, arena, TIME_NULL);
    json_writer_init(&w, out, JSON_WIRE);
    json_object(&w);
    const Json *kept = json_get(request, "stored");
    if (kept)
        stored = json_format(arena, kept, JSON_STORED);
    if (kept || deployment_schedule_decode(&invalid, json_get(request, "schedule"), &stored)) {
        stored = kept ? stored : deployment_schedule_anchored(arena, stored, STR_NULL, time_of(json_get(request, "created")));
        json_key(&w, "stored");
        json_stored(&w, stored);
        write_dates(&w, arena, request, stored);
    } else {
        json_key(&w, "invalid");
        json_stored(&w, arena_printf(arena, "[%.*s]", STR_ARG(buf_view(&invalid.items))));
    }
    json_key(&w, "us");
    json_int(&w, clock_now() - begin);
    json_object_end(&w);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    Arena *arena = arena_new();
    while ((n = getline(&line, &room, stdin)) > 0) {
        const Json *request;
        JsonError error;
        Buf out;
        buf_init(&out, arena, 4096);
        if (!json_parse(arena, (Str){ line, (size_t)n }, &request, &error))
            return 2;
        answer(arena, request, &out);
        printf("%.*s\n", STR_ARG(buf_view(&out)));
        fflush(stdout);
        arena_reset(arena);
    }
    free(line);
    arena_free(arena);
    return 0;
}
