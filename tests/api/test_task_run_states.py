"""set_state of task runs: every rule of the tasks' policy, with the exact answer."""
import datetime

import pytest

from tests.lib.api_client import unique
from tests.lib.differences import expected
from tests.lib.shapes import ABORT, ACCEPT, REJECT, is_state, outcome, seconds_ago

TYPES = ["SCHEDULED", "PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "CRASHED", "PAUSED", "CANCELLING"]
TERMINAL = ["COMPLETED", "FAILED", "CANCELLED", "CRASHED"]
PROGRESS = {"SCHEDULED": 1, "PENDING": 2, "RUNNING": 3, "CANCELLING": 4}


def in_seconds(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).isoformat()


@pytest.fixture(scope="module")
def parent(api):
    return api.running_flow_run()


def expected_task_transition(initial, proposed):
    if initial in TERMINAL:
        if proposed == "RUNNING" and initial != "COMPLETED":
            return ACCEPT  # it never ran under this flow run's first attempt: a rerun with its flow
        return ABORT("This run has already terminated.")
    if initial in PROGRESS and proposed in PROGRESS and PROGRESS[proposed] <= PROGRESS[initial]:
        return ABORT(
            f"This run cannot transition to the StateType.{proposed} state from the StateType.{initial} state.")
    return ACCEPT


@pytest.mark.parametrize("initial", TYPES)
@pytest.mark.parametrize("proposed", TYPES)
def test_every_transition(api, parent, initial, proposed):
    task = api.task_run(parent)
    before = api.moved(task, initial, force=True)
    answer = api.set_state(task, proposed)
    assert outcome(answer) == expected_task_transition(initial, proposed)
    if answer.json()["status"] == "ACCEPT":
        assert answer.status_code == 201
        assert api.again(task)["state"] == answer.json()["state"]
    else:
        assert answer.status_code == 200
        assert api.again(task)["state"] == before == answer.json()["state"]


def test_the_state_in_the_answer(api, parent):
    task = api.task_run(parent)
    state = api.moved(task, {"type": "RUNNING", "data": {"x": 1},
                             "state_details": {"cache_expiration": "2030-01-01T00:00:00", "pause_reschedule": "yes"}})
    is_state(state, "RUNNING", "Running", parent, task=task, data={"x": 1},
             cache_expiration="2030-01-01T00:00:00+00:00", pause_reschedule=True)
    assert api.again(task)["state"] == state
    assert api.read(f"/task_run_states/{state['id']}") == state
    assert api.read(f"/task_run_states/?task_run_id={task['id']}") == [task["state"], state]


# The flow run above it.

@pytest.mark.parametrize("state", ["SCHEDULED", "PENDING", "COMPLETED", "FAILED", "CANCELLING", "CANCELLED", "CRASHED"])
def test_tasks_do_not_run_in_a_flow_that_does_not(api, state):
    flow_run = api.flow_run(state={"type": state})
    task = api.task_run(flow_run)
    answer = api.set_state(task, "RUNNING")
    assert answer.status_code == 200
    assert answer.json() == {"state": task["state"],
                             **ABORT("The enclosing flow must be running to begin task execution.")}
    assert api.set_state(task, "RUNNING", force=True).status_code == 201


def test_tasks_of_a_paused_flow_are_paused(api):
    flow_run = api.running_flow_run()
    task = api.task_run(flow_run)
    api.moved(flow_run, "PAUSED")
    answer = api.set_state(task, "RUNNING")
    assert answer.status_code == 201
    assert outcome(answer) == \
        REJECT(f"The flow is paused, new tasks can execute after resuming flow run: {flow_run['id']}.")
    is_state(answer.json()["state"], "PAUSED", "NotReady", flow_run, task=task)
    assert api.again(task)["state"] == answer.json()["state"]
    assert api.again(task)["run_count"] == 0
    api.post(f"/flow_runs/{flow_run['id']}/resume")
    assert api.set_state(task, "RUNNING").json()["status"] == "ACCEPT"


def test_the_flows_attempt_is_noted(api):
    flow_run = api.running_flow_run(empirical_policy={"retries": 2, "retry_delay": 0})
    task = api.task_run(flow_run)
    api.moved(task, "RUNNING")
    assert (api.again(task)["run_count"], api.again(task)["flow_run_run_count"]) == (1, 1)
    api.moved(task, "FAILED")
    assert outcome(api.set_state(task, "RUNNING")) == ABORT("This run has already terminated.")
    assert api.set_state(flow_run, "FAILED").json()["status"] == "REJECT"
    api.moved(flow_run, "RUNNING")
    answer = api.set_state(task, "RUNNING")
    assert (answer.status_code, outcome(answer), answer.json()["state"]["name"]) == (201, ACCEPT, "Retrying")
    now = api.again(task)
    assert (now["run_count"], now["flow_run_run_count"], now["end_time"]) == (1, 2, None)


@pytest.mark.parametrize("final, outcome_again",
                         [("FAILED", "ACCEPT"), ("CRASHED", "ACCEPT"), ("CANCELLED", "ACCEPT"), ("COMPLETED", "ABORT")])
def test_which_tasks_run_again_with_their_flow(api, final, outcome_again):
    flow_run = api.running_flow_run(empirical_policy={"retries": 1})
    task = api.task_run(flow_run)
    api.moved(task, "RUNNING")
    api.moved(task, final)
    api.set_state(flow_run, "FAILED")
    api.moved(flow_run, "RUNNING")
    for state in ["PENDING", "SCHEDULED", "PAUSED"]:
        assert api.set_state(task, state).json()["status"] == "ABORT"
    assert api.set_state(task, "RUNNING").json()["status"] == outcome_again


# Retries.

def test_retries_with_a_list_of_delays(api, parent):
    task = api.task_run(parent, empirical_policy={"retries": 3, "retry_delay": [100, 200]})
    for delay in [100, 200, 200]:
        api.moved(task, "RUNNING", force=True)
        answer = api.set_state(task, {"type": "FAILED", "message": "why", "data": [1]})
        assert (answer.status_code, outcome(answer)) == (201, REJECT("Retrying"))
        state = answer.json()["state"]
        assert (state["type"], state["name"], state["message"], state["data"]) == \
            ("SCHEDULED", "AwaitingRetry", "why", [1])
        assert delay - 10 < -seconds_ago(state["state_details"]["scheduled_time"]) <= delay
    api.moved(task, "RUNNING", force=True)
    assert api.set_state(task, "FAILED").json()["status"] == "ACCEPT"
    assert api.again(task)["run_count"] == 4


def test_retries_with_jitter(api, parent):
    for _ in range(5):
        task = api.task_run(parent, empirical_policy={"retries": 1, "retry_delay": 100, "retry_jitter_factor": 0.5})
        api.moved(task, "RUNNING")
        state = api.set_state(task, "FAILED").json()["state"]
        assert 40 < -seconds_ago(state["state_details"]["scheduled_time"]) <= 150


def test_names_of_further_runs(api, parent):
    task = api.task_run(parent, empirical_policy={"retries": 1})
    api.moved(task, "RUNNING")
    api.set_state(task, "FAILED")
    assert api.moved(task, {"type": "RUNNING", "name": "mine"})["name"] == "Retrying"
    other = api.task_run(parent)
    api.moved(other, "RUNNING")
    api.moved(other, "PENDING", force=True)
    assert api.moved(other, "RUNNING")["name"] == "Rerunning"


@pytest.mark.parametrize("policy, outcome_",
                         [({}, "ACCEPT"), ({"retries": 0}, "ACCEPT"), ({"retries": 1}, "REJECT"),
                          ({"max_retries": 1}, "REJECT"), ({"max_retries": 0, "retries": 2}, "REJECT")])
def test_which_policies_retry(api, parent, policy, outcome_):
    task = api.task_run(parent, empirical_policy=policy)
    api.moved(task, "RUNNING")
    assert api.set_state(task, "FAILED").json()["status"] == outcome_


def test_crashed_and_cancelled_are_not_retried(api, parent):
    for state in ["CRASHED", "CANCELLED", "COMPLETED"]:
        task = api.task_run(parent, empirical_policy={"retries": 1})
        api.moved(task, "RUNNING")
        api.moved(task, state)


def test_waits_for_the_scheduled_time(api, parent):
    task = api.task_run(parent, state={"type": "SCHEDULED", "state_details": {"scheduled_time": in_seconds(100)}})
    answer = api.set_state(task, "RUNNING")
    details = answer.json()["details"]
    assert (answer.status_code, answer.json()["status"], answer.json()["state"]) == \
        (200, "WAIT", api.again(task)["state"])
    assert 90 <= details.pop("delay_seconds") <= 100
    assert details == {"type": "wait_details", "reason": "Scheduled time is in the future"}


# Caching.

def cached(api, parent, key, data=1, **details):
    task = api.task_run(parent)
    api.moved(task, "RUNNING")
    return task, api.moved(task, {"type": "COMPLETED", "name": "Done", "message": "m", "data": data,
                                  "state_details": {"cache_key": key, **details}})


def run_with_key(api, parent, key, **details):
    task = api.task_run(parent)
    return task, api.set_state(task, {"type": "RUNNING", "state_details": {"cache_key": key, **details}})


def test_a_cached_state_is_given_back(api, parent):
    key = unique("cache")
    first, state = cached(api, parent, key, data={"x": 1})
    second, answer = run_with_key(api, parent, key)
    assert (answer.status_code, outcome(answer)) == (201, REJECT("Retrieved state from cache"))
    is_state(answer.json()["state"], "COMPLETED", "Cached", parent, task=second, message="m", data={"x": 1},
             cache_key=key)
    assert answer.json()["state"]["id"] != state["id"]
    now = api.again(second)
    assert now["state"] == answer.json()["state"]
    assert (now["run_count"], now["start_time"], now["end_time"]) == (0, None, None)


def test_the_last_cached_state_wins(api, parent):
    key = unique("cache")
    cached(api, parent, key, data=1)
    cached(api, parent, key, data=2)
    assert run_with_key(api, parent, key)[1].json()["state"]["data"] == 2


def test_refresh_and_expiry_of_the_cache(api, parent):
    key = unique("cache")
    cached(api, parent, key)
    assert run_with_key(api, parent, key, refresh_cache=True)[1].json()["status"] == "ACCEPT"
    assert run_with_key(api, parent, key, refresh_cache=False)[1].json()["status"] == "REJECT"
    assert run_with_key(api, parent, unique("cache"))[1].json()["status"] == "ACCEPT"
    key = unique("cache")
    cached(api, parent, key, cache_expiration=in_seconds(-1))
    assert run_with_key(api, parent, key)[1].json()["status"] == "ACCEPT"
    cached(api, parent, key, cache_expiration=in_seconds(100))
    assert run_with_key(api, parent, key)[1].json()["status"] == "REJECT"


def test_only_completed_states_without_force_are_cached(api, parent):
    key = unique("cache")
    task = api.task_run(parent)
    api.moved(task, {"type": "COMPLETED", "state_details": {"cache_key": key}}, force=True)
    other = api.task_run(parent)
    api.moved(other, {"type": "CRASHED", "state_details": {"cache_key": key}})
    assert run_with_key(api, parent, key)[1].json()["status"] == "ACCEPT"


def test_a_cached_state_of_a_deleted_run_is_gone(api, parent):
    key = unique("cache")
    task, _ = cached(api, parent, key, data=None)
    assert api.delete(f"/task_runs/{task['id']}").status_code == 204
    assert run_with_key(api, parent, key)[1].json()["status"] == "ACCEPT"


# Concurrency limits.

def limit(api, slots, tag=None):
    return api.made("/concurrency_limits/", {"tag": tag or unique("tag"), "concurrency_limit": slots}, status=200)


def slots(api, limit):
    return api.read(f"/concurrency_limits/{limit['id']}")["active_slots"]


def test_slots_are_taken_and_given_back(api, parent):
    one = limit(api, 1)
    first, second = [api.task_run(parent, tags=[one["tag"], "other"]) for _ in range(2)]
    api.moved(first, "RUNNING")
    assert slots(api, one) == [first["id"]]
    answer = api.set_state(second, "RUNNING")
    assert answer.status_code == 200
    assert answer.json() == {"state": second["state"], "status": "WAIT",
                             "details": {"type": "wait_details", "delay_seconds": 30,
                                         "reason": f"Concurrency limit for the {one['tag']} tag has been reached"}}
    api.moved(first, "COMPLETED")
    assert slots(api, one) == []
    api.moved(second, "RUNNING")
    assert slots(api, one) == [second["id"]]


def test_a_tag_with_a_null_byte_takes_its_own_slot(api, parent):
    if api.engine == "postgresql":
        pytest.skip("PostgreSQL stores no such text")
    one = limit(api, 1)
    other = limit(api, 1, tag=one["tag"] + "\0b")
    task = api.task_run(parent, tags=[other["tag"]])
    api.moved(task, "RUNNING")
    assert (slots(api, one), slots(api, other)) == ([], [task["id"]])


@pytest.mark.parametrize("state, held", [("CANCELLING", True), ("COMPLETED", False), ("FAILED", False),
                                         ("CRASHED", False), ("PAUSED", False), ("CANCELLED", False)])
def test_which_states_keep_the_slot(api, parent, state, held):
    for force in [False, True]:
        one = limit(api, 1)
        task = api.task_run(parent, tags=[one["tag"]])
        api.moved(task, "RUNNING")
        api.moved(task, state, force=force)
        assert (slots(api, one) == [task["id"]]) is held


def test_a_limit_of_zero_aborts(api, parent):
    none = limit(api, 0)
    task = api.task_run(parent, tags=[none["tag"]])
    answer = api.set_state(task, "RUNNING")
    assert answer.status_code == 200
    assert outcome(answer) == \
        ABORT(f'The concurrency limit on tag "{none["tag"]}" is 0 and will deadlock if the task tries to run again.')
    assert slots(api, none) == []


def test_force_takes_no_slot(api, parent):
    one = limit(api, 1)
    for _ in range(2):
        task = api.task_run(parent, tags=[one["tag"]])
        api.moved(task, "RUNNING", force=True)
    assert slots(api, one) == []


def test_a_refused_transition_takes_no_slot(api, parent):
    one = limit(api, 1)
    flow_run = api.flow_run()
    task = api.task_run(flow_run, tags=[one["tag"]])
    assert api.set_state(task, "RUNNING").json()["status"] == "ABORT"
    waiting = api.task_run(parent, tags=[one["tag"]],
                           state={"type": "SCHEDULED", "state_details": {"scheduled_time": in_seconds(100)}})
    assert api.set_state(waiting, "RUNNING").json()["status"] == "WAIT"
    assert slots(api, one) == []


def test_a_retry_gives_the_slot_back(api, parent):
    one = limit(api, 1)
    task = api.task_run(parent, tags=[one["tag"]], empirical_policy={"retries": 1})
    api.moved(task, "RUNNING")
    assert api.set_state(task, "FAILED").json()["status"] == "REJECT"
    assert slots(api, one) == []


def test_two_tags_one_full(api, parent):
    names = sorted([unique("a"), unique("b")])
    full, free = limit(api, 1, names[1]), limit(api, 1, names[0])
    holder = api.task_run(parent, tags=[full["tag"]])
    api.moved(holder, "RUNNING")
    task = api.task_run(parent, tags=[free["tag"], full["tag"]])
    assert api.set_state(task, "RUNNING").json()["status"] == "WAIT"
    held = expected("slot of a waiting task", api.kind)
    assert slots(api, free) in held(task["id"])


def test_a_task_may_hold_its_slot_twice(api, parent):
    two = limit(api, 2)
    task = api.task_run(parent, tags=[two["tag"], two["tag"]])
    api.moved(task, "RUNNING")
    assert slots(api, two) == [task["id"]]


def test_times_and_counts_of_a_task(api, parent):
    task = api.task_run(parent)
    running = api.moved(task, "RUNNING")
    now = api.again(task)
    assert (now["run_count"], now["start_time"], now["end_time"], now["state_id"]) == \
        (1, running["timestamp"], None, running["id"])
    done = api.moved(task, "COMPLETED")
    now = api.again(task)
    assert (now["end_time"], now["state_name"]) == (done["timestamp"], "Completed")
    assert 0 < now["total_run_time"] < 60
