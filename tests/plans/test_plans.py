"""How the engines carry out every shape that the bench measures: by which index, that no table of runs is read without
one, and that nothing sorts more rows than it may answer. The plans of SQLite are data, sqlite.json: after a change of
statements or indexes, write them anew (python -m tests.plans.plans --anew --plans-only) and read what has changed."""
import json
import os
import re

import pytest

from . import plans

EXPECTED = json.loads(plans.EXPECTED.read_text())
POSTGRES_RUNS = 100_000 if os.environ.get("ORION_TEST_FULL") == "1" else 10_000
SCAN = re.compile(rf"^ *SCAN ({'|'.join(plans.RUN_TABLES)})$", re.M)
# A subquery that is named like its table is read by a scan.
SUBQUERY = re.compile(rf"^ *CO-ROUTINE ({'|'.join(plans.RUN_TABLES)})$", re.M)
# All that belongs to one run is sorted, without a limit.
OF_ONE_RUN = ["page /flow-runs/flow-run/ID: flow_runs ID graph", "states_of_run", "states_of_task"]
MOST = 2000  # rows sorted at once: the largest limit is that of the dashboard's history, 1,000 rows


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory):
    return plans.sqlite_plans(tmp_path_factory.mktemp("plans"), json.loads(plans.STATISTICS.read_text()))


@pytest.fixture(scope="session")
def services(tmp_path_factory):
    return plans.service_plans(tmp_path_factory.mktemp("services"), json.loads(plans.STATISTICS.read_text()))


@pytest.fixture(scope="session")
def postgresql():
    return plans.postgres_plans(POSTGRES_RUNS)


def plans_scans(plan):
    return [line for line in plan if SCAN.match(line)]


def test_every_shape_about_runs_has_a_plan(sqlite):
    assert list(sqlite) == list(EXPECTED) and len(sqlite) > 80


@pytest.mark.parametrize("name", EXPECTED)
def test_sqlite(sqlite, name):
    assert [plan for _, plan in sqlite[name]] == EXPECTED[name]


@pytest.mark.parametrize("name", EXPECTED)
def test_sqlite_reads_no_table_of_runs_without_an_index(sqlite, name):
    for _, plan in sqlite[name]:
        text = "\n".join(plan)
        assert SCAN.findall(text) == SUBQUERY.findall(text)


@pytest.mark.parametrize("name", EXPECTED)
def test_sqlite_sorts_no_more_than_it_answers(sqlite, name):
    """With a LIMIT, its sorter keeps only as many rows."""
    for sql, plan in sqlite[name]:
        if any("B-TREE FOR" in line and "ORDER BY" in line for line in plan):
            assert " LIMIT $" in sql or name in OF_ONE_RUN


@pytest.mark.parametrize("words, index", [
    ("state_name = 'Scheduled'", "orion_flow_run_waiting_by_name"),
    ("parent.state_type", "orion_flow_run_unfinished_subflows"),
])
def test_services_find_runs_by_the_index_that_is_meant(services, words, index):
    """An index of some rows is taken if a statement says which in the same words."""
    [plan] = [plan for sql, plan in services.items() if words in sql]
    assert f"SEARCH flow_run USING INDEX {index} " in plan[0]


@pytest.mark.parametrize("words, index, times", [
    ("SELECT state_type, COUNT", "SCAN flow_run USING COVERING INDEX ix_flow_run__state_type", 1),
    ("COUNT(CASE", "flow_run USING INDEX orion_flow_run_waiting_by_name ", 1),
    ("work_queue_name = work_queue.name", "SEARCH flow_run USING INDEX orion_flow_run_waiting_by_name ", 2),
    ("work_queue_id = work_queue.id", "SEARCH flow_run USING INDEX orion_flow_run_waiting_by_queue ", 2),
])
def test_counts_of_runs_read_indexes_only(services, words, index, times):
    [plan] = [plan for sql, plan in services.items() if words in sql]
    assert sum(index in line for line in plan) == sum(" flow_run USING " in line for line in plan) == times


@pytest.mark.parametrize("words, index", [
    ("SELECT id, end_time", "flow_run USING INDEX ix_flow_run__end_time_desc (end_time>? AND end_time<?)"),
    ("SELECT id, state_timestamp", "flow_run USING INDEX ix_flow_run__state_timestamp (state_timestamp>? AND"),
    ("FROM log WHERE timestamp", "log USING INDEX ix_log__timestamp (timestamp>? AND timestamp<?)"),
    ("SELECT id FROM flow_run WHERE state_type IN", "flow_run USING INDEX ix_flow_run__state_type (state_type=?)"),
])
def test_what_is_old_or_died_is_found_in_pages_of_an_index(services, words, index):
    [plan] = [plan for sql, plan in services.items() if words in sql]
    assert plan[0].startswith(f"SEARCH {index}")


def test_services_read_no_table_of_runs_without_an_index(services):
    assert sum("WITH RECURSIVE tree" in sql for sql in services) >= 2
    for plan in services.values():
        assert not plans_scans(plan)


@pytest.mark.parametrize("kind", [*plans.DELETED, "prune"])
def test_postgresql_deletes_by_indexes(postgresql, kind):
    assert any("DELETE FROM" in plan["sql"] for plan in postgresql[kind])
    for plan in postgresql[kind]:
        if plan["sql"] in {select for _, select in plans.DELETED.values()}:
            continue  # the test's own
        for node in plans.nodes(plan):
            assert node["Node Type"] != "Seq Scan" or node["Relation Name"] not in plans.RUN_TABLES, (plan["sql"], node)
            # which visits each row that was deleted before, again and again
            assert node["Node Type"] != "Index Only Scan" or not plan["sql"].startswith("SELECT id, name"), plan["sql"]
    if kind not in ("task run", "flow run"):
        assert kind == "prune" or any(plan["sql"].startswith("SELECT id, name") for plan in postgresql[kind])


@pytest.mark.parametrize("shape", plans.asked(), ids=lambda shape: shape["name"])
def test_postgresql(postgresql, shape):
    """A history adds up all rows of its time, perhaps by sorting them."""
    adds_up = "history_start" in (shape["body"] or {})
    assert postgresql[shape["name"]]
    for plan in postgresql[shape["name"]]:
        for node in plans.nodes(plan):
            if node["Node Type"] == "Seq Scan":
                assert node["Relation Name"] not in plans.RUN_TABLES, node
            elif node["Node Type"] == "Sort" and not adds_up:
                rows = node["Plans"][0]["Actual Rows"]
                assert node["Sort Method"] == "top-N heapsort" or rows <= MOST, node
