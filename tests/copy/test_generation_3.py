"""Databases of Prefect 3 are copied, backed up, restored and measured as those of 2.7 are, with all of their tables."""
import contextlib
import shutil
import sqlite3
import subprocess
import uuid

import pytest

from tests.lib import servers
from . import databases

VALUES = {"CHAR": None, "VARCHAR": "text", "TEXT": "text", "DATETIME": "2026-01-02 03:04:05.678901",
          "JSON": '{"a": 1.5}', "INTEGER": 3, "FLOAT": 0.1 + 0.2, "BOOLEAN": 1}
STATUS = {"worker": "ONLINE"}  # the others': READY


def row_of(connection, table):
    """A value for each column; of a reference, the id of a row of that table."""
    parents = {row[3]: row[2] for row in connection.execute(f"PRAGMA foreign_key_list({table})")}
    row = {}
    for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})"):
        if name in parents:
            order = "DESC" if name.startswith("reference_") else "ASC"  # not to itself
            row[name] = connection.execute(f"SELECT id FROM {parents[name]} ORDER BY id {order}").fetchone()[0]
        elif name == "status":
            row[name] = STATUS.get(table, "READY")
        else:
            row[name] = VALUES[kind.partition("(")[0]] or str(uuid.uuid4())
    return row


@pytest.fixture(scope="module")
def of_3(source, tmp_path_factory):
    """With rows in each table."""
    folder = tmp_path_factory.mktemp("of_3")
    path = shutil.copy(source.path, folder / "prefect.db")
    database = databases.sqlite_at(path)
    command = [servers.ORION_BIN, "database", "upgrade", "-y", "--to", "3", "--no-copy"]
    environment = servers.server_environment(folder, PREFECT_ORION_DATABASE_CONNECTION_URL=database.url)
    subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=True, timeout=60)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for table in databases.shape(database):
            if connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] == 0:
                row = row_of(connection, table)
                names = ", ".join(f'"{name}"' for name in row)
                connection.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})",
                                   list(row.values()))
        connection.commit()
    return database


@pytest.fixture(scope="module")
def tables_of_3(of_3):
    return databases.shape(of_3)


def test_there_is_a_row_in_each_table(of_3, tables_of_3):
    assert len(tables_of_3) == 35
    assert all(of_3.execute(f"SELECT COUNT(*) FROM {table}")[0][0] for table in tables_of_3)


def copied(orion, source, target, *words):
    return databases.run(orion, source, "copy", "--from", source.url, "--to", target.url, "-y", *words)


def test_a_copy_to_the_other_engine_and_back(orion, of_3, tables_of_3, engine, tmp_path):
    between, back = databases.new(engine, tmp_path, "between"), databases.new("sqlite", tmp_path, "back")
    status, out = copied(orion, of_3, between)
    assert status == 0 and "automation_related_resource" in out, out
    status, out = copied(orion, between, back)
    assert status == 0, out
    assert databases.rows(back, tables_of_3) == databases.rows(of_3, tables_of_3)
    assert back.execute("SELECT version_num FROM alembic_version") == [("14806cb26270",)]
    status, out = copied(orion, of_3, between)
    assert status == 1 and "The target is not empty" in out
    assert copied(orion, of_3, between, "--force")[0] == 0


def test_a_backup_and_a_restore(orion, of_3, tables_of_3, engine, tmp_path):
    between, back = databases.new(engine, tmp_path, "between"), databases.new("sqlite", tmp_path, "back")
    assert copied(orion, of_3, between)[0] == 0
    status, out = databases.run(orion, between, "backup", str(tmp_path / "backup"))
    assert status == 0, out
    status, out = databases.run(orion, back, "restore", str(tmp_path / "backup"), "-y")
    assert status == 0, out
    assert databases.rows(back, tables_of_3) == databases.rows(of_3, tables_of_3)


def test_generations_do_not_mix(orion, of_3, source, engine, tmp_path):
    of_2_7, copy_of_3 = databases.new(engine, tmp_path, "a"), databases.new(engine, tmp_path, "b")
    assert copied(orion, source, of_2_7)[0] == 0 and copied(orion, of_3, copy_of_3)[0] == 0
    before = of_2_7.dump(), copy_of_3.dump()
    status, out = copied(orion, of_3, of_2_7, "--force")
    assert status == 1 and "and not at Prefect 3.8.3's" in out
    status, out = copied(orion, source, copy_of_3, "--force")
    assert status == 1 and "of a Prefect after 2.7.12" in out
    assert (of_2_7.dump(), copy_of_3.dump()) == before


def test_stats_and_vacuum(orion, of_3, engine, tmp_path):
    copy = databases.new(engine, tmp_path)
    assert copied(orion, of_3, copy)[0] == 0
    status, out = databases.run(orion, copy, "stats", "--all")
    assert status == 0 and "event_resources" in out and "notification" not in out
    status, out = databases.run(orion, copy, "vacuum", "-y")
    assert status == 0, out


def test_reset_and_drop(orion, of_3, engine, tmp_path):
    copy = databases.new(engine, tmp_path)
    assert copied(orion, of_3, copy)[0] == 0
    status, out = databases.run(orion, copy, "downgrade", "-y")
    assert status == 0, out
    assert copy.tables() in ([], ["alembic_version"])
    status, out = databases.run(orion, copy, "upgrade", "-y")
    assert status == 0, out


@pytest.mark.only("sqlite")
def test_later_releases_that_only_add_indexes(orion, of_3, engine, tmp_path):
    copy = databases.sqlite_at(shutil.copy(of_3.path, tmp_path / "later.db"))
    copy.execute("CREATE INDEX ix_flow_run__deployment_id ON flow_run (deployment_id)")
    copy.execute("UPDATE alembic_version SET version_num = 'f416ea180ae1'")
    assert databases.run(orion, copy, "stats")[0] == 0
    copy.execute("UPDATE alembic_version SET version_num = '8f5eda7c1dd7'")  # 3.9's, with another table
    status, out = databases.run(orion, copy, "stats")
    assert status == 1 and "which this version does not know" in out
