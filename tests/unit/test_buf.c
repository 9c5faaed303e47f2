/* tests/unit/test_buf.c -- the growable buffer. */
#include "unit.h"

#include "base/buf.h"

static void buffer_grows_and_keeps_its_bytes(void **state)
{
    Arena *arena = arena_new();
    Buf buf;
    buf_init(&buf, arena, 0);
    for (int i = 0; i < 5000; i++) {
        buf_char(&buf, (char)('a' + i % 26));
        buf_add(&buf, "12", 2);
    }
    assert_int_equal(buf_view(&buf).n, 15000);
    for (size_t i = 0; i < 5000; i++) {
        assert_int_equal(buf.p[3 * i], 'a' + (int)(i % 26));
        assert_memory_equal(buf.p + 3 * i + 1, "12", 2);
    }
    arena_free(arena);
    (void)state;
}

static void pieces_follow_each_other(void **state)
{
    Arena *arena = arena_new();
    Buf buf;
    buf_init(&buf, arena, 4);
    assert_true(buf_view(&buf).p && buf_view(&buf).n == 0);
    buf_text(&buf, "a");
    buf_str(&buf, STR_NULL);
    buf_str(&buf, STR(""));
    buf_str(&buf, STR("b\0c"));
    buf_printf(&buf, "%s", "");
    buf_printf(&buf, "<%05d>", 42);
    assert_int_equal(buf.n, 11);
    assert_memory_equal(buf.p, "ab\0c<00042>", 11);
    arena_free(arena);
    (void)state;
}

static void integers_are_written_whole(void **state)
{
    static const struct { int64_t value; const char *text; } cases[] = {
        { 0, "0" }, { -1, "-1" }, { 10, "10" }, { INT64_MAX, "9223372036854775807" },
        { INT64_MIN, "-9223372036854775808" },
    };
    Arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Buf buf;
        buf_init(&buf, arena, 0);
        buf_int(&buf, cases[i].value);
        assert_string_equal(buf_cstr(&buf), cases[i].text);
    }
    arena_free(arena);
    (void)state;
}

static void printf_grows_at_every_boundary(void **state)
{
    Arena *arena = arena_new();
    for (int before = 55; before < 70; before++) {
        Buf buf;
        buf_init(&buf, arena, 64);
        for (int i = 0; i < before; i++)
            buf_char(&buf, '.');
        buf_printf(&buf, "%s|%d", "text", before);
        assert_int_equal(buf.n, before + 7);
        assert_memory_equal(buf.p + before, "text|", 5);
        assert_int_equal(strlen(buf_cstr(&buf)), before + 7);
    }
    arena_free(arena);
    (void)state;
}

static void lists_are_cut_into_items(void **state)
{
    (void)state;
    static const char *const items[] = { "one", "", "t wo", "" };
    Str rest = STR(" one,, t wo\t, ");
    for (size_t i = 0; i < COUNT_OF(items); i++)
        assert_true(str_is(str_next_item(&rest, ','), items[i]));
    assert_int_equal(rest.n, 0);
    assert_true(str_same_word(STR("HTTPS"), STR("https")));
    assert_false(str_same_word(STR("https"), STR("http")));
    assert_false(str_same_word(STR_NULL, STR("x")));
}

static void zero_is_in_no_set(void **state)
{
    (void)state;
    assert_true(char_in('/', "/%&"));
    assert_true(char_in('&', "/%&"));
    assert_false(char_in('a', "/%&"));
    assert_false(char_in('\0', "/%&"));
    assert_false(char_in('\0', ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_grows_and_keeps_its_bytes),
        cmocka_unit_test(pieces_follow_each_other),
        cmocka_unit_test(integers_are_written_whole),
        cmocka_unit_test(printf_grows_at_every_boundary),
        cmocka_unit_test(lists_are_cut_into_items),
        cmocka_unit_test(zero_is_in_no_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
