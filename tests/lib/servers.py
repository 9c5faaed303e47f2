"""Starts either server, ours or the reference, with a home of its own on a free port of 127.0.0.1, and stops it again.
Its database is a SQLite file in that home, or one of the home's own in the test run's PostgreSQL cluster.

ORION_BIN names our executable (default build/orion), REFERENCE_BIN the reference's command (default
.venv/bin/prefect)."""
import contextlib
import functools
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

from tests.lib import postgres
from tests.lib.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
ORION_BIN = Path(os.environ.get("ORION_BIN", ROOT / "build/orion"))
REFERENCE_BIN = Path(os.environ.get("REFERENCE_BIN", ROOT / ".venv/bin/prefect"))
SERVICES = ["SCHEDULER", "LATE_RUNS", "FLOW_RUN_NOTIFICATIONS", "PAUSE_EXPIRATIONS", "CANCELLATION_CLEANUP"]
APPLICATION = "prefect.orion.api.server:create_app"
START_TIMEOUT = 120
STOP_TIMEOUT = 15


class Which(NamedTuple):
    """A server to test: ours or the reference, on which engine."""
    kind: str
    engine: str

    def __str__(self):
        return f"{self.kind}-{self.engine}"


def server_environment(home, **changes):
    """The caller's environment without settings of his own, and with everything off that would act by itself."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ORION_"))}
    environment.update(PREFECT_HOME=str(home), PREFECT_ORION_ANALYTICS_ENABLED="false")
    # as the reference, which serves every page under every name
    environment.update(ORION_ALLOWED_HOSTS="*", ORION_CORS_ORIGINS="*")
    environment.update({f"PREFECT_ORION_SERVICES_{service}_ENABLED": "false" for service in SERVICES})
    environment.update(changes)
    return environment


def migrate_reference(url):
    """Fills an empty database by the reference's own migrations, which take some seconds."""
    with tempfile.TemporaryDirectory() as home:
        environment = server_environment(home, PREFECT_ORION_DATABASE_CONNECTION_URL=url)
        subprocess.run([REFERENCE_BIN, "orion", "database", "upgrade", "-y"], env=environment, stdin=subprocess.DEVNULL,
                       check=True, stdout=subprocess.DEVNULL, timeout=START_TIMEOUT)


def reference_template():
    return postgres.cluster().template("reference", migrate_reference)


@functools.lru_cache(None)
def reference_file():
    """The bytes of a SQLite database with the reference's tables."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.of_home("sqlite", folder)
        migrate_reference(store.url)
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return store.path.read_bytes()


class Store:
    """A server's database, as another process may use it at any time. `url` is what the server is told; `home` tells
    which one is a home's."""

    def __init__(self, url):
        self.url = url
        self.engine = "sqlite" if url.startswith("sqlite") else "postgresql"
        self.path = Path(url.partition(":///")[2]) if self.engine == "sqlite" else None
        self.name = url.rpartition("/")[2]

    @classmethod
    def of_home(cls, engine, home):
        """It need not be there yet."""
        if engine == "sqlite":
            return cls(f"sqlite+aiosqlite:///{home}/orion.db")
        return cls(postgres.cluster().url("home_" + hashlib.sha1(str(home).encode()).hexdigest()[:16]))

    def create(self, kind):
        """Makes it where it is not there: the reference's with its tables, since its migrations take seconds, ours
        empty."""
        if self.engine == "sqlite":
            if kind == "reference" and not self.path.exists():
                self.path.write_bytes(reference_file())
            return
        cluster = postgres.cluster()
        if not cluster.execute("postgres", "SELECT 1 FROM pg_database WHERE datname = ?", self.name):
            cluster.create_database(self.name, reference_template() if kind == "reference" else None)

    def drop(self):
        if self.engine == "postgresql":
            postgres.cluster().drop_database(self.name)
        else:
            self.path.unlink(missing_ok=True)

    def copy(self, home):
        """A copy of it, as it is now, that is another home's."""
        other = Store.of_home(self.engine, home)
        if self.engine == "postgresql":
            postgres.cluster().create_database(other.name)
            postgres.cluster().copy_into(self.name, other.name)
        else:
            self.execute("VACUUM INTO ?", str(other.path))
        return other

    def dump(self):
        """All there is in it, as text."""
        if self.engine == "postgresql":
            return postgres.cluster().dump(self.name)
        with contextlib.closing(sqlite3.connect(self.path)) as connection:
            return list(connection.iterdump())

    def execute(self, sql, *values):
        """Runs one statement; the rows. Values stand at `?`; they come and go in the forms that SQLite has for them."""
        if self.engine == "postgresql":
            return postgres.execute(self.url, sql, *values)
        with contextlib.closing(sqlite3.connect(self.path, timeout=60)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            rows = connection.execute(sql, values).fetchall()
            connection.commit()
            return rows

    def script(self, sql):
        """Runs several statements."""
        if self.engine == "postgresql":
            with postgres.Session(self.url) as session:
                session.script(sql)
        else:
            with contextlib.closing(sqlite3.connect(self.path)) as connection:
                connection.executescript(sql)

    def tables(self):
        """Their names, sorted."""
        if self.engine == "postgresql":
            return [name for name, in self.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]
        return [name for name, in self.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1")]

    def columns(self, table):
        """The types by name, in order."""
        if self.engine == "postgresql":
            return dict(self.execute("SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
                                     " WHERE attrelid = ?::regclass AND attnum > 0"
                                     " AND NOT attisdropped ORDER BY attnum", table))
        return dict(self.execute("SELECT name, type FROM pragma_table_info(?)", table))

    @contextlib.contextmanager
    def write_lock(self):
        """Nobody else can write a row, while rows can be read."""
        if self.engine == "postgresql":
            with postgres.Session(self.url) as session:
                session.execute("BEGIN")
                session.execute(f"LOCK TABLE {', '.join(self.tables())} IN EXCLUSIVE MODE")
                yield
                session.execute("ROLLBACK")
        else:
            with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                yield
                connection.execute("ROLLBACK")


class Server:
    """One running server. `kind` is "reference" or "orion"; `url` ends in /api. `database` is "sqlite", "postgresql",
    or the URL of a PostgreSQL database. A server that has a home of its own removes it with its database; else both
    stay for the next one in that home. `as_users_do` starts the reference without our shortcuts: by its own command, on
    an empty database."""

    def __init__(self, kind, home=None, port=None, arguments=(), database="sqlite", as_users_do=False, **settings):
        self.kind = kind
        self.owns_home = home is None
        self.home = Path(home or tempfile.mkdtemp(prefix=f"orion-test-{kind}-"))
        self.port = port or free_port()
        self.root = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.root}/api"
        self.store = Store.of_home(database, self.home) if database in ("sqlite", "postgresql") else Store(database)
        self.is_own_store = self.owns_home and database == "postgresql"
        self.engine = self.store.engine
        self.store.create("orion" if as_users_do else kind)
        if self.engine == "postgresql":
            settings.setdefault("PREFECT_ORION_DATABASE_CONNECTION_URL", self.store.url)
        self.log_path = self.home / "server.log"
        environment = server_environment(self.home, **settings)
        command = [str(ORION_BIN), "orion", "start"]
        if kind == "reference":
            environment["PATH"] = f"{REFERENCE_BIN.parent}:{environment['PATH']}"
            # What `prefect orion start` would run after two seconds; it has nothing to add but what its arguments say.
            command = [str(REFERENCE_BIN), "orion", "start"] if arguments or as_users_do \
                else [str(REFERENCE_BIN.parent / "uvicorn"), "--factory", APPLICATION]
        command += ["--host", "127.0.0.1", "--port", str(self.port), *arguments]
        with open(self.log_path, "wb") as log:
            # A session of its own: its process group is what stop() signals, a uvicorn child of the reference included.
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
        """Ends the server, the reference by force; the exit status of the process that was started (ours: 0). What the
        sanitizers that it may be built with report is a failure."""
        if self.kind == "orion":
            self.signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_TIMEOUT)
        self.signal(signal.SIGKILL)
        status = self.process.wait(STOP_TIMEOUT)
        assert not self.log_path.exists() or "Sanitizer: " not in (log := self.log()), log
        return status

    def remove(self):
        if self.owns_home:
            shutil.rmtree(self.home, ignore_errors=True)
        if self.is_own_store:
            self.store.drop()

    def execute(self, sql, *values):
        return self.store.execute(sql, *values)


@contextlib.contextmanager
def running(kind, **options):
    server = Server(kind, **options)
    try:
        yield server.wait()
    finally:
        server.stop()
        server.remove()
