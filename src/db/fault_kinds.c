/* db/fault_kinds.c -- the kinds of faults. A query must not report what a server writes, ours or the reference, but for
 * one kind, the last. Memory holds nothing but the row at hand: the queries look things up by index, and do not
 * group. */
#include "db/fault_kinds.h"

#include "db/tables.h"

#define FINAL "('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')"
#define BOTH(sql) { sql, sql }
#define NONE { NULL, NULL }

/* In what follows, `runs` is flow_run or task_run, `states` the table of their states, `of` the column of a state that
 * names its run. They run over `run`, a row of `runs`. */

/* A column of the run's latest state; NULL: it has no state. */
#define LATEST(states, of, column) \
    "(SELECT late." column " FROM " states " AS late WHERE late." of " = run.id ORDER BY late.timestamp DESC LIMIT 1)"

#define POINTER(runs, states, of) \
    "SELECT run.id FROM " runs " AS run LEFT JOIN " states " AS cur ON cur.id = run.state_id" \
    " WHERE (run.state_id IS NOT NULL AND (cur.id IS NULL OR cur." of " <> run.id))" \
    " OR (run.state_id IS NULL AND EXISTS (SELECT 1 FROM " states " AS own WHERE own." of " = run.id))"

/* Later by both clocks: when two requests change one run at once, the reference may write a state after one that it
 * has given a later timestamp. */
#define OUTDATED(runs, states, of) \
    "SELECT run.id FROM " runs " AS run JOIN " states " AS cur ON cur.id = run.state_id AND cur." of " = run.id" \
    " WHERE EXISTS (SELECT 1 FROM " states " AS own WHERE own." of " = run.id" \
    " AND own.timestamp > cur.timestamp AND own.created > cur.created)"

#define MEND_POINTER(runs, states, of, find) \
    "UPDATE " runs " AS run SET state_id = " LATEST(states, of, "id") "," \
    " state_type = COALESCE(" LATEST(states, of, "type") ", state_type)," \
    " state_name = COALESCE(" LATEST(states, of, "name") ", state_name)," \
    " state_timestamp = COALESCE(" LATEST(states, of, "timestamp") ", state_timestamp)" \
    " WHERE run.id IN (" find(runs, states, of) ")"

/* Runs that the scheduler has planned have no state_timestamp. */
#define REPEATED(runs, states, of) \
    "SELECT run.id FROM " runs " AS run JOIN " states " AS cur ON cur.id = run.state_id AND cur." of " = run.id" \
    " WHERE run.state_type IS NULL OR run.state_type <> cur.type" \
    " OR run.state_name IS NULL OR run.state_name <> cur.name OR run.state_timestamp <> cur.timestamp" \
    " OR (run.state_timestamp IS NULL AND cur.type <> 'SCHEDULED')"

#define CURRENT(states, column) "(SELECT cur." column " FROM " states " AS cur WHERE cur.id = run.state_id)"
#define MEND_REPEATED(runs, states, of) \
    "UPDATE " runs " AS run SET state_type = " CURRENT(states, "type") ", state_name = " CURRENT(states, "name") "," \
    " state_timestamp = " CURRENT(states, "timestamp") " WHERE run.id IN (" REPEATED(runs, states, of) ")"

/* A state's type is never a condition of its own: SQLite would look up all states of that type for each run. */
#define RUNNING(own, value) "CASE " own ".type WHEN 'RUNNING' THEN " value " END"

/* How often the run became RUNNING. A pause that is resumed, and going on after the end, leave the count unchanged or
 * start it over, depending on how the client asked: such runs are left out. */
#define STARTS(states, of) \
    "(SELECT COUNT(" RUNNING("own", "1") ") FROM " states " AS own WHERE own." of " = run.id)"
#define MISCOUNTED(runs, states, of) \
    "SELECT run.id FROM " runs " AS run WHERE run.run_count <> " STARTS(states, of) \
    " AND EXISTS (SELECT 1 FROM " states " AS own WHERE own." of " = run.id)" \
    " AND NOT EXISTS (SELECT 1 FROM " states " AS own WHERE own." of " = run.id AND (own.type = 'PAUSED'" \
    " OR (own.type IN " FINAL " AND own.timestamp < " LATEST(states, of, "timestamp") ")))"
#define MEND_MISCOUNTED(runs, states, of) \
    "UPDATE " runs " AS run SET run_count = " STARTS(states, of) " WHERE run.id IN (" MISCOUNTED(runs, states, of) ")"

/* A task run notes the run_count of its flow run when it starts, which is at most the number of times that one was
 * RUNNING then. */
#define FLOW_STARTS \
    "(SELECT COUNT(" RUNNING("own", "1") ") FROM flow_run_state AS own WHERE own.flow_run_id = run.flow_run_id"
#define AHEAD_OF_FLOW "SELECT run.id FROM task_run AS run WHERE run.flow_run_run_count > " FLOW_STARTS ")"
#define MEND_AHEAD_OF_FLOW \
    "UPDATE task_run AS run SET flow_run_run_count = " FLOW_STARTS " AND own.timestamp <=" \
    " (SELECT MAX(" RUNNING("start", "start.timestamp") ") FROM task_run_state AS start" \
    " WHERE start.task_run_id = run.id)) WHERE run.id IN (" AHEAD_OF_FLOW ")"

/* The time from each RUNNING state to the next state. States that were not written in the order of their timestamps
 * (two requests at once, a clock that was set back) were added up in another order: such runs are left out. */
#define AFTER(states, of) \
    "(SELECT MIN(next.timestamp) FROM " states " AS next" \
    " WHERE next." of " = own." of " AND next.timestamp > own.timestamp)"
#define SPENT(states, of, us, zero) \
    "(SELECT COALESCE(SUM(" RUNNING("own", us(AFTER(states, of)) " - " us("own.timestamp")) "), " zero ")" \
    " FROM " states " AS own WHERE own." of " = run.id)"
#define MISTIMED(runs, states, of, total, us, zero) \
    "SELECT run.id FROM " runs " AS run WHERE " total " <> " SPENT(states, of, us, zero) \
    " AND EXISTS (SELECT 1 FROM " states " AS own WHERE own." of " = run.id)" \
    " AND NOT EXISTS (SELECT 1 FROM " states " AS own JOIN " states " AS other ON other." of " = own." of \
    " AND other.timestamp > own.timestamp AND other.created < own.created WHERE own." of " = run.id)"

/* Microseconds since 1970 of a time as SQLite's columns hold it. Its own functions round to milliseconds. */
#define US(time) "(strftime('%s', substr(" time ", 1, 19)) * 1000000 + substr(" time ", 21, 6))"
#define TOTAL_US "CASE typeof(run.total_run_time) WHEN 'text' THEN " US("run.total_run_time") " ELSE 0 END"
#define US_TEXT(us) "strftime('%Y-%m-%d %H:%M:%S', " us " / 1000000, 'unixepoch') || printf('.%06d', " us " % 1000000)"
#define ITSELF(time) time
#define SQLITE_MISTIMED(runs, states, of) MISTIMED(runs, states, of, TOTAL_US, US, "0")
#define POSTGRESQL_MISTIMED(runs, states, of) \
    MISTIMED(runs, states, of, "run.total_run_time", ITSELF, "INTERVAL '0'")
#define SQLITE_MEND_MISTIMED(runs, states, of) \
    "UPDATE " runs " AS run SET total_run_time = " US_TEXT(SPENT(states, of, US, "0")) \
    " WHERE run.id IN (" SQLITE_MISTIMED(runs, states, of) ")"
#define POSTGRESQL_MEND_MISTIMED(runs, states, of) \
    "UPDATE " runs " AS run SET total_run_time = " SPENT(states, of, ITSELF, "INTERVAL '0'") \
    " WHERE run.id IN (" POSTGRESQL_MISTIMED(runs, states, of) ")"

/* A run starts with its first RUNNING state, and ends with the first final state after which there are only final
 * ones. */
#define BACKWARDS(runs) "SELECT run.id FROM " runs " AS run WHERE run.end_time < run.start_time"
#define FIRST_START(states, of) \
    "(SELECT MIN(" RUNNING("own", "own.timestamp") ") FROM " states " AS own WHERE own." of " = run.id)"
#define LAST_END(states, of) \
    "(SELECT MIN(CASE WHEN own.type IN " FINAL " AND NOT EXISTS (SELECT 1 FROM " states " AS next" \
    " WHERE next." of " = run.id AND next.timestamp > own.timestamp AND next.type NOT IN " FINAL ")" \
    " THEN own.timestamp END) FROM " states " AS own WHERE own." of " = run.id)"
#define MEND_BACKWARDS(runs, states, of) \
    "UPDATE " runs " AS run SET start_time = COALESCE(" FIRST_START(states, of) ", start_time)," \
    " end_time = COALESCE(" LAST_END(states, of) ", end_time) WHERE run.id IN (" BACKWARDS(runs) ")"

/* The slots of a limit, one by one; of a value that is no list, none. Both servers leave the slots of a run that is
 * deleted while it runs: the only kind of fault that a server writes, and that nothing but --repair, or resetting the
 * limit, puts an end to. */
#define SQLITE_SLOTS \
    "json_each(CASE WHEN json_valid(held.active_slots) AND json_type(held.active_slots) = 'array'" \
    " THEN held.active_slots ELSE '[]' END) AS slot LEFT JOIN task_run AS run ON run.id = slot.value"
#define POSTGRESQL_SLOTS \
    "jsonb_array_elements_text(CASE jsonb_typeof(held.active_slots) WHEN 'array' THEN held.active_slots" \
    " ELSE '[]' END) AS slot LEFT JOIN task_run AS run ON run.id = CASE WHEN slot ~" \
    " '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN CAST(slot AS uuid) END"
#define ENDED "run.state_type IN " FINAL
#define GONE "run.id IS NULL"
#define HELD(slots, idly) \
    "SELECT held.id FROM concurrency_limit AS held WHERE EXISTS (SELECT 1 FROM " slots " WHERE " idly ")"
/* What is kept is the ids of task runs, or for a slot of one that is gone any text that was a JSON string. */
#define SQLITE_FREE(idly) \
    "UPDATE concurrency_limit AS held SET active_slots = (SELECT COALESCE('[' ||" \
    " group_concat(json_quote(slot.value), ', ') || ']', '[]') FROM " SQLITE_SLOTS " WHERE NOT COALESCE(" idly ", 0))" \
    " WHERE held.id IN (" HELD(SQLITE_SLOTS, idly) ")"
#define POSTGRESQL_FREE(idly) \
    "UPDATE concurrency_limit AS held SET active_slots = (SELECT COALESCE(jsonb_agg(slot), '[]')" \
    " FROM " POSTGRESQL_SLOTS " WHERE NOT COALESCE(" idly ", false))" \
    " WHERE held.id IN (" HELD(POSTGRESQL_SLOTS, idly) ")"

/* PostgreSQL's own catalogs, as far as they concern our tables: others may share the schema. A relation's name is
 * quoted by its cast. */
#define OUR_TABLES \
    "(SELECT to_regclass(name) FROM unnest(ARRAY['block_type', 'block_schema', 'block_schema_reference'," \
    " 'block_document', 'block_document_reference', 'flow_run_notification_policy', 'flow_run_notification_queue'," \
    " 'flow', 'work_queue', 'work_pool', 'worker', 'agent', 'deployment', 'flow_run', 'task_run', 'artifact'," \
    " 'flow_run_state', 'task_run_state', 'task_run_state_cache', 'log', 'concurrency_limit', 'saved_search'," \
    " 'configuration']) AS name)"
/* But for our own ones (indexes.h): a server that runs may be building them, and one that starts builds them anew. */
#define INVALID_INDEXES \
    "SELECT CAST(CAST(indexrelid AS regclass) AS text) AS name FROM pg_catalog.pg_index" \
    " WHERE NOT (indisvalid AND indisready AND indislive)" \
    " AND CAST(CAST(indexrelid AS regclass) AS text) NOT LIKE '%orion\\_%' AND indrelid IN " OUR_TABLES
#define UNCHECKED_CONSTRAINTS(what) \
    "SELECT " what " FROM pg_catalog.pg_constraint WHERE NOT convalidated AND conrelid IN " OUR_TABLES
/* What cannot be mended, because rows contradict it, stays: the rest is mended all the same. */
#define FOR_EACH(query, statement) \
    "DO $do$ DECLARE found record; BEGIN FOR found IN " query " LOOP BEGIN EXECUTE " statement ";" \
    " EXCEPTION WHEN integrity_constraint_violation OR unique_violation OR foreign_key_violation" \
    " OR check_violation THEN NULL; END; END LOOP; END $do$"

/* The faults of both kinds of runs. */
#define RUN_KINDS(runs, states, of) \
    { runs, "state_id is not a state of the run", \
      "--repair points it at the latest state that exists, and takes state_type, state_name and state_timestamp from " \
      "there", BOTH(POINTER(runs, states, of)), BOTH(MEND_POINTER(runs, states, of, POINTER)) }, \
    { runs, "state_id is not the run's latest state", \
      "--repair points it at the latest state, and takes state_type, state_name and state_timestamp from there", \
      BOTH(OUTDATED(runs, states, of)), BOTH(MEND_POINTER(runs, states, of, OUTDATED)) }, \
    { runs, "state_type, state_name or state_timestamp is not that of the state", \
      "--repair takes them from the state", BOTH(REPEATED(runs, states, of)), BOTH(MEND_REPEATED(runs, states, of)) }, \
    { runs, "run_count is not the number of RUNNING states", "--repair counts the states", \
      BOTH(MISCOUNTED(runs, states, of)), BOTH(MEND_MISCOUNTED(runs, states, of)) }, \
    { runs, "total_run_time is not the time spent in RUNNING states", "--repair adds it up from the states", \
      { SQLITE_MISTIMED(runs, states, of), POSTGRESQL_MISTIMED(runs, states, of) }, \
      { SQLITE_MEND_MISTIMED(runs, states, of), POSTGRESQL_MEND_MISTIMED(runs, states, of) } }, \
    { runs, "end_time is before start_time", "--repair takes both from the states", \
      BOTH(BACKWARDS(runs)), BOTH(MEND_BACKWARDS(runs, states, of)) }

const FaultKind fault_kinds[] = {
    { "the file", "SQLite's quick_check reports damage", NOT_BY_REPAIR "restore a backup, or save what can "
      "be read with the command .recover of the program sqlite3",
      { "SELECT quick_check FROM pragma_quick_check WHERE quick_check <> 'ok'", NULL }, NONE },
    { "the indexes", "they do not agree with their tables, according to SQLite's integrity_check",
      "--repair builds them again from the tables (REINDEX)",
      { "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check LIKE '%index%'", NULL },
      { "REINDEX", NULL } },
    { "the indexes", "they are marked as invalid, as after a build that failed", "--repair builds them again (REINDEX)",
      { NULL, INVALID_INDEXES }, { NULL, FOR_EACH(INVALID_INDEXES, "'REINDEX INDEX ' || found.name") } },
    { "the constraints", "they were never validated, so rows may contradict them", "--repair validates them",
      { NULL, UNCHECKED_CONSTRAINTS("format('%s of %s', conname, CAST(conrelid AS regclass))") },
      { NULL, FOR_EACH(UNCHECKED_CONSTRAINTS("conname, CAST(conrelid AS regclass) AS owner"),
                       "format('ALTER TABLE %s VALIDATE CONSTRAINT %I', found.owner, found.conname)") } },
    RUN_KINDS("flow_run", "flow_run_state", "flow_run_id"),
    RUN_KINDS("task_run", "task_run_state", "task_run_id"),
    { "task_run", "flow_run_run_count is more than the flow run ever ran",
      "--repair counts the flow run's RUNNING states up to the task run's start",
      BOTH(AHEAD_OF_FLOW), BOTH(MEND_AHEAD_OF_FLOW) },
    { "concurrency_limit", "slots are held by task runs that have ended", "--repair frees those slots",
      { HELD(SQLITE_SLOTS, ENDED), HELD(POSTGRESQL_SLOTS, ENDED) }, { SQLITE_FREE(ENDED), POSTGRESQL_FREE(ENDED) } },
    { "concurrency_limit", "slots are held by task runs that do not exist, as those that were deleted while running",
      "--repair frees those slots", { HELD(SQLITE_SLOTS, GONE), HELD(POSTGRESQL_SLOTS, GONE) },
      { SQLITE_FREE(GONE), POSTGRESQL_FREE(GONE) } },
};
const size_t fault_kind_count = COUNT_OF(fault_kinds);

const char fault_btree_indexes[] =
    "SELECT CAST(CAST(c.oid AS regclass) AS text) FROM pg_catalog.pg_index i"
    " JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
    " JOIN pg_catalog.pg_am a ON a.oid = c.relam AND a.amname = 'btree'"
    " WHERE i.indisvalid AND i.indisready AND i.indrelid IN " OUR_TABLES " ORDER BY 1";
