"""Requests whose answer depends on nothing but the request: what is refused, how, and in which words.

`record.py` writes what the reference answers into answers.jsonl; test_answers.py asks both servers the same."""
import json

from tests.lib.api_client import NOBODY

JSON = {"content-type": "application/json"}
CASES = []


def case(method, path, body=None, raw=None, headers=None):
    content = raw if raw is not None else None if body is None else json.dumps(body)
    chosen = dict(JSON if headers is None and content is not None else headers or {})
    CASES.append({"method": method, "path": path, "headers": chosen, "content": content})


def each(method, path, *bodies):
    for body in bodies:
        case(method, path, body)


def raws(method, path, *texts, headers=None):
    for text in texts:
        case(method, path, raw=text, headers=headers)


FILTERED = ["flows", "flow_runs", "task_runs"]

# Paths, methods and slashes.
for path in ["/nope", "/", "", "/flows/name", "/flow_runs/x/y/z", "/healthz", "/admin", "/admin/database",
             "/flow_runs/history/x", "/flow_run_states"]:
    case("GET", path)
for path in ["/flows", "/flow_runs", "/task_runs", "/logs", "/concurrency_limits", "/flow_runs/filter/",
             "/flows/count/", "/block_schemas", "/block_documents"]:
    case("POST", path, {})
for path in ["/health/", "/hello/", "/admin/version/", f"/flows/{NOBODY}/",
             f"/flow_runs/{NOBODY}/graph/", "/flows/name/x/", f"/flow_run_states?flow_run_id={NOBODY}",
             f"/task_run_states?task_run_id={NOBODY}&x=%20y", f"/flow_runs/{NOBODY}/?a=b&c"]:
    case("GET", path)
for method, path in [
        ("PUT", "/flows/"), ("DELETE", "/flows/"), ("GET", "/flows/"), ("GET", "/flows/filter"),
        ("PATCH", "/flows/"), ("DELETE", "/health"), ("POST", "/health"), ("HEAD", "/health"), ("HEAD", "/hello"),
        ("HEAD", f"/flows/{NOBODY}"), ("OPTIONS", "/health"), ("OPTIONS", "/flows/"), ("POST", "/admin/version"),
        ("GET", "/admin/database/clear"), ("PUT", f"/flow_runs/{NOBODY}"), ("POST", f"/flow_runs/{NOBODY}"),
        ("GET", f"/flow_runs/{NOBODY}/set_state"), ("DELETE", f"/flow_runs/{NOBODY}/resume"), ("GET", "/logs/"),
        ("GET", "/logs/filter"), ("PATCH", "/logs/"), ("PUT", f"/task_runs/{NOBODY}"), ("GET", "/task_runs/"),
        ("POST", "/flow_run_states/"), ("DELETE", "/task_run_states/"), ("PATCH", f"/concurrency_limits/{NOBODY}"),
        ("GET", "/concurrency_limits/"), ("POST", "/hello"), ("TRACE", "/flows/"), ("PROPFIND", "/flows/"),
        ("PUT", f"/block_schemas/{NOBODY}"), ("GET", "/block_schemas/"), ("PUT", f"/block_documents/{NOBODY}")]:
    case(method, path)
case("GET", "//health")
case("GET", "/%68ealth")
case("GET", "/health?x=1&y")
case("GET", "/flows/name/a%2Fb")
case("GET", "/flows/name/no%20such%20flow%20%C3%A9")
case("GET", "/flows/name/%FF")

# Identifiers.
for path in ["/flows/", "/flow_runs/", "/task_runs/", "/flow_run_states/", "/task_run_states/", "/concurrency_limits/",
             "/block_types/", "/block_schemas/", "/block_documents/"]:
    case("GET", path + NOBODY)
    case("GET", path + "not-a-uuid")
for identifier in [NOBODY.replace("-", ""), NOBODY.upper(), "{" + NOBODY + "}", "urn:uuid:" + NOBODY, NOBODY[:-1],
                   NOBODY + "0", "0" * 32, "00000000-0000-0000-0000-000000000000", "%20" + NOBODY, "123", "g" * 32,
                   "0-0-0", "-" + "0" * 32 + "-", "%C3%A9"]:
    case("GET", f"/flows/{identifier}")
for path in ["flows", "flow_runs", "task_runs", "concurrency_limits"]:
    case("DELETE", f"/{path}/{NOBODY}")
    case("DELETE", f"/{path}/5")
case("DELETE", "/concurrency_limits/tag/none")
case("GET", "/concurrency_limits/tag/none")
case("GET", "/block_types/slug/none")
case("GET", "/block_schemas/checksum/sha256:none")
case("GET", "/block_schemas/checksum/sha256:none?version=1")
case("GET", f"/block_documents/{NOBODY}?include_secrets=maybe")
for word in ["true", "1", "on", "yes", "y", "t", "TRUE", "off", "0", "", "2", "tRuE"]:
    case("GET", f"/block_documents/{NOBODY}?include_secrets={word}")
case("GET", "/flow_run_states/")
case("GET", "/task_run_states/")
case("GET", "/flow_run_states/?flow_run_id=5")
case("GET", "/task_run_states/?task_run_id=")
case("GET", f"/flow_run_states/?flow_run_id={NOBODY}")
case("GET", f"/task_run_states/?task_run_id={NOBODY}&task_run_id=5")
case("GET", f"/task_run_states/?task_run_id=5&task_run_id={NOBODY}")
case("GET", f"/flow_runs/{NOBODY}/graph")
case("GET", "/flow_runs/5/graph")

# The version header.
for version in ["", "0.8.4", "0.8.0", "0.7.9", "0.9.0", "1.0.0", "0.8", "0.8.4.1", "x", "0.8.x", "0.08.4", "+0.8.4",
                "-1.8.4", "0. 8.4", "0.8.4rc1", "0_0.8.4", "00.8.4", "é", "0.8.99999999999999999999"]:
    for path in ["/hello", "/health", f"/flows/{NOBODY}"]:
        case("GET", path, headers={"x-prefect-api-version": version})
    case("POST", f"/flow_runs/{NOBODY}/set_state", raw='{"state": {"type": "RUNNING"}}',
         headers={**JSON, "x-prefect-api-version": version})
case("POST", "/flows/", raw="{}", headers={**JSON, "x-prefect-api-version": "0.1.0"})
case("GET", "/flows/5", headers={"x-prefect-api-version": "0.1.0"})
case("GET", "/nope", headers={"x-prefect-api-version": "0.1.0"})
case("PUT", "/flows/", headers={"x-prefect-api-version": "0.1.0"})

# CORS.
ORIGIN = {"origin": "http://elsewhere.example"}
case("GET", "/health", headers=ORIGIN)
case("GET", "/nope", headers=ORIGIN)
case("GET", "/health/", headers=ORIGIN)
case("POST", "/flows/", raw="{}", headers={**JSON, **ORIGIN})
case("GET", "/health", headers={**ORIGIN, "cookie": "a=b"})
for method in ["GET", "POST", "PATCH", "DELETE", "PUT", "TRACE", "BREW", ""]:
    case("OPTIONS", "/flows/", headers={**ORIGIN, "access-control-request-method": method})
case("OPTIONS", "/nope", headers={**ORIGIN, "access-control-request-method": "POST",
                                  "access-control-request-headers": "X-Prefect-Api-Version, content-type"})
case("OPTIONS", "/flows/", headers=ORIGIN)
case("OPTIONS", "/flows/", headers={"access-control-request-method": "POST"})

# Bodies that are not what the route reads.
BROKEN = ["", " ", "{", "}", "nul", "null", "5", "1.5", "true", '"text"', "[]", "[1,2]", "{}", '{"name": }',
          "{'name': 1}", '{"name": "a",}', '{"name": "a"} x', "[1,]", '{"name" "a"}', '{"name": "a" "b": 1}', "{5: 1}",
          '{"name": "\\x"}', '{"name": "\\u12"}', '{"name": "a\nb"}', '{"name": "a', "01", "-", "1.", "1e", "\ufeff{}",
          '{"a": tru}', "[" * 20, '{"é": ', '\n\n{"a":\n  1,\n}', '{"name": "a", "name": 5, "x": 1}']
for path in ["/flows/", "/flow_runs/filter", f"/flow_runs/{NOBODY}/set_state", "/logs/", "/admin/database/clear",
             "/concurrency_limits/filter", "/logs/filter"]:
    raws("POST", path, *[text for text in BROKEN if path != "/logs/" or text not in ("[]",)])
raws("PATCH", f"/flows/{NOBODY}", *BROKEN[:12])
for kind in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8",
             "application/vnd.api+json", "application/geo+json", "APPLICATION/JSON", "application/jsonx", "json", "",
             "multipart/form-data", "text/json", "application/xml"]:
    for path, text in [("/flows/", '{"naem": "x"}'), ("/flows/filter", '{"limit": -1}'),
                       (f"/flow_runs/{NOBODY}/set_state", '{"state": {"type": "RUNNING"}}'), ("/logs/", '[{}]')]:
        case("POST", path, raw=text, headers={"content-type": kind})
case("POST", "/flows/", raw='{"naem": "x"}', headers={})
case("POST", "/flows/filter", raw='{"limit": -1}', headers={})
case("POST", f"/flow_runs/{NOBODY}/set_state", raw='{"state": {"type": "RUNNING"}}', headers={})
for path in ["/flows/", "/flow_runs/", "/task_runs/", "/logs/", "/concurrency_limits/", "/flow_runs/history",
             f"/flow_runs/{NOBODY}/set_state", f"/task_runs/{NOBODY}/set_state", f"/flow_runs/{NOBODY}/resume",
             "/admin/database/clear", "/admin/database/drop", "/admin/database/create", "/block_types/",
             "/block_schemas/", "/block_documents/"]:
    case("POST", path)
    case("POST", path, {})
for path in ["flows", "flow_runs", "task_runs", "block_types", "block_documents"]:
    case("PATCH", f"/{path}/{NOBODY}")
    each("PATCH", f"/{path}/{NOBODY}", {"nope": 1}, {"id": NOBODY, "created": None}, [])
    case("PATCH", f"/{path}/5", {})
for path in ["flow_runs", "task_runs"]:
    each("POST", f"/{path}/5/set_state", {}, {"state": {"type": "RUNNING"}})
    each("POST", f"/{path}/{NOBODY}/set_state", {"state": {"type": "RUNNING"}},
         {"state": {"type": "RUNNING"}, "force": True})
each("POST", "/flow_runs/5/resume", {})
for confirm in [False, None, "no", "maybe", 0, 2, [], "off"]:
    case("POST", "/admin/database/clear", {"confirm": confirm})
each("POST", "/admin/database/drop", {"confirm": False}, {"confirm": "x"})
each("POST", "/admin/database/create", {"confirm": False}, {"confirm": "x"})

# Flows: names, tags, fields.
each("POST", "/flows/", {"name": None}, {"name": []}, {"name": {}}, {"name": "a/b"}, {"name": "a%b"}, {"name": "a&b"},
     {"name": "a>b"}, {"name": "a<b"}, {"name": "x", "tags": None}, {"name": "x", "tags": "a"},
     {"name": "x", "tags": [None]}, {"name": "x", "tags": [[]]}, {"name": "x", "tags": {"a": 1}},
     {"name": "x", "tags": [{}, "b", None]}, {"name": "x", "id": NOBODY}, {"name": "x", "created": "2020-01-01"},
     {"name": "x", "zz": 1, "aa": 2}, {"tags": 5, "nope": 1}, {"name": "a/b", "tags": 5, "nope": 1},
     {"name": "é/\u2028\ud83d\ude00"}, {"": 1}, {"Name": "x"})
each("PATCH", f"/flows/{NOBODY}", {}, {"tags": ["a"]}, {"tags": None}, {"tags": 5}, {"name": "x"})

# Flow runs.
FLOW = {"flow_id": NOBODY}
each("POST", "/flow_runs/", {"flow_id": None}, {"flow_id": 5}, {"flow_id": "x"}, {"flow_id": []}, {"flow_id": {}},
     {"flow_id": True}, {"flow_id": 1.5}, {"flow_id": "x", "name": []})
for name, values in {
    "name": [None, [], {}, True, "a/b"],
    "deployment_id": ["x", 5, []],
    "flow_version": [[], True],
    "parameters": [None, [], "a", 5, [["a", 1]], [[1]], "ab"],
    "context": [None, [], 5],
    "parent_task_run_id": ["x", 5],
    "infrastructure_document_id": ["x", []],
    "tags": [None, "a", 5, [None]],
    "idempotency_key": [[], {}, True],
    "empirical_policy": [None, 5, [], {"nope": 1}, {"retries": "x"}, {"retries": 1.5}, {"retries": []},
                         {"retry_delay": "x"}, {"max_retries": None}, {"max_retries": "x"},
                         {"retry_delay_seconds": None}, {"retry_delay_seconds": "x"}, {"pause_keys": "x"},
                         {"pause_keys": 5}, {"pause_keys": [[]]}, {"resuming": "x"}, {"resuming": 5},
                         {"retry_delay": [1]}, {"retries": True, "retry_delay": 1e300}],
    "state": [5, [], "RUNNING", {}, {"type": None}, {"type": 5}, {"type": "running"}, {"type": "NOPE"},
              {"type": []}, {"type": "RUNNING", "name": []}, {"type": "RUNNING", "message": {}},
              {"type": "RUNNING", "state_details": 5}, {"type": "RUNNING", "state_details": None},
              {"type": "RUNNING", "state_details": {"flow_run_id": "x"}}, {"type": "RUNNING", "timestamp": "x"},
              {"type": "RUNNING", "id": "x"},
              {"type": "RUNNING", "nope": 1}, {"name": "x", "nope": 1, "state_details": []}],
    "id": [NOBODY], "auto_scheduled": [True], "run_count": [5], "created_by": [{}], "work_queue_name": ["x"],
    "state_type": ["RUNNING"],
}.items():
    each("POST", "/flow_runs/", *[{**FLOW, name: value} for value in values])
each("POST", "/flow_runs/", FLOW, {**FLOW, "idempotency_key": "x"})
each("PATCH", f"/flow_runs/{NOBODY}", {}, {"name": "x"}, {"name": None}, {"name": []}, {"name": "a/b"},
     {"flow_version": 5}, {"parameters": None}, {"parameters": []}, {"tags": None}, {"tags": "x"},
     {"empirical_policy": None}, {"empirical_policy": {"retries": "x"}}, {"infrastructure_pid": []},
     {"infrastructure_pid": 5}, {"state": {}}, {"flow_id": NOBODY})

# Task runs.
TASK = {"flow_run_id": NOBODY, "task_key": "t", "dynamic_key": "0"}
each("POST", "/task_runs/", {"flow_run_id": NOBODY}, {"task_key": "x"},
     {"flow_run_id": "x", "task_key": [], "dynamic_key": {}},
     {"flow_run_id": None, "task_key": None, "dynamic_key": None})
for name, values in {
    "name": [None, [], "a/b", "a%b"],
    "cache_key": [[], {}, "x" * 2001],
    "cache_expiration": ["x", "", [], True, "2020-13-01", "24:00"],
    "task_version": [[]],
    "tags": [None, "x", [[]]],
    "task_inputs": [None, [], 5, {"a": None}, {"a": 5}, {"a": [5]}, {"a": [{}]}, {"a": [{"input_type": "nope"}]},
                    {"a": [{"input_type": "task_run"}]}, {"a": [{"input_type": "task_run", "id": "x"}]},
                    {"a": [{"input_type": "parameter"}]}, {"a": [{"input_type": "parameter", "name": []}]},
                    {"a": [{"input_type": "constant"}]}, {"a": [{"input_type": "constant", "type": []}]},
                    {"a": [{"id": "x", "name": [], "type": []}]}, {"a": [None]}],
    "empirical_policy": [None, 5, {"nope": 1}, {"retries": "x"}, {"retry_delay": "x"}, {"retry_delay": ["x"]},
                         {"retry_delay": [1, "x", 2.5]}, {"retry_delay": {}}, {"retry_delay": []},
                         {"retry_delay": list(range(51))}, {"retry_jitter_factor": -1}, {"retry_jitter_factor": "x"},
                         {"retry_delay": True}, {"retry_delay": list(range(51)), "retry_jitter_factor": -0.5},
                         {"max_retries": "x", "retry_delay_seconds": "y"}],
    "state": [5, {}, {"type": "NOPE"}, {"type": "RUNNING", "nope": 1}],
    "id": [NOBODY], "flow_run_run_count": [1],
}.items():
    each("POST", "/task_runs/", *[{**TASK, name: value} for value in values])
case("POST", "/task_runs/", TASK)
each("PATCH", f"/task_runs/{NOBODY}", {}, {"name": "x"}, {"name": None}, {"name": []}, {"name": "a/b"}, {"tags": []})

# States.
for path in ["flow_runs", "task_runs"]:
    each("POST", f"/{path}/{NOBODY}/set_state", {"state": None}, {"state": 5}, {"state": []}, {"state": {}},
         {"state": "RUNNING"}, {"state": {"type": "NOPE"}}, {"state": {"type": None}}, {"state": {"type": ""}},
         {"state": {"type": 5}},
         {"state": {"type": "RUNNING"}, "force": None}, {"state": {"type": "RUNNING"}, "force": "maybe"},
         {"state": {"type": "RUNNING"}, "force": 2}, {"state": {"type": "RUNNING"}, "force": []},
         {"state": {"type": "RUNNING"}, "force": 1.5}, {"state": {}, "force": "x"}, {"type": "RUNNING"},
         {"state": {"type": "RUNNING", "name": [], "message": [], "nope": 1, "id": 5, "timestamp": "x",
                    "state_details": {"flow_run_id": 5}}})
for name, values in {
    "flow_run_id": [5, "x", [], True], "task_run_id": ["x"], "child_flow_run_id": ["x"],
    "scheduled_time": ["x", [], {}, "2020-02-30", "tomorrow", "now x", True, "P1D"], "cache_key": [[], {}, True],
    "cache_expiration": ["x"], "untrackable_result": ["x", None, 5, []], "pause_timeout": ["x"],
    "pause_reschedule": ["x", None], "pause_key": [[], {}], "refresh_cache": ["x", 5, []],
}.items():
    each("POST", f"/flow_runs/{NOBODY}/set_state",
         *[{"state": {"type": "PAUSED", "state_details": {name: value}}} for value in values])

# Lists: limit, offset, sort, filters.
LISTS = [{}, {"limit": -1}, {"limit": 201}, {"limit": "x"}, {"limit": 1.5}, {"limit": []}, {"limit": "201"},
         {"limit": 10**30}, {"limit": "1.5"}, {"limit": " 201 "}, {"limit": "2_01"}, {"limit": 201.0}, {"limit": 200},
         {"limit": "200"}, {"limit": True}, {"limit": None}, {"offset": -1}, {"offset": None}, {"offset": "x"},
         {"offset": []}, {"offset": 1.5}, {"offset": "1"}, {"offset": True}, {"limit": "x", "offset": "y"},
         {"limit": 500, "offset": -1}, {"limit": 0}, {"nope": 5}]
SORTS = [{"sort": value} for value in ["NOPE", None, 5, [], "id_desc", "ID_DESC", "NAME_ASC", "NAME_DESC",
                                       "START_TIME_ASC", "START_TIME_DESC", "EXPECTED_START_TIME_ASC",
                                       "EXPECTED_START_TIME_DESC", "NEXT_SCHEDULED_START_TIME_ASC", "END_TIME_DESC",
                                       "CREATED_DESC", "UPDATED_DESC", "TIMESTAMP_ASC", "TIMESTAMP_DESC", ""]]
for path in ["flows", "flow_runs", "task_runs", "logs", "concurrency_limits"]:
    nobody = {} if path == "concurrency_limits" else {path: {"flow_run_id": {"any_": [NOBODY]}}} if path == "logs" \
        else {path: {"id": {"any_": [NOBODY]}}}
    each("POST", f"/{path}/filter", *[{**nobody, **body} for body in LISTS])
    if path != "concurrency_limits":
        each("POST", f"/{path}/filter", *[{**nobody, **body} for body in SORTS],
             {path: 5, "sort": "x", "limit": "x", "offset": "x"})
for path in FILTERED:
    for route in ["filter", "count"]:
        for entity in ["flows", "flow_runs", "task_runs", "deployments"]:
            each("POST", f"/{path}/{route}", {entity: 5}, {entity: []}, {entity: "x"}, {entity: {"nope": {}}},
                 {entity: {"id": 5}}, {entity: {"id": {"any_": 5}}}, {entity: {"id": {"any_": ["x"]}}},
                 {entity: {"id": {"nope_": []}}}, {entity: {"operator": "nope"}}, {entity: {"operator": None}})
    for entity in ["work_pools", "work_pool_queues"]:
        each("POST", f"/{path}/count", {entity: 5}, {entity: {"nope": 1}}, {entity: {"id": {"any_": ["x"]}}})
BAD_FILTERS = {
    "flows": {"name": [{"any_": [None]}, {"like_": []}, {"any_": "x"}],
              "tags": [{"all_": "x"}, {"is_null_": "x"}, {"is_null_": 5}, {"operator": 5}, {"all_": [[]]}]},
    "flow_runs": {
        "id": [{"not_any_": ["x"]}, {"any_": [NOBODY, "x", 5]}], "name": [{"any_": [[]]}, {"like_": {}}],
        "tags": [{"all_": 5}], "deployment_id": [{"any_": ["x"]}, {"is_null_": "x"}, {"operator": "x"}],
        "work_queue_name": [{"any_": [[]]}, {"is_null_": []}],
        "state": [{"type": 5}, {"type": {"any_": ["NOPE"]}}, {"type": {"any_": "RUNNING"}},
                  {"name": {"any_": [[]]}}, {"nope": 1}, {"operator": "x"}], "flow_version": [{"any_": [[]]}],
        "start_time": [{"before_": "x"}, {"after_": []}, {"is_null_": "x"}, {"operator": "and_"}],
        "expected_start_time": [{"before_": "x"}, {"is_null_": True}], "next_scheduled_start_time": [{"after_": "x"}],
        "parent_task_run_id": [{"any_": ["x"]}, {"is_null_": 5}],
    },
    "task_runs": {"name": [{"any_": 5}], "tags": [{"all_": 5}], "state": [{"type": {"any_": ["x", "RUNNING"]}}],
                  "start_time": [{"before_": "x"}], "subflow_runs": [{"exists_": "x"}, {"nope": 1}]},
    "deployments": {"name": [{"any_": 5}, {"like_": []}], "is_schedule_active": [{"eq_": "x"}, {"eq_": 5}],
                    "tags": [{"all_": 5}], "work_queue_name": [{"any_": 5}, {"is_null_": True}]},
}
for entity, fields in BAD_FILTERS.items():
    for field, values in fields.items():
        each("POST", "/flow_runs/count", *[{entity: {field: value}} for value in values])
case("POST", "/flow_runs/filter",
     {"flows": {"id": {"any_": ["x"]}, "nope": 1}, "flow_runs": 5,
      "task_runs": {"state": {"type": {"any_": ["a", "b"]}}}, "deployments": [], "sort": "x", "limit": "x"})
each("POST", "/logs/filter", {"logs": 5}, {"logs": {"nope": 1}},
     {"logs": {"level": {"ge_": "x"}}}, {"logs": {"level": {"le_": 1.5}}}, {"logs": {"timestamp": {"before_": "x"}}},
     {"logs": {"flow_run_id": {"any_": ["x"]}}}, {"logs": {"task_run_id": {"any_": 5}}}, {"logs": {"operator": "x"}})

# History.
GOOD = {"history_start": "2020-01-01", "history_end": "2020-01-02", "history_interval_seconds": 3600}
for path in ["flow_runs", "task_runs"]:
    each("POST", f"/{path}/history", {}, {**GOOD, "history_interval_seconds": 0.5},
         {**GOOD, "history_interval_seconds": 0}, {**GOOD, "history_interval_seconds": -5},
         {**GOOD, "history_interval_seconds": "x"}, {**GOOD, "history_interval_seconds": None},
         {**GOOD, "history_start": "x"}, {**GOOD, "history_end": None},
         {**GOOD, "history_start": [], "history_end": {}}, {**GOOD, "flows": 5}, {**GOOD, "history_start": True},
         {**GOOD, "history_interval_seconds": []}, {**GOOD, "history_interval_seconds": "P1X"},
         {**GOOD, "history_interval": 5, "history_interval_seconds": 0.999999})
    each("POST", f"/{path}/history",
         {"history_start": "1990-01-01", "history_end": "1990-01-01T00:00:03", "history_interval_seconds": 1},
         {"history_start": "1990-01-01T00:00:00.5", "history_end": "1990-01-01T00:00:03",
          "history_interval_seconds": "1.5"}, {"history_start": "1990-01-01T00:00:00+02:00",
                                               "history_end": "1990-01-02", "history_interval_seconds": "PT6H"},
         {"history_start": "1990-01-01", "history_end": "1990-01-03", "history_interval_seconds": "1 00:00:00"},
         {"history_start": "1990-01-03", "history_end": "1990-01-01", "history_interval_seconds": 3600},
         {"history_start": "1990-01-01", "history_end": "1990-01-01", "history_interval_seconds": 3600},
         {"history_start": 631152000, "history_end": "631152003", "history_interval_seconds": 1},
         {"history_start": "1990-01-01", "history_end": "1990-01-01T01:00:00", "history_interval_seconds": 6.123456789})

# Logs.
LOG = {"name": "n", "level": 20, "message": "m", "timestamp": "2020-01-01T00:00:00Z", "flow_run_id": NOBODY}
each("POST", "/logs/", [{}], [5], [None], {"logs": []}, [LOG, {}], [{**LOG, "nope": 1}], [{**LOG, "level": "x"}],
     [{**LOG, "level": None}], [{**LOG, "timestamp": "x"}], [{**LOG, "flow_run_id": "x"}],
     [{**LOG, "task_run_id": "x"}], [{**LOG, "name": [], "message": None}],
     [{**LOG, "level": 1.5, "flow_run_id": "x"}, 5, {}])

# Concurrency limits.
each("POST", "/concurrency_limits/", {"tag": "x"}, {"concurrency_limit": 5}, {"tag": None, "concurrency_limit": None},
     {"tag": [], "concurrency_limit": "x"}, {"tag": "x", "concurrency_limit": 1.5, "nope": 1},
     {"tag": "x", "concurrency_limit": 1, "active_slots": []})

# Blocks.
each("POST", "/block_types/", {"name": "x"}, {"slug": "x"}, {"name": "x", "slug": "A b"}, {"name": "a/b", "slug": "x"},
     {"name": "x", "slug": "x", "logo_url": "nope"}, {"name": "x", "slug": "x", "logo_url": 5},
     {"name": "x", "slug": "x", "nope": 1}, {"name": "Prefect x", "slug": "x"}, {"name": "prefectx", "slug": "x"},
     {"name": "x", "slug": "x", "documentation_url": "ftp://x"},
     {"name": "x", "slug": "x", "documentation_url": "http://"}, {"name": "x", "slug": "é"})
each("PATCH", f"/block_types/{NOBODY}", {}, {"description": "x"}, {"logo_url": "x"}, {"name": "x"},
     {"logo_url": "https://x.example/a.png"})
each("POST", "/block_schemas/", {"block_type_id": NOBODY}, {"fields": {}}, {"fields": {}, "block_type_id": NOBODY},
     {"fields": 5, "block_type_id": "x"}, {"fields": {}, "block_type_id": None, "capabilities": 5},
     {"fields": {}, "block_type_id": NOBODY, "version": None}, {"fields": {}, "block_type_id": NOBODY, "checksum": "x"})
DOCUMENT = {"block_schema_id": NOBODY, "block_type_id": NOBODY}
each("POST", "/block_documents/", DOCUMENT, {**DOCUMENT, "name": "A"},
     {**DOCUMENT, "name": "a b", "is_anonymous": True}, {**DOCUMENT, "name": "", "is_anonymous": False},
     {**DOCUMENT, "is_anonymous": "x"}, {"name": "a"}, {**DOCUMENT, "data": 5, "name": "a"},
     {**DOCUMENT, "name": "a", "nope": 1}, {**DOCUMENT, "name": "é"}, {**DOCUMENT, "name": 5, "block_schema_id": "x"})
each("PATCH", f"/block_documents/{NOBODY}", {}, {"data": {}}, {"data": 5}, {"data": None}, {"block_schema_id": "x"},
     {"merge_existing_data": "x"}, {"name": "x"})

# Numbers and texts on the way through a refusal's echo of the request.
raws("POST", "/flows/", '{"nope": [1.10, 1e2, 1E400, -0.0, 0.1, 123456789012345678901234567890, 1e-7, 1.0,'
     ' 100000000000000000000.5, 1e16, 1e22, 5e-324]}',
     '{"nope": "\\u00e9\\ud83d\\ude00\\u2028\\u0000\\u001f\\"\\\\\\/"}',
     '{"nope": {"b": 1, "a": {"z": null, "y": [true, false]}}}', '{"nope": NaN}', '{"nope": Infinity}',
     '{"nope": -Infinity}', '{"nope": -0}', '{"nope": "\u007f\u0080\u00ff\uffff"}')
