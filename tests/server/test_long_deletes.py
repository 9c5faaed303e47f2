"""Deletes of what has thousands of runs: others are served meanwhile; killed or stopped in their midst they leave whole
runs, and asked again they finish."""
import contextlib
import os
import signal
import sqlite3
import statistics
import threading
import time

import pytest

from tests.lib.check import assert_clean
from tests.lib.load import LOST, Client, Threads
from tests.lib.rows import fill, identifier

FULL = os.environ.get("ORION_TEST_FULL") == "1"
RUNS = {"sqlite": 20000 if FULL else 2000, "postgresql": 10000 if FULL else 600}  # which take about as long
# Runs that only lose what is deleted are sooner done.
LOSING = {"sqlite": 160000 if FULL else 80000, "postgresql": 80000 if FULL else 5000}
FLOW_STATES, TASKS, TASK_STATES, LOGS = 3, 2, 2, 2  # of each run
WORK_POOLS = {"PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS": "true"}
COUNTED = ["flow_run", "flow_run_state", "task_run", "task_run_state", "log", "artifact"]


class Family:
    """What is deleted, with many runs that go with it, or lose it."""

    def __init__(self, server, client):
        self.server, self.client, self.engine = server, client, server.engine
        self.runs = RUNS[self.engine]
        self.losing = LOSING[self.engine]
        self.flow = client.flow()["id"]
        self.other = client.flow()["id"]

    def text(self, value):
        return f"'{value}'" if self.engine == "sqlite" else f"CAST('{value}' AS uuid)"

    def number(self, digit, number="i"):
        return identifier(self.engine, number, str(digit) * 12)

    def fill(self, table, count, **columns):
        fill(self.server.store, table, count, **columns)

    def states(self, kind, each):
        """Of flow runs (kind 1) or task runs (kind 2), each of which is in the last one."""
        run, table = {1: ("flow_run", "flow_run_state"), 2: ("task_run", "task_run_state")}[kind]
        count = self.server.execute(f"SELECT count(*) FROM {run}")[0][0]
        second = f"printf('2020-01-01 00:00:%02d.000000', i % {each})" if self.engine == "sqlite" else \
            f"timestamptz '2020-01-01' + i % {each} * interval '1 second'"
        self.fill(table, count * each, **{
            "id": self.number(kind + 2), f"{run}_id": self.number(kind, f"i / {each}"), "timestamp": second,
            "type": "'PENDING'", "name": "'Pending'"})
        if self.engine == "postgresql":  # which would look for each run's last state from the table's end
            self.server.execute(f"ANALYZE {table}")
        self.server.execute(f"UPDATE {run} SET (state_id, state_timestamp) = (SELECT id, timestamp FROM {table}"
                            f" WHERE {run}_id = {run}.id ORDER BY id DESC LIMIT 1),"
                            " state_type = 'PENDING', state_name = 'Pending'")

    def tasks(self, count, run):
        self.fill("task_run", count, id=self.number(2), name="'task'", flow_run_id=self.number(1, run),
                  task_key="'key'", dynamic_key="CAST(i AS text)")

    def many_runs(self, **columns):
        columns = {"flow_id": self.text(self.other), **columns}
        self.fill("flow_run", self.runs, id=self.number(1), name="'run'", **columns)
        self.tasks(self.runs * TASKS, f"i / {TASKS}")
        self.rest(self.runs)

    def losing_runs(self, **columns):
        self.fill("flow_run", self.losing, id=self.number(1), name="'run'",
                  flow_id=self.text(self.other), **columns)

    def one_run(self, tasks, logs):
        self.fill("flow_run", 1, id=self.number(1), name="'run'",
                  flow_id=self.text(self.flow))
        self.tasks(tasks, "0")
        self.rest(1)
        self.fill("log", logs, id=self.number(7), name="'log'", level="20", message="'line'",
                  flow_run_id=self.number(1, "0"), timestamp="'2020-01-01 00:00:00.000000'")

    def rest(self, runs):
        self.fill("log", runs * LOGS, id=self.number(5), name="'log'", level="20", message="'line'",
                  flow_run_id=self.number(1, f"i / {LOGS}"), timestamp="'2020-01-01 00:00:00.000000'")
        self.fill("artifact", runs, id=self.number(6), data="'1'", flow_run_id=self.number(1))
        self.states(1, FLOW_STATES)
        self.states(2, TASK_STATES)
        if self.engine == "postgresql":
            self.server.execute("ANALYZE")

    def count(self, table, where="TRUE"):
        return self.server.execute(f"SELECT count(*) FROM {table} WHERE {where}")[0][0]

    def assert_whole(self):
        """Whatever runs are left have all that belongs to them."""
        runs, tasks = self.count("flow_run"), self.count("task_run")
        assert self.count("flow_run_state") == runs * FLOW_STATES
        assert self.count("task_run_state") == tasks * TASK_STATES
        assert self.count("artifact") == runs
        assert self.count("flow_run", "state_id IS NULL") == self.count("task_run", "state_id IS NULL") == 0
        return runs, tasks


def deployment_of(family):
    return family.client.made("/deployments/", {
        "name": "deployment", "flow_id": family.flow, "work_queue_name": "queue", "is_schedule_active": False,
        "infra_overrides": {}, "parameters": {}, "tags": [], "parameter_openapi_schema": {}, "manifest_path": "file"})


# Each makes the family: the path to delete, the condition of the runs that lose what is deleted, None if they go.
def flow(family):
    family.many_runs(flow_id=family.text(family.flow))
    return f"/flows/{family.flow}", None


def scheduled_runs(family):
    deployment = deployment_of(family)["id"]
    family.many_runs(deployment_id=family.text(deployment))
    family.server.execute("UPDATE flow_run SET state_type = 'SCHEDULED'")
    return f"/deployments/{deployment}", None


def deployment(family):
    deployment = deployment_of(family)["id"]
    family.losing_runs(deployment_id=family.text(deployment))
    return f"/deployments/{deployment}", "deployment_id IS NOT NULL"


def block_document(family):
    client = family.client
    block_type = client.made("/block_types/", {"name": "kind", "slug": "kind"})
    schema = client.made("/block_schemas/", {"block_type_id": block_type["id"], "fields": {"title": "kind"}})
    document = client.made("/block_documents/", {"name": "block", "block_type_id": block_type["id"],
                                                 "block_schema_id": schema["id"], "data": {}})
    family.many_runs(infrastructure_document_id=family.text(document["id"]))
    return f"/block_documents/{document['id']}", None


def block_type(family):
    block_document(family)
    return f"/block_types/{family.client.get('/block_types/slug/kind').value['id']}", None


def work_queue(family):
    queue = family.client.made("/work_queues/", {"name": "queue"})["id"]
    family.losing_runs(work_queue_id=family.text(queue))
    return f"/work_queues/{queue}", "work_queue_id IS NOT NULL"


def work_pool(family):
    pool = family.client.made("/experimental/work_pools/", {"name": "pool", "type": "process"})
    family.losing_runs(work_queue_id=family.text(pool["default_queue_id"]))
    return "/experimental/work_pools/pool", "work_queue_id IS NOT NULL"


def run_with_tasks(family):
    family.one_run(family.runs * 5, 10)
    return "/flow_runs/00000000-0000-7000-8000-111111111111", None


def run_with_logs(family):
    family.one_run(10, family.runs * 60)  # fewer are gone before others have asked a few times
    return "/flow_runs/00000000-0000-7000-8000-111111111111", None


MANY_RUNS = [flow, scheduled_runs, deployment, block_document, block_type, work_queue, work_pool]
KINDS = pytest.mark.parametrize("make", [*MANY_RUNS, run_with_tasks, run_with_logs], ids=lambda make: make.__name__)


def seconds_of_others(server, flow_id, is_over, method, path, body=None):
    """How long each answer took that another client got meanwhile."""
    client, took = Client(server), []
    while not is_over.is_set():
        begun = time.monotonic()
        assert client.request(method, path, body).status in (200, 201)
        took.append(time.monotonic() - begun)
        time.sleep(0.002)
    return took


def assert_gone(family, path, losing):
    if losing:
        assert family.count("flow_run") == family.losing and family.count("flow_run", losing) == 0
    else:
        assert {table: family.count(table) for table in COUNTED} == dict.fromkeys(COUNTED, 0)
    assert family.client.request("DELETE", path).status == 404


@KINDS
def test_others_are_served_meanwhile(start, make):
    server = start(**WORK_POOLS)
    family = Family(server, Client(server))
    path, losing = make(family)
    is_over = threading.Event()
    write = ("POST", "/concurrency_limits/", {"tag": "other", "concurrency_limit": 1})
    read = ("GET", f"/flows/{family.other}")
    others = Threads(2, lambda i: seconds_of_others(server, family.other, is_over, *(read if i else write)))
    begun = time.monotonic()
    answer = family.client.request("DELETE", path)
    took = time.monotonic() - begun
    is_over.set()
    writes, reads = others.join()
    assert (answer.status, answer.value) == (204, None)
    # In one transaction SQLite would have let nobody write before its end.
    for waits in writes, reads:
        assert len(waits) > 4, (took, waits)
        assert statistics.median(waits) < 0.2 * took and max(waits) < 0.6 * took, (took, sorted(waits)[-5:])
    assert_gone(family, path, losing)
    assert_clean(server.store)


def kill_in_the_midst(server, family, path, losing):
    """Deletes, and kills the server once something is gone."""
    table = max(["flow_run", "task_run", "log"], key=family.count) if family.count("flow_run") == 1 else "flow_run"
    where = losing or "TRUE"
    before = family.count(table, where)

    def delete(_):
        with contextlib.suppress(*LOST):
            Client(server).request("DELETE", path)

    deleting = Threads(1, delete)
    deadline = time.monotonic() + 30
    while family.count(table, where) == before:
        assert time.monotonic() < deadline
    server.signal(signal.SIGKILL)
    server.process.wait(30)
    deleting.join()
    assert 0 < family.count(table, where) < before, "it was not killed in the midst"


@pytest.mark.parametrize("make", [flow, deployment, run_with_tasks, run_with_logs], ids=lambda make: make.__name__)
def test_a_killed_one_leaves_whole_runs_and_finishes_when_asked_again(start, make):
    server = start(**WORK_POOLS)
    family = Family(server, Client(server))
    path, losing = make(family)
    kill_in_the_midst(server, family, path, losing)
    if make is flow:
        runs, tasks = family.assert_whole()
        assert tasks == runs * TASKS and family.count("log") == runs * LOGS
    elif losing:
        assert family.count("flow_run") == family.losing
    else:
        assert family.assert_whole()[0] == 1
    assert_clean(server.store)
    again = start(**WORK_POOLS)
    family.client = Client(again, timeout=300)  # the long form takes more than a minute
    assert family.client.get(path).status == 200
    assert family.client.request("DELETE", path).status == 204
    assert_gone(family, path, losing)


def test_runs_that_come_meanwhile_are_deleted_too_or_refused(start):
    """The answers to creating one are those of a flow that exists, then of one that does not."""
    server = start()
    family = Family(server, Client(server))
    path, _ = flow(family)
    is_over = threading.Event()

    def create(_):
        client, statuses = Client(server), []
        while not is_over.is_set():
            statuses.append(client.post("/flow_runs/", {"flow_id": family.flow}).status)
        return statuses

    others = Threads(4, create)
    time.sleep(0.1)
    assert family.client.request("DELETE", path).status == 204
    time.sleep(0.1)
    is_over.set()
    for statuses in others.join():
        assert {201, 409} == set(statuses)
        assert statuses.index(409) == statuses.count(201)
    assert family.count("flow_run") == family.count("flow_run_state") == 0


def test_two_at_once(start):
    """Of two that delete the same flow one does; both end."""
    server = start()
    family = Family(server, Client(server))
    path, _ = flow(family)
    threads = Threads(2, lambda _: Client(server).request("DELETE", path).status)
    assert sorted(threads.join()) == [204, 404]
    assert_gone(family, path, None)


@pytest.mark.only("sqlite")
def test_the_log_is_cut_back_and_free_pages_are_used_again(start):
    """A reader keeps the log from starting over while much is deleted."""
    server = start()
    family = Family(server, Client(server))
    path, _ = flow(family)
    log = server.store.path.with_name(server.store.path.name + "-wal")
    with contextlib.closing(sqlite3.connect(server.store.path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM flow").fetchall()
        assert family.client.request("DELETE", path).status == 204
        assert log.stat().st_size > 20 << 20
    deadline = time.monotonic() + 30
    while log.stat().st_size > 17 << 20:
        assert time.monotonic() < deadline, log.stat().st_size
        family.client.flow()
    pages, free = (server.execute(f"PRAGMA {name}_count")[0][0] for name in ("page", "freelist"))
    assert free > pages / 2
    family.flow = family.client.flow()["id"]
    for _ in range(300):
        family.client.flow_run({"id": family.flow})
    assert server.execute("PRAGMA page_count")[0][0] == pages
    assert server.execute("PRAGMA freelist_count")[0][0] < free
