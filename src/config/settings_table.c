/* config/settings_table.c -- every setting of the API server and of its Python client, in the order in which the API lists them. */
#include "config/setting_derive.h"

#define CLIENT .flags = SETTING_CLIENT
#define SECRET .flags = SETTING_SECRET
#define OWN .flags = SETTING_OWN
#define DERIVE(function) .derive = function

const Setting setting_table[] = {
    { "PREFECT_HOME", SETTING_PATH, "~/.prefect", DERIVE(derive_home), .help = "Folder of the database, the profiles and other local data." },
    { "PREFECT_EXTRA_ENTRYPOINTS", SETTING_TEXT, "", CLIENT, .help = "Modules that the client imports at start, separated by commas." },
    { "PREFECT_DEBUG_MODE", SETTING_BOOL, "false", .help = "More logs and other help for debugging." },
    { "PREFECT_CLI_COLORS", SETTING_BOOL, "true", .help = "Colours in the command line's output, on a terminal." },
    { "PREFECT_CLI_WRAP_LINES", SETTING_BOOL, "true", CLIENT, .help = "Long lines of the client's commands are wrapped." },
    { "PREFECT_TEST_MODE", SETTING_BOOL, "false", .help = "For the client's own tests." },
    { "PREFECT_TEST_SETTING", SETTING_TEXT, NULL, DERIVE(derive_test_setting), .help = "For tests of settings; null outside test mode." },
    { "PREFECT_API_TLS_INSECURE_SKIP_VERIFY", SETTING_BOOL, "false", CLIENT, .help = "The client accepts any TLS certificate." },
    { "PREFECT_API_URL", SETTING_URL, NULL, .help = "Where clients find the API, such as http://127.0.0.1:4200/api." },
    { "PREFECT_API_KEY", SETTING_TEXT, NULL, SETTING_SECRET | SETTING_CLIENT, .help = "The key that the client sends to the API." },
    { "PREFECT_API_ENABLE_HTTP2", SETTING_BOOL, "true", CLIENT, .help = "The client may use HTTP/2." },
    { "PREFECT_CLOUD_API_URL", SETTING_URL, "https://api.prefect.cloud/api", CLIENT, DERIVE(derive_cloud_api_url), .help = "API of Prefect Cloud." },
    { "PREFECT_CLOUD_URL", SETTING_URL, NULL, CLIENT, DERIVE(derive_cloud_url), .help = "Deprecated name of PREFECT_CLOUD_API_URL." },
    { "PREFECT_UI_URL", SETTING_URL, NULL, DERIVE(derive_ui_url), .help = "Where users find the UI; inferred from PREFECT_API_URL." },
    { "PREFECT_CLOUD_UI_URL", SETTING_URL, NULL, CLIENT, DERIVE(derive_cloud_ui_url), .help = "UI of Prefect Cloud; inferred from PREFECT_CLOUD_API_URL." },
    { "PREFECT_API_REQUEST_TIMEOUT", SETTING_FLOAT, "30", CLIENT, .help = "Seconds that the client waits for a response." },
    { "PREFECT_EXPERIMENTAL_WARN", SETTING_BOOL, "true", CLIENT, .help = "Warn if something experimental is used." },
    { "PREFECT_PROFILES_PATH", SETTING_PATH, "${PREFECT_HOME}/profiles.toml", DERIVE(derive_profiles_path), .help = "File of the profiles." },
    { "PREFECT_RESULTS_DEFAULT_SERIALIZER", SETTING_TEXT, "pickle", CLIENT, .help = "How results are serialized unless a flow or task says otherwise." },
    { "PREFECT_RESULTS_PERSIST_BY_DEFAULT", SETTING_BOOL, "false", CLIENT, .help = "Results are persisted unless a flow or task says otherwise." },
    { "PREFECT_TASKS_REFRESH_CACHE", SETTING_BOOL, "false", CLIENT, .help = "Tasks run again and renew their cached results." },
    { "PREFECT_LOCAL_STORAGE_PATH", SETTING_PATH, "${PREFECT_HOME}/storage", CLIENT, DERIVE(derive_with_home), .help = "Folder of results and files." },
    { "PREFECT_MEMO_STORE_PATH", SETTING_PATH, "${PREFECT_HOME}/memo_store.toml", CLIENT, DERIVE(derive_with_home), .help = "File of the client's memos." },
    { "PREFECT_MEMOIZE_BLOCK_AUTO_REGISTRATION", SETTING_BOOL, "true", CLIENT, .help = "The client remembers which block types it registered." },
    { "PREFECT_LOGGING_LEVEL", SETTING_LEVEL, "INFO", CLIENT, DERIVE(derive_logging_level), .help = "Minimum log level of the client." },
    { "PREFECT_LOGGING_SERVER_LEVEL", SETTING_LEVEL, "WARNING", .help = "Minimum log level of the server." },
    { "PREFECT_LOGGING_SETTINGS_PATH", SETTING_PATH, "${PREFECT_HOME}/logging.yml", CLIENT, DERIVE(derive_with_home), .help = "The client's own logging configuration." },
    { "PREFECT_LOGGING_EXTRA_LOGGERS", SETTING_TEXT, "", CLIENT, .help = "More loggers that the client forwards, separated by commas." },
    { "PREFECT_LOGGING_LOG_PRINTS", SETTING_BOOL, "false", CLIENT, .help = "What flows and tasks print becomes log lines." },
    { "PREFECT_LOGGING_ORION_ENABLED", SETTING_BOOL, "true", CLIENT, .help = "The client sends log lines to the API." },
    { "PREFECT_LOGGING_ORION_BATCH_INTERVAL", SETTING_FLOAT, "2", CLIENT, .help = "Seconds between batches of log lines." },
    { "PREFECT_LOGGING_ORION_BATCH_SIZE", SETTING_INT, "4000000", CLIENT, .help = "Maximum bytes in a batch of log lines." },
    { "PREFECT_LOGGING_ORION_MAX_LOG_SIZE", SETTING_INT, "1000000", CLIENT, .help = "Maximum bytes in one log line." },
    { "PREFECT_LOGGING_ORION_WHEN_MISSING_FLOW", SETTING_CHOICE, "warn", CLIENT, .choices = "warn error ignore", .help = "What happens to a log line outside a flow run." },
    { "PREFECT_LOGGING_COLORS", SETTING_BOOL, "true", CLIENT, .help = "Colours in the client's log lines." },
    { "PREFECT_LOGGING_MARKUP", SETTING_BOOL, "false", CLIENT, .help = "Text in square brackets in log lines is a style." },
    { "PREFECT_AGENT_QUERY_INTERVAL", SETTING_FLOAT, "10", CLIENT, .help = "Seconds between an agent's polls for work." },
    { "PREFECT_AGENT_PREFETCH_SECONDS", SETTING_INT, "10", CLIENT, .help = "How many seconds ahead an agent takes scheduled runs." },
    { "PREFECT_ASYNC_FETCH_STATE_RESULT", SETTING_BOOL, "false", CLIENT, .help = "State.result() fetches in asynchronous code too." },
    { "PREFECT_ORION_BLOCKS_REGISTER_ON_START", SETTING_BOOL, "true", .help = "Block types are registered when the server starts." },
    { "PREFECT_ORION_DATABASE_PASSWORD", SETTING_TEXT, NULL, SECRET, .help = "Replaces ${PREFECT_ORION_DATABASE_PASSWORD} in the database URL." },
    { "PREFECT_ORION_DATABASE_CONNECTION_URL", SETTING_URL, "sqlite+aiosqlite:///${PREFECT_HOME}/orion.db", SECRET, DERIVE(derive_database_url), .help = "The database: sqlite+aiosqlite:///… or postgresql+asyncpg://…" },
    { "PREFECT_ORION_DATABASE_ECHO", SETTING_BOOL, "false", .help = "Log every SQL statement (never its values)." },
    { "PREFECT_ORION_DATABASE_MIGRATE_ON_START", SETTING_BOOL, "true", .help = "Create the schema in an empty database at start." },
    { "PREFECT_ORION_DATABASE_TIMEOUT", SETTING_FLOAT, "10", .help = "Seconds that a statement may take or wait for a lock." },
    { "PREFECT_ORION_DATABASE_CONNECTION_TIMEOUT", SETTING_FLOAT, "5", .help = "Seconds that connecting to the database may take." },
    { "PREFECT_ORION_SERVICES_SCHEDULER_LOOP_SECONDS", SETTING_FLOAT, "60", .help = "Seconds between the scheduler's rounds." },
    { "PREFECT_ORION_SERVICES_SCHEDULER_DEPLOYMENT_BATCH_SIZE", SETTING_INT, "100", .help = "Deployments scheduled in one batch." },
    { "PREFECT_ORION_SERVICES_SCHEDULER_MAX_RUNS", SETTING_INT, "100", .help = "Maximum runs scheduled ahead for a deployment." },
    { "PREFECT_ORION_SERVICES_SCHEDULER_MIN_RUNS", SETTING_INT, "3", .help = "Minimum runs scheduled ahead for a deployment." },
    { "PREFECT_ORION_SERVICES_SCHEDULER_MAX_SCHEDULED_TIME", SETTING_SECONDS, "8640000", .help = "Maximum time ahead for which runs are scheduled." },
    { "PREFECT_ORION_SERVICES_SCHEDULER_MIN_SCHEDULED_TIME", SETTING_SECONDS, "3600", .help = "Minimum time ahead for which runs are scheduled." },
    { "PREFECT_ORION_SERVICES_SCHEDULER_INSERT_BATCH_SIZE", SETTING_INT, "500", .help = "Runs inserted in one batch." },
    { "PREFECT_ORION_SERVICES_LATE_RUNS_LOOP_SECONDS", SETTING_FLOAT, "5", .help = "Seconds between checks for late runs." },
    { "PREFECT_ORION_SERVICES_LATE_RUNS_AFTER_SECONDS", SETTING_SECONDS, "5", .help = "A run is late this long after its scheduled time." },
    { "PREFECT_ORION_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS", SETTING_FLOAT, "5", .help = "Seconds between checks for expired pauses." },
    { "PREFECT_ORION_SERVICES_CANCELLATION_CLEANUP_LOOP_SECONDS", SETTING_FLOAT, "20", .help = "Seconds between checks for what cancelled runs left running." },
    { "PREFECT_ORION_API_DEFAULT_LIMIT", SETTING_INT, "200", .help = "Maximum rows of one response." },
    { "PREFECT_ORION_API_HOST", SETTING_TEXT, "127.0.0.1", .help = "Address that the server listens on." },
    { "PREFECT_ORION_API_PORT", SETTING_INT, "4200", .help = "Port that the server listens on." },
    { "PREFECT_ORION_API_KEEPALIVE_TIMEOUT", SETTING_INT, "5", .help = "Seconds that an idle connection stays open." },
    { "PREFECT_ORION_UI_ENABLED", SETTING_BOOL, "true", .help = "Serve the UI." },
    { "PREFECT_ORION_UI_API_URL", SETTING_URL, NULL, DERIVE(derive_ui_api_url), .help = "Where the UI finds the API; inferred from PREFECT_API_URL, or host and port." },
    { "PREFECT_ORION_ANALYTICS_ENABLED", SETTING_BOOL, "true", .help = "Kept for the client; this server sends no telemetry." },
    { "PREFECT_ORION_SERVICES_SCHEDULER_ENABLED", SETTING_BOOL, "true", .help = "Run the scheduler." },
    { "PREFECT_ORION_SERVICES_LATE_RUNS_ENABLED", SETTING_BOOL, "true", .help = "Mark late runs." },
    { "PREFECT_ORION_SERVICES_FLOW_RUN_NOTIFICATIONS_ENABLED", SETTING_BOOL, "true", .help = "Send notifications of flow runs." },
    { "PREFECT_ORION_SERVICES_PAUSE_EXPIRATIONS_ENABLED", SETTING_BOOL, "true", .help = "Fail runs whose pause has expired." },
    { "PREFECT_ORION_TASK_CACHE_KEY_MAX_LENGTH", SETTING_INT, "2000", .help = "Maximum characters in a task run's cache key." },
    { "PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS", SETTING_BOOL, "false", .help = "Serve work pools." },
    { "PREFECT_EXPERIMENTAL_WARN_WORK_POOLS", SETTING_BOOL, "true", CLIENT, .help = "Warn if work pools are used." },
    { "PREFECT_ORION_SERVICES_CANCELLATION_CLEANUP_ENABLED", SETTING_BOOL, "true", .help = "Cancel what cancelled runs left running." },
    { "PREFECT_EXPERIMENTAL_ENABLE_WORKERS", SETTING_BOOL, "false", CLIENT, .help = "The client has workers." },
    { "PREFECT_EXPERIMENTAL_WARN_WORKERS", SETTING_BOOL, "true", CLIENT, .help = "Warn if workers are used." },
    { "PREFECT_WORKER_HEARTBEAT_SECONDS", SETTING_FLOAT, "30", CLIENT, .help = "Seconds between a worker's heartbeats." },
    { "PREFECT_WORKER_QUERY_SECONDS", SETTING_FLOAT, "10", CLIENT, .help = "Seconds between a worker's polls for work." },
    { "PREFECT_WORKER_PREFETCH_SECONDS", SETTING_FLOAT, "10", CLIENT, .help = "How many seconds ahead a worker takes scheduled runs." },
    { "PREFECT_WORKER_WORKFLOW_STORAGE_SCAN_SECONDS", SETTING_FLOAT, "30", CLIENT, .help = "Seconds between a worker's scans for new deployments." },
    { "PREFECT_WORKER_WORKFLOW_STORAGE_PATH", SETTING_PATH, "${PREFECT_HOME}/workflows", CLIENT, DERIVE(derive_with_home), .help = "Folder of a worker's deployments." },

    /* This server's alone: the client does not know them, so they are for the environment rather than for its profiles. */
    { "ORION_ALLOWED_HOSTS", SETTING_TEXT, "", OWN, .help = "Host names, separated by commas, by which a server on a loopback address is reached; * for all." },
    { "ORION_CORS_ORIGINS", SETTING_TEXT, "", OWN, .help = "Origins, separated by commas, whose pages may use the server; * for all." },
    { "ORION_DATABASE_CONNECTIONS", SETTING_INT, "8", OWN, .help = "Maximum connections to PostgreSQL." },
    { "ORION_DATABASE_PGBOUNCER", SETTING_BOOL, "false", OWN, .help = "PostgreSQL is behind PgBouncer in transaction mode: keep nothing on connections." },
    { "ORION_SERVER_CONNECTIONS", SETTING_INT, "10000", OWN, .help = "Maximum client connections; beyond it the one that has waited longest is closed." },
    { "ORION_SERVER_HEAD_TIMEOUT", SETTING_TIME, "10s", OWN, .help = "Time limit for a request's head, and for its body to begin." },
    { "ORION_SERVER_BODY_RATE", SETTING_SIZE, "1kB", OWN, .help = "Minimum size of a request's body per second, on average." },
};
const size_t setting_count = COUNT_OF(setting_table);

const Setting *setting_find(Str name)
{
    for (size_t i = 0; i < setting_count; i++)
        if (str_is(name, setting_table[i].name))
            return &setting_table[i];
    return NULL;
}
