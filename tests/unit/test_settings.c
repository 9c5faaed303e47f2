/* tests/unit/test_settings.c -- settings from environment, profile and table;
 * expected values are those of the reference's Settings. */
#include "unit.h"

#include <math.h>
#include <unistd.h>

#include "base/json.h"
#include "config/setting_value.h"

typedef struct Home {
    char path[64];
    char profiles[96];
} Home;

/* Each test has a home of its own and no setting in its environment. */
static int make_home(void **state)
{
    static Home home;
    for (size_t i = 0; i < setting_count; i++)
        unsetenv(setting_table[i].name);
    unsetenv("PREFECT_PROFILE");
    snprintf(home.path, sizeof home.path, "/tmp/orion-settings-XXXXXX");
    if (!mkdtemp(home.path))
        return 1;
    snprintf(home.profiles, sizeof home.profiles, "%s/profiles.toml", home.path);
    setenv("PREFECT_HOME", home.path, 1);
    *state = &home;
    return 0;
}

static int remove_home(void **state)
{
    Home *home = *state;
    unlink(home->profiles);
    return rmdir(home->path);
}

static void write_profiles(const Home *home, const char *text)
{
    FILE *file = fopen(home->profiles, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static Settings *loaded(const char *profile)
{
    Error error = { .code = ERR_NONE };
    Settings *settings = settings_load(&(SettingsCall){ .profile = profile }, &error);
    if (!settings)
        print_error("%s\n", error.message);
    assert_non_null(settings);
    return settings;
}

static void refused(const char *profile, const char *message)
{
    Error error = { .code = ERR_NONE };
    Settings *settings = settings_load(&(SettingsCall){ .profile = profile }, &error);
    settings_free(settings);
    assert_null(settings);
    assert_string_equal(error.message, message);
}

static void assert_str(Str actual, const char *expected)
{
    if (!str_is(actual, expected))
        print_error("%.*s is not %s\n", STR_ARG(actual), expected);
    assert_true(str_is(actual, expected));
}

static void defaults(void **state)
{
    const Home *home = *state;
    char expected[128];
    Settings *settings = loaded(NULL);
    snprintf(expected, sizeof expected, "sqlite+aiosqlite:///%s/orion.db", home->path);
    assert_str(settings_text(settings, "PREFECT_ORION_DATABASE_CONNECTION_URL"), expected);
    assert_str(settings_given(settings, "PREFECT_ORION_DATABASE_CONNECTION_URL"),
               "sqlite+aiosqlite:///${PREFECT_HOME}/orion.db");
    assert_str(settings_text(settings, "PREFECT_ORION_UI_API_URL"), "http://127.0.0.1:4200/api");
    assert_str(settings_text(settings, "PREFECT_CLOUD_UI_URL"), "https://app.prefect.cloud");
    assert_null(settings_text(settings, "PREFECT_API_URL").p);
    assert_null(settings_text(settings, "PREFECT_UI_URL").p);
    assert_int_equal(settings_int(settings, "PREFECT_ORION_API_PORT"), 4200);
    assert_true(settings_bool(settings, "PREFECT_ORION_UI_ENABLED"));
    assert_true(settings_float(settings, "PREFECT_ORION_SERVICES_SCHEDULER_MAX_SCHEDULED_TIME") == 8640000.0);
    assert_str(settings_given(settings, "PREFECT_ORION_SERVICES_SCHEDULER_MAX_SCHEDULED_TIME"), "100 days, 0:00:00");
    assert_int_equal(settings_source(settings, "PREFECT_ORION_API_PORT"), FROM_DEFAULT);
    assert_int_equal(settings_source(settings, "PREFECT_HOME"), FROM_ENVIRONMENT);
    assert_string_equal(settings_profile(settings), "default");
    settings_free(settings);
}

static void environment_over_profile_over_default(void **state)
{
    write_profiles(*state, "active = 'a'\n[profiles.a]\nPREFECT_ORION_API_PORT = 1\nPREFECT_ORION_API_HOST = \"h\"\n"
                           "[profiles.b]\nPREFECT_ORION_API_PORT = \"2\"\n");
    setenv("PREFECT_ORION_API_PORT", "3", 1);
    Settings *settings = loaded(NULL);
    assert_string_equal(settings_profile(settings), "a");
    assert_int_equal(settings_int(settings, "PREFECT_ORION_API_PORT"), 3);
    assert_int_equal(settings_source(settings, "PREFECT_ORION_API_PORT"), FROM_ENVIRONMENT);
    assert_str(settings_text(settings, "PREFECT_ORION_API_HOST"), "h");
    assert_int_equal(settings_source(settings, "PREFECT_ORION_API_HOST"), FROM_PROFILE);
    settings_free(settings);

    setenv("PREFECT_PROFILE", "b", 1);
    settings = loaded(NULL);
    assert_string_equal(settings_profile(settings), "b");
    assert_int_equal(settings_int(settings, "PREFECT_ORION_API_PORT"), 3);
    settings_free(settings);

    setenv("PREFECT_PROFILE", "a", 1);
    settings = loaded("b"); /* the option goes over both variables */
    assert_string_equal(settings_profile(settings), "b");
    assert_int_equal(settings_int(settings, "PREFECT_ORION_API_PORT"), 2);
    settings_free(settings);
}

static void variables_in_any_case(void **state)
{
    (void)state;
    setenv("prefect_orion_api_port", "77", 1);
    Settings *settings = loaded(NULL);
    unsetenv("prefect_orion_api_port");
    assert_int_equal(settings_int(settings, "PREFECT_ORION_API_PORT"), 77);
    settings_free(settings);
}

static void unknown_profiles(void **state)
{
    (void)state;
    refused("nope", "Unknown profile 'nope'.");
    setenv("PREFECT_PROFILE", "gone", 1);
    Settings *settings = loaded(NULL); /* with a warning */
    assert_string_equal(settings_profile(settings), "default");
    settings_free(settings);
}

static void bad_values(void **state)
{
    setenv("PREFECT_ORION_API_PORT", "x", 1);
    setenv("PREFECT_DEBUG_MODE", "2", 1);
    refused(NULL, "2 validation errors for Settings\nPREFECT_DEBUG_MODE\n  value could not be parsed to a boolean "
                  "(type=type_error.bool)\n"
                  "PREFECT_ORION_API_PORT\n  value is not a valid integer (type=type_error.integer)");
    unsetenv("PREFECT_ORION_API_PORT");
    unsetenv("PREFECT_DEBUG_MODE");
    setenv("PREFECT_LOGGING_ORION_BATCH_SIZE", "5", 1);
    refused(NULL,
            "1 validation error for Settings\n__root__\n  `PREFECT_LOGGING_ORION_MAX_LOG_SIZE` cannot be larger than "
            "`PREFECT_LOGGING_ORION_BATCH_SIZE` (type=value_error)");
    unsetenv("PREFECT_LOGGING_ORION_BATCH_SIZE");
    const Home *home = *state;
    char expected[256];
    write_profiles(home, "[profiles.a]\nFOO = 1\n");
    snprintf(expected, sizeof expected,
             "%s: 1 validation error for Profile\nsettings\n  Unknown setting 'FOO'. (type=value_error)",
             home->profiles);
    refused(NULL, expected);
}

static void templates(void **state)
{
    char expected[128];
    const Home *home = *state;
    setenv("PREFECT_ORION_DATABASE_PASSWORD", "p@$$w", 1);
    setenv("PREFECT_ORION_DATABASE_CONNECTION_URL", "post://u:${PREFECT_ORION_DATABASE_PASSWORD}@$PREFECT_HOME/$$", 1);
    setenv("PREFECT_API_URL", "http://h/api", 1);
    setenv("PREFECT_ORION_UI_API_URL", "${PREFECT_API_URL}?${PREFECT_ORION_API_HOST}:$PREFECT_ORION_API_PORT", 1);
    Settings *settings = loaded(NULL);
    snprintf(expected, sizeof expected, "post://u:p@$$w@%s/$", home->path);
    assert_str(settings_text(settings, "PREFECT_ORION_DATABASE_CONNECTION_URL"), expected);
    assert_str(settings_text(settings, "PREFECT_ORION_UI_API_URL"), "http://h/api?127.0.0.1:4200");
    settings_free(settings);
}

static void template_without_password(void **state)
{
    (void)state;
    setenv("PREFECT_ORION_DATABASE_CONNECTION_URL", "post://u:${PREFECT_ORION_DATABASE_PASSWORD}@h", 1);
    Settings *settings = loaded(NULL);
    assert_str(settings_text(settings, "PREFECT_ORION_DATABASE_CONNECTION_URL"), "post://u:None@h");
    settings_free(settings);
}

static void bad_templates(void **state)
{
    static const char *const urls[] = { "a${FOO}", "a$FOO", "a$", "a${PREFECT_HOME", "a${PREFECT_API_URL}", "a$1" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        Error error = { .code = ERR_NONE };
        setenv("PREFECT_ORION_DATABASE_CONNECTION_URL", urls[i], 1);
        assert_null(settings_load(NULL, &error));
        assert_non_null(strstr(error.message, "PREFECT_ORION_DATABASE_CONNECTION_URL"));
        assert_null(strstr(error.message, "FOO")); /* it might be part of a password */
        Settings *settings = settings_load(&(SettingsCall){ .use = SETTINGS_TO_REPAIR }, &error);
        assert_non_null(settings);
        assert_null(settings_text(settings, "PREFECT_ORION_DATABASE_CONNECTION_URL").p);
        settings_free(settings);
    }
}

static void inferred_addresses(void **state)
{
    static const char *const cases[][2] = {
        { "http://127.0.0.1:4200/api", "http://127.0.0.1:4200" },
        { "http://127.0.0.1:4200", "http://127.0.0.1:4200" },
        { "https://api.prefect.cloud/api/accounts/1/workspaces/2", "https://app.prefect.cloud/account/1/workspace/2" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        setenv("PREFECT_API_URL", cases[i][0], 1);
        Settings *settings = loaded(NULL);
        assert_str(settings_text(settings, "PREFECT_UI_URL"), cases[i][1]);
        assert_str(settings_text(settings, "PREFECT_ORION_UI_API_URL"), cases[i][0]);
        settings_free(settings);
    }
    setenv("PREFECT_CLOUD_URL", "https://other/api", 1);
    Settings *settings = loaded(NULL);
    assert_str(settings_text(settings, "PREFECT_CLOUD_API_URL"), "https://other/api");
    assert_str(settings_text(settings, "PREFECT_CLOUD_UI_URL"), "https://other");
    settings_free(settings);
}

static void modes(void **state)
{
    (void)state;
    setenv("PREFECT_TEST_SETTING", "x", 1);
    setenv("PREFECT_DEBUG_MODE", "1", 1);
    Settings *settings = loaded(NULL);
    assert_null(settings_text(settings, "PREFECT_TEST_SETTING").p);
    assert_str(settings_text(settings, "PREFECT_LOGGING_LEVEL"), "DEBUG");
    settings_free(settings);
    setenv("PREFECT_TEST_MODE", "1", 1);
    settings = loaded(NULL);
    assert_str(settings_text(settings, "PREFECT_TEST_SETTING"), "x");
    settings_free(settings);
}

static void home_of_a_user(void **state)
{
    (void)state;
    char *saved = strdup(getenv("HOME") ? getenv("HOME") : "/");
    setenv("HOME", "/nowhere/", 1);
    setenv("PREFECT_HOME", "~/x", 1);
    Settings *settings = loaded(NULL);
    assert_str(settings_text(settings, "PREFECT_HOME"), "/nowhere/x");
    assert_str(settings_given(settings, "PREFECT_HOME"), "~/x");
    settings_free(settings);
    setenv("HOME", saved, 1);
    free(saved);
}

static void options_go_over_all(void **state)
{
    Error error = { .code = ERR_NONE };
    (void)state;
    setenv("PREFECT_ORION_API_PORT", "1", 1);
    Settings *settings = loaded(NULL);
    assert_true(settings_override(settings, "PREFECT_ORION_API_PORT", STR("99"), &error));
    assert_int_equal(settings_int(settings, "PREFECT_ORION_API_PORT"), 99);
    /* what depends on it follows */
    assert_str(settings_text(settings, "PREFECT_ORION_UI_API_URL"), "http://127.0.0.1:99/api");
    assert_false(settings_override(settings, "PREFECT_LOGGING_SERVER_LEVEL", STR("foo"), &error));
    assert_string_equal(error.message, "1 validation error for Settings\nPREFECT_LOGGING_SERVER_LEVEL\n"
                                       "  Unknown level: 'FOO' (type=value_error)");
    settings_free(settings);
}

static void quantities(void **state)
{
    static const struct { const char *name, *given; double number; } cases[] = {
        { "ORION_SERVER_HEAD_TIMEOUT", "250ms", 0.25 }, { "ORION_SERVER_HEAD_TIMEOUT", "1.5s", 1.5 },
        { "ORION_SERVER_HEAD_TIMEOUT", "2m", 120 }, { "ORION_SERVER_HEAD_TIMEOUT", "1h", 3600 },
        { "ORION_SERVER_HEAD_TIMEOUT", "2 d", 172800 }, { "ORION_SERVER_HEAD_TIMEOUT", "1w", 604800 },
        { "ORION_SERVER_HEAD_TIMEOUT", "7", 7 }, { "ORION_SERVER_BODY_RATE", "2kB", 2000 },
        { "ORION_SERVER_BODY_RATE", "0.5MB", 500000 }, { "ORION_SERVER_BODY_RATE", "1GB", 1e9 },
        { "ORION_SERVER_BODY_RATE", "512", 512 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        setenv(cases[i].name, cases[i].given, 1);
        Settings *settings = loaded(NULL);
        assert_true(fabs(settings_float(settings, cases[i].name) - cases[i].number) < 1e-9);
        assert_int_equal(settings_int(settings, cases[i].name), (int64_t)cases[i].number);
        assert_str(settings_given(settings, cases[i].name), cases[i].given);
        settings_free(settings);
    }
    setenv("ORION_SERVER_BODY_RATE", "quick", 1);
    refused(NULL,
            "1 validation error for Settings\nORION_SERVER_BODY_RATE\n"
            "  value is not a size above zero: a number with kB, MB or GB, as in 1kB (type=value_error.quantity)");
    unsetenv("ORION_SERVER_BODY_RATE");
    unsetenv("ORION_SERVER_HEAD_TIMEOUT");
}

static void as_json(void **state)
{
    Arena *arena = arena_new();
    JsonError json_error;
    const Json *json;
    (void)state;
    setenv("PREFECT_API_KEY", "secret", 1);
    setenv("PREFECT_AGENT_PREFETCH_SECONDS", "999999999999999999999999999999", 1);
    Settings *settings = loaded(NULL);
    Str text = settings_json(settings, arena);
    assert_true(json_parse(arena, text, &json, &json_error));
    size_t own = 0; /* which the reference does not have, and its API does not show */
    for (size_t i = 0; i < setting_count; i++)
        own += (setting_table[i].flags & SETTING_OWN) != 0;
    assert_int_equal(json->count, setting_count - own);
    assert_true(str_is(json->child->key, "PREFECT_HOME"));
    assert_str(json_get(json, "PREFECT_API_KEY")->text, "********");
    assert_str(json_get(json, "PREFECT_ORION_DATABASE_PASSWORD")->text, "********");
    assert_str(json_get(json, "PREFECT_ORION_DATABASE_CONNECTION_URL")->text, "********");
    assert_str(json_get(json, "PREFECT_AGENT_PREFETCH_SECONDS")->text, "999999999999999999999999999999");
    assert_str(json_get(json, "PREFECT_ORION_SERVICES_LATE_RUNS_AFTER_SECONDS")->text, "5.0");
    assert_str(json_get(json, "PREFECT_MEMO_STORE_PATH")->text, "${PREFECT_HOME}/memo_store.toml");
    assert_int_equal(json_get(json, "PREFECT_API_URL")->kind, JSON_NULL);
    assert_int_equal(json_get(json, "PREFECT_DEBUG_MODE")->kind, JSON_FALSE);
    settings_free(settings);
    arena_free(arena);
}

#define NOT_A_TIME "value is not a time above zero: a number with ms, s, m, h, d or w, as in 10s"

/* What pydantic makes of a value; NULL: refused with the message. */
static const struct { const char *name; TomlKind kind; const char *given, *text, *message; } values[] = {
    { "PREFECT_ORION_API_PORT", TOML_STRING, " 7 ", "7", NULL },
    { "PREFECT_ORION_API_PORT", TOML_STRING, "1_000", "1000", NULL },
    { "PREFECT_ORION_API_PORT", TOML_STRING, "+7", "7", NULL },
    { "PREFECT_ORION_API_PORT", TOML_STRING, "-0", "0", NULL },
    { "PREFECT_ORION_API_PORT", TOML_STRING, "007", "7", NULL },
    { "PREFECT_ORION_API_PORT", TOML_BOOL, "True", "1", NULL },
    { "PREFECT_ORION_API_PORT", TOML_FLOAT, "1.9", "1", NULL },
    { "PREFECT_ORION_API_PORT", TOML_STRING, "1.5", NULL, "value is not a valid integer" },
    { "PREFECT_ORION_API_PORT", TOML_STRING, "", NULL, "value is not a valid integer" },
    { "PREFECT_ORION_API_PORT", TOML_STRING, "0x10", NULL, "value is not a valid integer" },
    { "PREFECT_ORION_API_PORT", TOML_STRING, "1__0", NULL, "value is not a valid integer" },
    { "PREFECT_ORION_API_PORT", TOML_STRING, "-", NULL, "value is not a valid integer" },
    { "PREFECT_ORION_DATABASE_TIMEOUT", TOML_STRING, "7", "7.0", NULL },
    { "PREFECT_ORION_DATABASE_TIMEOUT", TOML_STRING, "1e3", "1000.0", NULL },
    { "PREFECT_ORION_DATABASE_TIMEOUT", TOML_STRING, ".5", "0.5", NULL },
    { "PREFECT_ORION_DATABASE_TIMEOUT", TOML_STRING, "5.", "5.0", NULL },
    { "PREFECT_ORION_DATABASE_TIMEOUT", TOML_STRING, "1_0.5", "10.5", NULL },
    { "PREFECT_ORION_DATABASE_TIMEOUT", TOML_STRING, "-0", "-0.0", NULL },
    { "PREFECT_ORION_DATABASE_TIMEOUT", TOML_BOOL, "True", "1.0", NULL },
    { "PREFECT_ORION_DATABASE_TIMEOUT", TOML_STRING, "0x10", NULL, "value is not a valid float" },
    { "PREFECT_ORION_DATABASE_TIMEOUT", TOML_STRING, "", NULL, "value is not a valid float" },
    { "PREFECT_ORION_DATABASE_TIMEOUT", TOML_STRING, "inf", NULL, "the server accepts only finite numbers here" },
    { "PREFECT_ORION_DATABASE_TIMEOUT", TOML_STRING, "1e400", NULL, "the server accepts only finite numbers here" },
    { "PREFECT_AGENT_QUERY_INTERVAL", TOML_STRING, " -Infinity ", "-inf", NULL },
    { "PREFECT_AGENT_QUERY_INTERVAL", TOML_STRING, "-nan", "nan", NULL },
    { "PREFECT_AGENT_QUERY_INTERVAL", TOML_STRING, "1e400", "inf", NULL },
    { "PREFECT_AGENT_QUERY_INTERVAL", TOML_STRING, "in_f", NULL, "value is not a valid float" },
    { "PREFECT_AGENT_PREFETCH_SECONDS", TOML_FLOAT, "nan", NULL, "value is not a valid integer" },
    { "PREFECT_AGENT_PREFETCH_SECONDS", TOML_FLOAT, "inf", NULL, "value is not a valid integer" },
    { "PREFECT_AGENT_PREFETCH_SECONDS", TOML_INT, "10000000000000000000", "10000000000000000000", NULL },
    { "PREFECT_ORION_SERVICES_LATE_RUNS_AFTER_SECONDS", TOML_FLOAT, "nan", NULL, "invalid duration format" },
    { "ORION_SERVER_HEAD_TIMEOUT", TOML_STRING, " 5", " 5", NULL },
    { "ORION_SERVER_HEAD_TIMEOUT", TOML_STRING, "5 seconds", NULL, NOT_A_TIME },
    { "ORION_SERVER_HEAD_TIMEOUT", TOML_STRING, "s", NULL, NOT_A_TIME },
    { "ORION_SERVER_HEAD_TIMEOUT", TOML_STRING, "", NULL, NOT_A_TIME },
    { "ORION_SERVER_HEAD_TIMEOUT", TOML_STRING, "0s", NULL, NOT_A_TIME },
    { "ORION_SERVER_HEAD_TIMEOUT", TOML_STRING, "-1s", NULL, NOT_A_TIME },
    { "ORION_SERVER_HEAD_TIMEOUT", TOML_STRING, "1.2.3s", NULL, NOT_A_TIME },
    { "ORION_SERVER_HEAD_TIMEOUT", TOML_STRING, "1kB", NULL, NOT_A_TIME },
    { "ORION_SERVER_HEAD_TIMEOUT", TOML_STRING, "99999999w", NULL, NOT_A_TIME },
    { "ORION_SERVER_HEAD_TIMEOUT", TOML_STRING, "0000000000000000000000000000000001s", NULL, NOT_A_TIME },
    { "ORION_SERVER_HEAD_TIMEOUT", TOML_BOOL, "True", NULL, NOT_A_TIME },
    { "ORION_SERVER_BODY_RATE", TOML_INT, "500", "500", NULL },
    { "ORION_SERVER_BODY_RATE", TOML_STRING, "1s", NULL,
      "value is not a size above zero: a number with kB, MB or GB, as in 1kB" },
    { "PREFECT_DEBUG_MODE", TOML_STRING, "on", "True", NULL },
    { "PREFECT_DEBUG_MODE", TOML_STRING, "OFF", "False", NULL },
    { "PREFECT_DEBUG_MODE", TOML_STRING, "No", "False", NULL },
    { "PREFECT_DEBUG_MODE", TOML_INT, "1", "True", NULL },
    { "PREFECT_DEBUG_MODE", TOML_FLOAT, "1.0", "True", NULL },
    { "PREFECT_DEBUG_MODE", TOML_INT, "2", NULL, "value could not be parsed to a boolean" },
    { "PREFECT_DEBUG_MODE", TOML_STRING, "true ", NULL, "value could not be parsed to a boolean" },
    { "PREFECT_DEBUG_MODE", TOML_STRING, "", NULL, "value could not be parsed to a boolean" },
    { "PREFECT_ORION_SERVICES_LATE_RUNS_AFTER_SECONDS", TOML_STRING, "5", "0:00:05", NULL },
    { "PREFECT_ORION_SERVICES_LATE_RUNS_AFTER_SECONDS", TOML_STRING, "P1DT2H", "1 day, 2:00:00", NULL },
    { "PREFECT_ORION_SERVICES_LATE_RUNS_AFTER_SECONDS", TOML_STRING, "1 02:03:04", "1 day, 2:03:04", NULL },
    { "PREFECT_ORION_SERVICES_LATE_RUNS_AFTER_SECONDS", TOML_STRING, "-1", "-1 day, 23:59:59", NULL },
    { "PREFECT_ORION_SERVICES_LATE_RUNS_AFTER_SECONDS", TOML_STRING, "1:30", "0:01:30", NULL },
    { "PREFECT_ORION_SERVICES_LATE_RUNS_AFTER_SECONDS", TOML_INT, "5", "0:00:05", NULL },
    { "PREFECT_ORION_SERVICES_LATE_RUNS_AFTER_SECONDS", TOML_FLOAT, "5.5", "0:00:05.500000", NULL },
    { "PREFECT_ORION_SERVICES_LATE_RUNS_AFTER_SECONDS", TOML_FLOAT, "-90061.5", "-2 days, 22:58:58.500000", NULL },
    { "PREFECT_ORION_SERVICES_LATE_RUNS_AFTER_SECONDS", TOML_STRING, "x", NULL, "invalid duration format" },
    { "PREFECT_ORION_SERVICES_LATE_RUNS_AFTER_SECONDS", TOML_STRING, "-1 day", NULL, "invalid duration format" },
    { "PREFECT_HOME", TOML_STRING, "/a//b/./c/", "/a/b/c", NULL },
    { "PREFECT_HOME", TOML_STRING, "", ".", NULL },
    { "PREFECT_HOME", TOML_STRING, "//x", "//x", NULL },
    { "PREFECT_HOME", TOML_STRING, "///x", "/x", NULL },
    { "PREFECT_HOME", TOML_STRING, "a/../b", "a/../b", NULL },
    { "PREFECT_HOME", TOML_INT, "5", NULL, "value is not a valid path" },
    { "PREFECT_API_URL", TOML_INT, "5", "5", NULL },
    { "PREFECT_API_URL", TOML_BOOL, "True", "True", NULL },
    { "PREFECT_API_URL", TOML_OTHER, "[1]", NULL, "str type expected" },
    { "PREFECT_LOGGING_SERVER_LEVEL", TOML_STRING, "Warn", "WARN", NULL },
    { "PREFECT_LOGGING_SERVER_LEVEL", TOML_STRING, "20", NULL, "Unknown level: '20'" },
    { "PREFECT_LOGGING_ORION_WHEN_MISSING_FLOW", TOML_STRING, "error", "error", NULL },
    { "PREFECT_LOGGING_ORION_WHEN_MISSING_FLOW", TOML_STRING, "Warn", NULL,
      "unexpected value; permitted: 'warn', 'error', 'ignore'" },
};

static void values_as_pydantic_reads_them(void **state)
{
    Arena *arena = arena_new();
    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        SettingValue value;
        SettingProblem problem;
        const Setting *setting = setting_find(str_from(values[i].name));
        bool ok = setting_parse(setting, values[i].kind, str_from(values[i].given), arena, &value, &problem);
        assert_int_equal(ok, values[i].text != NULL);
        if (ok)
            assert_str(value.text, values[i].text);
        else
            assert_str(problem.message, values[i].message);
    }
    arena_free(arena);
}

int main(void)
{
#define IN_HOME(test) cmocka_unit_test_setup_teardown(test, make_home, remove_home)
    const struct CMUnitTest tests[] = {
        IN_HOME(defaults), IN_HOME(environment_over_profile_over_default), IN_HOME(variables_in_any_case),
        IN_HOME(unknown_profiles), IN_HOME(bad_values), IN_HOME(templates), IN_HOME(template_without_password),
        IN_HOME(bad_templates), IN_HOME(inferred_addresses), IN_HOME(modes), IN_HOME(home_of_a_user),
        IN_HOME(options_go_over_all), IN_HOME(quantities), IN_HOME(as_json),
        cmocka_unit_test(values_as_pydantic_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
