"""/flow_runs: create, idempotency, coercions, read, update, delete, sorts, graph. States are in
test_flow_run_states.py, filters in test_filters.py."""
import pytest

from tests.lib.api_client import NOBODY, unique
from tests.lib.differences import expected
from tests.lib.shapes import FLOW_RUN, FLOW_RUN_POLICY, is_row, is_state, kept


def test_create_with_defaults(api):
    flow = api.flow()
    answer = api.post("/flow_runs/", {"flow_id": flow["id"]})
    assert answer.status_code == 201
    run = answer.json()
    is_row(run, FLOW_RUN)
    is_state(run["state"], "PENDING", "Pending", run)
    words = run.pop("name").split("-")
    assert len(words) == 2 and all(word.isalpha() and word.islower() for word in words)
    assert 0 <= run.pop("estimated_start_time_delta") < 10
    for key in ["id", "created", "updated", "state"]:
        del run[key]
    state = answer.json()["state"]
    assert run == {"flow_id": flow["id"], "state_id": state["id"], "deployment_id": None, "work_queue_name": None,
                   "flow_version": None, "parameters": {}, "idempotency_key": None, "context": {},
                   "empirical_policy": FLOW_RUN_POLICY, "tags": [], "parent_task_run_id": None, "state_type": "PENDING",
                   "state_name": "Pending", "run_count": 0, "expected_start_time": state["timestamp"],
                   "next_scheduled_start_time": None, "start_time": None, "end_time": None, "total_run_time": 0.0,
                   "estimated_run_time": 0.0, "auto_scheduled": False, "infrastructure_document_id": None,
                   "infrastructure_pid": None, "created_by": None, "work_pool_name": None}


def test_create_with_everything(api):
    flow = api.flow()
    deployment = api.deployment(flow)
    task = api.task_run()
    given = {"name": "given name", "deployment_id": deployment["id"], "flow_version": "v1",
             "parameters": {"z": 1, "a": {"é": [1.10, None, True, "\U0001f600"]}}, "context": {"c": 1},
             "parent_task_run_id": task["id"], "tags": ["b", "a"], "idempotency_key": unique("key"),
             "empirical_policy": {"max_retries": 1, "retry_delay_seconds": 2.5, "retries": 3, "retry_delay": 4,
                                  "pause_keys": ["k"], "resuming": True}}
    run = api.flow_run(flow, **given)
    assert {name: run[name] for name in given} == given
    assert list(run["parameters"]) == list(kept(given["parameters"], api.engine))
    assert without_clock(api.again(run)) == without_clock(run)


def without_clock(run):
    """A run without what goes on with the clock."""
    return {key: value for key, value in run.items() if key not in ("estimated_run_time", "estimated_start_time_delta")}


def test_idempotency_keys_are_a_flows_own(api):
    flow, key = api.flow(), unique("key")
    first = api.flow_run(flow, idempotency_key=key, parameters={"a": 1})
    answer = api.post("/flow_runs/", {"flow_id": flow["id"], "idempotency_key": key, "parameters": {"a": 2},
                                      "state": {"type": "RUNNING"}})
    assert answer.status_code == 200
    assert without_clock(answer.json()) == without_clock(api.again(first))
    assert answer.json()["state_type"] == "PENDING"
    assert api.flow_run(idempotency_key=key)["id"] != first["id"]
    assert api.flow_run(flow, idempotency_key="")["id"] != api.flow_run(flow)["id"]


def test_an_empty_key_is_none(api):
    flow = api.flow()
    first = api.flow_run(flow, idempotency_key="")
    answer = api.post("/flow_runs/", {"flow_id": flow["id"], "idempotency_key": ""})
    assert (first["idempotency_key"], answer.status_code) == ("", 409)


@pytest.mark.parametrize("field, given, kept", [
    ("name", 5, "5"), ("name", "a/b%&<>", "a/b%&<>"), ("flow_version", 1.5, "1.5"),
    ("parameters", [["a", 1]], {"a": 1}), ("parameters", [], {}), ("tags", [1, 2.0], ["1", "2.0"]),
    ("idempotency_key", 5, "5"), ("context", {"1": 2}, {"1": 2}), ("parameters", {"a": 10**25}, {"a": 10**25}),
    ("parameters", {"a": 1e-7, "b": 1e16, "c": 123456.789e3}, {"a": 1e-7, "b": 1e16, "c": 123456789.0})])
def test_coercions(api, field, given, kept):
    run = api.flow_run(**{field: given})
    assert run[field] == kept
    assert api.again(run)[field] == kept
    # the reference cannot list integers beyond 64 bits: any list that holds one is a 500
    api.delete(f"/flow_runs/{run['id']}")


@pytest.mark.parametrize("given, kept", [
    ({}, {}), ({"retries": "3", "retry_delay": "4"}, {"retries": 3, "retry_delay": 4}),
    ({"retries": 2.9}, {"retries": 2}), ({"retries": True}, {"retries": 1}), ({"retries": None}, {}),
    ({"nonsense": 1}, {}), ({"pause_keys": ["b", "a", "b"]}, {"pause_keys": ["a", "b"]}),
    ({"resuming": None}, {"resuming": None}), ({"resuming": "on"}, {"resuming": True}),
    ({"pause_keys": None}, {"pause_keys": None}), ({"max_retries": 2}, {"max_retries": 2, "retries": 2}),
    ({"retry_delay_seconds": 2.7}, {"retry_delay_seconds": 2.7, "retry_delay": 2})])
def test_policies(api, given, kept):
    run = api.flow_run(empirical_policy=given)
    policy = run["empirical_policy"]
    policy["pause_keys"] = policy["pause_keys"] and sorted(policy["pause_keys"])
    assert policy == {**FLOW_RUN_POLICY, **kept}


def test_names_that_are_nothing_are_made(api):
    for name in [None, "", [], {}, 0, False]:
        assert "-" in api.flow_run(name=name)["name"]


def test_update(api):
    run = api.flow_run(tags=["a"], parameters={"a": 1})
    changes = {"name": "new", "flow_version": "2", "parameters": {"b": [1]}, "tags": ["x"], "infrastructure_pid": "pid",
               "empirical_policy": {"retries": 5}}
    answer = api.patch(f"/flow_runs/{run['id']}", changes)
    assert (answer.status_code, answer.content) == (204, b"")
    now = api.again(run)
    assert {key: now[key] for key in changes} == {**changes, "empirical_policy": {**FLOW_RUN_POLICY, "retries": 5}}
    assert {key: now[key] for key in ["id", "created", "state", "flow_id", "context"]} == \
        {key: run[key] for key in ["id", "created", "state", "flow_id", "context"]}
    assert api.patch(f"/flow_runs/{run['id']}", {"flow_version": None, "infrastructure_pid": None}).status_code == 204
    now = api.again(run)
    assert (now["flow_version"], now["infrastructure_pid"], now["name"]) == (None, None, "new")
    assert api.patch(f"/flow_runs/{run['id']}", {}).status_code == 204


def test_update_without_a_name_makes_one(api):
    run = api.flow_run(name="mine")
    assert api.patch(f"/flow_runs/{run['id']}", {"name": None}).status_code == 204
    assert api.again(run)["name"] != "mine"


def test_create_with_data(api):
    flow = api.flow()
    answer = api.post("/flow_runs/", {"flow_id": flow["id"], "state": {"type": "RUNNING", "data": [1]}})
    assert answer.status_code == expected("a run created with data", api.kind)
    if answer.status_code == 201:
        assert answer.json()["state"]["data"] == [1]
        assert api.again(answer.json())["state"]["data"] == [1]


def test_delete(api):
    run = api.flow_run()
    task = api.task_run(run)
    answer = api.delete(f"/flow_runs/{run['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    for answer in [api.get(f"/flow_runs/{run['id']}"), api.delete(f"/flow_runs/{run['id']}"),
                   api.patch(f"/flow_runs/{run['id']}", {"tags": []})]:
        assert (answer.status_code, answer.json()) == (404, {"detail": "Flow run not found"})
    assert api.get(f"/task_runs/{task['id']}").status_code == 404
    assert api.get(f"/task_run_states/{task['state_id']}").status_code == 404
    assert api.read(f"/flow_run_states/?flow_run_id={run['id']}") == []


def test_delete_of_a_run_with_data(api):
    run = api.running_flow_run()
    api.moved(run, {"type": "COMPLETED", "data": {"a": 1}})
    assert api.delete(f"/flow_runs/{run['id']}").status_code == expected("deleting a run with data", api.kind)
    run = api.running_flow_run()
    api.moved(run, {"type": "COMPLETED", "data": {"a": 1}})
    assert api.delete(f"/flows/{run['flow_id']}").status_code == expected("deleting a run with data", api.kind)


def test_delete_leaves_no_logs(api):
    run = api.flow_run()
    api.post("/logs/", [{"name": "n", "level": 20, "message": "m", "timestamp": "2020-01-01T00:00:00Z",
                         "flow_run_id": run["id"]}])
    assert api.delete(f"/flow_runs/{run['id']}").status_code == 204
    left = api.made("/logs/filter", {"logs": {"flow_run_id": {"any_": [run["id"]]}}}, 200)
    assert len(left) == expected("logs of a deleted run", api.kind)


def test_deleting_a_parent_task_frees_the_subflow(api):
    parent = api.running_flow_run()
    task = api.task_run(parent)
    child = api.flow_run(parent_task_run_id=task["id"])
    assert api.delete(f"/task_runs/{task['id']}").status_code == 204
    assert api.again(child)["parent_task_run_id"] is None


def test_a_deleted_deployment_stays_in_its_runs(api):
    flow = api.flow()
    deployment = api.deployment(flow)
    run = api.flow_run(flow, deployment_id=deployment["id"])
    api.server.execute("DELETE FROM deployment WHERE id = ?", deployment["id"])
    assert api.again(run)["deployment_id"] is None


def test_references_must_exist(api):
    flow = api.flow()
    for field in ["flow_id", "deployment_id", "parent_task_run_id", "infrastructure_document_id"]:
        answer = api.post("/flow_runs/", {"flow_id": flow["id"], field: NOBODY})
        assert (answer.status_code, answer.json()) == (409, {
            "detail": "Data integrity conflict. This usually means a unique or foreign key constraint was violated. See"
                " server logs for details."})


def test_sorts(api):
    flow = api.flow()
    runs = []
    for name, when in [("b", "2031-01-03"), ("c", "2031-01-01"), ("a", "2031-01-02")]:
        runs.append(api.flow_run(flow, name=name,
                                 state={"type": "SCHEDULED", "state_details": {"scheduled_time": when}}))
    api.moved(runs[0], "PENDING", force=True)
    api.moved(runs[0], "RUNNING", force=True)
    api.moved(runs[0], "COMPLETED")

    def listed(sort=None, **options):
        body = {"flows": {"id": {"any_": [flow["id"]]}}, **options}
        return [run["name"] for run in api.made("/flow_runs/filter", {**body, "sort": sort} if sort else body, 200)]

    by_id = [run["name"] for run in sorted(runs, key=lambda run: run["id"], reverse=True)]
    assert listed() == listed("ID_DESC") == by_id
    assert listed("NAME_ASC") == ["a", "b", "c"]
    assert listed("NAME_DESC") == ["c", "b", "a"]
    assert listed("EXPECTED_START_TIME_ASC") == ["c", "a", "b"]
    assert listed("EXPECTED_START_TIME_DESC") == ["b", "a", "c"]
    assert listed("START_TIME_ASC") == ["b", "c", "a"]
    assert listed("START_TIME_DESC") == ["a", "c", "b"]
    # SQLite has what has no time below all others, PostgreSQL above.
    assert listed("NEXT_SCHEDULED_START_TIME_ASC") == api.on(sqlite=["b", "c", "a"], postgresql=["c", "a", "b"])
    assert listed("END_TIME_DESC").index("b") == api.on(sqlite=0, postgresql=2)
    assert listed("NAME_ASC", limit=1, offset=1) == ["b"]


def test_a_list_holds_whole_runs(api):
    flow = api.flow()
    run = api.flow_run(flow, parameters={"b": 1, "a": None}, state={"type": "RUNNING"})
    api.moved(run, {"type": "COMPLETED", "data": [1]})
    listed = api.made("/flow_runs/filter", {"flows": {"id": {"any_": [flow["id"]]}}}, 200)
    assert [list(item) for item in listed] == [FLOW_RUN]
    assert without_clock(listed[0]) == without_clock(api.again(run))


def test_graph(api):
    flow_run = api.running_flow_run()
    first = api.task_run(flow_run, name="first")
    second = api.task_run(flow_run, name="second",
                          task_inputs={"x": [{"input_type": "task_run", "id": first["id"]}],
                                       "y": [{"input_type": "task_run", "id": first["id"]}], "z": []})
    api.moved(first, "RUNNING")
    done = api.moved(first, {"type": "COMPLETED", "data": {"a": 1}, "state_details": {"untrackable_result": True}})
    graph = {node["id"]: node for node in api.read(f"/flow_runs/{flow_run['id']}/graph")}
    now = api.again(first)
    assert list(graph[first["id"]].items()) == list({
        "id": first["id"], "name": "first", "upstream_dependencies": [], "state": done,
        "expected_start_time": now["expected_start_time"], "start_time": now["start_time"], "end_time": now["end_time"],
        "total_run_time": now["total_run_time"], "estimated_run_time": now["estimated_run_time"],
        "untrackable_result": True}.items())
    assert graph[second["id"]]["upstream_dependencies"] == [{"input_type": "task_run", "id": first["id"]}]
    assert graph[second["id"]]["untrackable_result"] is False
    assert [node for node in graph] == sorted(graph, reverse=True)


def test_graph_with_constants(api):
    flow_run = api.running_flow_run()
    api.task_run(flow_run, task_inputs={"x": [{"input_type": "constant", "type": "int"}],
                                        "y": [{"input_type": "parameter", "name": "p"}]})
    assert api.get(f"/flow_runs/{flow_run['id']}/graph").status_code == expected("graph with constant inputs", api.kind)


def test_empty_graph(api):
    assert api.read(f"/flow_runs/{api.flow_run()['id']}/graph") == []


@pytest.mark.parametrize("when, kept", [
    ("2031-05-06", "2031-05-06T00:00:00+00:00"), ("2031-05-06T07:08", "2031-05-06T07:08:00+00:00"),
    ("2031-05-06 07:08:09", "2031-05-06T07:08:09+00:00"),
    ("2031-05-06T07:08:09.123456789Z", "2031-05-06T07:08:09.123456+00:00"),
    ("2031-05-06T07:08:09-0330", "2031-05-06T10:38:09+00:00"), ("20310506T070809Z", "2031-05-06T07:08:09+00:00"),
    ("2031-W19-2", "2031-05-06T00:00:00+00:00"), ("2031-126", "2031-05-06T00:00:00+00:00"),
    ("2031", "2031-01-01T00:00:00+00:00"), ("2031-05", "2031-05-01T00:00:00+00:00"), (1935990489, None),
    ("1935990489", None), (5.5, None)])
def test_times_that_are_taken(api, when, kept):
    answer = api.post("/flow_runs/", {"flow_id": api.flow()["id"],
                                      "state": {"type": "SCHEDULED", "state_details": {"scheduled_time": when}}})
    if kept is None:
        assert answer.status_code == 422
    else:
        assert answer.status_code == 201, answer.text
        assert api.again(answer.json())["expected_start_time"] == kept


@pytest.mark.parametrize("delay", [9 * 10**18, 3 * 10**11, -3 * 10**11])
def test_a_retry_beyond_the_calendar_fails(api, delay):
    run = api.made("/flow_runs/",
                   {"flow_id": api.flow()["id"], "empirical_policy": {"retries": 1, "retry_delay": delay}})
    api.made(f"/flow_runs/{run['id']}/set_state", {"state": {"type": "RUNNING"}})
    assert api.post(f"/flow_runs/{run['id']}/set_state", {"state": {"type": "FAILED"}}).status_code == 500
    assert api.read(f"/flow_runs/{run['id']}")["state_type"] == "RUNNING"


@pytest.mark.parametrize("start, end, seconds",
                         [("2020-01-01", "2020-01-01", 3 * 10**11), ("9999-12-31T23:59:59", "9999-12-31T23:59:59", 10),
                          ("2020-01-01", "9999-12-31", 2 * 10**11)])
def test_a_history_beyond_the_calendar_fails(api, start, end, seconds):
    body = {"history_start": start, "history_end": end, "history_interval_seconds": seconds}
    answer = api.post("/flow_runs/history", body)
    if api.engine == "postgresql" and start == end:  # no interval at all
        assert (answer.status_code, answer.json()) == (200, [])
    else:
        assert answer.status_code == 500


@pytest.mark.parametrize("limit, why",
                         [(2**63, "less than or equal to 200"), (10**19 - 1, "less than or equal to 200"),
                          (-2**63 - 1, "greater than or equal to 0"), (10**30, "less than or equal to 200")])
def test_limits_that_no_integer_holds(api, limit, why):
    answer = api.post("/flow_runs/filter", {"limit": limit})
    assert (answer.status_code, answer.json()) == (422, {"detail": f"Invalid limit: must be {why}."})
