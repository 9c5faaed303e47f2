"""What carries messages: the real library for Python, which Prefect's clients use, at our server."""
import asyncio
import json
import os
import signal
import sqlite3
import time

import pytest
import websockets

from tests.lib.receiver import wait_until
from tests.websocket.wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Wire, close_frame, frame, request

LONG = 3 << 20


def play(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 120))


def connect(server, path, **options):
    return websockets.connect(server.url(path), max_size=None, **options)


def kept(server):
    with sqlite3.connect(server.database, timeout=60) as database:
        return [text for text, in database.execute("SELECT text FROM kept ORDER BY id")]


@pytest.mark.parametrize("text", ["", "a", "ä€😀", "x" * 125, "x" * 126, "x" * 65535, "x" * 65536, "é" * LONG],
                         ids=lambda text: str(len(text)))
def test_a_text_comes_back(sockets, text):
    async def talk():
        async with connect(sockets, "/echo") as ws:
            await ws.send(text)
            assert await ws.recv() == text
    play(talk())


def test_many_texts_come_back_in_order(sockets):
    async def talk():
        async with connect(sockets, "/echo") as ws:
            for i in range(500):  # as many as the server may have unread, and more than one read brings
                await ws.send(f"{i} " + "x" * (i * 37 % 3000))
            assert [int((await ws.recv()).split()[0]) for _ in range(500)] == list(range(500))
    play(talk())


def test_a_text_in_fragments_is_one(sockets):
    async def talk():
        async with connect(sockets, "/echo") as ws:
            await ws.send(["ab", "", "c" * 100000, "d"])
            assert await ws.recv() == "ab" + "c" * 100000 + "d"
    play(talk())


def test_frames_may_come_byte_by_byte(sockets):
    with sockets.open("/echo") as wire:
        sent = (frame(TEXT, "ä".encode()[:1], fin=False) + frame(PING, b"1") + frame(CONTINUATION, "ä".encode()[1:])
                + frame(TEXT, b"x" * 300) + close_frame(1000))
        for byte in sent:
            wire.send(bytes([byte]))
        came = wire.read_end()
    assert [one for one in came if one != "pong 31"] == ["text ä", "text " + "x" * 300, "close 1000"]
    assert came.count("pong 31") == 1, "before or behind the text that was begun before the ping"


def test_frames_may_come_behind_the_handshake(sockets):
    """A client that does not wait for the answer."""
    with Wire(sockets.port) as wire:
        wire.send(request("/api/echo") + frame(TEXT, b"early") + close_frame(1000))
        assert wire.read_head().status == 101
        assert wire.read_end() == ["text early", "close 1000"]


def test_what_is_sent_together_is_one_batch(sockets):
    before = sockets.counts()
    with sockets.open("/echo") as wire:
        wire.send(b"".join(frame(TEXT, b"x") for _ in range(100)) + close_frame(1000))
        assert wire.read_end() == ["text x"] * 100 + ["close 1000"]
    after = sockets.counts()
    assert after["messages"] - before["messages"] == 100
    assert after["batches"] - before["batches"] <= 20, "almost always it is one or two"


def test_a_message_to_all_is_heard_by_all(sockets):
    async def talk():
        listeners = [await connect(sockets, "/broadcast") for _ in range(50)]
        await listeners[0].send("hello")
        assert await asyncio.gather(*(one.recv() for one in listeners)) == ["hello"] * 50
        for one in listeners[:25]:
            await one.close()
        await listeners[-1].send("to those who stay")
        assert await asyncio.gather(*(one.recv() for one in listeners[25:])) == ["to those who stay"] * 25
        for one in listeners[25:]:
            await one.close()
    play(talk())


def test_a_pong_waits_until_all_before_is_handled(sockets):
    with sockets.open("/slow") as wire:
        wire.send(frame(TEXT, b"300") + frame(PING, b"1"))
        time.sleep(0.1)
        wire.send(frame(TEXT, b"200") + frame(PING, b"2") + frame(TEXT, b"100") + frame(PING, b"3")
                  + close_frame(1000))
        came = wire.read_end()
    assert [one for one in came if one.startswith("text")] == ["text done 300", "text done 200", "text done 100"]
    place = {one: i for i, one in enumerate(came)}
    assert place["text done 300"] < place["pong 31"]
    assert place["text done 200"] < place["pong 32"] < place["pong 33"]
    assert place["text done 100"] < place["pong 33"]
    assert came[-1] == "close 1000"


def test_a_ping_with_nothing_before_is_answered_at_once(sockets):
    with sockets.open("/slow") as wire:
        wire.send(frame(PING, b"x"))
        assert wire.read() == (PONG, b"x")


def test_goodbye_waits_until_all_before_is_handled(sockets):
    async def talk():
        async with connect(sockets, "/slow") as ws:
            await ws.send("300")
            await ws.send("0")
            await ws.close(4321, "enough")
            assert (ws.close_code, ws.close_reason) == (4321, "enough")
    before = sockets.counts()
    play(talk())
    after = sockets.counts()
    assert after["messages"] - before["messages"] == 2
    wait_until(lambda: sockets.counts()["closed"] == before["closed"] + 1)
    assert sockets.counts()["codes"][-1] == 4321


def test_what_a_client_sent_before_it_vanished_is_handled(sockets):
    before, closed = sockets.counts()["messages"], sockets.counts()["closed"]
    with sockets.open("/slow") as wire:
        wire.send(frame(TEXT, b"100") + frame(TEXT, b"1"))
        time.sleep(0.05)
        wire.send(frame(TEXT, b"2"))
    wait_until(lambda: sockets.counts()["messages"] == before + 3)
    wait_until(lambda: sockets.counts()["closed"] == closed + 1)
    assert sockets.counts()["codes"][-1] == 1006


def test_a_ping_of_the_library_is_answered(sockets):
    async def talk():
        async with connect(sockets, "/store", subprotocols=["prefect"]) as ws:
            assert ws.subprotocol == "prefect"
            await ws.send(json.dumps({"type": "auth", "token": None}))
            assert json.loads(await ws.recv()) == {"type": "auth_success"}
            for i in range(200):
                await ws.send(f"library {i}")
            await (await ws.ping())
            assert [text for text in kept(sockets) if text.startswith("library")] == [
                f"library {i}" for i in range(200)]
    play(talk())


def test_what_was_acknowledged_survives_a_kill(start):
    """The client forgets what it sent before a ping once the pong has come."""
    server = start()
    acknowledged = 0
    with server.open("/store") as wire:
        for i in range(2000):
            wire.send(frame(TEXT, str(i).encode()))
            if i % 20 == 19:
                wire.send(frame(PING, str(i + 1).encode()))
            if i == 1500:
                os.kill(server.process.pid, signal.SIGKILL)
                break
        while (one := wire.read()) is not None:
            acknowledged = int(one[1])
    server.process.wait()
    server.process.stdout.close()
    texts = kept(server)
    assert texts == [str(i) for i in range(len(texts))]
    assert len(texts) >= acknowledged


def test_a_failed_transaction_closes_and_acknowledges_nothing(sockets):
    before = kept(sockets)
    with sockets.open("/store") as wire:
        wire.send(frame(TEXT, b"undone") + frame(TEXT, b"fail") + frame(PING, b"1"))
        assert wire.read_end() == ["close 1011 Internal Server Error"]
    assert kept(sockets) == before


def test_a_row_that_takes_text_refuses_bytes(sockets):
    with sockets.open("/store") as wire:
        wire.send(frame(BINARY, b"abc"))
        assert wire.read_end() == ["close 1003 Only text is taken here"]


def test_what_follows_a_broken_frame_is_not_taken_but_what_came_before(sockets):
    with sockets.open("/echo") as wire:
        wire.send(frame(TEXT, b"before") + frame(3, b"") + frame(TEXT, b"after"))
        assert wire.read_end() == ["text before", "close 1002 invalid opcode"]
        assert wire.read() is None


def test_a_connection_ends_behind_the_goodbye(sockets):
    with sockets.open("/echo") as wire:
        wire.send(close_frame(1000))
        assert wire.read() == (CLOSE, b"\x03\xe8")
        assert wire.read() is None
