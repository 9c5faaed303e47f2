/* tests/unit/test_library.c -- libraries that are there, that lack a function, and that are not there. */
#include "unit.h"

#include <math.h>

#include "base/library.h"

static void functions_are_filled_in(void **state)
{
    (void)state;
    __typeof__(&floor) down = NULL;
    __typeof__(&ceil) up = NULL;
    const LibraryFunction functions[] = { { &down, "floor" }, { &up, "ceil" } };
    const char *missing = "";
    assert_true(library_load("libm.so.6", functions, COUNT_OF(functions), &missing));
    assert_null(missing);
    assert_int_equal(down(1.5), 1);
    assert_int_equal(up(1.5), 2);
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    __typeof__(&floor) down = NULL, none = NULL;
    const LibraryFunction functions[] = { { &down, "floor" }, { &none, "no_such_function" }, { &none, "nor_this" } };
    const char *missing = NULL;
    assert_false(library_load("libm.so.6", functions, COUNT_OF(functions), &missing));
    assert_string_equal(missing, "no_such_function");
    assert_false(library_load("libno-such-library.so.1", functions, COUNT_OF(functions), &missing));
    assert_null(missing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_filled_in),
        cmocka_unit_test(what_is_missing_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
