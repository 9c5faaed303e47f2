"""Where our server is meant to answer otherwise than the reference, and why. Nothing else may differ."""
import json
import re

from tests.lib.api_client import NOBODY

MISSING = {"msg": "field required", "type": "value_error.missing"}

# The fields without which nothing can be created. The reference marks none of them as required: it stumbles later, over
# its own model or over the table, and answers 500 or 409 (or, where the body has other errors, tells of those alone).
# Ours says what is missing.
REQUIRED = {
    "/flows/": ["name"],
    "/flow_runs/": ["flow_id"],
    "/task_runs/": ["flow_run_id", "task_key", "dynamic_key"],
    "/logs/": ["name", "level", "message", "timestamp", "flow_run_id"],
    "/concurrency_limits/": ["tag", "concurrency_limit"],
    "/work_queues/": ["name"],
    "/deployments/": ["name", "flow_id"],
    "/flow_run_notification_policies/": ["block_document_id"],
    "/saved_searches/": ["name"],
    "/experimental/work_pools/": ["name"],
    "/block_types/": ["name", "slug"],
    "/block_documents/": ["block_schema_id", "block_type_id"],
}


def parsed(content):
    try:
        return json.loads((content or "").lstrip("\ufeff"))
    except ValueError:
        return None


def as_object(body):
    """The object that pydantic makes of a body: of all that Python's dict() takes, as an empty text or a list of
    pairs."""
    try:
        return dict(body)
    except (TypeError, ValueError):
        return None


def missing_fields(case):
    """What the body of a POST or PUT lacks, as error details."""
    body, path, found = parsed(case["content"]), case["path"], []
    if case["method"] not in ("POST", "PUT") or body is None:
        return found
    parts = [(["body"], as_object(body), ["name"] if path.endswith("/queues") else REQUIRED.get(path, []))]
    if path == "/logs/" and isinstance(body, list):
        parts = [(["body", place], as_object(line), REQUIRED[path]) for place, line in enumerate(body)]
    if path in ("/flow_runs/", "/task_runs/") or path.endswith(("/set_state", "/create_flow_run")):
        parts.append((["body", "state"], as_object((as_object(body) or {}).get("state")), ["type"]))
    for location, fields, names in parts:
        found += [{"loc": [*location, name], **MISSING} for name in names if fields is not None and name not in fields]
    return found


# What a single test expects of each server.
BY_SERVER = {
    # The same instant, in UTC at once: the reference answers from memory what it will never answer again.
    "zone of the times of a run just made": {"reference": lambda given, utc: given, "orion": lambda given, utc: utc},
    # A task with two limited tags keeps the free slot while it waits for the full one, and then waits for itself for
    # ever.
    "slot of a waiting task": {"reference": lambda task: [[], [task]], "orion": lambda task: [[]]},
    # The artifact of a state's data holds the run fast (a 409 that users call a bug); ours deletes what belongs to the
    # run.
    "deleting a run with data": {"reference": 409, "orion": 204},
    "logs of a deleted run": {"reference": 1, "orion": 0},
    # The reference's answer has a place for inputs that are task runs only, and fails on others.
    "graph with constant inputs": {"reference": 500, "orion": 200},
    # The reference reads the data it just wrote from where it is not loaded. (The task run is there all the same, the
    # flow run is not.)
    "a run created with data": {"reference": 500, "orion": 201},
    # Each change of a deployment drops all of its planned runs, those that are due and wait for an agent too; ours
    # drops those planned ahead, and only if what they are made from has changed.
    "due runs of a changed deployment": {"reference": 0, "orion": 2},
    "runs planned ahead, and nothing they are made from changed": {"reference": 0, "orion": 3},
    # An interval without anchor begins anew each time it is applied; ours keeps the anchor it has.
    "anchor of an interval that is applied again": {"reference": "new", "orion": "kept"},
    # What the reference's body takes and its own model of a deployment does not.
    "null in a new deployment": {"reference": 500, "orion": 422},
    "a deployment without name or flow": {"reference": 500, "orion": 422},
    # An update of what is not there makes the queue that it names all the same; ours leaves nothing behind.
    "queues of a refused update": {"reference": 1, "orion": 0},
    "update to an unknown pool": {"reference": 500, "orion": 404},
    "update of a deployment by no uuid": {"reference": 500, "orion": 422},
    # Fields that do not define the blocks which they say they nest: the client's mistake, not the server's.
    "a nested block that is not defined": {"reference": 500, "orion": 422},
    # The same for a reference to no document, in a new document; and for documents that would contain each other, which
    # the reference stores, and never ends to read.
    "a reference without a document": {"reference": 500, "orion": 400},
    # A schema that is not there.
    "moving to no schema": {"reference": 500, "orion": 409},
    # A deployment makes the queue that it names.
    "a queue of an impossible name": {"reference": 500, "orion": 422},
    # The name of a queue or pool is missing; that the table needs it is found out late.
    "a work queue without a name": {"reference": 409, "orion": 422},
    "a work pool without a name": {"reference": 500, "orion": 422},
    # An agent's record, of no use to anybody, holds the queue that it polled for ever.
    "deleting a polled queue": {"reference": 409, "orion": 204},
    # "Can't delete a pool's default queue." reaches the log alone.
    "deleting a default queue": {"reference": 500, "orion": 409},
    # Variables without properties, a job configuration that is no object: the reference trips over them.
    "a template of another form": {"reference": 500, "orion": 422},
    # What JSONB keeps in an order of its own, the reference answers once in the client's: right after it was stored.
    "keys keep their order in the answer to their storing, on PostgreSQL": {"reference": True, "orion": False},
    # On PostgreSQL the reference finds nothing in what a filter does not name; ours judges as on SQLite.
    "queues without all of a filter fit, on PostgreSQL": {"reference": False, "orion": True},
    # PostgreSQL stores no U+0000 in a text, and knows no limit below zero; the reference finds that out late.
    "a text with U+0000 on PostgreSQL": {"reference": 500, "orion": 422},
    "a limit below zero on PostgreSQL": {"reference": 500, "orion": 422},
    # The chart of runs has no place for a run without a state; the reference fails on the whole answer.
    "a chart with a run that has no state": {"reference": 500, "orion": 200},
}


def expected(name, kind):
    return BY_SERVER[name][kind]


def refused(content, *details):
    body = {"exception_message": "Invalid request received.", "exception_detail": list(details),
            "request_body": json.loads(content)}
    return 422, json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def not_finite(content):
    """A 422 that says where the body is not JSON."""
    at = re.search("NaN|-?Infinity|1E400", content).start()
    context = {"msg": "Not a finite number", "doc": content, "pos": at, "lineno": 1, "colno": at + 1}
    detail = {"loc": ["body", at], "msg": f"Not a finite number: line 1 column {at + 1} (char {at})",
              "type": "value_error.jsondecode", "ctx": context}
    body = {"exception_message": "Invalid request received.", "exception_detail": [detail], "request_body": content}
    return 422, json.dumps(body, ensure_ascii=False, separators=(",", ":"))


SET_STATE = f"/flow_runs/{NOBODY}/set_state"
RUNNING = '{"state": {"type": "RUNNING"}}'
NO_RUN = (404, json.dumps({"exception_message": f"Flow run with id {NOBODY} not found"}, separators=(",", ":")))
NO_RUN_TO_RESUME = (404, '{"detail":"Flow run not found"}')
POLICY = json.dumps({"flow_id": NOBODY, "empirical_policy": {"retries": True, "retry_delay": 1e300}})
MIDNIGHT = json.dumps({"flow_run_id": NOBODY, "task_key": "t", "dynamic_key": "0", "cache_expiration": "24:00"})
A_DAY = json.dumps({"state": {"type": "PAUSED", "state_details": {"scheduled_time": "P1D"}}})

NUMBERS = ('{"nope": [1.10, 1e2, 1E400, -0.0, 0.1, 123456789012345678901234567890, 1e-7, 1.0, 100000000000000000000.5,'
           ' 1e16, 1e22, 5e-324]}')

# One answer of ours in place of the reference's, by method, path, content and version header: (status, body).
ANSWERS = {
    # Probes ask by HEAD; the reference knows GET alone.
    ("HEAD", "/health", None, None): (200, ""),
    # Versions that Python's int() reads but its packaging module does not: the reference answers 500.
    ("POST", SET_STATE, RUNNING, "+0.8.4"): NO_RUN,
    ("POST", SET_STATE, RUNNING, "0. 8.4"): NO_RUN,
    ("POST", SET_STATE, RUNNING, "0_0.8.4"): NO_RUN,
    # A run that is not there: 404 in place of the reference's 500.
    ("POST", f"/flow_runs/{NOBODY}/resume", None, None): NO_RUN_TO_RESUME,
    ("POST", f"/flow_runs/{NOBODY}/resume", "{}", None): NO_RUN_TO_RESUME,
    # An integer that no column holds is refused; the reference takes it and fails on storing it.
    ("POST", "/flow_runs/", POLICY, None): refused(
        POLICY, {"loc": ["body", "empirical_policy", "retry_delay"], "msg": "value is not a valid integer",
                 "type": "type_error.integer"}),
    # The same refusal; the reference lets the words of Python's datetime through.
    ("POST", "/task_runs/", MIDNIGHT, None): refused(
        MIDNIGHT,
        {"loc": ["body", "cache_expiration"], "msg": "Unable to parse string [24:00]", "type": "value_error.parser"}),
    # A duration is no time: refused in place of a 500.
    ("POST", SET_STATE, A_DAY, None): refused(
        A_DAY, {"loc": ["body", "state", "state_details", "scheduled_time"], "msg": "Unable to parse string [P1D]",
                "type": "value_error.parser"}),
    # NaN and the infinities are no JSON, nor is a float beyond the doubles: refused as malformed. The reference takes
    # them and echoes what no other client can read.
    **{("POST", "/flows/", content, None): not_finite(content)
       for content in (NUMBERS, '{"nope": NaN}', '{"nope": Infinity}', '{"nope": -Infinity}')},
}


def expected_answer(kind, case, actual):
    """The answer that the server of this kind must give; for a 422 of ours, with what is missing beside the reference's
    errors."""
    expected = case["answer"]
    if kind == "reference":
        return expected
    listed = ANSWERS.get((case["method"], case["path"], case["content"], case["headers"].get("x-prefect-api-version")))
    if listed:
        headers = {name: value for name, value in expected["headers"].items() if name != "allow"}
        return {**expected, "status": listed[0], "headers": headers, "body": listed[1]}
    missing = missing_fields(case)
    if not missing or case["path"].endswith("/block_schemas/"):
        return expected
    if expected["status"] in (409, 500):
        body = {"exception_message": "Invalid request received.", "exception_detail": missing,
                "request_body": parsed(case["content"])}
        return {**expected, "status": 422, "body": json.dumps(body, ensure_ascii=False, separators=(",", ":"))}
    if expected["status"] == 422 and actual["status"] == 422 and "exception_detail" in expected["body"]:
        return {**expected, "body": with_missing(expected["body"], actual["body"], missing)}
    return expected


def with_missing(expected, actual, missing):
    """The reference's 422 with the missing fields put where ours has them."""
    body = json.loads(expected)
    known = list(body["exception_detail"])
    body["exception_detail"] = [detail if detail in missing else known.pop(0)
                                for detail in json.loads(actual)["exception_detail"] if detail in missing or known]
    body["exception_detail"] += known
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
