"""`orion database copy`: between SQLite files, to PostgreSQL and back. What arrives is compared row by row by Python's
own drivers."""
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import urllib.request

import pytest

from tests.lib import servers
from . import databases, filled

FINISHED = {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]}}}
ANSWERS = [("/flows/filter", {}), ("/flow_runs/filter", {"flow_runs": FINISHED}),
           ("/task_runs/filter", {"task_runs": FINISHED}), ("/logs/filter", {}), ("/deployments/filter", {}),
           ("/block_documents/filter", {"include_secrets": True}), ("/block_types/filter", {}),
           ("/block_schemas/filter", {}), ("/experimental/work_pools/filter", {}),
           ("/experimental/work_pools/pool/queues/filter", {}), ("/saved_searches/filter", {}),
           ("/concurrency_limits/filter", {}), ("/flow_run_notification_policies/filter", {})]


def upgrade(orion, database):
    assert orion("upgrade", "-y", PREFECT_ORION_DATABASE_CONNECTION_URL=database.url)[0] == 0


def copy(orion, source, target, *words, stdin=""):
    return orion("copy", "--from", source.url, "--to", target.url, *words, stdin=stdin)


def copied(orion, source, target, *words):
    status, out = copy(orion, source, target, *words)
    assert status == 0 and "Copied and verified" in out, out
    return out


def start(source, target, home, *words):
    return subprocess.Popen([str(servers.ORION_BIN), "database", "copy", "--from", source.url,
                             "--to", target.url, *words],
                            env=servers.server_environment(home), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def wait_for_line(process, wanted):
    for line in process.stderr:
        if line.startswith(wanted):
            return
    raise AssertionError(f"it ended without {wanted!r}: {process.stdout.read()}")


def test_the_source_has_rows_in_each_table(source, tables):
    assert [table for table, found in databases.rows(source, tables).items() if not found] == []


def test_postgresql_has_these_columns_too(orion, tables, tmp_path):
    database = databases.new("postgresql", tmp_path)
    upgrade(orion, database)
    assert {table: sorted(database.columns(table)) for table in database.tables()} == \
        {"alembic_version": ["version_num"], **{table: sorted(columns) for table, (columns, _) in tables.items()}}


def test_every_value_arrives(orion, source, target, tables):
    out = copied(orion, source, target)
    want = databases.rows(source, tables)
    have = databases.rows(target, tables)
    for table in tables:
        assert have[table] == want[table], table
        assert re.search(rf"^{table} +{len(want[table])}  [0-9a-f]{{16}}$", out, re.M), out
    if target.engine == "postgresql":
        assert target.execute(
            "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND (condeferrable OR NOT convalidated)") == [(0,)]


def test_the_check_finds_nothing_in_what_clients_made(orion, source, target):
    copied(orion, source, target)
    for database in (source, target):
        status, out = orion("check", PREFECT_ORION_DATABASE_CONNECTION_URL=database.url)
        assert status == 0, out


def test_there_and_back(orion, source, tables, tmp_path):
    """Through PostgreSQL nothing changes but the order of keys and the spelling of numbers; the checksums tell that,
    too."""
    middle, end = databases.new("postgresql", tmp_path), databases.new("sqlite", tmp_path, "end")
    sums = [re.findall(r"^\w+ +\d+  [0-9a-f]{16}$", copied(orion, *pair), re.M)
            for pair in ((source, middle), (middle, end), (end, source_again(orion, tmp_path)))]
    assert len(sums[0]) == len(tables) and sums[0] == sums[1] == sums[2]
    assert databases.rows(end, tables) == databases.rows(source, tables)
    for table, (columns, json_columns) in tables.items():
        # of which two are spelled as none writes them
        for column in set(columns) - json_columns - {"total_run_time", "start_time"}:
            sql = f'SELECT id, typeof("{column}"), "{column}" FROM {table} ORDER BY id'
            assert end.execute(sql) == source.execute(sql), (table, column)
        for column in json_columns:
            sql = f'SELECT count(*) FROM {table} WHERE "{column}" GLOB ?'
            assert end.execute(sql, "*[^ -~]*") == [(0,)], (table, column)


def source_again(orion, folder):
    """A target that has the schema, and nothing but the rows that come with it."""
    database = databases.new("sqlite", folder, "again")
    upgrade(orion, database)
    return database


def serving(database, home):
    return servers.running("orion", home=home, database=database.url,
                           PREFECT_ORION_DATABASE_CONNECTION_URL=database.url,
                           PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS="true")


def answers(server):
    def ask(path, body):
        request = urllib.request.Request(server.url + path, json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return sorted(json.load(answer), key=lambda item: item["id"])
    return {path: ask(path, body) for path, body in ANSWERS}


def test_a_server_answers_the_same(orion, source, target, tmp_path):
    copied(orion, source, target)
    found = []
    for database in (databases.sqlite_at(shutil.copy(source.path, tmp_path / "beside.db")), target):
        with serving(database, tmp_path) as server:
            found.append(answers(server))
    for path, _ in ANSWERS:
        assert found[0][path] == found[1][path] and found[0][path], path
    assert [document["data"] for document in found[1]["/block_documents/filter"] if document["name"] == "secret"] == \
        [{"key": "hunter2"}]


# ---- what is refused ----

def test_a_target_with_rows(orion, source, altered, target, tables):
    copied(orion, source, target)
    before = databases.rows(target, tables)
    altered.execute("UPDATE flow SET tags = '[\"changed\"]'")
    status, out = copy(orion, altered, target)
    assert status == 1 and re.search(r"The target is not empty \(rows: .*flow \d+.*\)\. Use --force", out), out
    status, out = copy(orion, altered, target, "--force", stdin="n\n")
    assert status == 1 and "Are you sure you want to replace everything" in out and "Database copy aborted" in out
    assert databases.rows(target, tables) == before
    copied(orion, altered, target, "--force", "-y")
    assert databases.rows(target, tables) == databases.rows(altered, tables)


def test_a_target_that_a_server_has_used(orion, source, target, tmp_path):
    with serving(target, tmp_path):
        pass
    status, out = copy(orion, source, target)
    assert status == 1 and re.search(r"rows: block_type \d+, block_schema \d+", out), out


BAD = [
    ("log", "message", "'a' || char(0)", "contains the character U+0000, which PostgreSQL cannot store"),
    ("flow_run", "parameters", "'{\"a\": \"\\u0000\"}'",
     "contains the character U+0000, which PostgreSQL cannot store"),
    ("task_run", "task_inputs", "'{\"\\u0000\": 1}'", "contains the character U+0000, which PostgreSQL cannot store"),
    ("flow_run", "parameters", "'[NaN]'", "is not JSON that PostgreSQL accepts (NaN and Infinity are not)"),
    ("concurrency_limit", "concurrency_limit", "2147483648", "is out of range for PostgreSQL's column"),
    ("log", "level", "32768", "is out of range for PostgreSQL's column"),
    ("log", "flow_run_id", "'x'", "is not a UUID in the usual form"),
    ("flow_run_state", "type", "'BEST'", "is not a state type"),
]
BAD_ANYWHERE = [
    ("flow", "created", "'yesterday'", "is not a valid time"),
    ("flow_run", "total_run_time", "'long'", "is not a valid duration"),
    ("flow_run", "run_count", "'many'", "is not an integer"),
    ("block_type", "is_protected", "2", "is neither true nor false"),
    ("flow_run", "work_queue_id", "'00000000-0000-4000-8000-000000000001'",
     "is 00000000-0000-4000-8000-000000000001, which is not a row of work_queue"),
    ("work_pool", "default_queue_id", "'00000000-0000-4000-8000-000000000001'",
     "is 00000000-0000-4000-8000-000000000001, which is not a row of work_queue"),
]


def spoil(database, table, column, value):
    row = database.execute(f"SELECT min(id) FROM {table}")[0][0]
    database.execute(f"UPDATE {table} SET {column} = {value} WHERE id = ?", row)
    return row


@pytest.mark.parametrize("table, column, value, reason", BAD + BAD_ANYWHERE)
def test_what_postgresql_cannot_hold(orion, altered, tmp_path, table, column, value, reason):
    target = databases.new("postgresql", tmp_path)
    row = spoil(altered, table, column, value)
    status, out = copy(orion, altered, target)
    assert status == 1 and f"Table {table} of the source, row {row}: {column} {reason}\n" in out, out
    assert "Nothing was stored" in out and not target.has_tables()


@pytest.mark.parametrize("table, column, value, reason", BAD_ANYWHERE)
def test_what_no_database_should_hold(orion, altered, tmp_path, table, column, value, reason):
    target = databases.new("sqlite", tmp_path)
    row = spoil(altered, table, column, value)
    status, out = copy(orion, altered, target)
    assert status == 1 and f"Table {table} of the source, row {row}: {column} {reason}\n" in out, out
    assert not target.has_tables()


@pytest.mark.parametrize("to", ["sqlite", "postgresql"])
def test_bad_rows_are_left_out_where_that_is_asked_for(orion, altered, tables, tmp_path, to):
    """With what refers to them, whatever the way and the order of the tables: every one is named, and all others
    arrive."""
    target = databases.new(to, tmp_path)
    rows = {(table, column): spoil(altered, table, column, value) for table, column, value, _ in BAD_ANYWHERE[:-1]}
    parent = altered.execute("SELECT id FROM flow WHERE id <> ? ORDER BY id DESC LIMIT 1",
                             rows["flow", "created"])[0][0]
    status, out = copy(orion, altered, target)
    assert status == 1 and "--skip-bad-rows leaves their rows out" in out and not target.has_tables()
    status, out = copy(orion, altered, target, "--skip-bad-rows")
    assert status == 0, out
    named = {tuple(line.split()[2:4]) for line in out.splitlines() if line.startswith("Left out: ")}
    named = {(table, row.rstrip(":")) for table, row in named}
    assert named >= {(table, row) for (table, _), row in rows.items()}
    assert f"{len(named)} rows were left out." in out
    gone = {table: {row for name, row in named if name == table} for table in tables}
    runs = {row for row, in altered.execute("SELECT id FROM flow_run WHERE flow_id = ?", rows["flow", "created"])}
    assert runs and runs <= gone["flow_run"] and parent not in gone["flow"]
    for table in tables:
        have = {str(row) for row, in target.execute(f"SELECT id FROM {table}")}
        assert have == {row for row, in altered.execute(f"SELECT id FROM {table}")} - gone[table], table
    assert sum(map(len, gone.values())) < sum(altered.execute(f"SELECT count(*) FROM {table}")[0][0]
                                              for table in tables)
    status, out = orion("check", PREFECT_ORION_DATABASE_CONNECTION_URL=target.url)
    assert status == 0, out


def test_sqlite_takes_what_postgresql_does_not(orion, altered, tmp_path):
    target = databases.new("sqlite", tmp_path)
    for table, column, value, _ in BAD:
        spoil(altered, table, column, value)
    copied(orion, altered, target)
    for table in ("log", "flow_run", "task_run", "concurrency_limit", "flow_run_state"):
        sql = f"SELECT * FROM {table} ORDER BY id"
        have, want = target.execute(sql), altered.execute(sql)
        assert [[value for value in row if value not in (0, databases.NO_TIME)] for row in have] == \
            [[f"{value}.000000" if value == "2026-02-28 12:00:00" else value
              for value in row if value not in (0, databases.NO_TIME)] for row in want]


def test_one_database_with_itself(orion, source, tables, tmp_path):
    link = tmp_path / "link.db"
    link.symlink_to(source.path)
    status, out = copy(orion, source, databases.sqlite_at(link), "--force", "-y")
    assert status == 1 and "Source and target are the same database" in out
    database = databases.new("postgresql", tmp_path)
    copied(orion, source, database)
    again = type("Other", (), {"url": database.url.replace("127.0.0.1", "localhost").replace("+asyncpg", "")})
    status, out = copy(orion, database, again, "--force", "-y")
    assert status == 1 and "Source and target are the same database" in out
    assert databases.rows(database, tables) == databases.rows(source, tables)


def test_sources_that_are_none(orion, target, tmp_path):
    status, out = copy(orion, databases.sqlite_at(tmp_path / "folder" / "none.db"), target)
    assert status == 1 and f"The source: There is no database at {tmp_path}/folder/none.db" in out
    assert not (tmp_path / "folder").exists()
    empty = databases.sqlite_at(tmp_path / "empty.db")
    empty.execute("SELECT 1")
    status, out = copy(orion, empty, target)
    assert status == 1 and "The source: The database has none of Orion's tables" in out
    assert not target.has_tables()


@pytest.mark.parametrize("side", ["source", "target"])
def test_other_revisions(orion, source, altered, tmp_path, side):
    database = altered if side == "source" else source_again(orion, tmp_path)
    database.execute("UPDATE alembic_version SET version_num = '1678f2fb8b33'")
    pair = (altered, databases.new("sqlite", tmp_path)) if side == "source" else (source, database)
    status, out = copy(orion, *pair)
    assert status == 1 and f"The {side}: The database is at revision 1678f2fb8b33, older than the one needed" in out


def test_a_target_with_a_table_of_another_program(orion, source, target):
    upgrade(orion, target)
    target.execute("DROP TABLE log")
    target.execute("CREATE TABLE log (id VARCHAR(36) PRIMARY KEY)")
    before = target.dump()
    status, out = copy(orion, source, target, "--force", "-y")
    assert status == 1 and "The target: " in out and "table log" in out
    assert target.dump() == before


def test_tables_of_a_newer_release_are_named(orion, holding, tmp_path):
    holding.execute("CREATE TABLE orion_notes (id VARCHAR(36) PRIMARY KEY)")
    holding.execute("CREATE TABLE orders (id VARCHAR(36) PRIMARY KEY)")
    out = copied(orion, holding, databases.new("sqlite", tmp_path))
    assert "Not copied, since this release of Orion does not know them: the tables orion_notes\n" in out


def test_mistakes(orion, source):
    for words, part in ((["--from", source.url], "Missing option '--to'"),
                        (["--to", source.url], "Missing option '--from'")):
        status, out = orion("copy", *words)
        assert status == 2 and part in out
    status, out = orion("copy", "--from", source.url, "--to", "mysql://user:geheim@host/db")
    assert status == 1 and "The target: " in out and "geheim" not in out
    status, out = orion("copy", "--from", "postgresql+asyncpg://user:geheim@127.0.0.1:1/db", "--to", source.url,
                        "--force", "-y")
    assert status == 1 and "The source: " in out and "geheim" not in out


# ---- while it runs ----

@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_copy_that_is_stopped_leaves_the_target_as_it_was(orion, source, big, target, tables, tmp_path, number):
    copied(orion, source, target)
    before = databases.rows(target, tables)
    process = start(big, target, tmp_path, "--force", "-y")
    wait_for_line(process, "Copying log:")
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == -number
    assert databases.rows(target, tables) == before
    copied(orion, big, target, "--force", "-y")
    assert len(databases.rows(target, tables)["log"]) > 30000
    statistics = "sqlite_stat1 WHERE tbl = 'log'" if target.engine == "sqlite" else \
        "pg_statistic WHERE starelid = 'log'::regclass"
    assert target.execute(f"SELECT count(*) FROM {statistics}")[0][0] > 5


def test_what_is_written_meanwhile_stays_out(big, target, tables, tmp_path):
    before = databases.rows(big, tables)
    process = start(big, target, tmp_path)
    wait_for_line(process, "Copying flow:")
    added = [filled.new_id() for _ in range(20)]
    for row in added:
        big.execute("INSERT INTO log (id, name, level, flow_run_id, message, timestamp)"
                    " VALUES (?, '', 0, ?, '', '2026-01-01 00:00:00.000000')", row, row)
    out, _ = process.communicate(timeout=120)
    for row in added:
        big.execute("DELETE FROM log WHERE id = ?", row)
    assert process.returncode == 0, out
    assert databases.rows(target, tables) == before


def test_the_bar_is_drawn_on_a_terminal(big, tmp_path):
    leader, follower = pty.openpty()
    command = [str(servers.ORION_BIN), "database", "copy", "--from", big.url, "--to",
               databases.new("sqlite", tmp_path).url]
    process = subprocess.Popen(command, env=servers.server_environment(tmp_path), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=follower)
    os.close(follower)
    out = b""
    try:
        while chunk := os.read(leader, 4096):
            out += chunk
    except OSError:
        pass  # the other end is closed
    os.close(leader)
    assert process.wait(60) == 0
    drawn = [line for line in out.decode().split("\r\033[K") if line]
    assert drawn \
        and all(re.fullmatch(r"(Copying  |Verifying) \[#*\.*\] +\d+ % +\d+ rows/s  \w+", line) for line in drawn), drawn
    assert out.decode().endswith("\r\033[K") and max(map(len, drawn)) < 80
