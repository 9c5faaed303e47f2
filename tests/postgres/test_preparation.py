"""What a start and the commands change in the database has a time limit of its own: it outlasts locks that others hold
for longer than a request may wait, but does not wait for ever."""
import os
import subprocess
import time

from tests.lib import postgres, servers
from tests.lib.load import Client, Threads
from .session import transaction

FULL = os.environ.get("ORION_TEST_FULL") == "1"
LOCK_CLASS, SCHEMA, BLOCKS = 0x4F52494F, 1, 2  # as in locks.h and postgres.c
TIMEOUT = 1  # seconds; PREFECT_ORION_DATABASE_TIMEOUT
LIMIT = 4  # ORION_DATABASE_MIGRATION_TIMEOUT; making the tables must not take as long
MARGIN = 4  # for a machine that is busy
SETTINGS = {"PREFECT_ORION_DATABASE_TIMEOUT": str(TIMEOUT)}
LIMITED = {**SETTINGS, "ORION_DATABASE_MIGRATION_TIMEOUT": f"{LIMIT}s"}
TOO_LONG = "The query took longer than the database timeout allows"
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = " \
          "(SELECT oid FROM pg_database WHERE datname = current_database())"


def held(database, lock):
    return transaction(postgres.cluster(), database, f"SELECT pg_advisory_xact_lock({LOCK_CLASS}, {lock})")


def wait_for_waiter(session):
    """Until somebody waits for the lock, and then for longer than a request may."""
    deadline = time.monotonic() + 60
    while session.one(WAITING) == 0:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(1.5 * TIMEOUT)
    assert session.one(WAITING) == 1


def command(database, tmp_path, *words, **settings):
    done = subprocess.run([str(servers.ORION_BIN), "database", *words], stdin=subprocess.DEVNULL, timeout=60, text=True,
                          env=servers.server_environment(
                              tmp_path, PREFECT_ORION_DATABASE_CONNECTION_URL=postgres.cluster().url(database),
                              **settings), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def test_a_start_that_waits_for_locks(start, database):
    with held(database, BLOCKS) as other:
        with held(database, SCHEMA) as holder:
            server = start(postgres.cluster().url(database), wait=False, **SETTINGS)
            wait_for_waiter(holder)
        wait_for_waiter(other)
        assert server.process.poll() is None
    server.wait()
    assert Client(server).post("/block_types/filter", {})[1] != []
    assert "could not be registered" not in server.log()


def test_a_start_that_waits_for_too_long(start, database):
    url = postgres.cluster().url(database)
    with held(database, SCHEMA):
        begun = time.monotonic()
        server = start(url, wait=False, **LIMITED)
        assert server.process.wait(60) not in (0, None)
        assert LIMIT - 0.5 < time.monotonic() - begun < LIMIT + MARGIN
    assert f"{TOO_LONG}. The limit is ORION_DATABASE_MIGRATION_TIMEOUT; another server or command may hold a lock." in \
        server.log()


def test_a_registration_that_waits_for_too_long(start, database):
    """The server does without it."""
    with held(database, BLOCKS):
        server = start(postgres.cluster().url(database), **LIMITED)
        assert f"Block types could not be registered: {TOO_LONG}. The limit is ORION_DATABASE_MIGRATION_TIMEOUT" in \
            server.log()
        assert Client(server).flow()["id"]


COMMANDS = [("reset", "-y")] + FULL * [("upgrade", "-y"), ("stamp", "head"), ("downgrade", "-y")]


def test_commands_that_wait_for_a_lock(database, tmp_path):
    assert command(database, tmp_path, "upgrade", "-y")[0] == 0
    for words in COMMANDS:
        with held(database, SCHEMA) as holder:
            running = Threads(1, lambda _: command(database, tmp_path, *words, **SETTINGS))
            wait_for_waiter(holder)
        [(status, said)] = running.join()
        assert status == 0, said
    if not FULL:
        return
    with held(database, SCHEMA):
        status, said = command(database, tmp_path, "upgrade", "-y", **LIMITED)
    assert status == 1 and TOO_LONG in said, said
