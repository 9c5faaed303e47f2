"""The pool of connections: how many there are, who waits for one, and how long a statement or a lock may take."""
import threading
import time

import pytest

from tests.lib import postgres
from tests.lib.load import Client, Threads, memory
from .proxy import Proxy
from .session import SESSIONS, Session, transaction

TIMEOUT = 2  # seconds; PREFECT_ORION_DATABASE_TIMEOUT
MARGIN = 2  # for a machine that is busy
CONNECTIONS = 3


@pytest.fixture
def orion(start, database):
    return start(postgres.cluster().url(database), PREFECT_ORION_DATABASE_TIMEOUT=str(TIMEOUT),
                 ORION_DATABASE_CONNECTIONS=str(CONNECTIONS))


def timed(call):
    begun = time.monotonic()
    return call(), time.monotonic() - begun


def locked_out(call):
    answer, took = timed(call)
    assert answer.status == 503, answer
    assert "took longer than the database timeout" in answer.value["exception_message"], answer
    assert TIMEOUT - 0.5 < took < TIMEOUT + MARGIN


def test_a_locked_row_fails_its_own_writes_in_time(orion, database):
    client = Client(orion)
    flow = client.flow()
    locked, free = client.flow_run(flow), client.flow_run(flow)
    with transaction(postgres.cluster(), database, f"SELECT 1 FROM flow_run WHERE id = '{locked['id']}' FOR UPDATE"):
        waiter = Threads(1, lambda _: locked_out(lambda: Client(orion).set_state("flow_runs", locked, "RUNNING")))
        answer, took = timed(lambda: client.set_state("flow_runs", free, "RUNNING"))
        assert (answer.status, answer.value["status"]) == (201, "ACCEPT") and took < 1
        assert client.get(f"/flow_runs/{locked['id']}").value["state_type"] == "PENDING"  # readers wait for no row
        waiter.join()
    assert client.set_state("flow_runs", locked, "RUNNING").value["status"] == "ACCEPT"


def test_a_locked_row_that_is_given_back_in_time_is_waited_for(orion, database):
    client = Client(orion)
    run = client.flow_run(client.flow())
    with transaction(postgres.cluster(), database, f"SELECT 1 FROM flow_run WHERE id = '{run['id']}' FOR UPDATE"):
        waiter = Threads(1, lambda _: timed(lambda: Client(orion).set_state("flow_runs", run, "RUNNING")))
        time.sleep(TIMEOUT / 2)
    [(answer, took)] = waiter.join()
    assert answer.value["status"] == "ACCEPT" and took > TIMEOUT / 2 - 0.2


def test_a_locked_table_fails_reads_and_writes_of_it_in_time(orion, database):
    client = Client(orion)
    flow = client.flow()
    with transaction(postgres.cluster(), database, "LOCK TABLE log IN ACCESS EXCLUSIVE MODE"):
        calls = [lambda one: one.post("/logs/filter", {}), lambda one: one.post("/logs/filter", {})]
        threads = Threads(len(calls), lambda number: locked_out(lambda: calls[number](Client(orion))))
        assert client.flow_run(flow)["flow_id"] == flow["id"]
        threads.join()
    assert client.post("/logs/filter", {}) == (200, [])


def test_a_statement_that_was_given_up_is_not_running_any_more(orion, database):
    client = Client(orion)
    run = client.flow_run(client.flow())
    with transaction(postgres.cluster(), database,
                     f"SELECT 1 FROM flow_run WHERE id = '{run['id']}' FOR UPDATE") as other:
        Threads(CONNECTIONS, lambda _: locked_out(lambda: Client(orion).set_state("flow_runs", run, "RUNNING"))).join()
        assert other.one(SESSIONS + " AND state <> 'idle'") == 0
        assert other.one(SESSIONS) <= CONNECTIONS


def test_more_requests_than_connections_wait_for_one_and_are_all_answered(orion, database):
    client = Client(orion)
    flow = client.flow()
    most, ended = [], threading.Event()

    def look_on():
        with Session(postgres.cluster(), database) as look:
            while not ended.is_set():
                most.append(look.one(SESSIONS))

    def work(number):
        one = Client(orion)
        for _ in range(8):
            run = one.flow_run(flow)
            assert one.set_state("flow_runs", run, "RUNNING").value["status"] == "ACCEPT"
            assert one.get(f"/flow_runs/{run['id']}").value["state_type"] == "RUNNING"

    watcher = Threads(1, lambda _: look_on())
    try:
        Threads(32, work).join()
    finally:
        ended.set()
    watcher.join()
    assert max(most) == CONNECTIONS
    assert client.post("/flow_runs/count", {}) == (200, 32 * 8)


def test_requests_that_queue_behind_a_lock_are_answered_after_it(orion, database):
    client = Client(orion)
    flow = client.flow()
    with transaction(postgres.cluster(), database, "LOCK TABLE flow_run IN ACCESS EXCLUSIVE MODE"):
        threads = Threads(40, lambda number: Client(orion).post("/flow_runs/", {"flow_id": flow["id"]}).status)
        time.sleep(TIMEOUT / 4)
    assert threads.join() == [201] * 40
    assert client.post("/flow_runs/count", {}) == (200, 40)


def test_requests_that_queue_behind_a_lock_for_too_long_all_fail_in_time(orion, database):
    client = Client(orion)
    flow = client.flow()
    before = memory(orion)
    with transaction(postgres.cluster(), database, "LOCK TABLE flow_run IN ACCESS EXCLUSIVE MODE"):
        answers = Threads(
            100, lambda number: timed(lambda: Client(orion).post("/flow_runs/", {"flow_id": flow["id"]}))).join()
    assert {answer.status for answer, _ in answers} == {503}
    assert max(took for _, took in answers) < TIMEOUT + MARGIN
    assert all("timeout" in answer.value["exception_message"] or "in time" in answer.value["exception_message"]
               for answer, _ in answers)
    assert client.post("/flow_runs/count", {}) == (200, 0)
    assert client.flow_run(flow)["flow_id"] == flow["id"]
    assert memory(orion) < before + 16


def test_what_was_given_up_does_not_pile_up_at_the_server(orion, database):
    """Where all wait for a lock, jobs get their connection late, and must not leave statements running when their time
    is over."""
    flow = Client(orion).flow()
    ending = threading.Event()

    def work(_):
        one = Client(orion)
        while not ending.is_set():
            answer, took = timed(lambda: one.post("/flow_runs/", {"flow_id": flow["id"]}))
            assert answer.status == 503 and took < TIMEOUT + MARGIN
            time.sleep(0.05)

    with transaction(postgres.cluster(), database,
                     "LOCK TABLE flow_run IN ACCESS EXCLUSIVE MODE"), Session(postgres.cluster(), database) as look:
        threads = Threads(60, work)
        most, until = 0, time.monotonic() + 3 * TIMEOUT
        while time.monotonic() < until:
            most = max(most, look.one(SESSIONS))
            time.sleep(0.05)
        ending.set()
        threads.join()
    assert most == CONNECTIONS
    assert Client(orion).flow_run(flow)["flow_id"] == flow["id"]


def test_a_statement_is_sent_as_text_once_for_each_connection(start, database):
    cluster = postgres.cluster()
    with Proxy(cluster.port) as proxy:
        url = cluster.url(database).replace(f":{cluster.port}/", f":{proxy.port}/")
        client = Client(start(url, ORION_DATABASE_CONNECTIONS="1"))

        def one_round():
            proxy.record = []
            run = client.flow_run(client.flow())
            client.set_state("flow_runs", run, "RUNNING")
            return b"".join(proxy.record)

        assert b"INSERT INTO flow_run" in one_round()
        again = one_round()
    assert b"BEGIN" in again
    for word in (b"SELECT", b"INSERT", b"UPDATE"):
        assert word not in again
