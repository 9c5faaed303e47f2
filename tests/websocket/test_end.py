"""The end of the server: what has come is handled and acknowledged, then all are told."""
import contextlib
import time

from tests.websocket.wire import CLOSE, PING, TEXT, Wire, close_frame, frame

GOODBYE = "close 1001 the server is shutting down"


def test_all_are_told(start):
    server = start()
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(server.open("/broadcast")) for _ in range(30)]
        server.process.terminate()
        for wire in wires:
            assert wire.read_end() == [GOODBYE]
            wire.send(close_frame(1001))
            assert wire.read() is None
            wire.socket.close()
        began = time.monotonic()
        server.stop()
        assert time.monotonic() < began + 20, "it did not wait for the longest drain"


def test_what_was_sent_is_handled_and_acknowledged_before(start):
    server = start()
    with server.open("/slow") as wire:
        wire.send(frame(TEXT, b"700") + frame(PING, b"1"))
        time.sleep(0.2)
        wire.send(frame(TEXT, b"100") + frame(PING, b"2"))
        time.sleep(0.2)
        server.process.terminate()
        assert wire.read_end() == ["text done 700", "pong 31", "text done 100", "pong 32", GOODBYE]
    server.stop()


def test_a_handler_that_takes_too_long_is_not_waited_for(start):
    server = start(drain=1)
    with server.open("/slow") as wire:
        wire.send(frame(TEXT, b"3000"))
        time.sleep(0.2)
        server.process.terminate()
        assert wire.read() is None
    server.stop()


def test_no_socket_is_opened_any_more(start):
    server = start()
    with server.open("/slow") as busy, Wire(server.port) as late:
        busy.send(frame(TEXT, b"1500"))
        time.sleep(0.2)
        server.process.terminate()
        time.sleep(0.3)
        late.open("/api/echo")
        assert late.status != 101
        assert busy.read_text() == "done 1500"
        assert busy.read()[0] == CLOSE
    server.stop()


def test_what_is_not_read_does_not_keep_it(start):
    server = start(unread=50_000_000, unread_texts=1_000_000, close_timeout=1)
    with server.open("/flood", buffer=10_000) as deaf:
        deaf.send(frame(TEXT, b"20000 1000"))
        time.sleep(0.5)
        server.process.terminate()
        began = time.monotonic()
        server.stop()
        assert time.monotonic() < began + 25, "it did not wait for the longest drain"


def test_one_that_has_said_nothing_yet_is_told_too(start):
    server = start()
    with server.open("/echo", sec_websocket_protocol="prefect") as wire:
        time.sleep(0.2)
        server.process.terminate()
        assert wire.read_end() == [GOODBYE]
    server.stop()
