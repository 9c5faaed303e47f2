"""set_state and resume of flow runs: every rule of the flow's policy, with the exact answer."""
import datetime
import time

import pytest

from tests.lib.api_client import NOBODY, unique
from tests.lib.differences import expected
from tests.lib.shapes import ABORT, ACCEPT, REJECT, is_state, seconds_ago, time_of

TYPES = ["SCHEDULED", "PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "CRASHED", "PAUSED", "CANCELLING"]
TERMINAL = ["COMPLETED", "FAILED", "CANCELLED", "CRASHED"]
PROGRESS = {"SCHEDULED": 1, "PENDING": 2, "RUNNING": 3, "CANCELLING": 4}


def in_seconds(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).isoformat()


def forced(api, run, state):
    return api.moved(run, state, force=True)


def expected_flow_transition(initial, proposed):
    """(status, details, whether a state is answered as new) for a run without a deployment."""
    if initial in TERMINAL:
        return ABORT("This run has already terminated.")
    if initial == "CANCELLING" and proposed != "CANCELLED":
        return REJECT("Cannot transition flows that are cancelling to a state other than Cancelled.")
    if initial in PROGRESS and proposed in PROGRESS and PROGRESS[proposed] <= PROGRESS[initial]:
        return ABORT(
            f"This run cannot transition to the StateType.{proposed} state from the StateType.{initial} state.")
    if proposed == "PAUSED" and initial != "RUNNING":
        return REJECT("Cannot pause flows that are not currently running.")
    if initial == "PAUSED" and proposed in ("PENDING", "CANCELLING"):
        return REJECT(f"This run cannot transition to the StateType.{proposed} state from the StateType.PAUSED state.")
    return ACCEPT


@pytest.mark.parametrize("initial", TYPES)
@pytest.mark.parametrize("proposed", TYPES)
def test_every_transition(api, initial, proposed):
    run = api.flow_run()
    before = forced(api, run, initial)
    answer = api.set_state(run, proposed)
    expected = expected_flow_transition(initial, proposed)
    body = answer.json()
    assert list(body) == ["state", "status", "details"]
    assert {"status": body["status"], "details": body["details"]} == expected
    if expected == ACCEPT:
        assert answer.status_code == 201
        assert body["state"]["type"] == proposed
        assert api.again(run)["state"] == body["state"]
    else:
        assert answer.status_code == 200
        assert api.again(run)["state"] == before
        assert body["state"] == before


@pytest.mark.parametrize("initial", ["COMPLETED", "CANCELLING", "RUNNING"])
@pytest.mark.parametrize("proposed", TYPES)
def test_every_forced_transition(api, initial, proposed):
    run = api.flow_run()
    forced(api, run, initial)
    answer = api.set_state(run, proposed, force=True)
    assert answer.status_code == 201
    assert answer.json()["status"] == "ACCEPT"
    assert api.again(run)["state_type"] == proposed


def test_the_state_in_the_answer(api):
    run = api.flow_run()
    details = {"cache_key": "k", "untrackable_result": True, "pause_key": "p", "child_flow_run_id": NOBODY,
               "flow_run_id": NOBODY, "task_run_id": NOBODY, "scheduled_time": "2020-01-01", "refresh_cache": False}
    answer = api.set_state(run, {"type": "RUNNING", "name": "Going", "message": "a message",
                                 "data": {"a": [1, 2.5, None]}, "state_details": details})
    assert answer.status_code == 201
    state = answer.json()["state"]
    is_state(state, "RUNNING", "Going", run, message="a message", data={"a": [1, 2.5, None]},
             cache_key="k", untrackable_result=True, pause_key="p", child_flow_run_id=NOBODY, task_run_id=NOBODY,
             scheduled_time="2020-01-01T00:00:00+00:00", refresh_cache=False)
    assert api.again(run)["state"] == state
    assert api.read(f"/flow_run_states/{state['id']}") == state


@pytest.mark.parametrize("name, default", [("SCHEDULED", "Scheduled"), ("CANCELLING", "Cancelling"),
                                           ("CRASHED", "Crashed"), ("PENDING", "Pending")])
def test_a_state_is_named_after_its_type(api, name, default):
    run = api.flow_run()
    assert forced(api, run, {"type": name, "name": None})["name"] == default
    assert forced(api, run, {"type": name, "name": ""})["name"] == ""


def test_the_clients_id_and_timestamp_are_dropped(api):
    run = api.flow_run()
    state = api.moved(run, {"type": "RUNNING", "id": NOBODY, "timestamp": "2000-01-01T00:00:00+00:00"})
    assert state["id"] != NOBODY
    assert seconds_ago(state["timestamp"]) < 60


@pytest.mark.parametrize("data",
                         [None, 0, 1.5, "text", "", [], {}, [1, {"a": None}], False, {"type": "x", "é": "\U0001f600"}])
def test_data_is_kept(api, data):
    run = api.flow_run()
    state = api.moved(run, {"type": "RUNNING", "data": data})
    assert state["data"] == data
    assert api.again(run)["state"]["data"] == data
    assert api.read(f"/flow_run_states/?flow_run_id={run['id']}")[-1]["data"] == data


def test_abort_answers_the_stored_state_without_its_data(api):
    run = api.flow_run()
    stored = api.moved(run, {"type": "COMPLETED", "data": {"a": 1}})
    answer = api.set_state(run, "RUNNING")
    assert answer.status_code == 200
    assert answer.json() == {"state": {**stored, "data": None}, **ABORT("This run has already terminated.")}
    assert api.again(run)["state"]["data"] == {"a": 1}


def test_times_and_counts_of_a_run(api):
    run = api.flow_run()
    assert (run["run_count"], run["start_time"], run["end_time"], run["total_run_time"]) == (0, None, None, 0.0)
    assert run["expected_start_time"] == run["state"]["timestamp"]
    running = api.moved(run, "RUNNING")
    now = api.again(run)
    assert (now["run_count"], now["start_time"], now["end_time"]) == (1, running["timestamp"], None)
    assert 0 < now["estimated_run_time"] < 60
    assert now["total_run_time"] == 0.0
    assert now["estimated_start_time_delta"] == \
        pytest.approx((time_of(now["start_time"]) - time_of(now["expected_start_time"])).total_seconds(), abs=0.0015)
    time.sleep(0.05)
    completed = api.moved(run, "COMPLETED")
    done = api.again(run)
    length = (time_of(completed["timestamp"]) - time_of(running["timestamp"])).total_seconds()
    assert done["end_time"] == completed["timestamp"]
    assert done["total_run_time"] == pytest.approx(length, abs=2e-6)
    assert done["estimated_run_time"] == pytest.approx(done["total_run_time"], abs=0.0015)
    assert (done["state_id"], done["state_type"], done["state_name"]) == (completed["id"], "COMPLETED", "Completed")


def test_leaving_a_final_state_by_force_clears_the_end(api):
    run = api.running_flow_run()
    forced(api, run, "FAILED")
    first = api.again(run)
    assert first["end_time"] is not None
    forced(api, run, "RUNNING")
    again = api.again(run)
    assert (again["end_time"], again["run_count"], again["start_time"]) == (None, 2, first["start_time"])


def test_no_end_without_a_start(api):
    run = api.flow_run()
    api.moved(run, "FAILED")
    done = api.again(run)
    assert (done["start_time"], done["end_time"], done["total_run_time"]) == (None, None, 0.0)


def test_scheduled_times(api):
    run = api.flow_run(state={"type": "SCHEDULED", "state_details": {"scheduled_time": "2031-05-06T07:08:09.5+02:00"}})
    given, when = "2031-05-06T07:08:09.500000+02:00", "2031-05-06T05:08:09.500000+00:00"
    # The reference answers what the request brought in its own zone; what is read back is in UTC.
    first = expected("zone of the times of a run just made", api.kind)(given, when)
    assert (run["expected_start_time"], run["next_scheduled_start_time"]) == (first, first)
    run = api.again(run)
    assert (run["expected_start_time"], run["next_scheduled_start_time"],
            run["state"]["state_details"]["scheduled_time"]) == (when, when, given)
    assert run["estimated_start_time_delta"] == 0.0
    pending = api.moved(run, "PENDING")
    assert pending["state_details"]["scheduled_time"] == given
    now = api.again(run)
    assert (now["expected_start_time"], now["next_scheduled_start_time"]) == (when, None)


def test_scheduled_without_a_time_is_now(api):
    run = api.flow_run(state={"type": "SCHEDULED"})
    assert run["next_scheduled_start_time"] == run["state"]["state_details"]["scheduled_time"] == \
        run["expected_start_time"]
    assert seconds_ago(run["next_scheduled_start_time"]) < 60


def test_pending_keeps_a_time_of_its_own(api):
    run = api.flow_run(state={"type": "SCHEDULED", "state_details": {"scheduled_time": "2031-01-01"}})
    pending = api.moved(run, {"type": "PENDING", "state_details": {"scheduled_time": "2032-01-01"}})
    assert pending["state_details"]["scheduled_time"] == "2032-01-01T00:00:00+00:00"


@pytest.mark.parametrize("initial", ["SCHEDULED", "PENDING"])
def test_running_waits_for_the_scheduled_time(api, initial):
    run = api.flow_run()
    before = forced(api, run, {"type": initial, "data": 5, "state_details": {"scheduled_time": in_seconds(300)}})
    answer = api.set_state(run, "RUNNING")
    body = answer.json()
    assert answer.status_code == 200
    assert body["state"] == {**before, "data": None}
    assert body["status"] == "WAIT"
    assert list(body["details"]) == ["type", "delay_seconds", "reason"]
    assert 290 <= body["details"].pop("delay_seconds") <= 300
    assert body["details"] == {"type": "wait_details", "reason": "Scheduled time is in the future"}
    assert api.again(run)["state"] == before
    assert api.again(run)["run_count"] == 0


def test_a_scheduled_time_in_the_past_does_not_wait(api):
    run = api.flow_run(state={"type": "SCHEDULED", "state_details": {"scheduled_time": in_seconds(-5)}})
    api.moved(run, "RUNNING")
    now = api.again(run)
    assert now["next_scheduled_start_time"] is None
    assert 4 < now["estimated_start_time_delta"] < 60


def test_a_failing_run_is_retried(api):
    run = api.flow_run(empirical_policy={"retries": 1, "retry_delay": 60})
    api.moved(run, "RUNNING")
    answer = api.set_state(run, {"type": "FAILED", "message": "why", "data": {"x": 1}})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["status"], body["details"]) == ("REJECT", {"type": "reject_details", "reason": "Retrying"})
    state = body["state"]
    assert (state["type"], state["name"], state["message"], state["data"]) == \
        ("SCHEDULED", "AwaitingRetry", "why", {"x": 1})
    assert 50 < -seconds_ago(state["state_details"]["scheduled_time"]) <= 60
    now = api.again(run)
    assert now["state"] == state
    assert (now["next_scheduled_start_time"], now["run_count"]) == (state["state_details"]["scheduled_time"], 1)
    assert api.set_state(run, "RUNNING").json()["status"] == "WAIT"
    forced(api, run, "RUNNING")
    last = api.set_state(run, "FAILED")
    assert (last.status_code, last.json()["status"]) == (201, "ACCEPT")


@pytest.mark.parametrize("policy, outcome", [({}, "ACCEPT"), ({"retries": 0}, "ACCEPT"), ({"retries": 3}, "REJECT"),
                                             ({"max_retries": 3}, "REJECT"), ({"retries": -1}, "ACCEPT"),
                                             ({"max_retries": 3, "retry_delay_seconds": 9.5, "retries": 1}, "REJECT")])
def test_which_policies_retry(api, policy, outcome):
    run = api.running_flow_run(empirical_policy=policy)
    assert api.set_state(run, "FAILED").json()["status"] == outcome


def test_old_fields_of_the_policy_fill_the_new_ones(api):
    assert api.flow_run(empirical_policy={"max_retries": 3, "retry_delay_seconds": 9.7})["empirical_policy"] == {
        "max_retries": 3, "retry_delay_seconds": 9.7, "retries": 3, "retry_delay": 9, "pause_keys": [],
        "resuming": False}


def test_a_retry_forgets_the_pauses_of_a_new_client_only(api):
    for version, kept in [("0.8.4", []), ("0.8.3", ["k"]), (None, [])]:
        run = api.running_flow_run(empirical_policy={"retries": 3, "pause_keys": ["k"]})
        api.set_state(run, "FAILED", version=version)
        assert api.again(run)["empirical_policy"]["pause_keys"] == kept


@pytest.mark.parametrize("version, type_, count",
                         [("0.8.2", "SCHEDULED", 0), ("0.8.3", "FAILED", 1), (None, "FAILED", 1)])
def test_failed_tasks_are_scheduled_again_for_old_clients(api, version, type_, count):
    run = api.running_flow_run(empirical_policy={"retries": 1})
    task = api.task_run(run)
    api.moved(task, "RUNNING")
    api.moved(task, "FAILED")
    assert api.set_state(run, "FAILED", version=version).json()["status"] == "REJECT"
    now = api.again(task)
    assert (now["state_type"], now["run_count"]) == (type_, count)


# Pausing and resuming.

def pause(api, run, force=None, **details):
    return api.set_state(run, {"type": "PAUSED", "state_details": details}, force=force)


def test_pause_and_resume(api):
    run = api.running_flow_run()
    paused = pause(api, run, pause_key="k", pause_timeout=in_seconds(300))
    assert (paused.status_code, paused.json()["status"]) == (201, "ACCEPT")
    assert api.again(run)["empirical_policy"]["pause_keys"] == ["k"]
    answer = api.post(f"/flow_runs/{run['id']}/resume")
    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in ("status", "details")} == ACCEPT
    assert (answer.json()["state"]["type"], answer.json()["state"]["name"]) == ("RUNNING", "Running")
    now = api.again(run)
    assert now["empirical_policy"] == {"max_retries": 0, "retry_delay_seconds": 0.0, "retries": None,
                                       "retry_delay": None, "pause_keys": ["k"], "resuming": True}
    assert now["run_count"] == 2
    again = pause(api, run, pause_key="k")
    assert (again.status_code, again.json()) == (200,
                                                 {"state": now["state"], **REJECT("This pause has already fired.")})


def test_a_pause_without_a_key_gets_one(api):
    run = api.running_flow_run()
    assert pause(api, run).json()["state"]["state_details"]["pause_key"] is None
    keys = api.again(run)["empirical_policy"]["pause_keys"]
    assert len(keys) == 1 and len(keys[0]) == 36


def test_resume_of_a_run_that_is_not_paused(api):
    for run in [api.flow_run(), api.running_flow_run()]:
        answer = api.post(f"/flow_runs/{run['id']}/resume")
        assert (answer.status_code, answer.json()) == \
            (200, {"state": None, **ABORT("Cannot resume a flow run that is not paused.")})


def test_a_pause_that_timed_out_fails_the_run(api):
    run = api.running_flow_run()
    pause(api, run, pause_timeout=in_seconds(-1))
    answer = api.post(f"/flow_runs/{run['id']}/resume")
    body = answer.json()
    assert answer.status_code == 201
    assert {name: body[name] for name in ("status", "details")} == \
        REJECT("The flow run pause has timed out and can no longer resume.")
    assert (body["state"]["type"], body["state"]["name"], body["state"]["message"]) == \
        ("FAILED", "Failed", "The flow was paused and never resumed.")
    assert api.again(run)["state"] == body["state"]


def test_pause_with_reschedule(api):
    flow = api.flow()
    run = api.running_flow_run(flow=flow)
    answer = pause(api, run, pause_reschedule=True)
    assert answer.json()["status"] == "ABORT"
    assert answer.json()["details"]["reason"] == "Cannot pause flows without a deployment with the reschedule option."
    deployment = api.deployment(flow)
    run = api.running_flow_run(flow=flow, deployment_id=deployment["id"])
    assert pause(api, run, pause_reschedule=True, pause_key="k",
                 pause_timeout=in_seconds(300)).json()["status"] == "ACCEPT"
    answer = api.post(f"/flow_runs/{run['id']}/resume")
    body = answer.json()
    assert (answer.status_code, body["status"], body["state"]["type"], body["state"]["name"]) == \
        (201, "ACCEPT", "SCHEDULED", "Resuming")
    assert api.again(run)["empirical_policy"]["resuming"] is True
    api.moved(run, "PENDING")
    api.moved(run, "RUNNING")
    now = api.again(run)
    assert (now["run_count"], now["empirical_policy"]["resuming"]) == (1, False)


def test_a_forced_pause_with_reschedule_cannot_be_resumed_without_a_deployment(api):
    run = api.running_flow_run()
    pause(api, run, force=True, pause_reschedule=True)
    answer = api.post(f"/flow_runs/{run['id']}/resume")
    assert (answer.status_code, answer.json()) == \
        (200, {"state": api.again(run)["state"], **REJECT("Cannot reschedule a paused flow run without a deployment.")})


def test_subflows_cannot_be_paused_with_reschedule(api):
    parent = api.running_flow_run()
    task = api.task_run(parent)
    run = api.running_flow_run(parent_task_run_id=task["id"])
    answer = pause(api, run, pause_reschedule=True)
    assert answer.json()["details"]["reason"] == "Cannot pause subflows with the reschedule option."
    assert pause(api, run).json()["status"] == "ACCEPT"
    assert api.again(task)["state_type"] == "PAUSED"


@pytest.mark.parametrize("version", ["0.8.0", "0.8.3", "0.8.4", "0.9.0"])
def test_resuming_by_versions(api, version):
    run = api.running_flow_run()
    pause(api, run)
    answer = api.post(f"/flow_runs/{run['id']}/resume", headers={"x-prefect-api-version": version})
    assert (answer.status_code, answer.json()["status"]) == (201, "ACCEPT")
    now = api.again(run)
    assert (now["run_count"], now["empirical_policy"]["resuming"]) == (2, True)


# Running again, cancelling, subflows.

def test_a_run_of_a_deployment_can_be_scheduled_again(api):
    flow = api.flow()
    deployment = api.deployment(flow)
    run = api.running_flow_run(flow=flow, deployment_id=deployment["id"],
                               empirical_policy={"pause_keys": ["k"], "resuming": True})
    api.moved(run, "FAILED")
    assert api.set_state(run, "SCHEDULED").json()["status"] == "ABORT"
    answer = api.set_state(run, {"type": "SCHEDULED", "name": "AwaitingRetry"})
    assert (answer.status_code, answer.json()["status"]) == (201, "ACCEPT")
    now = api.again(run)
    assert (now["end_time"], now["empirical_policy"]["pause_keys"], now["empirical_policy"]["resuming"]) == \
        (None, [], False)
    api.moved(run, "RUNNING")
    assert api.again(run)["run_count"] == 1  # the first time it ran, it was "resuming"


def test_a_run_without_a_deployment_cannot(api):
    run = api.running_flow_run(empirical_policy={"pause_keys": ["k"]})
    failed = api.moved(run, "FAILED")
    answer = api.set_state(run, {"type": "SCHEDULED", "name": "AwaitingRetry"})
    assert answer.json() == {"state": failed, **ABORT("Cannot restart a run without an associated deployment.")}
    assert api.again(run)["empirical_policy"]["pause_keys"] == []  # gone, though nothing moved


def test_cancelling(api):
    run = api.running_flow_run()
    api.moved(run, "CANCELLING")
    assert api.again(run)["end_time"] is None
    api.moved(run, "CANCELLED")
    assert api.again(run)["end_time"] is not None


def test_a_subflow_moves_its_parent_task(api):
    parent = api.running_flow_run()
    task = api.task_run(parent)
    child = api.flow_run(parent_task_run_id=task["id"])
    assert child["state"]["state_details"]["task_run_id"] == task["id"]
    state = api.moved(child, {"type": "RUNNING", "name": "Off", "message": "m", "data": 5})
    now = api.again(task)
    is_state(now["state"], "RUNNING", "Off", parent, task=task, message="m", data=5, child_flow_run_id=child["id"])
    assert now["state"]["id"] != state["id"]
    assert (now["run_count"], now["state_type"]) == (1, "RUNNING")
    assert state["state_details"]["child_flow_run_id"] is None
    api.moved(child, "COMPLETED")
    assert api.again(task)["state_type"] == "COMPLETED"
    assert api.set_state(child, "RUNNING").json()["status"] == "ABORT"
    assert api.again(task)["state_type"] == "COMPLETED"


def test_states_of_a_run_in_order(api):
    run = api.flow_run()
    states = [run["state"], api.moved(run, "RUNNING"), api.moved(run, {"type": "COMPLETED", "data": 1})]
    assert api.read(f"/flow_run_states/?flow_run_id={run['id']}") == states


def test_a_run_created_with_a_state(api):
    run = api.flow_run(state={"type": "RUNNING", "name": "x", "message": "m"})
    assert (run["run_count"], run["state_type"], run["state_name"], run["start_time"]) == \
        (1, "RUNNING", "x", run["state"]["timestamp"])
    assert api.flow_run(state={"type": "COMPLETED"})["end_time"] is None


def test_force_reads_many_words(api):
    for word in [True, 1, "true", "on", "YES", "t", "y", "1", 1.0]:
        run = api.flow_run()
        api.moved(run, "COMPLETED")
        assert api.set_state(run, "RUNNING", force=word).json()["status"] == "ACCEPT", word
    for word in [False, 0, "off", "n", "F", None]:
        run = api.flow_run()
        api.moved(run, "COMPLETED")
        assert api.set_state(run, "RUNNING", force=word).json()["status"] == "ABORT", word


def test_names_are_free(api):
    run = api.flow_run()
    name = unique("é\U0001f600 / %")
    assert api.moved(run, {"type": "RUNNING", "name": name})["name"] == name
    assert api.again(run)["state_name"] == name
