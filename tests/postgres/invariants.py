"""What holds for every database that servers of ours wrote, whoever wrote at the same time: statements that find what
breaks it."""

# $KIND is flow_run or task_run.
RUNS = {
    "run_count is not how often it ran":
        # A task that runs again after its end, with its flow, begins to count anew.
        "SELECT run.id FROM $KIND AS run LEFT JOIN LATERAL (SELECT count(*) AS n FROM $KIND_state AS state"
        " WHERE state.$KIND_id = run.id AND state.type = 'RUNNING'"
        " AND NOT EXISTS (SELECT 1 FROM $KIND_state AS final"
        " JOIN $KIND_state AS later ON later.$KIND_id = run.id AND later.type = 'RUNNING'"
        " AND later.timestamp > final.timestamp"
        " WHERE 'task_run' = '$KIND' AND final.$KIND_id = run.id AND final.timestamp > state.timestamp"
        " AND final.type IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED'))) AS running ON true"
        " WHERE run.run_count <> running.n",
    "its state is not its latest one":
        "SELECT run.id FROM $KIND AS run LEFT JOIN LATERAL (SELECT state.id FROM $KIND_state AS state"
        " WHERE state.$KIND_id = run.id"
        " ORDER BY state.timestamp DESC LIMIT 1) AS latest ON true WHERE run.state_id IS DISTINCT FROM latest.id",
    "it names a state that is not there or not its own":
        "SELECT run.id FROM $KIND AS run"
        " LEFT JOIN $KIND_state AS state ON state.id = run.state_id AND state.$KIND_id = run.id"
        # Planned runs have no state_timestamp.
        " WHERE state.id IS NULL OR (state.type, state.name) IS DISTINCT FROM (run.state_type, run.state_name) OR"
        " state.timestamp <> run.state_timestamp",
    "two states have one timestamp":
        "SELECT $KIND_id FROM $KIND_state GROUP BY $KIND_id, timestamp HAVING count(*) > 1",
    "a state without its run":
        "SELECT state.id FROM $KIND_state AS state LEFT JOIN $KIND AS run ON run.id = state.$KIND_id"
        " WHERE run.id IS NULL",
    "a state's details name another run":
        "SELECT state.id FROM $KIND_state AS state WHERE state.state_details ->> '$KIND_id' IS NOT NULL AND"
        " (state.state_details ->> '$KIND_id')::uuid <> state.$KIND_id",
    "a step that the rules do not allow":
        # Two transitions from one and the same state would make it. A task that stands for a subflow has the subflow's
        # states by force.
        "SELECT $KIND_id FROM (SELECT $KIND_id, type, lag(type) OVER (PARTITION BY $KIND_id"
        " ORDER BY timestamp) AS before, state_details ->> 'child_flow_run_id' AS child FROM $KIND_state) AS step"
        " WHERE child IS NULL AND ((before, type) IN (('PENDING', 'PENDING'), ('RUNNING', 'RUNNING'), ('RUNNING',"
        " 'PENDING'), ('CANCELLING', 'RUNNING'), ('CANCELLING', 'CANCELLING'), ('COMPLETED', 'RUNNING'))"
        " OR (before IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED') AND type NOT IN ('RUNNING', 'SCHEDULED')))",
    "total_run_time is not the time that it ran":
        "SELECT run.id FROM $KIND AS run LEFT JOIN LATERAL (SELECT COALESCE(sum(ended - timestamp), interval '0') AS"
        " total FROM (SELECT type, timestamp, lead(timestamp) OVER (ORDER BY timestamp) AS ended"
        " FROM $KIND_state AS state WHERE state.$KIND_id = run.id) AS step"
        " WHERE type = 'RUNNING') AS ran ON true WHERE run.total_run_time <> ran.total",
    "start_time is not when it first ran":
        "SELECT run.id FROM $KIND AS run WHERE run.start_time IS DISTINCT FROM (SELECT min(timestamp)"
        " FROM $KIND_state AS state WHERE state.$KIND_id = run.id AND type = 'RUNNING')",
    "end_time does not fit":
        "SELECT run.id FROM $KIND AS run WHERE CASE WHEN state_type IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')"
        " THEN start_time IS NOT NULL AND (end_time IS NULL OR end_time > state_timestamp OR end_time < start_time)"
        " ELSE end_time IS NOT NULL END",
    "it was marked late more than once":
        "SELECT $KIND_id FROM $KIND_state WHERE name = 'Late' GROUP BY $KIND_id HAVING count(*) > 1",
}

HOLDERS = " FROM concurrency_limit AS holders JOIN task_run AS run ON run.tags ? holders.tag"

ONCE = {
    "slots over the limit":
        "SELECT tag FROM concurrency_limit WHERE jsonb_array_length(active_slots) > concurrency_limit",
    "a running task without its slot":
        f"SELECT run.id{HOLDERS} WHERE run.state_type = 'RUNNING' AND NOT holders.active_slots ? run.id::text",
    "a slot whose task does not run":
        "SELECT slot FROM concurrency_limit AS holders, jsonb_array_elements_text(active_slots) AS slot"
        " LEFT JOIN task_run AS run ON run.id = slot::uuid"
        " WHERE run.id IS NULL OR run.state_type NOT IN ('RUNNING', 'CANCELLING') OR NOT run.tags ? holders.tag",
    "a slot held twice":
        "SELECT tag FROM concurrency_limit, jsonb_array_elements_text(active_slots) AS slot GROUP BY tag, slot"
        " HAVING count(*) > 1",
    "two runs for one key":
        "SELECT min(id::text) FROM flow_run WHERE idempotency_key IS NOT NULL GROUP BY flow_id, idempotency_key"
        " HAVING count(*) > 1",
    "two task runs for one key":
        "SELECT min(id::text) FROM task_run GROUP BY flow_run_id, task_key, dynamic_key HAVING count(*) > 1",
    "a run scheduled twice":
        "SELECT min(id::text) FROM flow_run WHERE auto_scheduled GROUP BY deployment_id, expected_start_time"
        " HAVING count(*) > 1",
    "a run scheduled with no state or several":
        "SELECT run.id FROM flow_run AS run WHERE auto_scheduled AND (SELECT count(*) FROM flow_run_state AS state"
        " WHERE state.flow_run_id = run.id AND state.type = 'SCHEDULED' AND state.name = 'Scheduled') <> 1",
    "a task run without its flow run":
        "SELECT task_run.id FROM task_run LEFT JOIN flow_run ON flow_run.id = task_run.flow_run_id"
        " WHERE flow_run.id IS NULL",
    "two encryption keys":
        "SELECT key FROM configuration GROUP BY key HAVING count(*) > 1",
    "two block types of one name":
        "SELECT slug FROM block_type GROUP BY slug HAVING count(*) > 1",
    "two block schemas of one kind":
        "SELECT checksum FROM block_schema GROUP BY checksum, version HAVING count(*) > 1",
    "two flows of one name":
        "SELECT name FROM flow GROUP BY name HAVING count(*) > 1",
    "two deployments of one name":
        "SELECT name FROM deployment GROUP BY flow_id, name HAVING count(*) > 1",
    "two work queues of one name":
        "SELECT name FROM work_queue GROUP BY work_pool_id, name HAVING count(*) > 1",
    "more than one revision":
        "SELECT count(*) FROM alembic_version HAVING count(*) <> 1",
}
CHECKS = {f"{kind}: {name}": sql.replace("$KIND", kind) for kind in ("flow_run", "task_run")
          for name, sql in RUNS.items()} | ONCE
# What also holds at each moment in between, of what a snapshot shows.
ALWAYS = ["slots over the limit", "a running task without its slot", "a slot held twice",
          "a slot whose task does not run"]


def problems(execute, names=None):
    """Lines that say what is broken, with the first rows; none: all is well. execute(sql): rows."""
    found = []
    for name in names or CHECKS:
        rows = execute(CHECKS[name])
        if rows:
            found.append(f"{name}: {len(rows)}, first {rows[0][0]}")
    return found
