"""Many clients at once who want the same thing: one gets it, and no limit is passed."""
import json
import threading
import time
import uuid

import pytest

from tests.lib.load import Client, Threads


def at_once(count, call):
    """call(number) by so many threads at the same moment; the answers. `call` is given a client that is already
    connected."""
    barrier = threading.Barrier(count)

    def work(number, server):
        client = Client(server)
        client.get("/health")
        barrier.wait(30)
        return call(client, number)

    return lambda server: Threads(count, lambda number: work(number, server)).join()


def statuses(answers):
    return sorted(answer.value["status"] for answer in answers)


@pytest.mark.parametrize("kind", ["flow_runs", "task_runs"])
def test_one_of_many_moves_of_a_run_is_accepted(orion, client, kind):
    flow_run = client.flow_run(client.flow(), state={"type": "PENDING"})
    run = flow_run
    if kind == "task_runs":
        client.set_state("flow_runs", flow_run, "RUNNING")
        run = client.task_run(flow_run, state={"type": "PENDING"})
    answers = at_once(50, lambda one, _: one.set_state(kind, run, "RUNNING"))(orion)
    assert statuses(answers) == ["ABORT"] * 49 + ["ACCEPT"]
    after = client.get(f"/{kind}/{run['id']}").value
    accepted = next(answer.value for answer in answers if answer.value["status"] == "ACCEPT")
    assert (after["state_id"], after["state_type"], after["run_count"]) == (accepted["state"]["id"], "RUNNING", 1)
    table = kind.removesuffix("s")
    states = orion.execute(f"SELECT type FROM {table}_state WHERE {table}_id = ? ORDER BY timestamp", run["id"])
    assert states == [("PENDING",), ("RUNNING",)]


def made_once(answers):
    """All were given the same row, and one of them made it."""
    assert sorted(answer.status for answer in answers) == [200] * (len(answers) - 1) + [201]
    assert len({answer.value["id"] for answer in answers}) == 1


def test_one_row_for_one_key(orion, client):
    name = f"flow-{uuid.uuid4().hex}"
    made_once(at_once(32, lambda one, _: one.post("/flows/", {"name": name}))(orion))
    flow = client.flow()
    body = {"flow_id": flow["id"], "idempotency_key": "once", "state": {"type": "SCHEDULED"}}
    made_once(at_once(32, lambda one, _: one.post("/flow_runs/", body))(orion))
    flow_run = client.flow_run(flow)
    body = {"flow_run_id": flow_run["id"], "task_key": "task", "dynamic_key": "0"}
    made_once(at_once(32, lambda one, _: one.post("/task_runs/", body))(orion))


def test_no_more_runs_than_slots(orion, client):
    limit, count = 3, 32
    tag = uuid.uuid4().hex
    assert client.post("/concurrency_limits/", {"tag": tag, "concurrency_limit": limit}).status == 200
    flow_run = client.flow_run(client.flow(), state={"type": "RUNNING"})
    runs = [client.task_run(flow_run, tags=[tag], state={"type": "PENDING"}) for _ in range(count)]
    lock = threading.Lock()
    active, most, waits = set(), 0, 0

    def work(one, number):
        nonlocal most, waits
        deadline = time.monotonic() + 40
        while (status := one.set_state("task_runs", runs[number], "RUNNING").value["status"]) != "ACCEPT":
            assert status == "WAIT" and time.monotonic() < deadline
            waits += 1
            time.sleep(0.02)
        with lock:  # a run counts as active only while it certainly is: from after its start to before its end
            active.add(number)
            most = max(most, len(active))
        slots = orion.execute("SELECT active_slots FROM concurrency_limit WHERE tag = ?", tag)[0][0]
        assert len(json.loads(slots)) <= limit and runs[number]["id"] in json.loads(slots)
        time.sleep(0.01)
        with lock:
            active.remove(number)
        assert one.set_state("task_runs", runs[number], "COMPLETED").value["status"] == "ACCEPT"

    at_once(count, work)(orion)
    assert most <= limit
    assert most > 1 and waits > 0, "there was no contention"
    assert client.get(f"/concurrency_limits/tag/{tag}").value["active_slots"] == []
    assert {client.get(f"/task_runs/{run['id']}").value["state_type"] for run in runs} == {"COMPLETED"}


def test_readers_and_writers_together_are_all_served(orion, client):
    flow = client.flow()
    flow_filter = {"flows": {"id": {"any_": [flow["id"]]}}}

    def work(one, number):
        for _ in range(10):
            if number % 2:
                run = one.flow_run(flow)
                # one's own write is there at once
                assert one.get(f"/flow_runs/{run['id']}").value["state"] == run["state"]
                continue
            found = one.post("/flow_runs/filter", flow_filter)
            assert found.status == 200
            assert all(run["state"]["id"] == run["state_id"] for run in found.value)

    at_once(32, work)(orion)
    assert client.post("/flow_runs/count", flow_filter) == (200, 160)


def test_a_failure_among_writes_that_are_committed_together_harms_no_other(orion, client):
    flow = client.flow()
    run = client.flow_run(flow, state={"type": "RUNNING"})

    def work(number):
        one = Client(orion)
        if number % 3 == 0:
            return one.post("/flow_runs/", {"flow_id": str(uuid.uuid4())}).status  # breaks a foreign key
        if number % 3 == 1:
            return one.set_state("flow_runs", run, "RUNNING").value["status"]
        return one.post("/flow_runs/", {"flow_id": flow["id"], "name": f"together-{number}"}).status

    with orion.store.write_lock():  # they gather while they wait
        threads = Threads(30, work)
        time.sleep(0.5)
    assert threads.join() == [409, "ABORT", 201] * 10
    names = orion.execute("SELECT name FROM flow_run WHERE name LIKE 'together-%'")
    assert {name for name, in names} == {f"together-{number}" for number in range(2, 30, 3)}
    assert orion.execute("SELECT COUNT(*) FROM flow_run_state WHERE flow_run_id = ?", run["id"]) == [(1,)]
