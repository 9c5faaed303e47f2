/* tests/unit/test_config_file.c -- orion.toml: what counts, what is wrong with a line, and that a change keeps the
 * rest. */
#include "unit.h"

#include <math.h>
#include <unistd.h>

#include "config/config_file.h"
#include "config/file_write.h"
#include "config/setting_derive.h"

typedef struct Home {
    char path[64];
    char file[96];
    char other[96];
    char profiles[96];
} Home;

static void unset_all(void)
{
    for (size_t i = 0; i < setting_count; i++)
        unsetenv(setting_table[i].name);
    unsetenv("PREFECT_PROFILE");
    unsetenv("PREFECT_SERVER_API_HOST");
}

static int make_home(void **state)
{
    static Home home;
    unset_all();
    snprintf(home.path, sizeof home.path, "/tmp/orion-config-XXXXXX");
    if (!mkdtemp(home.path))
        return 1;
    snprintf(home.file, sizeof home.file, "%s/orion.toml", home.path);
    snprintf(home.other, sizeof home.other, "%s/other.toml", home.path);
    snprintf(home.profiles, sizeof home.profiles, "%s/profiles.toml", home.path);
    setenv("PREFECT_HOME", home.path, 1);
    *state = &home;
    return 0;
}

static int remove_home(void **state)
{
    Home *home = *state;
    unset_all();
    unlink(home->file);
    unlink(home->other);
    unlink(home->profiles);
    return rmdir(home->path);
}

static void write_to(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static Settings *loaded(SettingsCall call)
{
    Error error = { .code = ERR_NONE };
    Settings *settings = settings_load(&call, &error);
    if (!settings)
        print_error("%s\n", error.message);
    assert_non_null(settings);
    return settings;
}

/* The error of a server with this file, without the folder's name. */
static void refused(const Home *home, const char *text, const char *message)
{
    Error error = { .code = ERR_NONE };
    write_to(home->file, text);
    assert_null(settings_load(NULL, &error));
    assert_memory_equal(error.message, home->path, strlen(home->path));
    assert_string_equal(error.message + strlen(home->path), message);
}

static void assert_str(Str actual, const char *expected)
{
    if (!str_is(actual, expected))
        print_error("%.*s is not %s\n", STR_ARG(actual), expected);
    assert_true(str_is(actual, expected));
}

static void assert_value(const Settings *settings, const char *name, const char *value, SettingSource source)
{
    assert_str(settings_given(settings, name), value);
    assert_int_equal(settings_source(settings, name), source);
}

/* ---- what counts ---- */

static void between_environment_and_profile(void **state)
{
    const Home *home = *state;
    Arena *arena = arena_new();
    char where[128];
    write_to(home->file, "# ours\nPREFECT_ORION_API_PORT = 1\nPREFECT_ORION_API_DEFAULT_LIMIT = 2\n\n"
                         "PREFECT_SERVER_API_HOST = 'file'\nORION_SERVER_CONNECTIONS = 7\n");
    write_to(home->profiles, "[profiles.default]\nPREFECT_ORION_API_PORT = 11\nPREFECT_ORION_API_HOST = 'profile'\n"
                             "PREFECT_ORION_API_DEFAULT_LIMIT = 12\nPREFECT_ORION_API_KEEPALIVE_TIMEOUT = 13\n"
                             "ORION_SERVER_CONNECTIONS = 8\nORION_DATABASE_CONNECTIONS = 9\n");
    setenv("PREFECT_ORION_API_PORT", "21", 1);
    Settings *settings = loaded((SettingsCall){ .use = SETTINGS_TO_SERVE });
    assert_value(settings, "PREFECT_ORION_API_PORT", "21", FROM_ENVIRONMENT);
    assert_value(settings, "PREFECT_ORION_API_DEFAULT_LIMIT", "2", FROM_FILE);
    assert_value(settings, "PREFECT_ORION_API_HOST", "file", FROM_FILE);
    assert_value(settings, "PREFECT_ORION_API_KEEPALIVE_TIMEOUT", "13", FROM_PROFILE);
    assert_value(settings, "ORION_SERVER_CONNECTIONS", "7", FROM_FILE);
    assert_value(settings, "ORION_DATABASE_CONNECTIONS", "8", FROM_DEFAULT); /* a name of ours in a profile */
    snprintf(where, sizeof where, "%s:5", home->file);
    assert_str(settings_where(settings, "PREFECT_ORION_API_HOST", arena), where);
    assert_str(settings_where(settings, "PREFECT_ORION_API_PORT", arena), "environment");
    assert_str(settings_where(settings, "PREFECT_ORION_API_KEEPALIVE_TIMEOUT", arena), "profile 'default'");
    assert_null(settings_where(settings, "ORION_DATABASE_CONNECTIONS", arena).p);
    settings_free(settings);

    settings = loaded((SettingsCall){ .profile = "default" }); /* -p goes over both */
    assert_value(settings, "PREFECT_ORION_API_PORT", "11", FROM_PROFILE);
    assert_value(settings, "PREFECT_ORION_API_HOST", "profile", FROM_PROFILE);
    assert_value(settings, "ORION_SERVER_CONNECTIONS", "7", FROM_FILE);
    settings_free(settings);
    arena_free(arena);
}

static void another_file(void **state)
{
    const Home *home = *state;
    Error error = { .code = ERR_NONE };
    write_to(home->file, "PREFECT_ORION_API_PORT = 1\n");
    write_to(home->other, "PREFECT_ORION_API_PORT = 2\n");
    setenv("ORION_CONFIG", "", 1); /* names none */
    Settings *settings = loaded((SettingsCall){ .profile = NULL });
    assert_value(settings, "PREFECT_ORION_API_PORT", "1", FROM_FILE);
    settings_free(settings);
    setenv("ORION_CONFIG", home->other, 1);
    settings = loaded((SettingsCall){ .profile = NULL });
    assert_value(settings, "PREFECT_ORION_API_PORT", "2", FROM_FILE);
    settings_free(settings);
    settings = loaded((SettingsCall){ .file = home->file });
    assert_value(settings, "PREFECT_ORION_API_PORT", "1", FROM_FILE);
    assert_str(settings_text(settings, "ORION_CONFIG"), home->file);
    settings_free(settings);
    unlink(home->other); /* what it set may have kept strangers out */
    assert_null(settings_load(NULL, &error));
    assert_non_null(strstr(error.message, "other.toml, which ORION_CONFIG names."));
    settings_free(loaded((SettingsCall){ .use = SETTINGS_TO_REPAIR }));
}

/* The file is found before it is read; what it sets moves all else. */
static void home_in_the_file(void **state)
{
    const Home *home = *state;
    char text[256], expected[128], moved[80];
    snprintf(text, sizeof text, "PREFECT_HOME = '%s/x'\nPREFECT_PROFILES_PATH = '%s'\n", home->path, home->other);
    write_to(home->file, text);
    write_to(home->other, "active = 'o'\n[profiles.o]\nPREFECT_ORION_API_PORT = 3\n");
    unsetenv("PREFECT_HOME");
    Settings *settings = loaded((SettingsCall){ .file = home->file });
    assert_value(settings, "PREFECT_ORION_API_PORT", "3", FROM_PROFILE);
    snprintf(moved, sizeof moved, "%s/x", home->path);
    assert_value(settings, "PREFECT_HOME", moved, FROM_FILE);
    snprintf(expected, sizeof expected, "sqlite+aiosqlite:///%s/x/orion.db", home->path);
    assert_str(settings_text(settings, "PREFECT_ORION_DATABASE_CONNECTION_URL"), expected);
    assert_str(settings_text(settings, "ORION_CONFIG"), home->file);
    settings_free(settings);
}

/* ---- what is wrong ---- */

static void what_no_server_starts_with(void **state)
{
    static const struct { const char *text, *message; } cases[] = {
        { "\n\nORION_SERVER_CONNECTIONS = \"many\"\n",
          "/orion.toml:3: ORION_SERVER_CONNECTIONS: value is not a valid integer" },
        { "ORION_SERVER_BODY_RATE = '1kb'\n",
          "/orion.toml:1: ORION_SERVER_BODY_RATE: value is not a size above zero: a number with kB, MB or GB, as in "
          "1kB" },
        { "ORION_CORS_ORIGINS = [\n'a']\nORION_ALLOWED_HOSTS = 2000-01-01\n",
          "/orion.toml:1: ORION_CORS_ORIGINS: the value is neither a string, nor a number, nor true or false\n"
          "1 more: see `orion config check`." },
        { "PREFECT_ORION_API_PORT = 1\n[server]\nORION_CORS_ORIGINS = '*'\n",
          "/orion.toml:2: server: this file has no tables: write settings as NAME = value, without [headers] and "
          "dots" },
        { "# x\nORION_CORS_ORIGINS = a\n",
          "/orion.toml:2: a value must be a quoted string, a number, true or false" },
        { "ORION_CORS_ORIGINS = 'a'\nORION_CORS_ORIGINS = 'b'\n", "/orion.toml:2: a key is defined twice" },
        { "'''\nORION_CORS_ORIGINS''' = 'a'\n", "/orion.toml:1: a key is on one line" },
        { "# \n#\xff\n", "/orion.toml is not UTF-8 (line 2)." },
        { "PREFECT_ORION_UI_API_URL = '${NO}'\n",
          "/orion.toml:1: PREFECT_ORION_UI_API_URL: a template names a setting that cannot be used there; a literal "
          "'$' is written '$$'." },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        refused(*state, cases[i].text, cases[i].message);
}

static void problems_of_lines(void **state)
{
    static const char *const expected[] = {
        ":1: ORION_SECRET: there is no setting of this name",
        ":2: PREFECT_API_KEY: it has no effect here: only the Python client obeys it",
        (":3: PREFECT_SERVER_API_HOST: another name for PREFECT_ORION_API_HOST, which line 4 sets to another value; "
         "that one is used"),
        ":5: ORION_CONFIG: it names this file, so only the environment and --config can set it",
        ":8: ORION_SERVER_CONNECTIONS: value is not a valid integer",
    };
    const Home *home = *state;
    write_to(home->file, "ORION_SECRET = 'hush'\nPREFECT_API_KEY = 'hush'\nPREFECT_SERVER_API_HOST = 'b'\n"
                         "PREFECT_ORION_API_HOST = 'a'\nORION_CONFIG = 'x'\nPREFECT_SERVER_API_PORT = 5\n"
                         "PREFECT_ORION_API_PORT = '5'\nORION_SERVER_CONNECTIONS = 'many'\n");
    Settings *settings = loaded((SettingsCall){ .use = SETTINGS_TO_CHECK });
    const ConfigFile *file = settings_file(settings);
    const ConfigProblem *problem = file->problems;
    for (size_t i = 0; i < COUNT_OF(expected); i++, problem = problem->next) {
        assert_non_null(problem);
        Str text = config_problem_text(settings_arena(settings), file, problem);
        assert_true(str_starts(text, home->file));
        assert_string_equal(text.p + strlen(home->file), expected[i]);
    }
    assert_null(problem);
    assert_value(settings, "PREFECT_ORION_API_HOST", "a", FROM_FILE);
    assert_value(settings, "ORION_SERVER_CONNECTIONS", "10000", FROM_DEFAULT);
    assert_null(settings_given(settings, "PREFECT_API_KEY").p);
    assert_true(settings_source_agrees(settings, FROM_ENVIRONMENT, "PREFECT_ORION_API_HOST"));
    assert_false(settings_source_agrees(settings, FROM_FILE, "PREFECT_ORION_API_HOST"));
    assert_true(settings_source_agrees(settings, FROM_FILE, "PREFECT_ORION_API_PORT"));
    settings_free(settings);
}

/* Whatever is a time or a size has its unit, in each that there is; a bare number is in seconds or bytes. */
typedef struct Quantity { const char *given; double value; /* 0: wrong */ } Quantity;

static void check_units(const Home *home, const Setting *setting, const Quantity *quantities, size_t count)
{
    char text[128];
    for (size_t i = 0; i < count; i++) {
        Error error = { .code = ERR_NONE };
        snprintf(text, sizeof text, "\n%s = '%s'", setting->name, quantities[i].given);
        write_to(home->file, text);
        Settings *settings = settings_load(NULL, &error);
        assert_int_equal(settings != NULL, quantities[i].value > 0);
        if (settings)
            assert_true(fabs(settings_float(settings, setting->name) - quantities[i].value) < 1e-9);
        snprintf(text, sizeof text, "orion.toml:2: %s: value is not a %s above zero: a number with", setting->name,
                 setting->kind == SETTING_TIME ? "time" : "size");
        assert_true(settings || strstr(error.message, text));
        settings_free(settings);
    }
}

static void units(void **state)
{
    static const Quantity times[] = {
        { "250ms", 0.25 }, { "1.5 s", 1.5 }, { "2m", 120 }, { "1h", 3600 }, { "2d", 172800 }, { "1w", 604800 },
        { "7", 7 }, { "1 fortnight", 0 }, { "s", 0 }, { "", 0 }, { "-1", 0 }, { "0s", 0 }, { "1s s", 0 }, { "1 S", 0 },
        { "1kB", 0 },
    }, sizes[] = {
        { "2kB", 2000 }, { "0.5MB", 500000 }, { "1 GB", 1e9 }, { "512", 512 }, { "1KB", 0 }, { "1kb", 0 },
        { "1 TB", 0 }, { "1s", 0 }, { "", 0 }, { "-1", 0 }, { "0", 0 },
    };
    size_t seen = 0;
    for (size_t i = 0; i < setting_count; i++) {
        const Setting *setting = &setting_table[i];
        if (setting->kind == SETTING_TIME)
            check_units(*state, setting, times, COUNT_OF(times));
        else if (setting->kind == SETTING_SIZE)
            check_units(*state, setting, sizes, COUNT_OF(sizes));
        seen += setting->kind == SETTING_TIME || setting->kind == SETTING_SIZE;
    }
    assert_true(seen >= 2);
}

/* ---- changes ---- */

#define FILE_BEFORE "\xEF\xBB\xBF# first\r\n\r\n  ORION_CORS_ORIGINS   = '''a\nb'''  # why\r\nPREFECT_HOME=\"/x\"\n" \
                    "PREFECT_SERVER_API_PORT = 5 # x"

static const struct { const char *before, *name, *value, *after; } changes[] = {
    { FILE_BEFORE, "ORION_CORS_ORIGINS", "c\"d", "\xEF\xBB\xBF# first\r\n\r\n  ORION_CORS_ORIGINS   = \"c\\\"d\"  # why"
      "\r\nPREFECT_HOME=\"/x\"\nPREFECT_SERVER_API_PORT = 5 # x" },
    { FILE_BEFORE, "ORION_CORS_ORIGINS", NULL, "\xEF\xBB\xBF# first\r\n\r\nPREFECT_HOME=\"/x\"\n"
      "PREFECT_SERVER_API_PORT = 5 # x" },
    { FILE_BEFORE, "ORION_SERVER_CONNECTIONS", "50", FILE_BEFORE "\nORION_SERVER_CONNECTIONS = 50\n" },
    { FILE_BEFORE, "PREFECT_ORION_API_PORT", "6", "\xEF\xBB\xBF# first\r\n\r\n  ORION_CORS_ORIGINS   = '''a\nb'''"
      "  # why\r\nPREFECT_HOME=\"/x\"\nPREFECT_SERVER_API_PORT = 6 # x" },
    { FILE_BEFORE, "PREFECT_ORION_API_PORT", NULL, "\xEF\xBB\xBF# first\r\n\r\n  ORION_CORS_ORIGINS   = '''a\nb'''"
      "  # why\r\nPREFECT_HOME=\"/x\"\n" },
    { "", "ORION_SERVER_HEAD_TIMEOUT", "5 s", "ORION_SERVER_HEAD_TIMEOUT = \"5 s\"\n" },
    { "", "ORION_DATABASE_PGBOUNCER", "true", "ORION_DATABASE_PGBOUNCER = true\n" },
    { "", "ORION_DATABASE_PGBOUNCER", "on", "ORION_DATABASE_PGBOUNCER = \"on\"\n" },
    { "", "ORION_SERVER_CONNECTIONS", "010", "ORION_SERVER_CONNECTIONS = \"010\"\n" },
    { "", "ORION_SERVER_CONNECTIONS", "1_0", "ORION_SERVER_CONNECTIONS = \"1_0\"\n" },
    { "ORION_SERVER_CONNECTIONS = 'bad' #\n# end\n", "ORION_SERVER_CONNECTIONS", "1",
      "ORION_SERVER_CONNECTIONS = 1 #\n# end\n" },
    { "PREFECT_SERVER_API_HOST = 'a'\n#\nPREFECT_ORION_API_HOST = 'b'\n", "PREFECT_SERVER_API_HOST", "c",
      "#\nPREFECT_ORION_API_HOST = \"c\"\n" },
    { "PREFECT_SERVER_API_HOST = 'a'\n#\nPREFECT_ORION_API_HOST = 'b'", "PREFECT_SERVER_API_HOST", NULL, "#\n" },
    { "ORION_TYPO = 1\nORION_TYPO_2 = 1\n", "ORION_TYPO", NULL, "ORION_TYPO_2 = 1\n" },
};

static void a_change_keeps_the_rest(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        Error error = { .code = ERR_NONE };
        ConfigFile file, changed;
        bool found = true;
        Str name = str_from(changes[i].name), value = str_from(changes[i].value);
        assert_true(config_file_parse(arena, "f", str_from(changes[i].before), &file, &error));
        if (value.p)
            assert_true(config_file_set(arena, &file, setting_find_any(name), value, &changed, &error));
        else
            assert_true(config_file_unset(arena, &file, name, &changed, &found, &error));
        assert_true(found);
        assert_str(changed.text, changes[i].after);
        const ConfigEntry *entry = setting_find_any(name) ? config_file_find(&changed, setting_find_any(name)) : NULL;
        assert_int_equal(entry != NULL, value.p != NULL);
        if (entry)
            assert_true(str_eq(entry->text, value) || str_is(entry->text, "True"));
        assert_true(config_file_unset(arena, &changed, STR("ORION_ALLOWED_HOSTS"), &changed, &found, &error));
        assert_false(found);
    }
    arena_free(arena);
}

/* A line at the end would be in the table. */
static void a_file_with_tables_is_not_changed(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    ConfigFile file, changed;
    Error error = { .code = ERR_NONE };
    assert_true(config_file_parse(arena, "f", STR("[ORION_CORS_ORIGINS]\na = 1\n"), &file, &error));
    assert_false(config_file_set(arena, &file, setting_find(STR("ORION_CORS_ORIGINS")), STR("x"), &changed, &error));
    assert_non_null(strstr(error.message, "f:1: this file has no tables"));
    arena_free(arena);
}

/* One process may hold both files of one folder. */
static void one_folder_is_locked_once(void **state)
{
    const Home *home = *state;
    Arena *arena = arena_new();
    Error error = { .code = ERR_NONE };
    int first, second, third;
    assert_true(file_lock(arena, home->file, FILE_CHANGE, &first, &error));
    assert_true(file_lock_too(arena, home->other, FILE_CHANGE, first, &second, &error));
    assert_true(first >= 0);
    assert_int_equal(second, -1);
    assert_true(file_lock_too(arena, "/tmp/orion.toml", FILE_READ, first, &third, &error));
    assert_true(third >= 0);
    close(first);
    close(third);
    arena_free(arena);
}

int main(void)
{
#define IN_HOME(test) cmocka_unit_test_setup_teardown(test, make_home, remove_home)
    const struct CMUnitTest tests[] = {
        IN_HOME(between_environment_and_profile), IN_HOME(another_file), IN_HOME(home_in_the_file),
        IN_HOME(what_no_server_starts_with), IN_HOME(problems_of_lines), IN_HOME(units),
        cmocka_unit_test(a_change_keeps_the_rest),
        cmocka_unit_test(a_file_with_tables_is_not_changed), IN_HOME(one_folder_is_locked_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
