"""Clients that keep the server waiting, by the thousand: others are served all the same, and it stays small. Whoever
has waited longest makes room for a new one."""
import contextlib
import resource
import socket
import time

import pytest

from tests.lib import servers
from tests.lib.load import Client, Wire, head, memory, request

MANY = 9_000
GROWTH_MAX = 20  # MB, resident
PROMPT = 1  # seconds

pytestmark = pytest.mark.only("sqlite")


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard > MANY + 500, "raise the hard limit of descriptors (ulimit -Hn)"
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(server, data=b""):
    """A socket that has sent that much of it as fits."""
    client = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    client.setblocking(False)
    if data:
        client.send(data)
    return client


def is_open(client):
    client.setblocking(False)
    try:
        return client.recv(1 << 20) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


def seconds(server, data):
    begun = time.monotonic()
    with Wire(server) as wire:
        wire.send(data)
        assert wire.answer()[0] == 200
    return time.monotonic() - begun


def assert_prompt(server, data=request("GET", "/health")):
    """What else runs on the machine may hold up one request, or two."""
    assert any(seconds(server, data) < PROMPT for _ in range(3))


HALF_HEAD = b"GET /api/health HTTP/1.1\r\nhost: x\r\nx-more: "
HALF_BODY = head("POST", "/flows/", "content-type: application/json", "content-length: 2000") + b'{"name": "' \
    + b"x" * 300


MANY_ANSWERS = request("POST", "/flow_runs/filter", {"limit": 10}) * 2
LONG_HALF_BODY = head("POST", "/flows/", "content-type: application/json", "content-length: 200000") + b'{"name": "' \
    + b"x" * 20_000


@pytest.mark.parametrize("said", [b"", request("GET", "/health"), HALF_HEAD, HALF_HEAD + b"x" * 20_000,
                                  HALF_BODY, LONG_HALF_BODY, request("GET", "/openapi.json") * 3, MANY_ANSWERS],
                         ids=["silent", "idle", "half heads", "long half heads", "half bodies", "long half bodies",
                              "not reading one text", "not reading many"])
def test_thousands_that_wait_cost_little_and_delay_nobody(start, many_descriptors, said):
    server = start(PREFECT_ORION_API_KEEPALIVE_TIMEOUT="60", ORION_SERVER_HEAD_TIMEOUT="1m")
    flow = Client(server).flow()
    for _ in range(10):
        Client(server).flow_run(flow, parameters={"long": "x" * 4_000})
    before = memory(server)
    with contextlib.ExitStack() as clients:
        for number in range(MANY):
            clients.enter_context(connect(server, said))
            if number % 500 == 499:
                assert_prompt(server)
        deadline = time.monotonic() + 60  # till all requests are worked on, and what is too much is given back
        while (grown := memory(server) - before) > GROWTH_MAX and time.monotonic() < deadline:
            time.sleep(0.1)
        assert grown <= GROWTH_MAX
        assert_prompt(server, request("POST", "/flows/count"))


def test_a_new_client_is_served_when_all_connections_are_taken(start):
    server = start(ORION_SERVER_CONNECTIONS="50", ORION_SERVER_HEAD_TIMEOUT="1m")
    halves = [connect(server, HALF_HEAD)]
    time.sleep(0.1)
    halves += [connect(server, (HALF_HEAD, HALF_BODY)[number % 2]) for number in range(49)]
    assert_prompt(server)
    assert not is_open(halves[0])
    assert all(is_open(half) for half in halves[1:])
    for _ in range(100):
        halves.append(connect(server, HALF_HEAD))
    assert_prompt(server)
    assert server.log().count("the one that has waited longest is closed") == 1
    for half in halves:
        half.close()


def test_a_request_that_waits_for_the_database_is_not_given_up(start):
    server = start(ORION_SERVER_CONNECTIONS="20", PREFECT_ORION_DATABASE_TIMEOUT="30")
    with server.store.write_lock(), contextlib.ExitStack() as clients:
        wire = clients.enter_context(Wire(server))
        wire.send(request("POST", "/flows/", {"name": "patient"}))
        for _ in range(100):
            clients.enter_context(connect(server, HALF_HEAD))
        assert_prompt(server)
        kept = clients.pop_all()
    with kept:
        assert wire.answer()[0] == 201


def test_a_head_must_come_in_time(start):
    server = start(ORION_SERVER_HEAD_TIMEOUT="400ms")
    with Wire(server) as silent, Wire(server) as slow:
        begun = time.monotonic()
        for byte in HALF_HEAD[:8]:  # each one in time, all together not
            slow.send(bytes([byte]))
            time.sleep(0.02)
        assert slow.answer()[0] == 408
        assert 0.35 < time.monotonic() - begun < 2
        assert silent.answer() is None


def test_a_body_must_come_at_the_least_rate(start):
    server = start(ORION_SERVER_HEAD_TIMEOUT="300ms", ORION_SERVER_BODY_RATE="0.1kB")
    body = b'{"name": "' + b"x" * 88 + b'"}'
    opening = head("POST", "/flows/", "content-type: application/json", "content-length: 100")
    with Wire(server) as slow, Wire(server) as stalled:
        for wire in (slow, stalled):
            wire.send(opening)
        stalled.send(body[:40])
        begun = time.monotonic()
        for at in range(0, 100, 10):
            slow.send(body[at:at + 10])
            time.sleep(0.1)
        assert slow.answer()[0] == 201
        assert stalled.answer()[0] == 408  # its 40 bytes were worth 400 ms beyond the first 300
        assert 0.6 < time.monotonic() - begun < 3


def test_fewer_descriptors_than_connections_are_told(start):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    server = start(ORION_SERVER_CONNECTIONS=str(limits[1]))
    assert "connections are allowed instead of" in server.log()


@pytest.mark.parametrize(("name", "value", "message"), [
    ("ORION_SERVER_HEAD_TIMEOUT", "soon", "value is not a time above zero"),
    ("ORION_SERVER_BODY_RATE", "10s", "value is not a size above zero"),
    ("ORION_SERVER_CONNECTIONS", "0", "0 is not between 1 and"),
    ("ORION_SERVER_QUEUE", "0", "0 is not between 1 and"),
    ("ORION_SERVER_SPOOL", "much", "value is not a size above zero"),
])
def test_settings_that_cannot_be_are_refused(tmp_path, name, value, message):
    server = servers.Server("orion", home=tmp_path, **{name: value})
    try:
        assert server.process.wait(10) != 0
        assert name in server.log() and message in server.log()
    finally:
        server.stop()
