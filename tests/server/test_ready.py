"""GET and HEAD of /ready: whether the server can do its work, answered in time whatever the database does. And HEAD of
/health, which says no more than that the process answers."""
import base64
import contextlib
import http.client
import json
import sqlite3
import time

import pytest

from tests.lib import postgres
from tests.lib.load import Client, Threads

READY = (200, {"message": "OK"})
AT_MOST = 2.8  # seconds: two, and some for a busy machine


def reason(answer):
    """Of an answer that says that the server is not ready."""
    assert answer.status == 503
    assert list(answer.value) == ["message", "reason"] and answer.value["message"] == "Database is not available"
    return answer.value["reason"]


def timed(function, *arguments):
    began = time.monotonic()
    result = function(*arguments)
    return time.monotonic() - began, result


@contextlib.contextmanager
def nobody_reads(server):
    """Another process has all tables of a PostgreSQL database."""
    with postgres.Session(server.store.url) as holder:
        holder.execute("BEGIN")
        holder.execute(f"LOCK TABLE {', '.join(server.store.tables())} IN ACCESS EXCLUSIVE MODE")
        yield
        holder.execute("ROLLBACK")


def head(server, path):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("HEAD", f"/api{path}")
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers["content-length"], answer.headers["content-type"]


# ---- ready ----

def test_a_server_is_ready(orion, client):
    assert client.get("/ready") == READY
    assert client.get("/ready/") == (307, None)
    assert head(orion, "/ready") == (200, b"", str(len('{"message":"OK"}')), "application/json")
    assert client.request("POST", "/ready") == (405, {"detail": "Method Not Allowed"})


def test_old_clients_may_ask_too(orion):
    connection = http.client.HTTPConnection("127.0.0.1", orion.port, timeout=10)
    for path in ("/api/ready", "/api/health"):
        connection.request("GET", path, headers={"X-PREFECT-API-VERSION": "99.0"})
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (200, True)


def test_the_process_answers_head_of_health(orion):
    assert head(orion, "/health") == (200, b"", "4", "application/json")


def test_the_description_has_the_references_operations_alone(orion, client):
    assert "/ready" not in client.get("/openapi.json").value["paths"]


def test_a_check_changes_nothing(orion, client):
    before = orion.store.dump()
    assert client.get("/ready") == READY
    assert orion.store.dump() == before


def test_many_who_ask_at_once_share_checks(orion):
    def ask(_):
        client = Client(orion)
        return {client.get("/ready") == READY for _ in range(50)}

    seconds, answers = timed(lambda: Threads(16, ask).join())
    assert answers == [{True}] * 16
    assert seconds < 20


# ---- not ready ----

def test_without_tables(start):
    server = start()
    client = Client(server)
    assert client.post("/admin/database/drop", {"confirm": True}).status == 204
    assert reason(client.get("/ready")) == "The database has none of Orion's tables"
    assert head(server, "/ready")[:2] == (503, b"")
    assert client.get("/health") == (200, True)
    assert client.post("/admin/database/create", {"confirm": True}).status == 204
    assert client.get("/ready") == READY
    # a line for each change, not for each question
    assert server.log().count("not ready: The database has none") == server.log().count("ready again") == 1


def test_tables_of_another_revision(start):
    server = start()
    server.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    assert "ffffffffffff, which this version does not know" in reason(Client(server).get("/ready"))


def test_a_queue_that_does_not_move(start):
    """Somebody else holds the lock that writes need, for longer than a probe waits; reads go on."""
    server = start(PREFECT_ORION_DATABASE_TIMEOUT="20")
    client = Client(server)
    flow = client.flow()
    with server.store.write_lock():
        seconds, answer = timed(client.get, "/ready")
        assert reason(answer) == "The queue of writes has not moved for two seconds"
        assert 1.9 < seconds < AT_MOST
        # who asks later is told at once, and in crowds as well
        seconds, answers = timed(lambda: Threads(8, lambda _: Client(server).get("/ready")).join())
        assert {reason(answer) for answer in answers} == {"The queue of writes has not moved for two seconds"}
        assert seconds < 1
        assert client.get("/health") == (200, True)
        assert client.get(f"/flows/{flow['id']}").status == 200
    deadline = time.monotonic() + 5
    while client.get("/ready") != READY:
        assert time.monotonic() < deadline


def test_a_lock_that_ends_in_time_harms_nobody(start):
    server = start(PREFECT_ORION_DATABASE_TIMEOUT="20")
    with server.store.write_lock():
        thread = Threads(1, lambda _: timed(Client(server).get, "/ready"))
        time.sleep(0.7)
    seconds, answer = thread.join()[0]
    assert answer == READY and seconds < 2


@pytest.mark.only("postgresql")
def test_a_database_that_does_not_answer(start):
    server = start(PREFECT_ORION_DATABASE_TIMEOUT="20")
    client = Client(server)
    with nobody_reads(server):
        seconds, answer = timed(client.get, "/ready")
        assert reason(answer) == "The database has not answered a read for two seconds"
        assert seconds < AT_MOST


@pytest.mark.only("postgresql")
def test_a_database_that_is_read_only(start):
    server = start()
    client = Client(server)
    assert client.get("/ready") == READY
    server.execute(f"ALTER DATABASE {server.store.name} SET default_transaction_read_only = on")
    postgres.cluster().execute("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ?",
                               server.store.name)
    assert "read-only" in reason(client.get("/ready"))


@pytest.mark.only("sqlite")
def test_a_file_that_is_broken(start):
    server = start()
    client = Client(server)
    assert client.get("/ready") == READY
    with contextlib.closing(sqlite3.connect(server.store.path)) as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute("UPDATE sqlite_master SET sql = 'CREATE TABLE broken' WHERE name = 'alembic_version'")
        database.execute("PRAGMA schema_version = 1000")  # so that all connections read it again
        database.commit()
    assert reason(client.get("/ready")) == "The database cannot be read: its file is damaged, or the disk fails"
    assert "malformed" in server.log()


@pytest.mark.only("sqlite")
def test_tables_that_are_not_ours(start):
    server = start()
    client = Client(server)
    assert client.get("/ready") == READY
    server.execute("ALTER TABLE alembic_version RENAME COLUMN version_num TO other")
    assert reason(client.get("/ready")) == "An internal error, which is in the server's log"
    assert "no such column" in server.log()


def test_a_server_that_stops_owes_no_answer(start):
    """It ends as soon as it would without those who wait for a check."""
    server = start(PREFECT_ORION_DATABASE_TIMEOUT="3")
    with server.store.write_lock():
        asked = Threads(3, lambda _: Client(server).get("/ready"))
        time.sleep(0.3)
        seconds, status = timed(server.stop)
        assert status == 0 and seconds < 8
        assert {answer.status for answer in asked.join()} == {503}


@pytest.mark.only("sqlite")
def test_probes_need_no_key(start):
    server = start(ORION_AUTH_STRING="somebody:with a long password")
    client = Client(server)
    assert client.get("/admin/version").status == 401
    assert client.get("/ready") == READY
    assert [head(server, path)[0] for path in ("/ready", "/health")] == [200, 200]


def test_the_reason_is_for_those_who_have_a_key(start):
    """It may name hosts and roles."""
    server = start(ORION_AUTH_STRING="somebody:with a long password")
    server.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    assert reason(Client(server).get("/ready")) == "It is in the server's log; with a key it is shown here."
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    password = base64.b64encode(b"somebody:with a long password").decode()
    connection.request("GET", "/api/ready", headers={"Authorization": f"Basic {password}"})
    assert "ffffffffffff" in json.load(connection.getresponse())["reason"]
    assert "ffffffffffff" in server.log()
