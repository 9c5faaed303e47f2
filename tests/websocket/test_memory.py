"""What 5,000 sockets take that say nothing, of the program as it is released."""
import contextlib
import resource
import time

import pytest

from tests.websocket.wire import PING, PONG, TEXT, frame

SOCKETS = 5000
AT_MOST = 2048  # bytes of each
FEW = 100       # that are open before, so that what the first ones take does not count


@pytest.fixture
def many_files():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] < SOCKETS + 500:
        pytest.skip(f"this process may open {before[1]} files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def open_socket(server, stack):
    wire = stack.enter_context(server.open("/broadcast", Sec_WebSocket_Protocol="prefect"))
    wire.send(frame(TEXT, b'{"type":"auth","token":null}'))
    assert wire.read_text()
    return wire


def test_an_idle_socket_takes_little_memory(start, released, many_files):
    server = start(released, sockets=SOCKETS + FEW)
    with contextlib.ExitStack() as stack:
        wires = [open_socket(server, stack) for _ in range(FEW)]
        before = server.memory()
        wires += [open_socket(server, stack) for _ in range(SOCKETS)]
        each = (server.memory() - before) / SOCKETS
        print(f"{each:.0f} bytes for each of {SOCKETS} idle sockets")
        assert each <= AT_MOST
        wires[0].send(frame(TEXT, b"x" * 1000))
        assert all(wire.read_text() == "x" * 1000 for wire in wires)
        for wire in wires:
            wire.send(frame(PING))
        assert all(wire.read() == (PONG, b"") for wire in wires)
        time.sleep(0.5)
        each = (server.memory() - before) / SOCKETS
        print(f"{each:.0f} bytes once each has said and heard something")
        assert each <= AT_MOST
