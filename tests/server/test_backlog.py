"""Writes that wait for the database have a bound, and one address cannot take all of it."""
import json
import socket

import pytest

from tests.lib.load import Wire, request

QUEUE = 20
PATIENT = {"PREFECT_ORION_DATABASE_TIMEOUT": "300", "ORION_DATABASE_CONNECTIONS": "30"}


class From(Wire):
    """A connection from an address of this machine."""

    def __init__(self, server, address, timeout=300):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout, (address, 0))
        self.stream = self.socket.makefile("rb")


def send(server, address, number, *lines):
    wire = From(server, address)
    body = json.dumps({"name": f"waits-{address}-{number}"}).encode()
    wire.send("\r\n".join(["POST /api/flows/ HTTP/1.1", "host: x", "content-type: application/json",
                           f"content-length: {len(body)}", *lines, "", ""]).encode() + body)
    return wire


def refusal(wire):
    """The head and the message of a refusal, which comes at once."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += wire.stream.readline()
    status = int(head.split()[1])
    length = int(head.lower().partition(b"content-length: ")[2].split()[0])
    return status, head.lower(), json.loads(wire.stream.read(length))["exception_message"]


def assert_refused(wire, what):
    status, head, message = refusal(wire)
    assert status == 503
    assert b"\r\nretry-after: 5\r\n" in head
    assert message == f"{what} (ORION_SERVER_QUEUE is {QUEUE}): try again later"


ALL_TAKEN = "Too many writes wait for the database"
HALF_TAKEN = "Too many writes from your address wait for the database"


def test_one_address_may_have_half_of_the_queue(start):
    server = start(**PATIENT, ORION_SERVER_QUEUE=str(QUEUE), ORION_TRUSTED_PROXIES="192.0.2.1")
    with server.store.write_lock():
        first = [send(server, "127.0.0.2", number) for number in range(QUEUE // 2)]
        assert_refused(send(server, "127.0.0.2", "more"), HALF_TAKEN)
        second = [send(server, "127.0.0.3", number) for number in range(QUEUE // 2)]
        assert_refused(send(server, "127.0.0.4", "more"), ALL_TAKEN)
        with From(server, "127.0.0.2") as reader:
            reader.send(request("POST", "/flows/count", {}))
            assert reader.answer() == (200, b"0")
    assert [wire.answer()[0] for wire in first + second] == [201] * QUEUE
    assert send(server, "127.0.0.2", "later").answer()[0] == 201


@pytest.mark.only("sqlite")
def test_a_trusted_proxy_may_have_all_of_it_unless_it_names_its_clients(start):
    server = start(**PATIENT, ORION_SERVER_QUEUE=str(QUEUE), ORION_TRUSTED_PROXIES="127.0.0.2")
    with server.store.write_lock():
        of_one = [send(server, "127.0.0.2", number, "x-forwarded-for: 198.51.100.7") for number in range(QUEUE // 2)]
        assert_refused(send(server, "127.0.0.2", "more", "x-forwarded-for: 198.51.100.7"), HALF_TAKEN)
        others = [send(server, "127.0.0.2", f"other-{number}") for number in range(QUEUE // 2)]
        assert_refused(send(server, "127.0.0.2", "more"), ALL_TAKEN)
    assert [wire.answer()[0] for wire in of_one + others] == [201] * QUEUE
