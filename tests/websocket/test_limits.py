"""What one client, or many, may cost: numbers, sizes, memory, patience."""
import contextlib
import socket
import time

import pytest

from tests.lib.receiver import wait_until
from tests.websocket.wire import CLOSE, CONTINUATION, PING, PONG, TEXT, close_frame, frame

SOON = 20  # seconds that a slow machine may take for what is due after one


def is_alive(wire):
    wire.send(frame(PING, b"there?"))
    while (one := wire.read()) is not None:
        if one == (PONG, b"there?"):
            return True
    return False


def is_open(server):
    with server.open("/echo") as wire:
        return wire.status == 101


def test_a_socket_too_many_is_refused_until_one_goes(start):
    server = start(sockets=3)
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(server.open("/echo")) for _ in range(3)]
        with server.open("/echo") as wire:
            assert (wire.status, wire.headers["retry-after"]) == (503, "5")
            assert b"too many WebSockets" in wire.take(int(wire.headers["content-length"]))
        assert all(is_alive(wire) for wire in wires)
        wires[0].send(close_frame(1000))
        wait_until(lambda: is_open(server))
        wires[1].socket.close()
        wait_until(lambda: is_open(server))


def test_sockets_make_no_room_for_other_connections(start):
    server = start(connections=20, sockets=10)
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(server.open("/echo")) for _ in range(10)]
        idle = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port))) for _ in range(10)]
        time.sleep(0.2)  # before that they need not make room
        for _ in range(30):
            assert server.counts()["closed"] == 0
        assert all(is_alive(wire) for wire in wires)
        assert len(idle) == 10


def test_half_of_the_connections_may_be_sockets(start):
    server = start(connections=8)
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(server.open("/echo")) for _ in range(5)]
        assert [wire.status for wire in wires] == [101] * 4 + [503]


@pytest.mark.parametrize("path, limit", [("/echo", 1000), ("/short", 100)], ids=["of the server", "of the route"])
def test_a_message_too_long_is_refused(start, path, limit):
    server = start(message=1000)
    whole = frame(TEXT, b"x" * limit)
    too_long = [frame(TEXT, b"x" * (limit + 1)), frame(TEXT, b"", length=1 << 62),
                frame(TEXT, b"x" * limit, fin=False) + frame(CONTINUATION, b"x")]
    for one in too_long:
        with server.open(path) as wire:
            wire.send(whole + one)
            assert wire.read_end() == ["text " + "x" * limit, "close 1009 message too big"]


def test_incomplete_messages_have_a_bound_together(start):
    """The longest goes, and is told to try again later; a short one is not in its way."""
    server = start(message=1 << 20, incomplete=(2 << 20) + 100_000)
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(server.open("/echo")) for _ in range(4)]
        for wire in wires[:3]:
            wire.send(frame(TEXT, b"x" * 600_000, fin=False) + frame(PING))
            assert wire.read() in ((PONG, b""), (CLOSE, b"\x03\xf5too many incomplete messages"))
        wires[3].send(frame(TEXT, b"ab", fin=False) + frame(CONTINUATION, b"c"))
        assert wires[3].read_text() == "abc"
        left = [wire for wire in wires[:3] if is_alive(wire)]
        assert len(left) == 2
        for wire in left:
            wire.send(frame(CONTINUATION, b"y"))
            assert wire.read_text() == "x" * 600_000 + "y"


def test_reading_pauses_while_many_messages_wait(start):
    """The kernels' buffers fill up; the rest stays with the client. All is taken in the end, in order."""
    server = start(waiting=4)
    with server.open("/slow") as wire:
        wire.send(frame(TEXT, b"1500"))
        time.sleep(0.2)
        wire.socket.settimeout(0.5)
        one, sent = frame(TEXT, b"0" * 1000), 0
        with contextlib.suppress(TimeoutError):
            while sent < 100_000:
                wire.socket.sendall(one)  # a part may be sent when it times out, as no frame is taken behind it
                sent += 1
        assert sent < 50_000
        assert server.counts()["messages"] < sent
        wire.socket.settimeout(60)
        assert wire.read_text() == "done 1500"
        for _ in range(sent):
            assert wire.read_text() == "done " + "0" * 1000


@pytest.mark.parametrize("limits", [{"unread": 200_000}, {"unread_texts": 50}],
                         ids=["bytes", "texts"])
def test_who_reads_too_little_is_closed(start, limits):
    server = start(close_timeout=1, **limits)
    with server.open("/flood", buffer=10_000) as deaf, server.open("/flood") as other:
        deaf.send(frame(TEXT, b"100000 1000"))
        wait_until(lambda: server.counts()["closed"] == 1)
        assert server.counts()["codes"] == [1008]
        other.send(frame(TEXT, b"20 1000"))
        assert [other.read_text() for _ in range(21)] == ["x" * 1000] * 20 + ["sent 20"]


def test_who_reads_too_little_hears_why_once_he_reads(start):
    server = start(unread=200_000)
    with server.open("/flood", buffer=10_000) as deaf:
        deaf.send(frame(TEXT, b"100000 1000"))
        time.sleep(1)
        came = deaf.read_end()
    assert came[-1] == "close 1008 too much was left unread"
    assert set(came[:-1]) == {"text " + "x" * 1000}, "whole texts, without a gap in the frames"


def test_what_all_leave_unread_has_a_bound(start):
    """The one with the most is closed. What several are sent counts once, so that they hold little."""
    server = start(all_unread=1_000_000, close_timeout=1)
    with contextlib.ExitStack() as stack:
        sharers = [stack.enter_context(server.open("/broadcast", buffer=10_000)) for _ in range(20)]
        deaf = [stack.enter_context(server.open("/flood", buffer=10_000)) for _ in range(4)]
        for wire in deaf:  # one after the other: each that adds to what is full already is closed, too
            wire.send(frame(TEXT, b"700 1000"))
            time.sleep(0.3)
        wait_until(lambda: server.counts()["closed"] >= 1)
        assert set(server.counts()["codes"]) == {1008}
        assert server.counts()["closed"] < 4
        sharers[0].send(frame(TEXT, b"x" * 300_000))
        for wire in sharers:
            assert wire.read_text() == "x" * 300_000


def test_a_client_that_says_nothing_is_asked_and_closed_without_an_answer(start):
    server = start(ping_interval=1, ping_timeout=1)
    with server.open("/echo") as silent, server.open("/echo") as answers:
        for _ in range(3):
            assert answers.read() == (PING, b"")
            answers.send(frame(PONG))
        assert silent.read_end() == ["ping ", "close 1011 keepalive ping timeout"]
        assert is_alive(answers)


def test_one_that_is_not_read_is_not_asked(start):
    """While its batch is handled, and too much waits, its answer could not be heard."""
    server = start(waiting=1, ping_interval=0.5, ping_timeout=0.5)
    with server.open("/slow") as wire:
        wire.send(frame(TEXT, b"2500"))
        time.sleep(0.2)
        wire.send(frame(TEXT, b"1") + frame(TEXT, b"2") + frame(TEXT, b"3"))
        texts = []
        while len(texts) < 4:
            opcode, payload = wire.read()
            assert opcode in (TEXT, PING), (opcode, payload)
            texts += [payload.decode()] * (opcode == TEXT)
            if opcode == PING:
                wire.send(frame(PONG, payload))
        assert texts == ["done 2500", "done 1", "done 2", "done 3"]


def test_who_does_not_show_a_key_in_time_is_closed(start):
    server = start(head_timeout=1)
    with server.open("/echo", Sec_WebSocket_Protocol="prefect") as wire, server.open("/echo") as older:
        for _ in range(3):
            wire.send(frame(PING))  # which is no message
            time.sleep(0.2)
        came = wire.read_end()
        assert came == ["pong "] * 3 + ["close 1008 no message came in time"]
        assert is_alive(older)


def test_who_does_not_answer_our_goodbye_is_left(start):
    """Two seconds; its own bytes may still come."""
    server = start()
    with server.open("/echo") as wire:
        wire.send(frame(3, b""))
        wire.read_end()
        wait_until(lambda: server.counts()["closed"] == 1)
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() < began + SOON:
                wire.socket.sendall(frame(PING))
                time.sleep(0.05)
        assert time.monotonic() < began + SOON
