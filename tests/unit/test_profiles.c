/* tests/unit/test_profiles.c -- profiles.toml: what TOML allows is read, what we write is read again. */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "config/profiles.h"
#include "config/toml.h"

static char folder[] = "/tmp/orion-profiles-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/profiles.toml", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void read_back(char *out, size_t size)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    out[fread(out, 1, size - 1, file)] = '\0';
    fclose(file);
}

static Profiles opened(Arena *arena)
{
    Profiles profiles;
    Error error = { .code = ERR_NONE };
    bool ok = profiles_load(arena, path, &profiles, &error);
    if (!ok)
        print_error("%s\n", error.message);
    assert_true(ok);
    return profiles;
}

static void assert_value(const Profiles *profiles, const char *profile, const char *setting, const char *expected)
{
    const Profile *found = profiles_find(profiles, str_from(profile));
    assert_non_null(found);
    const ProfileEntry *entry = profile_get(found, str_from(setting));
    assert_non_null(entry);
    if (!str_is(entry->text, expected))
        print_error("%s: %.*s\n", setting, STR_ARG(entry->text));
    assert_true(str_is(entry->text, expected));
}

static void no_file_is_the_default_profile(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    unlink(path);
    Profiles profiles = opened(arena);
    assert_true(str_is(profiles.active, "default"));
    assert_true(profiles.first->built_in);
    assert_null(profiles.first->next);
    arena_free(arena);
}

static void every_form_of_value(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    write_file("\xEF\xBB\xBF# a comment\r\nactive = 'my profile' # another\r\n\n[profiles]\n\n"
               "[ profiles . \"my profile\" ]\n"
               "PREFECT_API_URL = \"a\\\"b\\\\c\\u00e9\\tz\" # x\n"
               "\"PREFECT_HOME\" = 'C:\\no'\n"
               "PREFECT_API_KEY = \"\"\"\nfirst\nsecond \\\n   joined \"\"quoted\"\"\"\"\"\n"
               "PREFECT_EXTRA_ENTRYPOINTS = '''\na'b\n'''\n"
               "PREFECT_ORION_API_PORT = 0x1_0\nPREFECT_AGENT_PREFETCH_SECONDS = -1_000\n"
               "PREFECT_AGENT_QUERY_INTERVAL = 1_0.50e1\n"
               "PREFECT_DEBUG_MODE=true\nPREFECT_TEST_SETTING = [ 1, # one\n 'two',\n]\n"
               "PREFECT_UI_URL = 1979-05-27T07:32:00Z\n"
               "[profiles.plain]\n[profiles]\n");
    Profiles profiles;
    Error error = { .code = ERR_NONE };
    assert_false(profiles_load(arena, path, &profiles, &error)); /* [profiles] comes twice */
    assert_non_null(strstr(error.message, "a table is defined twice"));

    char text[2048];
    read_back(text, sizeof text);
    char *second = strstr(text, "[profiles.plain]\n");
    memcpy(second, "[profiles.plain]\n", 18); /* cut after it */
    write_file(text);
    profiles = opened(arena);
    assert_true(str_is(profiles.active, "my profile"));
    assert_value(&profiles, "my profile", "PREFECT_API_URL", "a\"b\\c\xC3\xA9\tz");
    assert_value(&profiles, "my profile", "PREFECT_HOME", "C:\\no");
    assert_value(&profiles, "my profile", "PREFECT_API_KEY", "first\nsecond joined \"\"quoted\"\"");
    assert_value(&profiles, "my profile", "PREFECT_EXTRA_ENTRYPOINTS", "a'b\n");
    assert_value(&profiles, "my profile", "PREFECT_ORION_API_PORT", "16");
    assert_value(&profiles, "my profile", "PREFECT_AGENT_PREFETCH_SECONDS", "-1000");
    assert_value(&profiles, "my profile", "PREFECT_AGENT_QUERY_INTERVAL", "105.0");
    assert_value(&profiles, "my profile", "PREFECT_DEBUG_MODE", "True");
    assert_int_equal(profile_get(profiles_find(&profiles, STR("my profile")), STR("PREFECT_TEST_SETTING"))->kind,
                     TOML_OTHER);
    assert_non_null(profiles_find(&profiles, STR("plain")));
    arena_free(arena);
}

static void other_ways_to_write_tables(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    write_file("profiles.a.PREFECT_API_URL = 'x'\nprofiles.b = { PREFECT_API_URL = 'y', PREFECT_DEBUG_MODE = false }");
    Profiles profiles = opened(arena);
    assert_value(&profiles, "a", "PREFECT_API_URL", "x");
    assert_value(&profiles, "b", "PREFECT_API_URL", "y");
    assert_value(&profiles, "b", "PREFECT_DEBUG_MODE", "False");
    arena_free(arena);
}

static void what_is_no_toml(void **state)
{
    static const char *const bad[] = {
        "active", "active =", "active = default", "active = \"x", "active = 'x' 'y'", "active = 'x'\nactive = 'y'",
        "[profiles", "[]", "[[profiles]]", "active = \"\\q\"", "active = \"\\ud800\"", "active = 1", "profiles = 1",
        "[profiles]\na = 1", "x = [1", "x = {a = 1", "x = 1_", "x = 1__0", "x = truee", "= 1", "a.b = 1\na = 2",
        "a = 1\na.b = 2", "x = 'a\nb'",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        Arena *arena = arena_new();
        Profiles profiles;
        Error error = { .code = ERR_NONE };
        write_file(bad[i]);
        bool read = profiles_load(arena, path, &profiles, &error);
        if (read)
            print_error("%s was read\n", bad[i]);
        assert_false(read);
        assert_non_null(strstr(error.message, path));
        arena_free(arena);
    }
}

/* What could be written in no form that is read again. */
static void characters_of_code_zero_are_refused(void **state)
{
    Toml *root;
    Error error = { .code = ERR_NONE };
    (void)state;
    Arena *arena = arena_new();
    assert_false(toml_parse(arena, (Str){ "a = 1\nb = \"x\0y\"\n", 16 }, &root, &error));
    assert_string_equal(error.message, "line 2: the character U+0000 is not allowed");
    arena_free(arena);
}

static void nesting_ends(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Profiles profiles;
    Error error = { .code = ERR_NONE };
    char text[4096] = "x = ";
    memset(text + 4, '[', 4000);
    text[4004] = '\0';
    write_file(text);
    assert_false(profiles_load(arena, path, &profiles, &error));
    assert_non_null(strstr(error.message, "nested too deeply"));
    arena_free(arena);
}

static void written_and_read(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Error error = { .code = ERR_NONE };
    char text[1024];
    write_file("active = 'a'\n[profiles.a]\nPREFECT_ORION_API_PORT = 0x10 # kept as it stands\n"
               "PREFECT_API_URL = 'old'\nPREFECT_DEBUG_MODE = true\n");
    Profiles profiles = opened(arena);
    Profile *a = profiles_find(&profiles, STR("a"));
    profile_set(arena, a, STR("PREFECT_API_URL"), STR("quote \" back \\ tab \t \x01 \xC3\xA9 # [x]"));
    profile_set(arena, a, STR("PREFECT_API_KEY"), STR(""));
    profile_unset(a, STR("PREFECT_DEBUG_MODE"));
    profile_merge(arena, profiles_add(&profiles, STR("b c")), a);
    assert_true(profiles_save(path, &profiles, &error));
    read_back(text, sizeof text);
    assert_string_equal(text, "active = \"a\"\n\n[profiles.a]\nPREFECT_ORION_API_PORT = 0x10\n"
                              "PREFECT_API_URL = \"quote \\\" back \\\\ tab \\t \\u0001 \xC3\xA9 # [x]\"\n"
                              "PREFECT_API_KEY = \"\"\n\n[profiles.\"b c\"]\n"
                              "PREFECT_ORION_API_PORT = 0x10\n"
                              "PREFECT_API_URL = \"quote \\\" back \\\\ tab \\t \\u0001 \xC3\xA9 # [x]\"\n"
                              "PREFECT_API_KEY = \"\"\n");
    profiles = opened(arena);
    assert_value(&profiles, "b c", "PREFECT_API_URL", "quote \" back \\ tab \t \x01 \xC3\xA9 # [x]");
    assert_value(&profiles, "b c", "PREFECT_API_KEY", "");
    assert_null(profile_get(profiles_find(&profiles, STR("a")), STR("PREFECT_DEBUG_MODE")));
    profiles_remove(&profiles, STR("a"));
    assert_null(profiles_find(&profiles, STR("a")));
    arena_free(arena);
}

static void modes_of_the_file(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Error error = { .code = ERR_NONE };
    struct stat found;
    unlink(path);
    Profiles profiles = opened(arena);
    assert_true(profiles_save(path, &profiles, &error));
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
    assert_int_equal(chmod(path, 0640), 0);
    assert_true(profiles_save(path, &profiles, &error));
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0640);
    assert_false(profiles_save("/proc/nowhere/profiles.toml", &profiles, &error));
    assert_non_null(strstr(error.message, "Cannot write /proc/nowhere/profiles.toml"));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_file_is_the_default_profile), cmocka_unit_test(every_form_of_value),
        cmocka_unit_test(other_ways_to_write_tables),
        cmocka_unit_test(characters_of_code_zero_are_refused),
        cmocka_unit_test(what_is_no_toml), cmocka_unit_test(nesting_ends), cmocka_unit_test(written_and_read),
        cmocka_unit_test(modes_of_the_file),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
