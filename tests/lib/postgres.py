"""A throw-away PostgreSQL cluster in a temporary folder, on a free port of 127.0.0.1 and on a socket in its folder.

Run as a program it makes one with an empty database, prints the database's URL, and removes it when its standard input
ends.

`cluster()` is the one that a test run shares; a test that stops or breaks its cluster makes one of its own.
POSTGRES_BIN names the folder of initdb and pg_ctl (default: the newest of Debian's). Run by root, the cluster belongs
to the user postgres, since it refuses root. Nothing of an installed cluster is touched."""
import asyncio
import contextlib
import datetime
import fcntl
import functools
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

import asyncpg

EPOCH = datetime.datetime(1970, 1, 1)
PATIENCE = 60
PORTS = 200  # of one process
# Ends the cluster when the pipe to its standard input closes, however the test run ended. $1 is the folder, the rest
# pg_ctl.
WATCHER = 'folder=$1; shift; read -r _; "$@" -D "$folder/data" -m immediate stop; rm -rf "$folder"'
SETTINGS = {"listen_addresses": "127.0.0.1", "max_connections": 200, "timezone": "UTC",
            "log_line_prefix": "%m [%p] %a "}


def programs():
    """The folder of the server's programs."""
    if "POSTGRES_BIN" in os.environ:
        return Path(os.environ["POSTGRES_BIN"])
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found and shutil.which("initdb"):
        found = [Path(shutil.which("initdb"))]
    if not found:
        raise RuntimeError("PostgreSQL's initdb is nowhere: run tools/setup test, or set POSTGRES_BIN")
    return found[-1].parent


@functools.cache
def own_ports():
    """Ports that are this process's alone among those of the tests, in turn: another suite's server must not be taken
    for one that could not start. They lie below those that the kernel gives to connections."""
    folder = Path(tempfile.gettempdir()) / "orion-test-ports"
    folder.mkdir(exist_ok=True)
    for first in range(10000, 32000, PORTS):
        lock = open(folder / str(first), "w")  # open, and so locked, as long as the process lives
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock, itertools.cycle(range(first, first + PORTS))
        lock.close()
    raise RuntimeError("Too many test runs at once: none of their ports are left")


def free_port():
    for port in itertools.islice(own_ports()[1], PORTS):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError(f"All {PORTS} ports of this process are in use")


def is_alive(pid):
    """False for a zombie too: not everything that runs as process 1 takes them in."""
    with contextlib.suppress(OSError):
        return re.search(r"^State:\s+([A-Z])", Path(f"/proc/{pid}/status").read_text(), re.M).group(1) not in "ZX"
    return False


def literal(value):
    """A value as SQL text of no type yet, so that its place decides the type as with SQLite."""
    if value is None:
        return "NULL"
    text = json.dumps(value) if isinstance(value, (dict, list)) else str(value)
    return "'" + text.replace("'", "''") + "'"


def with_values(sql, values):
    """The statement with each `?` outside of literals replaced by a value."""
    left = list(values)
    filled = re.sub(r"'[^']*'|\?", lambda found: literal(left.pop(0)) if found.group(0) == "?" else found.group(0), sql)
    assert not left, f"more values than places: {sql}"
    return filled


def plain(value):
    """A value as a SQLite database of the server holds it, which is what the tests compare with."""
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, datetime.timedelta):
        value = EPOCH + value
    if isinstance(value, datetime.datetime):
        if value.tzinfo:
            value = value.astimezone(datetime.timezone.utc)
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    return value


class Session:
    """One connection, kept: for what another process does in several steps."""

    def __init__(self, url):
        self.loop = asyncio.new_event_loop()  # in a thread of its own: that of browser tests has one already
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.connection = self._wait(asyncpg.connect(url.replace("+asyncpg", "", 1), timeout=PATIENCE, ssl=False))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._wait(self.connection.close())
        self._end()

    def _end(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def _wait(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def execute(self, sql, *values):
        """Runs one statement, whose values stand at `?`; the rows, with values in the forms of a SQLite database."""
        return [tuple(plain(value) for value in row)
                for row in self._wait(self.connection.fetch(with_values(sql, values)))]

    def script(self, sql):
        """Several statements in one message, which makes them one transaction."""
        self._wait(self.connection.execute(sql))


def execute(url, sql, *values):
    with Session(url) as session:
        return session.execute(sql, *values)


class Cluster:
    """A running cluster. `settings` go to postgresql.conf; with a password, connections over TCP and the socket need
    it. `parent` is where its folder is made."""

    def __init__(self, password=None, parent=None, **settings):
        self.bin = programs()
        self.password = password
        self.as_owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self.folder = Path(tempfile.mkdtemp(prefix="orion-pg-", dir=parent))
        self.data = self.folder / "data"
        self.log_path = self.folder / "server.log"
        self.watcher = None
        self.port = free_port()
        self.templates = {}
        try:
            self._make(settings)
            self.start()
        except BaseException:
            self.remove()
            raise

    def _run(self, program, *arguments):
        # The log file must not be ours: a server that inherits a pipe would keep it open.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run([*self.as_owner, str(self.bin / program), *map(str, arguments)], cwd=self.folder,
                                  stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=PATIENCE * 2)
            output.seek(0)
            if done.returncode != 0:
                raise RuntimeError(f"{program} ended with {done.returncode}:\n{output.read()}{self.log()}")

    def _make(self, settings):
        if self.as_owner:
            shutil.chown(self.folder, "postgres", "postgres")
        self.watcher = subprocess.Popen(
            ["/bin/sh", "-c", WATCHER, "sh", self.folder, *self.as_owner, self.bin / "pg_ctl"], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", start_new_session=True)
        secret = self.folder / "password"
        secret.write_text(self.password or "")
        secret.chmod(0o644)  # its folder is closed to others
        self._run("initdb", "-D", self.data, "-U", "postgres", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync",
                  *(["--auth", "scram-sha-256", "--pwfile", secret] if self.password else ["--auth", "trust"]))
        lines = {**SETTINGS, "port": self.port, "unix_socket_directories": self.folder, **settings}
        with open(self.data / "postgresql.conf", "a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in lines.items())

    @contextlib.contextmanager
    def standby(self):
        """A copy of this cluster that follows it and takes no writes."""
        copy = object.__new__(Cluster)
        copy.__dict__ = {**self.__dict__, "port": free_port(), "data": self.folder / "standby",
                         "log_path": self.folder / "standby.log", "watcher": None}
        self._run("pg_basebackup", "-D", copy.data, "-d", self.url("postgres", "postgresql"), "-R", "-c", "fast",
                  "--no-sync")
        with open(copy.data / "postgresql.conf", "a") as file:
            file.write(f"port = {copy.port}\n")
        copy.start()
        try:
            yield copy
        finally:
            copy.stop("immediate")

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def start(self):
        self._run("pg_ctl", "-D", self.data, "-l", self.log_path, "-t", PATIENCE, "-w", "start")

    def stop(self, mode="fast"):
        """`fast` ends all connections in order; `immediate` as in a crash, but with a word to the clients."""
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-t", PATIENCE, "-w", "stop")

    def restart(self, mode="fast"):
        self.stop(mode)
        self.start()

    def kill(self):
        """Every process of it at once, without a word, as when the machine dies. start() recovers it."""
        pid_file = self.data / "postmaster.pid"
        postmaster = int(pid_file.read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        processes = [postmaster, *map(int, children)]
        for pid in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE
        while any(is_alive(pid) for pid in processes):
            assert time.monotonic() < deadline, "the server's processes do not end"
            time.sleep(0.01)
        # Where nobody takes in the dead, a new server would hold these for those of a living one.
        for file in (pid_file, self.folder / f".s.PGSQL.{self.port}.lock"):
            file.unlink(missing_ok=True)

    def remove(self):
        if self.watcher:
            self.watcher.stdin.close()
            self.watcher.wait(PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database, scheme="postgresql+asyncpg"):
        user = f"postgres:{self.password}" if self.password else "postgres"
        return f"{scheme}://{user}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name, template=None):
        """A new, empty database, or a copy of another that nobody is connected to; its URL."""
        self.execute("postgres", f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
        return self.url(name)

    def template(self, name, fill):
        """The name of a database that fill(url) has filled once, to make others from."""
        if name not in self.templates:
            self.templates[name] = f"template_{name}"
            fill(self.create_database(self.templates[name]))
        return self.templates[name]

    def dump(self, database, *options):
        """The lines of pg_dump, without the words that it makes up anew each time."""
        done = subprocess.run([self.bin / "pg_dump", *options, self.url(database, "postgresql")], cwd="/",
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, timeout=PATIENCE)
        return [line for line in done.stdout.decode().split("\n")
                if not line.startswith((r"\restrict", r"\unrestrict"))]

    def copy_into(self, database, other):
        """Copies all there is in one database, perhaps in use, into another, empty one."""
        with tempfile.TemporaryFile() as dump:
            options = {"cwd": "/", "check": True, "timeout": PATIENCE}
            subprocess.run([self.bin / "pg_dump", self.url(database, "postgresql")], stdin=subprocess.DEVNULL,
                           stdout=dump, **options)
            dump.seek(0)
            subprocess.run([self.bin / "psql", "-q", "-v", "ON_ERROR_STOP=1", self.url(other, "postgresql")],
                           stdin=dump, stdout=subprocess.DEVNULL, **options)

    def drop_database(self, name):
        self.execute("postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def disconnect_all(self, database):
        """Ends every connection to a database, as an administrator may; how many there were."""
        sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ? AND pid <> pg_backend_pid()"
        return len(self.execute("postgres", sql, database))

    def execute(self, database, sql, *values):
        return execute(self.url(database), sql, *values)

    def script(self, database, sql):
        with Session(self.url(database)) as session:
            session.script(sql)


@functools.lru_cache(None)
def cluster():
    """The cluster that all tests of a run share, made at its first use; its watcher removes it at the end."""
    return Cluster()


@contextlib.contextmanager
def running(**options):
    """A cluster of its own, for what would disturb others."""
    own = Cluster(**options)
    try:
        yield own
    finally:
        own.remove()


def main():
    with running(fsync="off") as own:  # what is in it is never needed again
        print(own.create_database("empty"), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
