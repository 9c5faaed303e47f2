/* cli/commands.c -- every command, in the order in which the help shows them. */
#include "cli/cli.h"

const CliOption cli_common_options[] = {
    { "profile", NULL, 'p', "NAME", NULL, "Use this profile for this call; overrides the environment." },
    { "config", NULL, 0, "FILE", NULL, "Read this file of settings instead of orion.toml in PREFECT_HOME." },
    { "version", NULL, 'v', NULL, NULL, "Show the version of Prefect that this server implements." },
    { "help", NULL, 0, NULL, NULL, "Show this text; after a command, the command's own help." },
    { .name = NULL },
};

/* Beside our own, what `prefect server start` of Prefect 3 takes. */
#define SERVER_START \
    { "no-services", NULL, 0, NULL, NULL, "Only the API and the dashboard, no background services." }, \
    { "background", "no-background", 'b', NULL, NULL, "Run it in the background." }, \
    { "workers", NULL, 0, "N", NULL, "Kept for old scripts: one process uses all processors." }
#define START \
    { "host", NULL, 0, "TEXT", "PREFECT_ORION_API_HOST", "Address to listen on." }, \
    { "port", NULL, 0, "INTEGER", "PREFECT_ORION_API_PORT", "Port to listen on." }, \
    { "keep-alive-timeout", NULL, 0, "INTEGER", "PREFECT_ORION_API_KEEPALIVE_TIMEOUT", \
      "Seconds that an idle connection stays open." }, \
    { "root-path", NULL, 0, "PATH", "ORION_ROOT_PATH", "Path below which a proxy publishes the server." }, \
    { "log-level", NULL, 0, "TEXT", "PREFECT_LOGGING_SERVER_LEVEL", \
      "Minimum log level: DEBUG, INFO, WARNING, ERROR." }, \
    { "log-format", NULL, 0, "TEXT", "ORION_LOG_FORMAT", "How log lines are written: text, json, logfmt." }, \
    { "log-access", "no-log-access", 0, NULL, "ORION_LOG_ACCESS", "Log each request that is answered or not." }, \
    { "scheduler", "no-scheduler", 0, NULL, "PREFECT_ORION_SERVICES_SCHEDULER_ENABLED", "Run the scheduler or not." }, \
    { "analytics-on", "analytics-off", 0, NULL, "PREFECT_ORION_ANALYTICS_ENABLED", \
      "Kept for old scripts; nothing is ever sent." }, \
    { "late-runs", "no-late-runs", 0, NULL, "PREFECT_ORION_SERVICES_LATE_RUNS_ENABLED", "Mark late runs or not." }, \
    { "ui", "no-ui", 0, NULL, "PREFECT_ORION_UI_ENABLED", "Serve the dashboard or not." }, \
    { "ui-dir", NULL, 0, "DIR", NULL, "Serve the dashboard's files from this folder." }, \
    { "generation", NULL, 0, "TEXT", "ORION_GENERATION", "Which Prefect a new database is for: 2.7, 3." }
static const CliOption start_options[] = { START, { .name = NULL } };
static const CliOption server_start_options[] = { START, SERVER_START, { .name = NULL } };

static const CliOption status_options[] = {
    { "url", NULL, 0, "URL", "PREFECT_API_URL", "The API of the server to ask." },
    { "host", NULL, 0, "TEXT", "PREFECT_ORION_API_HOST", "Its address, if there is no URL." },
    { "port", NULL, 0, "INTEGER", "PREFECT_ORION_API_PORT", "Its port, if there is no URL." },
    { "watch", NULL, 'w', NULL, NULL, "Show it again and again, until Ctrl-C or q." },
    { "every", NULL, 0, "TIME", NULL, "How often --watch does: 500ms, 10s, 1m (default: 2s)." },
    { "json", NULL, 0, NULL, NULL, "Print the server's answer: JSON on a line." },
    { "check", NULL, 0, NULL, NULL, "Say only whether it is ready; the exit status is 1 if it is not." },
    { "timeout", NULL, 0, "TIME", NULL, "How long to wait for an answer (default: 5s)." },
    { .name = NULL },
};

#define YES { "yes", NULL, 'y', NULL, NULL, "Do not ask for confirmation." }
#define DRY_RUN { "dry-run", "no-dry-run", 0, NULL, NULL, "Print the SQL and change nothing." }

#define OUTPUT { "output", NULL, 'o', "FORMAT", NULL, "Print it as this: json." }

static const CliOption reset_options[] = { YES, { .name = NULL } };
#define REVISION(text) { "revision", NULL, 'r', "TEXT", NULL, text }
static const CliOption server_status_options[] = {
    { "wait", "no-wait", 0, NULL, NULL, "Wait until the server can be reached." },
    { "timeout", NULL, 't', "SECONDS", NULL, "How long --wait waits at most (default: 0, for ever)." },
    OUTPUT, { .name = NULL },
};
static const CliOption server_upgrade_options[] = {
    YES, REVISION("The revision to reach (head)."), DRY_RUN, { .name = NULL },
};
static const CliOption server_downgrade_options[] = {
    YES, REVISION("The revision to reach; only base, which drops all tables."), DRY_RUN, { .name = NULL },
};
static const CliOption output_options[] = { OUTPUT, { .name = NULL } };
static const CliOption services_start_options[] = {
    { "background", "no-background", 'b', NULL, NULL, "Run them in the background." }, { .name = NULL },
};
static const CliOption upgrade_options[] = {
    YES, { NULL, NULL, 'r', "TEXT", NULL, "The revision to reach (head)." },
    { "to", NULL, 0, "VERSION", NULL, "The Prefect whose tables to reach: 2.7, which this server needs, or 3." },
    { "copy", "no-copy", 0, NULL, NULL, "First copy an SQLite file that is changed (copy)." },
    DRY_RUN, { .name = NULL },
};
static const CliOption downgrade_options[] = {
    YES, { NULL, NULL, 'r', "TEXT", NULL, "The revision to reach; only base, which drops all tables." },
    DRY_RUN, { .name = NULL },
};
static const CliOption copy_options[] = {
    { "from", NULL, 0, "URL", NULL, "The database to read; a server may be running on it." },
    { "to", NULL, 0, "URL", NULL, "The database to fill; no server may be running on it." },
    { "force", NULL, 0, NULL, NULL, "Replace what is in the target, which must otherwise be empty." },
    { "skip-bad-rows", NULL, 0, NULL, NULL,
      "Leave out rows that cannot be copied, and those that refer to them; each is listed." },
    YES, { .name = NULL },
};
static const CliOption backup_options[] = {
    { "gzip", NULL, 0, NULL, NULL, "Pack it; the name stays as given." },
    { "force", NULL, 0, NULL, NULL, "Replace a file that is there." },
    { .name = NULL },
};
static const CliOption restore_options[] = {
    { "force", NULL, 0, NULL, NULL, "Replace what is in the database, which must otherwise be empty." },
    YES, { .name = NULL },
};
static const CliOption vacuum_options[] = { YES, { .name = NULL } };
static const CliOption stats_options[] = {
    { "all", NULL, 0, NULL, NULL, "List empty tables and small indexes, too." },
    { "json", NULL, 0, NULL, NULL, "Print JSON, with everything." },
    { .name = NULL },
};
static const CliOption drop_options[] = {
    { "unknown", NULL, 0, NULL, NULL, "Only those of other releases, which this one does not know." },
    { .name = NULL },
};
static const CliOption check_options[] = {
    { "all", NULL, 0, NULL, NULL, "Name everything that is found, not only the first of each kind." },
    { "repair", NULL, 0, NULL, NULL, "Mend what can be mended without loss, in one transaction." },
    YES, { .name = NULL },
};
static const CliOption prune_options[] = {
    { "older-than", NULL, 0, "TIME", NULL, "How long ago runs must have ended: 30d, 12h, 4w." },
    { "states", NULL, 0, "STATES", NULL,
      "Only trees whose runs all ended so: COMPLETED, FAILED, CANCELLED, CRASHED, separated by commas." },
    { "flow", NULL, 0, "NAME", NULL, "Only runs of this flow, with their subflows." },
    { "logs-only", NULL, 0, NULL, NULL, "Delete only their log lines, and old ones of runs that do not exist." },
    { "dry-run", NULL, 0, NULL, NULL, "Count by flow and state, and change nothing." },
    YES, { .name = NULL },
};
#define CACHE_CHOICE \
    { "key", NULL, 0, "PATTERN", NULL, "Only keys like this; * and ? stand for any characters, or one." }, \
    { "expired", NULL, 0, NULL, NULL, "Only rows that have expired, or whose task run was deleted." }
#define AS_JSON { "json", NULL, 0, NULL, NULL, "As JSON, for programs." }
static const CliOption cache_list_options[] = { CACHE_CHOICE, AS_JSON, { .name = NULL } };
static const CliOption cache_clear_options[] = { CACHE_CHOICE, YES, { .name = NULL } };
static const CliOption stuck_options[] = {
    { "older-than", NULL, 0, "TIME", NULL, "For how long nothing must have moved: 6h, 2d." },
    { "crash", NULL, 0, NULL, NULL, "End them, with their task runs and subflows; slots are free again." },
    AS_JSON, YES, { .name = NULL },
};
static const CliOption rotate_options[] = { YES, { .name = NULL } };
#define VIEW \
    { "show-defaults", "hide-defaults", 0, NULL, NULL, \
      "Also show settings that have their default values (hidden otherwise)." }, \
    { "show-sources", "hide-sources", 0, NULL, NULL, "Show where each value comes from (the default)." }, \
    { "show-secrets", "hide-secrets", 0, NULL, NULL, "Show passwords and keys in clear text (hidden otherwise)." }
static const CliOption view_options[] = { VIEW, { .name = NULL } };
static const CliOption view_3_options[] = { VIEW, OUTPUT, { .name = NULL } };
static const CliOption unset_3_options[] = { YES, { .name = NULL } };
static const CliOption create_options[] = { { "from", NULL, 0, "TEXT", NULL, "Copy this profile." }, { .name = NULL } };
static const CliOption inspect_options[] = {
    { "show-secrets", "hide-secrets", 0, NULL, NULL, "Show passwords and keys in clear text (hidden otherwise)." },
    { .name = NULL },
};

static const CliOption key_options[] = {
    { "read-only", NULL, 0, NULL, NULL, "A key that changes nothing and reads no secrets." },
    { "expires", NULL, 0, "TIME", NULL, "How long it is valid: 90d, 12h, 4w (default: it never expires)." },
    { .name = NULL },
};
static const CliOption revoke_options[] = { YES, { .name = NULL } };

#define TAKES(text, from, to) .arguments = (text), .least = (from), .most = (to)
#define GROUP(name, other, text) { name, other, text, .flags = COMMAND_GROUP }
#define FOREIGN(name, other, text) { name, other, text, .most = ARGUMENTS_ANY, .flags = COMMAND_FOREIGN }

const Command cli_commands[] = {
    { "start", NULL, "Start the server.", .options = start_options, .run = cmd_start },
    { "status", NULL, "Show a running server: requests, runs, queues, services.",
      .options = status_options, .run = cmd_status },
    { "version", NULL, "Show the versions of this program, its API and its database.",
      .use = SETTINGS_TO_REPAIR, .run = cmd_version },

    GROUP("database", NULL, "Create, empty, drop, check, repair or copy the database's tables."),
    { "database reset", NULL, "Drop all tables and create them again.",
      .options = reset_options, .run = cmd_database_reset },
    { "database upgrade", NULL, "Upgrade the database to the newest schema.",
      .options = upgrade_options, .run = cmd_database_upgrade },
    { "database downgrade", NULL, "Drop all tables.", .options = downgrade_options, .run = cmd_database_downgrade },
    { "database stamp", NULL, "Record a revision without running migrations.",
      TAKES("REVISION", 1, 1), .run = cmd_database_stamp },
    { "database check", NULL, "Find what is damaged or contradicts itself; a server may be running.",
      .options = check_options, .run = cmd_database_check },
    { "database copy", NULL, "Copy everything into another database, SQLite or PostgreSQL.",
      .options = copy_options, .run = cmd_database_copy },
    { "database prune", NULL, "Delete runs that ended long ago, or only their logs; a server may be running.",
      .options = prune_options, .run = cmd_database_prune },
    { "database backup", NULL, "Write everything into one SQLite file; a server may be running.",
      TAKES("FILE", 1, 1), .options = backup_options, .run = cmd_database_backup },
    { "database restore", NULL, "Replace the database by a backup; no server may be running on it.",
      TAKES("FILE", 1, 1), .options = restore_options, .run = cmd_database_restore },
    { "database stats", NULL, "Show rows and bytes by table and index, and how fast they grow.",
      .options = stats_options, .run = cmd_database_stats },
    { "database vacuum", NULL, "Give back the room that deleted rows took.",
      .options = vacuum_options, .run = cmd_database_vacuum },
    GROUP("database indexes", NULL, "This program's own indexes, which the reference does not have."),
    { "database indexes ls", NULL, "List them: state, size, the queries that each serves.", .run = cmd_indexes_list },
    { "database indexes make", NULL, "Make those that are missing; a server may be running.",
      .run = cmd_indexes_make },
    { "database indexes drop", NULL, "Drop them; the next start of a server makes them again.",
      .options = drop_options, .run = cmd_indexes_drop },
    FOREIGN("database revision", NULL, "Write a new migration of the reference."),

    GROUP("cache", NULL, "The task cache, from which task runs take over results."),
    { "cache ls", NULL, "List its rows, by key; a server may be running.",
      .options = cache_list_options, .run = cmd_cache_list },
    { "cache clear", NULL, "Delete its rows, so that tasks run again.",
      .options = cache_clear_options, .run = cmd_cache_clear },

    GROUP("runs", NULL, "Runs in the database."),
    { "runs stuck", NULL, "List flow runs that died: nothing of them has moved for long.",
      .options = stuck_options, .run = cmd_runs_stuck },

    GROUP("config", NULL, "Show and change settings."),
    { "config set", NULL, "Set values: in the current profile, or ORION_ settings in orion.toml.",
      TAKES("SETTING=VALUE...", 1, ARGUMENTS_ANY), .use = SETTINGS_TO_REPAIR, .run = cmd_config_set },
    { "config unset", NULL, "Remove settings from the current profile, or from orion.toml.", .in = GEN_2_7,
      TAKES("SETTING...", 1, ARGUMENTS_ANY), .use = SETTINGS_TO_REPAIR, .run = cmd_config_unset },
    { "config unset", NULL, "Remove settings from the current profile, or from orion.toml.", .in = GEN_3,
      TAKES("SETTING...", 1, ARGUMENTS_ANY), .options = unset_3_options, .use = SETTINGS_TO_REPAIR,
      .run = cmd_config_unset },
    { "config check", NULL, "List what is wrong in orion.toml, and with the settings together.",
      .use = SETTINGS_TO_CHECK, .run = cmd_config_check },
    { "config validate", NULL, "Check the current profile, and give all settings in profiles their newest names.",
      .in = GEN_3, .use = SETTINGS_TO_REPAIR, .run = cmd_config_3_validate },
    { "config view", NULL, "Show the settings in use.", .in = GEN_2_7,
      .options = view_options, .use = SETTINGS_TO_REPAIR, .run = cmd_config_view },
    { "config view", NULL, "Show the settings in use, by the names of Prefect 3.", .in = GEN_3,
      .options = view_3_options, .use = SETTINGS_TO_REPAIR, .run = cmd_config_3_view },

    GROUP("key", NULL, "Keys of clients, and the key that encrypts block documents."),
    { "key create", NULL, "Create a key and print it; it cannot be shown again.",
      TAKES("NAME", 1, 1), .options = key_options, .run = cmd_key_create },
    { "key list", NULL, "List the keys by their first characters.", .run = cmd_key_list },
    { "key revoke", NULL, "Make a key invalid.", TAKES("NAME", 1, 1), .options = revoke_options,
      .run = cmd_key_revoke },
    { "key rotate-encryption", NULL, "Encrypt all block documents with a new key.",
      .options = rotate_options, .run = cmd_key_rotate },

    GROUP("profile", "profiles", "Work with profiles: named sets of settings."),
    { "profile ls", NULL, "List the profiles.", .use = SETTINGS_TO_REPAIR, .run = cmd_profile_ls },
    { "profile create", NULL, "Create a profile.",
      TAKES("NAME", 1, 1), .options = create_options, .use = SETTINGS_TO_REPAIR, .run = cmd_profile_create },
    { "profile use", NULL, "Make a profile the active one.",
      TAKES("NAME", 1, 1), .use = SETTINGS_TO_REPAIR, .run = cmd_profile_use },
    { "profile delete", NULL, "Delete a profile.",
      TAKES("NAME", 1, 1), .use = SETTINGS_TO_REPAIR, .run = cmd_profile_delete },
    { "profile rename", NULL, "Rename a profile.",
      TAKES("NAME NEW_NAME", 2, 2), .use = SETTINGS_TO_REPAIR, .run = cmd_profile_rename },
    { "profile inspect", NULL, "Show what a profile sets.",
      TAKES("[NAME]", 0, 1), .options = inspect_options, .use = SETTINGS_TO_REPAIR, .run = cmd_profile_inspect },

    /* Of Prefect 3, called by the name `prefect`. */
    { "server", NULL, "Start a server and work with its database.", .flags = COMMAND_GROUP, .in = GEN_3 },
    { "server start", NULL, "Start the server.", .in = GEN_3, .options = server_start_options,
      .run = cmd_server_start },
    { "server stop", NULL, "Stop the server that runs in the background.", .in = GEN_3, .run = cmd_server_stop },
    { "server status", NULL, "Say whether the server can be reached.", .in = GEN_3, .options = server_status_options,
      .run = cmd_server_status },
    { "server database", NULL, "Create, empty, drop or upgrade the database's tables.", .flags = COMMAND_GROUP,
      .in = GEN_3 },
    { "server database reset", NULL, "Drop all tables and create them again.", .in = GEN_3,
      .options = reset_options, .run = cmd_database_reset },
    { "server database upgrade", NULL, "Upgrade the database to the newest schema.", .in = GEN_3,
      .options = server_upgrade_options, .run = cmd_database_upgrade },
    { "server database downgrade", NULL, "Drop all tables.", .in = GEN_3, .options = server_downgrade_options,
      .run = cmd_server_downgrade },
    { "server database stamp", NULL, "Record a revision without running migrations.", .in = GEN_3,
      TAKES("REVISION", 1, 1), .run = cmd_database_stamp },
    { "server database revision", NULL, "Write a new migration of the reference.", .most = ARGUMENTS_ANY,
      .flags = COMMAND_FOREIGN, .in = GEN_3 },
    { "server services", NULL, "The server's background services.", .flags = COMMAND_GROUP, .in = GEN_3 },
    { "server services ls", "server services list", "List them, and which settings enable them.", .in = GEN_3,
      .options = output_options, .run = cmd_services_list },
    { "server services start", "server services enable", "Start them; here `server start` does.", .in = GEN_3,
      .options = services_start_options, .run = cmd_services_start },
    { "server services stop", "server services disable", "Stop them; here `server stop` does.", .in = GEN_3,
      .run = cmd_services_stop },

    FOREIGN("agent", NULL, "Agents, which start flow runs."),
    GROUP("block", "blocks", "Block types in the database."),
    { "block import", NULL, "Register the block types of a file.", TAKES("FILE", 1, 1), .run = cmd_block_import },
    FOREIGN("block register", NULL, "Register the block types of a Python module or file."),
    FOREIGN("block ls", NULL, "List blocks."),
    FOREIGN("block create", NULL, "Where to create a block."),
    FOREIGN("block inspect", NULL, "Show a block."),
    FOREIGN("block delete", NULL, "Delete a block."),
    FOREIGN("block type", NULL, "Block types."),
    FOREIGN("cloud", NULL, "Prefect Cloud."),
    FOREIGN("concurrency-limit", "concurrency-limits", "Limits on tasks that run at once."),
    FOREIGN("deployment", "deployments", "Deployments."),
    FOREIGN("dev", NULL, "Tools for developing the client."),
    FOREIGN("flow", "flows", "Flows."),
    FOREIGN("flow-run", "flow-runs", "Flow runs."),
    FOREIGN("kubernetes", NULL, "Manifests for Kubernetes."),
    FOREIGN("work-pool", NULL, "Work pools."),
    FOREIGN("work-queue", "work-queues", "Work queues."),
    FOREIGN("worker", NULL, "Workers."),
};
const size_t cli_command_count = COUNT_OF(cli_commands);
