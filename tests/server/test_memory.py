"""How much memory the server takes: little when idle, no more after much work than after some."""
import contextlib
import os
import sqlite3
import threading
import time

import pytest

from tests.lib.load import Client, Threads, Wire, memory, request

IDLE_MAX = 12  # MB, resident
BUSY_MAX = 32
LOG_MAX = 80  # MB; the writer itself empties the write-ahead log at 64
CONNECTIONS = 8


def work(server, flow, rounds):
    """Twenty requests in a round, pipelined: most of them reads, as a dashboard and agents send them."""
    flow_runs = {"flows": {"id": {"any_": [flow["id"]]}}, "limit": 5, "sort": "EXPECTED_START_TIME_DESC"}

    def one(_):
        with Wire(server) as wire:
            for _ in range(rounds):
                run = Client(server).flow_run(flow, tags=["a", "b"], parameters={"x": [1, 2.5, "three"]})
                wire.send(request("POST", f"/flow_runs/{run['id']}/set_state", {"state": {"type": "RUNNING"}})
                          + request("POST", "/flow_runs/filter", flow_runs) + request(
                              "POST", "/flow_runs/count", {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}})
                          + request("POST", "/flows/", {"name": flow["name"], "wrong": 1})
                          + request("GET", "/nothing")
                          + request("GET", f"/flow_runs/{run['id']}") * 7
                          + request("GET", "/health") * 6 + request("POST", f"/flow_runs/{run['id']}/set_state",
                                                                    {"state": {"type": "COMPLETED"}}))
                expected = [201, 200, 200, 422, 404] + [200] * 13 + [201]
                assert [wire.answer()[0] for _ in expected] == expected

    Threads(CONNECTIONS, one).join()


def wait_for_less(server, most):
    deadline = time.monotonic() + 5
    while memory(server) >= most:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_memory_is_small_when_idle_and_bounded_after_20000_requests(start):
    server = start()
    assert memory(server) < IDLE_MAX
    flow = Client(server).flow()
    rounds = 10_000 // 20 // CONNECTIONS
    work(server, flow, rounds)
    half = memory(server)
    work(server, flow, rounds + 1)
    assert memory(server) < half + 2
    assert memory(server) < BUSY_MAX
    if server.engine == "sqlite":  # whose pages are given back
        wait_for_less(server, half - 1)


def test_memory_for_large_bodies_is_given_back(start):
    server = start()
    client = Client(server)
    flow = client.flow()
    for number in range(3):
        client.flow_run(flow, parameters={"numbers": [number] * 500_000})
    assert memory(server, "VmHWM") > 40, "it was not large"
    wait_for_less(server, BUSY_MAX)  # the last one is freed after its answer


@pytest.mark.only("sqlite")
def test_the_write_ahead_log_is_emptied_as_it_goes(start):
    """Even where reads overlap all the time, so that the log is never free by itself."""
    server = start()
    server.execute("WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 20000)"
                   " INSERT INTO flow (name, tags) SELECT 'name-' || n, '[\"a\", \"b\"]' FROM number")
    flow = Client(server).flow()
    body = {"flow_id": flow["id"], "parameters": {"long": "x" * 600_000}}
    written = threading.Event()

    def write(_):
        client = Client(server)
        for _ in range(40):
            assert client.post("/flow_runs/", body).status == 201

    def read(_):
        client = Client(server)
        while not written.is_set():
            assert client.post("/flows/count", {"flows": {"tags": {"all_": ["a", "c"]}}}) == (200, 0)

    readers = Threads(6, read)
    try:
        Threads(CONNECTIONS, write).join()
    finally:
        written.set()
        readers.join()
    assert os.path.getsize(server.store.path) > 2 * LOG_MAX << 20
    assert os.path.getsize(f"{server.store.path}-wal") < LOG_MAX << 20


@pytest.mark.only("sqlite")
def test_writes_do_not_wait_for_a_reader_that_lasts(start):
    """A backup, say. The least of three, since a disk can make a write wait that long, too."""
    server = start()
    flow = Client(server).flow()
    body = {"flow_id": flow["id"], "parameters": {"long": "x" * 600_000}}

    def write(_):
        client, longest = Client(server), 0
        for _ in range(20):
            began = time.monotonic()
            assert client.post("/flow_runs/", body).status == 201
            longest = max(longest, time.monotonic() - began)
        return longest

    def longest_beside_a_reader():
        for _ in range(3):  # the log starts over
            Client(server).flow_run(flow)
            time.sleep(0.3)
        with contextlib.closing(sqlite3.connect(server.store.path)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT COUNT(*) FROM flow_run").fetchall()
            longest = max(Threads(CONNECTIONS, write).join())
            assert os.path.getsize(f"{server.store.path}-wal") > 64 << 20
            return longest

    assert min(longest_beside_a_reader() for _ in range(3)) < 0.9
