"""The schema that our migrations make is, object by object, the one that the reference's arrive at, with the same first
rows; and each of the two takes a database of the other as it is.

ORION_BIN (default build/orion) and REFERENCE_BIN (default .venv/bin/prefect) name the executables."""
import os
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ORION = os.environ.get("ORION_BIN", str(ROOT / "build/orion"))
REFERENCE = os.environ.get("REFERENCE_BIN", str(ROOT / ".venv/bin/prefect"))
HEAD = "bfe42b7090d6"


def upgrade(command, home, database):
    """Runs a `database upgrade`, with nothing of the user's settings around."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    environment.update(PREFECT_HOME=str(home), PREFECT_ORION_DATABASE_CONNECTION_URL=f"sqlite+aiosqlite:///{database}",
                       PREFECT_API_URL="", NO_COLOR="1")
    return subprocess.run([*command, "database", "upgrade", "-y"], env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)


def upgrade_ours(home, database):
    return upgrade([ORION], home, database)


def upgrade_reference(home, database):
    return upgrade([REFERENCE, "orion"], home, database)


def query(database, sql, *values):
    connection = sqlite3.connect(database)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def words(sql):
    """A statement without its layout: literals, words and signs, one space between; names without quotes."""
    tokens = re.findall(r"'[^']*'|\w+|[^\s\w]", re.sub(r'"(\w+)"', r"\1", sql))
    return " ".join(tokens)


def parts(sql):
    """The columns and constraints of a CREATE TABLE, in words. The reference's own migrations put constraints in
    another order at each run (they come from a Python set), so these are sorted."""
    head, body = words(sql).split(" ( ", 1)
    found, depth = [""], 0
    for token in re.findall(r"'[^']*'|\S+", body):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == "," and depth == 0:
            found.append("")
        else:
            found[-1] += " " + token
    columns = [part for part in found if not part.startswith(" CONSTRAINT ")]
    constraints = [part.removesuffix(" )") if part is found[-1] else part
                   for part in found if part.startswith(" CONSTRAINT ")]
    return [head, *columns, *sorted(constraints)]


def schema(database):
    rows = query(database, "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name")
    return {(kind, name): (table, parts(sql) if kind == "table" else sql and words(sql))
            for kind, name, table, sql in rows}


def dump(database):
    connection = sqlite3.connect(database)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


@pytest.fixture(scope="session")
def ours(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ours")
    done = upgrade_ours(folder, folder / "orion.db")
    assert done.returncode == 0, done.stdout
    return folder / "orion.db"


@pytest.fixture(scope="session")
def theirs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("theirs")
    done = upgrade_reference(folder, folder / "orion.db")
    assert done.returncode == 0, done.stdout
    return folder / "orion.db"


def tables(database):
    return sorted(name for name, in query(database, "SELECT name FROM sqlite_master WHERE type = 'table'"))


def test_same_objects(ours, theirs):
    assert sorted(schema(ours)) == sorted(schema(theirs))
    assert len(tables(ours)) == 24


def test_same_definitions(ours, theirs):
    left, right = schema(ours), schema(theirs)
    different = {key: (left.get(key), value) for key, value in right.items() if left.get(key) != value}
    assert different == {}


# What SQLite itself understood, so that nothing hangs on how words() compares texts.
@pytest.mark.parametrize("pragma", ["table_xinfo", "foreign_key_list", "index_list"])
def test_same_understanding(ours, theirs, pragma):
    for table in tables(theirs):
        left, right = query(ours, f"PRAGMA {pragma}({table})"), query(theirs, f"PRAGMA {pragma}({table})")
        if pragma == "table_xinfo":  # column 4: the default's text, whose layout may differ
            left, right = ([(*row[:4], row[4] and words(row[4]), *row[5:]) for row in rows] for rows in (left, right))
            assert left == right, table
        else:  # the first columns number the rows in an order that means nothing
            first = 1 if pragma == "index_list" else 2
            assert sorted(map(str, (row[first:] for row in left))) == \
                sorted(map(str, (row[first:] for row in right))), table


def test_same_index_columns(ours, theirs):
    for name, in query(theirs, "SELECT name FROM sqlite_master WHERE type = 'index'"):
        assert query(ours, f"PRAGMA index_xinfo({name})") == query(theirs, f"PRAGMA index_xinfo({name})"), name


def test_same_first_rows(ours, theirs):
    for table in tables(theirs):
        left, right = (query(database, f"SELECT * FROM {table}") for database in (ours, theirs))
        columns = [row[1] for row in query(theirs, f"PRAGMA table_info({table})")]
        made_up = {"id", "created", "updated", "default_queue_id", "work_pool_id"}
        keep = [i for i, column in enumerate(columns) if column not in made_up]
        assert [[row[i] for i in keep] for row in left] == [[row[i] for i in keep] for row in right], table
        types = [f"typeof({column})" for column in columns]
        left, right = (query(database, f"SELECT {', '.join(types)} FROM {table}") for database in (ours, theirs))
        assert left == right, table


@pytest.mark.parametrize("made_by", ["ours", "theirs"])
def test_first_rows_belong_together(made_by, request):
    database = request.getfixturevalue(made_by)
    assert query(database, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    together = """SELECT p.name, p.type, q.name, q.priority FROM work_pool AS p
                  JOIN work_queue AS q ON q.id = p.default_queue_id AND q.work_pool_id = p.id"""
    assert query(database, together) == [("default-agent-pool", "prefect-agent", "default", 1)]
    identifier = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}000"
    for row in query(database, "SELECT id, created, updated FROM work_pool UNION ALL SELECT id, created, updated"
                     " FROM work_queue"):
        assert re.fullmatch(identifier, row[0]) and re.fullmatch(time, row[1]) and re.fullmatch(time, row[2]), row


def test_reference_takes_our_database_as_it_is(ours, tmp_path):
    database = shutil.copy(ours, tmp_path / "orion.db")
    before = dump(database)
    done = upgrade_reference(tmp_path, database)
    assert done.returncode == 0, done.stdout
    assert dump(database) == before


def test_we_take_the_reference_s_database_as_it_is(theirs, tmp_path):
    database = shutil.copy(theirs, tmp_path / "orion.db")
    before = dump(database)
    done = upgrade_ours(tmp_path, database)
    assert done.returncode == 0, done.stdout
    assert dump(database) == before


def test_a_database_that_is_not_at_its_revision_is_left_alone(theirs, tmp_path):
    database = shutil.copy(theirs, tmp_path / "orion.db")
    connection = sqlite3.connect(database)
    connection.execute("UPDATE alembic_version SET version_num = '1678f2fb8b33'")
    connection.commit()
    connection.close()
    before = dump(database)
    done = upgrade_ours(tmp_path, database)
    assert done.returncode == 1
    assert f"failed at revision {HEAD} (Clean up work queue migration)" in done.stdout  # drops what is not there
    assert dump(database) == before
