"""Values at the edges of their range, wherever they are stored: what was taken comes back as it was sent, and what
cannot is refused."""
import json

import pytest

from tests.lib.api_client import NOBODY, unique

NUMBERS = ["0", "-0.0", "0.1", "1.10", "1e5", "1e22", "1e-7", "5e-324", "1.7976931348623157e308", "9007199254740993",
           "-9223372036854775808", "9223372036854775807", "9223372036854775808", "18446744073709551616",
           "1" + "0" * 300, "1e16", "1.0", "100000000000000000000.0", "1e400", "-1e400"]
TEXTS = ['""', '"\\u0000"', '"a\\u0000b"', '"\\ud83d\\ude00"', '"\\uffff"', '"\\u2028"', '"\\u007f"', '"\\u001f\\t\\n"',
         '"/\\/\\\\"', '"\\ufeff"', '"e\\u0301"', '"é"', json.dumps("x" * 70000)]
SHAPES = ['{"":1}', '{"a":1,"a":2}', '{"a b":{}}', '{"\\u0000":1}', "[]", "{}", "null", "true", "[[[]]]", "[null]",
          "[" * 100 + "]" * 100]
TIMES = ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999999+00:00", "1969-12-31T23:59:59.999999+00:00",
         "2026-02-28T23:59:59.000001+00:00", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
         "2026-11-29T00:00:00.1234567Z"]


def run_with(key):
    return lambda api, value: ("/flow_runs/", {"flow_id": api.flow()["id"], key: value}, "/flow_runs/{id}",
                               lambda row: row[key])


def deployment_with(key):
    return lambda api, value: ("/deployments/", {"name": unique("d"), "flow_id": api.flow()["id"], key: value},
                               "/deployments/{id}", lambda row: row[key])


def document_with(api, value):
    schema = api.kinds["schema"]
    return ("/block_documents/", {"name": unique("doc"), "data": {"k": value}, "block_schema_id": schema["id"],
                                  "block_type_id": schema["block_type_id"]},
            "/block_documents/{id}", lambda row: row["data"]["k"])


def schema_with(api, value):
    fields = {"title": unique("Type"), "type": "object", "properties": {}, "k": value}
    return ("/block_schemas/", {"fields": fields, "block_type_id": api.kinds["type"]["id"]}, "/block_schemas/{id}",
            lambda row: row["fields"]["k"])


def state_with(api, value):
    run = api.flow_run()
    return (f"/flow_runs/{run['id']}/set_state", {"state": {"type": "RUNNING", "message": value}},
            f"/flow_runs/{run['id']}", lambda row: row["state"]["message"])


def log_with(api, value):
    run = api.flow_run()
    log = {"name": "l", "level": 20, "message": value, "timestamp": "2026-01-01T00:00:00Z", "flow_run_id": run["id"]}
    return ("/logs/", [log], ("/logs/filter", {"logs": {"flow_run_id": {"any_": [run["id"]]}}}),
            lambda rows: rows[0]["message"])


def log_at(api, value):
    run = api.flow_run()
    log = {"name": "l", "level": 20, "message": "m", "timestamp": value, "flow_run_id": run["id"]}
    return ("/logs/", [log], ("/logs/filter", {"logs": {"flow_run_id": {"any_": [run["id"]]}}}),
            lambda rows: rows[0]["timestamp"])


def run_at(api, value):
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": value}}
    return ("/flow_runs/", {"flow_id": api.flow()["id"], "state": state}, "/flow_runs/{id}",
            lambda row: row["expected_start_time"])


JSON_PLACES = {"parameters": run_with("parameters"), "context": run_with("context"),
               "deployment": deployment_with("parameters"), "overrides": deployment_with("infra_overrides"),
               "openapi": deployment_with("parameter_openapi_schema"), "document": document_with, "schema": schema_with}
# the value is a member of the column's object
WRAPPED = {"parameters", "context", "deployment", "overrides", "openapi"}
TEXT_PLACES = {"state": state_with, "log": log_with, "description": deployment_with("description"),
               "version": deployment_with("version"), "run name": run_with("name")}
TIME_PLACES = {"log": log_at, "scheduled": run_at}
MARK = "«value»"


@pytest.fixture(scope="module", autouse=True)
def kinds(api):
    block_type = api.made("/block_types/", {"name": unique("Type"), "slug": unique("type")})
    schema = api.made("/block_schemas/",
                      {"fields": {"title": "T", "type": "object", "properties": {}}, "block_type_id": block_type["id"]})
    api.kinds = {"type": block_type, "schema": schema}


def outcome(api, place, text, wrapped=False):
    """The value that came back in JSON, or the status of the refusal. The text is sent as it stands: Python's json
    would write another."""
    path, body, where, pick = place(api, {"k": MARK} if wrapped else MARK)
    content = json.dumps(body).replace(json.dumps(MARK), text)
    try:
        answer = api.send("POST", path, content=content, headers={"content-type": "application/json"})
    except Exception:  # the reference drops the connection after some of its failures
        return 500
    if answer.status_code >= 300:
        return answer.status_code
    if isinstance(where, tuple):
        read = api.post(*where)
    else:
        read = api.get(where.replace("{id}", answer.json()["id"] if "{id}" in where else NOBODY))
    if read.status_code != 200:
        return read.status_code
    value = pick(read.json())
    return json.dumps(value["k"] if wrapped else value)


def same(one, two, engine):
    """PostgreSQL's jsonb keeps numbers by their value: -0.0 is 0.0, and 1e22 an integer."""
    one, two = json.loads(one), json.loads(two)
    if engine == "postgresql":
        return one == two or (isinstance(two, float) and float(one) == two)
    return json.dumps(one) == json.dumps(two)


def has_zero(text):
    return "\\u0000" in text


@pytest.mark.parametrize("place", JSON_PLACES)
def test_json_comes_back(api, place):
    for text in NUMBERS + TEXTS + SHAPES:
        found = outcome(api, JSON_PLACES[place], text, place in WRAPPED)
        if api.kind == "reference":  # what it does not fail on, or make null of
            assert found in (500, "null") or same(found, json.dumps(json.loads(text)), api.engine), (text[:60], found)
        elif "e400" in text or (has_zero(text) and api.engine == "postgresql" and place != "document"):
            assert found == 422, (text, found)
        else:
            assert not isinstance(found, int) \
                and same(found, json.dumps(json.loads(text)), api.engine), (text[:60], found)


@pytest.mark.parametrize("place", TEXT_PLACES)
def test_texts_come_back(api, place):
    for text in TEXTS:
        found = outcome(api, TEXT_PLACES[place], text)
        if api.kind == "reference":
            assert found in (500, "null") or place == "run name" \
                or found == json.dumps(json.loads(text)), (text[:60], found)
        elif has_zero(text) and api.engine == "postgresql":
            assert found == 422, (text, found)
        elif not (place == "run name" and text == '""'):
            assert found == json.dumps(json.loads(text)), (text[:60], found)


@pytest.mark.parametrize("place", TIME_PLACES)
def test_times_come_back(api, place):
    for time in TIMES:
        found = outcome(api, TIME_PLACES[place], json.dumps(time))
        if time.startswith(("0001", "9999")) and not time.endswith("+00:00"):  # in no year from 1 to 9999 in UTC
            assert found == 422 or api.kind == "reference", (time, found)
        elif api.kind == "orion":
            want = "2026-11-29T00:00:00.123456+00:00" if time.endswith("7Z") else time
            assert found == json.dumps(want), (time, found)
