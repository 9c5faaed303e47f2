"""Behind PgBouncer in transaction mode, with fewer connections of its own than ours: each transaction may run in
another session."""
import os
import subprocess
import time
import uuid

import pytest

from tests.lib import postgres
from tests.lib.load import Client, Threads
from .bouncer import bouncing
from .invariants import problems
from .session import Session, transaction
from .writers import Writers

SECONDS = 60 if os.environ.get("ORION_TEST_FULL") == "1" else 5
TIMEOUT = 2.5
MARGIN = 2
UNSURE = "while a write was being committed: it may be stored or not"
POOL, CONNECTIONS = 2, 6
SETTINGS = {"PREFECT_ORION_DATABASE_TIMEOUT": str(TIMEOUT), "PREFECT_ORION_DATABASE_CONNECTION_TIMEOUT": "5",
            "ORION_DATABASE_CONNECTIONS": str(CONNECTIONS)}


@pytest.fixture
def bouncer():
    with bouncing(postgres.cluster(), POOL) as running:
        yield running


@pytest.fixture(params=["setting", "url"])
def orion(request, start, bouncer, database):
    """Told by the setting, or as one tells the Python driver."""
    if request.param == "url":
        return start(f"{bouncer.url(database)}?statement_cache_size=0", **SETTINGS)
    return start(bouncer.url(database), **SETTINGS, ORION_DATABASE_PGBOUNCER="true")


@pytest.fixture
def behind(start, bouncer, database):
    return start(bouncer.url(database), **SETTINGS, ORION_DATABASE_PGBOUNCER="true")


def walk(client):
    """A bit of everything that goes to the database."""
    name = uuid.uuid4().hex
    flow = client.made("/flows/", {"name": name, "tags": ["a", "b"]})
    deployment = client.post("/deployments/", {"name": name, "flow_id": flow["id"], "work_queue_name": name,
                                               "schedule": {"interval": 3600}}).value
    assert client.post(f"/deployments/{deployment['id']}/schedule", {"max_runs": 3}).status == 200
    run = client.flow_run(flow, parameters={"n": [1, 2.5, None]})
    assert client.set_state("flow_runs", run, "RUNNING").value["status"] == "ACCEPT"
    client.post("/concurrency_limits/", {"tag": name, "concurrency_limit": 1})
    tasks = [client.task_run(run, tags=[name]) for _ in range(2)]
    assert [client.set_state("task_runs", task, "RUNNING").value["status"] for task in tasks] == ["ACCEPT", "WAIT"]
    assert client.set_state("task_runs", tasks[0], "COMPLETED").value["status"] == "ACCEPT"
    assert client.request("PATCH", f"/flow_runs/{run['id']}", {"name": name}).status == 204
    log = {"name": "walk", "level": 20, "message": name, "timestamp": "2023-01-01T00:00:00Z", "flow_run_id": run["id"]}
    assert client.post("/logs/", [log, log]).status == 201
    filters = {"flows": {"id": {"any_": [flow["id"]]}}, "flow_runs": {"name": {"like_": name[:9]}}}
    assert [found["id"] for found in client.post("/flow_runs/filter", filters).value] == [run["id"]]
    assert client.post("/task_runs/count", {"flow_runs": {"id": {"any_": [run["id"]]}}}).value == 2
    assert len(client.post("/logs/filter", {"logs": {"flow_run_id": {"any_": [run["id"]]}}}).value) == 2
    assert client.get(f"/flow_runs/{run['id']}/graph").status == 200
    [queue] = client.post("/work_queues/filter", {"work_queues": {"name": {"any_": [name]}}}).value
    assert client.post(f"/work_queues/{queue['id']}/get_runs",
                       {"scheduled_before": "2100-01-01T00:00:00Z"}).status == 200
    answer = client.post("/flows/", {"name": name})
    assert (answer.status, answer.value["id"]) == (200, flow["id"])
    assert client.post("/flow_runs/", {"flow_id": str(uuid.uuid4())}).status == 409
    assert client.request("DELETE", f"/deployments/{deployment['id']}").status == 204
    return flow


LOOK = ("BEGIN; SELECT pg_backend_pid(); SELECT name"
        " FROM pg_prepared_statements; SHOW statement_timeout; SELECT pg_sleep(0.5); COMMIT")


def sessions(bouncer, database):
    """What stayed in each session that PgBouncer lends: {process: lines}. As many look at once as there are
    sessions."""
    def look(_):
        command = [postgres.programs() / "psql", "-h", "127.0.0.1", "-p", str(bouncer.port), "-U", "postgres", "-d",
                   database, "-AtXqc", LOOK]
        pid, *lines = subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout.split()
        return pid, lines

    return dict(Threads(POOL, look).join())


def test_every_kind_of_request(orion, bouncer, database):
    Threads(4, lambda _: walk(Client(orion))).join()
    left = sessions(bouncer, database)
    assert len(left) == POOL and list(left.values()) == [["0"]] * POOL  # no statement, no timeout
    with Session(postgres.cluster(), database) as look:
        assert look.one("SELECT count(*) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()") <= POOL
        assert problems(look) == []


def test_load(behind, bouncer, database):
    begun = time.monotonic()
    with Writers(behind, 8) as writers:
        while time.monotonic() < begun + SECONDS:
            walk(Client(behind))
    assert writers.failed() == [] and len(writers.told) > 50 * SECONDS
    assert list(sessions(bouncer, database).values()) == [["0"]] * POOL
    with Session(postgres.cluster(), database) as look:
        assert writers.misplaced(look) == (set(), set())
        assert problems(look) == []


def test_a_statement_that_takes_too_long_ends_in_time(behind, database):
    client = Client(behind)
    flow = client.flow()
    locked, free = client.flow_run(flow), client.flow_run(flow)
    with transaction(postgres.cluster(), database, f"SELECT 1 FROM flow_run WHERE id = '{locked['id']}' FOR UPDATE"):
        begun = time.monotonic()
        waiter = Threads(1, lambda _: Client(behind).set_state("flow_runs", locked, "RUNNING"))
        assert client.set_state("flow_runs", free, "RUNNING").value["status"] == "ACCEPT"
        [answer] = waiter.join()
        assert answer == (503, {"exception_message": "The query took longer than the database timeout allows"})
        assert TIMEOUT - 0.5 < time.monotonic() - begun < TIMEOUT + MARGIN
    assert client.set_state("flow_runs", locked, "RUNNING").value["status"] == "ACCEPT"


def test_more_transactions_than_sessions_wait_for_one(behind, database):
    client = Client(behind)
    run = client.flow_run(client.flow())
    with transaction(postgres.cluster(), database, f"SELECT 1 FROM flow_run WHERE id = '{run['id']}' FOR UPDATE"):
        waiting = Threads(CONNECTIONS, lambda _: Client(behind).set_state("flow_runs", run, "RUNNING"))
        time.sleep(TIMEOUT / 3)
    assert sorted(answer.value["status"] for answer in waiting.join()) == ["ABORT"] * (CONNECTIONS - 1) + ["ACCEPT"]


def test_pgbouncer_restarts_under_load(behind, bouncer, database):
    with Writers(behind) as writers:
        time.sleep(1)
        bouncer.stop()
        time.sleep(0.5)
        bouncer.start()
        begun = time.monotonic()
        while writers.served(begun) < 30:
            assert time.monotonic() < begun + 4, writers.failed()[-1:]
            time.sleep(0.05)
        time.sleep(0.5)
    assert writers.failed(begun + 1) == []
    assert max(one.took for one in writers.told) < TIMEOUT + MARGIN
    assert all(UNSURE in one.text or "The database cannot be reached" in one.text for one in writers.failed())
    with Session(postgres.cluster(), database) as look:
        assert writers.misplaced(look) == (set(), set())
        assert problems(look) == []


def test_sessions_of_the_server_end_under_load(behind, database):
    with Writers(behind) as writers:
        for _ in range(5):
            time.sleep(0.4)
            postgres.cluster().disconnect_all(database)
        time.sleep(1)
        begun = time.monotonic()
        time.sleep(0.5)
    assert writers.failed(begun) == [] and writers.served(begun) > 10
    assert all("database" in one.text for one in writers.failed())
    with Session(postgres.cluster(), database) as look:
        assert writers.misplaced(look) == (set(), set())
        assert problems(look) == []


# ---- where nobody told us ----

def test_a_server_that_was_not_told_says_what_to_set(start, bouncer, database):
    server = start(bouncer.url(database), wait=False, **SETTINGS)
    assert server.process.wait(20) != 0
    assert "ORION_DATABASE_PGBOUNCER" in server.log()


def test_a_server_that_was_not_told_finds_it_out(start, database):
    """Where PgBouncer lets settings of the session pass, statements are prepared in one session and asked for in
    another."""
    with bouncing(postgres.cluster(), POOL, ignore_startup_parameters="options") as bouncer:
        server = start(bouncer.url(database), **SETTINGS)
        with Writers(server) as writers:
            time.sleep(SECONDS)
        assert writers.failed() == [] and writers.served(0) > 0
        assert server.log().count("ORION_DATABASE_PGBOUNCER") == 1, server.log()
        with Session(postgres.cluster(), database) as look:
            assert writers.misplaced(look) == (set(), set())
            assert problems(look) == []
