/* tests/unit/test_clock.c -- times and durations; expected values are those of pendulum 2.1 and pydantic 1.10. */
#include "unit.h"

#include "base/clock.h"

static const Time NOW = 1795940000123456; /* in November 2026 */

static const char *format(Arena *arena, Moment m)
{
    Buf out;
    buf_init(&out, arena, 0);
    moment_format(&out, m);
    return buf_cstr(&out);
}

static void moments_are_those_of_pendulum(void **state)
{
    static const struct { const char *text; Time us; int32_t offset; const char *iso; } cases[] = {
        { "2016-10-16", 1476576000000000LL, 0, "2016-10-16T00:00:00+00:00" },
        { "2016-10", 1475280000000000LL, 0, "2016-10-01T00:00:00+00:00" },
        { "2016", 1451606400000000LL, 0, "2016-01-01T00:00:00+00:00" },
        { "20161001T143028", 1475332228000000LL, 0, "2016-10-01T14:30:28+00:00" },
        { "20161001T143028+0530", 1475312428000000LL, 19800, "2016-10-01T14:30:28+05:30" },
        { "2016-10-01T14:30:28Z", 1475332228000000LL, 0, "2016-10-01T14:30:28+00:00" },
        { "2016-10-01T14:30:28.123456789", 1475332228123456LL, 0, "2016-10-01T14:30:28.123456+00:00" },
        { "2016-10-01 14:30:28.5-05", 1475350228500000LL, -18000, "2016-10-01T14:30:28.500000-05:00" },
        { "2016-10-01T14:30:28,25Z", 1475332228250000LL, 0, "2016-10-01T14:30:28.250000+00:00" },
        { "2016-10-01T14:30:28+05:30", 1475312428000000LL, 19800, "2016-10-01T14:30:28+05:30" },
        { "2016-10-01T14", 1475330400000000LL, 0, "2016-10-01T14:00:00+00:00" },
        { "2016-W05-5", 1454630400000000LL, 0, "2016-02-05T00:00:00+00:00" },
        { "2016W055", 1454630400000000LL, 0, "2016-02-05T00:00:00+00:00" },
        { "2016-W05", 1454284800000000LL, 0, "2016-02-01T00:00:00+00:00" },
        { "2016-W05T10:20", 1454322000000000LL, 0, "2016-02-01T10:20:00+00:00" },
        { "2012-W01", 1325462400000000LL, 0, "2012-01-02T00:00:00+00:00" },
        { "2012W017", 1325980800000000LL, 0, "2012-01-08T00:00:00+00:00" },
        { "2009-W53-7", 1262476800000000LL, 0, "2010-01-03T00:00:00+00:00" },
        { "2016-275", 1475280000000000LL, 0, "2016-10-01T00:00:00+00:00" },
        { "2016275", 1475280000000000LL, 0, "2016-10-01T00:00:00+00:00" },
        { "2016-366", 1483142400000000LL, 0, "2016-12-31T00:00:00+00:00" },
        { "2016/10/01", 1475280000000000LL, 0, "2016-10-01T00:00:00+00:00" },
        { "2016/10/01\n", 1475280000000000LL, 0, "2016-10-01T00:00:00+00:00" },
        { "2016:10:01 9:05", 1475312700000000LL, 0, "2016-10-01T09:05:00+00:00" },
        { "201610/01", 1475280000000000LL, 0, "2016-10-01T00:00:00+00:00" },
        { "20161001 1:30", 1475285400000000LL, 0, "2016-10-01T01:30:00+00:00" },
        { "2016-1-001", 1475280000000000LL, 0, "2016-10-01T00:00:00+00:00" },
        { "2016-10-01T00:00-00:30", 1475281800000000LL, -1800, "2016-10-01T00:00:00-00:30" },
        { "1969-12-31T23:59:59.999999", -1LL, 0, "1969-12-31T23:59:59.999999+00:00" },
        { "0001-01-01", -62135596800000000LL, 0, "0001-01-01T00:00:00+00:00" },
        { "9999-12-31T23:59:59.999999Z", 253402300799999999LL, 0, "9999-12-31T23:59:59.999999+00:00" },
        { "2000-02-29", 951782400000000LL, 0, "2000-02-29T00:00:00+00:00" },
    };
    Arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Moment m = MOMENT_NULL;
        assert_true(moment_parse(str_from(cases[i].text), NOW, &m));
        assert_true(m.us == cases[i].us);
        assert_int_equal(m.offset, cases[i].offset);
        assert_string_equal(format(arena, m), cases[i].iso);
    }
    arena_free(arena);
    (void)state;
}

static void what_pendulum_refuses_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "tomorrow", "2015-366", "2016-000", "1900-02-29", "2016-10-01T1:2", "P1D", "2016/2017", "2016/1001",
        "2016-10-01/P1D", "2016-10-01T24:00", "2016-10-01T10:60", "2016-10-01T10:20:60", "2016-13-01", "2016-00-01",
        "2016-10-00", "201600", "201613", "10:", "25:00", "2016-10-01 ", "2016-10-01T", "2016-10-01T10:20:30 +05:00",
        "2016-10-01T10:20:30z", "2016-10-01T10:20+5", "2016-10-01T10:20+053", "2016-02-30", "2016-W54", "2015-W53x",
        "2016-W05-8", "2016-W055", "2016W05-5", "0000-01-01", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00",
        "2016-10-01T00:00:00+24:00", "2016/10", "/2016", "T10:20", " 2016-10-01", "10:20:30.1234567890",
        "2016-10-01T10:20:30.1a", "20161001T10:2030",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        Moment m;
        if (moment_parse(str_from(texts[i]), NOW, &m))
            print_error("accepted: \"%s\"\n", texts[i]);
        assert_false(moment_parse(str_from(texts[i]), NOW, &m));
    }
    Moment m;
    assert_false(moment_parse(STR_NULL, NOW, &m));
    assert_false(moment_parse(STR("2016-10-01\0"), NOW, &m));
    (void)state;
}

static void time_alone_is_today(void **state)
{
    static const struct { const char *text; int64_t us; } cases[] = {
        { "10:20", 37200 * SECOND }, { " 9:05:07.25", 32707250000 }, { "0:0", 0 }, { "101112", 36672 * SECOND },
        { "10:20:30|5", 37230500000 },
    };
    const Time midnight = NOW - NOW % (86400 * SECOND);
    Moment m;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(moment_parse(str_from(cases[i].text), NOW, &m));
        assert_true(m.us == midnight + cases[i].us);
        assert_false(moment_parse(str_from(cases[i].text), TIME_NULL, &m));
    }
    assert_true(moment_parse(STR("now"), NOW, &m));
    assert_true(m.us == NOW && m.offset == 0);
    assert_false(moment_parse(STR("now"), TIME_NULL, &m));
    (void)state;
}

/* Every day of 400 years and some: the calendar repeats itself after them. */
static void dates_survive_their_text(void **state)
{
    Arena *arena = arena_new();
    ArenaMark mark = arena_mark(arena);
    const int64_t day = 86400 * SECOND;
    int64_t previous_month = 0;
    for (int64_t days = -140000; days < 10000; days++) {
        Moment m;
        Time t = days * day + (days & 1) * 86399999999;
        Str text = time_text(arena, t);
        assert_true(moment_parse(text, NOW, &m));
        assert_true(m.us == t);
        int64_t month = (text.p[5] - '0') * 10 + text.p[6] - '0';
        if (str_starts((Str){ text.p + 8, 2 }, "01"))
            assert_true(days == -140000 || month == previous_month % 12 + 1);
        else
            assert_true(days == -140000 || month == previous_month);
        previous_month = month;
        arena_release(arena, mark);
    }
    arena_free(arena);
    (void)state;
}

static void output_has_both_forms(void **state)
{
    Arena *arena = arena_new();
    Buf out;
    buf_init(&out, arena, 0);
    time_format_stored(&out, 1795400905630785LL);
    assert_string_equal(buf_cstr(&out), "2026-11-23 02:28:25.630785");
    assert_true(str_is(time_text(arena, 1795400905630785LL), "2026-11-23T02:28:25.630785+00:00"));
    assert_true(str_is(time_text(arena, 1795400905000000LL), "2026-11-23T02:28:25+00:00"));
    assert_null(time_text(arena, TIME_NULL).p);
    buf_init(&out, arena, 0);
    time_format_stored(&out, 0);
    assert_string_equal(buf_cstr(&out), "1970-01-01 00:00:00.000000");
    assert_string_equal(format(arena, (Moment){ 0, 19815 }), "1970-01-01T05:30:15+05:30:15");
    assert_string_equal(format(arena, MOMENT_NULL), "");
    arena_free(arena);
    (void)state;
}

static void stored_times_are_read(void **state)
{
    static const struct { const char *text; Time us; } cases[] = {
        { "2026-11-23 02:28:25.630785", 1795400905630785LL }, { "2026-11-23T02:28:25.630", 1795400905630000LL },
        { "2026-11-23 02:28:25", 1795400905000000LL },        { "1969-12-31 23:59:59.999999", -1 },
    };
    static const char *const refused[] = {
        "", "2026-11-23", "2026-11-23 02:28", "2026-11-23 02:28:25.1234567", "2026-11-23 02:28:25Z",
        "2026-02-30 00:00:00", "2026-11-23_02:28:25", "2026-11-23 02:28:25.12a", "0000-11-23 02:28:25",
    };
    Time t;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(time_parse_stored(str_from(cases[i].text), &t));
        assert_true(t == cases[i].us);
    }
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        assert_false(time_parse_stored(str_from(refused[i]), &t));
    assert_false(time_parse_stored(STR_NULL, &t));
    (void)state;
}

static void durations_are_those_of_pydantic(void **state)
{
    static const struct { const char *text; int64_t us; } cases[] = {
        { "1", 1000000 },
        { "-1", -1000000 },
        { "1:2", 62000000 },
        { "1:2:3", 3723000000 },
        { "1 1:2:3", 90123000000 },
        { "1 day, 1:2:3", 90123000000 },
        { "2 days, 3", 172803000000 },
        { "-1 day, 0:00:10", -86390000000 },
        { "1.5", 1500000 },
        { "-0.5", -500000 },
        { "-1:30.5", -29500000 },
        { "1 -2:3:4.5", 79384500000 },
        { "-1 -1", -86401000000 },
        { "1.1234567891", 1123456 },
        { "10\n", 10000000 },
        { "P", 0 },
        { "PT", 0 },
        { "-P1D", -86400000000 },
        { "+P1D", 86400000000 },
        { "PT1.5S", 1500000 },
        { "P1DT2H", 93600000000 },
        { "P1.5D", 129600000000 },
        { "PT0.0000005S", 0 },
        { "PT0.0000015S", 2 },
        { "999999999", 999999999000000 },
    };
    static const char *const refused[] = {
        "", "1:-2:3.25", "PT1,5S", "1.1234567891234", "1.", "P1W", " 1", "1 ", "1  2", "P1000000000D", "99999999999999",
        "x", "P1H", "PT1.S", "T1H", "--1", "1e3", "0x10",
    };
    int64_t us;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(duration_parse(str_from(cases[i].text), &us));
        assert_true(us == cases[i].us);
    }
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        assert_false(duration_parse(str_from(refused[i]), &us));
    assert_false(duration_parse(STR_NULL, &us));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_those_of_pendulum),
        cmocka_unit_test(what_pendulum_refuses_is_refused),
        cmocka_unit_test(time_alone_is_today),
        cmocka_unit_test(dates_survive_their_text),
        cmocka_unit_test(output_has_both_forms),
        cmocka_unit_test(stored_times_are_read),
        cmocka_unit_test(durations_are_those_of_pydantic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
