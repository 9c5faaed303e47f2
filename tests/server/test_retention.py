"""Deleting what is old: `orion database prune`, the retention service, the task cache."""
import json
import os
import signal
import subprocess
import time

import pytest

from tests.lib import postgres, servers
from tests.lib.check import assert_clean
from tests.lib.forest import FINAL, Forest, assert_whole, column
from tests.lib.load import Client, Threads
from tests.lib.receiver import wait_until

FULL = os.environ.get("ORION_TEST_FULL") == "1"
OLD = ["--older-than", "30d"]
SEEDS = range(20 if FULL else 1)
EMPTIED = ["artifact", "log", "task_run_state_cache", "concurrency_limit", "flow_run_state", "task_run_state",
           "task_run", "flow_run", "flow"]


def orion(store, *words, answer=""):
    """`orion …` on that database; (status, standard output, standard error)."""
    environment = servers.server_environment("/nonexistent", PREFECT_ORION_DATABASE_CONNECTION_URL=store.url)
    done = subprocess.run([servers.ORION_BIN, *words], env=environment, input=answer, capture_output=True, text=True,
                          timeout=120)
    return done.returncode, done.stdout, done.stderr


def prune(store, *words):
    status, out, err = orion(store, "database", "prune", *words, "-y")
    assert status == 0, err
    return out


@pytest.fixture(scope="module")
def database(engine):
    """With its tables, made once."""
    with servers.running("orion", database=engine) as server:
        server.stop()
        yield server.store


@pytest.fixture
def store(database):
    """It has no rows, and no server runs on it."""
    database.script(";".join(f"DELETE FROM {table}" for table in EMPTIED))
    return database


def serving(store, **settings):
    """A server of ours on it."""
    return servers.running("orion", database=store.url, PREFECT_ORION_DATABASE_CONNECTION_URL=store.url, **settings)


def assert_left(store, forest):
    assert assert_whole(store) == (forest.ids(), forest.task_ids())
    assert store.execute("SELECT count(*) FROM task_run_state_cache")[0][0] == len(forest.task_ids())


def numbers(trees):
    return (f"{sum(map(len, trees))} flow runs in {len(trees)} trees, with "
            f"{sum(len(run.tasks) for tree in trees for run in tree)} task runs and "
            f"{sum(run.logs for tree in trees for run in tree)} log lines")


@pytest.mark.parametrize("seed", SEEDS)
def test_it_takes_the_trees_that_a_plain_computation_takes(store, seed):
    forest = Forest(seed, 100)
    forest.fill(store)
    for words, choice in [
            (["--states", "failed, CRASHED"], {"states": ["FAILED", "CRASHED"]}),
            (["--flow", "two", "--states", "COMPLETED,CANCELLED,FAILED"], {"flow": "two", "states": FINAL[:3]}),
            (["--flow", "two"], {"flow": "two"}), ([], {})]:
        trees = forest.chosen(30, **choice)
        status, out, _ = orion(store, "database", "prune", *OLD, *words, "--dry-run")
        assert status == 0 and f"Would delete {numbers(trees)}." in out
        assert_left(store, forest)
        assert f"Deleted {numbers(trees)}." in prune(store, *OLD, *words)
        forest.remove(trees)
        assert_left(store, forest)
    assert_clean(store)


def test_a_dry_run_counts_by_flow_and_state(store):
    forest = Forest(1, 50)
    forest.fill(store)
    counts = {}
    for run in (run for tree in forest.chosen(30) for run in tree):
        flow_runs, tasks, logs = counts.get((run.flow, run.state), (0, 0, 0))
        counts[run.flow, run.state] = flow_runs + 1, tasks + len(run.tasks), logs + run.logs
    lines = orion(store, "database", "prune", *OLD, "--dry-run")[1].splitlines()[1:-1]
    assert {tuple(words[:2]): tuple(map(int, words[2:])) for words in map(str.split, lines)} == counts
    assert [line.split()[0] for line in lines] == sorted(line.split()[0] for line in lines)


def test_only_the_logs(store):
    forest = Forest(2, 40)
    forest.fill(store)
    for days in [29, 31, 31]:
        store.execute("INSERT INTO log (id, name, level, flow_run_id, message, timestamp) VALUES (?, 'log', 20, ?, '',"
                      " ?)", forest.id(), forest.id(),
                      time.strftime("%Y-%m-%d %H:%M:%S.000000", time.gmtime(time.time() - days * 86400)))
    trees = forest.chosen(30)
    gone = sum(run.logs for tree in trees for run in tree)
    before = store.execute("SELECT count(*) FROM log")[0][0]
    prune(store, *OLD, "--logs-only", "--flow", "one")
    kept = sum(run.logs for tree in forest.chosen(30, flow="one") for run in tree)
    assert store.execute("SELECT count(*) FROM log")[0][0] == before - kept
    left = [tree for tree in trees if tree[0].flow != "one" and any(run.logs for run in tree)]
    told = f"{gone - kept} log lines of {len(left)} trees of flow runs, and 2 of runs that do not exist"
    assert f"Would delete {told}." in orion(store, "database", "prune", *OLD, "--logs-only", "--dry-run")[1]
    assert f"Deleted {told}." in prune(store, *OLD, "--logs-only")
    assert store.execute("SELECT count(*) FROM log")[0][0] == before - gone - 2
    assert column(store, "id", "flow_run") == forest.ids()
    old = {run.id for tree in trees for run in tree}
    assert not column(store, "flow_run_id", "log") & old


@pytest.mark.parametrize("words, told", [
    ([], "Missing option '--older-than'."),
    (["--older-than", "30"], "Invalid value for '--older-than': '30' is not a number with s, m, h, d or w"),
    (["--older-than", "-3d"], "Invalid value for '--older-than'"),
    (["--older-than", "99999999w"], "Invalid value for '--older-than'"),
    ([*OLD, "--states", "RUNNING"], "Invalid value for '--states': 'RUNNING' is not one of COMPLETED, FAILED"),
    ([*OLD, "--states", "FAILED,,CRASHED"], "Invalid value for '--states': ''"),
    ([*OLD, "--flow", "nobody's"], "There is no flow \"nobody's\"."),
])
def test_bad_input_is_told_and_deletes_nothing(store, words, told):
    status, _, err = orion(store, "database", "prune", *words, "-y")
    assert status != 0 and told in err


def test_it_asks_first(store):
    forest = Forest(3, 30)
    forest.fill(store)
    status, out, err = orion(store, "database", "prune", *OLD, answer="n\n")
    assert status == 1 and f"Are you sure you want to delete {numbers(forest.chosen(30))} from" in out
    assert "Nothing was deleted." in err
    assert_left(store, forest)


def test_no_database_is_not_made(tmp_path):
    store = servers.Store(f"sqlite+aiosqlite:///{tmp_path}/none.db")
    for words in ["database prune --older-than 1d", "cache ls", "cache clear -y", "runs stuck --older-than 1d"]:
        status, _, err = orion(store, *words.split())
        assert status == 1 and "none.db" in err and not store.path.exists()


def test_a_tree_too_large_for_one_transaction(store):
    """Of which one subflow is larger than all others."""
    forest = Forest(4, 10)
    forest.trees = [tree for tree in forest.trees if tree not in forest.chosen(30)]
    root = forest.run(None, True, True)._replace(tasks=[forest.id() for _ in range(210)], days=40, state="COMPLETED")
    subflows = [forest.run(task, True, True)._replace(days=35, state="FAILED") for task in root.tasks[:60]]
    subflows[7] = subflows[7]._replace(tasks=[forest.id() for _ in range(150)], logs=900)
    forest.trees.append([root, *subflows])
    forest.fill(store)
    prune(store, "--older-than", "36d")
    assert_left(store, forest)
    trees = forest.chosen(30)
    assert len(trees) == 1 and f"Deleted {numbers(trees)}." in prune(store, *OLD)
    forest.remove(trees)
    assert_left(store, forest)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_ended_one_leaves_whole_trees_and_goes_on_when_asked_again(store, number):
    forest = Forest(5, 250)
    forest.fill(store)
    environment = servers.server_environment("/nonexistent", PREFECT_ORION_DATABASE_CONNECTION_URL=store.url)
    process = subprocess.Popen([servers.ORION_BIN, "database", "prune", *OLD, "-y"], env=environment, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    all_runs, trees = len(forest.ids()), forest.chosen(30)
    try:
        wait_until(lambda: store.execute("SELECT count(*) FROM flow_run")[0][0] < all_runs)
    finally:
        process.send_signal(number)
        said = process.communicate(timeout=30)[0]
    left = assert_whole(store)[0]
    gone = [tree for tree in trees if tree[0].id not in left]
    assert 0 < len(gone) < len(trees), "it was not ended in the midst"
    if number == signal.SIGINT:
        assert process.returncode == -signal.SIGINT
        assert f"Deleted {numbers(gone)}.\nIt was interrupted.\nWhat is left can be deleted by asking again." in said
    forest.remove(gone)
    assert left == forest.ids()
    prune(store, *OLD)
    forest.remove(forest.chosen(30))
    assert_left(store, forest)


def test_beside_a_server_that_writes(store):
    forest = Forest(6, 60)
    forest.fill(store)
    over = []

    def write(_):
        client, made = Client(server), []
        while not over:
            made.append(client.flow_run(flow)["id"])
        return made

    with serving(store) as server:
        flow = Client(server).flow()
        others = Threads(2, write)
        try:
            prune(store, *OLD)
        finally:
            over.append(True)
        made = {run for runs in others.join() for run in runs}
    forest.remove(forest.chosen(30))
    assert column(store, "id", "flow_run") == forest.ids() | made


def test_slots_of_deleted_runs_are_free_again(store):
    forest = Forest(11, 1)
    old, young = (forest.run(None, True, True)._replace(tasks=[forest.id()], days=days, state="CRASHED")
                  for days in (40, 20))
    forest.trees = [[old], [young]]
    forest.fill(store)
    store.execute("UPDATE task_run SET state_type = 'RUNNING', state_name = 'Running'")
    store.execute("INSERT INTO concurrency_limit (id, tag, concurrency_limit, active_slots) VALUES (?, 'tag', 3, ?)",
                  forest.id(), json.dumps([old.tasks[0], young.tasks[0], "what is this"]))
    assert "Freed 2 slots" in prune(store, *OLD)
    assert json.loads(store.execute("SELECT active_slots FROM concurrency_limit")[0][0]) == young.tasks


# ---- the service ----

def runs_left(store):
    return column(store, "id", "flow_run")


def test_the_service_deletes_runs_and_logs(store):
    forest = Forest(7, 60)
    forest.fill(store)
    forest.remove(forest.chosen(60, states=["COMPLETED", "CRASHED"]))
    without_logs = {run.id for tree in forest.chosen(30) for run in tree}
    logs = {run.id for tree in forest.trees for run in tree if run.logs} - without_logs
    with serving(store, ORION_RETENTION_RUNS="60d", ORION_RETENTION_LOGS="30d",
                 ORION_RETENTION_STATES="COMPLETED,CRASHED", PREFECT_LOGGING_SERVER_LEVEL="INFO") as server:
        wait_until(lambda: "log lines that were old" in server.log())
    assert column(store, "flow_run_id", "log") == logs
    assert assert_whole(store)[0] == forest.ids()
    assert_clean(store)


def test_without_the_settings_nothing_is_deleted(store):
    forest = Forest(8, 30)
    forest.fill(store)
    with serving(store):
        time.sleep(1)
    assert_left(store, forest)


def test_states_that_are_none_end_the_start(store):
    with pytest.raises(RuntimeError, match="ORION_RETENTION_STATES: 'RUNNING' is not a state in which runs end"):
        with serving(store, ORION_RETENTION_RUNS="60d", ORION_RETENTION_STATES="RUNNING"):
            pass


@pytest.mark.only("postgresql")
def test_one_server_at_a_time(store):
    """While another one holds the lock of a step, the service does nothing."""
    forest = Forest(9, 30)
    forest.fill(store)
    with postgres.Session(store.url) as other:
        other.execute("SELECT pg_advisory_lock(1330792783, 4)")
        with serving(store, ORION_RETENTION_RUNS="30d"):
            time.sleep(1)
            assert runs_left(store) == forest.ids()
    forest.remove(forest.chosen(30))
    with serving(store, ORION_RETENTION_RUNS="30d"):
        wait_until(lambda: runs_left(store) == forest.ids())


# ---- the task cache ----

def cached(store, forest, key, minutes, expires, state):
    def at(minutes):
        return time.strftime("%Y-%m-%d %H:%M:%S.000000", time.gmtime(time.time() + minutes * 60))
    store.execute("INSERT INTO task_run_state_cache (id, cache_key, created, cache_expiration, task_run_state_id)"
                  " VALUES (?, ?, ?, ?, ?)", forest.id(), key, at(-minutes), expires and at(expires), state)


@pytest.fixture
def with_cache(store):
    forest = Forest(10, 1)
    forest.trees = [[forest.run(None, False, True)._replace(tasks=[forest.id()])]]
    forest.fill(store)
    store.execute("DELETE FROM task_run_state_cache")
    state = str(store.execute("SELECT id FROM task_run_state")[0][0])
    cached(store, forest, "a", 3, None, state)
    cached(store, forest, "a", 2, 60, state)
    cached(store, forest, "a", 1, -1, state)
    cached(store, forest, "b/1", 3, None, state)
    cached(store, forest, "b/1", 2, None, forest.id())
    cached(store, forest, "b/1", 1, None, state)
    cached(store, forest, "c", 1, None, forest.id())
    cached(store, forest, "c", 2, None, state)
    return store


USES = [("a", "expired"), ("a", "current"), ("a", "older"), ("b/1", "current"), ("b/1", "lost"), ("b/1", "lost"),
        ("c", "lost"), ("c", "lost")]


def listed(store, *words):
    status, out, err = orion(store, "cache", "ls", "--json", *words)
    assert status == 0, err
    return [(row["key"], row["use"]) for row in json.loads(out)]


def test_the_cache_is_listed(with_cache):
    assert listed(with_cache) == USES
    assert listed(with_cache, "--key", "b*") == [row for row in USES if row[0] == "b/1"]
    assert listed(with_cache, "--expired") == [row for row in USES if row[1] in ("expired", "lost")]
    assert listed(with_cache, "--key", "?", "--expired") == [USES[0], *USES[6:]]
    assert listed(with_cache, "--key", "none") == []
    out = orion(with_cache, "cache", "ls")[1].splitlines()
    assert len(out) == 9 and out[0].split()[:2] == ["KEY", "USE"] and out[2].split()[:2] == ["a", "current"]
    assert "There are no such rows" in orion(with_cache, "cache", "ls", "--key", "none")[1]


def test_names_control_no_terminal(store):
    """Nor do they move what stands beside them."""
    forest = Forest(11, 1, ("flow\x1b[2J\n\té中",))
    forest.trees = [[forest.run(None, True, True)._replace(tasks=[forest.id()])]]
    forest.fill(store)
    store.execute("UPDATE task_run_state_cache SET cache_key = ?", "key\x1b[2J\n\té中" * 9)
    store.execute("UPDATE task_run SET name = ?", "task\x1b[2J\n")
    key, line = orion(store, "cache", "ls")[1].splitlines()
    pruned, flow = orion(store, "database", "prune", "--older-than", "1d", "--dry-run")[1].splitlines()[:2]
    assert "\x1b" not in line + flow and line.endswith("task [2J ")
    assert len(line.partition(" current")[0]) + line.count("中") == key.index(" USE")
    state, = (state for state in FINAL if f" {state} " in flow)
    assert flow.startswith("flow [2J  é中") and flow.index(state) + 1 == pruned.index("state")


def test_the_cache_is_cleared(with_cache):
    assert orion(with_cache, "cache", "clear", answer="\n")[0] == 1 and len(listed(with_cache)) == 8
    assert "Deleted 3 rows" in orion(with_cache, "cache", "clear", "--key", "[ab]*", "--expired", "-y")[1]
    assert listed(with_cache) == [USES[1], USES[2], USES[3], *USES[6:]]
    assert "Deleted 5 rows" in orion(with_cache, "cache", "clear", "-y")[1]
    assert listed(with_cache) == []


def test_the_service_deletes_what_the_cache_does_not_give(with_cache):
    with serving(with_cache, ORION_RETENTION_LOGS="30d"):
        wait_until(lambda: listed(with_cache) == [row for row in USES if row[1] in ("current", "older")])
