"""What was answered is in the database, whole, whatever happens to the process."""
import os
import resource
import signal
import time

import pytest

from tests.lib.load import LOST, Client, Threads

THREADS = 16
WRITES = 600  # answered before the server dies


class Journal:
    """What clients were told: the ids of runs, and of states with their runs."""

    def __init__(self):
        self.runs = []
        self.states = []

    def __len__(self):
        return len(self.runs) + len(self.states)


def write_until_lost(server, flow, journal):
    """Makes runs and moves them on until the connection breaks; true: it broke."""
    client = Client(server)
    try:
        while True:
            run = client.flow_run(flow, state={"type": "PENDING"})
            journal.runs.append((run["id"], run["state_id"]))
            answer = client.set_state("flow_runs", run, "RUNNING")
            assert answer.status == 201 and answer.value["status"] == "ACCEPT", answer
            journal.states.append((run["id"], answer.value["state"]["id"]))
    except LOST:
        return True


def assert_whole(server):
    """No damage, and no run without the state that it names."""
    if server.engine == "sqlite":
        assert server.execute("PRAGMA integrity_check") == [("ok",)]
        assert server.execute("PRAGMA foreign_key_check") == []
    halves = server.execute(
        "SELECT flow_run.id FROM flow_run LEFT JOIN flow_run_state AS state"
        " ON state.id = flow_run.state_id AND state.flow_run_id = flow_run.id"
        " WHERE state.id IS NULL OR state.type != flow_run.state_type"
    )
    assert halves == []


def assert_kept(server, journal):
    states = dict(server.execute("SELECT id, flow_run_id FROM flow_run_state"))
    runs = {row[0] for row in server.execute("SELECT id FROM flow_run")}
    lost = [run for run, state in journal.runs if run not in runs or states.get(state) != run]
    lost += [state for run, state in journal.states if states.get(state) != run]
    assert lost == []


def test_answered_writes_survive_kill_9(start):
    journal = Journal()
    for _ in range(2):  # the second time on a file that was left with its log
        server = start()
        flow = Client(server).flow()
        goal = len(journal) + WRITES
        threads = Threads(THREADS, lambda _, s=server, f=flow: write_until_lost(s, f, journal))
        deadline = time.monotonic() + 30
        while len(journal) < goal and time.monotonic() < deadline and not threads.failures:
            time.sleep(0.01)
        server.signal(signal.SIGKILL)
        assert all(threads.join()), "no thread may end before the server does"
        assert len(journal) >= goal
        assert server.engine == "postgresql" or (server.home / "orion.db-wal").exists()
    server = start()
    assert_whole(server)
    assert_kept(server, journal)
    client = Client(server)
    for run, state in journal.states[-THREADS:]:
        answer = client.get(f"/flow_runs/{run}").value
        assert (answer["state_id"], answer["state_type"], answer["run_count"]) == (state, "RUNNING", 1)
    assert client.post("/flow_runs/count").value == server.execute("SELECT COUNT(*) FROM flow_run")[0][0]


def test_writes_of_two_servers_on_one_database_are_all_there(start):
    both = [start(), start()]
    flow = Client(both[0]).flow()
    journal = Journal()

    def write(number):
        client = Client(both[number % 2])
        for _ in range(25):
            run = client.flow_run(flow)
            journal.runs.append((run["id"], run["state_id"]))
            other = Client(both[1 - number % 2])
            assert other.get(f"/flow_runs/{run['id']}").status == 200  # what one answered, the other sees

    Threads(8, write).join()
    assert len(journal) == 200
    assert_whole(both[0])
    assert_kept(both[0], journal)


def limit_files(server, size):
    """No file of the server's may grow beyond so many bytes."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.mark.only("sqlite")
def test_a_limit_of_files_fails_writes_and_nothing_else(start):
    server = start()
    client = Client(server)
    flow = client.flow()
    first = client.flow_run(flow)
    limit_files(server, os.path.getsize(f"{server.store.path}-wal") + 300_000)

    def write(number):
        one = Client(server)
        body = {"flow_id": flow["id"], "parameters": {"long": "x" * 20_000}}
        return [(answer.status, answer.value) for answer in (one.post("/flow_runs/", body) for _ in range(5))]

    answers = [answer for answers in Threads(8, write).join() for answer in answers]
    made = {value["id"] for status, value in answers if status == 201}
    assert {status for status, _ in answers} == {201, 503}
    assert [value for status, value in answers if status == 503][0] == {
        "exception_message": "The database has reached the largest size that its file system or a limit of the process "
                             "allows: nothing can be stored"}
    assert client.get(f"/flow_runs/{first['id']}").status == 200
    assert client.post("/flow_runs/count").value == 1 + len(made)
    limit_files(server, resource.RLIM_INFINITY)
    made.add(client.flow_run(flow)["id"])
    assert {row[0] for row in server.execute("SELECT id FROM flow_run")} == {first["id"], *made}
    assert_whole(server)
    assert server.stop() == 0
