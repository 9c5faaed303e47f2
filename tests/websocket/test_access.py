"""Who may open a socket: origins, keys and the password. What a key may do is as for requests."""
import datetime
import hashlib
import json
import time

import pytest

from tests.lib.receiver import wait_until
from tests.websocket.wire import CLOSE, PING, PONG, TEXT, close_frame, frame

FULL, READER, EXPIRED = (f"orion_{letter * 43}" for letter in "ABC")
PASSWORD = "ann:secret"


def keys_text(**keys):
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc).isoformat()
    scopes = {"reader": "read-only"}
    more = {"expired": f"expires = {past}\n"}
    digests = {name: hashlib.sha256(key.encode()).hexdigest() for name, key in keys.items()}
    return "".join(f'[keys.{name}]\nscope = "{scopes.get(name, "full")}"\n{more.get(name, "")}sha256 = "{digest}"\n'
                   for name, digest in digests.items())


@pytest.fixture
def keys(tmp_path):
    path = tmp_path / "keys.toml"
    path.write_text(keys_text(full=FULL, reader=READER, expired=EXPIRED))
    path.chmod(0o600)
    return path


@pytest.fixture
def guarded(start, keys):
    return start(settings={"ORION_KEYS_FILE": str(keys)})


def log_in(server, path, token, **options):
    """What is answered to the auth message."""
    with server.open(path, Sec_WebSocket_Protocol="prefect", **options) as wire:
        wire.send(frame(TEXT, json.dumps({"type": "auth", "token": token}).encode()))
        opcode, payload = wire.read()
        if opcode == CLOSE:
            return int.from_bytes(payload[:2], "big"), payload[2:].decode()
        wire.send(frame(PING, b"x") + close_frame(1000))
        assert wire.read_end() == ["pong 78", "close 1000"]
        return json.loads(payload)["type"]


def test_keys(guarded):
    assert log_in(guarded, "/store", FULL) == "auth_success"
    assert log_in(guarded, "/read", FULL) == "auth_success"
    assert log_in(guarded, "/read", READER) == "auth_success"
    assert log_in(guarded, "/store", READER) == (1008, "This key may only read")
    assert log_in(guarded, "/read", EXPIRED) == (1008, "The key has expired")
    assert log_in(guarded, "/read", "orion_" + "D" * 43) == (1008, "Invalid token")
    for nothing in (None, ""):
        assert log_in(guarded, "/read", nothing) == (1008, "Auth required but no token provided")
    for strange in (1, True, [FULL], {"a": FULL}, "x" * 10_000):
        assert log_in(guarded, "/read", strange)[0] == 1008


def test_a_key_in_a_header(guarded):
    """As requests send it. A client that speaks the subprotocol sends no token then; one that does not, nothing."""
    header = {"Authorization": f"Bearer {FULL}"}
    assert log_in(guarded, "/store", None, **header) == "auth_success"
    assert log_in(guarded, "/store", "wrong", **header) == (1008, "Invalid token")
    assert log_in(guarded, "/store", None, Authorization=f"Bearer {READER}") == (1008, "This key may only read")
    with guarded.open("/store", **header) as wire:
        wire.send(frame(TEXT, b"x") + frame(PING))
        assert wire.read() == (PONG, b"")


def test_without_a_key_nothing_is_taken(guarded):
    with guarded.open("/store") as wire:
        wire.send(frame(TEXT, b"x") + frame(PING))
        assert wire.read_end() == ["close 1008 'prefect' subprotocol required when auth is configured"]
    with guarded.open("/store", Sec_WebSocket_Protocol="prefect") as wire:
        wire.send(frame(TEXT, b"x") + frame(TEXT, b"y"))
        assert wire.read_end() == ["close 1008 Expected 'auth' message"]
    assert guarded.counts()["messages"] == guarded.counts()["opened"] == 0


def test_a_password(start, keys):
    server = start(settings={"ORION_AUTH_STRING": PASSWORD, "ORION_KEYS_FILE": str(keys)})
    assert log_in(server, "/store", PASSWORD) == "auth_success"
    assert log_in(server, "/store", FULL) == "auth_success", "a key, too"
    assert log_in(server, "/store", "ann:wrong") == (1008, "Invalid token")
    assert log_in(server, "/store", "ann") == (1008, "Invalid token")


def test_refusals_are_logged_without_the_key(guarded):
    log_in(guarded, "/store", READER)
    time.sleep(1.1)  # a line for a second and address
    log_in(guarded, "/read", "orion_" + "D" * 43)
    log = guarded.log.read_text()
    assert "Refused 127.0.0.1: key reader may only read: WebSocket /api/store" in log
    assert "Refused 127.0.0.1: unknown key: WebSocket /api/read" in log
    assert READER not in log and "D" * 43 not in log


def test_a_key_that_is_revoked_ends_its_sockets(guarded, keys):
    with guarded.open("/store", Sec_WebSocket_Protocol="prefect") as wire:
        wire.send(frame(TEXT, json.dumps({"type": "auth", "token": FULL}).encode()))
        assert wire.read_text()
        keys.write_text(keys_text(reader=READER))

        def is_closed():
            wire.send(frame(TEXT, b"x") + frame(PING))
            return wire.read()[0] == CLOSE
        wait_until(is_closed)


def test_a_key_that_is_revoked_ends_one_that_only_listens(start, keys):
    server = start(settings={"ORION_KEYS_FILE": str(keys)}, ping_interval=0.5)
    with server.open("/broadcast", Sec_WebSocket_Protocol="prefect") as wire:
        wire.send(frame(TEXT, json.dumps({"type": "auth", "token": FULL}).encode()))
        assert wire.read_text()
        keys.write_text(keys_text(reader=READER))
        for _ in range(60):
            one = wire.read()
            if one[0] != PING:
                break
            wire.send(frame(PONG))
        assert one == (CLOSE, b"\x03\xf0the key is not valid any more")


def test_pages_of_other_origins_are_refused(start):
    server = start(settings={"ORION_CORS_ORIGINS": "https://ours.example"})
    own = f"http://127.0.0.1:{server.port}"
    for origin, status in (("https://evil.example", 403), ("null", 403), ("https://ours.example", 101), (own, 101),
                           (None, 101)):
        with server.open("/echo", Origin=origin) as wire:
            assert wire.status == status, origin
    with server.open("/echo", Origin="https://evil.example") as wire:
        assert b"ORION_CORS_ORIGINS" in wire.take(int(wire.headers["content-length"]))


def test_other_names_are_refused(start):
    """DNS rebinding."""
    server = start(settings={"ORION_ALLOWED_HOSTS": ""})
    with server.open("/echo", Host="evil.example") as wire:
        assert wire.status == 400
