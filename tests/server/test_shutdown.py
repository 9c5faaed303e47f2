"""SIGTERM and SIGINT: what is under way is answered, the file is left tidy, the exit status is 0."""
import os
import signal
import socket
import subprocess
import time

import pytest

from tests.lib import servers
from tests.lib.load import LOST, Client, Threads, files

SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])


def is_listening(server):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", server.port)) == 0


def wait_until_closed(server):
    deadline = time.monotonic() + 5
    while is_listening(server):
        assert time.monotonic() < deadline, "it still accepts connections"
        time.sleep(0.01)


def assert_ended_tidily(server):
    assert server.process.wait(15) == 0, server.log()
    assert files(server) == []
    if server.engine == "sqlite":
        assert server.execute("PRAGMA integrity_check") == [("ok",)]


@SIGNALS
def test_requests_in_flight_are_answered(start, number):
    server = start()
    flow = Client(server).flow()
    clients = [Client(server) for _ in range(8)]
    for client in clients:
        assert client.get("/health").status == 200  # connected
    with server.store.write_lock():
        threads = Threads(len(clients), lambda i: clients[i].flow_run(flow))
        time.sleep(0.3)
        server.signal(number)
        wait_until_closed(server)
        assert server.process.poll() is None, "it ended with requests in flight"
    made = threads.join()
    assert_ended_tidily(server)
    assert {row[0] for row in server.execute("SELECT id FROM flow_run")} == {run["id"] for run in made}


@SIGNALS
def test_under_load_nothing_is_done_without_an_answer(start, number):
    server = start()
    flow = Client(server).flow()
    answered = []

    def write(_):
        client = Client(server)
        try:
            while True:
                answered.append(client.flow_run(flow)["id"])
        except LOST:
            return

    threads = Threads(16, write)
    deadline = time.monotonic() + 30
    while len(answered) < 300 and time.monotonic() < deadline and not threads.failures:
        time.sleep(0.01)
    server.signal(number)
    threads.join()
    assert_ended_tidily(server)
    assert len(answered) >= 300
    assert {row[0] for row in server.execute("SELECT id FROM flow_run")} == set(answered)


def test_a_body_that_is_still_coming_is_waited_for(start):
    server = start()
    body = b'{"name": "late"}'
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"POST /api/flows/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
                           b"content-length: %d\r\n\r\n" % len(body) + body[:5])
        time.sleep(0.3)
        server.signal(signal.SIGTERM)
        wait_until_closed(server)
        connection.sendall(body[5:])
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 201 ")
    assert_ended_tidily(server)
    assert server.execute("SELECT name FROM flow") == [("late",)]


def test_idle_connections_do_not_hold_it_up(start):
    server = start()
    clients = [Client(server) for _ in range(20)]
    for client in clients:
        assert client.get("/health").status == 200
    begun = time.monotonic()
    server.signal(signal.SIGTERM)
    assert_ended_tidily(server)
    assert time.monotonic() - begun < 10


def test_a_second_signal_does_no_harm(start):
    server = start()
    flow = Client(server).flow()
    client = Client(server)
    with server.store.write_lock():
        threads = Threads(1, lambda _: client.flow_run(flow))
        time.sleep(0.3)
        for _ in range(3):
            server.signal(signal.SIGINT)
            time.sleep(0.05)
    threads.join()
    assert_ended_tidily(server)


def test_signals_are_for_the_main_thread_alone(start):
    """A handler on any other would share with the main thread, without a lock, what it tells it."""
    server = start(**{f"PREFECT_ORION_SERVICES_{service}_ENABLED": "true" for service in servers.SERVICES})
    client = Client(server)
    assert client.get("/ready").status in (200, 503)  # which starts a thread, as does a large body
    assert client.post("/flows/", {"name": "large", "tags": ["x" * 100_000]}).status == 201
    pid, both = server.process.pid, 1 << signal.SIGINT - 1 | 1 << signal.SIGTERM - 1
    blocked = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as lines:
            mask = next(line for line in lines if line.startswith("SigBlk:"))
        blocked[int(task)] = int(mask.split()[1], 16) & both
    assert len(blocked) > len(servers.SERVICES) + 3
    assert blocked == {task: 0 if task == pid else both for task in blocked}


@SIGNALS
def test_a_signal_as_soon_as_it_is_ready(tmp_path, engine, number):
    store = servers.Store.of_home(engine, tmp_path)
    store.create("orion")
    for _ in range(10):
        command = [servers.ORION_BIN, "orion", "start", "--host", "127.0.0.1", "--port", str(servers.free_port())]
        environment = servers.server_environment(tmp_path, PREFECT_ORION_DATABASE_CONNECTION_URL=store.url)
        with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            assert b"ready" in process.stdout.readline()
            process.send_signal(number)
            process.stdout.read()
        assert process.returncode == 0
        assert os.listdir(tmp_path) == (["orion.db"] if engine == "sqlite" else [])
