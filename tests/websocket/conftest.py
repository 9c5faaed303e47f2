"""Starts the server in server.c: under the sanitizers, or as it is released where memory is measured."""
import contextlib
import json
import os
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.lib.servers import ROOT, server_environment
from tests.websocket.wire import Wire

ASAN_SERVER = Path(os.environ.get("WEBSOCKET_SERVER", ROOT / "build-asan/websocket_server"))
RELEASED_SERVER = ROOT / "build/websocket_server"
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
STOP_SECONDS = 60


class Server:
    def __init__(self, program, home, limits, settings):
        self.database = home / "kept.db"
        self.log = home / "log"
        environment = server_environment(home, **SANITIZERS, **settings)
        arguments = [program, self.database, *(f"{name}={value}" for name, value in limits.items())]
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(arguments, env=environment, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log, text=True)
        self.port = int(self.process.stdout.readline() or 0)
        assert self.port, self.log.read_text()

    def url(self, path):
        return f"ws://127.0.0.1:{self.port}/api{path}"

    def open(self, path, buffer=None, **options):
        return Wire(self.port, buffer).open(f"/api{path}", **options)

    def counts(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/counts", timeout=60) as answer:
            return json.load(answer)

    def memory(self):
        """Bytes of its own in RAM."""
        lines = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("Anonymous")).split()[1])

    def stop(self):
        """It must end by itself, and the sanitizers must have found nothing."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(STOP_SECONDS)
        finally:
            self.process.kill()
        self.process.stdout.close()
        assert code == 0, f"{code}: {self.log.read_text()[-5000:]}"


@pytest.fixture
def start(tmp_path):
    """Starts a server with limits and settings of its own; all are stopped at the end."""
    with contextlib.ExitStack() as stack:
        def starts(program=ASAN_SERVER, settings=None, **limits):
            server = Server(program, tmp_path, limits, settings or {})
            stack.callback(lambda: server.process.returncode is None and server.stop())
            return server
        yield starts


@pytest.fixture(scope="session")
def released():
    """The program without sanitizers, built if it is not there."""
    subprocess.run(["ninja", "-C", ROOT / "build", "--quiet", "websocket_server"], check=True, timeout=600)
    return RELEASED_SERVER


@pytest.fixture(scope="module")
def sockets(tmp_path_factory):
    """One for tests that leave it as it is."""
    one = Server(ASAN_SERVER, tmp_path_factory.mktemp("server"), {}, {})
    yield one
    one.stop()
