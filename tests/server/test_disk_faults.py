"""A disk that is full, refuses writes, or fails to store what it took: who is told what, and that nothing is lost."""
import errno
import signal
import subprocess
import time

import pytest

from tests.lib import servers
from tests.lib.load import LOST, Client, Threads
from tests.server import disk
from tests.server.test_durability import Journal, assert_kept, assert_whole, write_until_lost

pytestmark = pytest.mark.only("sqlite")

FULL = "The disk is full: nothing can be stored until there is room"
REFUSALS = {
    "ENOSPC": FULL,
    "EDQUOT": "The disk quota is used up: nothing can be stored until there is room",
    "EROFS": "The database's file system is read-only: nothing can be stored",
    "EIO": "The database's files cannot be read or written: Input/output error",
}


@pytest.fixture
def start_on(tmp_path):
    """Starts servers whose database is in a folder, apart from their home and log."""
    started = []

    def start_one(folder):
        url = f"sqlite+aiosqlite:///{folder}/orion.db"
        server = servers.Server("orion", home=tmp_path, database=url, PREFECT_ORION_DATABASE_CONNECTION_URL=url)
        started.append(server)
        return server

    yield start_one
    for server in started:
        server.stop()


@pytest.fixture
def full_disk(tmp_path):
    with disk.small_disk(tmp_path / "disk", 12 << 20) as folder:
        yield folder


def create(client, flow, size=20_000):
    return client.post("/flow_runs/", {"flow_id": flow["id"], "parameters": {"long": "x" * size}})


def create_in_threads(server, flow):
    """The answers to forty requests of eight clients."""
    def write(_):
        client = Client(server)
        return [create(client, flow) for _ in range(5)]

    return [answer for answers in Threads(8, write).join() for answer in answers]


def stored(server):
    return {row[0] for row in server.execute("SELECT id FROM flow_run")}


def wait_for_end(server):
    return server.process.wait(60)


# ---- a disk that refuses ----

@pytest.mark.parametrize("reason", REFUSALS)
def test_writes_that_a_disk_refuses_are_answered_503(start, faults, reason):
    server = start(**faults.environment)
    client = Client(server)
    flow = client.flow()
    made = {create(client, flow).value["id"]}
    message = REFUSALS[reason]
    faults.write(getattr(errno, reason))
    answers = create_in_threads(server, flow)
    assert {(status, value["exception_message"]) for status, value in answers} == {(503, message)}
    assert faults.get("failed") > 0
    assert client.get("/ready") == (503, {"message": "Database is not available", "reason": message})
    assert client.get("/health") == (200, True)
    assert client.post("/flow_runs/count") == (200, 1)
    assert [run["id"] for run in client.post("/flow_runs/filter", {}).value] == list(made)
    faults.end()
    assert client.get("/ready").status == 200
    made |= {answer.value["id"] for answer in create_in_threads(server, flow)}
    assert len(made) == 41
    assert f"{server.store.path}: {message}" in server.log()
    assert f"{server.store.path}: The database can be used again" in server.log()
    assert stored(server) == made
    assert_whole(server)
    assert server.stop() == 0


def test_reads_that_fail_are_answered_503(start, faults):
    start().stop()  # SQLite does not report a failure where the tables are newer than the connection
    server = start(**faults.environment)
    client = Client(server)
    run = client.flow_run(client.flow())
    message = "The database cannot be read: its file is damaged, or the disk fails"
    faults.read(errno.EIO)
    assert client.post("/logs/filter", {}) == (503, {"exception_message": message})
    assert client.get("/ready").status == 503
    faults.end()
    assert client.get(f"/flow_runs/{run['id']}").status == 200
    assert client.get("/ready").status == 200
    assert f"{server.store.path}: {message}" in server.log()


@pytest.mark.parametrize("reason", ["ENOSPC", "EIO"])
def test_a_checkpoint_that_cannot_write_loses_nothing(start, faults, reason):
    server = start(**faults.environment)
    client = Client(server)
    flow = client.flow()
    faults.write(getattr(errno, reason), disk.DATABASE)
    made, deadline = set(), time.monotonic() + 120
    while faults.get("failed") == 0:
        assert time.monotonic() < deadline, "no checkpoint was tried"
        made |= {answer.value["id"] for answer in create_in_threads(server, flow)}  # all of them: the log can grow
    made.add(create(client, flow).value["id"])
    assert client.post("/flow_runs/count") == (200, len(made))
    assert f"{server.store.path}: {REFUSALS[reason]}" in server.log()
    faults.end()
    made.add(create(client, flow).value["id"])
    assert server.stop() == 0
    assert not (server.home / "orion.db-wal").exists(), "the last checkpoint did not work"
    assert stored(server) == made
    assert_whole(server)


def test_a_disk_that_is_full(start_on, full_disk):
    server = start_on(full_disk).wait()
    client = Client(server)
    flow = client.flow()
    made = {create(client, flow).value["id"]}
    filler = disk.fill(full_disk)
    answer = create(client, flow)
    while answer.status == 201:  # a log that has started over has room
        made.add(answer.value["id"])
        answer = create(client, flow)
    assert answer == (503, {"exception_message": FULL})
    answers = create_in_threads(server, flow)
    assert {status for status, _ in answers} <= {201, 503}
    made |= {value["id"] for status, value in answers if status == 201}
    assert client.post("/flow_runs/count") == (200, len(made))
    filler.unlink()
    made |= {answer.value["id"] for answer in create_in_threads(server, flow)}
    assert client.get("/ready").status == 200
    server.signal(signal.SIGKILL)
    server.process.wait()
    server = start_on(full_disk).wait()
    assert stored(server) == made
    assert_whole(server)


def test_a_start_on_a_disk_that_is_full(start_on, full_disk):
    server = start_on(full_disk).wait()
    run = Client(server).flow_run(Client(server).flow())
    assert server.stop() == 0
    filler = disk.fill(full_disk)
    server = start_on(full_disk)  # no room for the index of the write-ahead log
    assert wait_for_end(server) == 1
    assert f"Cannot open the database {full_disk}/orion.db: {FULL}" in server.log()
    with open(filler, "r+b") as file:
        file.truncate(filler.stat().st_size - 100_000)
    server = start_on(full_disk).wait()
    client = Client(server)
    flow = client.get(f"/flow_runs/{run['id']}").value["flow_id"]
    assert create(client, {"id": flow}, 200_000) == (503, {"exception_message": FULL})
    assert client.post("/flow_runs/count") == (200, 1)
    filler.unlink()
    assert create(client, {"id": flow}, 200_000).status == 201
    assert_whole(server)


def test_a_new_database_on_a_disk_that_is_full(start_on, full_disk):
    filler = disk.fill(full_disk)
    server = start_on(full_disk)
    assert wait_for_end(server) == 1
    assert FULL in server.log()
    filler.unlink()
    assert Client(start_on(full_disk).wait()).flow()["id"]


# ---- fsync ----

def assert_ended(server, file):
    assert wait_for_end(server) == 1
    lines = [line for line in server.log().splitlines() if "CRITICAL" in line]
    assert len(lines) == 1
    assert "The disk did not store what was written to the database: Input/output error" in lines[0]
    assert f"/{file})" in lines[0]


def assert_starts_with(start, faults, journal):
    """A server on a disk that works again has what was answered."""
    faults.end()
    server = start(**faults.environment)
    assert_whole(server)
    assert_kept(server, journal)
    assert Client(server).flow()["id"]
    assert server.stop() == 0


@pytest.mark.parametrize("after", [0, 30])
def test_a_failed_fsync_of_the_log_ends_the_server(start, faults, after):
    server = start(**faults.environment)
    flow, journal = Client(server).flow(), Journal()
    faults.sync(errno.EIO, disk.LOG, after)
    assert all(Threads(8, lambda _: write_until_lost(server, flow, journal)).join())
    assert_ended(server, "orion.db-wal")
    assert faults.get("failed") == 1, "it wrote on"
    assert (len(journal) > 0) == (after > 0), "what was not stored was answered"
    assert_starts_with(start, faults, journal)


def test_a_failed_fsync_of_a_checkpoint_ends_the_server(start, faults):
    server = start(**faults.environment)
    client, journal = Client(server), Journal()
    flow = client.flow()
    faults.sync(errno.EIO, disk.DATABASE)
    with pytest.raises(LOST):
        while len(journal) < 5000:
            run = create(client, flow).value
            journal.runs.append((run["id"], run["state_id"]))
    assert_ended(server, "orion.db")
    assert_starts_with(start, faults, journal)


def test_a_failed_fsync_at_the_end_is_reported(start, faults):
    server = start(**faults.environment)
    client, journal = Client(server), Journal()
    run = create(client, client.flow()).value
    journal.runs.append((run["id"], run["state_id"]))
    faults.sync(errno.EIO, disk.DATABASE)
    server.signal(signal.SIGTERM)
    assert_ended(server, "orion.db")
    assert_starts_with(start, faults, journal)


def test_a_failed_fsync_ends_a_command(start, faults, tmp_path):
    start().stop()
    faults.sync(errno.EIO)
    environment = servers.server_environment(tmp_path, **faults.environment)
    ended = subprocess.run([servers.ORION_BIN, "orion", "database", "reset", "-y"], env=environment, timeout=60,
                           capture_output=True, text=True)
    assert ended.returncode == 1
    assert "The disk did not store what was written to the database" in ended.stderr
    assert faults.get("failed") == 1, "it wrote on"
