"""Log lines: request ids, formats, and the log of all requests. Ours only: the reference's lines are uvicorn's."""
import json
import re
import socket
import subprocess
import time

import pytest

from tests.lib import servers
from tests.server.test_access import ask, key

NOBODY = "/api/flows/0198b0a0-0000-7000-8000-000000000000"


def say(server, head):
    """What the server answers to these bytes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(head)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while got := connection.recv(65536):
            answer += got
    return answer


def lines_of(server, text, count=1):
    """The log's lines with that text, once there are so many: a line may come after its answer."""
    deadline = time.monotonic() + 10
    while len(found := [line for line in server.log().splitlines() if text in line]) < count:
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.05)
    return found


def read_logfmt(line):
    found = re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|[^ "]+)(?: |$)', line)
    assert " ".join(f"{name}={value}" for name, value in found) == line
    return {name: json.loads(value) if value[0] == '"' else value for name, value in found}


READERS = {"json": json.loads, "logfmt": read_logfmt}


@pytest.fixture(scope="module", params=["json", "logfmt"])
def logged(request, tmp_path_factory, engine):
    """A server with a key that logs all requests for programs."""
    home = tmp_path_factory.mktemp("logged")
    full = key(home, "create", "ci")
    with servers.running("orion", home=home, database=engine, ORION_LOG_FORMAT=request.param,
                         ORION_LOG_ACCESS="true") as server:
        server.key, server.read = f"Bearer {full}", READERS[request.param]
        yield server
    servers.Store.of_home(engine, home).drop()


def test_each_answer_is_a_line(logged):
    assert ask(logged, "GET", f"{NOBODY}?token=hidden", logged.key, X_Request_Id="one").status == 404
    entry = logged.read(lines_of(logged, "request_id=one" if logged.read is read_logfmt else '"one"')[0])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry.pop("timestamp"))
    assert float(entry.pop("duration_ms")) >= 0
    size = len('{"detail":"Flow not found"}')
    assert re.fullmatch(rf'127.0.0.1 - "GET {NOBODY}" 404 [\d.]+ ms key ci, {size} bytes, /api/flows/{{id}}',
                        entry.pop("message"))
    assert {name: str(value) for name, value in entry.items()} == {
        "level": "INFO", "logger": "orion.access", "request_id": "one", "client": "127.0.0.1", "key": "ci",
        "method": "GET", "path": NOBODY, "route": "/api/flows/{id}", "status": "404", "bytes": str(size)}


def test_every_line_can_be_read_and_none_can_be_forged(logged):
    """From the start on, whatever clients send; also what is refused before it is a request."""
    before = len(logged.log().splitlines())
    for path in ['/a"b\\c', "/%0a%22,x", '/"x"="y"']:
        ask(logged, "GET", path, logged.key)
    answer = say(logged, b"GET /\xff\xe2\x80\xa8\x9b HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\"b\r\n\r\n")
    assert re.search(rb"\r\nx-request-id: [0-9a-f]{16}\r\n", answer)
    say(logged, b"GET /" + 'é%22\\"'.encode() * 7000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    say(logged, b"POST /api/flows/ HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\nX-Request-Id: big\r\n\r\n")
    say(logged, b"\x16\x03\x01 nonsense\r\n\r\n")
    deadline = time.monotonic() + 10
    while len(logged.log().splitlines()) < before + 7:
        assert time.monotonic() < deadline, logged.log()
        time.sleep(0.05)
    entries = [logged.read(line) for line in logged.log().splitlines()]
    assert all({"timestamp", "level", "logger", "message"} <= set(entry) for entry in entries)
    assert "Orion is ready." in [entry["message"] for entry in entries]
    assert logged.key[14:] not in logged.log() and "hidden" not in logged.log()
    refused = [entry for entry in entries if entry.get("request_id") == "big"]
    assert [(str(entry["status"]), entry["path"]) for entry in refused] == [("413", "/api/flows/")]


def test_other_lines_name_the_request(logged):
    assert ask(logged, "GET", "/api/flows/filter", "Bearer nonsense", X_Request_Id="refused-1").status == 401
    entries = [logged.read(line) for line in lines_of(logged, "refused-1", 2)]
    assert {(entry["level"], entry["request_id"]) for entry in entries} == {("WARNING", "refused-1"),
                                                                            ("INFO", "refused-1")}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    home = tmp_path_factory.mktemp("plain")
    with servers.running("orion", home=home, ORION_LOG_ACCESS="true", ORION_TRUSTED_PROXIES="127.0.0.1",
                         PREFECT_ORION_UI_ENABLED="0") as server:
        yield server


def test_text_is_for_people(plain):
    ask(plain, "GET", NOBODY, X_Forwarded_For="198.51.100.7", X_Request_Id="from/proxy=1")
    assert re.search(rf'^\d\d:\d\d:\d\d\.\d{{3}} \| INFO    \| orion.access - 198.51.100.7 - "GET {NOBODY}" 404 '
                     r'[\d.]+ ms, 27 bytes, /api/flows/\{id\} \[from/proxy=1\]$', lines_of(plain, "from/proxy")[0])
    ask(plain, "GET", "/api/flows/name/none", X_Request_Id="by-name")
    assert ", /api/flows/name/{name} [by-name]" in lines_of(plain, "by-name")[0]
    ask(plain, "HEAD", "/nothing", X_Request_Id="page")
    assert re.search(r'"HEAD /nothing" 404 [\d.]+ ms, 0 bytes, - \[page\]$', lines_of(plain, "[page]")[0])


def test_errors_of_the_database_name_the_request(plain):
    """They are logged on threads of the database, in the midst of others' requests."""
    flow = json.loads(ask(plain, "POST", "/api/flows/", body={"name": "spoiled"}).text)["id"]
    plain.execute("UPDATE flow SET tags = ? WHERE id = ?", "[1", flow)
    ask(plain, "POST", "/api/flows/filter", body={}, X_Request_Id="a-list")
    assert [line for line in lines_of(plain, "[a-list]", 2) if " | WARNING | " in line]


def test_a_server_that_cannot_start_says_so_in_its_format(plain, tmp_path):
    done = subprocess.run([servers.ORION_BIN, "start", "--port", str(plain.port), "--log-format", "json"],
                          env=servers.server_environment(tmp_path), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, check=False)
    last = json.loads(done.stderr.splitlines()[-1])
    assert (done.returncode, done.stdout, last["level"]) == (1, "", "CRITICAL")
    assert "already in use" in last["message"]
