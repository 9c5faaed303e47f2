"""How fast a start is: processor time until the first answer, since other programs may run beside; and that it does not
depend on how large the database is."""
import os
import time

from tests.lib import servers
from tests.lib.load import Client

EMPTY_MAX, EXISTING_MAX = 200, 50  # milliseconds
TRIES = 3
RUNS = 50_000
PAGES_MAX = 1 << 20  # bytes that a large database may cost more than a small one


def processor_time(process):
    """Of all its threads so far, in milliseconds."""
    folder = f"/proc/{process.pid}/task"
    total = 0
    for thread in os.listdir(folder):
        with open(f"{folder}/{thread}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e6


def bytes_read(process):
    with open(f"/proc/{process.pid}/io", encoding="ascii") as file:
        return int(file.readline().split()[1])  # rchar


def start(home):
    """A start on that home's database up to the first answer, and the end: (processor time, bytes read)."""
    server = servers.Server("orion", home=home)
    try:
        while not server.is_healthy():
            time.sleep(0.005)
        return processor_time(server.process), bytes_read(server.process)
    finally:
        assert server.stop() == 0


def fill(home):
    """Runs with all that a start might look at: many are due, many have ended."""
    store = servers.Store.of_home("sqlite", home)
    store.execute("INSERT INTO flow (id, name) VALUES ('f', 'f')")
    store.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        " INSERT INTO flow_run (id, name, flow_id, state_type, state_name, expected_start_time, parameters)"
        " SELECT 'run-' || i, 'name-' || i, 'f', 'COMPLETED', 'Completed', '2026-01-01 00:00:00.000000',"
        " '{\"x\": \"' || printf('%.*c', 1000, 'x') || '\"}' FROM n", RUNS)


def test_an_empty_database(tmp_path):
    times = []
    for number in range(TRIES):
        home = tmp_path / str(number)
        home.mkdir()
        times.append(start(home)[0])
    assert min(times) < EMPTY_MAX, times


def test_an_existing_database_of_any_size(tmp_path):
    start(tmp_path)
    small = [start(tmp_path) for _ in range(TRIES)]
    fill(tmp_path)
    with servers.running("orion", home=tmp_path) as server:  # makes what a database with runs needs once
        deadline = time.monotonic() + 60
        while not server.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert Client(server).post("/flow_runs/count", {}).value == RUNS
    large = [start(tmp_path) for _ in range(TRIES)]
    assert os.path.getsize(tmp_path / "orion.db") > 50 << 20
    for starts in small, large:
        assert min(took for took, _ in starts) < EXISTING_MAX, starts
    assert min(read for _, read in large) < min(read for _, read in small) + PAGES_MAX, (small, large)
