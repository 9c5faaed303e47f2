"""What the server tells the service manager that started it: that it is ready, that its loop still turns, that it
ends."""
import os
import signal
import socket

import pytest

from tests.lib import servers
from tests.lib.load import Client
from tests.lib.service_manager import ServiceManager

pytestmark = pytest.mark.only("sqlite")
BEAT = 0.2  # seconds: half of the time limit below
LIMIT = {"WATCHDOG_USEC": "400000"}


@pytest.fixture
def manager(tmp_path):
    with ServiceManager(tmp_path / "notify") as manager:
        yield manager


def test_it_says_when_it_is_ready_and_when_it_ends(start, manager):
    server = start(NOTIFY_SOCKET=manager.address)
    assert manager.next() == ["READY=1", f"STATUS=Serving http://127.0.0.1:{server.port}"]
    assert manager.next(3 * BEAT) == []  # it was not asked for signs of life
    server.signal(signal.SIGTERM)
    assert manager.next()[0] == "STOPPING=1"
    assert server.process.wait(15) == 0


def test_what_is_ready_answers(tmp_path, manager, engine):
    server = servers.Server("orion", home=tmp_path, database=engine, NOTIFY_SOCKET=manager.address)
    try:
        manager.wait_for("READY=1")
        assert Client(server).get("/health").status == 200
    finally:
        server.stop()


def test_a_name_in_the_abstract_namespace(start):
    with ServiceManager() as manager:
        start(NOTIFY_SOCKET=manager.address)
        assert "READY=1" in manager.next()


def test_signs_of_life_until_the_end(start, manager):
    server = start(NOTIFY_SOCKET=manager.address, **LIMIT)
    for _ in range(5):
        manager.wait_for("WATCHDOG=1")
    with server.store.write_lock():  # a database that hangs is no reason to be restarted
        manager.forget()
        for _ in range(3):
            manager.wait_for("WATCHDOG=1")
    server.signal(signal.SIGTERM)
    manager.wait_for("STOPPING=1")


def test_a_loop_that_hangs_gives_none(start, manager, tmp_path):
    """It does while the pipe that its log goes to is full."""
    log = tmp_path / "server.log"
    os.mkfifo(log)
    pipe = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    server = start(NOTIFY_SOCKET=manager.address, ORION_LOG_ACCESS="true", **LIMIT)
    log.unlink()
    manager.wait_for("WATCHDOG=1")
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(3000 * b"GET /api/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert any(manager.next(5 * BEAT) == [] for _ in range(100))
        assert server.process.poll() is None
        os.close(pipe)  # which ends the wait
        manager.wait_for("WATCHDOG=1")


def test_the_watchdog_of_another_process(start, manager):
    start(NOTIFY_SOCKET=manager.address, WATCHDOG_PID=str(os.getpid()), **LIMIT)
    manager.wait_for("READY=1")
    assert manager.next(5 * BEAT) == []


@pytest.mark.parametrize("address", ["relative/path", "@", "/" + 108 * "x", "vsock:2:1"])
def test_an_address_that_is_none(start, address):
    server = start(NOTIFY_SOCKET=address)
    assert f"NOTIFY_SOCKET is neither a path nor a name after @: {address}" in server.log()


def test_nobody_listens(start, tmp_path):
    server = start(NOTIFY_SOCKET=str(tmp_path / "nobody"), **LIMIT)
    assert "cannot be told that Orion is ready: No such file or directory" in server.log()
    assert Client(server).get("/health").status == 200


def test_a_time_limit_that_is_none(start, manager):
    server = start(NOTIFY_SOCKET=manager.address, WATCHDOG_USEC="soon")
    assert "WATCHDOG_USEC is not a number of microseconds: soon" in server.log()
