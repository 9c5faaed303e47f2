/* tests/fuzz/fuzz_db.h -- a database in memory, with a few rows in every table that lists read. All rows that matter
 * most have the same id, whatever their table, and the name "a": so a made-up path finds something. What a job
 * changes is undone. */
#ifndef ORION_FUZZ_DB_H
#define ORION_FUZZ_DB_H

#include "fuzz.h"

#include "base/log.h"
#include "db/driver.h"
#include "db/migrate.h"

#define FUZZ_ID "00000000-0000-4000-8000-00000000000a"
#define OTHER_ID "00000000-0000-4000-8000-00000000000b"

/* {"a": 1} and {}, encrypted with the key of zeros that is in the database */
#define ZERO_KEY "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define DOCUMENT_A \
    "gAAAAABjsM0AAAAAAAAAAAAAAAAAAAAAAOTzpCjhFILiO6pKz-FyqOUlLhh5NwWscTXkniy3WfHIICNKx-QFbJbfnMKo754Kkg=="
#define DOCUMENT_B \
    "gAAAAABjsM0AAAAAAAAAAAAAAAAAAAAAALea6wQKucbfZdML3StuAPvXBVDnupsylODF9Z_EgN5SPneSy0Iv7LZDDSAjga5Eug=="

static const char fuzz_rows[] =
    "INSERT INTO work_pool (id, name, type, base_job_template) VALUES ('" FUZZ_ID "', 'a', 'process',"
    " '{\"job_configuration\": {\"x\": \"{{ y }}\"},"
    " \"variables\": {\"properties\": {\"y\": {\"type\": \"string\"}}}}');"
    "INSERT INTO work_queue (id, name, work_pool_id, priority) VALUES ('" FUZZ_ID "', 'a', '" FUZZ_ID "', 1),"
    " ('" OTHER_ID "', 'b', '" FUZZ_ID "', 2);"
    "UPDATE work_pool SET default_queue_id = '" FUZZ_ID "' WHERE id = '" FUZZ_ID "';"
    "INSERT INTO worker (id, name, work_pool_id) VALUES ('" FUZZ_ID "', 'a', '" FUZZ_ID "');"
    "INSERT INTO flow (id, name, tags) VALUES ('" FUZZ_ID "', 'a', '[\"a\"]'), ('" OTHER_ID "', 'b', '[]');"
    "INSERT INTO deployment (id, name, flow_id, tags, schedule, work_queue_name, work_queue_id) VALUES"
    " ('" FUZZ_ID "', 'a', '" FUZZ_ID "', '[\"a\"]', '{\"interval\": 3600.0}', 'a', '" FUZZ_ID "'),"
    " ('" OTHER_ID "', 'b', '" OTHER_ID "', '[]', NULL, NULL, NULL);"
    "INSERT INTO flow_run (id, name, flow_id, deployment_id, tags, state_type, state_name, start_time,"
    " expected_start_time, next_scheduled_start_time, work_queue_name, work_queue_id) VALUES"
    " ('" FUZZ_ID "', 'a', '" FUZZ_ID "', '" FUZZ_ID "', '[\"a\", \"b\"]', 'RUNNING', 'Running',"
    "  '2023-01-01 00:00:00.000000', '2023-01-01 00:00:00.000000', NULL, 'a', '" FUZZ_ID "'),"
    " ('" OTHER_ID "', 'b', '" OTHER_ID "', NULL, '[]', 'SCHEDULED', 'Late',"
    "  NULL, '2023-01-02 00:00:00.500000', '2023-01-02 00:00:00.500000', NULL, NULL);"
    "INSERT INTO flow_run_state (id, flow_run_id, type, name, timestamp, message) VALUES"
    " ('" FUZZ_ID "', '" FUZZ_ID "', 'RUNNING', 'Running', '2023-01-01 00:00:00.000000', 'a'),"
    " ('" OTHER_ID "', '" OTHER_ID "', 'SCHEDULED', 'Late', '2023-01-02 00:00:00.500000', NULL);"
    "UPDATE flow_run SET state_id = id;"
    "INSERT INTO task_run (id, name, task_key, dynamic_key, flow_run_id, tags, state_type, state_name, cache_key)"
    " VALUES ('" FUZZ_ID "', 'a', 'a', '0', '" FUZZ_ID "', '[\"a\"]', 'RUNNING', 'Running', 'a'),"
    " ('" OTHER_ID "', 'b', 'b', '0', '" OTHER_ID "', '[]', 'COMPLETED', 'Cached', NULL);"
    "INSERT INTO task_run_state (id, task_run_id, type, name, timestamp) VALUES"
    " ('" FUZZ_ID "', '" FUZZ_ID "', 'RUNNING', 'Running', '2023-01-01 00:00:00.000000'),"
    " ('" OTHER_ID "', '" OTHER_ID "', 'COMPLETED', 'Cached', '2023-01-01 00:00:01.000000');"
    "UPDATE task_run SET state_id = id;"
    "INSERT INTO task_run_state_cache (id, cache_key, task_run_state_id) VALUES ('" FUZZ_ID "', 'a', '" FUZZ_ID "');"
    "INSERT INTO log (id, name, level, flow_run_id, task_run_id, message, timestamp) VALUES"
    " ('" FUZZ_ID "', 'a', 20, '" FUZZ_ID "', '" FUZZ_ID "', 'a', '2023-01-01 00:00:00.000000'),"
    " ('" OTHER_ID "', 'b', 40, '" OTHER_ID "', NULL, 'b', '2023-01-02 00:00:00.000000');"
    "INSERT INTO concurrency_limit (id, tag, concurrency_limit) VALUES ('" FUZZ_ID "', 'a', 1);"
    "INSERT INTO saved_search (id, name) VALUES ('" FUZZ_ID "', 'a');"
    "INSERT INTO block_type (id, name, slug) VALUES ('" FUZZ_ID "', 'a', 'a'), ('" OTHER_ID "', 'b', 'b');"
    "INSERT INTO block_schema (id, checksum, block_type_id, fields, capabilities) VALUES"
    " ('" FUZZ_ID "', 'a', '" FUZZ_ID "', '{\"title\": \"a\", \"type\": \"object\", \"properties\": {\"a\": {}},"
    " \"secret_fields\": [\"b\"], \"block_type_slug\": \"a\", \"block_schema_references\": {}}', '[\"notify\"]');"
    "INSERT INTO configuration (id, key, value) VALUES ('" FUZZ_ID "', 'ENCRYPTION_KEY',"
    " '{\"fernet_key\": \"" ZERO_KEY "\"}');"
    "INSERT INTO block_document (id, name, data, block_schema_id, block_type_id, is_anonymous) VALUES"
    " ('" FUZZ_ID "', 'a', '\"" DOCUMENT_A "\"', '" FUZZ_ID "', '" FUZZ_ID "', false),"
    " ('" OTHER_ID "', 'b', '\"" DOCUMENT_B "\"', '" FUZZ_ID "', '" FUZZ_ID "', true);"
    "INSERT INTO flow_run_notification_policy (id, block_document_id) VALUES ('" FUZZ_ID "', '" FUZZ_ID "');";

static inline bool fuzz_fill(Tx *tx, void *arg)
{
    (void)arg;
    return migrate_up(tx) && db_script(tx, fuzz_rows);
}

/* Opened when it is first asked for. */
static inline Db *fuzz_db(void)
{
    static Db *db;
    Error error = { .code = ERR_NONE };
    if (db)
        return db;
    Arena *arena = arena_new();
    log_set_level(LOG_CRITICAL);
    db = db_open(&(DbConfig){ .url = STR("sqlite+aiosqlite:///:memory:"), .timeout = 600, .readers = 1 }, &error);
    must_not_fail(&error);
    (void)!db_run(db, true, arena, fuzz_fill, NULL, &error);
    must_not_fail(&error);
    arena_free(arena);
    return db;
}

typedef struct FuzzJob {
    void (*run)(Tx *tx, void *arg);
    void *arg;
} FuzzJob;

static inline bool fuzz_run_and_undo(Tx *tx, void *arg)
{
    const FuzzJob *job = arg;
    job->run(tx, job->arg);
    return fail(tx->error, ERR_CONFLICT, "undone");
}

/* Calls `run` in a transaction, which is rolled back. */
static inline void fuzz_run(Arena *arena, void (*run)(Tx *tx, void *arg), void *arg)
{
    Error error = { .code = ERR_NONE };
    (void)!db_run(fuzz_db(), true, arena, fuzz_run_and_undo, &(FuzzJob){ run, arg }, &error);
}

#endif
