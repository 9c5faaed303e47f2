"""Fixtures of the black-box tests of the API."""
import pytest

from tests.lib.api_client import Api


@pytest.fixture(scope="session")
def api(server):
    return Api(server)
