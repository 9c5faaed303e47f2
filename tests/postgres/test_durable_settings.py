"""Settings of PostgreSQL under which an answered write may be lost: the start of a server says which, and what mends
it."""
import os
import re
import uuid

import pytest

from tests.lib import postgres
from tests.lib.load import Client

FULL = os.environ.get("ORION_TEST_FULL") == "1"
SETTINGS = {"PREFECT_ORION_BLOCKS_REGISTER_ON_START": "false"}
ROLE = "ALTER ROLE postgres IN DATABASE {database} SET synchronous_commit = {value}"
OF_ROLE = r"ALTER ROLE postgres IN DATABASE \S+ SET synchronous_commit = on"
OPTIONS = "take it out of the options in PREFECT_ORION_DATABASE_CONNECTION_URL or PGOPTIONS"
LOST = "writes are answered before they are on the disk"


@pytest.fixture(scope="module")
def cluster():
    with postgres.running() as own:
        yield own


@pytest.fixture
def database(cluster):
    name = f"settings_{uuid.uuid4().hex[:8]}"
    cluster.create_database(name)
    yield name
    cluster.execute("postgres", "ALTER SYSTEM RESET ALL")
    cluster.execute("postgres", "SELECT pg_reload_conf()")
    cluster.execute("postgres", f"ALTER ROLE postgres IN DATABASE {name} RESET ALL")
    cluster.execute("postgres", "ALTER ROLE postgres RESET ALL")


def warnings(start, url, **settings):
    """What a server warns of that serves all the same."""
    server = start(url, **SETTINGS, **settings)
    assert Client(server).flow()["id"]
    assert server.stop() == 0
    return [line for line in server.log().splitlines() if "The database's setting" in line]


def run(cluster, database, *statements):
    for statement in statements:
        cluster.execute(database, statement.format(database=database))


def test_what_a_power_cut_may_damage(start, cluster, database):
    run(cluster, database, "ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off",
        "SELECT pg_reload_conf()")
    said = warnings(start, cluster.url(database))
    assert len(said) == 2 and "fsync is off: " in said[0] and "full_page_writes is off: " in said[1], said
    for line in said:
        run(cluster, database, *re.search(r"To change it: (.*); (.*)$", line).groups())
    assert warnings(start, cluster.url(database)) == []


@pytest.mark.parametrize("scope", ["ROLE postgres IN DATABASE {database}"] + FULL * ["ROLE postgres",
                                                                                   "DATABASE {database}", "SYSTEM"])
def test_commits_that_do_not_wait_for_the_disk(start, cluster, database, scope):
    run(cluster, database, f"ALTER {scope} SET synchronous_commit = off", "SELECT pg_reload_conf()")
    [line] = warnings(start, cluster.url(database))
    assert f"synchronous_commit is off: {LOST}" in line and re.search(f"To change it: {OF_ROLE}$", line), line
    run(cluster, database, re.search(OF_ROLE, line).group(0))
    assert warnings(start, cluster.url(database)) == []


def test_commits_that_the_url_or_the_environment_keeps_from_waiting(start, cluster, database):
    options = "-c synchronous_commit=off"
    in_url = cluster.url(database) + f"?options={options.replace(' ', '%20')}"
    for url, settings in [(in_url, {})] + FULL * [(cluster.url(database), {"PGOPTIONS": options})]:
        [line] = warnings(start, url, **settings)
        assert LOST in line and line.endswith(f"To change it: {OPTIONS}"), line


def test_commits_that_wait_for_a_standby_or_not(start, cluster, database):
    for value in ["local"] + FULL * ["on", "remote_write", "remote_apply"]:
        run(cluster, database, ROLE.format(database=database, value=value))
        assert warnings(start, cluster.url(database)) == []  # while there is none to wait for
    run(cluster, database, ROLE.format(database=database, value="local"),
        "ALTER SYSTEM SET synchronous_standby_names = 'another'", "SELECT pg_reload_conf()")
    [line] = warnings(start, cluster.url(database))
    assert "synchronous_commit is local: writes are answered before a synchronous standby has them" in line
    assert re.search(f"{OF_ROLE}$", line), line
