"""Servers for the tests of our server as a process. These are ours only: the reference makes no such promises."""
import pytest

from tests.lib import servers
from tests.lib.load import Client
from tests.server.disk import faults, shim  # noqa: F401 (fixtures)

# On a slow machine a client may rest for more than the five seconds that are the default.
PATIENT = {"PREFECT_ORION_API_KEEPALIVE_TIMEOUT": "120"}


@pytest.fixture
def start(tmp_path, engine):
    """Starts servers of ours in one home, one after the other or at once; what is left of them ends with the test."""
    started = []

    def start_one(**options):
        server = servers.Server("orion", home=tmp_path, database=engine, **{**PATIENT, **options})
        started.append(server)
        return server.wait()

    yield start_one
    for server in started:
        server.stop()
    servers.Store.of_home(engine, tmp_path).drop()


@pytest.fixture(scope="module")
def orion(engine):
    """One server for the tests of a file that leave it as they found it."""
    with servers.running("orion", database=engine, **PATIENT) as server:
        yield server


@pytest.fixture
def client(orion):
    return Client(orion)
