"""The real client against our server and against the reference: the same script on both, what it printed and what it
left in the databases compared; then each server on the database that the other one wrote."""
import contextlib
import os
import re
import time

import pytest

from tests.lib import scenario, servers
from tests.lib.check import assert_clean
from . import compare

FULL = os.environ.get("ORION_TEST_FULL") == "1"
SMALL_FLOWS = 50 if FULL else 10
TASKS = 200
KINDS = ["orion", "reference"]
FINISHED = {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]}}}


class Played:
    """What one server answered and stored."""

    def __init__(self, kind, engine, home):
        self.kind, self.server_home, self.client_home = kind, home / "server", home / "client"
        self.server_home.mkdir()
        with servers.running(kind, home=self.server_home, database=engine) as server:
            self.seen = scenario.play(server.url, self.client_home, SMALL_FLOWS, TASKS)
            self.runs = read_runs(server)
        self.store = server.store

    @property
    def database(self):
        return compare.Database(self.store, self.client_home)

    def printed(self, step):
        generated = [name for name in self.seen["names"] if compare.GENERATED_NAME.fullmatch(name)]
        return scenario.without_noise(str(self.seen[step]), generated)


def read_runs(server):
    """Every run and task run, as the API tells them; estimates that grow with the clock left out by asking for finished
    ones."""
    player = scenario.Player(server.url, server.home)
    runs = pages(player, "/flow_runs/filter", {"sort": "EXPECTED_START_TIME_ASC", "flow_runs": FINISHED})
    tasks = pages(player, "/task_runs/filter", {"sort": "EXPECTED_START_TIME_ASC", "task_runs": FINISHED})
    return {run["id"]: run for run in runs + tasks}


def pages(player, path, body):
    found = []
    while page := player.post(path, {**body, "offset": len(found)}):
        found += page
    return found


@pytest.fixture(scope="session")
def played(tmp_path_factory, engine):
    return {kind: Played(kind, engine, tmp_path_factory.mktemp(kind)) for kind in KINDS}


@pytest.fixture(params=KINDS)
def one(played, request):
    return played[request.param]


def states_of(one, flow_name):
    """The names of the states that the newest run of a flow went through, in order."""
    database = one.database
    flow = next(r["id"] for r in database.tables["flow"] if r["name"] == flow_name)
    run = max((r for r in database.tables["flow_run"] if r["flow_id"] == flow), key=lambda r: r["created"])["id"]
    return [r["name"] for r in sorted(database.tables["flow_run_state"], key=lambda r: r["timestamp"])
            if r["flow_run_id"] == run]


@pytest.mark.parametrize("step, output", [
    ("mapped", "37\n"), ("retried", "3\n"), ("parent", "['hello ann', 'hello bob']\n"),
    ("cached first", "144\n"), ("cached again", "144\n"), ("pausing", "6\n"), ("wide", f"{TASKS * (TASKS + 1) // 2}\n"),
    ("crashing", "SystemExit: 3\n"), ("limits", "[0, 1, 2]\n"),
    ("never_resumed", "FailedRun: The flow was paused and never resumed.\n"),
])
def test_flow_gives(one, step, output):
    assert one.seen[step] == output


@pytest.mark.parametrize("flow, states", [
    ("mapped", ["Pending", "Running", "Completed"]),
    ("retried", ["Pending", "Running", "AwaitingRetry", "Running", "Completed"]),
    ("failing", ["Pending", "Running", "Failed"]),
    ("crashing", ["Pending", "Running", "Crashed"]),
    ("slow", ["Pending", "Running", "TimedOut"]),
    ("pausing", ["Pending", "Running", "Paused", "Running", "Completed"]),
])
def test_states(one, flow, states):
    assert states_of(one, flow) == states


def test_second_run_uses_the_cache(one):
    names = [r["state_name"] for r in sorted(one.database.tables["task_run"], key=lambda r: r["created"])
             if r["task_key"].endswith("expensive")]
    assert names == ["Completed", "Cached"]


def test_small_flows_all_end(one):
    assert one.seen["small"] == [n + 2 for n in range(SMALL_FLOWS)]


def test_logs_are_shown(one):
    assert len(re.findall(r"line \d of the flow: ünïcödé 🎈 \"quoted\"", one.seen["logs"])) == 5
    assert one.seen["logs head"].count("\n") == 3


def test_deleted_run_is_gone(one):
    assert "Successfully deleted" in one.seen["delete"]
    flow = next(r["id"] for r in one.database.tables["flow"] if r["name"] == "never-resumed")
    assert not [r for r in one.database.tables["flow_run"] if r["flow_id"] == flow]


def test_nothing_of_a_deleted_run_stays(played):
    """A listed difference: the reference leaves logs behind."""
    database = played["orion"].database
    assert [r for table in ("log", "artifact")
            for r in database.tables[table] if not database.belongs_here(table, r)] == []


def test_both_print_the_same(played):
    a, b = (played[kind] for kind in KINDS)
    assert {step: a.printed(step) for step in a.seen if step != "names"} == \
        {step: b.printed(step) for step in b.seen if step != "names"}


def test_both_store_the_same(played):
    assert compare.differences(*(played[kind].database for kind in KINDS)) == []


def test_what_was_stored_is_no_fault(one):
    assert_clean(one.store)


@pytest.mark.parametrize("writer, reader", [("orion", "reference"), ("reference", "orion")])
def test_other_server_on_the_same_database(played, tmp_path, writer, reader):
    """The other server on a copy: it tells the same runs, and real flows go on there."""
    store = played[writer].store.copy(tmp_path)
    with servers.running(reader, home=tmp_path, database=store.engine) as server:
        assert read_runs(server) == played[writer].runs
        player = scenario.Player(server.url, played[writer].client_home)
        assert player.flow("cached") == "144\n"
        assert player.flow("parent") == "['hello ann', 'hello bob']\n"
    newest = max(compare.Database(store).tables["task_run"],
                 key=lambda r: r["created"] if r["task_key"].endswith("expensive") else "")
    assert newest["state_name"] == "Cached"


@contextlib.contextmanager
def busy_server(tmp_path, engine):
    with servers.running("orion", home=tmp_path, database=engine) as server:
        yield server, scenario.Player(server.url, tmp_path / "client")


def test_many_flows_at_once(tmp_path, engine):
    """Ours alone: the reference answers some of them with errors when it is this busy."""
    with busy_server(tmp_path, engine) as (server, player):
        started = time.monotonic()
        assert scenario.play_many(player, SMALL_FLOWS, at_once=8) == [n + 2 for n in range(SMALL_FLOWS)]
        print(f"{SMALL_FLOWS} flows, 8 at once: {time.monotonic() - started:.1f} s")
        assert server.execute("SELECT state_type, count(*) FROM flow_run GROUP BY 1") == [("COMPLETED", SMALL_FLOWS)]
        assert server.execute("SELECT count(*) FROM task_run WHERE state_type = 'COMPLETED'") == [(2 * SMALL_FLOWS,)]
        assert server.execute("SELECT count(*) FROM log WHERE message LIKE 'small flow %'") == [(SMALL_FLOWS,)]


@pytest.mark.parametrize("change", [
    "UPDATE flow_run SET run_count = run_count + 1 WHERE name = 'mapped'",
    "UPDATE flow_run SET end_time = NULL WHERE name = 'mapped'",
    "UPDATE flow_run SET parameters = '{\"numbers\": [1, 2]}' WHERE name = 'mapped'",
    "UPDATE flow_run SET start_time = '2026-01-01 00:00:00' WHERE name = 'mapped'",
    "UPDATE task_run SET state_name = 'Done' WHERE task_key LIKE '%total'",
    "UPDATE task_run SET flow_run_id = (SELECT id FROM flow_run WHERE name = 'wide') WHERE task_key LIKE '%total'",
    "UPDATE flow_run_state SET message = 'x' WHERE type = 'CRASHED'",
    "UPDATE log SET level = 21 WHERE message = 'an error line'",
    "DELETE FROM task_run_state_cache",
])
def test_comparison_notices(played, tmp_path, change):
    """The comparison itself: one changed value is a difference."""
    copy = played["orion"].store.copy(tmp_path)
    assert copy.execute(f"{change} RETURNING id")
    assert compare.differences(played["orion"].database, compare.Database(copy, played["orion"].client_home))
