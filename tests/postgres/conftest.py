"""Servers of ours on databases of throw-away clusters."""
import uuid

import pytest

from tests.lib import postgres, servers


@pytest.fixture
def database():
    """The name of an empty database of the common cluster."""
    name = f"test_{uuid.uuid4().hex[:8]}"
    postgres.cluster().create_database(name)
    yield name
    postgres.cluster().drop_database(name)


@pytest.fixture
def start(tmp_path):
    """start(url, **settings): a server with a home of its own, ready; what is left of them ends with the test."""
    started = []

    def start_one(url, wait=True, **settings):
        home = tmp_path / f"server-{len(started)}"
        home.mkdir()
        server = servers.Server("orion", home=home, PREFECT_ORION_DATABASE_CONNECTION_URL=url, **settings)
        started.append(server)
        return server.wait() if wait else server

    yield start_one
    for server in started:
        server.stop()
