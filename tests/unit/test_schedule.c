/* tests/unit/test_schedule.c -- dates of schedules; expected values are those of the reference's classes.
 * tests/schedule compares many more. */
#include "unit.h"

#include "model/deployment_schedule.h"
#include "schedule/zone.h"

#define NEW_YORK "\"timezone\": \"America/New_York\""

typedef struct Case { const char *schedule, *start; size_t n; const char *dates; } Case;

static Str decode(Arena *arena, const char *text, Invalid *invalid)
{
    const Json *json;
    JsonError error;
    Str stored = STR_NULL;
    invalid_init(invalid, arena, 0);
    assert_true(json_parse(arena, str_from(text), &json, &error));
    (void)!deployment_schedule_decode(invalid, json, &stored);
    return stored;
}

static const char *dates_of(Arena *arena, const char *text, const char *start, size_t n)
{
    Invalid invalid;
    Schedule schedule;
    Moment from, *dates = arena_alloc(arena, n * sizeof *dates);
    size_t count;
    Error error = { 0 };
    Buf out;
    buf_init(&out, arena, 256);
    assert_true(deployment_schedule_load(arena, decode(arena, text, &invalid), 0, &schedule, &error));
    assert_true(moment_parse(str_from(start), 0, &from));
    assert_true(schedule_dates(arena, &schedule, n, from.us, TIME_NULL, dates, &count, &error));
    for (size_t i = 0; i < count; i++) {
        buf_text(&out, i ? " " : "");
        moment_format(&out, dates[i]);
    }
    return buf_cstr(&out);
}

static void check(const Case *cases, size_t count)
{
    Arena *arena = arena_new();
    for (size_t i = 0; i < count; i++)
        assert_string_equal(dates_of(arena, cases[i].schedule, cases[i].start, cases[i].n), cases[i].dates);
    arena_free(arena);
}

static void intervals_follow_the_clocks(void **state)
{
    static const Case cases[] = {
        { "{\"interval\": 3600, \"anchor_date\": \"2024-11-03T00:00:00-04:00\", " NEW_YORK "}",
          "2024-11-03T04:00:00Z", 4,
          "2024-11-03T00:00:00-04:00 2024-11-03T01:00:00-04:00 2024-11-03T01:00:00-05:00 2024-11-03T02:00:00-05:00" },
        { "{\"interval\": 86400, \"anchor_date\": \"2024-03-08T02:30:00-05:00\", " NEW_YORK "}",
          "2024-03-09T00:00:00Z", 3,
          "2024-03-09T02:30:00-05:00 2024-03-10T03:30:00-04:00 2024-03-11T02:30:00-04:00" },
        { "{\"interval\": 86400, \"anchor_date\": \"2027-01-01T14:30:00Z\", " NEW_YORK "}", "2027-03-12T18:00:00Z", 4,
          "2027-03-13T09:30:00-05:00 2027-03-14T09:30:00-04:00 2027-03-15T09:30:00-04:00 2027-03-16T09:30:00-04:00" },
        { "{\"interval\": 86400, \"anchor_date\": \"2027-01-01T14:30:00Z\", " NEW_YORK "}", "2027-03-14T18:00:00Z", 1,
          "2027-03-15T09:30:00-04:00" },
        /* a day and 12 hours */
        { "{\"interval\": 129600, \"anchor_date\": \"2024-03-08T12:00:00-05:00\", " NEW_YORK "}",
          "2024-03-08T12:00:00-05:00", 4,
          "2024-03-08T12:00:00-05:00 2024-03-10T00:00:00-05:00 2024-03-11T12:00:00-04:00 2024-03-13T00:00:00-04:00" },
        { "{\"interval\": 86400, \"anchor_date\": \"2011-12-27T12:00:00-10:00\", \"timezone\": \"Pacific/Apia\"}",
          "2011-12-29T00:00:00-10:00", 3,
          /* they had no December 30th */
          "2011-12-29T12:00:00-10:00 2011-12-31T12:00:00+14:00 2012-01-01T12:00:00+14:00" },
        { "{\"interval\": 9000000000000, \"anchor_date\": \"2024-01-01T00:00:00Z\"}", "2023-01-01T00:00:00Z", 3,
          "2024-01-01T00:00:00+00:00" },
    };
    (void)state;
    check(cases, COUNT_OF(cases));
}

static void cron_expressions_follow_the_clocks(void **state)
{
    static const Case cases[] = {
        { "{\"cron\": \"30 2 * * *\", " NEW_YORK "}", "2024-03-09T00:00:00Z", 3,
          "2024-03-09T02:30:00-05:00 2024-03-10T03:00:00-04:00 2024-03-11T02:30:00-04:00" },
        { "{\"cron\": \"30 1 * * *\", " NEW_YORK "}", "2024-11-02T12:00:00Z", 3,
          "2024-11-03T01:30:00-05:00 2024-11-04T01:30:00-05:00 2024-11-05T01:30:00-05:00" },
    };
    (void)state;
    check(cases, COUNT_OF(cases));
}

static void cron_days_mean_what_croniter_says(void **state)
{
    static const Case cases[] = {
        { "{\"cron\": \"0 9 13 * fri\"}", "2024-01-01T00:00:00Z", 3,
          "2024-01-05T09:00:00+00:00 2024-01-12T09:00:00+00:00 2024-01-13T09:00:00+00:00" },
        { "{\"cron\": \"0 9 13 * fri\", \"day_or\": false}", "2024-01-01T00:00:00Z", 3,
          "2024-09-13T09:00:00+00:00 2024-12-13T09:00:00+00:00 2025-06-13T09:00:00+00:00" },
        { "{\"cron\": \"0 0 L 2 *\"}", "2023-01-01T00:00:00Z", 3,
          "2023-02-28T00:00:00+00:00 2024-02-29T00:00:00+00:00 2025-02-28T00:00:00+00:00" },
        { "{\"cron\": \"0 0 15W * *\"}", "2024-06-01T00:00:00Z", 3,
          "2024-06-14T00:00:00+00:00 2024-07-15T00:00:00+00:00 2024-08-15T00:00:00+00:00" },
        { "{\"cron\": \"0 0 * * mon#5\"}", "2024-01-01T00:00:00Z", 3,
          "2024-01-29T00:00:00+00:00 2024-04-29T00:00:00+00:00 2024-07-29T00:00:00+00:00" },
        { "{\"cron\": \"0 0 29 2 * 0 2024,2028\"}", "2024-01-01T00:00:00Z", 3,
          "2024-02-29T00:00:00+00:00 2028-02-29T00:00:00+00:00" },
        { "{\"cron\": \"0 0 31 2 *\"}", "2024-01-01T00:00:00Z", 3, "" },
    };
    (void)state;
    check(cases, COUNT_OF(cases));
}

static void rules_mean_what_dateutil_says(void **state)
{
    static const Case cases[] = {
        { "{\"rrule\": \"DTSTART:20240101T023000\\nRRULE:FREQ=DAILY\", " NEW_YORK "}", "2024-03-09T12:00:00Z", 3,
          "2024-03-10T01:30:00-05:00 2024-03-11T02:30:00-04:00 2024-03-12T02:30:00-04:00" },
        { "{\"rrule\": \"DTSTART:20240101T013000\\nRRULE:FREQ=DAILY\", " NEW_YORK "}", "2024-11-02T12:00:00Z", 3,
          "2024-11-03T01:30:00-04:00 2024-11-04T01:30:00-05:00 2024-11-05T01:30:00-05:00" },
        { "{\"rrule\": \"DTSTART:20240101T090000\\nRRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1\"}",
          "2024-01-01T00:00:00Z", 3,
          "2024-01-31T09:00:00+00:00 2024-02-29T09:00:00+00:00 2024-03-29T09:00:00+00:00" },
        { "{\"rrule\": "
          "\"DTSTART:20240101T000000\\nRRULE:FREQ=DAILY;COUNT=5\\nEXDATE:20240102T000000\\nRDATE:20240110T120000\"}",
          "2024-01-01T00:00:00Z", 9,
          "2024-01-01T00:00:00+00:00 2024-01-03T00:00:00+00:00 2024-01-04T00:00:00+00:00 2024-01-05T00:00:00+00:00 "
          "2024-01-10T12:00:00+00:00" },
        { "{\"rrule\": \"DTSTART:20240101T000000\\nRRULE:FREQ=YEARLY;BYEASTER=0\"}", "2024-01-01T00:00:00Z", 3,
          "2024-03-31T00:00:00+00:00 2025-04-20T00:00:00+00:00 2026-04-05T00:00:00+00:00" },
        { "{\"rrule\": \"DTSTART:20200101T000000\\nRRULE:FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO\"}",
          "2020-01-01T00:00:00Z", 3,
          "2020-12-28T00:00:00+00:00 2026-12-28T00:00:00+00:00 2032-12-27T00:00:00+00:00" },
        { "{\"rrule\": "
          "\"DTSTART:20240101T000000\\nRRULE:FREQ=DAILY;UNTIL=20240103T000000\\nEXRULE:FREQ=DAILY;INTERVAL=2\"}",
          "2024-01-01T00:00:00Z", 3,
          "2024-01-02T00:00:00+00:00" },
    };
    (void)state;
    check(cases, COUNT_OF(cases));
}

static void no_zone_leads_out_of_its_folder(void **state)
{
    static const char *const bad[] = { "../localtime", "/etc/localtime", "Europe/../Europe/Paris", "Europe//Paris",
                                       "Europe/", "posix/UTC", "Factory",
                                       "posixrules", "localtime", "zone.tab", "Europe", "europe/paris", "Nowhere", "" };
    static const char *const good[] = { "UTC", "Europe/Paris", "America/Argentina/Buenos_Aires", "Etc/GMT+5",
                                        "EST5EDT" };
    (void)state;
    Arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(zone_exists(arena, str_from(bad[i])));
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(zone_exists(arena, str_from(good[i])));
    arena_free(arena);
}

static void what_is_no_schedule_is_refused(void **state)
{
    Schedule schedule = { .kind = SCHEDULE_CRON, .cron = STR("x") };
    Moment dates[1];
    size_t count;
    Invalid invalid;
    Error error = { 0 };
    (void)state;
    Arena *arena = arena_new();
    assert_null(decode(arena, "{\"cron\": \"x\"}", &invalid).p);
    assert_int_equal(invalid.count, 5);
    assert_false(deployment_schedule_load(arena, STR("{\"cron\": \"x\"}"), 0, &schedule, &error));
    assert_false(deployment_schedule_load(arena, STR("no JSON"), 0, &schedule, &error));
    assert_string_equal(error.message, "The deployment's schedule cannot be parsed");
    error = (Error){ 0 };
    schedule = (Schedule){ .kind = SCHEDULE_CRON, .cron = STR("x") };
    assert_false(schedule_dates(arena, &schedule, 1, 0, TIME_NULL, dates, &count, &error));
    assert_string_equal(error.message, "Invalid cron string: \"x\"");
    arena_free(arena);
}

static void the_end_is_a_date(void **state)
{
    Schedule schedule = { .kind = SCHEDULE_CRON, .cron = STR("0 0 * * *"), .day_or = true };
    Moment dates[9];
    size_t count;
    Error error = { 0 };
    (void)state;
    Arena *arena = arena_new();
    assert_true(schedule_dates(arena, &schedule, 9, 0, 2 * 86400 * SECOND, dates, &count, &error));
    assert_int_equal(count, 3);
    assert_int_equal(dates[2].us, 2 * 86400 * SECOND);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_follow_the_clocks),
        cmocka_unit_test(cron_expressions_follow_the_clocks),
        cmocka_unit_test(cron_days_mean_what_croniter_says),
        cmocka_unit_test(rules_mean_what_dateutil_says),
        cmocka_unit_test(no_zone_leads_out_of_its_folder),
        cmocka_unit_test(what_is_no_schedule_is_refused),
        cmocka_unit_test(the_end_is_a_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
