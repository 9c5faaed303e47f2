"""Our own indexes: a server's schema has nothing else beside the reference's; they are made where they are missing, and
the reference resets a database that has them."""
import contextlib
import json
import sqlite3
import subprocess
import time
import urllib.request
import uuid

import pytest

from tests.lib import own_indexes, postgres, servers
from tests.lib.servers import Store
from tests.schema import test_schema_postgres
from tests.schema.test_schema import schema

# What a newer release might leave: an index and a table that this one does not know, and another index under a name
# that it knows. On SQLite an index of ours holds an expression.
NEWER = {
    "sqlite": ["CREATE INDEX orion_of_a_newer_release ON log (level, (1))",
               "CREATE INDEX orion_task_run_states ON task_run (state_type, (2))"],
    "postgresql": ["CREATE INDEX orion_of_a_newer_release ON log (level) INCLUDE (name)",
                   "CREATE INDEX orion_task_run_states ON task_run (state_type) WHERE state_type IS NOT NULL"],
}
OF_ANY_ENGINE = ["CREATE TABLE orion_notes (id VARCHAR(36), text VARCHAR(80))",
                 "CREATE INDEX orion_notes_text ON orion_notes (text)", "INSERT INTO orion_notes VALUES ('1', 'kept')"]
DEFINITIONS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE name LIKE 'orion%' ORDER BY 1",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'orion%' ORDER BY 1",
}

OTHERS = {  # what there is beside them, in a form that can be compared
    "sqlite": lambda store: {key: value for key, value in schema(store.path).items()
                             if key[1] not in own_indexes.NAMES["sqlite"]},
    "postgresql": lambda store: {kind: [row for row in rows if "orion_" not in str(row)]
                                 for kind, rows in test_schema_postgres.describe(store.name).items()},
}


def others(store):
    return OTHERS[store.engine](store)


@contextlib.contextmanager
def store_of(engine, home):
    """A database with the reference's schema, made by our command."""
    store = Store.of_home(engine, home)
    store.create("orion")
    environment = servers.server_environment(home, PREFECT_ORION_DATABASE_CONNECTION_URL=store.url)
    subprocess.run([servers.ORION_BIN, "database", "upgrade", "-y"], env=environment, check=True, timeout=60,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    yield store
    store.drop()


@pytest.fixture
def store(engine, tmp_path):
    with store_of(engine, tmp_path) as made:
        yield made


def add_run(store):
    """So that the tables are not empty, and indexes are made while a server serves."""
    flow, run = str(uuid.uuid4()), str(uuid.uuid4())
    store.execute("INSERT INTO flow (id, name) VALUES (?, ?)", flow, "f")
    store.execute("INSERT INTO flow_run (id, name, flow_id) VALUES (?, ?, ?)", run, "r", flow)


def start(home, store, **settings):
    return servers.running("orion", home=home, database=store.engine, **settings)


def wait_until_made(store):
    deadline = time.monotonic() + 30
    while own_indexes.present(store) != own_indexes.NAMES[store.engine]:
        assert time.monotonic() < deadline, own_indexes.present(store)
        time.sleep(0.05)


def test_a_server_adds_only_these(store, tmp_path):
    before = others(store)
    assert own_indexes.present(store) == []
    with start(tmp_path, store):
        assert own_indexes.present(store) == own_indexes.NAMES[store.engine]
    assert others(store) == before


def test_none_without_migrations_at_start(store, tmp_path):
    with start(tmp_path, store, PREFECT_ORION_DATABASE_MIGRATE_ON_START="false"):
        assert own_indexes.present(store) == []


def test_made_for_a_database_with_runs(store, tmp_path):
    add_run(store)
    before = others(store)
    with start(tmp_path, store) as server:
        wait_until_made(store)
        log = server.log()
        deadline = time.monotonic() + 10
        while (log := server.log()).count("was made in") < len(own_indexes.NAMES[store.engine]):
            assert time.monotonic() < deadline, log
            time.sleep(0.05)
    for name in own_indexes.NAMES[store.engine]:
        assert f"Making the index {name}" in log and f"The index {name} was made in" in log
    assert ("Writes wait" in log) == (store.engine == "sqlite")
    assert others(store) == before


def test_made_again_where_one_is_missing(store, tmp_path):
    add_run(store)
    assert own_indexes.command(store, "make")[0] == 0
    store.execute("DROP INDEX orion_flow_run_waiting_by_name")
    with start(tmp_path, store):
        wait_until_made(store)


def add_what_a_newer_release_has(store):
    """And what the tables of all releases hold, so that indexes are made beside the requests."""
    add_run(store)
    assert own_indexes.command(store, "make")[0] == 0
    store.execute("DROP INDEX orion_task_run_states")
    for statement in NEWER[store.engine] + OF_ANY_ENGINE:
        store.execute(statement)


def wait_for_upkeep(server):
    """Until it has been round once, without a failure."""
    deadline = time.monotonic() + 30
    while True:
        with urllib.request.urlopen(server.url.removesuffix("/api") + "/orion/status") as answer:
            [upkeep] = [one for one in json.load(answer)["services"] if one["name"] == "upkeep"]
        if upkeep["ticks"]:
            assert upkeep["error"] is None
            return
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.05)


def test_those_of_a_newer_release_are_left_alone(store, tmp_path):
    """So that an older server and a newer one may share a database, and the newer one finds what it made."""
    add_what_a_newer_release_has(store)
    definitions = store.execute(DEFINITIONS[store.engine])
    with start(tmp_path, store) as server:
        wait_for_upkeep(server)
        assert "index" not in server.log()
    assert own_indexes.command(store, "make") == (0, ["All indexes are there."])
    assert store.execute(DEFINITIONS[store.engine]) == definitions
    assert store.execute("SELECT * FROM orion_notes") == [("1", "kept")]


def test_those_of_a_newer_release_are_named_and_dropped_on_demand(store):
    add_what_a_newer_release_has(store)
    names = own_indexes.NAMES[store.engine]
    lines = own_indexes.command(store, "ls")[1]
    assert {line.split()[0]: line.split()[1] for line in lines[1:]} == {**dict.fromkeys(names, "ready"),
                                                                       "orion_of_a_newer_release": "unknown"}
    assert lines[-1].endswith("another release of Orion")
    assert own_indexes.command(store, "drop", "--unknown")[1][0] == "Dropped orion_of_a_newer_release."
    assert own_indexes.command(store, "drop", "--unknown") == (0, ["There are no indexes to drop."])
    store.execute(NEWER[store.engine][0])
    assert own_indexes.command(store, "drop")[0] == 0
    assert own_indexes.present(store) == ["orion_notes_text"]


def test_reset_leaves_a_table_of_a_newer_release(store, tmp_path):
    """Its indexes of the reference's tables go with these."""
    add_what_a_newer_release_has(store)
    environment = servers.server_environment(tmp_path, PREFECT_ORION_DATABASE_CONNECTION_URL=store.url)
    for words in (["reset"], ["downgrade"], ["upgrade"]):
        subprocess.run([servers.ORION_BIN, "database", *words, "-y"], env=environment, check=True, timeout=60,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        assert store.execute("SELECT * FROM orion_notes") == [("1", "kept")]
    assert own_indexes.present(store) == ["orion_notes_text"]


@pytest.mark.only("postgresql")
def test_an_invalid_one_is_made_anew(store, tmp_path):
    add_run(store)
    assert own_indexes.command(store, "make")[0] == 0
    store.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orion_task_run_states'::regclass")
    old = store.execute("SELECT 'orion_task_run_states'::regclass::oid::int8")
    assert any("orion_task_run_states" in line and "invalid" in line for line in own_indexes.command(store, "ls")[1])
    with start(tmp_path, store):
        wait_until_made(store)
    assert store.execute("SELECT 'orion_task_run_states'::regclass::oid::int8") != old


@pytest.mark.only("postgresql")
def test_an_invalid_one_that_somebody_builds_is_left_alone(store):
    assert own_indexes.command(store, "make")[0] == 0
    store.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orion_task_run_states'::regclass")
    with postgres.Session(store.url) as session:
        session.execute("BEGIN")
        session.execute("LOCK TABLE task_run IN SHARE UPDATE EXCLUSIVE MODE")
        status, lines = own_indexes.command(store, "make")
        assert status == 1 and "try again later" in lines[-1]
        session.execute("ROLLBACK")
    assert own_indexes.command(store, "make")[0] == 0
    assert own_indexes.present(store) == own_indexes.NAMES["postgresql"]


def test_the_command(store):
    names = own_indexes.NAMES[store.engine]

    def listed():
        status, lines = own_indexes.command(store, "ls")
        assert status == 0 and lines[0].split() == ["index", "state", "size", "serves"]
        return {line.split()[0]: line.split()[1] for line in lines[1:]}

    assert listed() == dict.fromkeys(names, "missing")
    status, lines = own_indexes.command(store, "make")
    assert status == 0 and lines[-1] == f"Indexes made: {len(names)}."
    assert own_indexes.present(store) == names and listed() == dict.fromkeys(names, "ready")
    assert own_indexes.command(store, "make") == (0, ["All indexes are there."])
    status, lines = own_indexes.command(store, "drop")
    assert status == 0 and lines[-1] == f"Indexes dropped: {len(names)}. A server makes those that it knows again."
    assert own_indexes.present(store) == []
    assert own_indexes.command(store, "drop") == (0, ["There are no indexes to drop."])


def test_the_command_needs_the_tables(engine, tmp_path):
    store = Store.of_home(engine, tmp_path)
    store.create("orion")
    if engine == "sqlite":
        sqlite3.connect(store.path).execute("PRAGMA user_version = 1")
    for word in ("ls", "make", "drop"):
        status, lines = own_indexes.command(store, word)
        assert status == 1 and "none of Orion's tables" in lines[0]
    store.drop()


def reset_by_reference(home, store):
    environment = servers.server_environment(home, PREFECT_ORION_DATABASE_CONNECTION_URL=store.url, PREFECT_API_URL="")
    done = subprocess.run([servers.REFERENCE_BIN, "orion", "database", "reset", "-y"], env=environment, timeout=120,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


def test_the_reference_resets_a_database_that_has_them(engine, tmp_path):
    """What it leaves is what its reset makes of a database of its own, and a newer release's own table; our server then
    makes them again."""
    stores = {}
    for kind in ("reference", "orion"):
        home = tmp_path / kind
        home.mkdir()
        stores[kind] = Store.of_home(engine, home)
        stores[kind].create(kind)
        if kind == "orion":
            with start(home, stores[kind]):
                pass
            assert own_indexes.present(stores[kind]) == own_indexes.NAMES[engine]
            for statement in [NEWER[engine][0], *OF_ANY_ENGINE]:
                stores[kind].execute(statement)
        add_run(stores[kind])
        reset_by_reference(home, stores[kind])
        if kind == "orion":
            assert stores[kind].execute("SELECT * FROM orion_notes") == [("1", "kept")]
            stores[kind].execute("DROP TABLE orion_notes")
        assert stores[kind].execute("SELECT * FROM flow_run") == [] and own_indexes.present(stores[kind]) == []
    assert others(stores["orion"]) == others(stores["reference"])
    with start(tmp_path / "orion", stores["orion"]):
        assert own_indexes.present(stores["orion"]) == own_indexes.NAMES[engine]
    for store in stores.values():
        store.drop()
