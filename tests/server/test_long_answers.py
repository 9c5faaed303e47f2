"""Answers of many megabytes: they take little memory, whoever reads them slowly holds nobody up, and the room for them
has a bound. The short form has 40 MB for a list, the long one 300 MB."""
import http.client
import json
import os
import sqlite3
import threading
import time

import pytest

from tests.lib.load import Client, Threads, Wire, memory, request
from tests.server.disk import small_disk

FULL = os.environ.get("ORION_TEST_FULL") == "1"
RUNS = 150 if FULL else 20
LONG = 2_000_000  # bytes of one run's parameters
PEAK_MAX = 64  # MB, resident, while four clients get such a list
ALL = {"limit": 200, "sort": "START_TIME_DESC"}
PATIENT = {"PREFECT_ORION_DATABASE_TIMEOUT": "300"}


def fill(server, count, value="x" * LONG):
    """Runs with long parameters, and the flow that they belong to."""
    client = Client(server)
    flow = client.flow()
    runs = [client.flow_run(flow, name=f"long-{number}", state={"type": "PENDING"}) for number in range(count)]
    server.execute("UPDATE flow_run SET parameters = ? WHERE flow_id = ?", json.dumps({"value": value}),
                   flow["id"])
    return flow, runs


def forget_peak(server):
    with open(f"/proc/{server.process.pid}/clear_refs", "w") as file:
        file.write("5")


def nameless_files(server):
    """Sizes of the open files that have no name and hold answers: more than one in memory would have. SQLite sorts in
    others."""
    folder = f"/proc/{server.process.pid}/fd"
    found = []
    for entry in os.listdir(folder):
        try:
            path, size = os.readlink(f"{folder}/{entry}"), os.stat(f"{folder}/{entry}").st_size
        except OSError:
            continue
        if path.endswith("(deleted)") and "/etilqs" not in path and size > 1 << 20:
            found.append(size)
    return found


def wait_until(condition):
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def bytes_of_list(server, body):
    """How long the answer is; read in pieces, since this process has a memory too."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    connection.request("POST", "/api/flow_runs/filter", json.dumps(body), {"content-type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read(1000)
    assert answer.getheader("content-type") == "application/json"
    count = 0
    while piece := answer.read(1 << 20):
        count += len(piece)
    assert count == int(answer.getheader("content-length"))
    connection.close()
    return count


@pytest.mark.parametrize("value", ["x" * LONG, [0] * (LONG // 3)], ids=["text", "numbers"])
def test_four_long_lists_at_once_take_little_memory(start, value):
    """Both are stored as text of this length; the numbers lose the spaces after their commas in an answer."""
    server = start(**PATIENT)
    fill(server, RUNS, value)
    forget_peak(server)
    assert min(Threads(4, lambda _: bytes_of_list(server, ALL)).join(900)) > RUNS * LONG * 2 / 3
    assert memory(server, "VmHWM") < PEAK_MAX


def test_a_long_list_is_what_a_short_one_would_be(start):
    server = start(**PATIENT)
    client = Client(server, timeout=300)
    _, runs = fill(server, 5, "\N{LATIN SMALL LETTER E WITH ACUTE}" * LONG)
    runs = [client.get(f"/flow_runs/{run['id']}").value for run in runs]
    at_once = client.post("/flow_runs/filter", ALL).value
    changing = ("estimated_start_time_delta", "estimated_run_time")
    for run in runs + at_once:
        for key in changing:
            del run[key]
    assert sorted(at_once, key=lambda run: run["id"]) == sorted(runs, key=lambda run: run["id"])
    one_by_one = [client.post("/flow_runs/filter", ALL | {"limit": 1, "offset": number}).value[0]["id"]
                  for number in range(5)]
    assert [run["id"] for run in at_once] == one_by_one


def long_logs(client, flow, run):
    for _ in range(4):
        message = {"name": "x", "level": 20, "message": "m" * 900_000, "timestamp": "2026-01-01T00:00:00Z",
                   "flow_run_id": run["id"]}
        assert client.post("/logs/", [message]).status == 201
    return "POST", "/logs/filter", {"logs": {"flow_run_id": {"any_": [run["id"]]}}}


def long_states(client, flow, run):
    for number in range(4):
        state = {"type": "RUNNING", "name": f"Step{number}", "message": "m" * 900_000}
        assert client.post(f"/flow_runs/{run['id']}/set_state", {"state": state, "force": True}).status == 201
    return "GET", f"/flow_run_states/?flow_run_id={run['id']}", None


def long_graph(client, flow, run):
    for _ in range(4):
        client.task_run(run, state={"type": "PENDING", "message": "m" * 900_000})
    return "GET", f"/flow_runs/{run['id']}/graph", None


def long_blocks(client, flow, run):
    kind = client.made("/block_types/", {"name": "Long", "slug": "long"})
    schema = client.made("/block_schemas/", {"block_type_id": kind["id"], "capabilities": [], "fields": {
        "title": "Long", "type": "object", "properties": {"text": {"type": "string"}}, "block_schema_references": {}}})
    for number in range(4):
        client.made("/block_documents/", {"name": f"long-{number}", "data": {"text": "m" * 900_000},
                                          "block_schema_id": schema["id"], "block_type_id": kind["id"]})
    return "POST", "/block_documents/filter", {}


@pytest.mark.parametrize("make", [long_logs, long_states, long_graph, long_blocks])
def test_whoever_reads_slowly_keeps_neither_thread_nor_snapshot(start, make):
    server = start(**PATIENT)
    client = Client(server)
    flow = client.flow()
    method, path, body = make(client, flow, client.flow_run(flow))
    slow = [Wire(server) for _ in range(12)]  # more than there are threads for reads
    for wire in slow:
        wire.send(request(method, path, body))
    wait_until(lambda: len(nameless_files(server)) == len(slow))
    client = Client(server, timeout=300)
    client.flow_run(flow)
    assert client.post("/flow_runs/count", {"flow_runs": {}}).value == 2
    if server.engine == "sqlite":
        other = sqlite3.connect(server.store.path, timeout=60)
        busy, *_ = other.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        other.close()
        assert busy == 0
    else:
        assert server.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                              " AND state LIKE 'idle in transaction%'") == [(0,)]
    expected = client.request(method, path, body)
    for wire in slow[:2]:
        status, text = wire.answer()
        assert (status, json.loads(text)) == (200, expected.value)
    for wire in slow:
        wire.__exit__()
    wait_until(lambda: not nameless_files(server))


def test_room_for_long_answers_has_a_bound(start):
    server = start(**PATIENT, ORION_SERVER_SPOOL="7MB")
    client = Client(server, timeout=300)
    fill(server, 5)
    answer = client.post("/flow_runs/filter", ALL)
    assert answer.status == 507
    assert "7000000 bytes of ORION_SERVER_SPOOL" in answer.value["exception_message"]
    assert nameless_files(server) == []
    three = ALL | {"limit": 3}
    with Wire(server) as slow:
        slow.send(request("POST", "/flow_runs/filter", three))
        wait_until(lambda: max(nameless_files(server), default=0) > 3 * LONG)
        client = Client(server, timeout=300)
        answer = client.post("/flow_runs/filter", three)
        assert answer.status == 503
        assert answer.value["exception_message"].startswith("Other long answers take all 7000000 bytes")
        assert client.post("/flow_runs/filter", ALL | {"limit": 0}) == (200, [])
    wait_until(lambda: not nameless_files(server))
    assert Client(server, timeout=300).post("/flow_runs/filter", three).status == 200


def test_without_room_for_files_long_answers_are_refused(start, tmp_path):
    server = start(**PATIENT, TMPDIR=str(tmp_path / "nowhere"))
    client = Client(server)
    fill(server, 3)
    answer = client.post("/flow_runs/filter", ALL | {"sort": "ID_DESC"})
    assert answer.status == 503
    assert answer.value["exception_message"] == \
        "The answer is long, and its temporary file cannot be written: No such file or directory"
    assert f"A long answer needs a temporary file in {tmp_path}/nowhere: No such file or directory" in server.log()
    assert Client(server).post("/flow_runs/count", {}) == (200, 3)


@pytest.fixture
def tiny_folder(tmp_path):
    with small_disk(tmp_path / "tiny", 1 << 20) as folder:
        yield folder


@pytest.mark.only("sqlite")
def test_a_full_folder_of_temporary_files_refuses_long_reads_only(start, tiny_folder):
    server = start(**PATIENT, TMPDIR=str(tiny_folder), SQLITE_TMPDIR=str(tiny_folder))
    client = Client(server)
    flow = client.flow()
    for number in range(4):
        client.flow_run(flow, parameters={"text": "x" * LONG})
        # Lists are ordered before their rows are read, so only a long key makes the sorter large.
        made = client.post("/work_queues/", {"name": f"{number}" * LONG})
        assert made.status == 201, made
    for path, body, reason in [
            ("/flow_runs/filter", {"limit": 200, "sort": "START_TIME_DESC"},
             "The answer is long, and its temporary file cannot be written: No space left on"),
            ("/work_queues/filter", {"limit": 200},
             "There is no room for a temporary file that this read needs to sort")]:
        answer = Client(server).post(path, body)
        assert (answer.status, answer.value["exception_message"].startswith(reason)) == (503, True), answer
    assert Client(server).post("/flow_runs/count", {}) == (200, 4)
    assert Client(server).get("/ready").status == 200


def cpu_seconds(server):
    with open(f"/proc/{server.process.pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_nobody_works_for_clients_that_have_gone(start):
    """A burst of slow lists whose clients leave, then counts: those do not wait for what nobody reads."""
    server = start(**PATIENT)
    client = Client(server, timeout=300)
    fill(server, RUNS)
    before = cpu_seconds(server)
    bytes_of_list(server, ALL)
    one = cpu_seconds(server) - before
    gone = [Wire(server) for _ in range(40)]
    before = cpu_seconds(server)
    for wire in gone:
        wire.send(request("POST", "/flow_runs/filter", ALL))
    for wire in gone:
        wire.__exit__()
    assert Threads(16, lambda _: Client(server).post("/flow_runs/count", {})).join() == [(200, RUNS)] * 16
    wait_until(lambda: not nameless_files(server))
    time.sleep(1)
    assert cpu_seconds(server) - before < 20 * one


def test_counts_pass_slow_lists(start):
    """More slow lists than there are threads for reads, by clients that wait; counts that come later are first."""
    server = start(**PATIENT)
    fill(server, RUNS)
    ended = []
    begun = threading.Barrier(13)

    def slow(_):
        with Wire(server, timeout=900) as wire:
            wire.send(request("POST", "/flow_runs/filter", ALL))
            begun.wait()
            assert wire.stream.readline().split()[1] == b"200"
            ended.append("list")

    lists = Threads(12, slow)
    begun.wait()
    for _ in range(8):
        assert Client(server, timeout=300).post("/flow_runs/count", {}) == (200, RUNS)
        ended.append("count")
    lists.join(900)
    assert ended[:10].count("count") >= 4, ended
