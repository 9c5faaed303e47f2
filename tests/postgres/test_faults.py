"""What can happen to the database under load: requests get a clear 503 in time, nothing that was acknowledged is lost,
nothing that was refused is stored, and the server goes on by itself."""
import contextlib
import os
import re
import subprocess
import tempfile
import time
import uuid

import pytest

from tests.lib import postgres
from tests.lib.load import Client, Threads, Wire, memory, request
from .invariants import problems
from .proxy import Proxy
from .session import SESSIONS, Session
from .writers import Writers

FULL = os.environ.get("ORION_TEST_FULL") == "1"
PASSWORD = "pass-wOrd!"
TIMEOUT = 3  # seconds; PREFECT_ORION_DATABASE_TIMEOUT
CONNECTION_TIMEOUT = 2
MARGIN = 2  # for a machine that is busy
RECOVERY = 4
CALM = 0.7
CONNECTIONS = 4
CLEAR = re.compile(r"^The (database|query|connection to the database|write) .{10,}")
UNSURE = "while a write was being committed: it may be stored or not"
SETTINGS = {"PREFECT_ORION_DATABASE_TIMEOUT": str(TIMEOUT),
            "PREFECT_ORION_DATABASE_CONNECTION_TIMEOUT": str(CONNECTION_TIMEOUT),
            "ORION_DATABASE_CONNECTIONS": str(CONNECTIONS), "PREFECT_ORION_BLOCKS_REGISTER_ON_START": "false"}


@pytest.fixture(scope="module")
def cluster():
    with postgres.running(password=PASSWORD) as own:
        yield own


@pytest.fixture
def database(cluster):
    name = f"faults_{uuid.uuid4().hex[:8]}"
    cluster.create_database(name)
    yield name
    cluster.drop_database(name)


@pytest.fixture
def orion(start, cluster, database):
    return start(cluster.url(database), **SETTINGS)


@pytest.fixture
def network(cluster):
    with Proxy(cluster.port) as proxy:
        yield proxy


@pytest.fixture
def far(start, cluster, database, network):
    """A server whose database is behind the proxy."""
    return start(through(network, cluster, database), **SETTINGS)


def through(network, cluster, database):
    return cluster.url(database).replace(f":{cluster.port}/", f":{network.port}/")


def wait_served(writers, since, count=20):
    """Until so many requests that began after then went well."""
    deadline = time.monotonic() + 20
    while writers.served(since) < count:
        assert time.monotonic() < deadline, writers.failed()[-1:] or "nothing is served"
        assert not writers.threads.failures, writers.threads.failures[0]
        time.sleep(0.02)


def wait_calm(writers, ended, longest):
    """Until nothing fails any more of what begins now, soon after the fault ended."""
    while True:
        since = time.monotonic()
        time.sleep(CALM)
        if not writers.failed(since) and writers.served(since) > 10:
            return
        assert since < ended + longest, writers.failed(since)[-1:] or "nothing is served"


def assert_clear(text):
    assert CLEAR.match(text), text
    assert PASSWORD not in text and "pass-w" not in text, text


class Fault:
    """Load from before a fault until it is over, and what must hold then: `with fault(…) as writers:` does the
    fault."""

    def __init__(self, server, cluster, database):
        self.server, self.cluster, self.database = server, cluster, database

    @contextlib.contextmanager
    def __call__(self, recovery=RECOVERY):
        began = time.monotonic()
        with Writers(self.server) as writers:
            wait_served(writers, began)
            yield writers
            wait_calm(writers, time.monotonic(), recovery)
        self.assert_all_well(writers)

    def assert_all_well(self, writers):
        assert {one.status for one in writers.told} <= {200, 201, 503}
        for one in writers.failed():
            assert_clear(one.text)
        assert max(one.took for one in writers.told) < TIMEOUT + MARGIN
        with Session(self.cluster, self.database) as look:
            assert writers.misplaced(look) == (set(), set())
            assert problems(look) == []
            assert look.one(SESSIONS) <= CONNECTIONS
        assert PASSWORD not in self.server.log()


@pytest.fixture
def fault(request, cluster, database):
    server = request.getfixturevalue("far" if "far" in request.fixturenames else "orion")
    return Fault(server, cluster, database)


# ---- the server of the database ends ----

@pytest.mark.parametrize("mode", ["fast", "immediate", "kill"])
def test_restart(fault, cluster, mode):
    with fault() as writers:
        stopped = time.monotonic()
        cluster.kill() if mode == "kill" else cluster.stop(mode)
        time.sleep(0.5 if mode == "fast" else CONNECTION_TIMEOUT + 1)
        cluster.start()
    assert mode == "fast" or any("cannot be reached" in one.text for one in writers.failed(stopped - TIMEOUT))


def test_every_connection_is_ended_again_and_again(fault, orion, cluster, database):
    before = memory(orion)
    with fault() as writers:
        with Session(cluster, "postgres") as admin:
            for _ in range(100 if FULL else 15):
                assert admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
                             database) is not None
                time.sleep(0.2)
    # What was not under way to be committed is done again, and nobody notices.
    assert {one.text for one in writers.failed() if UNSURE not in one.text} == set()
    assert len(writers.failed()) < len(writers.told) / 10
    assert memory(orion) < before + 16


# ---- it takes no writes ----

def assert_reads_go_on(server, flow):
    client = Client(server)
    assert client.get(f"/flows/{flow['id']}").status == 200
    assert client.post("/flow_runs/filter", {"limit": 1}).status == 200
    answer = client.post("/flow_runs/", {"flow_id": flow["id"]})
    assert answer == (503, {"exception_message": "The database accepts no writes: it is read-only"})


def test_the_whole_cluster_is_read_only_for_a_while(fault, orion, cluster):
    with fault() as writers:
        cluster.execute("postgres", "ALTER SYSTEM SET default_transaction_read_only = on")
        cluster.execute("postgres", "SELECT pg_reload_conf()")
        time.sleep(1)
        assert_reads_go_on(orion, writers.flow)
        with Session(cluster, "postgres") as admin:
            admin("SET default_transaction_read_only = off")
            admin("ALTER SYSTEM RESET default_transaction_read_only")
            admin("SELECT pg_reload_conf()")
    assert writers.failed()


def test_a_database_that_was_read_only_when_connections_were_made(fault, orion, cluster, database):
    """Its setting is taken at the beginning of a session: those that began meanwhile must not go on with it."""
    with fault() as writers:
        cluster.execute("postgres", f"ALTER DATABASE {database} SET default_transaction_read_only = on")
        cluster.disconnect_all(database)
        time.sleep(1)
        assert_reads_go_on(orion, writers.flow)
        cluster.execute("postgres", f"ALTER DATABASE {database} RESET default_transaction_read_only")
    assert writers.failed()


@contextlib.contextmanager
def small_disk(megabytes):
    """A file system of that size as a tablespace's folder."""
    folder = tempfile.mkdtemp(prefix="orion-small-")
    mounted = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], capture_output=True).returncode == 0
    try:
        if not mounted:
            pytest.skip("a small file system cannot be mounted here: that takes root, and a container that may")
        subprocess.run(["install", "-d", "-o", "postgres", "-g", "postgres", f"{folder}/space"], check=True)
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", "-l", folder], check=True)
        os.rmdir(folder)


def fill(path):
    """Until not a byte more goes onto its disk."""
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_the_disk_is_full(start, cluster):
    name = f"full_{uuid.uuid4().hex[:8]}"
    with small_disk(32) as folder:
        cluster.execute("postgres", f"CREATE TABLESPACE {name} LOCATION '{folder}/space'")
        try:
            cluster.execute("postgres", f"CREATE DATABASE {name} TABLESPACE {name}")
            server = start(cluster.url(name), **SETTINGS)
            with Fault(server, cluster, name)() as writers:
                fill(f"{folder}/filler")
                full = time.monotonic()
                while not any("its disk is full" in one.text for one in writers.failed(full)):
                    assert time.monotonic() < full + 20
                    time.sleep(0.05)
                time.sleep(0.5)
                assert Client(server).get(f"/flows/{writers.flow['id']}").status == 200
                os.remove(f"{folder}/filler")
            assert {one.text for one in writers.failed()} == {"The database accepts no writes: its disk is full"}
            server.stop()
        finally:
            cluster.drop_database(name)
            cluster.execute("postgres", f"DROP TABLESPACE IF EXISTS {name}")


def test_there_is_no_room_for_the_log_of_writes(start):
    """PostgreSQL itself stops then, and cannot start before there is."""
    with small_disk(200) as folder:
        os.chmod(folder, 0o755)
        with postgres.running(password=PASSWORD, parent=folder, wal_recycle="off", min_wal_size="32MB",
                              max_wal_size="32MB") as small:
            small.create_database("few")
            server = start(small.url("few"), **SETTINGS)
            with Fault(server, small, "few")() as writers:
                fill(f"{folder}/filler")
                with contextlib.suppress(Exception), Session(small, "postgres") as admin:
                    for _ in range(50):
                        admin("SELECT pg_switch_wal()")
                        time.sleep(0.1)
                full = time.monotonic()
                while not writers.failed(full - TIMEOUT):
                    assert time.monotonic() < full + 20
                    time.sleep(0.05)
                time.sleep(CONNECTION_TIMEOUT + 0.5)
                os.remove(f"{folder}/filler")
                with contextlib.suppress(RuntimeError):  # it may have come back by itself
                    small.start()
            assert writers.failed() and "database system is shut down" in small.log()
            server.stop()


def test_no_connection_is_left(start):
    with postgres.running(password=PASSWORD, max_connections=6, superuser_reserved_connections=0, autovacuum="off",
                          max_wal_senders=0) as small:
        small.create_database("few")
        server = start(small.url("few"), **SETTINGS)
        with Session(small, "postgres") as admin, contextlib.ExitStack() as others:
            with Fault(server, small, "few")() as writers:
                admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'few'")
                taken = 0
                with contextlib.suppress(Exception):
                    while taken < 6:
                        others.enter_context(Session(small, "postgres"))
                        taken += 1
                assert taken > 0
                time.sleep(CONNECTION_TIMEOUT + 0.5)
                others.close()
            assert all("too many clients" in one.text or UNSURE in one.text for one in writers.failed()), \
                writers.failed()[0]
        server.stop()


# ---- the network ----

def test_a_network_that_hangs(fault, far, network):
    before = memory(far)
    with fault() as writers:
        hung = time.monotonic()
        with network.hanging():
            time.sleep(2 * TIMEOUT)
        assert any("did not answer in time" in one.text for one in writers.failed(hung))
    assert memory(far) < before + 16


def test_a_network_that_hangs_at_the_end_of_a_read(start, cluster, database, network):
    """Whose answer is out already: the next request must not pay for it."""
    server = start(through(network, cluster, database), **{**SETTINGS, "ORION_DATABASE_CONNECTIONS": "1"})
    client = Client(server)
    flow = client.flow()
    network.cut = "hang"
    assert client.get(f"/flows/{flow['id']}").status == 200
    begun = time.monotonic()
    answers = Threads(3, lambda _: Client(server).get(f"/flows/{flow['id']}")).join()
    assert time.monotonic() - begun < TIMEOUT + MARGIN
    assert {answer.status for answer in answers} == {503}
    network.cut = None
    network.flowing.set()
    assert client.get(f"/flows/{flow['id']}").status == 200


def test_a_network_that_hangs_under_many_requests(far, network):
    client = Client(far)
    flow = client.flow()
    with network.hanging():
        begun = time.monotonic()
        answers = Threads(100, lambda _: Client(far).post("/flow_runs/", {"flow_id": flow["id"]})).join()
        assert time.monotonic() - begun < TIMEOUT + MARGIN
    assert {answer.status for answer in answers} == {503}
    for answer in answers:
        assert_clear(answer.value["exception_message"])
    begun = time.monotonic()
    while client.post("/flow_runs/", {"flow_id": flow["id"]}).status != 201:
        assert time.monotonic() < begun + RECOVERY


def test_a_server_that_takes_connections_and_says_nothing(fault, far, network):
    with fault() as writers:
        network.is_mute = True
        network.drop()
        time.sleep(CONNECTION_TIMEOUT + 1)
        network.is_mute = False
    assert any("did not answer in time" in one.text for one in writers.failed())


def test_reads_whose_clients_left_while_the_database_was_away(start, cluster, database, network):
    """They give up their threads, and do not go on trying to connect."""
    patience = 90
    server = start(through(network, cluster, database),
                   **{**SETTINGS, "PREFECT_ORION_DATABASE_TIMEOUT": str(patience),
                      "PREFECT_ORION_DATABASE_CONNECTION_TIMEOUT": str(patience)})
    client = Client(server, timeout=patience)
    assert client.post("/flows/count", {}).status == 200
    network.is_mute = True
    network.drop()
    for _ in range(3 * CONNECTIONS):
        with Wire(server) as impatient:
            impatient.send(request("POST", "/flows/count", {}))
            time.sleep(0.2)
    network.is_mute = False
    begun = time.monotonic()
    assert client.post("/flows/count", {}).status == 200
    assert time.monotonic() - begun < patience / 3
    assert "did not answer in time" not in server.log()


def test_every_connection_breaks_again_and_again(fault, far, network):
    with fault() as writers:
        for _ in range(100 if FULL else 12):
            network.drop()
            time.sleep(0.3)
    assert {one.text for one in writers.failed() if UNSURE not in one.text} == set()


@pytest.mark.parametrize("where, is_stored", [("request", False), ("answer", True), ("within", True)])
def test_a_connection_that_breaks_around_a_commit(far, network, cluster, database, where, is_stored):
    client = Client(far)
    run = client.flow_run(client.flow())
    network.cut = where
    answers = [client.set_state("flow_runs", run, "RUNNING"), client.post("/flows/", {"name": "unsure"})]
    network.cut = None
    for answer in answers:
        assert answer.status == 503 and UNSURE in answer.value["exception_message"], answer
        assert_clear(answer.value["exception_message"])
    found = client.get(f"/flow_runs/{run['id']}").value
    assert (found["state_type"], found["run_count"]) == (("RUNNING", 1) if is_stored else ("PENDING", 0))
    assert client.get("/flows/name/unsure").status == (200 if is_stored else 404)
    # The client asks again, and gets what it would have got.
    again = client.set_state("flow_runs", run, "RUNNING").value["status"]
    assert again == ("ABORT" if is_stored else "ACCEPT")
    assert client.post("/flows/", {"name": "unsure"}).status == (200 if is_stored else 201)
    with Session(cluster, database) as look:
        assert problems(look) == []
        assert look.one("SELECT count(*) FROM flow_run_state WHERE type = 'RUNNING'") == 1


def test_the_end_of_a_server_whose_database_hangs(far, network):
    client = Client(far)
    flow = client.flow()
    with network.hanging():
        waiting = Threads(8, lambda _: Client(far).post("/flow_runs/", {"flow_id": flow["id"]}).status)
        time.sleep(0.3)
        begun = time.monotonic()
        assert far.stop() == 0
        assert time.monotonic() - begun < TIMEOUT + MARGIN
    assert waiting.join() == [503] * 8


# ---- the start ----

def refused_start(server, longest):
    begun = time.monotonic()
    status = server.process.wait(30)
    assert status not in (0, None) and time.monotonic() - begun < longest
    told = server.log()
    assert "The database cannot be reached" in told, told
    assert "Traceback" not in told and PASSWORD not in told and len(told.strip().splitlines()) <= 3, told
    return told


def test_nobody_listens_at_the_start_and_then_somebody_does(start, cluster, database, network):
    url = through(network, cluster, database)
    gone = cluster.url(database).replace(f":{cluster.port}/", f":{postgres.free_port()}/")
    assert "refused" in refused_start(start(gone, wait=False, **SETTINGS), CONNECTION_TIMEOUT + MARGIN)
    network.is_mute = True
    assert "did not answer in time" in refused_start(start(url, wait=False, **SETTINGS), CONNECTION_TIMEOUT + MARGIN)
    network.is_mute = False
    assert Client(start(url, **SETTINGS)).flow()["id"]


def test_a_wrong_password_and_a_database_that_is_not_there(start, cluster, database):
    wrong = cluster.url(database).replace(PASSWORD, "another")
    told = refused_start(start(wrong, wait=False, **SETTINGS), CONNECTION_TIMEOUT + MARGIN)
    assert "password authentication failed" in told and "another" not in told
    assert "does not exist" in refused_start(start(cluster.url("nowhere"), wait=False, **SETTINGS),
                                             CONNECTION_TIMEOUT + MARGIN)
