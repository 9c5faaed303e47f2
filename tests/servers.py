"""Starts either server, ours or the reference, with a home of its own on a free port of 127.0.0.1, and stops it again.

ORION_BIN names our executable (default build/orion), REFERENCE_BIN the reference's command (default .venv/bin/prefect)."""
import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ORION_BIN = Path(os.environ.get("ORION_BIN", ROOT / "build/orion"))
REFERENCE_BIN = Path(os.environ.get("REFERENCE_BIN", ROOT / ".venv/bin/prefect"))
SERVICES = ["SCHEDULER", "LATE_RUNS", "FLOW_RUN_NOTIFICATIONS", "PAUSE_EXPIRATIONS", "CANCELLATION_CLEANUP"]
START_TIMEOUT = 120
STOP_TIMEOUT = 15


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def server_environment(home, **changes):
    """The caller's environment without settings of his own, and with everything off that would act by itself."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ORION_"))}
    environment.update(PREFECT_HOME=str(home), PREFECT_ORION_ANALYTICS_ENABLED="false")
    environment.update({f"PREFECT_ORION_SERVICES_{service}_ENABLED": "false" for service in SERVICES})
    environment.update(changes)
    return environment


class Server:
    """One running server. `kind` is "reference" or "orion"; `url` ends in /api."""

    def __init__(self, kind, home=None, port=None, arguments=(), **settings):
        self.kind = kind
        self.owns_home = home is None
        self.home = Path(home or tempfile.mkdtemp(prefix=f"orion-test-{kind}-"))
        self.port = port or free_port()
        self.root = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.root}/api"
        self.database = self.home / "orion.db"
        self.log_path = self.home / "server.log"
        binary = REFERENCE_BIN if kind == "reference" else ORION_BIN
        environment = server_environment(self.home, **settings)
        if kind == "reference":
            environment["PATH"] = f"{binary.parent}:{environment['PATH']}"
        command = [str(binary), "orion", "start", "--host", "127.0.0.1", "--port", str(self.port), *arguments]
        with open(self.log_path, "wb") as log:
            # A session of its own: its process group is what stop() signals, the reference's uvicorn child included.
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def is_healthy(self):
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:
                return answer.read() == b"true"
        except (urllib.error.URLError, OSError):
            return False

    def wait(self):
        deadline = time.monotonic() + START_TIMEOUT
        while not self.is_healthy():
            if self.process.poll() is not None:
                raise RuntimeError(f"The {self.kind} server ended with {self.process.returncode}:\n{self.log()}")
            if time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"The {self.kind} server did not answer within {START_TIMEOUT} s")
            time.sleep(0.05)
        return self

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def stop(self):
        """Ends the server; the exit status of the process that was started (ours: 0)."""
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            pass
        # What is left of the group: the reference leaves its child behind.
        self.signal(signal.SIGKILL)
        return self.process.wait(STOP_TIMEOUT)

    def remove(self):
        if self.owns_home:
            shutil.rmtree(self.home, ignore_errors=True)

    def execute(self, sql, *values):
        """Runs one statement in the server's SQLite file, as another process may at any time; the rows."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=60)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            rows = connection.execute(sql, values).fetchall()
            connection.commit()
            return rows


@contextlib.contextmanager
def running(kind, **options):
    server = Server(kind, **options)
    try:
        yield server.wait()
    finally:
        server.stop()
        server.remove()
