/* tests/unit/test_access.c -- the file of keys: what it may hold, and what it opens at which time; refusals, and how
 * many of them are logged. */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "access/access.h"
#include "access/keys.h"
#include "base/log.h"
#include "config/file_write.h"

static const Time now = 1800000000 * SECOND;
static char home[] = "/tmp/orion-access-XXXXXX";
static char path[64];

static int make_home(void **state)
{
    (void)state;
    if (!mkdtemp(home))
        return 1;
    snprintf(path, sizeof path, "%s/keys.toml", home);
    for (size_t i = 0; i < setting_count; i++)
        unsetenv(setting_table[i].name);
    unsetenv("PREFECT_SERVER_API_AUTH_STRING");
    log_set_level(LOG_CRITICAL);
    return setenv("PREFECT_HOME", home, 1);
}

static int remove_home(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(home);
}

static int remove_file(void **state)
{
    (void)state;
    unlink(path);
    unsetenv("ORION_AUTH_STRING");
    return 0;
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static Keys keys_of(Arena *arena)
{
    Keys keys = { .arena = arena };
    Str text;
    Error error = { .code = ERR_NONE };
    assert_true(file_read(arena, path, &text, &error));
    assert_true(keys_parse(arena, text, &keys, &error));
    return keys;
}

static void a_key_is_kept_as_its_digest(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Keys keys = keys_of(arena), again;
    Error error = { .code = ERR_NONE };
    Str first, second;
    struct stat found;
    assert_null(keys.first);
    assert_true(keys_create(&keys, STR("ci"), false, now + 5, TIME_NULL, &first, &error));
    assert_true(keys_create(&keys, STR("a.b-c@d_1"), true, now, now + SECOND, &second, &error));
    assert_false(str_eq(first, second));
    assert_int_equal(first.n, 49);
    assert_true(str_starts(first, "orion_"));
    assert_int_equal(strspn(first.p + 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
    assert_true(keys_write(path, &keys, &error));
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);

    Str text;
    assert_true(file_read(arena, path, &text, &error));
    assert_null(memmem(text.p, text.n, first.p + 14, first.n - 14));
    assert_non_null(memmem(text.p, text.n, sha256_hex(arena, first).p, 64));
    again = keys_of(arena);
    Key *ci = keys_find(&again, STR("ci")), *other = keys_find(&again, STR("a.b-c@d_1"));
    assert_true(ci && !ci->read_only && ci->expires == TIME_NULL && ci->created == now);
    assert_true(other && other->read_only && other->expires == now + SECOND);
    assert_memory_equal(ci->start.p, first.p, 14);
    assert_true(keys_revoke(&again, STR("ci")) && !keys_revoke(&again, STR("ci")));
    assert_null(keys_find(&again, STR("ci")));
    arena_free(arena);
}

static void a_name_is_taken_once_and_has_no_strange_characters(void **state)
{
    (void)state;
    static const char *const wrong[] = { "", "a b", "a\n", "-a", ".a", "a\"", "a]", "\xc3\xa4", "a/b",
        "1234567890123456789012345678901234567890123456789012345678901234x" };
    Arena *arena = arena_new();
    Keys keys = { .arena = arena };
    Str key;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        Error error = { .code = ERR_NONE };
        assert_false(keys_create(&keys, str_from(wrong[i]), false, now, TIME_NULL, &key, &error));
    }
    Error error = { .code = ERR_NONE };
    assert_true(keys_create(&keys, STR("a"), false, now, TIME_NULL, &key, &error));
    assert_false(keys_create(&keys, STR("a"), false, now, TIME_NULL, &key, &error));
    assert_non_null(strstr(error.message, "already a key a"));
    arena_free(arena);
}

#define DIGEST "sha256 = \"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1F\"\n"

static void what_is_not_understood_is_refused(void **state)
{
    (void)state;
    static const struct { const char *text, *message; } files[] = {
        { "[keys.ci]\n" DIGEST, "[keys.ci] has no 'scope'" },
        { "[keys.ci]\nscope = \"full\"\n", "[keys.ci] has no 'sha256'" },
        { "[keys.ci]\n" DIGEST "scope = \"all\"\n", "'scope' is not valid" },
        { "[keys.ci]\n" DIGEST "scope = 1\n", "'scope' is not valid" },
        { "[keys.ci]\nsha256 = \"00\"\nscope = \"full\"\n", "'sha256' is not valid" },
        { "[keys.ci]\n" DIGEST "scope = \"full\"\nexpires = \"soon\"\n", "'expires' is not valid" },
        { "[keys.ci]\n" DIGEST "scope = \"full\"\nexpires = 7\n", "'expires' is not valid" },
        { "[keys.ci]\n" DIGEST "scope = \"full\"\nhosts = \"a\"\n", "'hosts' is unknown" },
        { "[keys.\"c i\"]\n" DIGEST "scope = \"full\"\n", "A key's name" },
        { "[key.ci]\n", "'key' is unknown" },
        { "keys = 1\n", "'keys' is unknown" },
        { "[keys]\nci = 1\n", "keys.ci is not a table" },
        { "[keys.ci]\n" DIGEST DIGEST, "line 3" },
        { "[keys.ci\n", "line 1" },
        { "\xff", "UTF-8" },
        { "# none\n", "it has no keys" },
        { "no_keys = true\n[keys.ci]\n" DIGEST "scope = \"full\"\n", "there are keys" },
        { "[keys.a]\n" DIGEST "scope = \"full\"\n[keys.b]\n" DIGEST "scope = \"read-only\"\n", "the same 'sha256'" },
        { "[keys.a]\n" DIGEST "scope = \"full\"\n# x\ry\n", "line 4: a carriage return" },
        { "[keys.orion_secret]\n" DIGEST "scope = \"full\"\n", "does not begin with 'orion_'" },
        { "orion_secret = 1\n", "'orion_...' is unknown" },
        { "[keys.a]\n" DIGEST "scope = \"full\"\norion_secret = 1\n", "'orion_...' is unknown" },
    };
    Arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        Keys keys;
        Error error = { .code = ERR_NONE };
        assert_false(keys_parse(arena, str_from(files[i].text), &keys, &error));
        if (!strstr(error.message, files[i].message))
            print_error("%s: %s\n", files[i].text, error.message);
        assert_non_null(strstr(error.message, files[i].message));
        assert_null(keys.first);
    }
    Keys keys;
    Error error = { .code = ERR_NONE };
    Str dates = STR("[keys.ci]\n" DIGEST "scope = \"read-only\"\nexpires = 2027-01-15T08:00:00Z\n");
    assert_true(keys_parse(arena, dates, &keys, &error));
    assert_true(keys.first->expires == now && keys.first->read_only && keys.first->digest[31] == 0x1f);
    arena_free(arena);
}

/* ---- judging ---- */

typedef struct World {
    Settings *settings;
    Access *access;
    Arena *arena;
} World;

static World opened(void)
{
    Error error = { .code = ERR_NONE };
    World world = { .settings = settings_load(NULL, &error), .arena = arena_new() };
    assert_non_null(world.settings);
    world.access = access_new(world.settings, &error);
    if (!world.access)
        print_error("%s\n", error.message);
    assert_non_null(world.access);
    return world;
}

static void closed(World world)
{
    access_free(world.access);
    settings_free(world.settings);
    arena_free(world.arena);
}

static AccessVerdict judged(World world, const char *header, Time when, AccessGrant *ret)
{
    *ret = (AccessGrant){ 0 };
    return access_judge(world.access, world.arena, str_from(header), when, ret);
}

/* A file with a full key, one that only reads, and one that expires at `now`; their headers. */
static void make_keys(Arena *arena, const char *ret_headers[3])
{
    static const struct { const char *name; bool read_only; Time expires; } rows[3] = {
        { "full", false, TIME_NULL }, { "reader", true, TIME_NULL }, { "old", false, now },
    };
    Keys keys = { .arena = arena };
    Error error = { .code = ERR_NONE };
    for (size_t i = 0; i < 3; i++) {
        Str key;
        assert_true(keys_create(&keys, str_from(rows[i].name), rows[i].read_only, now, rows[i].expires, &key, &error));
        ret_headers[i] = arena_printf(arena, "Bearer %.*s", STR_ARG(key)).p;
    }
    assert_true(keys_write(path, &keys, &error));
}

static void each_key_opens_what_it_is_for_until_it_expires(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    AccessGrant grant;
    const char *headers[3];
    make_keys(arena, headers);
    World world = opened();
    assert_int_equal(judged(world, NULL, now, &grant), ACCESS_MISSING);
    assert_false(grant.reads || grant.writes);
    assert_int_equal(judged(world, headers[0], now, &grant), ACCESS_GRANTED);
    assert_true(grant.reads && grant.writes && str_is(grant.who, "key full"));
    assert_int_equal(judged(world, headers[1], now, &grant), ACCESS_GRANTED);
    assert_true(grant.reads && !grant.writes && str_is(grant.who, "key reader"));
    assert_int_equal(judged(world, headers[2], now - 1, &grant), ACCESS_GRANTED);
    assert_true(grant.writes);
    assert_int_equal(judged(world, headers[2], now, &grant), ACCESS_EXPIRED_KEY);
    assert_false(grant.reads || grant.writes);
    assert_int_equal(judged(world, "Bearer orion_x", now, &grant), ACCESS_UNKNOWN_KEY);
    assert_int_equal(judged(world, "Basic YTpi", now, &grant), ACCESS_MISSING);
    assert_false(grant.reads || grant.writes);
    closed(world);
    arena_free(arena);
}

static void the_password_opens_everything(void **state)
{
    (void)state;
    static const struct { const char *header; AccessVerdict verdict; } rows[] = {
        { "Basic YW5uOmE6Yg==", ACCESS_GRANTED }, { "basic YW5uOmE6Yg==", ACCESS_GRANTED },
        { "Basic YW5uOmE6Yg", ACCESS_WRONG_PASSWORD }, { "Basic YW5uOmE6Yw==", ACCESS_WRONG_PASSWORD },
        { "Basic YW5uOmE6", ACCESS_WRONG_PASSWORD }, { "Basic YW5uOmE6YmI=", ACCESS_WRONG_PASSWORD },
        { "Basic YW5u OmE6Yg==", ACCESS_WRONG_PASSWORD }, { "Basic =", ACCESS_WRONG_PASSWORD },
        { "Basic ====", ACCESS_WRONG_PASSWORD }, { "Basic !!!!", ACCESS_WRONG_PASSWORD },
        { "Basic", ACCESS_MISSING }, { "Digest YW5uOmE6Yg==", ACCESS_MISSING }, { "", ACCESS_MISSING },
        { "Bearer ann:a:b", ACCESS_UNKNOWN_KEY },
    };
    setenv("ORION_AUTH_STRING", "ann:a:b", 1);
    World world = opened();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AccessGrant grant;
        AccessVerdict verdict = judged(world, rows[i].header, now, &grant);
        if (verdict != rows[i].verdict)
            print_error("%s\n", rows[i].header);
        assert_int_equal(verdict, rows[i].verdict);
        assert_true(grant.reads == (verdict == ACCESS_GRANTED) && grant.writes == grant.reads);
        assert_true(!grant.reads || str_is(grant.who, "user ann"));
    }
    closed(world);
}

static void without_either_everybody_may_do_everything(void **state)
{
    (void)state;
    AccessGrant grant;
    World world = opened();
    AccessOffers offers = access_offers(world.access);
    assert_false(offers.keys || offers.password);
    assert_int_equal(judged(world, "Bearer x", now, &grant), ACCESS_GRANTED);
    assert_true(grant.reads && grant.writes && !grant.who.p);
    closed(world);
}

static void a_file_that_is_gone_or_wrong_changes_nothing(void **state)
{
    (void)state;
    /* Without a key and without the mark: cut, emptied, or its lines are one comment. */
    static const char *const wrong[] = {
        "", "nonsense", "[keys.ci]\n", "# Written by\n", "\n\n", "\xEF\xBB\xBF", "[keys]\n", "# a\r[keys.ci]\r",
        "no_keys = false\n", "no_keys = 1\n", NULL,
    };
    Arena *arena = arena_new();
    AccessGrant grant;
    const char *headers[3];
    make_keys(arena, headers);
    World world = opened();
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        if (wrong[i])
            write_file(wrong[i]);
        else
            unlink(path);
        access_refresh(world.access);
        assert_int_equal(judged(world, NULL, now, &grant), ACCESS_MISSING);
        assert_int_equal(judged(world, headers[0], now, &grant), ACCESS_GRANTED);
    }
    assert_int_equal(mkdir(path, 0700), 0);
    access_refresh(world.access);
    assert_int_equal(judged(world, NULL, now, &grant), ACCESS_MISSING);
    assert_int_equal(rmdir(path), 0);

    const char *others[3];
    make_keys(arena, others);
    access_refresh(world.access);
    assert_int_equal(judged(world, headers[0], now, &grant), ACCESS_UNKNOWN_KEY);
    assert_int_equal(judged(world, others[0], now, &grant), ACCESS_GRANTED);
    write_file("no_keys = true\n");
    access_refresh(world.access);
    assert_int_equal(judged(world, NULL, now, &grant), ACCESS_GRANTED);
    closed(world);
    arena_free(arena);
}

/* ---- refusals ---- */

static bool counted(Refusals *refusals, const char *peer, int64_t when, unsigned expected)
{
    unsigned more = 0;
    bool logged = refusals_count(refusals, str_from(peer), when, &more);
    if (logged)
        assert_int_equal(more, expected);
    return logged;
}

static void one_refusal_a_second_is_logged_for_each_address(void **state)
{
    (void)state;
    int64_t t = 100 * SECOND;
    Refusals *refusals = refusals_new();
    assert_true(counted(refusals, "1.2.3.4", t, 0));
    assert_false(counted(refusals, "1.2.3.4", t + 1, 0));
    assert_true(counted(refusals, "1.2.3.5", t + 1, 0));
    assert_false(counted(refusals, "1.2.3.4", t + SECOND - 1, 0));
    assert_true(counted(refusals, "1.2.3.4", t + SECOND, 2));
    assert_true(counted(refusals, "1.2.3.4", t + 5 * SECOND, 0));
    assert_true(counted(refusals, "2001:db8::1", t, 0));
    assert_false(counted(refusals, "2001:db8::2", t, 0)); /* of the same network */
    assert_true(counted(refusals, "2001:db8:0:1::2", t, 0));
    assert_false(counted(refusals, "::ffff:1.2.3.5", t + 1, 0));
    assert_true(counted(refusals, "unknown", t, 0));
    assert_false(counted(refusals, "", t, 0));
    refusals_free(refusals);
}

static void many_addresses_log_no_more_than_there_is_room_for(void **state)
{
    (void)state;
    Refusals *refusals = refusals_new();
    size_t logged = 0;
    for (unsigned i = 0; i < 5000; i++) {
        char peer[32];
        snprintf(peer, sizeof peer, "10.0.%u.%u", i / 250, i % 250);
        logged += counted(refusals, peer, 100 * SECOND + i, 0);
    }
    assert_int_equal(logged, 65);
    assert_true(counted(refusals, "10.9.9.9", 102 * SECOND, 0)); /* a place is free again */
    refusals_free(refusals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_key_is_kept_as_its_digest, remove_file),
        cmocka_unit_test(a_name_is_taken_once_and_has_no_strange_characters),
        cmocka_unit_test(what_is_not_understood_is_refused),
        cmocka_unit_test_teardown(each_key_opens_what_it_is_for_until_it_expires, remove_file),
        cmocka_unit_test_teardown(the_password_opens_everything, remove_file),
        cmocka_unit_test_teardown(without_either_everybody_may_do_everything, remove_file),
        cmocka_unit_test_teardown(a_file_that_is_gone_or_wrong_changes_nothing, remove_file),
        cmocka_unit_test(one_refusal_a_second_is_logged_for_each_address),
        cmocka_unit_test(many_addresses_log_no_more_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, make_home, remove_home);
}
