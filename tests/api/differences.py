"""Where our server is meant to answer otherwise than the reference, and why. Nothing else may differ."""
import json

MISSING = {"msg": "field required", "type": "value_error.missing"}

# The fields without which nothing can be created. The reference marks none of them as required: it stumbles later, over its own model
# or over the table, and answers 500 or 409 (or, where the body has other errors, tells of those alone). Ours says what is missing.
REQUIRED = {
    "/flows/": ["name"],
    "/flow_runs/": ["flow_id"],
    "/task_runs/": ["flow_run_id", "task_key", "dynamic_key"],
    "/logs/": ["name", "level", "message", "timestamp", "flow_run_id"],
    "/concurrency_limits/": ["tag", "concurrency_limit"],
    "/block_types/": ["name", "slug"],
    "/block_documents/": ["block_schema_id", "block_type_id"],
}


def parsed(content):
    try:
        return json.loads((content or "").lstrip("\ufeff"))
    except ValueError:
        return None


def as_object(body):
    """pydantic takes an empty list for an empty object."""
    return {} if body == [] else body if isinstance(body, dict) else None


def missing_fields(case):
    """What the body of a POST lacks, as error details."""
    body, path, found = parsed(case["content"]), case["path"], []
    if case["method"] != "POST" or body is None:
        return found
    parts = [(["body"], as_object(body), REQUIRED.get(path, []))]
    if path == "/logs/" and isinstance(body, list):
        parts = [(["body", place], as_object(line), REQUIRED[path]) for place, line in enumerate(body)]
    if path in ("/flow_runs/", "/task_runs/") or path.endswith("/set_state"):
        parts.append((["body", "state"], as_object((as_object(body) or {}).get("state")), ["type"]))
    for location, fields, names in parts:
        found += [{"loc": [*location, name], **MISSING} for name in names if fields is not None and name not in fields]
    return found


# One answer of ours in place of the reference's: (method, path, content) to (status, body), each with its reason.
ANSWERS = {}


def expected_answer(kind, case, actual):
    """The answer that the server of this kind must give; for a 422 of ours, with what is missing beside the reference's errors."""
    expected = case["answer"]
    if kind == "reference":
        return expected
    listed = ANSWERS.get((case["method"], case["path"], case["content"]))
    if listed:
        return {**expected, "status": listed[0], "body": listed[1]}
    missing = missing_fields(case)
    if not missing or case["path"].endswith("/block_schemas/"):
        return expected
    if expected["status"] in (409, 500):
        body = {"exception_message": "Invalid request received.", "exception_detail": missing, "request_body": parsed(case["content"])}
        return {**expected, "status": 422, "body": json.dumps(body, ensure_ascii=False, separators=(",", ":"))}
    if expected["status"] == 422 and actual["status"] == 422 and "exception_detail" in expected["body"]:
        return {**expected, "body": with_missing(expected["body"], actual["body"], missing)}
    return expected


def with_missing(expected, actual, missing):
    """The reference's 422 with the missing fields put where ours has them."""
    body = json.loads(expected)
    known = list(body["exception_detail"])
    body["exception_detail"] = [detail if detail in missing else known.pop(0) for detail in json.loads(actual)["exception_detail"] if detail in missing or known]
    body["exception_detail"] += known
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
