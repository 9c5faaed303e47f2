"""What answers look like: orchestration results, states, rows with their keys in order."""
import datetime
import json
import re

ACCEPT = {"status": "ACCEPT", "details": {"type": "accept_details"}}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")

STATE = ["id", "type", "name", "timestamp", "message", "data", "state_details"]
DETAILS = {"flow_run_id": None, "task_run_id": None, "child_flow_run_id": None, "scheduled_time": None,
           "cache_key": None, "cache_expiration": None, "untrackable_result": False, "pause_timeout": None,
           "pause_reschedule": False, "pause_key": None, "refresh_cache": None}
FLOW = ["id", "created", "updated", "name", "tags"]
FLOW_RUN = ["id", "created", "updated", "name", "flow_id", "state_id", "deployment_id", "work_queue_name",
            "flow_version", "parameters", "idempotency_key", "context", "empirical_policy",
            "tags", "parent_task_run_id", "state_type", "state_name", "run_count", "expected_start_time",
            "next_scheduled_start_time", "start_time", "end_time", "total_run_time", "estimated_run_time",
            "estimated_start_time_delta", "auto_scheduled", "infrastructure_document_id", "infrastructure_pid",
            "created_by", "work_pool_name", "state"]
TASK_RUN = ["id", "created", "updated", "name", "flow_run_id", "task_key", "dynamic_key", "cache_key",
            "cache_expiration", "task_version", "empirical_policy", "tags", "state_id", "task_inputs", "state_type",
            "state_name", "run_count", "flow_run_run_count", "expected_start_time", "next_scheduled_start_time",
            "start_time", "end_time", "total_run_time", "estimated_run_time", "estimated_start_time_delta", "state"]
FLOW_RUN_POLICY = {"max_retries": 0, "retry_delay_seconds": 0.0, "retries": None, "retry_delay": None, "pause_keys": [],
                   "resuming": False}
TASK_RUN_POLICY = {"max_retries": 0, "retry_delay_seconds": 0.0, "retries": None, "retry_delay": None,
                   "retry_jitter_factor": None}


def ABORT(reason):
    return {"status": "ABORT", "details": {"type": "abort_details", "reason": reason}}


def REJECT(reason):
    return {"status": "REJECT", "details": {"type": "reject_details", "reason": reason}}


def outcome(answer):
    """Status and details of an orchestration result."""
    return {name: answer.json()[name] for name in ("status", "details")}


def time_of(text):
    assert TIME.match(text), text
    return datetime.datetime.fromisoformat(text)


def seconds_ago(text):
    return (datetime.datetime.now(datetime.timezone.utc) - time_of(text)).total_seconds()


def is_later(after, before):
    """The time of an update. (The reference's comes from the database's clock, which SQLite reads in milliseconds.)"""
    return TIME.match(after) and after > before


def kept(value, engine):
    """JSON with its keys in the order in which they come back: PostgreSQL's jsonb puts the shorter first."""
    if engine == "postgresql" and isinstance(value, dict):
        return {key: kept(value[key], engine)
                for key in sorted(value, key=lambda key: (len(key.encode()), key.encode()))}
    return [kept(item, engine) for item in value] if isinstance(value, list) else value


def stored(value, engine):
    """The text of JSON in a column."""
    return json.dumps(kept(value, engine), ensure_ascii=engine == "sqlite")


def is_row(row, keys):
    """An entity: its keys in their order, its identifier and times in their form."""
    assert list(row) == keys
    assert UUID.match(row["id"])
    assert seconds_ago(row["created"]) < 3600 and seconds_ago(row["updated"]) < 3600


def is_state(state, type_, name, flow_run, task=None, message=None, data=None, **details):
    assert list(state) == STATE
    assert UUID.match(state["id"])
    assert seconds_ago(state["timestamp"]) < 3600
    assert (state["type"], state["name"], state["message"], state["data"]) == (type_, name, message, data)
    expected = {**DETAILS, "flow_run_id": flow_run["id"], "task_run_id": task["id"] if task else None, **details}
    assert list(state["state_details"].items()) == list(expected.items())
