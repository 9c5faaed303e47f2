"""Options and fixtures that every suite shares: which servers to run against, and those servers, started once."""
import os
import signal

import pytest

from tests.lib import servers
from tests.lib.servers import Which

# What tests import of the reference reads the profiles of its home, which must not be that of whoever runs them.
os.environ["PREFECT_HOME"] = str(servers.ROOT / "build/home")

KINDS = ["reference", "orion"]
ENGINES = ["sqlite", "postgresql"]


def pytest_addoption(parser):
    parser.addoption("--server", choices=[*KINDS, "both"], default="both", help="the server to test (default: both)")
    parser.addoption("--database", choices=[*ENGINES, "both"],
                     help="what it keeps its rows in (default: both for ours, SQLite for the reference)")


def chosen_kinds(config):
    choice = config.getoption("--server")
    return KINDS if choice == "both" else [choice]


def chosen_engines(config):
    """For tests that compare two servers, or have ours alone."""
    choice = config.getoption("--database")
    return [choice] if choice in ENGINES else ENGINES


def chosen_servers(config):
    """Each kind of server on each engine."""
    is_left_open = config.getoption("--database") is None
    return [Which(kind, engine) for kind in chosen_kinds(config) for engine in chosen_engines(config)
            if not (is_left_open and kind == "reference" and engine == "postgresql")]


def pytest_configure(config):
    # A shell that runs the tests in the background has interrupts ignored, and programs would take that over: agents
    # and copies end by one.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_generate_tests(metafunc):
    only = metafunc.definition.get_closest_marker("only")
    if "server" in metafunc.fixturenames:
        metafunc.parametrize("server", chosen_servers(metafunc.config), ids=str, indirect=True, scope="session")
    if "which" in metafunc.fixturenames:
        metafunc.parametrize("which", chosen_servers(metafunc.config), ids=str, indirect=True, scope="session")
    if "engine" in metafunc.fixturenames:
        engines = [engine for engine in chosen_engines(metafunc.config) if not only or engine in only.args]
        metafunc.parametrize("engine", engines, indirect=True, scope="session")


# Fixtures, and not just parameters, so that pytest runs the tests of one together.

@pytest.fixture(scope="session")
def engine(request):
    """The database to use; a test that asks for it runs once with each."""
    return request.param


@pytest.fixture(scope="session")
def which(request):
    """A kind of server and an engine; a test that asks for it starts its own."""
    return request.param


@pytest.fixture(scope="session")
def server(request):
    """A running server; a test that asks for it runs once for each kind and engine."""
    with servers.running(request.param.kind, database=request.param.engine) as running:
        yield running
