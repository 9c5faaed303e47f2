"""Servers of ours on databases of throw-away clusters, and what the suite takes from those of the server and the services."""
import sys
import uuid
from pathlib import Path

import pytest

for suite in ("server", "services"):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / suite))

import postgres  # noqa: E402
import servers  # noqa: E402


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
