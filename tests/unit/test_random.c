/* tests/unit/test_random.c -- random bytes, numbers and names. */
#include "unit.h"

#include "base/random.h"

static void names_are_two_words(void **state)
{
    Arena *arena = arena_new();
    size_t different = 0;
    Str first = random_name(arena);
    for (int i = 0; i < 500; i++) {
        Str name = random_name(arena);
        const char *hyphen = memchr(name.p, '-', name.n);
        assert_non_null(hyphen);
        assert_int_equal(strspn(name.p, "abcdefghijklmnopqrstuvwxyz"), hyphen - name.p);
        assert_true(hyphen > name.p + 2);
        assert_int_equal(strspn(hyphen + 1, "abcdefghijklmnopqrstuvwxyz"), name.n - (size_t)(hyphen - name.p) - 1);
        assert_true(strlen(hyphen + 1) >= 2);
        different += !str_eq(first, name);
    }
    assert_true(different > 450);
    arena_free(arena);
    (void)state;
}

static void random_unit_spreads_over_its_range(void **state)
{
    int tenths[10] = { 0 };
    for (int i = 0; i < 10000; i++) {
        double v = random_unit();
        assert_true(v >= 0 && v < 1);
        tenths[(int)(v * 10)]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(tenths[i], 800, 1200); /* 6.6 standard deviations to each side */
    unsigned char bytes[1000], zeros[1000] = { 0 };
    random_bytes(bytes, 0);
    random_bytes(bytes, sizeof bytes);
    assert_memory_not_equal(bytes, zeros, sizeof bytes);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_two_words),
        cmocka_unit_test(random_unit_spreads_over_its_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
