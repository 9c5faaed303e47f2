"""A database's files that are deleted, replaced or truncated under a running server: it notices within a second, stores
nothing where nobody would find it, and loses nothing. What other programs may do with them does not disturb it."""
import contextlib
import os
import shutil
import signal
import sqlite3
import time

import pytest

from tests.lib import servers
from tests.lib.check import assert_clean
from tests.lib.load import Client, Threads

pytestmark = pytest.mark.only("sqlite")

RUNS = 30
MOVED = "The database file was deleted or moved. Nothing is stored any more"
REPLACED = "The database file was replaced by another file. Nothing is stored any more"
LOG_MOVED = "The database's write-ahead log (-wal) was deleted or moved. Nothing is stored any more"
LOG_REPLACED = "The database's write-ahead log (-wal) was replaced by another file. Nothing is stored any more"
INDEX_MOVED = "The index of the database's write-ahead log (-shm) was deleted or moved. Nothing is stored any more"
CUT = "The database file was truncated. Nothing is read or stored any more"
COPIED = "What the write-ahead log held was copied to the database file"
LOG_CUT = "The database's write-ahead log (-wal) was truncated, so what was stored last may be lost"


def database(server):
    return server.home / "orion.db"


def log_file(server):
    return server.home / "orion.db-wal"


def move(path):
    path.rename(path.with_name("moved"))


def replace(path):
    """By a copy of itself, as a program that saves files would do it."""
    shutil.copyfile(path, path.with_name("copy"))
    path.with_name("copy").rename(path)


def cut(path):
    os.truncate(path, path.stat().st_size // 2)


def empty(path):
    os.truncate(path, 0)


def copy_log(server):
    """All that is in the log is in the database file too, and no checkpoint is under way."""
    deadline = time.monotonic() + 60
    while True:
        [(busy, frames, copied)] = server.execute("PRAGMA wal_checkpoint(FULL)")
        if not busy and frames == copied:
            return
        assert time.monotonic() < deadline
        time.sleep(0.05)


def with_runs(start):
    """A server whose runs are half in the database file, half in its log only."""
    server = start()
    client = Client(server)
    flow = client.flow()
    made = [client.flow_run(flow)["id"] for _ in range(RUNS // 2)]
    copy_log(server)
    return server, client, flow, made + [client.flow_run(flow)["id"] for _ in range(RUNS // 2)]


def wait_for_line(server, text):
    """Seconds until it is in the log."""
    begun = time.monotonic()
    while text not in server.log():
        assert time.monotonic() < begun + 30, f"not noticed: {text}"
        time.sleep(0.01)
    return time.monotonic() - begun


def assert_refuses(server, client, flow, message):
    for answer in Threads(4, lambda _: Client(server).post("/flow_runs/", {"flow_id": flow["id"]})).join():
        assert answer.status == 503 and answer.value["exception_message"].startswith(message)
    ready = client.get("/ready")
    assert ready.status == 503 and ready.value["reason"].startswith(message)
    assert client.get("/health") == (200, True)


def wait_until_ready(client):
    deadline = time.monotonic() + 30
    while client.get("/ready").status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def runs_in(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return sorted(row[0] for row in connection.execute("SELECT id FROM flow_run"))


GONE = {
    "database-deleted": (database, os.unlink, MOVED),
    "database-moved": (database, move, MOVED),
    "database-replaced": (database, replace, REPLACED),
    "log-deleted": (log_file, os.unlink, LOG_MOVED),
    "log-replaced": (log_file, replace, LOG_REPLACED),
    "index-deleted": (lambda server: server.home / "orion.db-shm", os.unlink, INDEX_MOVED),
}
DAMAGED = {
    "database-cut": (database, cut, CUT),
    "database-emptied": (database, empty, CUT),
    "log-cut": (log_file, cut, LOG_CUT),
    "log-emptied": (log_file, empty, LOG_CUT),
}


# ---- what is noticed ----

@pytest.mark.parametrize("what", GONE)
def test_files_that_are_gone(start, what):
    which, act, message = GONE[what]
    server, client, flow, made = with_runs(start)
    had = set(os.listdir(server.home))
    act(which(server))
    assert wait_for_line(server, f"{server.store.path}: {message}") < 10  # within a second, if this machine is idle
    assert_refuses(server, client, flow, message)
    assert client.post("/flow_runs/count") == (200, RUNS), "what is open can still be read"
    new = set(os.listdir(server.home)) - had
    assert new <= {"moved"}, f"{new} was made"
    assert which(server).exists() == (act is replace)


@pytest.mark.parametrize("what", DAMAGED)
def test_files_that_are_damaged(start, what):
    which, act, message = DAMAGED[what]
    server, client, flow, _ = with_runs(start)
    act(which(server))
    size = which(server).stat().st_size
    assert wait_for_line(server, f"{server.store.path}: {message}") < 10
    assert_refuses(server, client, flow, message)
    answer = client.post("/flow_runs/count")
    assert answer.status == 503 and answer.value["exception_message"].startswith(message)
    assert which(server).stat().st_size == size, "it was written to"
    with open(which(server), "ab") as file:  # no longer too short, but still not what it was
        file.write(bytes(10_000_000))
    time.sleep(1)
    assert_refuses(server, client, flow, message)


@pytest.mark.parametrize("what", ["database-deleted", "database-replaced", "database-cut", "log-deleted", "log-cut"])
def test_no_write_is_answered_that_nobody_will_find(start, what):
    """The files change between a request and its commit: all that was answered with success was committed before."""
    which, act, message = (GONE | DAMAGED)[what]
    server, client, flow, _ = with_runs(start)
    with server.store.write_lock():  # requests wait at the beginning of their transaction
        writers = Threads(4, lambda _: Client(server).post("/flow_runs/", {"flow_id": flow["id"]}))
        time.sleep(0.2)
        act(which(server))
    for answer in writers.join():
        assert answer.status == 503 and answer.value["exception_message"].startswith(message)


def test_no_write_is_answered_whose_file_is_gone_at_its_commit(start, faults):
    server = start(**faults.environment)
    client = Client(server)
    flow = client.flow()
    faults.set(delete_database=1)
    assert_refuses(server, client, flow, MOVED)
    assert faults.get("delete_database") == 0
    assert server.log().count(f"{server.store.path}: {MOVED}") == 1


def test_without_a_log_a_write_notices_it(start, tmp_path):
    """As on a network file system, where SQLite has a rollback journal."""
    url = f"sqlite+aiosqlite:///file:{tmp_path}/orion.db?nolock=1&uri=true"
    server = start(PREFECT_ORION_DATABASE_CONNECTION_URL=url)
    client = Client(server)
    flow = client.flow()
    made = [client.flow_run(flow)["id"]]
    move(database(server))
    assert_refuses(server, client, flow, MOVED)
    assert not database(server).exists()
    (server.home / "moved").rename(database(server))
    wait_until_ready(client)
    made.append(client.flow_run(flow)["id"])
    assert server.stop() == 0
    assert runs_in(database(server)) == sorted(made)


# ---- what becomes of it ----

@pytest.mark.parametrize("what", ["database-moved", "log-moved"])
def test_files_that_are_put_back(start, what):
    server, client, flow, made = with_runs(start)
    path, message = (database(server), MOVED) if what == "database-moved" else (log_file(server), LOG_MOVED)
    move(path)
    wait_for_line(server, message)
    assert_refuses(server, client, flow, message)
    wait_for_line(server, COPIED)
    path.with_name("moved").rename(path)
    wait_for_line(server, f"{server.store.path}: The database's files are back")
    made += [client.flow_run(flow)["id"] for _ in range(RUNS)]
    assert client.get("/ready").status == 200
    assert server.stop() == 0
    assert runs_in(database(server)) == sorted(made)


def test_a_file_that_is_put_back_while_a_reader_keeps_the_log(start):
    """What the server itself copied to it meanwhile is no change by another program."""
    server, client, flow, made = with_runs(start)
    with contextlib.closing(sqlite3.connect(database(server), isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM flow_run").fetchall()
        written = database(server).stat().st_mtime_ns
        move(database(server))
        wait_for_line(server, MOVED)
        moved = server.home / "moved"
        deadline = time.monotonic() + 30
        while moved.stat().st_mtime_ns == written:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(2)  # the server waits a second for the reader
        assert COPIED not in server.log()
        moved.rename(database(server))
        wait_for_line(server, "The database's files are back")
    wait_until_ready(client)
    made.append(client.flow_run(flow)["id"])
    assert server.stop() == 0
    assert runs_in(database(server)) == sorted(made)


def test_a_database_that_is_changed_elsewhere(start):
    """SQLite's memory of it is no longer true when it is back."""
    server, client, flow, made = with_runs(start)
    move(database(server))
    wait_for_line(server, COPIED)
    moved = server.home / "moved"
    with contextlib.closing(sqlite3.connect(moved)) as other:
        other.execute("DELETE FROM flow_run WHERE id = ?", [made.pop()])
        other.commit()
        other.execute("PRAGMA wal_checkpoint")
    moved.rename(database(server))
    message = "The database file was changed by another program while its files were not in order"
    wait_for_line(server, f"{server.store.path}: {message}")
    assert_refuses(server, client, flow, message)
    assert client.post("/flow_runs/count").status == 503
    assert server.stop() == 0
    server = start()
    made.append(Client(server).flow_run(flow)["id"])
    assert server.stop() == 0
    assert runs_in(database(server)) == sorted(made)


def test_a_database_that_is_moved_is_complete(start):
    server, client, _, made = with_runs(start)
    move(database(server))
    wait_for_line(server, MOVED)
    wait_for_line(server, COPIED)
    server.signal(signal.SIGKILL)
    server.process.wait()
    assert runs_in(server.home / "moved") == sorted(made)


def test_a_log_that_is_deleted_loses_nothing(start):
    server, client, _, made = with_runs(start)
    log_file(server).unlink()
    wait_for_line(server, LOG_MOVED)
    wait_for_line(server, COPIED)
    server.signal(signal.SIGKILL)
    server.process.wait()
    assert runs_in(database(server)) == sorted(made)
    assert Client(start()).post("/flow_runs/count") == (200, RUNS)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_backup_in_the_place_of_the_database(start, end):
    """The log of the old database is not applied to the new one, however the server ends."""
    server, client, flow, made = with_runs(start)
    backup = server.home / "backup"
    server.execute("VACUUM INTO ?", str(backup))
    for _ in range(RUNS):
        client.flow_run(flow)
    backup.rename(database(server))
    wait_for_line(server, REPLACED)
    wait_for_line(server, COPIED)
    server.signal(end)
    server.process.wait()
    server = start()
    assert sorted(row[0] for row in server.execute("SELECT id FROM flow_run")) == sorted(made)
    assert_clean(server.store)
    assert Client(server).flow_run(flow)["id"]


def test_another_servers_log_is_not_deleted(start):
    """All files are deleted, and another server makes new ones, before the first one stops."""
    first = with_runs(start)[0]
    for name in ("orion.db", "orion.db-wal", "orion.db-shm"):
        (first.home / name).unlink()
    second, client, flow, made = with_runs(start)
    assert first.stop() == 0
    made += [client.flow_run(flow)["id"] for _ in range(RUNS)]
    second.signal(signal.SIGKILL)
    second.process.wait()
    assert runs_in(database(second)) == sorted(made)


# ---- what other programs may do ----

def disturb(path, copies):
    """All that a file suffers from programs that know SQLite, and from those that only read files."""
    with contextlib.closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as other:
        other.execute("CREATE TABLE IF NOT EXISTS filler (text)")
        other.execute("INSERT INTO filler VALUES (zeroblob(3000000))")
        other.execute("PRAGMA wal_checkpoint(PASSIVE)")
        other.execute("DELETE FROM filler")
        other.execute("VACUUM")  # the file gets smaller, once it is copied from the log
        for mode in ("FULL", "RESTART", "TRUNCATE"):
            other.execute(f"PRAGMA wal_checkpoint({mode})")
        with contextlib.suppress(sqlite3.OperationalError):  # not while anybody else has it open
            other.execute("PRAGMA journal_mode = DELETE")
        with contextlib.closing(sqlite3.connect(copies / "online")) as target:
            other.backup(target)
    for name in ("orion.db", "orion.db-wal"):
        shutil.copyfile(path.with_name(name), copies / name)
        os.utime(path.with_name(name))
        os.chmod(path.with_name(name), 0o600)
    (copies / "link").unlink(missing_ok=True)
    os.link(path, copies / "link")


def test_other_programs_do_not_stop_it(start, tmp_path):
    server, _, flow, made = with_runs(start)
    copies = tmp_path / "copies"
    copies.mkdir()
    seconds = 30 if os.environ.get("ORION_TEST_FULL") == "1" else 3
    until = time.monotonic() + seconds
    rounds = 0

    def write(_):
        one, ids = Client(server), []
        while time.monotonic() < until:
            ids.append(one.flow_run(flow, parameters={"long": "x" * 3000})["id"])  # fails unless it is a 201
        return ids

    writers = Threads(4, write)
    while time.monotonic() < until:
        disturb(server.store.path, copies)
        rounds += 1
    made += [one for ids in writers.join() for one in ids]
    assert rounds > 0 and len(made) > RUNS
    start().stop()  # another server comes and goes
    assert Client(server).get("/ready").status == 200
    assert "any more" not in server.log()
    assert server.stop() == 0
    assert runs_in(server.store.path) == sorted(made)


@pytest.mark.skipif(os.environ.get("ORION_TEST_FULL") != "1", reason="part of make test-full")
def test_the_reference_does_not_stop_it(start):
    server, _, flow, made = with_runs(start)
    with servers.running("reference", home=server.home) as other:
        made += [Client(one).flow_run(flow)["id"] for one in (server, other, server)]
    made.append(Client(server).flow_run(flow)["id"])
    time.sleep(1)
    assert Client(server).get("/ready").status == 200
    assert "any more" not in server.log()
    assert sorted(row[0] for row in server.execute("SELECT id FROM flow_run")) == sorted(made)
