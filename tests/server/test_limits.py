"""What clients may send: too much, too slowly, all at once, nested without end. The server answers, and stays small."""
import json
import resource
import socket
import threading
import time

import pytest

from tests.lib.load import Client, Threads, Wire, head, memory, request

MB = 1 << 20
BODY_MAX = 64 * MB


# ---- too much ----

def test_a_body_over_the_limit_is_refused_before_it_comes(orion):
    with Wire(orion) as wire:
        wire.send(head("POST", "/flows/", "content-type: application/json", f"content-length: {BODY_MAX + 1}"))
        assert wire.answer()[0] == 413
        assert wire.answer() is None


def test_a_chunked_body_over_the_limit_is_refused(orion):
    chunk = b"%x\r\n%s\r\n" % (MB, b" " * MB)
    with Wire(orion) as wire:
        wire.send(head("POST", "/flows/", "content-type: application/json", "transfer-encoding: chunked"))
        for _ in range(BODY_MAX // MB):
            wire.send(chunk)
        wire.send(b"1\r\n")
        assert wire.answer()[0] == 413
        assert wire.answer() is None


def test_a_body_of_too_many_values_is_refused(orion):
    client = Client(orion)
    answer = client.post("/flows/", {"name": "many values", "tags": [0] * 2_100_000})
    assert (answer.status, answer.value) == (413, {"detail": "The body holds more than 2000000 values."})
    # in one value
    assert client.post("/flows/", {"name": "many commas", "tags": [',[{"' * 1_000_000]}).status in (200, 201)


def test_a_head_over_the_limit_is_refused(orion):
    with Wire(orion) as wire:
        wire.send(head("GET", "/health", f"x-long: {'x' * 70_000}"))
        assert wire.answer()[0] == 431


def posted(server, path, text):
    with Wire(server) as wire:
        wire.send(head("POST", path, "content-type: application/json", f"content-length: {len(text)}") + text.encode())
        return wire.answer()


@pytest.mark.parametrize(("body", "status", "beginning"), [
    ("[" * (60 * MB), 413, b'{"detail":"The body holds more than'),
    ('"' + "x" * (60 * MB) + '"', 422, b'{"exception_message":"Invalid request received."')], ids=["lists", "text"])
def test_a_body_of_60_mb_does_no_harm(orion, body, status, beginning):
    answer = posted(orion, "/flows/", body)
    assert answer[0] == status
    assert answer[1].startswith(beginning)
    assert Client(orion).get("/health") == (200, True)


@pytest.mark.parametrize(("opening", "inside", "closing", "levels"),
                         [("[", "", "]", 1), ('{"a":', "1", "}", 1), ('[{"a":', "{}", "}]", 2)])
@pytest.mark.parametrize("depth", [500, 100_000])
def test_deep_bodies_do_no_harm(orion, opening, inside, closing, levels, depth):
    body = opening * (depth // levels) + inside + closing * (depth // levels)
    assert posted(orion, "/flows/", body)[0] == 422
    assert posted(orion, "/flows/", f'{{"name": "deep", "tags": {body}}}')[0] == 422
    client = Client(orion)
    flow = client.flow()
    status, answer = posted(orion, "/flow_runs/", f'{{"flow_id": "{flow["id"]}", "parameters": {{"deep": {body}}}}}')
    assert status == (201 if depth == 500 else 422)
    if status == 201:
        run = json.loads(answer)
        assert run["parameters"] == {"deep": json.loads(body)}
        assert client.get(f"/flow_runs/{run['id']}").value["parameters"] == run["parameters"]
    assert client.get("/health") == (200, True)


WRONG_LOGS = [{"name": 1}] * 500_000  # 6 MB, of which everything is wrong, answered by 170 MB


@pytest.mark.parametrize("body", ['"' + "x" * (60 * MB) + '"', json.dumps(WRONG_LOGS)], ids=["long", "wrong"])
def test_others_are_served_while_a_large_body_is_checked(orion, body):
    ended = threading.Event()

    def ask(_):
        client, slowest = Client(orion), 0
        while not ended.is_set():
            begun = time.monotonic()
            assert client.get("/health") == (200, True)
            slowest = max(slowest, time.monotonic() - begun)
        return slowest

    others = Threads(1, ask)
    try:
        begun = time.monotonic()
        assert posted(orion, "/logs/", body)[0] == 422
        took = time.monotonic() - begun
    finally:
        ended.set()
    assert others.join()[0] < took / 3


# ---- too slowly ----

def test_a_slow_client_is_served_and_delays_nobody(orion):
    other = Client(orion)
    slow = request("POST", "/flows/", {"name": "slow"})
    with Wire(orion) as wire:
        for i in range(0, len(slow), 4):
            wire.send(slow[i:i + 4])
            begun = time.monotonic()
            assert other.get("/hello").status == 200
            assert time.monotonic() - begun < 2
        assert wire.answer()[0] in (200, 201)


def test_clients_that_send_nothing_or_half_delay_nobody(orion):
    halves = [b"", b"GET /api/hea", head("POST", "/flows/", "content-length: 10"),
              head("POST", "/flows/", "transfer-encoding: chunked") + b"4\r\n{}"]
    wires = [Wire(orion) for _ in range(200)]
    for number, wire in enumerate(wires):
        wire.send(halves[number % len(halves)])
    begun = time.monotonic()
    Client(orion).flow()
    assert time.monotonic() - begun < 5
    for wire in wires:
        wire.__exit__()
    Client(orion).flow()


def test_clients_that_do_not_read_delay_nobody(orion):
    client = Client(orion)
    flow = client.flow()
    for _ in range(10):
        client.flow_run(flow, parameters={"long": "x" * 100_000})
    asked = request("POST", "/flow_runs/filter", {"flows": {"id": {"any_": [flow["id"]]}}})
    wires = [Wire(orion) for _ in range(15)]  # of a crowd, more than 16, who reads nothing for 250 ms is closed
    for wire in wires:
        wire.send(asked * 20)  # 20 MB of answers for each
    time.sleep(0.3)
    begun = time.monotonic()
    assert client.flow_run(flow)["flow_id"] == flow["id"]
    assert time.monotonic() - begun < 5
    assert memory(orion) < 200, "answers that nobody reads pile up"
    for wire in wires[1:]:
        wire.__exit__()
    with wires[0] as patient:
        for _ in range(20):
            status, body = patient.answer()
            assert status == 200 and len(json.loads(body)) >= 10


# ---- all at once ----

def test_pipelined_requests_are_answered_in_their_order(orion):
    client = Client(orion)
    flows = [client.flow() for _ in range(50)]
    reads = b"".join(request("GET", f"/flows/{flow['id']}") for flow in flows)
    with Wire(orion) as wire:
        wire.send(reads)
        assert [json.loads(wire.answer()[1])["id"] for _ in flows] == [flow["id"] for flow in flows]


def test_pipelined_requests_see_what_the_ones_before_them_wrote(orion):
    run = Client(orion).flow_run(Client(orion).flow())
    with Wire(orion) as wire:
        for state in ("PENDING", "RUNNING", "COMPLETED"):
            wire.send(request("POST", f"/flow_runs/{run['id']}/set_state", {"state": {"type": state}})
                      + request("GET", f"/flow_runs/{run['id']}") + request("GET", "/health"))
        for state in ("PENDING", "RUNNING", "COMPLETED"):
            assert json.loads(wire.answer()[1])["state"]["type"] == state
            assert json.loads(wire.answer()[1])["state_type"] == state
            assert wire.answer() == (200, b"true")


def test_a_client_that_has_said_all_is_answered(orion):
    """It closes its side at once, as many a small client does."""
    flow = request("POST", "/flows/", {"name": "half closed"})
    with Wire(orion) as wire:
        wire.send(request("GET", "/health") + flow + request("POST", "/flows/filter", {"limit": 1}) + flow)
        wire.socket.shutdown(socket.SHUT_WR)
        assert [wire.answer()[0] for _ in range(4)] == [200, 201, 200, 200]
        assert wire.answer() is None


def test_a_pipeline_ends_with_what_is_no_request(orion):
    with Wire(orion) as wire:
        wire.send(request("GET", "/health") + b"NONSENSE\r\n\r\n" + request("GET", "/health"))
        assert wire.answer() == (200, b"true")
        assert wire.answer()[0] == 400
        assert wire.answer() is None


def test_a_thousand_connections(orion):
    wires = [Wire(orion) for _ in range(1000)]
    for wire in wires:
        wire.send(request("GET", "/health"))
    assert {wire.answer() for wire in wires} == {(200, b"true")}
    assert memory(orion) < 200
    for wire in wires:
        wire.__exit__()


def test_clients_that_leave_before_their_answer(orion):
    flow = Client(orion).flow()
    for _ in range(200):
        with Wire(orion) as wire:
            wire.send(request("POST", "/flow_runs/", {"flow_id": flow["id"]}))
    assert Client(orion).flow_run(flow)["flow_id"] == flow["id"]
    halves = orion.execute("SELECT COUNT(*) FROM flow_run WHERE state_id IS NULL AND flow_id = ?", flow["id"])
    assert halves == [(0,)]


def test_running_out_of_descriptors_is_overcome(start):
    server = start()
    limits = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (64, 64))
    assert limits[0] > 64
    wires = [Wire(server) for _ in range(100)]
    for wire in wires:
        wire.send(request("GET", "/health"))
    assert wires[0].answer() == (200, b"true")
    for wire in wires[:50]:
        wire.__exit__()
    for wire in wires[50:]:  # those that waited get their turn
        assert wire.answer() == (200, b"true")
        wire.__exit__()
    assert Client(server).flow()["name"]
