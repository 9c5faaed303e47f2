"""/task_runs: create, keys, coercions, inputs, read, update, delete, sorts. States are in test_task_run_states.py."""
import pytest

from tests.lib.api_client import NOBODY, unique
from tests.lib.differences import expected
from tests.lib.shapes import TASK_RUN, TASK_RUN_POLICY, is_row, is_state, kept

CONFLICT = {"detail": "Data integrity conflict. This usually means a unique or foreign key constraint was violated. See"
                " server logs for details."}


@pytest.fixture(scope="module")
def parent(api):
    return api.running_flow_run()


def test_create_with_defaults(api, parent):
    answer = api.post("/task_runs/", {"flow_run_id": parent["id"], "task_key": "t", "dynamic_key": unique()})
    assert answer.status_code == 201
    task = answer.json()
    is_row(task, TASK_RUN)
    is_state(task["state"], "PENDING", "Pending", parent, task=task)
    assert 0 <= task.pop("estimated_start_time_delta") < 10
    assert "-" in task.pop("name")
    state = task.pop("state")
    for key in ["id", "created", "updated", "dynamic_key"]:
        del task[key]
    assert task == {"flow_run_id": parent["id"], "task_key": "t", "cache_key": None, "cache_expiration": None,
                    "task_version": None, "empirical_policy": TASK_RUN_POLICY, "tags": [], "state_id": state["id"],
                    "task_inputs": {}, "state_type": "PENDING", "state_name": "Pending", "run_count": 0,
                    "flow_run_run_count": 0, "expected_start_time": state["timestamp"],
                    "next_scheduled_start_time": None, "start_time": None, "end_time": None, "total_run_time": 0.0,
                    "estimated_run_time": 0.0}


def without_clock(run):
    return {key: value for key, value in run.items() if key not in ("estimated_run_time", "estimated_start_time_delta")}


def test_create_with_everything(api, parent):
    given = {"name": "n", "cache_key": "k", "cache_expiration": "2031-01-01T00:00:00+00:00", "task_version": "v",
             "tags": ["b", "a"], "empirical_policy": {"max_retries": 1, "retry_delay_seconds": 2.0, "retries": 3,
                                                      "retry_delay": [1, 2], "retry_jitter_factor": 0.5},
             "task_inputs": {"b": [{"input_type": "task_run", "id": NOBODY}],
                             "a": [{"input_type": "parameter", "name": "p"}, {"input_type": "constant", "type": "int"}],
                             "c": []}}
    task = api.task_run(parent, **given)
    assert {name: task[name] for name in given} == given
    assert list(task["task_inputs"]) == list(kept(given["task_inputs"], api.engine))
    assert without_clock(api.again(task)) == without_clock(task)


def test_the_same_keys_are_the_same_run(api, parent):
    keys = {"flow_run_id": parent["id"], "task_key": unique(), "dynamic_key": "0"}
    first = api.made("/task_runs/", keys)
    answer = api.post("/task_runs/", {**keys, "name": "other", "state": {"type": "RUNNING"}})
    assert (answer.status_code, without_clock(answer.json())) == (200, without_clock(first))
    for change in [{"dynamic_key": "1"}, {"task_key": "other"}, {"flow_run_id": api.flow_run()["id"]}]:
        assert api.made("/task_runs/", {**keys, **change, "task_key": change.get("task_key", unique())})["id"] != \
            first["id"]


@pytest.mark.parametrize("given, kept", [
    ({"retry_delay": 5}, {"retry_delay": 5}), ({"retry_delay": "5"}, {"retry_delay": 5}),
    ({"retry_delay": 5.9}, {"retry_delay": 5}), ({"retry_delay": [1, "2", 3.9]}, {"retry_delay": [1, 2, 3]}),
    ({"retry_delay": []}, {"retry_delay": []}), ({"retry_jitter_factor": "0.25"}, {"retry_jitter_factor": 0.25}),
    ({"retry_jitter_factor": 0}, {"retry_jitter_factor": 0.0}), ({"max_retries": 2}, {"max_retries": 2, "retries": 2}),
    ({"retry_delay_seconds": 3.5}, {"retry_delay_seconds": 3.5, "retry_delay": 3}), ({"retries": None}, {}),
    ({"x": 1}, {}), ({"retry_delay": list(range(50))}, {"retry_delay": list(range(50))}),
    ({"retry_delay": True}, {"retry_delay": 1})])
def test_policies(api, parent, given, kept):
    task = api.task_run(parent, empirical_policy=given)
    assert task["empirical_policy"] == {**TASK_RUN_POLICY, **kept}
    assert api.again(task)["empirical_policy"] == task["empirical_policy"]


@pytest.mark.parametrize("given, kept", [
    ({"a": [{"id": NOBODY}]}, {"a": [{"input_type": "task_run", "id": NOBODY}]}),
    ({"a": [{"name": 5}]}, {"a": [{"input_type": "parameter", "name": "5"}]}),
    ({"a": [{"type": "str"}]}, {"a": [{"input_type": "constant", "type": "str"}]}),
    ({"a": [{"name": "p", "type": "t", "id": "x"}]}, {"a": [{"input_type": "parameter", "name": "p"}]}),
    ({"a": {}}, None), ({}, {}), ([], {}), ({"a": []}, {"a": []}),
    ({"a": [{"id": NOBODY, "name": "n"}]}, {"a": [{"input_type": "task_run", "id": NOBODY}]})])
def test_inputs(api, parent, given, kept):
    answer = api.post("/task_runs/",
                      {"flow_run_id": parent["id"], "task_key": unique(), "dynamic_key": "0", "task_inputs": given})
    if kept is None:
        assert answer.status_code == 422
    else:
        assert answer.json()["task_inputs"] == kept


@pytest.mark.parametrize("field, given, kept", [
    ("task_key", 5, "5"), ("dynamic_key", 1.5, "1.5"), ("cache_key", "x" * 2000, "x" * 2000), ("task_version", 2, "2"),
    ("cache_expiration", "2031-01-01T02:00+02:00", "2031-01-01T00:00:00+00:00"), ("cache_expiration", None, None)])
def test_coercions(api, parent, field, given, kept):
    task = api.task_run(parent, **{"task_key": unique(), field: given})
    assert api.again(task)[field] == kept


def test_create_with_data(api, parent):
    keys = {"flow_run_id": parent["id"], "task_key": unique(), "dynamic_key": "0"}
    answer = api.post("/task_runs/", {**keys, "state": {"type": "RUNNING", "data": [1]}})
    assert answer.status_code == expected("a run created with data", api.kind)
    again = api.post("/task_runs/", keys)
    assert (again.status_code, again.json()["state"]["data"]) == (200, [1])


def test_the_flow_run_must_exist(api):
    answer = api.post("/task_runs/", {"flow_run_id": NOBODY, "task_key": "t", "dynamic_key": "0"})
    assert (answer.status_code, answer.json()) == (409, CONFLICT)


def test_update(api, parent):
    task = api.task_run(parent)
    answer = api.patch(f"/task_runs/{task['id']}", {"name": "new"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.again(task)["name"] == "new"
    assert api.patch(f"/task_runs/{task['id']}", {}).status_code == 204
    assert api.again(task)["name"] == "new"


def test_delete(api, parent):
    task = api.task_run(parent)
    answer = api.delete(f"/task_runs/{task['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    for answer in [api.get(f"/task_runs/{task['id']}"), api.delete(f"/task_runs/{task['id']}")]:
        assert (answer.status_code, answer.json()) == (404, {"detail": "Task not found"})
    answer = api.patch(f"/task_runs/{task['id']}", {"name": "x"})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Task run not found"})
    assert api.get(f"/task_run_states/{task['state_id']}").json() == {"detail": "Flow run state not found"}


def test_delete_of_a_task_with_data(api, parent):
    task = api.task_run(parent)
    api.moved(task, "RUNNING")
    api.moved(task, {"type": "COMPLETED", "data": 1})
    assert api.delete(f"/task_runs/{task['id']}").status_code == expected("deleting a run with data", api.kind)


def test_sorts(api):
    flow_run = api.running_flow_run()
    tasks = []
    for name, when in [("b", "2031-01-03"), ("c", "2031-01-01"), ("a", "2031-01-02")]:
        tasks.append(api.task_run(flow_run, name=name,
                                  state={"type": "SCHEDULED", "state_details": {"scheduled_time": when}}))
    api.moved(tasks[0], "RUNNING", force=True)
    api.moved(tasks[0], "COMPLETED", force=True)

    def listed(sort=None, **options):
        body = {"flow_runs": {"id": {"any_": [flow_run["id"]]}}, **options}
        return [task["name"] for task in api.made("/task_runs/filter", {**body, "sort": sort} if sort else body, 200)]

    by_id = [task["name"] for task in sorted(tasks, key=lambda task: task["id"], reverse=True)]
    assert listed() == listed("ID_DESC") == by_id
    assert listed("NAME_ASC") == ["a", "b", "c"]
    assert listed("NAME_DESC") == ["c", "b", "a"]
    assert listed("EXPECTED_START_TIME_ASC") == ["c", "a", "b"]
    assert listed("EXPECTED_START_TIME_DESC") == ["b", "a", "c"]
    # SQLite has what has no time below all others, PostgreSQL above.
    assert listed("NEXT_SCHEDULED_START_TIME_ASC") == api.on(sqlite=["b", "c", "a"], postgresql=["c", "a", "b"])
    assert listed("END_TIME_DESC").index("b") == api.on(sqlite=0, postgresql=2)
    assert listed("NAME_ASC", limit=1, offset=1) == ["b"]


def test_a_list_holds_whole_runs(api):
    flow_run = api.running_flow_run()
    task = api.task_run(flow_run)
    api.moved(task, "RUNNING")
    api.moved(task, {"type": "COMPLETED", "data": {"x": 1}})
    listed = api.made("/task_runs/filter", {"flow_runs": {"id": {"any_": [flow_run["id"]]}}}, 200)
    assert listed == [api.again(task)]
    assert list(listed[0]) == TASK_RUN
