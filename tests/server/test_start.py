"""How a start goes that cannot go well: one clear line on stderr, exit status 1, nothing touched. And the database in
memory."""
import contextlib
import os
import signal
import socket
import sqlite3
import subprocess

import pytest

from tests.lib import postgres, servers
from tests.lib.load import Client, Threads

HEADS = {"sqlite": "bfe42b7090d6", "postgresql": "2a88656f4a23"}
OLDER = {"sqlite": "1678f2fb8b33", "postgresql": "f98ae6d8e2cc"}  # the reference's revision before its head
MEMORY = "sqlite+aiosqlite:///file::memory:?cache=shared&uri=true&check_same_thread=false"


def refusal(home, port=None, **settings):
    """The line with which it refuses to start."""
    command = [servers.ORION_BIN, "orion", "start", "--host", "127.0.0.1", "--port", str(port or servers.free_port())]
    done = subprocess.run(command, env=servers.server_environment(home, **settings), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 1, done
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@contextlib.contextmanager
def whole_lock(store):
    if store.engine == "postgresql":
        with postgres.Session(store.url) as holder:
            holder.execute("BEGIN")
            holder.execute(f"LOCK TABLE {', '.join(store.tables())} IN ACCESS EXCLUSIVE MODE")
            yield
    else:
        with contextlib.closing(sqlite3.connect(store.path, isolation_level=None)) as holder:
            holder.execute("PRAGMA locking_mode = EXCLUSIVE")
            holder.execute("BEGIN EXCLUSIVE")
            yield


@pytest.fixture
def stopped(start):
    """A server's database, with a flow in it, and nobody there."""
    server = start()
    Client(server).flow()
    assert server.stop() == 0
    return server


# ---- revisions ----

@pytest.mark.parametrize(("statement", "words"), [
    ("UPDATE alembic_version SET version_num = 'OLDER'", ["OLDER", "HEAD", "older", "orion database upgrade"]),
    ("UPDATE alembic_version SET version_num = '05ea6f882b1d'",
     ["05ea6f882b1d", "after 2.7.12 (HEAD)", "Nothing was changed"]),
    ("UPDATE alembic_version SET version_num = 'ffffffffffff'",
     ["ffffffffffff", "newer than 2.7.12 (HEAD)", "Nothing was changed"]),
    ("INSERT INTO alembic_version VALUES ('ffffffffffff')", ["does not know"]),
    ("DELETE FROM alembic_version", ["no revision", "orion database stamp"]),
    ("DROP TABLE alembic_version", ["no revision", "orion database stamp"]),
], ids=["older", "newer", "unknown", "two", "empty", "missing"])
def test_a_database_of_another_revision(stopped, statement, words):
    def with_revisions(text):
        return text.replace("OLDER", OLDER[stopped.engine]).replace("HEAD", HEADS[stopped.engine])

    stopped.execute(with_revisions(statement))
    before = stopped.store.dump()
    line = refusal(stopped.home, PREFECT_ORION_DATABASE_CONNECTION_URL=stopped.store.url)
    assert [word for word in map(with_revisions, words) if word not in line] == []
    assert stopped.store.dump() == before


# ---- the key of block documents ----

@pytest.mark.parametrize("key", ["short", "A" * 43, "A" * 44, "%" * 43 + "=", "A" * 44 + "AAAA", "A" * 43 + "\n"],
                         ids=["short", "no padding", "33 bytes", "other characters", "too long",
                              "no padding, line end"])
def test_a_key_that_is_none_is_refused_and_not_shown(tmp_path, key):
    line = refusal(tmp_path, ORION_ENCRYPTION_KEY=key)
    assert "ORION_ENCRYPTION_KEY: not a Fernet key" in line
    assert key.strip() not in line
    assert not (tmp_path / "orion.db").exists()


@pytest.mark.parametrize("key", ["", "A" * 43 + "=", "A" * 43 + "=\n", "+/" * 21 + "A="],
                         ids=["empty", "good", "line end", "plain base64"])
def test_a_key_or_none_is_taken(start, key):
    server = start(ORION_ENCRYPTION_KEY=key)
    assert server.is_healthy()


def test_a_database_at_the_head_opens_unchanged(stopped, start):
    before = stopped.store.dump()
    server = start()
    assert len(Client(server).post("/flows/filter", {}).value) == 1
    assert server.stop() == 0
    assert stopped.store.dump() == before


def test_without_migration_the_database_is_taken_as_it_is(stopped, start):
    stopped.execute("UPDATE alembic_version SET version_num = ?", OLDER[stopped.engine])
    server = start(PREFECT_ORION_DATABASE_MIGRATE_ON_START="false")
    assert len(Client(server).post("/flows/filter", {}).value) == 1


# ---- what is in the way ----

def test_a_port_in_use(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refusal(tmp_path, port)
    assert f"Port {port} on 127.0.0.1 is already in use" in line


def test_the_port_of_another_server_of_ours(orion, tmp_path):
    assert "already in use" in refusal(tmp_path, orion.port)
    assert orion.is_healthy()


def a_folder(path):
    path.mkdir()


def no_database(path):
    path.write_bytes(b"These are words, and no rows. " * 500)


@pytest.mark.parametrize("spoil", [a_folder, no_database], ids=["a folder", "no database"])
def test_a_database_that_cannot_be_opened(tmp_path, spoil):
    path = tmp_path / "spoilt"
    spoil(path)
    line = refusal(tmp_path, PREFECT_ORION_DATABASE_CONNECTION_URL=f"sqlite+aiosqlite:///{path}")
    assert str(path) in line


@pytest.mark.parametrize("folder", ["file", "missing", "missing/below"])
def test_a_folder_that_is_not_there_is_not_made(tmp_path, folder):
    (tmp_path / "file").write_text("")
    line = refusal(tmp_path, PREFECT_ORION_DATABASE_CONNECTION_URL=f"sqlite+aiosqlite:///{tmp_path}/{folder}/orion.db")
    assert f"{tmp_path}/{folder}" in line
    assert sorted(os.listdir(tmp_path)) == ["file"]


def test_a_tilde_in_a_url_makes_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = refusal(tmp_path / "home", PREFECT_ORION_DATABASE_CONNECTION_URL="sqlite+aiosqlite:///~/orion.db")
    assert "the folder ~ " in line and "write the full path" in line
    assert os.listdir(tmp_path) == ["home"]


@pytest.mark.only("sqlite")
def test_a_file_that_cannot_be_written(stopped):
    path = stopped.store.path
    url = f"sqlite+aiosqlite:///file:{path}?mode=ro&uri=true"
    assert str(path) in refusal(stopped.home, PREFECT_ORION_DATABASE_CONNECTION_URL=url)


# ---- without a write-ahead log ----

NO_WAL = ["nolock=1", "vfs=unix-dotfile"]


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("parameter", NO_WAL)
def test_a_rollback_journal_where_there_is_no_other(start, tmp_path, parameter):
    path = tmp_path / "orion.db"
    url = f"sqlite+aiosqlite:///file:{path}?{parameter}&uri=true"
    server = start(PREFECT_ORION_DATABASE_CONNECTION_URL=url)
    flow = Client(server).flow()

    def work(_):
        client = Client(server)
        runs = []
        for _ in range(10):
            run = client.flow_run(flow)
            assert client.set_state("flow_runs", run, "RUNNING").value["status"] == "ACCEPT"
            assert client.get(f"/flow_runs/{run['id']}").value["state_type"] == "RUNNING"
            runs.append(run["id"])
        return runs

    made = {run for runs in Threads(8, work).join() for run in runs}
    server.signal(signal.SIGKILL)
    assert server.process.wait(10) == -signal.SIGKILL
    with contextlib.closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert {run for run, in database.execute("SELECT id FROM flow_run WHERE state_type = 'RUNNING'")} == made
    assert server.log().count("rollback journal") == 1
    again = start(PREFECT_ORION_DATABASE_CONNECTION_URL=url)
    assert Client(again).post("/flow_runs/count") == (200, 80)
    assert again.stop() == 0
    assert not list(tmp_path.glob("orion.db?*"))  # no journal, no log


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("parameter", NO_WAL)
def test_a_log_that_cannot_be_read_there(start, stopped, parameter):
    url = f"sqlite+aiosqlite:///file:{stopped.store.path}?{parameter}&uri=true"
    line = refusal(stopped.home, PREFECT_ORION_DATABASE_CONNECTION_URL=url)
    assert "write-ahead log" in line and "PRAGMA journal_mode = DELETE" in line
    stopped.store.execute("PRAGMA journal_mode = DELETE")
    server = start(PREFECT_ORION_DATABASE_CONNECTION_URL=url)
    assert len(Client(server).post("/flows/filter", {}).value) == 1


NO_SHARED_MEMORY = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/mman.h>
void *mmap64(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    void *(*real)(void *, size_t, int, int, int, off_t) = dlsym(RTLD_NEXT, "mmap64");
    if (fd < 0 || !(flags & MAP_SHARED) || !(protection & PROT_WRITE))
        return real(at, n, protection, flags, fd, offset);
    errno = ENODEV;
    return MAP_FAILED;
}
"""


@pytest.fixture(scope="module")
def without_shared_memory(tmp_path_factory):
    """Settings under which files cannot be shared memory, as in many network folders."""
    folder = tmp_path_factory.mktemp("preload")
    library = folder / "without.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-o", library, "-", "-ldl"], input=NO_SHARED_MEMORY, text=True,
                   check=True)
    return {"LD_PRELOAD": str(library), "ASAN_OPTIONS": "verify_asan_link_order=0"}


@pytest.mark.only("sqlite")
def test_a_folder_without_shared_memory(start, tmp_path, without_shared_memory):
    """SQLite promises a log there, and cannot keep the promise."""
    path = tmp_path / "orion.db"
    server = start(**without_shared_memory)
    flow = Client(server).flow()
    assert server.log().count("rollback journal") == 1
    assert sorted(tmp_path.glob("orion.db*")) == [path]
    server.signal(signal.SIGKILL)
    server.process.wait(10)
    with contextlib.closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert database.execute("SELECT id FROM flow").fetchall() == [(flow["id"],)]
    again = start()
    assert Client(again).get(f"/flows/{flow['id']}").status == 200
    assert "rollback journal" not in again.log()
    assert again.stop() == 0
    assert "write-ahead log" in refusal(tmp_path, **without_shared_memory)


@pytest.mark.only("sqlite")
def test_a_refused_start_leaves_no_file(tmp_path):
    (tmp_path / "orion.db.lock").mkdir()  # as somebody who holds the lock makes it
    url = f"sqlite+aiosqlite:///file:{tmp_path}/orion.db?vfs=unix-dotfile&uri=true"
    line = refusal(tmp_path, PREFECT_ORION_DATABASE_CONNECTION_URL=url, PREFECT_ORION_DATABASE_TIMEOUT="0.5")
    assert "locked" in line
    assert os.listdir(tmp_path) == ["orion.db.lock"]


def test_a_locked_database(stopped):
    """Another process holds it all for longer than we may wait."""
    settings = {"PREFECT_ORION_DATABASE_TIMEOUT": "0.5", "ORION_DATABASE_MIGRATION_TIMEOUT": "500ms",
                "PREFECT_ORION_DATABASE_CONNECTION_URL": stopped.store.url}
    with whole_lock(stopped.store):
        assert {"sqlite": "locked", "postgresql": "timeout"}[stopped.engine] in refusal(stopped.home, **settings)


@pytest.mark.parametrize("url", ["mysql+aiomysql://user:hush-hush@127.0.0.1/db", "hush-hush"])
def test_a_url_that_is_not_ours(tmp_path, url):
    line = refusal(tmp_path, PREFECT_ORION_DATABASE_CONNECTION_URL=url)
    assert "PREFECT_ORION_DATABASE_CONNECTION_URL" in line
    assert "hush-hush" not in line


# ---- in memory ----

@pytest.mark.only("sqlite")
@pytest.mark.parametrize("url", [MEMORY, "sqlite+aiosqlite:///:memory:", "sqlite+aiosqlite://"])
def test_a_database_in_memory(start, tmp_path, monkeypatch, url):
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    server = start(PREFECT_ORION_DATABASE_CONNECTION_URL=url)
    flow = Client(server).flow()

    def work(_):
        client = Client(server)
        run = client.flow_run(flow)
        assert client.set_state("flow_runs", run, "RUNNING").value["status"] == "ACCEPT"
        assert client.get(f"/flow_runs/{run['id']}").value["state_type"] == "RUNNING"
        return run["id"]

    runs = Threads(8, work).join()
    client = Client(server)
    assert {run["id"] for run in client.post("/flow_runs/filter", {}).value} == set(runs)
    assert client.post("/flow_runs/", {"flow_id": runs[0]}).status == 409
    assert server.stop() == 0
    assert os.listdir(folder) == []
    assert sorted(os.listdir(server.home)) == ["folder", "server.log"]
    again = start(PREFECT_ORION_DATABASE_CONNECTION_URL=url)
    assert Client(again).post("/flows/filter", {}) == (200, [])
