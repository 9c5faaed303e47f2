"""Fixtures of the tests of the services: a server of each kind whose services run often, and what receives its
notifications."""
import pytest

from tests.lib import servers
from tests.lib.api_client import Api
from tests.lib.receiver import Receiver

OFTEN = {
    "PREFECT_ORION_SERVICES_LATE_RUNS_ENABLED": "true",
    "PREFECT_ORION_SERVICES_LATE_RUNS_LOOP_SECONDS": "0.5",
    "PREFECT_ORION_SERVICES_PAUSE_EXPIRATIONS_ENABLED": "true",
    "PREFECT_ORION_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS": "0.5",
    "PREFECT_ORION_SERVICES_CANCELLATION_CLEANUP_ENABLED": "true",
    "PREFECT_ORION_SERVICES_CANCELLATION_CLEANUP_LOOP_SECONDS": "0.5",
    "PREFECT_ORION_SERVICES_FLOW_RUN_NOTIFICATIONS_ENABLED": "true",
    "PREFECT_UI_URL": "http://ui.example",
}


@pytest.fixture(scope="session")
def receiver(tmp_path_factory):
    with Receiver(tmp_path_factory.mktemp("receiver")) as running:
        yield running


@pytest.fixture(scope="session")
def server(request, receiver):
    kind, engine = request.param
    with servers.running(kind, database=engine, **OFTEN, **receiver.environment) as running:
        yield running


@pytest.fixture(scope="session")
def api(server):
    return Api(server)
