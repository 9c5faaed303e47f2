"""Options and fixtures that every suite shares: which servers to run against, and those servers, started once."""
import pytest

import servers

KINDS = ["reference", "orion"]


def pytest_addoption(parser):
    parser.addoption("--server", choices=[*KINDS, "both"], default="both", help="the server to test (default: both)")


def chosen_kinds(config):
    choice = config.getoption("--server")
    return KINDS if choice == "both" else [choice]


def pytest_generate_tests(metafunc):
    if "server" in metafunc.fixturenames:
        metafunc.parametrize("server", chosen_kinds(metafunc.config), indirect=True, scope="session")


@pytest.fixture(scope="session")
def server(request):
    """A running server; a test that asks for it runs once for each kind."""
    with servers.running(request.param) as running:
        yield running
