"""Late runs, expired pauses, what cancelled runs leave behind: on both servers."""
import datetime
import time

import pytest

from tests.lib.receiver import wait_until


def moment(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).isoformat()


def wait_state(api, run, name):
    return wait_until(lambda: (now := api.again(run))["state_name"] == name and now)


def states(api, run):
    return [state["name"] for state in api.read(f"/flow_run_states/?flow_run_id={run['id']}")]


def scheduled(api, seconds, **state):
    return api.flow_run(state={"type": "SCHEDULED", "state_details": {"scheduled_time": moment(seconds)}, **state})


def test_late_run(api):
    run = scheduled(api, -60)
    late = wait_state(api, run, "Late")
    assert (late["state_type"], late["state"]["message"], late["run_count"]) == ("SCHEDULED", None, 0)
    assert late["next_scheduled_start_time"] == run["next_scheduled_start_time"] == \
        late["state"]["state_details"]["scheduled_time"]
    assert late["expected_start_time"] == run["expected_start_time"]
    time.sleep(1.5)
    assert states(api, run) == ["Scheduled", "Late"]


def test_runs_that_are_not_late(api):
    soon, later = scheduled(api, -1), scheduled(api, 3600)
    retrying = scheduled(api, -60, name="AwaitingRetry")
    wait_state(api, scheduled(api, -60), "Late")
    assert [api.again(run)["state_name"] for run in [soon, later, retrying]] == \
        ["Scheduled", "Scheduled", "AwaitingRetry"]
    wait_state(api, soon, "Late")  # five seconds after its time
    assert api.again(retrying)["state_name"] == "AwaitingRetry"


def test_many_late_runs(api):
    flow = api.flow()
    runs = [api.flow_run(flow, state={"type": "SCHEDULED", "state_details": {"scheduled_time": moment(-60)}})
            for _ in range(130)]
    body = {"flows": {"id": {"any_": [flow["id"]]}}, "flow_runs": {"state": {"name": {"any_": ["Late"]}}}}
    wait_until(lambda: api.made("/flow_runs/count", body, 200) == len(runs))


def paused(api, timeout):
    run = api.running_flow_run()
    api.moved(run, {"type": "PAUSED", "state_details": {"pause_timeout": timeout}}, force=True)
    return run


def test_expired_pause(api):
    expired, waiting = paused(api, moment(8)), paused(api, moment(3600))
    assert api.again(expired)["state_name"] == "Paused"
    failed = wait_state(api, expired, "Failed")
    assert (failed["state_type"], failed["state"]["message"]) == ("FAILED", "The flow was paused and never resumed.")
    assert failed["end_time"] is not None
    assert api.again(waiting)["state_name"] == "Paused"
    api.moved(waiting, "RUNNING", force=True)


def test_pause_without_timeout_stops_nothing(api):
    if api.kind == "reference":
        pytest.skip("there one such run ends the service's round before the others")
    endless = paused(api, None)
    wait_state(api, paused(api, moment(-1)), "Failed")
    assert api.again(endless)["state_name"] == "Paused"


@pytest.mark.parametrize("type_", ["PENDING", "RUNNING", "SCHEDULED", "PAUSED", "CANCELLING"])
def test_task_runs_of_a_cancelled_flow_run(api, type_):
    run = api.running_flow_run()
    done, left = api.task_run(run), api.task_run(run)
    api.moved(done, "COMPLETED", force=True)
    api.moved(left, type_, force=True)
    api.moved(run, "CANCELLED", force=True)
    cancelled = wait_state(api, left, "Cancelled")
    assert (cancelled["state_type"], cancelled["state"]["message"]) == \
        ("CANCELLED", "The parent flow run was cancelled.")
    assert api.again(done)["state_name"] == "Completed"


def test_runs_cancelled_long_ago_are_left_alone(api):
    old, new = api.running_flow_run(), api.running_flow_run()
    tasks = [api.task_run(old), api.task_run(new)]
    for task in tasks:
        api.moved(task, "RUNNING")
    with_end = "UPDATE flow_run SET state_type = 'CANCELLED', state_name = 'Cancelled', end_time = ? WHERE id = ?"
    api.server.execute(with_end, "2020-01-01 00:00:00.000000", old["id"])
    api.moved(new, "CANCELLED", force=True)
    wait_state(api, tasks[1], "Cancelled")
    assert api.again(tasks[0])["state_name"] == "Running"


def test_subflows_of_a_cancelled_flow_run(api):
    parent = api.running_flow_run()
    task = api.task_run(parent)
    child = api.flow_run(parent_task_run_id=task["id"])
    grandtask = api.task_run(child)
    grandchild = api.flow_run(parent_task_run_id=grandtask["id"])
    api.moved(child, "RUNNING")
    api.moved(grandchild, "RUNNING")
    stranger = api.flow_run(parent_task_run_id=api.task_run(api.running_flow_run())["id"])
    api.moved(parent, "CANCELLED", force=True)
    for run in [task, child, grandtask, grandchild]:
        assert wait_state(api, run, "Cancelled")["state"]["message"] == "The parent flow run was cancelled."
    assert api.again(stranger)["state_name"] == "Pending"
