/* config/settings_3.c -- every setting of Prefect 3.8.3, in its order. Those that this server obeys are other names for
 * its own (setting_aliases.c); the rest is kept and shown for the client. */
#include "config/settings_3.h"

#include <ctype.h>

#include "base/buf.h"
#include "config/setting_value.h"

#define SECRET .flags = SETTING_SECRET
#define TABLE .flags = SETTING_3_TABLE
#define ALSO(names) .also = (names)
#define CHOICES(words) .choices = (words)
#define LIMITS(bounds) .limits = (bounds)

const Setting3 setting_3_table[] = {
    { "home", SETTING_PATH, "${PREFECT_HOME}" },
    { "profiles_path", SETTING_PATH, "${PREFECT_PROFILES_PATH}" },
    { "debug_mode", SETTING_BOOL, "False" },
    { "api.url", SETTING_TEXT, NULL },
    { "api.auth_string", SETTING_TEXT, NULL, SECRET },
    { "api.key", SETTING_TEXT, NULL, SECRET },
    { "api.tls_insecure_skip_verify", SETTING_BOOL, "False" },
    { "api.ssl_cert_file", SETTING_TEXT, NULL },
    { "api.enable_http2", SETTING_BOOL, "False" },
    { "api.request_timeout", SETTING_FLOAT, "60.0" },
    { "cli.colors", SETTING_BOOL, "True" },
    { "cli.prompt", SETTING_BOOL, NULL },
    { "cli.wrap_lines", SETTING_BOOL, "True" },
    { "client.max_retries", SETTING_INT, "5", LIMITS(">=0") },
    { "client.retry_jitter_factor", SETTING_FLOAT, "0.2", LIMITS(">=0") },
    { "client.retry_extra_codes", SETTING_TEXT, "set()" },
    { "client.csrf_support_enabled", SETTING_BOOL, "True" },
    { "client.custom_headers", SETTING_TEXT, NULL, TABLE },
    { "client.server_version_check_enabled", SETTING_BOOL, "True" },
    { "client.metrics.enabled", SETTING_BOOL, "False", ALSO("PREFECT_CLIENT_ENABLE_METRICS") },
    { "client.metrics.port", SETTING_INT, "4201" },
    { "cloud.api_url", SETTING_TEXT, "https://api.prefect.cloud/api" },
    { "cloud.enable_orchestration_telemetry", SETTING_BOOL, "True" },
    { "cloud.max_log_size", SETTING_INT, "25000" },
    { "cloud.ui_url", SETTING_TEXT, "https://app.prefect.cloud" },
    { "deployments.default_work_pool_name", SETTING_TEXT, NULL, ALSO("PREFECT_DEFAULT_WORK_POOL_NAME") },
    { "deployments.default_docker_build_namespace", SETTING_TEXT, NULL,
      ALSO("PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE") },
    { "events.worker_max_queue_size", SETTING_INT, "0", LIMITS(">=0") },
    { "experiments.warn", SETTING_BOOL, "True", ALSO("PREFECT_EXPERIMENTAL_WARN") },
    { "flows.heartbeat_frequency", SETTING_INT, "180", LIMITS(">=30"), ALSO("PREFECT_RUNNER_HEARTBEAT_FREQUENCY") },
    { "flows.default_retries", SETTING_INT, "0", LIMITS(">=0"), ALSO("PREFECT_FLOW_DEFAULT_RETRIES") },
    { "flows.default_retry_delay_seconds", SETTING_TEXT, "0", ALSO("PREFECT_FLOW_DEFAULT_RETRY_DELAY_SECONDS") },
    { "internal.logging_level", SETTING_LEVEL, "ERROR", ALSO("PREFECT_LOGGING_INTERNAL_LEVEL") },
    { "logging.level", SETTING_LEVEL, "${PREFECT_LOGGING_LEVEL}" },
    { "logging.config_path", SETTING_PATH, "${PREFECT_HOME}/logging.yml", ALSO("PREFECT_LOGGING_SETTINGS_PATH") },
    { "logging.extra_loggers", SETTING_TEXT, "[]" },
    { "logging.log_prints", SETTING_BOOL, "False" },
    { "logging.colors", SETTING_BOOL, "True" },
    { "logging.markup", SETTING_BOOL, "False" },
    { "logging.to_api.enabled", SETTING_BOOL, "True" },
    { "logging.to_api.batch_interval", SETTING_FLOAT, "2.0" },
    { "logging.to_api.batch_size", SETTING_INT, "4000000" },
    { "logging.to_api.max_log_size", SETTING_INT, "1000000" },
    { "logging.to_api.when_missing_flow", SETTING_CHOICE, "warn", CHOICES("warn error ignore") },
    { "plugins.enabled", SETTING_BOOL, "False", ALSO("PREFECT_EXPERIMENTS_PLUGINS_ENABLED") },
    { "plugins.allow", SETTING_TEXT, "set()", ALSO("PREFECT_EXPERIMENTS_PLUGINS_ALLOW") },
    { "plugins.deny", SETTING_TEXT, "set()", ALSO("PREFECT_EXPERIMENTS_PLUGINS_DENY") },
    { "plugins.setup_timeout_seconds", SETTING_FLOAT, "20.0",
      ALSO("PREFECT_EXPERIMENTS_PLUGINS_SETUP_TIMEOUT_SECONDS") },
    { "plugins.strict", SETTING_BOOL, "False", ALSO("PREFECT_EXPERIMENTS_PLUGINS_STRICT") },
    { "plugins.safe_mode", SETTING_BOOL, "False", ALSO("PREFECT_EXPERIMENTS_PLUGINS_SAFE_MODE") },
    { "results.default_serializer", SETTING_TEXT, "pickle" },
    { "results.persist_by_default", SETTING_BOOL, "False" },
    { "results.default_storage_block", SETTING_TEXT, NULL, ALSO("PREFECT_DEFAULT_RESULT_STORAGE_BLOCK") },
    { "results.local_storage_path", SETTING_PATH, "${PREFECT_HOME}/storage", ALSO("PREFECT_LOCAL_STORAGE_PATH") },
    { "runner.process_limit", SETTING_INT, "5" },
    { "runner.poll_frequency", SETTING_INT, "10" },
    { "runner.crash_on_cancellation_failure", SETTING_BOOL, "False" },
    { "runner.auto_install_dependencies", SETTING_BOOL, "False" },
    { "runner.server.enable", SETTING_BOOL, "False" },
    { "runner.server.host", SETTING_TEXT, "localhost" },
    { "runner.server.port", SETTING_INT, "8080" },
    { "runner.server.log_level", SETTING_LEVEL, "ERROR" },
    { "runner.server.missed_polls_tolerance", SETTING_INT, "2" },
    { "server.logging_level", SETTING_LEVEL, "WARNING", ALSO("PREFECT_LOGGING_SERVER_LEVEL") },
    { "server.analytics_enabled", SETTING_BOOL, "True" },
    { "server.metrics_enabled", SETTING_BOOL, "${ORION_METRICS}", ALSO("PREFECT_API_ENABLE_METRICS") },
    { "server.log_retryable_errors", SETTING_BOOL, "False", ALSO("PREFECT_API_LOG_RETRYABLE_ERRORS") },
    { "server.register_blocks_on_start", SETTING_BOOL, "True", ALSO("PREFECT_API_BLOCKS_REGISTER_ON_START") },
    { "server.memoize_block_auto_registration", SETTING_BOOL, "True", ALSO("PREFECT_MEMOIZE_BLOCK_AUTO_REGISTRATION") },
    { "server.memo_store_path", SETTING_PATH, "${PREFECT_HOME}/memo_store.toml", ALSO("PREFECT_MEMO_STORE_PATH") },
    { "server.deployment_schedule_max_scheduled_runs", SETTING_INT, "50",
      ALSO("PREFECT_DEPLOYMENT_SCHEDULE_MAX_SCHEDULED_RUNS") },
    { "server.api.auth_string", SETTING_TEXT, NULL, SECRET },
    { "server.api.host", SETTING_TEXT, "127.0.0.1" },
    { "server.api.port", SETTING_INT, "4200" },
    { "server.api.base_path", SETTING_TEXT, NULL },
    { "server.api.default_limit", SETTING_INT, "200", ALSO("PREFECT_API_DEFAULT_LIMIT") },
    { "server.api.keepalive_timeout", SETTING_INT, "5" },
    { "server.api.csrf_protection_enabled", SETTING_BOOL, "False", ALSO("PREFECT_SERVER_CSRF_PROTECTION_ENABLED") },
    { "server.api.csrf_token_expiration", SETTING_SECONDS, "1:00:00", ALSO("PREFECT_SERVER_CSRF_TOKEN_EXPIRATION") },
    { "server.api.cors_allowed_origins", SETTING_TEXT, "${ORION_CORS_ORIGINS}",
      ALSO("PREFECT_SERVER_CORS_ALLOWED_ORIGINS") },
    { "server.api.cors_allowed_methods", SETTING_TEXT, "*", ALSO("PREFECT_SERVER_CORS_ALLOWED_METHODS") },
    { "server.api.cors_allowed_headers", SETTING_TEXT, "*", ALSO("PREFECT_SERVER_CORS_ALLOWED_HEADERS") },
    { "server.api.websocket_ping_interval", SETTING_FLOAT, "20.0" },
    { "server.api.websocket_ping_timeout", SETTING_FLOAT, "20.0" },
    { "server.api.max_parameter_size", SETTING_INT, "524288", LIMITS(">=0") },
    { "server.concurrency.lease_storage", SETTING_TEXT, "prefect.server.concurrency.lease_storage.memory" },
    { "server.concurrency.initial_deployment_lease_duration", SETTING_FLOAT, "300.0", LIMITS(">=30 <=3600") },
    { "server.concurrency.maximum_concurrency_slot_wait_seconds", SETTING_FLOAT, "30.0", LIMITS(">=0") },
    { "server.database.sqlalchemy.connect_args.application_name", SETTING_TEXT, NULL },
    { "server.database.sqlalchemy.connect_args.search_path", SETTING_TEXT, NULL },
    { "server.database.sqlalchemy.connect_args.statement_cache_size", SETTING_INT, NULL },
    { "server.database.sqlalchemy.connect_args.prepared_statement_cache_size", SETTING_INT, NULL },
    { "server.database.sqlalchemy.connect_args.tls.enabled", SETTING_BOOL, "False" },
    { "server.database.sqlalchemy.connect_args.tls.ca_file", SETTING_TEXT, NULL },
    { "server.database.sqlalchemy.connect_args.tls.cert_file", SETTING_TEXT, NULL },
    { "server.database.sqlalchemy.connect_args.tls.key_file", SETTING_TEXT, NULL },
    { "server.database.sqlalchemy.connect_args.tls.check_hostname", SETTING_BOOL, "True" },
    { "server.database.sqlalchemy.pool_size", SETTING_INT, "${ORION_DATABASE_CONNECTIONS}",
      ALSO("PREFECT_SQLALCHEMY_POOL_SIZE") },
    { "server.database.sqlalchemy.pool_recycle", SETTING_INT, "3600" },
    { "server.database.sqlalchemy.pool_timeout", SETTING_FLOAT, "30.0" },
    { "server.database.sqlalchemy.max_overflow", SETTING_INT, "10", ALSO("PREFECT_SQLALCHEMY_MAX_OVERFLOW") },
    { "server.database.connection_url", SETTING_TEXT, "${PREFECT_ORION_DATABASE_CONNECTION_URL}", SECRET,
      ALSO("PREFECT_API_DATABASE_CONNECTION_URL") },
    { "server.database.driver", SETTING_CHOICE, NULL, CHOICES("postgresql+asyncpg sqlite+aiosqlite"),
      ALSO("PREFECT_API_DATABASE_DRIVER") },
    { "server.database.host", SETTING_TEXT, NULL, ALSO("PREFECT_API_DATABASE_HOST") },
    { "server.database.port", SETTING_INT, NULL, ALSO("PREFECT_API_DATABASE_PORT") },
    { "server.database.user", SETTING_TEXT, NULL, ALSO("PREFECT_API_DATABASE_USER") },
    { "server.database.name", SETTING_TEXT, NULL, ALSO("PREFECT_API_DATABASE_NAME") },
    { "server.database.password", SETTING_TEXT, NULL, SECRET, ALSO("PREFECT_API_DATABASE_PASSWORD") },
    { "server.database.echo", SETTING_BOOL, "False", ALSO("PREFECT_API_DATABASE_ECHO") },
    { "server.database.migrate_on_start", SETTING_BOOL, "True", ALSO("PREFECT_API_DATABASE_MIGRATE_ON_START") },
    { "server.database.timeout", SETTING_FLOAT, "10.0", ALSO("PREFECT_API_DATABASE_TIMEOUT") },
    { "server.database.connection_timeout", SETTING_FLOAT, "5.0", ALSO("PREFECT_API_DATABASE_CONNECTION_TIMEOUT") },
    { "server.database.migration_timeout", SETTING_FLOAT, "${ORION_DATABASE_MIGRATION_TIMEOUT}", LIMITS(">0") },
    { "server.deployments.concurrency_slot_wait_seconds", SETTING_FLOAT, "30.0", LIMITS(">=0"),
      ALSO("PREFECT_DEPLOYMENT_CONCURRENCY_SLOT_WAIT_SECONDS") },
    { "server.docket.name", SETTING_TEXT, "prefect-server" },
    { "server.docket.url", SETTING_TEXT, "memory://" },
    { "server.ephemeral.enabled", SETTING_BOOL, "True", ALSO("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE") },
    { "server.ephemeral.startup_timeout_seconds", SETTING_INT, "20" },
    { "server.events.stream_out_enabled", SETTING_BOOL, "True", ALSO("PREFECT_API_EVENTS_STREAM_OUT_ENABLED") },
    { "server.events.related_resource_cache_ttl", SETTING_SECONDS, "0:05:00",
      ALSO("PREFECT_API_EVENTS_RELATED_RESOURCE_CACHE_TTL") },
    { "server.events.maximum_labels_per_resource", SETTING_INT, "500",
      ALSO("PREFECT_EVENTS_MAXIMUM_LABELS_PER_RESOURCE") },
    { "server.events.maximum_related_resources", SETTING_INT, "100", ALSO("PREFECT_EVENTS_MAXIMUM_RELATED_RESOURCES") },
    { "server.events.maximum_size_bytes", SETTING_INT, "1500000", ALSO("PREFECT_EVENTS_MAXIMUM_SIZE_BYTES") },
    { "server.events.expired_bucket_buffer", SETTING_SECONDS, "0:01:00", ALSO("PREFECT_EVENTS_EXPIRED_BUCKET_BUFFER") },
    { "server.events.proactive_granularity", SETTING_SECONDS, "0:00:05", ALSO("PREFECT_EVENTS_PROACTIVE_GRANULARITY") },
    { "server.events.retention_period", SETTING_SECONDS, "7 days, 0:00:00", ALSO("PREFECT_EVENTS_RETENTION_PERIOD") },
    { "server.events.maximum_websocket_backfill", SETTING_SECONDS, "0:15:00",
      ALSO("PREFECT_EVENTS_MAXIMUM_WEBSOCKET_BACKFILL") },
    { "server.events.websocket_backfill_page_size", SETTING_INT, "250", LIMITS(">0"),
      ALSO("PREFECT_EVENTS_WEBSOCKET_BACKFILL_PAGE_SIZE") },
    { "server.events.messaging_broker", SETTING_TEXT, "prefect.server.utilities.messaging.memory",
      ALSO("PREFECT_MESSAGING_BROKER") },
    { "server.events.messaging_cache", SETTING_TEXT, "prefect.server.utilities.messaging.memory",
      ALSO("PREFECT_MESSAGING_CACHE") },
    { "server.events.causal_ordering", SETTING_TEXT, "prefect.server.events.ordering.memory" },
    { "server.events.maximum_event_name_length", SETTING_INT, "1024", LIMITS(">0") },
    { "server.flow_run_graph.max_nodes", SETTING_INT, "10000", ALSO("PREFECT_API_MAX_FLOW_RUN_GRAPH_NODES") },
    { "server.flow_run_graph.max_artifacts", SETTING_INT, "10000", ALSO("PREFECT_API_MAX_FLOW_RUN_GRAPH_ARTIFACTS") },
    { "server.logs.stream_out_enabled", SETTING_BOOL, "False" },
    { "server.logs.stream_publishing_enabled", SETTING_BOOL, "False" },
    { "server.services.cancellation_cleanup.enabled", SETTING_BOOL, "True",
      ALSO("PREFECT_API_SERVICES_CANCELLATION_CLEANUP_ENABLED") },
    { "server.services.cancellation_cleanup.loop_seconds", SETTING_FLOAT, "20.0",
      ALSO("PREFECT_API_SERVICES_CANCELLATION_CLEANUP_LOOP_SECONDS") },
    { "server.services.cancellation_cleanup.cancelling_timeout_seconds", SETTING_FLOAT, "300.0", LIMITS(">0") },
    { "server.services.db_vacuum.enabled", SETTING_TEXT, "{'events'}" },
    { "server.services.db_vacuum.loop_seconds", SETTING_FLOAT, "3600.0", LIMITS(">0") },
    { "server.services.db_vacuum.retention_period", SETTING_SECONDS, "90 days, 0:00:00", LIMITS(">3600") },
    { "server.services.db_vacuum.batch_size", SETTING_INT, "200", LIMITS(">0") },
    { "server.services.db_vacuum.event_retention_overrides", SETTING_TEXT, NULL, TABLE },
    { "server.services.event_persister.enabled", SETTING_BOOL, "True",
      ALSO("PREFECT_API_SERVICES_EVENT_PERSISTER_ENABLED") },
    { "server.services.event_persister.batch_size", SETTING_INT, "20", LIMITS(">0"),
      ALSO("PREFECT_API_SERVICES_EVENT_PERSISTER_BATCH_SIZE") },
    { "server.services.event_persister.read_batch_size", SETTING_INT, "1", LIMITS(">0"),
      ALSO("PREFECT_API_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE") },
    { "server.services.event_persister.flush_interval", SETTING_FLOAT, "5.0", LIMITS(">0"),
      ALSO("PREFECT_API_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL") },
    { "server.services.event_persister.queue_max_size", SETTING_INT, "50000", LIMITS(">0") },
    { "server.services.event_persister.max_flush_retries", SETTING_INT, "5", LIMITS(">0") },
    { "server.services.event_logger.enabled", SETTING_BOOL, "False",
      ALSO("PREFECT_API_SERVICES_EVENT_LOGGER_ENABLED") },
    { "server.services.foreman.enabled", SETTING_BOOL, "True", ALSO("PREFECT_API_SERVICES_FOREMAN_ENABLED") },
    { "server.services.foreman.loop_seconds", SETTING_FLOAT, "15.0",
      ALSO("PREFECT_API_SERVICES_FOREMAN_LOOP_SECONDS") },
    { "server.services.foreman.inactivity_heartbeat_multiple", SETTING_INT, "3",
      ALSO("PREFECT_API_SERVICES_FOREMAN_INACTIVITY_HEARTBEAT_MULTIPLE") },
    { "server.services.foreman.fallback_heartbeat_interval_seconds", SETTING_INT, "30",
      ALSO("PREFECT_API_SERVICES_FOREMAN_FALLBACK_HEARTBEAT_INTERVAL_SECONDS") },
    { "server.services.foreman.deployment_last_polled_timeout_seconds", SETTING_INT, "60",
      ALSO("PREFECT_API_SERVICES_FOREMAN_DEPLOYMENT_LAST_POLLED_TIMEOUT_SECONDS") },
    { "server.services.foreman.work_queue_last_polled_timeout_seconds", SETTING_INT, "60",
      ALSO("PREFECT_API_SERVICES_FOREMAN_WORK_QUEUE_LAST_POLLED_TIMEOUT_SECONDS") },
    { "server.services.late_runs.enabled", SETTING_BOOL, "True", ALSO("PREFECT_API_SERVICES_LATE_RUNS_ENABLED") },
    { "server.services.late_runs.loop_seconds", SETTING_FLOAT, "5.0",
      ALSO("PREFECT_API_SERVICES_LATE_RUNS_LOOP_SECONDS") },
    { "server.services.late_runs.after_seconds", SETTING_SECONDS, "0:00:15",
      ALSO("PREFECT_API_SERVICES_LATE_RUNS_AFTER_SECONDS") },
    { "server.services.scheduler.enabled", SETTING_BOOL, "True", ALSO("PREFECT_API_SERVICES_SCHEDULER_ENABLED") },
    { "server.services.scheduler.loop_seconds", SETTING_FLOAT, "60.0",
      ALSO("PREFECT_API_SERVICES_SCHEDULER_LOOP_SECONDS") },
    { "server.services.scheduler.deployment_batch_size", SETTING_INT, "100",
      ALSO("PREFECT_API_SERVICES_SCHEDULER_DEPLOYMENT_BATCH_SIZE") },
    { "server.services.scheduler.max_runs", SETTING_INT, "100", ALSO("PREFECT_API_SERVICES_SCHEDULER_MAX_RUNS") },
    { "server.services.scheduler.min_runs", SETTING_INT, "3", ALSO("PREFECT_API_SERVICES_SCHEDULER_MIN_RUNS") },
    { "server.services.scheduler.max_scheduled_time", SETTING_SECONDS, "100 days, 0:00:00",
      ALSO("PREFECT_API_SERVICES_SCHEDULER_MAX_SCHEDULED_TIME") },
    { "server.services.scheduler.min_scheduled_time", SETTING_SECONDS, "1:00:00",
      ALSO("PREFECT_API_SERVICES_SCHEDULER_MIN_SCHEDULED_TIME") },
    { "server.services.scheduler.insert_batch_size", SETTING_INT, "500",
      ALSO("PREFECT_API_SERVICES_SCHEDULER_INSERT_BATCH_SIZE") },
    { "server.services.scheduler.recent_deployments_loop_seconds", SETTING_FLOAT, "5.0" },
    { "server.services.pause_expirations.enabled", SETTING_BOOL, "True",
      ALSO("PREFECT_API_SERVICES_PAUSE_EXPIRATIONS_ENABLED") },
    { "server.services.pause_expirations.loop_seconds", SETTING_FLOAT, "5.0",
      ALSO("PREFECT_API_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS") },
    { "server.services.repossessor.enabled", SETTING_BOOL, "True" },
    { "server.services.repossessor.loop_seconds", SETTING_FLOAT, "15.0" },
    { "server.services.cleanup_reconciler.enabled", SETTING_BOOL, "True" },
    { "server.services.cleanup_reconciler.loop_seconds", SETTING_FLOAT, "5.0", LIMITS(">0") },
    { "server.services.cleanup_reconciler.batch_size", SETTING_INT, "100", LIMITS(">0") },
    { "server.services.task_run_recorder.enabled", SETTING_BOOL, "True",
      ALSO("PREFECT_API_SERVICES_TASK_RUN_RECORDER_ENABLED") },
    { "server.services.task_run_recorder.read_batch_size", SETTING_INT, "1", LIMITS(">0") },
    { "server.services.task_run_recorder.batch_size", SETTING_INT, "1", LIMITS(">0") },
    { "server.services.task_run_recorder.flush_interval", SETTING_FLOAT, "5.0", LIMITS(">0") },
    { "server.services.triggers.enabled", SETTING_BOOL, "True", ALSO("PREFECT_API_SERVICES_TRIGGERS_ENABLED") },
    { "server.services.triggers.read_batch_size", SETTING_INT, "1", LIMITS(">0") },
    { "server.services.triggers.pg_notify_reconnect_interval_seconds", SETTING_INT, "10" },
    { "server.services.triggers.pg_notify_heartbeat_interval_seconds", SETTING_INT, "5" },
    { "server.tasks.tag_concurrency_slot_wait_seconds", SETTING_FLOAT, "10.0", LIMITS(">=0"),
      ALSO("PREFECT_TASK_RUN_TAG_CONCURRENCY_SLOT_WAIT_SECONDS") },
    { "server.tasks.max_cache_key_length", SETTING_INT, "2000", ALSO("PREFECT_API_TASK_CACHE_KEY_MAX_LENGTH") },
    { "server.tasks.scheduling.max_scheduled_queue_size", SETTING_INT, "1000",
      ALSO("PREFECT_TASK_SCHEDULING_MAX_SCHEDULED_QUEUE_SIZE") },
    { "server.tasks.scheduling.max_retry_queue_size", SETTING_INT, "100",
      ALSO("PREFECT_TASK_SCHEDULING_MAX_RETRY_QUEUE_SIZE") },
    { "server.tasks.scheduling.pending_task_timeout", SETTING_SECONDS, "0:00:00",
      ALSO("PREFECT_TASK_SCHEDULING_PENDING_TASK_TIMEOUT") },
    { "server.ui.enabled", SETTING_BOOL, "True", ALSO("PREFECT_UI_ENABLED") },
    { "server.ui.v2_enabled", SETTING_BOOL, "True" },
    { "server.ui.api_url", SETTING_TEXT, "${PREFECT_ORION_UI_API_URL}", ALSO("PREFECT_UI_API_URL") },
    { "server.ui.serve_base", SETTING_TEXT, "/", ALSO("PREFECT_UI_SERVE_BASE") },
    { "server.ui.static_directory", SETTING_TEXT, NULL, ALSO("PREFECT_UI_STATIC_DIRECTORY") },
    { "server.ui.show_promotional_content", SETTING_BOOL, "True" },
    { "server.worker_channel.cleanup_queue_storage", SETTING_TEXT,
      "prefect.server.worker_communication.cleanup_queue.memory" },
    { "server.worker_channel.cleanup_lease_seconds", SETTING_FLOAT, "30.0", LIMITS(">0") },
    { "server.worker_channel.cleanup_max_delivery_attempts", SETTING_INT, "3", LIMITS(">=1") },
    { "server.worker_channel.cleanup_completed_idempotency_retention_seconds", SETTING_FLOAT, NULL, LIMITS(">=0") },
    { "tasks.refresh_cache", SETTING_BOOL, "False" },
    { "tasks.default_no_cache", SETTING_BOOL, "False" },
    { "tasks.disable_caching", SETTING_BOOL, "False" },
    { "tasks.default_retries", SETTING_INT, "0", LIMITS(">=0"), ALSO("PREFECT_TASK_DEFAULT_RETRIES") },
    { "tasks.default_retry_delay_seconds", SETTING_TEXT, "0", ALSO("PREFECT_TASK_DEFAULT_RETRY_DELAY_SECONDS") },
    { "tasks.default_persist_result", SETTING_BOOL, NULL },
    { "tasks.runner.thread_pool_max_workers", SETTING_INT, NULL, LIMITS(">0"),
      ALSO("PREFECT_TASK_RUNNER_THREAD_POOL_MAX_WORKERS") },
    { "tasks.runner.process_pool_max_workers", SETTING_INT, NULL, LIMITS(">0") },
    { "tasks.scheduling.default_storage_block", SETTING_TEXT, NULL,
      ALSO("PREFECT_TASK_SCHEDULING_DEFAULT_STORAGE_BLOCK") },
    { "tasks.scheduling.delete_failed_submissions", SETTING_BOOL, "True",
      ALSO("PREFECT_TASK_SCHEDULING_DELETE_FAILED_SUBMISSIONS") },
    { "telemetry.enable_resource_metrics", SETTING_BOOL, "True" },
    { "telemetry.resource_metrics_interval_seconds", SETTING_INT, "10", LIMITS(">=1") },
    { "testing.test_mode", SETTING_BOOL, "False", ALSO("PREFECT_TEST_MODE") },
    { "testing.unit_test_mode", SETTING_BOOL, "False", ALSO("PREFECT_UNIT_TEST_MODE") },
    { "testing.unit_test_loop_debug", SETTING_BOOL, "True", ALSO("PREFECT_UNIT_TEST_LOOP_DEBUG") },
    { "testing.test_setting", SETTING_TEXT, "FOO", ALSO("PREFECT_TEST_SETTING") },
    { "worker.debug_mode", SETTING_BOOL, "False" },
    { "worker.heartbeat_seconds", SETTING_FLOAT, "30.0" },
    { "worker.query_seconds", SETTING_FLOAT, "10.0" },
    { "worker.prefetch_seconds", SETTING_FLOAT, "10.0" },
    { "worker.enable_cancellation", SETTING_BOOL, "False" },
    { "worker.cancellation_poll_seconds", SETTING_FLOAT, "120.0" },
    { "worker.webserver.host", SETTING_TEXT, "0.0.0.0" },
    { "worker.webserver.port", SETTING_INT, "8080" },
    { "ui_url", SETTING_TEXT, "${PREFECT_UI_URL}" },
    { "silence_api_url_misconfiguration", SETTING_BOOL, "False" },
};
const size_t setting_3_count = COUNT_OF(setting_3_table);

const Setting3 *setting_3_of_path(Str path)
{
    for (size_t i = 0; i < setting_3_count; i++)
        if (str_is(path, setting_3_table[i].path))
            return &setting_3_table[i];
    return NULL;
}

static char in_name(char c)
{
    return c == '.' ? '_' : (char)toupper((unsigned char)c);
}

#define PREFIX "PREFECT_"

static bool is_own_name(const Setting3 *setting, Str name)
{
    size_t n = strlen(setting->path), prefix = sizeof PREFIX - 1;
    if (name.n != prefix + n || !str_starts(name, PREFIX))
        return false;
    for (size_t i = 0; i < n; i++)
        if (name.p[prefix + i] != in_name(setting->path[i]))
            return false;
    return true;
}

static bool is_other_name(const Setting3 *setting, Str name)
{
    Str rest = str_from(setting->also);
    while (rest.n > 0)
        if (str_eq(str_next_item(&rest, ' '), name))
            return true;
    return false;
}

const Setting3 *setting_3_find(Str name)
{
    for (size_t i = 0; i < setting_3_count; i++)
        if (is_own_name(&setting_3_table[i], name) || is_other_name(&setting_3_table[i], name))
            return &setting_3_table[i];
    return NULL;
}

Str setting_3_name(const Setting3 *setting, size_t n, Arena *arena)
{
    if (n == 0) {
        Buf out;
        buf_init(&out, arena, 96);
        buf_text(&out, PREFIX);
        for (const char *p = setting->path; *p; p++)
            buf_char(&out, in_name(*p));
        return str_from(buf_cstr(&out));
    }
    Str rest = str_from(setting->also);
    while (rest.n > 0) {
        Str name = str_next_item(&rest, ' ');
        if (--n == 0)
            return arena_str(arena, name);
    }
    return STR_NULL;
}

const Setting *setting_3_obeyed(const Setting3 *setting)
{
    for (size_t i = 0; i < setting_count; i++) {
        const char *name = setting_table[i].name;
        for (size_t k = 0; name; name = setting_alias(setting_table[i].name, k++))
            if (is_own_name(setting, str_from(name)))
                return &setting_table[i];
    }
    return NULL;
}

const Setting3 *setting_3_of(const Setting *setting)
{
    const char *name = setting->name;
    for (size_t i = 0; name; name = setting_alias(setting->name, i++)) {
        const Setting3 *found = setting_3_find(str_from(name));
        if (found)
            return found;
    }
    return NULL;
}

/* ---- checking, with the messages of pydantic 2 ---- */

#define LEVELS "DEBUG INFO WARNING ERROR CRITICAL"

static Str upper(Str text, Arena *arena)
{
    char *copy = arena_cstr(arena, text);
    for (char *p = copy; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return str_from(copy);
}

static Str list_of_choices(const char *words, Arena *arena)
{
    Buf out;
    buf_init(&out, arena, 96);
    buf_text(&out, "Input should be ");
    for (const char *word = words; *word;) {
        size_t n = strcspn(word, " ");
        buf_printf(&out, "%s'%.*s'", word == words ? "" : word[n] ? ", " : " or ", (int)n, word);
        word += n + (word[n] == ' ');
    }
    return str_from(buf_cstr(&out));
}

static bool is_within(double number, const char *limit)
{
    double bound = strtod(limit + strcspn(limit, "0123456789-"), NULL);
    if (limit[1] == '=')
        return limit[0] == '>' ? number >= bound : number <= bound;
    return limit[0] == '>' ? number > bound : number < bound;
}

static Str beyond(Str limit, Arena *arena)
{
    bool open = limit.p[1] != '=';
    return arena_printf(arena, "Input should be %s than %s%.*s", limit.p[0] == '>' ? "greater" : "less",
                        open ? "" : "or equal to ", (int)limit.n - (open ? 1 : 2), limit.p + (open ? 1 : 2));
}

static Str refusal(const Setting3 *setting, Arena *arena)
{
    static const char *const messages[] = {
        [SETTING_BOOL] = "Input should be a valid boolean, unable to interpret input",
        [SETTING_INT] = "Input should be a valid integer, unable to parse string as an integer",
        [SETTING_FLOAT] = "Input should be a valid number, unable to parse string as a number",
        [SETTING_SECONDS] = "Input should be a valid timedelta, invalid digit in duration",
        [SETTING_SIZE] = "", /* the last one; others are never refused */
    };
    if (setting->kind == SETTING_CHOICE || setting->kind == SETTING_LEVEL)
        return list_of_choices(setting->choices ? setting->choices : LEVELS, arena);
    return str_from(messages[setting->kind]);
}

bool setting_3_check(const Setting3 *setting, Str text, Arena *arena, Str *ret_message)
{
    bool is_level = setting->kind == SETTING_LEVEL; /* in any case of letters, but fewer than 2.7's */
    const Setting plain = { .name = "", .kind = is_level ? SETTING_CHOICE : setting->kind,
                            .choices = is_level ? LEVELS : setting->choices };
    SettingValue value;
    SettingProblem problem;
    if (!setting_parse(&plain, TOML_STRING, is_level ? upper(text, arena) : text, arena, &value, &problem)) {
        *ret_message = refusal(setting, arena);
        return false;
    }
    Str rest = str_from(setting->limits);
    while (rest.n > 0) {
        Str limit = str_next_item(&rest, ' ');
        if (!is_within(value.number, limit.p)) {
            *ret_message = beyond(limit, arena);
            return false;
        }
    }
    return true;
}
