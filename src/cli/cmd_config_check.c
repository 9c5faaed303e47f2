/* cli/cmd_config_check.c -- `orion config check`: the problems in orion.toml, and a table of constraints on the
 * settings in use, which `orion start` checks too. */
#include "access/access.h"
#include "blocks/encryption.h"
#include "cli/cli.h"
#include "config/config_file.h"
#include "db/driver.h"
#include "model/run_tree.h"

#include <unistd.h>

typedef struct SettingsCheck {
    const char *name;  /* the setting to report, with its place */
    const char *other; /* its place is reported if `name` has its default; or NULL */
    bool at_start;     /* true: the server refuses to start; false: it starts, and does what it can */
    bool (*holds)(const Cli *cli, Error *error); /* false: *error says what is wrong, without a secret */
} SettingsCheck;

static bool is_between(const Cli *cli, const char *name, const char *noun, int64_t from, int64_t to, Error *error)
{
    int64_t value = settings_int(cli->settings, name);
    return (value >= from && value <= to) ||
           fail(error, ERR_INVALID, "%s%lld is not between %lld and %lld.", noun, (long long)value, (long long)from,
                (long long)to);
}

/* Checks that the smaller of two settings does not exceed the larger. */
static bool is_ordered(const Cli *cli, const char *smaller, const char *larger, Error *error)
{
    Str less = settings_given(cli->settings, smaller), more = settings_given(cli->settings, larger);
    return settings_float(cli->settings, smaller) <= settings_float(cli->settings, larger) ||
           fail(error, ERR_INVALID, "%.*s is more than the %.*s of %s.", STR_ARG(less), STR_ARG(more), larger);
}

static bool port_is_one(const Cli *cli, Error *error)
{
    return is_between(cli, "PREFECT_ORION_API_PORT", "Port ", 0, 65535, error);
}

static bool connections_are_some(const Cli *cli, Error *error)
{
    return is_between(cli, "ORION_SERVER_CONNECTIONS", "", 1, UINT32_MAX, error);
}

static bool queue_has_room(const Cli *cli, Error *error)
{
    return is_between(cli, "ORION_SERVER_QUEUE", "", 1, INT64_MAX, error);
}

static bool database_connections_are_some(const Cli *cli, Error *error)
{
    int64_t wanted = settings_int(cli->settings, "ORION_DATABASE_CONNECTIONS");
    unsigned used = db_config(cli->settings).connections;
    return wanted == used || fail(error, ERR_INVALID, "%lld is out of range; %u is used.", (long long)wanted, used);
}

static bool database_url_is_one(const Cli *cli, Error *error)
{
    DbConfig config = db_config(cli->settings);
    return !config.url.p || db_check(cli->arena, &config, error); /* null: the template was already reported */
}

static bool encryption_key_is_one(const Cli *cli, Error *error)
{
    return encryption_check(cli->settings, error);
}

static bool auth_string_is_one(const Cli *cli, Error *error)
{
    return access_check_settings(cli->settings, error);
}

static bool keys_are_readable(const Cli *cli, Error *error)
{
    return access_check_keys(cli->settings, error);
}

static bool log_lines_fit(const Cli *cli, Error *error)
{
    return is_ordered(cli, "PREFECT_LOGGING_ORION_MAX_LOG_SIZE", "PREFECT_LOGGING_ORION_BATCH_SIZE", error);
}

static bool retention_states_are_final(const Cli *cli, Error *error)
{
    Str states = settings_text(cli->settings, "ORION_RETENTION_STATES"), wrong;
    unsigned mask;
    return states.n == 0 || tree_states_read(states, &mask, &wrong)
           || fail(error, ERR_INVALID, "%s is not a state in which runs end.", cli_quoted(cli, wrong));
}

static bool run_counts_fit(const Cli *cli, Error *error)
{
    return is_ordered(cli, "PREFECT_ORION_SERVICES_SCHEDULER_MIN_RUNS", "PREFECT_ORION_SERVICES_SCHEDULER_MAX_RUNS",
                      error);
}

static bool run_times_fit(const Cli *cli, Error *error)
{
    return is_ordered(cli, "PREFECT_ORION_SERVICES_SCHEDULER_MIN_SCHEDULED_TIME",
                      "PREFECT_ORION_SERVICES_SCHEDULER_MAX_SCHEDULED_TIME", error);
}

static bool makes_backups(const Cli *cli)
{
    return settings_float(cli->settings, "ORION_BACKUP_EVERY") > 0;
}

static bool backups_are_some(const Cli *cli, Error *error)
{
    return is_between(cli, "ORION_BACKUP_KEEP", "", 1, INT32_MAX, error);
}

/* Their names have their seconds. */
static bool backups_are_apart(const Cli *cli, Error *error)
{
    Str given = settings_given(cli->settings, "ORION_BACKUP_EVERY");
    return !makes_backups(cli) || settings_float(cli->settings, "ORION_BACKUP_EVERY") >= 1
           || fail(error, ERR_INVALID, "%.*s is less than a second.", STR_ARG(given));
}

static bool backups_have_a_folder(const Cli *cli, Error *error)
{
    Str folder = settings_text(cli->settings, "ORION_BACKUP_FOLDER");
    if (!makes_backups(cli) || settings_source(cli->settings, "ORION_BACKUP_FOLDER") == FROM_DEFAULT)
        return true; /* the default is made when it is needed */
    return access(folder.p, W_OK | X_OK) == 0 || fail(error, ERR_INVALID, "%s: %m.", folder.p);
}

static bool backups_are_of_something(const Cli *cli, Error *error)
{
    DbConfig config = db_config(cli->settings);
    DbPlace place = { .path = NULL };
    Error ignored = { .code = ERR_NONE }; /* another row reports it */
    return !makes_backups(cli) || !config.url.p || !db_locate(cli->arena, &config, &place, &ignored)
           || !place.is_single
           || fail(error, ERR_INVALID, "The database is in memory: there is nothing to back up.");
}

/* What is said of backups that are not made is probably meant to make some. */
static bool backups_are_made(const Cli *cli, Error *error)
{
    static const char *const others[] = { "ORION_BACKUP_FOLDER", "ORION_BACKUP_GZIP", "ORION_BACKUP_KEEP" };
    for (size_t i = 0; i < COUNT_OF(others) && !makes_backups(cli); i++)
        if (settings_source(cli->settings, others[i]) != FROM_DEFAULT)
            return fail(error, ERR_INVALID, "It is not set, so that %s has no effect.", others[i]);
    return true;
}

static bool generation_is_served(const Cli *cli, Error *error)
{
    return settings_generation(cli->settings) != GEN_3 ||
           fail(error, ERR_INVALID, "This release has no server of generation 3 yet; 2.7 is the other one.");
}

static const SettingsCheck checks[] = {
    { "ORION_GENERATION", NULL, true, generation_is_served },
    { "PREFECT_ORION_API_PORT", NULL, true, port_is_one },
    { "ORION_SERVER_CONNECTIONS", NULL, true, connections_are_some },
    { "ORION_SERVER_QUEUE", NULL, true, queue_has_room },
    { "ORION_ENCRYPTION_KEY", NULL, true, encryption_key_is_one },
    { "ORION_AUTH_STRING", NULL, true, auth_string_is_one },
    { "ORION_KEYS_FILE", NULL, true, keys_are_readable },
    { "PREFECT_ORION_DATABASE_CONNECTION_URL", "PREFECT_ORION_DATABASE_PASSWORD", true, database_url_is_one },
    { "ORION_RETENTION_STATES", NULL, true, retention_states_are_final },
    { "ORION_DATABASE_CONNECTIONS", NULL, false, database_connections_are_some },
    { "PREFECT_LOGGING_ORION_MAX_LOG_SIZE", "PREFECT_LOGGING_ORION_BATCH_SIZE", false, log_lines_fit },
    { "PREFECT_ORION_SERVICES_SCHEDULER_MIN_RUNS", "PREFECT_ORION_SERVICES_SCHEDULER_MAX_RUNS", false, run_counts_fit },
    { "PREFECT_ORION_SERVICES_SCHEDULER_MIN_SCHEDULED_TIME", "PREFECT_ORION_SERVICES_SCHEDULER_MAX_SCHEDULED_TIME",
      false, run_times_fit },
    { "ORION_BACKUP_KEEP", NULL, true, backups_are_some },
    { "ORION_BACKUP_EVERY", NULL, true, backups_are_apart },
    { "ORION_BACKUP_FOLDER", NULL, false, backups_have_a_folder },
    { "ORION_BACKUP_EVERY", NULL, false, backups_are_of_something },
    { "ORION_BACKUP_EVERY", NULL, false, backups_are_made },
};

/* "FILE:LINE: NAME: what is wrong"; `everywhere`: also put the source in front of settings from elsewhere. */
static Str problem_text(const Cli *cli, const SettingsCheck *check, bool everywhere, const char *what)
{
    const char *name = check->name;
    if (check->other && settings_source(cli->settings, name) == FROM_DEFAULT)
        name = check->other;
    Str where = settings_where(cli->settings, name, cli->arena);
    bool shown = where.p && (everywhere || settings_source(cli->settings, name) == FROM_FILE);
    return arena_printf(cli->arena, "%.*s%s%s: %s", shown ? (int)where.n : 0, shown ? where.p : "", shown ? ": " : "",
                        check->name, what);
}

bool cli_check_settings(const Cli *cli, Error *error)
{
    for (size_t i = 0; i < COUNT_OF(checks); i++) {
        Error cause = { .code = ERR_NONE };
        if (checks[i].at_start && !checks[i].holds(cli, &cause))
            return fail(error, cause.code, "%s", problem_text(cli, &checks[i], false, cause.message).p);
    }
    return true;
}

/* Returns the number of problems. */
static size_t print_problems_of_file(const Cli *cli)
{
    size_t count = 0;
    const ConfigFile *file = settings_file(cli->settings);
    for (const ConfigProblem *problem = file->problems; problem; problem = problem->next) {
        puts(config_problem_text(cli->arena, file, problem).p);
        count += problem->gravity != CONFIG_NOTE;
    }
    return count;
}

static size_t print_contradictions(const Cli *cli)
{
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(checks); i++) {
        Error cause = { .code = ERR_NONE };
        if (checks[i].holds(cli, &cause))
            continue;
        puts(problem_text(cli, &checks[i], true, cause.message).p);
        count++;
    }
    return count;
}

/* Only environment and profile: for orion.toml, these are among the file's own problems. */
static size_t print_second_names(const Cli *cli)
{
    static const struct { SettingSource source; const char *name; } sources[] = {
        { FROM_ENVIRONMENT, "environment" }, { FROM_PROFILE, "profile" },
    };
    size_t count = 0;
    for (size_t i = 0; i < setting_count; i++) {
        for (size_t k = 0; k < COUNT_OF(sources); k++) {
            const char *name = setting_table[i].name;
            if (settings_source_agrees(cli->settings, sources[k].source, name))
                continue;
            printf("%s: %s: other names of it have other values\n", sources[k].name, name);
            count++;
        }
    }
    return count;
}

int cmd_config_check(Cli *cli)
{
    const ConfigFile *file = settings_file(cli->settings);
    size_t count = print_problems_of_file(cli) + print_contradictions(cli) + print_second_names(cli);
    if (count > 0)
        return 1;
    if (!file->is_there)
        cli_good(cli, "There is no %s; the settings from elsewhere are valid.", file->path ? file->path : "orion.toml");
    else
        cli_good(cli, "%s is valid.", file->path);
    return 0;
}
