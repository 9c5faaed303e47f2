/* tests/unit/test_uuid.c -- new ids, and what is accepted: what Python's uuid.UUID() accepts. */
#include "unit.h"

#include "base/clock.h"
#include "base/uuid.h"

static void new_ids_are_version_7_and_ascend(void **state)
{
    Arena *arena = arena_new();
    char previous_ms[14] = "";
    uint64_t before = (uint64_t)(clock_now() / 1000);
    for (int i = 0; i < 1000; i++) {
        Str id = uuid_new(arena), again;
        assert_int_equal(id.n, UUID_TEXT);
        assert_int_equal(strlen(id.p), UUID_TEXT);
        assert_int_equal(id.p[14], '7');
        assert_true(char_in(id.p[19], "89ab"));
        assert_true(uuid_parse(arena, id, &again));
        assert_true(str_eq(id, again));
        assert_true(memcmp(previous_ms, id.p, 13) <= 0);
        memcpy(previous_ms, id.p, 13);
    }
    char digits[13];
    memcpy(digits, previous_ms, 8);
    memcpy(digits + 8, previous_ms + 9, 4);
    digits[12] = '\0';
    uint64_t ms = strtoull(digits, NULL, 16);
    assert_true(ms >= before && ms <= (uint64_t)(clock_now() / 1000));
    arena_free(arena);
    (void)state;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(((const Str *)a)->p, ((const Str *)b)->p, UUID_TEXT);
}

static void new_ids_differ(void **state)
{
    enum { COUNT = 20000 };
    Arena *arena = arena_new();
    Str *ids = arena_alloc(arena, COUNT * sizeof *ids);
    for (size_t i = 0; i < COUNT; i++)
        ids[i] = uuid_new(arena);
    qsort(ids, COUNT, sizeof *ids, compare_ids);
    for (size_t i = 1; i < COUNT; i++)
        assert_false(str_eq(ids[i - 1], ids[i]));
    arena_free(arena);
    (void)state;
}

static void ids_are_read_as_python_reads_them(void **state)
{
    static const struct { const char *text, *id; } cases[] = {
        { "0189d1a4-5c3b-7e3f-8a4b-123456789abc", "0189d1a4-5c3b-7e3f-8a4b-123456789abc" },
        { "0189D1A45C3B7E3F8A4B123456789ABC", "0189d1a4-5c3b-7e3f-8a4b-123456789abc" },
        { "{0189d1a4-5c3b-7e3f-8a4b-123456789abc}", "0189d1a4-5c3b-7e3f-8a4b-123456789abc" },
        { "urn:uuid:0189d1a4-5c3b-7e3f-8a4b-123456789abc", "0189d1a4-5c3b-7e3f-8a4b-123456789abc" },
        { "0-1-8-9d1a45c3b7e3f8a4b123456789abc---", "0189d1a4-5c3b-7e3f-8a4b-123456789abc" },
        { "0x89d1a45c3b7e3f8a4b123456789abc", "0089d1a4-5c3b-7e3f-8a4b-123456789abc" },
        { "0189d1a4_5c3b7e3f8a4b123456789abc", NULL },
        { "0189d1a4_5c3b7e3f8a4b123456789ab", "00189d1a-45c3-b7e3-f8a4-b123456789ab" },
        { "0189d1a4__c3b7e3f8a4b123456789ab", NULL },
        { "0189d1a45c3b7e3f8a4b123456789ab_", NULL },
        { " 0189d1a45c3b7e3f8a4b123456789ab", "00189d1a-45c3-b7e3-f8a4-b123456789ab" },
        { "+0189d1a45c3b7e3f8a4b123456789ab", "00189d1a-45c3-b7e3-f8a4-b123456789ab" },
        { "                                ", NULL },
        { "0189d1a45c3b7e3f8a4b123456789ab", NULL },
        { "0189d1a45c3b7e3f8a4b123456789abcd", NULL },
        { "0189d1a45c3b7e3f8a4b123456789abg", NULL },
        { "", NULL },
    };
    Arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Str id = STR_NULL;
        bool accepted = uuid_parse(arena, str_from(cases[i].text), &id);
        assert_int_equal(accepted, cases[i].id != NULL);
        if (accepted)
            assert_string_equal(id.p, cases[i].id);
    }
    Str id;
    assert_false(uuid_parse(arena, STR_NULL, &id));
    arena_free(arena);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_ids_are_version_7_and_ascend),
        cmocka_unit_test(new_ids_differ),
        cmocka_unit_test(ids_are_read_as_python_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
