"""/ui/flow_runs/history: the points of the dashboard's chart of runs."""
import datetime

import pytest

from tests.lib.api_client import NOBODY
from tests.lib.differences import expected
from tests.lib.shapes import seconds_ago, time_of

POINT = ["id", "state_type", "timestamp", "duration", "lateness"]
MINUTE = datetime.timedelta(minutes=1)


def points(api, runs, **body):
    """The points of some runs, in the order of the answer."""
    answer = api.post("/ui/flow_runs/history", {"flow_runs": {"id": {"any_": [run["id"] for run in runs]}}, **body})
    assert answer.status_code == 200, answer.text
    assert all(list(point) == POINT for point in answer.json())
    return answer.json()


def ids(found):
    return [point["id"] for point in found]


def scheduled(api, delta, **fields):
    time = (datetime.datetime.now(datetime.timezone.utc) + delta).isoformat()
    return api.flow_run(state={"type": "SCHEDULED", "state_details": {"scheduled_time": time}}, **fields)


@pytest.fixture(scope="module")
def planned(api):
    """Ten runs a minute apart, the last one first."""
    flow = api.flow()
    return [scheduled(api, n * MINUTE, flow=flow) for n in range(10, 0, -1)]


def test_a_run_that_is_planned(api):
    run = scheduled(api, 5 * MINUTE)
    assert points(api, [run]) == [{"id": run["id"], "state_type": "SCHEDULED", "timestamp": run["expected_start_time"],
                                   "duration": 0.0, "lateness": 0.0}]


def test_a_run_that_is_late(api):
    run = scheduled(api, -5 * MINUTE)
    [point] = points(api, [run])
    assert point["timestamp"] == run["expected_start_time"] and point["duration"] == 0
    assert 300 <= point["lateness"] < 360


def test_a_run_that_runs(api):
    run = scheduled(api, -5 * MINUTE)
    api.moved(run, "RUNNING")
    [point] = points(api, [run])
    now = api.again(run)
    assert point["timestamp"] == now["start_time"] and point["state_type"] == "RUNNING"
    assert 0 < point["duration"] <= seconds_ago(now["start_time"])
    assert point["lateness"] == (time_of(now["start_time"]) - time_of(now["expected_start_time"])).total_seconds()


def test_a_run_that_has_ended(api):
    run = scheduled(api, -5 * MINUTE)
    api.moved(run, "RUNNING")
    api.moved(run, "COMPLETED")
    now = api.again(run)
    assert points(api, [run]) == [{"id": run["id"], "state_type": "COMPLETED", "timestamp": now["start_time"],
                                   "duration": now["total_run_time"], "lateness": now["estimated_start_time_delta"]}]


def test_a_run_that_ended_before_it_began_is_not_late(api):
    run = scheduled(api, -5 * MINUTE)
    api.moved(run, "CANCELLED")
    assert [point["lateness"] for point in points(api, [run])] == [0.0]


def test_order_limit_and_offset(api, planned):
    order = ids(planned)
    assert ids(points(api, planned)) == order
    assert ids(points(api, planned, sort="EXPECTED_START_TIME_ASC")) == order[::-1]
    assert ids(points(api, planned, sort=None, limit=None, offset=None)) == order
    assert ids(points(api, planned, limit=3, offset=2)) == order[2:5]
    assert ids(points(api, planned, limit=0)) == []
    if api.engine == "sqlite":
        assert ids(points(api, planned, limit=-1, offset=8)) == order[8:]
    assert ids(points(api, planned, limit="2", offset=100)) == []
    assert ids(points(api, planned, limit=1000)) == order


def test_more_than_an_ordinary_page(api):
    flow = api.flow()
    api.copy_flow_run(api.flow_run(flow, state={"type": "SCHEDULED"}), 1000)
    body = {"flows": {"id": {"any_": [flow["id"]]}}}
    assert len(api.post("/ui/flow_runs/history", body).json()) == 1000
    answer = api.post("/ui/flow_runs/history", {**body, "limit": -1})
    if api.engine == "sqlite":
        assert len(answer.json()) == 1001
    else:
        assert answer.status_code == expected("a limit below zero on PostgreSQL", api.kind)


@pytest.mark.parametrize("body, found", [
    ({"flows": {"name": {"any_": ["nobody"]}}}, False),
    ({"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}, True),
    ({"task_runs": {}}, False),
    ({"deployments": {"id": {"any_": [NOBODY]}}}, False),
    ({"work_pools": {"nonsense": 1}, "unknown": 1}, True),
])
def test_filters(api, planned, body, found):
    body.setdefault("flow_runs", {})["id"] = {"any_": ids(planned)}
    answer = api.post("/ui/flow_runs/history", body)
    assert answer.status_code == 200
    assert bool(answer.json()) == found


BAD_LIMIT = {"loc": ["body", "limit"], "msg": "ensure this value is less than or equal to 1000",
             "type": "value_error.number.not_le", "ctx": {"limit_value": 1000}}
BAD_OFFSET = {"loc": ["body", "offset"], "msg": "ensure this value is greater than or equal to 0",
              "type": "value_error.number.not_ge", "ctx": {"limit_value": 0}}


@pytest.mark.parametrize("body, details", [
    ({"limit": 1001}, [BAD_LIMIT]),
    ({"limit": 10 ** 30}, [BAD_LIMIT]),
    ({"offset": -10 ** 30}, [BAD_OFFSET]),
    ({"limit": "many"},
     [{"loc": ["body", "limit"], "msg": "value is not a valid integer", "type": "type_error.integer"}]),
    ({"offset": -1, "limit": 2000}, [BAD_LIMIT, BAD_OFFSET]),
])
def test_limits(api, body, details):
    answer = api.post("/ui/flow_runs/history", body)
    assert answer.status_code == 422
    assert answer.json()["exception_detail"] == details


def test_errors_come_in_the_order_of_the_parameters(api):
    answer = api.post("/ui/flow_runs/history",
                      {"flows": {"nope": 1}, "offset": -1, "limit": 1001, "sort": "NOPE", "deployments": 3})
    assert answer.status_code == 422
    assert [detail["loc"] for detail in answer.json()["exception_detail"]] == [
        ["body", "sort"], ["body", "limit"], ["body", "offset"], ["body", "flows", "nope"], ["body", "deployments"]]


def test_bodies_of_other_kinds(api):
    assert api.post("/ui/flow_runs/history").status_code == 200
    answer = api.request("POST", "/ui/flow_runs/history", content=b"[1]", headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert [detail["loc"] for detail in answer.json()["exception_detail"]] == \
        [["body", name] for name in ["sort", "limit", "offset", "flows", "flow_runs", "task_runs", "deployments"]]


def test_runs_without_a_state(api, planned):
    run = scheduled(api, MINUTE)
    api.server.execute("UPDATE flow_run SET state_type = NULL WHERE id = ?", run["id"])
    answer = api.post("/ui/flow_runs/history", {"flow_runs": {"id": {"any_": ids([run, planned[0]])}}})
    assert answer.status_code == expected("a chart with a run that has no state", api.kind)
    if answer.status_code == 200:
        assert ids(answer.json()) == [planned[0]["id"]]
