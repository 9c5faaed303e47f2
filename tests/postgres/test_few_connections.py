"""A database that gives fewer connections than ORION_DATABASE_CONNECTIONS asks for: those that there are do all the
work, and nobody waits for the others."""
import contextlib
import time

import pytest

from tests.lib import postgres
from tests.lib.load import Client, Threads
from .session import Session, transaction

SOON = 4  # seconds, a busy machine's too; connecting is tried for 5
SERVICES = {f"PREFECT_ORION_SERVICES_{name}_LOOP_SECONDS": "0.3" for name in (
    "SCHEDULER", "LATE_RUNS", "CANCELLATION_CLEANUP", "PAUSE_EXPIRATIONS", "FLOW_RUN_NOTIFICATIONS")}
SETTINGS = {"PREFECT_ORION_BLOCKS_REGISTER_ON_START": "false", **SERVICES}


@contextlib.contextmanager
def role(database, limit):
    """The URL of the database for a role of so many connections."""
    cluster, name = postgres.cluster(), f"role_{database}"
    for statement in (f"CREATE ROLE {name} LOGIN CONNECTION LIMIT {limit}",
                      f"GRANT CREATE ON DATABASE {database} TO {name}"):
        cluster.execute("postgres", statement)
    for statement in (f"GRANT CREATE ON SCHEMA public TO {name}", "CREATE EXTENSION pg_trgm"):
        cluster.execute(database, statement)
    yield cluster.url(database).replace("//postgres@", f"//{name}@")
    cluster.drop_database(database)
    cluster.execute("postgres", f"DROP ROLE {name}")


def counted(server):
    begun = time.monotonic()
    answer = Client(server).post("/flow_runs/count", {})
    return answer.status, time.monotonic() - begun < SOON


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_role_with_few_connections(start, database, limit):
    with role(database, limit) as url:
        server = start(url, **SETTINGS)
        assert [counted(server) for _ in range(6)] == [(200, True)] * 6
        assert Threads(12, lambda _: counted(server)).join() == [(200, True)] * 12
        client = Client(server)
        flow = client.flow()
        assert Threads(12, lambda _: client_write(server, flow)).join() == [201] * 12
        time.sleep(2)  # the services' rounds
        log = server.log()
        assert f"at most {limit} of the 8 connections" in log, log
        assert log.count("too many connections") <= 1 and "ERROR" not in log, log
        server.stop()


def client_write(server, flow):
    return Client(server).post("/flow_runs/", {"flow_id": flow["id"]}).status


def test_reads_do_not_wait_for_writes_that_wait(start, database):
    """Of two connections one is kept for reads."""
    with role(database, 2) as url:
        server = start(url, **SETTINGS)
        flow = Client(server).flow()
        begun = time.monotonic()
        while "database connections are available" not in server.log():  # it was refused one
            assert time.monotonic() < begun + 10
            Threads(8, lambda _: counted(server)).join()
        with Session(postgres.cluster(), database) as other:
            other("BEGIN")
            other("LOCK TABLE flow_run IN SHARE MODE")
            writes = Threads(4, lambda _: client_write(server, flow))
            time.sleep(0.3)
            assert [counted(server) for _ in range(4)] == [(200, True)] * 4
            other("COMMIT")
        assert writes.join() == [201] * 4
        server.stop()


def test_others_take_the_connections_for_a_while(start):
    with postgres.running(max_connections=9, superuser_reserved_connections=0, autovacuum="off",
                          max_wal_senders=0) as small:
        small.create_database("few")
        server = start(small.url("few"), **SETTINGS)
        with contextlib.ExitStack() as others:
            with contextlib.suppress(Exception):
                while True:
                    others.enter_context(Session(small, "postgres"))
            assert Threads(12, lambda _: counted(server)).join() == [(200, True)] * 12
        with Session(small, "postgres") as admin:
            deadline, connected = time.monotonic() + 30, 0
            while connected < 6:  # of what is free again it takes its part, as soon as there is work for so many
                assert time.monotonic() < deadline
                with transaction(small, "few", "LOCK TABLE flow_run IN ACCESS EXCLUSIVE MODE"):
                    waiting = Threads(24, lambda _: counted(server))
                    time.sleep(0.5)
                    connected = admin.one("SELECT count(*) FROM pg_stat_activity"
                                          " WHERE datname = 'few' AND application_name = 'orion'")
                assert {status for status, _ in waiting.join()} == {200}
        server.stop()
