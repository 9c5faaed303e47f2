"""The database belongs to nobody: other processes lock it, change it and delete from it between our requests."""
import json
import sqlite3
import subprocess
import time
import uuid

import pytest

from tests.lib import postgres, servers
from tests.lib.load import Client, Threads

TIMEOUT = 2  # seconds; PREFECT_ORION_DATABASE_TIMEOUT of the servers that meet a lock


@pytest.fixture
def impatient(start):
    start().stop()  # making the tables may take longer
    return start(PREFECT_ORION_DATABASE_TIMEOUT=str(TIMEOUT))


def timed(call):
    begun = time.monotonic()
    return call(), time.monotonic() - begun


def block_schema(client):
    """A block type with a secret field; its newest schema."""
    name = f"type-{uuid.uuid4().hex[:8]}"
    kind = client.made("/block_types/", {"name": name, "slug": name})
    fields = {"title": name, "type": "object", "properties": {"token": {"type": "string"}, "user": {"type": "string"}},
              "secret_fields": ["token"], "block_type_slug": name, "block_schema_references": {}}
    return client.made("/block_schemas/", {"fields": fields, "block_type_id": kind["id"], "capabilities": []})


def block_document(client, schema, token):
    return client.post("/block_documents/", {"is_anonymous": True, "data": {"token": token, "user": "u"},
                                             "block_schema_id": schema["id"], "block_type_id": schema["block_type_id"]})


def secret(client, document):
    answer = client.get(f"/block_documents/{document['id']}?include_secrets=true")
    return answer.value["data"]["token"] if answer.status == 200 else answer.status


# ---- the lock ----

def test_writes_wait_for_the_lock_and_reads_go_on(start):
    server = start(PREFECT_ORION_DATABASE_TIMEOUT="30")
    client = Client(server)
    flow = client.flow()
    with server.store.write_lock():
        threads = Threads(8, lambda _: timed(lambda: Client(server).flow_run(flow)))
        time.sleep(0.2)
        for _ in range(20):
            assert client.post("/flow_runs/filter", {}) == (200, [])
        time.sleep(0.5)
    made = threads.join()
    assert 0.5 < min(took for _, took in made)
    assert max(took for _, took in made) < 20
    assert server.execute("SELECT COUNT(*) FROM flow_run") == [(8,)]


def test_a_lock_that_is_held_too_long_is_answered_503(impatient):
    client = Client(impatient)
    flow = client.flow()
    with impatient.store.write_lock():
        threads = Threads(8, lambda _: timed(lambda: Client(impatient).post("/flow_runs/", {"flow_id": flow["id"]})))
        answers = threads.join()
        assert client.get(f"/flows/{flow['id']}").status == 200
    for answer, took in answers:
        message = {"sqlite": "The database is locked by another process",
                   "postgresql": "The query took longer than the database timeout allows"}
        assert answer == (503, {"exception_message": message[impatient.engine]})
        assert TIMEOUT - 0.5 < took < 3 * TIMEOUT  # PostgreSQL ends a statement a little before we would give up on it
    assert impatient.execute("SELECT COUNT(*) FROM flow_run") == [(0,)]
    assert client.flow_run(flow)["name"]


def test_no_lock_is_held_between_requests(orion, client):
    client.flow()
    assert client.post("/flows/filter", {}).status == 200
    if orion.engine == "postgresql":
        with postgres.Session(orion.store.url) as other:
            other.script(f"BEGIN; LOCK TABLE {', '.join(orion.store.tables())} IN ACCESS EXCLUSIVE MODE NOWAIT; COMMIT")
        return
    with sqlite3.connect(orion.store.path, timeout=0, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        other.execute("UPDATE flow SET updated = updated")
        other.execute("COMMIT")
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, "a reader holds the log"
    other.close()


# ---- rows ----

def test_changed_rows_are_seen_at_once(orion, client):
    flow = client.flow()
    run = client.flow_run(flow)
    for name in ("one", "two", "three"):
        orion.execute("UPDATE flow_run SET name = ? WHERE id = ?", name, run["id"])
        assert client.get(f"/flow_runs/{run['id']}").value["name"] == name
        found = client.post("/flow_runs/filter", {"flow_runs": {"name": {"any_": [name]}}}).value
        assert [row["id"] for row in found] == [run["id"]]


def test_a_state_changed_by_another_is_where_the_next_one_starts(orion, client):
    run = client.flow_run(client.flow(), state={"type": "PENDING"})
    orion.execute("UPDATE flow_run_state SET type = 'RUNNING', name = 'Running' WHERE id = ?", run["state_id"])
    orion.execute("UPDATE flow_run SET state_type = 'RUNNING', state_name = 'Running' WHERE id = ?", run["id"])
    assert client.set_state("flow_runs", run, "RUNNING").value["status"] == "ABORT"
    assert client.set_state("flow_runs", run, "COMPLETED").value["status"] == "ACCEPT"


def test_deleted_rows_are_gone_at_once(orion, client):
    flow = client.flow()
    run = client.flow_run(flow)
    assert client.get(f"/flow_runs/{run['id']}").status == 200
    orion.execute("DELETE FROM flow_run WHERE id = ?", run["id"])
    assert client.get(f"/flow_runs/{run['id']}").status == 404
    assert client.set_state("flow_runs", run, "RUNNING").status == 404
    assert client.post("/flow_runs/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}}) == (200, [])


def test_all_flows_deleted(orion, client):
    flow = client.flow()
    run = client.flow_run(flow)
    task_run = client.task_run(run)
    orion.execute("DELETE FROM flow")
    assert client.post("/flows/filter", {}) == (200, [])
    assert client.post("/flow_runs/count") == (200, 0)
    for path in (f"/flows/{flow['id']}", f"/flow_runs/{run['id']}", f"/task_runs/{task_run['id']}"):
        assert client.get(path).status == 404
    assert client.post("/flow_runs/", {"flow_id": flow["id"]}).status == 409
    again = client.made("/flows/", {"name": flow["name"]})
    assert again["id"] != flow["id"]
    assert client.flow_run(again)["flow_id"] == again["id"]


def test_a_limit_changed_by_another_is_obeyed_at_once(orion, client):
    tag = uuid.uuid4().hex
    flow_run = client.flow_run(client.flow(), state={"type": "RUNNING"})
    runs = [client.task_run(flow_run, tags=[tag]) for _ in range(3)]
    answer = client.post("/concurrency_limits/", {"tag": tag, "concurrency_limit": 1})
    assert answer.status == 200
    assert client.set_state("task_runs", runs[0], "RUNNING").value["status"] == "ACCEPT"
    assert client.set_state("task_runs", runs[1], "RUNNING").value["status"] == "WAIT"
    orion.execute("UPDATE concurrency_limit SET concurrency_limit = 2 WHERE tag = ?", tag)
    assert client.set_state("task_runs", runs[1], "RUNNING").value["status"] == "ACCEPT"
    assert client.set_state("task_runs", runs[2], "RUNNING").value["status"] == "WAIT"
    orion.execute("DELETE FROM concurrency_limit WHERE tag = ?", tag)
    assert client.set_state("task_runs", runs[2], "RUNNING").value["status"] == "ACCEPT"
    assert client.set_state("task_runs", runs[0], "COMPLETED").value["status"] == "ACCEPT"


def test_the_encryption_key_deleted(orion, client):
    schema = block_schema(client)
    before = block_document(client, schema, "first").value
    assert secret(client, before) == "first"
    assert orion.execute("SELECT COUNT(*) FROM configuration WHERE key = 'ENCRYPTION_KEY'") == [(1,)]
    orion.execute("DELETE FROM configuration WHERE key = 'ENCRYPTION_KEY'")
    assert secret(client, before) == 500  # nobody can read it any more
    assert "the encryption key is not in the database" in orion.log()
    answer = block_document(client, schema, "second")
    assert answer.status == 201, answer
    assert secret(client, answer.value) == "second"
    assert orion.execute("SELECT COUNT(*) FROM configuration WHERE key = 'ENCRYPTION_KEY'") == [(1,)]


@pytest.mark.parametrize("value", ['{}', '{"fernet_key": "cut"}', '[]'])
def test_a_broken_encryption_key_is_not_replaced_while_a_document_needs_it(start, value):
    server = start()
    client = Client(server)
    schema = block_schema(client)
    before = block_document(client, schema, "first").value
    read = "SELECT CAST(value AS TEXT) FROM configuration WHERE key = 'ENCRYPTION_KEY'"
    [(good,)] = server.execute(read)
    server.execute(f"UPDATE configuration SET value = '{value}' WHERE key = 'ENCRYPTION_KEY'")
    assert secret(client, before) == 500
    answer = block_document(client, schema, "second")
    assert answer == (500, {"exception_message": "Internal Server Error"})
    assert server.log().count("the row ENCRYPTION_KEY of the table configuration does not contain a Fernet key") == 2
    assert server.execute(read) == [(value,)]
    server.execute(f"UPDATE configuration SET value = '{good}' WHERE key = 'ENCRYPTION_KEY'")
    assert secret(client, before) == "first"
    server.execute(f"UPDATE configuration SET value = '{value}' WHERE key = 'ENCRYPTION_KEY'")
    server.execute("DELETE FROM block_document")
    answer = block_document(client, schema, "third")  # nothing can be lost
    assert answer.status == 201 and secret(client, answer.value) == "third"


def test_every_row_deleted(orion, client):
    """As `POST /admin/database/clear` by another server would do it."""
    client.flow_run(client.flow())
    for table in ("flow", "concurrency_limit", "block_document", "block_schema", "block_type", "configuration", "agent",
                  "work_pool"):
        orion.execute(f"DELETE FROM {table}")
    flow = client.flow()
    run = client.flow_run(flow)
    assert client.set_state("flow_runs", run, "RUNNING").value["status"] == "ACCEPT"
    assert block_document(client, block_schema(client), "new").status == 201


def test_indexes_and_pages_changed_by_another(orion, client):
    """The statements that we keep prepared have to be made anew."""
    flow = client.flow()
    orion.execute("CREATE INDEX another ON flow_run (parent_task_run_id, name)")
    assert client.flow_run(flow)["flow_id"] == flow["id"]
    orion.execute("DROP INDEX another")
    orion.execute("VACUUM")
    assert client.flow_run(flow)["flow_id"] == flow["id"]
    assert client.post("/flow_runs/count", {"flows": {"id": {"any_": [flow["id"]]}}}) == (200, 2)


def test_the_database_is_reset_under_a_running_server(start):
    server = start()
    client = Client(server)
    flow = client.flow()
    client.flow_run(flow)
    command = [servers.ORION_BIN, "orion", "database", "reset", "-y"]
    environment = servers.server_environment(server.home, PREFECT_ORION_DATABASE_CONNECTION_URL=server.store.url)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done
    assert client.post("/flows/filter", {}) == (200, [])
    again = client.made("/flows/", {"name": flow["name"]})
    assert client.set_state("flow_runs", client.flow_run(again), "RUNNING").value["status"] == "ACCEPT"


def test_a_table_that_is_gone_fails_what_needs_it_and_nothing_else(start):
    server = start()
    client = Client(server)
    flow = client.flow()
    server.execute("ALTER TABLE log RENAME TO away")
    assert client.post("/logs/filter", {}) == (500, {"exception_message": "Internal Server Error"})
    assert client.flow_run(flow)["flow_id"] == flow["id"]
    server.execute("ALTER TABLE away RENAME TO log")
    assert client.post("/logs/filter", {}) == (200, [])


def test_a_read_that_takes_too_long_is_answered_503(start):
    start().stop()  # making the tables may take longer
    server = start(PREFECT_ORION_DATABASE_TIMEOUT="0.05")
    tags = [f"tag-{number}" for number in range(100)]
    server.execute("WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 100000)"
                   f" INSERT INTO flow (name, tags) SELECT 'name-' || n, '{json.dumps(tags)}' FROM number")
    client = Client(server)
    lacking_the_last = {"flows": {"tags": {"all_": [*tags, "none"]}}}  # which takes seconds
    answer, took = timed(lambda: client.post("/flows/count", lacking_the_last))
    assert answer.status == 503 and "timeout" in answer.value["exception_message"]
    assert took < 5
    assert client.get("/flows/name/name-7").status == 200
    assert client.flow()["name"]


def is_left_alone(server, way, found):
    before = server.store.dump()
    answer = Client(server).post(f"/admin/database/{way}", {"confirm": True})
    assert answer.status == 409 and found in answer.value["detail"]
    assert server.store.dump() == before


@pytest.mark.parametrize("way", ["clear", "drop", "create"])
def test_a_database_that_a_newer_version_took_over_is_left_alone(start, way):
    server = start()
    Client(server).flow()
    server.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    is_left_alone(server, way, "ffffffffffff")


@pytest.mark.parametrize("way", ["clear", "drop", "create"])
def test_a_table_of_another_program_among_ours_is_left_alone(start, way):
    server = start()
    Client(server).flow()
    server.execute("DROP TABLE log")
    server.execute("CREATE TABLE log (line VARCHAR(80))")
    server.execute("INSERT INTO log (line) VALUES ('another program wrote this')")
    is_left_alone(server, way, "table log")
