"""`orion status`: what it shows of a server's answer, on terminals and elsewhere, and how it fails. Ours only."""
import contextlib
import copy
import fcntl
import http.server
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import threading
import time

import pytest

from tests.lib import servers

# At 15:21:13, by its own clock.
STATUS = {
    "version": "0.1.0", "api_version": "0.8.4", "address": "http://inner:4200/api",
    "started": "2026-11-30T10:00:00.500000+00:00", "uptime": 19273.4, "ready": True, "reason": None,
    "database": {"engine": "sqlite", "url": "sqlite+aiosqlite:////data/orion.db", "bytes": 2412345678,
                 "wal_bytes": 4100000, "free_bytes": None},
    "requests": {"count": 12345, "failed": 3, "p50_ms": 0.84, "p99_ms": None, "by_second": [0, 1, 2, 8] * 15},
    "connections": 17, "flow_runs": {"SCHEDULED": 340, "RUNNING": 12, "COMPLETED": 680, "CANCELLED": 0},
    "late": 3, "due": 5,
    "work_queues": [{"name": "quiet", "work_pool": None, "paused": True, "due": 0, "oldest_due": None},
                    {"name": "漢字" * 20, "work_pool": "pool\x1b[2J", "paused": False, "due": 5,
                     "oldest_due": "2026-11-30T15:17:00+00:00"}],
    "slots": [{"tag": "db", "limit": 10, "in_use": 4}],
    "services": [{"name": "Scheduler", "last_tick": "2026-11-30T15:21:10+00:00", "seconds": 0.0213, "ticks": 321,
                  "failures": 0, "error": None},
                 {"name": "LateRuns", "last_tick": None, "seconds": 0.0, "ticks": 0, "failures": 2,
                  "error": "The database is locked"}],
}
KEY_NEEDED = {"detail": "This server needs a key."}


class Fake(http.server.ThreadingHTTPServer):
    """Answers each path with what `answers` has for it: a status and JSON."""
    daemon_threads = True

    def __init__(self):
        self.answers = {"/orion/status": (200, copy.deepcopy(STATUS)), "/api/ready": (200, {"message": "OK"})}
        self.seen = []
        super().__init__(("127.0.0.1", 0), FakeHandler)
        self.url = f"http://127.0.0.1:{self.server_port}/api"


class FakeHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append((self.path, self.headers.get("Authorization")))
        status, body = self.server.answers.get(self.path, (404, {"detail": "Not Found"}))
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def fake():
    with Fake() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def environment_of(home, **changes):
    return {**servers.server_environment(home), "LC_ALL": "C.UTF-8", **changes}


def status_of(home, *words, **environment):
    done = subprocess.run([servers.ORION_BIN, "status", *words], env=environment_of(home, **environment),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_one_screen(fake, tmp_path):
    status, out, err = status_of(tmp_path, PREFECT_API_URL=fake.url, PREFECT_API_KEY="orion_reader")
    assert (status, err) == (0, "")
    assert fake.seen == [("/orion/status", "Bearer orion_reader")]
    lines = out.splitlines()
    assert lines[:4] == [
        "Server        ready, up 5 h 21 m, Orion 0.1.0, API 0.8.4, http://inner:4200/api",
        "Database      sqlite, 2.4 GB, write-ahead log 4.1 MB",
        "              sqlite+aiosqlite:////data/orion.db",
        "Requests      12,345 in the last minute, 3 failed, p50 0.84 ms, p99 -, connections 17"]
    assert lines[4] == "              " + " ▁▂█" * 15 + " at most 8 in a second"
    assert lines[5:9] == ["Flow runs     3 late, 5 due", "  SCHEDULED          340 ████████████",
                          "  RUNNING             12 ▌", "  COMPLETED          680 " + "█" * 24]
    assert re.search(r"\nWork queues +DUE +OLDEST DUE\n"
                     r"  pool \[2J/漢字.*… +5 +4 m 13 s ago\n  quiet +0 +-  paused\n", out)
    assert re.search(r"\nSlots +IN USE +LIMIT\n  db +4 +10  █████████▋\n", out)
    assert re.search(r"\nServices .*\n  LateRuns +- +0 ms +0 +2  The database is locked\n"
                     r"  Scheduler +3 s ago +21.3 ms +321 +0\n$", out)
    assert "\x1b" not in out and "CANCELLED" not in out


def test_narrow_and_without_utf8(fake, tmp_path):
    fake.answers["/orion/status"][1].update(ready=False, reason="The database is gone", work_queues=[])
    status, out, _ = status_of(tmp_path, "--url", fake.url, COLUMNS="40", LC_ALL="C")
    assert status == 0 and out.isascii()
    assert max(map(len, out.splitlines())) == 40
    assert "NOT READY" in out and "The database is gone" in out and "###" in out


def test_what_is_missing_is_a_dash(fake, tmp_path):
    fake.answers["/orion/status"] = (200, {"database": 5, "requests": [], "services": [{}, 7], "flow_runs": None,
                                           "late": None})
    status, out, err = status_of(tmp_path, "--url", fake.url)
    assert (status, err) == (0, "") and "NOT READY" in out
    assert "- in the last minute, - failed, p50 -" in out and "- late, - due" in out


def test_json_is_the_answer_on_a_line(fake, tmp_path):
    assert status_of(tmp_path, "--json", "--url", fake.url)[1] == json.dumps(STATUS) + "\n"
    fake.answers["/orion/status"] = (200, json.dumps(STATUS, indent=2).encode())
    out = status_of(tmp_path, "--json", "--url", fake.url)[1]
    assert out.count("\n") == 1 and json.loads(out) == STATUS


def test_check_says_a_line_and_how_it_is(fake, tmp_path):
    port = str(fake.server_port)
    assert status_of(tmp_path, "--check", "--port", port) == (0, f"{fake.url} is ready.\n", "")
    fake.answers["/api/ready"] = (503, {"message": "Database is not available", "reason": "It is\nlocked"})
    status, out, err = status_of(tmp_path, "--check", PREFECT_ORION_API_PORT=port)
    assert (status, out) == (1, "") and err.startswith(f"{fake.url} is not ready: it answered 503: It is")
    assert [path for path, _ in fake.seen] == ["/api/ready"] * 2


@pytest.mark.parametrize("words, answer, said", [
    ([], (401, KEY_NEEDED), "answered 401: This server needs a key."),
    ([], (404, {}), "is not an Orion server, or one of an earlier version"),
    ([], (200, b"<html>"), "it has no /orion/status"),
    (["--json"], (200, []), "it has no /orion/status"),
    (["--json"], (502, b"<html>"), "answered 502.\n"),
])
def test_other_answers(fake, tmp_path, words, answer, said):
    fake.answers["/orion/status"] = answer
    status, out, err = status_of(tmp_path, *words, "--url", fake.url.replace("//", "//me:hidden@"))
    assert (status, out) == (1, "") and said in err and "hidden" not in err


def test_who_does_not_answer(tmp_path):
    port = servers.free_port()
    for words in ([], ["--check"], ["--json"]):
        status, out, err = status_of(tmp_path, *words, "--port", str(port))
        assert (status, out) == (1, "") and f"http://127.0.0.1:{port}/api cannot be reached" in err
    with contextlib.closing(socket.create_server(("127.0.0.1", port))):
        began = time.monotonic()
        status, _, err = status_of(tmp_path, "--check", "--timeout", "300ms", "--port", str(port))
        assert status == 1 and "has not answered for 0.3 seconds" in err and time.monotonic() - began < 20
    assert status_of(tmp_path, "--url", "https://127.0.0.1:1/api", "--check")[0] == 1


@pytest.mark.parametrize("words", [["--every", "2s"], ["--watch", "--every", "0"], ["--timeout", "soon"],
                                   ["--check", "--json"], ["--url", "http://x/api", "--port", "1"], ["--port", "0"],
                                   ["extra"]])
def test_how_it_is_not_called(tmp_path, words):
    status, out, err = status_of(tmp_path, *words)
    assert (status, out) == (2, "") and "Error: " in err


def test_own_password_goes_to_this_machine_only(fake, tmp_path):
    port = str(fake.server_port)
    status_of(tmp_path, "--port", port, ORION_AUTH_STRING="ann:secret")
    status_of(tmp_path, "--url", fake.url, ORION_AUTH_STRING="ann:secret")
    assert [how for _, how in fake.seen] == ["Basic YW5uOnNlY3JldA==", None]


# ---- --watch ----

class Terminal:
    """`orion status` in a terminal of its own."""

    def __init__(self, home, *words, size=(40, 90)):
        self.master, self.slave = pty.openpty()
        self.resize(*size)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen([servers.ORION_BIN, "status", *words], stdin=self.slave, stdout=self.slave,
                                        stderr=self.slave, env=environment_of(home, TERM="xterm"),
                                        preexec_fn=lambda: (os.setsid(), fcntl.ioctl(0, termios.TIOCSCTTY, 0)))
        self.text = ""

    def resize(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait_for(self, text, count=1):
        deadline = time.monotonic() + 20
        while self.text.count(text) < count:
            assert time.monotonic() < deadline, self.text
            if select.select([self.master], [], [], 0.1)[0]:
                self.text += os.read(self.master, 65536).decode(errors="replace")

    def ended(self):
        status = self.process.wait(20)
        while select.select([self.master], [], [], 0)[0]:
            self.text += os.read(self.master, 65536).decode(errors="replace")
        assert termios.tcgetattr(self.slave) == self.before
        assert self.text.count("\x1b[?1049h") == self.text.count("\x1b[?1049l")
        assert self.text.endswith("\x1b[?7h\x1b[?25h\x1b[?1049l")
        os.close(self.master)
        os.close(self.slave)
        return status


@pytest.mark.parametrize("end", ["\x03", "q", signal.SIGTERM])
def test_a_terminal_is_as_it_was_afterwards(fake, tmp_path, end):
    terminal = Terminal(tmp_path, "--watch", "--every", "200ms", "--url", fake.url)
    terminal.wait_for("\x1b[H", 3)
    assert "\x1b[32mready\x1b[0m" in terminal.text and "\x1b[?25l" in terminal.text
    if isinstance(end, str):
        os.write(terminal.master, end.encode())
    else:
        terminal.process.send_signal(end)
    assert terminal.ended() == 0


def test_it_follows_the_size_and_rests(fake, tmp_path):
    terminal = Terminal(tmp_path, "--watch", "--every", "1h", "--url", fake.url, size=(10, 60))
    terminal.wait_for("\x1b[J")
    assert "Services" not in terminal.text and terminal.text.count("\r\n") == 9
    terminal.resize(60, 120)
    terminal.wait_for("The database is locked")
    os.write(terminal.master, b"\x1a")
    terminal.wait_for("\x1b[?1049l")
    os.waitpid(terminal.process.pid, os.WUNTRACED)
    terminal.process.send_signal(signal.SIGCONT)
    terminal.wait_for("\x1b[?1049h", 2)
    terminal.wait_for("\x1b[J", 3)
    assert len(fake.seen) == 1, "none of these asks the server again"
    os.write(terminal.master, b" ")
    deadline = time.monotonic() + 20
    while len(fake.seen) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.write(terminal.master, b"q")
    assert terminal.ended() == 0


def test_a_server_that_goes_and_comes(fake, tmp_path):
    terminal = Terminal(tmp_path, "--watch", "--every", "200ms", "--url", fake.url)
    terminal.wait_for("\x1b[J")
    fake.answers["/orion/status"] = (401, KEY_NEEDED)
    terminal.wait_for("answered 401: This server needs a key.")
    terminal.wait_for(" old:")
    fake.answers["/orion/status"] = (200, {**STATUS, "connections": 987})
    terminal.wait_for("connections 987")
    os.write(terminal.master, b"\x03")
    assert terminal.ended() == 0


@pytest.mark.parametrize("words, first", [([], "Server        ready"), (["--json"], '{"version"')])
def test_without_a_terminal_it_is_plain(fake, tmp_path, words, first):
    with subprocess.Popen([servers.ORION_BIN, "status", "--watch", "--every", "100ms", "--url", fake.url, *words],
                          env=environment_of(tmp_path), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          text=True) as process:
        found = 0
        for line in process.stdout:
            assert "\x1b" not in line
            found += line.startswith(first)
            if found == 3:
                process.send_signal(signal.SIGTERM)
                break
        process.stdout.read()
    assert process.returncode == 0 and len(fake.seen) >= 3


# ---- a server ----

def test_a_real_server(tmp_path, engine):
    with servers.running("orion", database=engine) as server:
        status, out, err = status_of(tmp_path, "--check", "--url", server.url)
        assert (status, err) == (0, "") and out == f"{server.url} is ready.\n"
        status, out, err = status_of(tmp_path, "--json", "--url", server.url)
        assert (status, err) == (0, "") and set(STATUS) <= set(json.loads(out))
        status, out, err = status_of(tmp_path, "--url", server.url)
        assert (status, err) == (0, "") and "ready" in out and server.engine in out
