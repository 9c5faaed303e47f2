"""Names of the database's host that hang or are not known, names with several addresses, and several hosts: a server
waits no longer than it may, and finds the one that answers."""
import os
import re
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.lib import postgres
from tests.lib.load import Client, Threads

FULL = os.environ.get("ORION_TEST_FULL") == "1"
TIMEOUT = 2  # seconds; PREFECT_ORION_DATABASE_TIMEOUT
CONNECTION_TIMEOUT = 1
MARGIN = 4  # for a machine that is busy
LOOKUPS = 8  # threads that may hang in a look-up
SETTINGS = {"PREFECT_ORION_DATABASE_TIMEOUT": str(TIMEOUT),
            "PREFECT_ORION_DATABASE_CONNECTION_TIMEOUT": str(CONNECTION_TIMEOUT),
            "ORION_DATABASE_CONNECTIONS": "3", "PREFECT_ORION_BLOCKS_REGISTER_ON_START": "false"}
# Where a part of the time must do.
PATIENT = {**SETTINGS, "PREFECT_ORION_DATABASE_TIMEOUT": "10", "PREFECT_ORION_DATABASE_CONNECTION_TIMEOUT": "2",
           "ORION_DATABASE_CONNECTIONS": "1"}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    built = tmp_path_factory.mktemp("names") / "names.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", built, Path(__file__).with_name("names.c"), "-ldl"], check=True)
    return built


class Names:
    """What getaddrinfo says to the servers with these settings: set(name="addresses", or "hang", or "fail")."""

    def __init__(self, library, folder):
        self.file = folder / "names"
        self.file.write_text("")
        preloaded = {"LD_PRELOAD": str(library), "NAMES": str(self.file)}
        self.settings, self.patient = {**SETTINGS, **preloaded}, {**PATIENT, **preloaded}

    def set(self, line):
        new = self.file.with_suffix(".new")
        new.write_text(f"db.example {line}\n")
        new.rename(self.file)


@pytest.fixture
def names(library, tmp_path):
    return Names(library, tmp_path)


@pytest.fixture
def mute():
    """An address with the cluster's port where connections are taken and nobody says anything."""
    with socket.create_server(("127.0.0.2", postgres.cluster().port), backlog=128):
        yield "127.0.0.2"


def named(database, host="db.example"):
    return postgres.cluster().url(database).replace("@127.0.0.1:", f"@{host}:")


def refusal(server):
    """What a server says that does not start, in the time that it has."""
    begun = time.monotonic()
    assert server.process.wait(60) not in (0, None)
    assert time.monotonic() - begun < CONNECTION_TIMEOUT + MARGIN
    told = server.log()
    assert "The database cannot be reached: " in told and len(told.strip().splitlines()) <= 3, told
    return told


def threads_of(server):
    return int(re.search(r"^Threads:\s+(\d+)", Path(f"/proc/{server.process.pid}/status").read_text(), re.M).group(1))


def wait_until(met, longest=60):
    deadline = time.monotonic() + longest
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_start_with_a_name_that_hangs_or_is_not_known(start, database, names):
    names.set("hang")
    told = refusal(start(named(database), wait=False, **names.settings))
    assert 'looking up the address of "db.example" took too long: the name servers do not answer' in told
    names.set("fail")
    told = refusal(start(named(database), wait=False, **names.settings))
    assert 'the address of "db.example" was not found: Name or service not known' in told


def test_a_name_that_hangs_while_a_server_runs(start, database, names):
    names.set("127.0.0.1")
    server = start(named(database), **names.settings)
    flow = Client(server).flow()
    before = threads_of(server)
    names.set("hang")
    for _ in range(5 if FULL else 1):
        postgres.cluster().disconnect_all(database)
        begun = time.monotonic()
        answers = Threads(20, lambda _: Client(server).get(f"/flows/{flow['id']}")).join()
        assert time.monotonic() - begun < TIMEOUT + MARGIN
        assert {answer.status for answer in answers} == {503}
        # what waited for a connection until its own time was over says so; the others say why there was none
        assert any(re.search("took too long: the name servers do not answer|other look-ups have not ended",
                             answer.value["exception_message"]) for answer in answers), answers[0]
    assert before < threads_of(server) <= before + LOOKUPS
    names.set("127.0.0.1")
    wait_until(lambda: Client(server).get(f"/flows/{flow['id']}").status == 200)
    wait_until(lambda: threads_of(server) == before)
    client = Client(server)
    assert {client.get(f"/flows/{flow['id']}").status for _ in range(20)} == {200}


def test_the_end_of_a_server_while_a_name_hangs(start, database, names):
    names.set("127.0.0.1")
    server = start(named(database), **names.settings)
    flow = Client(server).flow()
    names.set("hang")
    postgres.cluster().disconnect_all(database)
    waiting = Threads(4, lambda _: Client(server).get(f"/flows/{flow['id']}").status)
    time.sleep(0.3)
    begun = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begun < TIMEOUT + MARGIN
    assert waiting.join() == [503] * 4


def test_every_address_of_a_name_is_tried(start, database, names, mute):
    """Also after one where nobody listens, and one that says nothing."""
    names.set(f"::1 {mute} 127.0.0.1")
    server = start(named(database), **names.patient)
    assert Client(server).flow()["id"]
    assert server.stop() == 0
    names.set(f"::1 {mute}")
    told = refusal(start(named(database), wait=False, **names.settings))
    port = postgres.cluster().port
    assert f'connection to server at "::1", port {port} failed: ' in told, told
    assert f'; the server at "db.example" ({mute}), port {port} did not answer in time' in told


HOSTS = ["{mute}:{port},127.0.0.1:{port}"] + FULL * [
    "?host={mute}:{port}&host=127.0.0.1:{port}",
    "?host=db.example&host=127.0.0.1&port={port}",
    "?host={mute},127.0.0.1&port={port}",
]


@pytest.mark.parametrize("url", HOSTS)
def test_several_hosts_of_which_the_first_hangs(start, database, names, mute, url):
    names.set("hang")
    port = postgres.cluster().port
    first, _, rest = url.format(mute=mute, port=port).partition("?")
    server = start(f"postgresql+asyncpg://postgres@{first}/{database}?{rest}", **names.patient)
    flow = Client(server).flow()
    postgres.cluster().disconnect_all(database)
    assert {Client(server).get(f"/flows/{flow['id']}").status for _ in range(5)} == {200}


def test_several_hosts_that_all_hang(start, database, names, mute):
    names.set("hang")
    port = postgres.cluster().port
    url = f"postgresql://postgres@/{database}?host=db.example&host={mute}&host={mute}&port={port}"
    told = refusal(start(url, wait=False, **names.settings))
    assert "the name servers do not answer; the server at" in told and told.count("did not answer in time") == 2


def test_hosts_from_elsewhere(start, database, names, mute, tmp_path):
    """As libpq takes them where the URL names none."""
    hosts, port = f"db.example,{mute},127.0.0.1", postgres.cluster().port
    file = tmp_path / "services"
    file.write_text(f"[ours]\nhost={hosts}\nport={port}\n")
    names.set("hang")
    ways = [("", {"PGHOST": hosts, "PGPORT": str(port)})] + FULL * [("?service=ours", {"PGSERVICEFILE": str(file)})]
    for parameters, settings in ways:
        server = start(f"postgresql://postgres@/{database}{parameters}", **settings, **names.patient)
        assert Client(server).flow()["id"]
