"""What was answered is in the database, whole, beside another server and on a full disk; test_crashes.py kills
servers."""
import os
import resource

import pytest

from tests.lib.check import assert_clean
from tests.lib.load import Client, Threads

def test_writes_of_two_servers_on_one_database_are_all_there(start):
    both = [start(), start()]
    flow = Client(both[0]).flow()
    runs = []

    def write(number):
        client = Client(both[number % 2])
        for _ in range(25):
            run = client.flow_run(flow)
            runs.append((run["id"], run["state_id"]))
            other = Client(both[1 - number % 2])
            assert other.get(f"/flow_runs/{run['id']}").status == 200  # what one answered, the other sees

    Threads(8, write).join()
    assert len(runs) == 200
    assert sorted(both[0].execute("SELECT id, state_id FROM flow_run")) == sorted(runs)
    assert_clean(both[0].store)


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
    assert_clean(server.store)
    assert server.stop() == 0
