"""`orion database check`: each kind of fault is made in a database, found, and mended where that is without loss.
tests/histories, tests/client and test_crashes.py look that what servers write is no fault."""
import contextlib
import datetime
import json
import re
import sqlite3
import subprocess
import uuid

import pytest

from tests.lib import postgres, servers
from tests.lib.check import DELETED_RUNS, assert_clean, check
from tests.lib.load import Client

NOBODY = "00000000-0000-4000-8000-000000000000"


class Filled:
    """A server's database with a bit of everything, for faults to be made in. The server is still running."""

    def __init__(self, server):
        self.server, self.store = server, server.store
        self.client = Client(server)
        self.tag = f"tag-{uuid.uuid4().hex}"
        self.client.post("/concurrency_limits/", {"tag": self.tag, "concurrency_limit": 5})
        self.flow = self.client.flow()
        self.flow_run = self.moved("flow_runs", self.client.flow_run(self.flow), "RUNNING")
        self.task_run = self.moved("task_runs", self.client.task_run(self.flow_run, tags=[self.tag]),
                                   "RUNNING", "COMPLETED")
        self.busy = self.moved("task_runs", self.client.task_run(self.flow_run, tags=[self.tag]), "RUNNING")
        self.flow_run = self.moved("flow_runs", self.flow_run, "COMPLETED")
        self.limit = self.client.get(f"/concurrency_limits/tag/{self.tag}").value
        assert self.limit["active_slots"] == [self.busy["id"]]

    def moved(self, kind, run, *types):
        for state_type in types:
            answer = self.client.set_state(kind, run, state_type)
            assert answer.value["status"] == "ACCEPT", answer
        return self.read(kind, run)

    def read(self, kind, run):
        return self.client.get(f"/{kind}/{run['id']}").value

    def states(self, runs, run):
        return self.client.get(f"/{runs[:-1]}_states/?{runs[:-1]}_id={run['id']}").value

    def sql(self, text, *values):
        """Past the foreign keys, as another program may do it."""
        if self.store.engine == "postgresql":
            with postgres.Session(self.store.url) as session:
                session.execute("SET session_replication_role = replica")
                session.execute(text, *values)
            return
        with contextlib.closing(sqlite3.connect(self.store.path, timeout=60)) as connection:
            connection.execute(text, values)
            connection.commit()


@pytest.fixture(scope="module")
def orion(engine):
    """A connection to it is kept, however long the commands in between take."""
    with servers.running("orion", database=engine, PREFECT_ORION_API_KEEPALIVE_TIMEOUT="3600") as server:
        yield server


@pytest.fixture
def filled(orion):
    return Filled(orion)


def line_of(lines, where, means):
    """The line of a kind; there is exactly one."""
    found = [line for line in lines if line.startswith(f"{where}: ") and means in line]
    assert len(found) == 1, lines
    return found[0]


def assert_repaired(filled, where, means, *names, count=None):
    """The fault is found alone and by its names, and gone after the repair."""
    status, lines = check(filled.store)
    line = line_of(lines, where, means)
    assert status == 1 and f" {count or len(names)} found: " in line and ". --repair " in line, lines
    assert all(name in line for name in names), line
    assert len(lines) == 2 and lines[1].startswith("Kinds of faults found: 1. "), lines
    status, lines = check(filled.store, "--repair", "-y")
    assert status == 0 and lines[-1].endswith(f"{count or len(names)} of {count or len(names)} mended."), lines
    assert_clean(filled.store)


def assert_refused(filled, where, means, *names):
    """The fault is found alone, and --repair leaves it and says so."""
    status, lines = check(filled.store)
    line = line_of(lines, where, means)
    assert status == 1 and len(lines) == 2 and ". --repair cannot mend this without loss: " in line, lines
    assert all(name in line for name in names), line
    before = filled.store.dump() if filled.store.engine == "sqlite" else None
    status, lines = check(filled.store, "--repair", "-y")
    assert status == 1 and lines[-1] == "Nothing was changed: none of this can be mended without loss.", lines
    assert before is None or filled.store.dump() == before


RUNS = pytest.mark.parametrize("runs", ["flow_runs", "task_runs"])


def run_of(filled, runs):
    """A run that has ended, the table of its kind, and its states."""
    run = filled.flow_run if runs == "flow_runs" else filled.task_run
    return run, runs[:-1], filled.states(runs, run)


# ---- what is no fault ----

def test_an_untouched_database_is_clean_and_the_line_says_what_was_checked(filled):
    status, [line] = check(filled.store)
    rows = sum(filled.store.execute(f"SELECT COUNT(*) FROM {table}")[0][0] for table in filled.store.tables()
               if table != "alembic_version")
    assert status == 0 and line.startswith(f"Nothing found in {rows} rows. Checked: "), line
    assert ("the file, its indexes, values" in line) == (filled.store.engine == "sqlite"), line


def test_a_planned_run_is_no_fault(filled):
    """Its row has no state_timestamp, with both servers."""
    deployment = filled.client.made("/deployments/", {"name": uuid.uuid4().hex, "flow_id": filled.flow["id"],
                                                      "schedule": {"interval": 3600}})
    filled.client.post(f"/deployments/{deployment['id']}/schedule", {})
    planned = filled.store.execute("SELECT COUNT(*) FROM flow_run WHERE state_timestamp IS NULL"
                                   " AND state_type = 'SCHEDULED'")
    assert planned[0][0] > 0
    assert_clean(filled.store)


# ---- the states of runs ----

@RUNS
def test_a_run_without_its_state_gets_the_latest(filled, runs):
    run, table, states = run_of(filled, runs)
    filled.sql(f"UPDATE {table} SET state_id = NULL WHERE id = ?", run["id"])
    assert_repaired(filled, table, "state_id is not a state of the run", run["id"])
    assert filled.read(runs, run) == run
    filled.sql(f"UPDATE {table} SET state_id = ?, state_name = ?, state_type = 'RUNNING' WHERE id = ?", NOBODY, "Odd",
               run["id"])
    assert_repaired(filled, table, "state_id is not a state of the run", run["id"])
    assert filled.read(runs, run) == run and filled.states(runs, run) == states


@RUNS
def test_a_run_with_the_state_of_another_gets_its_own(filled, runs):
    run, table, _ = run_of(filled, runs)
    other = filled.client.flow_run(filled.flow) if runs == "flow_runs" else filled.busy
    filled.sql(f"UPDATE {table} SET state_id = ? WHERE id = ?", other["state_id"], run["id"])
    assert_repaired(filled, table, "state_id is not a state of the run", run["id"])
    assert filled.read(runs, run) == run


@RUNS
def test_a_run_in_an_earlier_state_gets_the_latest(filled, runs):
    run, table, states = run_of(filled, runs)
    early = states[-2]
    stored = filled.store.execute(f"SELECT timestamp FROM {table}_state WHERE id = ?", early["id"])[0][0]
    filled.sql(f"UPDATE {table} SET state_id = ?, state_type = ?, state_name = ?, state_timestamp = ? WHERE id = ?",
               early["id"], early["type"], early["name"], stored, run["id"])
    assert_repaired(filled, table, "state_id is not the run's latest state", run["id"])
    assert filled.read(runs, run) == run


@RUNS
@pytest.mark.parametrize("column, value", [("state_type", "NULL"), ("state_name", "'Lost'"),
                                           ("state_timestamp", "'2022-01-01 00:00:00.000000'")])
def test_what_a_run_repeats_of_its_state_is_taken_from_there(filled, runs, column, value):
    run, table, _ = run_of(filled, runs)
    filled.sql(f"UPDATE {table} SET {column} = {value} WHERE id = ?", run["id"])
    assert_repaired(filled, table, "state_type, state_name or state_timestamp is not that of the state", run["id"])
    assert filled.read(runs, run) == run


# ---- counts and times ----

@RUNS
@pytest.mark.parametrize("count", [0, 7])
def test_run_counts_are_counted_again(filled, runs, count):
    run, table, _ = run_of(filled, runs)
    filled.sql(f"UPDATE {table} SET run_count = {count} WHERE id = ?", run["id"])
    assert_repaired(filled, table, "run_count is not the number of RUNNING states", run["id"])
    assert filled.read(runs, run) == run and run["run_count"] == 1


def test_the_count_of_a_run_that_was_paused_is_not_judged(filled):
    """Whether going on counts depends on how the client asked."""
    run = filled.moved("flow_runs", filled.client.flow_run(filled.flow), "RUNNING", "PAUSED", "RUNNING", "COMPLETED")
    assert run["run_count"] == 2
    filled.sql("UPDATE flow_run SET run_count = 1 WHERE id = ?", run["id"])
    assert_clean(filled.store)


def test_what_a_task_run_noted_of_its_flow_run_is_counted_again(filled):
    assert filled.task_run["flow_run_run_count"] == 1
    filled.sql("UPDATE task_run SET flow_run_run_count = 2 WHERE id = ?", filled.task_run["id"])
    assert_repaired(filled, "task_run", "flow_run_run_count is more than the flow run ever ran", filled.task_run["id"])
    assert filled.read("task_runs", filled.task_run) == filled.task_run


@RUNS
@pytest.mark.parametrize("value", ["zero", "a day"])
def test_run_times_are_added_up_again(filled, runs, value):
    run, table, _ = run_of(filled, runs)
    stored = {("sqlite", "zero"): "'1970-01-01 00:00:00.000000'", ("sqlite", "a day"): "'1970-01-02 00:00:00.000001'",
              ("postgresql", "zero"): "'0'", ("postgresql", "a day"): "'1 day 00:00:00.000001'"}
    assert run["total_run_time"] > 0
    exact = filled.store.execute(f"SELECT total_run_time FROM {table} WHERE id = ?", run["id"])
    filled.sql(f"UPDATE {table} SET total_run_time = {stored[filled.store.engine, value]} WHERE id = ?", run["id"])
    assert_repaired(filled, table, "total_run_time is not the time spent in RUNNING states", run["id"])
    assert filled.store.execute(f"SELECT total_run_time FROM {table} WHERE id = ?", run["id"]) == exact
    assert filled.read(runs, run) == run


@RUNS
def test_an_end_before_the_start_is_taken_from_the_states(filled, runs):
    run, table, states = run_of(filled, runs)
    filled.sql(f"UPDATE {table} SET end_time = '2022-01-01 00:00:00.000000' WHERE id = ?", run["id"])
    assert_repaired(filled, table, "end_time is before start_time", run["id"])
    assert filled.read(runs, run) == run and run["end_time"] == states[-1]["timestamp"]
    filled.sql(f"UPDATE {table} SET start_time = '2099-01-01 00:00:00.000000' WHERE id = ?", run["id"])
    assert_repaired(filled, table, "end_time is before start_time", run["id"])
    assert filled.read(runs, run) == run


def test_times_that_the_states_do_not_explain_are_said_to_stay(filled):
    """As where a server's clock was set back: what the states say runs backwards, too."""
    filled.sql("UPDATE flow_run_state SET timestamp = '2099-01-01 00:00:00.000000' WHERE flow_run_id = ?"
               " AND type = 'RUNNING'", filled.flow_run["id"])
    filled.sql("UPDATE flow_run_state SET created = '2001-01-01 00:00:00.000000' WHERE flow_run_id = ?"
               " AND type = 'RUNNING'", filled.flow_run["id"])
    filled.sql("UPDATE flow_run SET end_time = '2022-01-01 00:00:00.000000' WHERE id = ?", filled.flow_run["id"])
    assert "end_time is before start_time" in check(filled.store)[1][0]
    status, lines = check(filled.store, "--repair", "-y")
    assert status == 1 and "1 could not be mended" in lines[-1], lines
    filled.sql("DELETE FROM flow_run WHERE id = ?", filled.flow_run["id"])
    for table, column in (("flow_run_state", "flow_run_id"), ("task_run", "flow_run_id")):
        filled.sql(f"DELETE FROM {table} WHERE {column} = ?", filled.flow_run["id"])
    for run in (filled.task_run, filled.busy):
        filled.sql("DELETE FROM task_run_state WHERE task_run_id = ?", run["id"])
    filled.sql("UPDATE concurrency_limit SET active_slots = '[]' WHERE id = ?", filled.limit["id"])
    assert_clean(filled.store)


# ---- limits ----

def hold(filled, *slots):
    filled.sql("UPDATE concurrency_limit SET active_slots = ? WHERE id = ?", json.dumps(slots), filled.limit["id"])


def slots(filled):
    return filled.client.get(f"/concurrency_limits/tag/{filled.tag}").value["active_slots"]


def test_slots_of_runs_that_have_ended_or_are_gone_are_freed(filled):
    hold(filled, filled.task_run["id"], filled.busy["id"])
    assert_repaired(filled, "concurrency_limit", "slots are held by task runs that have ended", filled.limit["id"])
    assert slots(filled) == [filled.busy["id"]]
    hold(filled, NOBODY, filled.busy["id"], "no id at all", "")
    assert_repaired(filled, "concurrency_limit", DELETED_RUNS, filled.limit["id"])
    assert slots(filled) == [filled.busy["id"]]
    hold(filled, NOBODY)
    assert_repaired(filled, "concurrency_limit", DELETED_RUNS, filled.limit["id"])
    stored = filled.store.execute("SELECT active_slots FROM concurrency_limit WHERE id = ?", filled.limit["id"])
    assert stored == [("[]",)]


# ---- what is refused ----

REFERENCES = [("flow_run", "flow_id", "flow", "flow_run"), ("task_run", "flow_run_id", "flow_run", "task_run"),
              ("flow_run", "deployment_id", "deployment", "flow_run")]


@pytest.mark.parametrize("table, column, meant, of", REFERENCES)
def test_references_to_nothing_are_named(filled, table, column, meant, of):
    row = getattr(filled, of)["id"]
    before = filled.store.execute(f"SELECT {column} FROM {table} WHERE id = ?", row)[0][0]
    filled.sql(f"UPDATE {table} SET {column} = ? WHERE id = ?", NOBODY, row)
    status, lines = check(filled.store)
    assert status == 1 and "without loss" in line_of(lines, table, f"{column} is not a row of {meant}"), lines
    if column != "flow_run_id":  # by which a task run's count is checked
        assert_refused(filled, table, f"{column} is not a row of {meant}", row)
    filled.sql(f"UPDATE {table} SET {column} = ? WHERE id = ?", before, row)
    assert_clean(filled.store)


def assert_named(filled, table, column, value, where):
    row = getattr(filled, table)["id"]
    before = filled.store.execute(f"SELECT {column} FROM {table} WHERE id = ?", row)[0][0]
    filled.sql(f"UPDATE {table} SET {column} = {value} WHERE id = ?", row)
    assert_refused(filled, where, "PostgreSQL cannot store them", f"{table} {row}: {column} is ")
    filled.sql(f"UPDATE {table} SET {column} = ? WHERE id = ?", before, row)
    assert_clean(filled.store)


@pytest.mark.parametrize("table, column, value", [("flow_run", "parameters", "'[1]'"), ("flow", "tags", "'{}'")])
def test_json_of_another_shape_is_named(filled, table, column, value):
    assert_named(filled, table, column, value, "JSON values")


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("column, value, where", [("context", "'{broken'", "JSON values"),
                                                  ("created", "'never'", "values")])
def test_values_that_cannot_be_read_are_named(filled, column, value, where, engine):
    assert_named(filled, "flow_run", column, value, where)


def document(filled):
    name = uuid.uuid4().hex
    block_type = filled.client.made("/block_types/", {"name": name, "slug": name})
    schema = filled.client.made("/block_schemas/", {"block_type_id": block_type["id"], "fields": {"title": name},
                                                    "capabilities": []})
    return filled.client.made("/block_documents/", {"name": name, "block_type_id": block_type["id"],
                                                    "block_schema_id": schema["id"], "data": {"a": 1}})


def test_secrets_that_cannot_be_decrypted_are_named(filled):
    made = document(filled)
    assert_clean(filled.store)
    status, lines = check(filled.store, ORION_ENCRYPTION_KEY="A" * 43 + "=")
    assert status == 1 and "unset ORION_ENCRYPTION_KEY" in line_of(lines, "block documents", "another key"), lines
    [[data]] = filled.store.execute("SELECT data FROM block_document WHERE id = ?", made["id"])
    token = json.loads(data)
    broken = token[:-20] + ("A" if token[-20] != "A" else "B") + token[-19:]
    filled.sql("UPDATE block_document SET data = ? WHERE id = ?", json.dumps(broken), made["id"])
    assert_refused(filled, "block documents", "they cannot be decrypted: it was encrypted with another key", made["id"])
    filled.sql("UPDATE block_document SET data = ? WHERE id = ?", json.dumps(token), made["id"])
    [[key]] = filled.store.execute("SELECT value FROM configuration WHERE key = 'ENCRYPTION_KEY'")
    filled.sql("UPDATE configuration SET value = '{}' WHERE key = 'ENCRYPTION_KEY'")
    assert_refused(filled, "block documents", "the row ENCRYPTION_KEY of the table configuration does not contain",
                   made["id"])
    filled.sql("UPDATE configuration SET value = ? WHERE key = 'ENCRYPTION_KEY'", key)
    assert_clean(filled.store)


def test_a_name_neither_begins_a_line_nor_controls_a_terminal(filled):
    made = document(filled)
    name = "a\nforged: line\x1b[2J\u009b2J\u2028\u202e\x7f"
    filled.sql("DELETE FROM block_document WHERE id <> ?", made["id"])
    filled.sql("UPDATE block_document SET name = ? WHERE id = ?", name, made["id"])
    for arguments, count in ([], 2), (["--all"], 3):
        status, lines = check(filled.store, *arguments, ORION_ENCRYPTION_KEY="A" * 43 + "=")
        assert status == 1 and len(lines) == count, lines
        assert all("a forged: line [2J" in line for line in lines[:-1]), lines
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u202e]", "".join(lines)), lines
    filled.sql("DELETE FROM block_document WHERE id = ?", made["id"])


# ---- the engine's own ----

@pytest.fixture
def alone(engine):
    """A database of its own, whose server has ended."""
    with servers.running("orion", database=engine, PREFECT_ORION_API_KEEPALIVE_TIMEOUT="3600") as server:
        filled = Filled(server)
        for number in range(60):
            filled.client.flow_run(filled.flow, name=f"run {number}")
        server.stop()
        yield filled


@pytest.mark.only("sqlite")
def test_an_index_that_lacks_rows_is_built_again(alone, engine):
    with contextlib.closing(sqlite3.connect(alone.store.path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        [[sql]] = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'ix_flow_run__name'").fetchall()
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'ix_flow_run__name'",
                           (sql + " WHERE name = 'nobody'",))
        connection.commit()
    with contextlib.closing(sqlite3.connect(alone.store.path)) as connection:
        connection.execute("REINDEX ix_flow_run__name")  # now it holds none of the rows
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'ix_flow_run__name'", (sql,))
        connection.commit()
    count = alone.store.execute("SELECT COUNT(*) FROM flow_run NOT INDEXED")[0][0]
    assert_repaired(alone, "the indexes", "do not agree with their tables", "ix_flow_run__name", count=count + 1)


@pytest.mark.only("sqlite")
def test_a_damaged_file_is_reported(alone, engine):
    with contextlib.closing(sqlite3.connect(alone.store.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page_size = connection.execute("PRAGMA page_size").fetchone()[0]
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'log'").fetchone()[0]
    with open(alone.store.path, "r+b") as file:
        file.seek((root - 1) * page_size)
        file.write(b"\xff" * 64)
    status, lines = check(alone.store)
    assert status == 1, lines
    assert "--repair cannot mend this without loss: restore a backup" in line_of(lines, "the file", "reports damage")
    status, lines = check(alone.store, "--repair", "-y")
    assert status == 1 and not any("mended" in line for line in lines), lines


@pytest.mark.only("postgresql")
def test_marks_of_postgresql_are_found_and_mended(filled, engine):
    filled.store.script("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_flow_run__name'::regclass")
    assert_repaired(filled, "the indexes", "they are marked as invalid", "ix_flow_run__name")
    filled.store.script("ALTER TABLE flow_run ADD CONSTRAINT \"odd one\" CHECK (run_count >= 0) NOT VALID")
    try:
        assert_repaired(filled, "the constraints", "they were never validated", "odd one of flow_run")
        filled.sql("ALTER TABLE flow_run DROP CONSTRAINT \"odd one\"")
        filled.sql("ALTER TABLE flow_run ADD CONSTRAINT \"odd one\" CHECK (run_count > 1000) NOT VALID")
        status, lines = check(filled.store, "--repair", "-y")
        assert status == 1 and any("0 of 1 mended" in line for line in lines), lines
    finally:
        filled.sql("ALTER TABLE flow_run DROP CONSTRAINT IF EXISTS \"odd one\"")
    assert_clean(filled.store)


@pytest.mark.only("postgresql")
def test_every_table_of_ours_is_looked_at_and_no_other(filled, engine):
    ours = [table for table in filled.store.tables() if table != "alembic_version"]
    filled.store.script("CREATE TABLE foreigner (n integer)")
    filled.store.script(";".join(f"ALTER TABLE {table} ADD CONSTRAINT odd CHECK (true) NOT VALID"
                                 for table in [*ours, "foreigner"]))
    try:
        assert_repaired(filled, "the constraints", "they were never validated", count=len(ours))
    finally:
        filled.store.script(";".join(f"ALTER TABLE {table} DROP CONSTRAINT odd" for table in ours))
        filled.store.script("DROP TABLE foreigner")


@pytest.mark.only("postgresql")
def test_amcheck_is_asked_where_it_is_there(filled, engine):
    assert "extension amcheck is missing" in check(filled.store)[1][0]
    filled.store.script("CREATE EXTENSION amcheck")
    try:
        assert "indexes (by amcheck)" in check(filled.store)[1][0]
        # As if the index had been built in the opposite order.
        filled.store.script("UPDATE pg_index SET indoption = '3' WHERE indexrelid = 'ix_log__level'::regclass")
        line = {"name": "x", "message": "m", "flow_run_id": NOBODY, "timestamp": "2022-01-01T00:00:00Z"}
        filled.client.post("/logs/", [{**line, "level": level} for level in range(50)])
        filled.store.script("UPDATE pg_index SET indoption = '0' WHERE indexrelid = 'ix_log__level'::regclass")
        assert_repaired(filled, "the indexes", "they are damaged, according to PostgreSQL's amcheck", "ix_log__level")
    finally:
        filled.store.script("DROP EXTENSION amcheck")


# ---- the command itself ----

def test_each_kind_has_one_line_and_all_names_every_row(filled):
    runs = [filled.client.flow_run(filled.flow) for _ in range(5)]
    for run in runs:
        filled.sql("UPDATE flow_run SET run_count = 3, state_name = 'Odd' WHERE id = ?", run["id"])
    status, lines = check(filled.store)
    assert status == 1 and len(lines) == 3, lines
    assert all(" 5 found: " in line and ", …. --repair" in line for line in lines[:2]), lines
    assert all(len(re.findall(r"[0-9a-f-]{36}", line)) == 3 for line in lines[:2]), lines
    assert lines[2] == "Kinds of faults found: 2. `orion database check --repair` mends 2 of them."
    status, lines = check(filled.store, "--all")
    assert sorted(lines[:5] + lines[6:11]) == sorted(f"flow_run: {run['id']}" for run in runs for _ in range(2)), lines
    status, lines = check(filled.store, "--repair", answer="n\n")
    assert status == 1 and lines[-1].endswith("[y/N]: Nothing was changed."), lines
    status, lines = check(filled.store, "--repair", answer="")
    assert status == 1 and lines[-1].endswith("[y/N]: Aborted."), lines
    status, lines = check(filled.store, "--repair", answer="y\n")
    assert status == 0 and sum("5 of 5 mended." in line for line in lines) == 2, lines
    assert_clean(filled.store)


def test_what_can_be_mended_is_mended_beside_what_cannot(filled):
    filled.sql("UPDATE flow_run SET run_count = 3 WHERE id = ?", filled.flow_run["id"])
    filled.sql("UPDATE flow SET tags = '{}' WHERE id = ?", filled.flow["id"])
    status, lines = check(filled.store, "--repair", "-y")
    said = "Kinds of faults that remain, since they cannot be mended without loss: 1."
    assert (status, lines[-1]) == (1, said), lines
    filled.sql("UPDATE flow SET tags = '[]' WHERE id = ?", filled.flow["id"])
    assert_clean(filled.store)


@pytest.mark.only("sqlite")
def test_no_query_takes_longer_than_rows_or_keeps_them(filled, engine):
    """Each goes through one table and looks the rest up by ids: none sorts or groups in memory, or looks up all states
    of a type."""
    status, lines = check(filled.store, PREFECT_ORION_DATABASE_ECHO="true", PREFECT_LOGGING_SERVER_LEVEL="DEBUG")
    queries = [line[line.index("SELECT "):] for line in lines if "SELECT " in line and "$1" not in line]
    assert status == 0 and len(queries) > 50, lines
    for query in queries:
        plan = [row[3] for row in filled.store.execute("EXPLAIN QUERY PLAN " + query)]
        scans = [step for step in plan if step.startswith("SCAN ") and "VIRTUAL TABLE" not in step]
        assert len(scans) <= 1, (query, plan)
        assert not re.search("TEMP B-TREE|type=|AUTOMATIC", "\n".join(plan)), (query, plan)


def test_it_sees_one_moment_of_a_database_in_use(filled):
    """A server moves runs while the check reads them."""
    end = datetime.datetime.now() + datetime.timedelta(seconds=1)
    run = filled.client.flow_run(filled.flow)
    checks = subprocess.Popen(
        ["sh", "-c", 'for i in 1 2 3; do "$0" database check || exit 1; done', servers.ORION_BIN],
        env=servers.server_environment("/nonexistent", PREFECT_ORION_DATABASE_CONNECTION_URL=filled.store.url),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    moves = 0
    while checks.poll() is None or datetime.datetime.now() < end:
        for state in ("RUNNING", "SCHEDULED"):
            answer = filled.client.post(f"/flow_runs/{run['id']}/set_state", {"state": {"type": state}, "force": True})
            assert answer.status == 201, answer
            moves += 1
    assert checks.returncode == 0, checks.stdout.read()
    assert moves >= 2
    assert_clean(filled.store)


def test_a_database_that_is_not_there_or_empty_is_an_error(tmp_path):
    for store in (servers.Store.of_home("sqlite", tmp_path / "nowhere"), servers.Store.of_home("sqlite", tmp_path)):
        if store.path.parent == tmp_path:
            sqlite3.connect(store.path).close()
            store.path.touch()
        status, lines = check(store)
        assert status == 1 and len(lines) == 1, lines
