/* tests/unit/test_arena.c -- the arena: alignment, marks, reset; with it slices and the record of errors. */
#include "unit.h"

#include "base/arena.h"

static void pieces_are_aligned_and_apart(void **state)
{
    Arena *arena = arena_new();
    char *pieces[200];
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        pieces[i] = arena_alloc(arena, i * 7 + 1);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)i, i * 7 + 1);
    }
    for (size_t i = 0; i < COUNT_OF(pieces); i++)
        for (size_t k = 0; k < i * 7 + 1; k++)
            assert_int_equal((unsigned char)pieces[i][k], i);
    arena_free(arena);
    (void)state;
}

static void zalloc_clears_what_was_used_before(void **state)
{
    static const char zeros[4096];
    Arena *arena = arena_new();
    memset(arena_alloc(arena, sizeof zeros), 0xAA, sizeof zeros);
    arena_reset(arena);
    assert_memory_equal(arena_zalloc(arena, sizeof zeros), zeros, sizeof zeros);
    arena_free(arena);
    (void)state;
}

static void reset_keeps_only_the_first_block(void **state)
{
    Arena *arena = arena_new();
    size_t at_first = arena_used(arena);
    assert_true(at_first > 0 && at_first <= 16384);
    char *first = arena_alloc(arena, 100);
    memset(arena_alloc(arena, 1 << 20), 1, 1 << 20);
    assert_true(arena_used(arena) > 1 << 20);
    arena_reset(arena);
    assert_int_equal(arena_used(arena), at_first);
    assert_ptr_equal(arena_alloc(arena, 100), first);
    arena_free(arena);
    (void)state;
}

static void release_returns_to_the_mark(void **state)
{
    Arena *arena = arena_new();
    Str kept = arena_str(arena, STR("kept"));
    ArenaMark mark = arena_mark(arena);
    size_t used = arena_used(arena);
    char *next = arena_alloc(arena, 10);
    for (int i = 0; i < 100; i++)
        memset(arena_alloc(arena, 5000), i, 5000);
    assert_true(arena_used(arena) > used);
    arena_release(arena, mark);
    assert_int_equal(arena_used(arena), used);
    assert_ptr_equal(arena_alloc(arena, 10), next);
    assert_true(str_is(kept, "kept"));
    arena_free(arena);
    (void)state;
}

static void lists_grow_and_keep_their_items(void **state)
{
    Arena *arena = arena_new();
    int *items = NULL;
    size_t capacity = 0, moves = 0;
    for (int i = 0; i < 1000; i++) {
        int *before = items;
        items = arena_grow(arena, items, (size_t)i, &capacity, sizeof *items);
        assert_true(capacity > (size_t)i);
        moves += items != before;
        items[i] = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    assert_int_equal(capacity, 1024);
    assert_int_equal(moves, 7);
    arena_free(arena);
    (void)state;
}

static void strings_are_copied_and_terminated(void **state)
{
    Arena *arena = arena_new();
    char source[] = "ab\0cd";
    Str copy = arena_str(arena, (Str){ source, 5 });
    source[0] = 'x';
    assert_int_equal(copy.n, 5);
    assert_memory_equal(copy.p, "ab\0cd", 6);
    assert_null(arena_str(arena, STR_NULL).p);
    assert_null(arena_cstr(arena, STR_NULL));
    assert_string_equal(arena_cstr(arena, STR("")), "");
    arena_free(arena);
    (void)state;
}

static void printf_takes_short_and_long_texts(void **state)
{
    Arena *arena = arena_new();
    assert_true(str_is(arena_printf(arena, "%d-%s", 7, "x"), "7-x"));
    Str empty = arena_printf(arena, "%s", "");
    assert_true(empty.p && empty.n == 0);
    for (int n = 250; n < 260; n++) {
        Str text = arena_printf(arena, "%0*d", n, 5);
        assert_int_equal(text.n, n);
        assert_int_equal(text.p[n - 1], '5');
        assert_int_equal(text.p[n], '\0');
    }
    arena_free(arena);
    arena_free(NULL);
    (void)state;
}

static void slices_compare_by_value_and_nullness(void **state)
{
    assert_true(str_eq(STR("a"), STR("a")));
    assert_false(str_eq(STR("a"), STR("ab")));
    assert_false(str_eq(STR("a"), STR("b")));
    assert_true(str_eq(STR_NULL, STR_NULL));
    assert_false(str_eq(STR_NULL, STR("")));
    assert_false(str_eq(STR(""), STR_NULL));
    assert_true(str_eq(str_from(NULL), STR_NULL));
    assert_true(str_is(STR("abc"), "abc"));
    assert_true(str_starts(STR("abc"), "ab") && str_starts(STR("abc"), "") && str_starts(STR("abc"), "abc"));
    assert_false(str_starts(STR("abc"), "abcd") || str_starts(STR("abc"), "b") || str_starts(STR_NULL, ""));
    (void)state;
}

static void first_error_stays(void **state)
{
    Error error = { 0 };
    assert_false(fail(&error, ERR_NOT_FOUND, "%s not found", "Flow"));
    assert_false(fail(&error, ERR_INTERNAL, "later"));
    assert_int_equal(error.code, ERR_NOT_FOUND);
    assert_string_equal(error.message, "Flow not found");
    (void)state;
}

static void long_message_is_cut_at_a_character(void **state)
{
    for (int lead = 0; lead < 4; lead++) {
        Error error = { 0 };
        char text[700];
        size_t n = (size_t)lead;
        memset(text, 'x', n);
        for (; n + 4 < sizeof text; n += 4)
            memcpy(text + n, "\xF0\x9F\x98\x80", 4);
        text[n] = '\0';
        fail(&error, ERR_INVALID, "%s", text);
        size_t kept = strlen(error.message);
        assert_true(kept < sizeof error.message && kept + 4 >= sizeof error.message);
        assert_int_equal((kept - (size_t)lead) % 4, 0);
        assert_memory_equal(error.message, text, kept);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_apart),
        cmocka_unit_test(zalloc_clears_what_was_used_before),
        cmocka_unit_test(reset_keeps_only_the_first_block),
        cmocka_unit_test(release_returns_to_the_mark),
        cmocka_unit_test(lists_grow_and_keep_their_items),
        cmocka_unit_test(strings_are_copied_and_terminated),
        cmocka_unit_test(printf_takes_short_and_long_texts),
        cmocka_unit_test(slices_compare_by_value_and_nullness),
        cmocka_unit_test(first_error_stays),
        cmocka_unit_test(long_message_is_cut_at_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
