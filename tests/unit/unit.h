/* tests/unit/unit.h -- what each unit test includes first: cmocka needs these headers before its own. */
#ifndef ORION_UNIT_H
#define ORION_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#undef fail /* cmocka has one of its own; here it is the function of base/base.h */

/* `T=depth_* build-asan/test_json` runs the tests of that name only. */
__attribute__((constructor)) static void choose_tests(void)
{
    cmocka_set_test_filter(getenv("T"));
}

#endif
