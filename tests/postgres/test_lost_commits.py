"""A COMMIT whose answer is lost: whoever asked is told in time that the outcome is not known, be it a client, a
service's log or the user of a command; no thread stays stuck, and asking again does nothing twice."""
import json
import os
import subprocess
import time
import uuid

import pytest

from tests.lib import postgres, servers
from tests.lib.load import Client, Threads
from .proxy import Proxy
from .session import SESSIONS, Session

FULL = os.environ.get("ORION_TEST_FULL") == "1"
TIMEOUT = 2  # seconds; PREFECT_ORION_DATABASE_TIMEOUT
MARGIN = 4  # for a machine that is busy
CONNECTIONS = 4
UNSURE = "while a write was being committed: it may be stored or not"
SETTINGS = {"PREFECT_ORION_DATABASE_TIMEOUT": str(TIMEOUT), "PREFECT_ORION_DATABASE_CONNECTION_TIMEOUT": "2",
            "ORION_DATABASE_CONNECTIONS": str(CONNECTIONS), "PREFECT_ORION_BLOCKS_REGISTER_ON_START": "false"}
ENDS = ["answer"] + FULL * ["within", "request"]


@pytest.fixture
def network():
    with Proxy(postgres.cluster().port) as proxy:
        yield proxy


@pytest.fixture
def url(database, network):
    """The database behind the network."""
    cluster = postgres.cluster()
    return cluster.url(database).replace(f":{cluster.port}/", f":{network.port}/")


class Command:
    """orion with these words, on the database behind the network unless another is named."""

    def __init__(self, home, url):
        self.environment = servers.server_environment(home, PREFECT_ORION_DATABASE_CONNECTION_URL=url)

    def __call__(self, *words, **settings):
        done = subprocess.run([str(servers.ORION_BIN), *map(str, words)], env={**self.environment, **settings},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=120)
        return done.returncode, done.stdout


@pytest.fixture
def orion(tmp_path, url):
    return Command(tmp_path, url)


def test_answers_that_are_swallowed(start, database, network, url):
    """The connection stays open, and nothing comes."""
    server = start(url, **SETTINGS)
    flow = Client(server).flow()
    network.cut = "swallow"
    for number in range(5 if FULL else 1):
        begun = time.monotonic()
        answers = Threads(2 * CONNECTIONS, lambda one: Client(server).post(
            "/flow_runs/", {"flow_id": flow["id"], "name": f"{number}-{one}"})).join()
        assert time.monotonic() - begun < TIMEOUT + MARGIN
        assert {answer.status for answer in answers} == {503}
        told = [answer.value["exception_message"] for answer in answers]
        # those that found all connections taken until their time was over did not come as far as a commit
        unsure = [text for text in told if f"{UNSURE} (it did not answer in time)" in text]
        assert unsure and all("too busy" in text or "cannot be reached" in text for text in told if text not in unsure)
    network.cut = None
    client = Client(server)
    assert {client.get(f"/flows/{flow['id']}").status for _ in range(20)} == {200}
    assert Threads(20, lambda one: Client(server).flow_run(flow)["flow_id"]).join() == [flow["id"]] * 20
    with Session(postgres.cluster(), database) as look:
        assert look.one("SELECT count(*) FROM flow_run WHERE name LIKE '0-%'") > 0  # they were stored
        assert look.one(SESSIONS + " AND state <> 'idle'") == 0
    network.cut = "swallow"
    waiting = Threads(CONNECTIONS, lambda _: Client(server).post("/flow_runs/", {"flow_id": flow["id"]}).status)
    time.sleep(0.3)
    begun = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begun < TIMEOUT + MARGIN
    assert waiting.join() == [503] * CONNECTIONS


@pytest.mark.parametrize("cut", ENDS)
def test_the_scheduler_plans_nothing_twice(start, database, network, url, cut):
    server = start(url, **SETTINGS, PREFECT_ORION_SERVICES_SCHEDULER_ENABLED="true",
                   PREFECT_ORION_SERVICES_SCHEDULER_LOOP_SECONDS="0.3")
    client = Client(server)
    made = client.post("/deployments/", {"name": uuid.uuid4().hex, "flow_id": client.flow()["id"],
                                         "schedule": {"interval": 3600}, "is_schedule_active": False})
    assert made.status in (200, 201), made
    network.cut = cut
    with Session(postgres.cluster(), database) as other:
        other("UPDATE deployment SET is_schedule_active = true")
        deadline = time.monotonic() + 60
        while UNSURE not in server.log():
            assert time.monotonic() < deadline, server.log()
            time.sleep(0.05)
        network.cut = None
        while other.one("SELECT count(*) FROM flow_run") < 3 or server.log().count(UNSURE) < 1:
            assert time.monotonic() < deadline, server.log()
            time.sleep(0.05)
        time.sleep(1)  # for some rounds more
        assert other("SELECT expected_start_time, count(*) FROM flow_run GROUP BY 1 HAVING count(*) > 1") == []
    assert server.stop() == 0


@pytest.mark.parametrize("cut", ENDS)
def test_the_start_and_the_commands_of_the_schema(start, network, url, orion, cut):
    network.cut = cut
    server = start(url, wait=False, **SETTINGS)
    assert server.process.wait(60) not in (0, None) and UNSURE in server.log()
    for words in [("reset", "-y")] + FULL * [("upgrade", "-y"), ("stamp", "head"), ("downgrade", "-y")]:
        network.cut = None
        assert orion("database", "upgrade", "-y")[0] == 0
        network.cut = cut
        status, said = orion("database", *words)
        assert status == 1 and UNSURE in said and "succeeded" not in said and "reset!" not in said, said
    network.cut = None
    assert orion("database", "reset", "-y")[0] == 0


@pytest.mark.parametrize("cut", ENDS)
def test_the_registration_of_block_types(start, network, url, orion, tmp_path, cut):
    assert orion("database", "upgrade", "-y")[0] == 0
    network.cut = cut
    server = start(url, wait=False, **{**SETTINGS, "PREFECT_ORION_BLOCKS_REGISTER_ON_START": "true",
                                       "PREFECT_ORION_DATABASE_MIGRATE_ON_START": "false"})
    deadline = time.monotonic() + 60
    while "Block types could not be registered: " not in server.log():
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.05)
    network.cut = None
    assert UNSURE in server.log() and Client(server.wait()).flow()["id"]
    types = tmp_path / "types.json"
    types.write_text(json.dumps({"collections": {"some": {"block_types": {"one": {"name": "One", "slug": "one"}}}}}))
    network.cut = cut
    status, said = orion("block", "import", types)
    assert status == 1 and UNSURE in said and "mported" not in said, said
    network.cut = None
    status, said = orion("block", "import", types)
    assert status == 0 and f"one: {'registered' if cut == 'request' else 'updated'}" in said, said


@pytest.mark.parametrize("cut", ENDS)
def test_a_copy(orion, database, network, url, tmp_path, cut):
    source = f"sqlite+aiosqlite:///{tmp_path}/source.db"
    assert orion("database", "upgrade", "-y", PREFECT_ORION_DATABASE_CONNECTION_URL=source)[0] == 0
    network.cut = cut
    status, said = orion("database", "copy", "--from", source, "--to", url)
    assert status == 1 and UNSURE in said and "Nothing was stored" not in said and "Copied" not in said, said
    network.cut = None
    with Session(postgres.cluster(), database) as look:
        assert bool(look.one("SELECT to_regclass('flow_run')::text")) == (cut != "request")
    assert orion("database", "copy", "--from", source, "--to", url)[0] == 0


@pytest.mark.parametrize("given", [True] + FULL * [False])
@pytest.mark.parametrize("cut", ENDS)
def test_the_rotation_of_the_key(orion, network, cut, given):
    settings = {"ORION_ENCRYPTION_KEY": "mTzeuJ9Hvd2A7rTUsDm-PXoDS-P-6VOiEhzFbmYKbHM="} if given else {}
    assert orion("database", "upgrade", "-y")[0] == 0
    network.cut = cut
    status, said = orion("key", "rotate-encryption", "-y", **settings)
    assert status == 1 and UNSURE in said and "Nothing was changed" not in said and "Encrypted" not in said, said
    assert ("Keep both keys: it is not known which of them is in use." in said) == given
    network.cut = None
