"""The planner's statistics: taken where a table has grown, from samples, and of no harm to anybody."""
import time

import pytest

from tests.lib import servers
from tests.lib.load import Client

RUNS = 5000


def add_runs(store, first, count):
    store.execute(
        "WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        " INSERT INTO flow_run (id, name, flow_id, state_type, state_name, work_queue_name)"
        " SELECT 'run-' || i, 'run-' || i, 'f', 'COMPLETED', 'Completed', 'queue-' || (i % 5) FROM n",
        first, first + count - 1)


def filled(home):
    """A database with so many runs, whose server has ended before it looked at them."""
    with servers.running("orion", home=home) as server:
        server.store.execute("INSERT INTO flow (id, name) VALUES ('f', 'f')")
        add_runs(server.store, 0, RUNS)
        return server.store


def noted(store):
    """How many rows there were when a table's statistics were taken, by table."""
    if not store.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'"):
        return {}
    return {table: int(rows) for table, rows in store.execute("SELECT tbl, stat FROM sqlite_stat1 WHERE idx IS NULL")}


def wait_for(store, expected):
    deadline = time.monotonic() + 30
    while noted(store) != expected:
        assert time.monotonic() < deadline, noted(store)
        time.sleep(0.05)


@pytest.mark.only("sqlite")
def test_statistics_follow_the_tables(engine, tmp_path):
    """Small tables have none, and one that has not grown much is left alone."""
    store = filled(tmp_path)
    with servers.running("orion", home=tmp_path):
        wait_for(store, {"flow_run": RUNS})
    [[stat]] = store.execute("SELECT stat FROM sqlite_stat1 WHERE idx = 'ix_flow_run__work_queue_name'")
    assert RUNS / 10 < int(stat.split()[1]) < RUNS / 2  # a fifth, as far as samples tell
    add_runs(store, RUNS, RUNS // 2)
    with servers.running("orion", home=tmp_path) as server:
        client = Client(server)
        assert client.post("/flow_runs/count", {}).value == RUNS * 3 // 2
        time.sleep(0.5)
        assert noted(store) == {"flow_run": RUNS}
    add_runs(store, 2 * RUNS, RUNS)
    with servers.running("orion", home=tmp_path):
        wait_for(store, {"flow_run": RUNS * 5 // 2})
    store.execute("DELETE FROM flow_run WHERE rowid > 100")
    with servers.running("orion", home=tmp_path):
        wait_for(store, {"flow_run": 100})


@pytest.mark.only("sqlite")
def test_connections_that_are_open_plan_by_new_statistics(engine, tmp_path):
    """The schema's version rises with them, which every connection looks at."""
    store = filled(tmp_path)
    before = store.execute("PRAGMA schema_version")
    with servers.running("orion", home=tmp_path):
        wait_for(store, {"flow_run": RUNS})
    assert store.execute("PRAGMA schema_version") > before


@pytest.mark.only("sqlite")
def test_an_index_that_was_made_since_gets_statistics(engine, tmp_path):
    store = filled(tmp_path)
    with servers.running("orion", home=tmp_path):
        wait_for(store, {"flow_run": RUNS})
    own = "SELECT idx FROM sqlite_stat1 WHERE idx GLOB 'orion_flow_run_*' ORDER BY idx"
    before = store.execute(own)
    assert before
    store.execute("DELETE FROM sqlite_stat1 WHERE idx = 'orion_flow_run_history'")
    with servers.running("orion", home=tmp_path):
        deadline = time.monotonic() + 30
        while store.execute(own) != before:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.only("sqlite")
def test_few_values_are_counted_where_samples_end_with_the_first(engine, tmp_path):
    """Else a state that all of many runs have would look like one that few have, and be looked for first."""
    store, runs = filled(tmp_path), 5 * RUNS
    add_runs(store, RUNS, runs - RUNS)
    with servers.running("orion", home=tmp_path):
        wait_for(store, {"flow_run": runs})
    found = dict(store.execute("SELECT idx, stat FROM sqlite_stat1 WHERE idx GLOB 'ix_flow_run__*'"))
    assert found["ix_flow_run__state_type"] == f"{runs} {runs}"
    assert found["ix_flow_run__work_queue_name"] == f"{runs} {runs // 5}"
    assert found["ix_flow_run__name"].split()[1] == "1"
