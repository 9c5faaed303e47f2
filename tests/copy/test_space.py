"""`orion database stats` and `vacuum`."""
import contextlib
import http.client
import json
import sqlite3
import time

import pytest

from tests.lib import servers
from . import databases

FREED = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO log" \
    " (id, name, level, flow_run_id, message, timestamp) SELECT 'freed' || i, 'n', 20," \
    " '00000000-0000-4000-8000-000000000000', 'message', '2026-01-01 00:00:00.000000' FROM n"


def stats(orion, database):
    status, out = databases.run(orion, database, "stats", "--json")
    assert status == 0, out
    return json.loads(out)


def test_rows_bytes_and_growth(orion, holding, tables):
    """Added up, tables and indexes are the file, but for its schema and what is free."""
    found = stats(orion, holding)
    assert {table["name"]: table["rows"] for table in found["tables"]} == \
        {table: len(rows) for table, rows in databases.rows(holding, tables).items()}
    for table in found["tables"]:
        assert table["bytes"] > 0 and table["index_bytes"] == sum(table["indexes"].values()) > 0
    total = sum(table["bytes"] + table["index_bytes"] for table in found["tables"])
    if holding.engine == "sqlite":
        assert 0.8 * found["bytes"] < total + found["free_bytes"] <= found["bytes"]
        assert found["bytes"] == holding.path.stat().st_size
    else:
        assert total < found["bytes"] and found["free_bytes"] is found["wal_bytes"] is None
    runs, = holding.execute("SELECT count(*) FROM flow_run WHERE created > '2026-01-01'")[0]
    assert found["growth"]["days"] == 7 or found["growth"]["runs_per_day"] * found["growth"]["days"] <= runs
    assert found["oldest_run"] <= found["newest_run"]


def test_the_table_for_people(orion, holding):
    status, out = databases.run(orion, holding, "stats")
    lines = out.splitlines()
    assert status == 0 and lines[0].split() == ["table", "rows", "data", "indexes"]
    width = len(lines[0])
    assert all(len(line) == width for line in lines[:lines.index("")]) and "growth a day" in out
    assert len(databases.run(orion, holding, "stats", "--all")[1].splitlines()) > len(lines)


def test_an_empty_database_and_none(orion, target, tmp_path):
    status, out = databases.run(orion, target, "stats")
    assert status == 1 and ("There is no database at" in out or "none of Orion's tables" in out)
    assert databases.run(orion, target, "upgrade", "-y")[0] == 0
    found = stats(orion, target)
    assert found["oldest_run"] is None and found["growth"]["bytes_per_day"] == 0


def test_vacuum(orion, holding, tables):
    if holding.engine == "sqlite":
        holding.execute(FREED)
        holding.execute("DELETE FROM log WHERE id LIKE 'freed%'")
        assert stats(orion, holding)["free_bytes"] > 1000000
    rows, size = databases.rows(holding, tables), stats(orion, holding)["bytes"]
    status, out = orion("vacuum", stdin="n\n", PREFECT_ORION_DATABASE_CONNECTION_URL=holding.url)
    assert status == 1 and "Database vacuum aborted" in out
    status, out = databases.run(orion, holding, "vacuum", "-y")
    assert status == 0 and "Vacuumed in" in out, out
    assert databases.rows(holding, tables) == rows
    if holding.engine == "sqlite":
        found = stats(orion, holding)
        assert found["bytes"] < size - 1000000 and found["free_bytes"] == 0


@pytest.mark.only("sqlite")
def test_vacuum_tells_what_it_means_to_a_server(orion, holding, tmp_path):
    with servers.running("orion", home=tmp_path, database=holding.url,
                         PREFECT_ORION_DATABASE_CONNECTION_URL=holding.url):
        status, out = orion("vacuum", stdin="y\n", PREFECT_ORION_DATABASE_CONNECTION_URL=holding.url)
    assert status == 0 and "It is in use: " in out and "fail with 503" in out and "Vacuumed in" in out


@pytest.mark.only("sqlite")
def test_a_reader_that_lasts_does_not_hold_each_write_up(holding, tmp_path):
    """A reader that lasts keeps the log from starting over. Once that is long, the writer waits for it, but not after
    each commit."""
    with servers.running("orion", home=tmp_path, database=holding.url,
                         PREFECT_ORION_DATABASE_CONNECTION_URL=holding.url) as server, \
            contextlib.closing(sqlite3.connect(holding.path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM flow").fetchone()
        holding.execute("CREATE TABLE filler AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                         " WHERE i < 70) SELECT zeroblob(1000000) FROM n")
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        for i in range(40):
            connection.request("POST", "/api/flows/", json.dumps({"name": f"waits {i}"}),
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            assert answer.status in (200, 201), answer.read()
            answer.read()
        assert time.monotonic() - began < 20
