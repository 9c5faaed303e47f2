"""What is asked of both servers in the same words: handshakes, frames, and auth messages. A case is named, so that its
recorded answer is found; it opens a socket and sends bytes, and what comes back until the end is its answer."""
import json
from typing import NamedTuple

from tests.websocket.wire import (BINARY, CLOSE, CONTINUATION, KEY, PING, PONG, TEXT, Wire, accept_of, close_frame,
                                  describe, frame)

AUTH = "user:pass"  # of the servers that ask for it
GOODBYE = close_frame(1000)
NOT_UTF8 = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"
MEGABYTES = 16 << 20  # the longest message


class Case(NamedTuple):
    name: str
    send: bytes = b""
    options: dict = {}
    path: str = None     # instead of the server's own
    then: bytes = b""    # sent once something has come
    with_auth: bool = False


def auth(message, **options):
    return frame(TEXT, (message if isinstance(message, str) else json.dumps(message)).encode(), **options)


def prefect(name, *frames, with_auth=False, **headers):
    """One that speaks the subprotocol, and says goodbye once it is answered."""
    return Case(name, b"".join(frames), {"Sec_WebSocket_Protocol": "prefect", **headers}, then=GOODBYE,
                with_auth=with_auth)


NULL = {"type": "auth", "token": None}

HANDSHAKES = [
    Case("as it should be", GOODBYE),
    Case("without Upgrade", options={"Upgrade": None}),
    Case("without Connection", options={"Connection": None}),
    Case("Upgrade to something else", options={"Upgrade": "h2c"}),
    Case("Connection with several words", GOODBYE, {"Connection": "keep-alive, Upgrade"}),
    Case("words in another case", GOODBYE, {"Connection": "UPGRADE", "Upgrade": "WebSocket"}),
    Case("without a key", options={"Sec_WebSocket_Key": None}),
    Case("a short key", options={"Sec_WebSocket_Key": "AAAA"}),
    Case("a key that is no base64", options={"Sec_WebSocket_Key": "!" * 24}),
    Case("two keys", options={"Sec_WebSocket_Key": [KEY, KEY]}),
    Case("without a version", options={"Sec_WebSocket_Version": None}),
    Case("version 8", options={"Sec_WebSocket_Version": "8"}),
    Case("version 14", options={"Sec_WebSocket_Version": "14"}),
    Case("by POST", options={"method": "POST"}),
    Case("by HTTP/1.0", options={"version": "1.0"}),
    Case("another subprotocol", GOODBYE, {"Sec_WebSocket_Protocol": "chat"}),
    Case("permessage-deflate", GOODBYE, {"Sec_WebSocket_Extensions": "permessage-deflate; client_max_window_bits"}),
    Case("a path that has no socket", path="/api/health"),
    Case("a path that is not there", path="/api/not-there"),
]
FRAMES = [
    Case("ping", frame(PING) + GOODBYE),
    Case("ping with a payload", frame(PING, b"abc") + GOODBYE),
    Case("ping with the longest payload", frame(PING, b"x" * 125) + GOODBYE),
    Case("three pings", frame(PING, b"1") + frame(PING, b"2") + frame(PING, b"3") + GOODBYE),
    Case("ping between fragments", frame(TEXT, b"{", fin=False) + frame(PING, b"abc") + GOODBYE),
    Case("unasked pong", frame(PONG, b"abc") + GOODBYE),
    Case("ping too long", frame(PING, b"x" * 126)),
    Case("fragmented ping", frame(PING, b"abc", fin=False)),
    Case("unmasked text", frame(TEXT, b"abc", masked=False)),
    Case("unmasked ping", frame(PING, b"abc", masked=False)),
    *(Case(f"reserved bit {bit}", frame(TEXT, b"abc", reserved=bit)) for bit in (1, 2, 4)),
    *(Case(f"opcode {opcode}", frame(opcode, b"abc")) for opcode in (3, 7, 11, 15)),
    Case("continuation of nothing", frame(CONTINUATION, b"abc")),
    Case("text within a text", frame(TEXT, b"a", fin=False) + frame(TEXT, b"b")),
    Case("binary within a text", frame(TEXT, b"a", fin=False) + frame(BINARY, b"b")),
    Case("text that is not UTF-8", frame(TEXT, NOT_UTF8)),
    Case("fragments that are not UTF-8", frame(TEXT, NOT_UTF8[:12], fin=False) + frame(CONTINUATION, NOT_UTF8[12:])),
    Case("text that is too long", frame(TEXT, b"", length=MEGABYTES + 1)),
    Case("fragments that are too long",
         frame(TEXT, b"x" * 10, fin=False) + frame(CONTINUATION, b"", length=MEGABYTES - 9)),
    Case("a length of 2^63", frame(TEXT, b"", length=1 << 63)),
    Case("a binary message", frame(BINARY, b"abc")),
    Case("half a frame, then the end", frame(TEXT, b"abc")[:5]),
]
GOODBYES = [
    Case("goodbye", close_frame(1000)),
    Case("goodbye with a reason", close_frame(1001, b"bye")),
    Case("goodbye without a code", frame(CLOSE)),
    Case("goodbye of one byte", frame(CLOSE, b"x")),
    Case("goodbye that is not UTF-8", close_frame(1000, NOT_UTF8)),
    Case("goodbye too long", close_frame(1000, b"x" * 124)),
    Case("what comes after goodbye", close_frame(1000) + frame(PING, b"abc")),
    *(Case(f"goodbye {code}", close_frame(code)) for code in
      (0, 999, 1002, 1003, 1004, 1005, 1006, 1007, 1011, 1012, 1013, 1014, 1015, 1016, 2000, 2999, 3000, 4999, 5000)),
]
AUTHS = [
    prefect("auth without a token", auth(NULL)),
    prefect("auth with a token that nobody asked for", auth({"type": "auth", "token": "x"})),
    prefect("auth without the member", auth({"type": "auth"})),
    prefect("auth of another type", auth({"type": "hello"})),
    prefect("auth that is a list", auth([])),
    prefect("auth that is no JSON", auth("auth")),
    prefect("auth that is binary", frame(BINARY, json.dumps(NULL).encode())),
    prefect("auth in fragments", frame(TEXT, b'{"type":', fin=False) + frame(CONTINUATION, b'"auth"}')),
    prefect("a length in more bytes than it needs", auth(NULL, size=2)),
    prefect("a length in eight bytes", auth(NULL, size=8)),
    prefect("several subprotocols", auth(NULL), Sec_WebSocket_Protocol="chat, prefect"),
    prefect("subprotocols in two headers", auth(NULL), Sec_WebSocket_Protocol=["chat", "prefect"]),
    Case("the subprotocol in capitals", GOODBYE, {"Sec_WebSocket_Protocol": "PREFECT"}),
    prefect("the password", auth({"type": "auth", "token": AUTH}), with_auth=True),
    prefect("a wrong password", auth({"type": "auth", "token": "user:other"}), with_auth=True),
    prefect("no password", auth(NULL), with_auth=True),
    prefect("an empty password", auth({"type": "auth", "token": ""}), with_auth=True),
    prefect("no auth message where there is a password", auth({"type": "event"}), with_auth=True),
    Case("no subprotocol where there is a password", GOODBYE, with_auth=True),
]
CASES = HANDSHAKES + FRAMES + GOODBYES + AUTHS


def ask(port, path, case):
    """Its answer: the status, what the 101 chose, and what came until the end."""
    with Wire(port) as wire:
        wire.open(case.path or path, **case.options)
        answer = {"status": wire.status}
        if wire.status != 101:
            return answer
        assert wire.headers["sec-websocket-accept"] == accept_of()
        chosen = {name: wire.headers.get(f"sec-websocket-{name}") for name in ("protocol", "extensions")}
        answer.update({name: value for name, value in chosen.items() if value})
        wire.send(case.send)
        if case.name.endswith("then the end"):
            wire.socket.shutdown(1)
        first = [describe(*(wire.read() or ()))] if case.then else []
        wire.send(case.then)
        over = first and first[0].startswith(("close", "end"))
        return answer | {"came": first + ([] if over else wire.read_end())}
