#!/usr/bin/env python3
"""python -m tests.plans.plans --anew [--plans-only] — writes statistics.json, from 100,000 flow runs, and sqlite.json.

How the engines carry out what the dashboard and the CLI ask. SQLite plans by the statistics that it has of a table, so
a small database with the statistics of a large one shows what happens in the large one. PostgreSQL tells what it has
done, by auto_explain."""
import argparse
import contextlib
import json
import re
import sqlite3
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from bench import fill, reads, shapes
from tests.lib import postgres, servers

HERE = Path(__file__).resolve().parent
STATISTICS, EXPECTED = HERE / "statistics.json", HERE / "sqlite.json"
LARGE, SMALL = 100_000, 1_000
# The tables that grow with every run.
RUN_TABLES = ["flow_run", "task_run", "flow_run_state", "task_run_state", "log"]
OF_RUNS = re.compile(rf"\b({'|'.join(RUN_TABLES)})\b")
# Without the id of the request, which ends the line.
STATEMENT = re.compile(r"\| INFO    \| orion\.db - ((?:SELECT|WITH).*?)(?: \[[0-9a-f]{16}\])?$", re.M)
ASIDE = re.compile(r"sqlite_master|pragma_|MAX\(rowid\)|sqlite_stat1")
SETTINGS = {"PREFECT_ORION_DATABASE_ECHO": "true", "PREFECT_LOGGING_SERVER_LEVEL": "INFO"}


# Which look for runs that are due.
SERVICES = {f"PREFECT_ORION_SERVICES_{name}_ENABLED": "true" for name in ("LATE_RUNS", "CANCELLATION_CLEANUP")}
# and those that delete what is old, and end what died
SERVICES.update(ORION_RETENTION_RUNS="1s", ORION_RETENTION_LOGS="1s", ORION_STUCK_AFTER="1s")
LOOK = re.compile(r"SELECT (?:flow_run\.|task_run\.)?id, .*state_id.* LIMIT \$\d+$|WITH RECURSIVE"
                  r"|SELECT id(?:, (?:end_time|state_timestamp|flow_run_id), .*)? FROM (?:flow_run|log) WHERE"
                  r" (?:end_time|state_t\w+|timestamp) .* LIMIT \$\d$")

# What is counted for /metrics and /orion/status.
COUNTED = re.compile(r"SELECT (?:state_type, COUNT|COUNT\(\*\), COUNT\(CASE|work_queue\.name, work_pool\.name)")


@contextlib.contextmanager
def server_on(url, **settings):
    """Ours, when it has made its indexes and statistics."""
    settings = {"PREFECT_ORION_DATABASE_CONNECTION_URL": url, **SETTINGS, **settings}
    with tempfile.TemporaryDirectory() as home, servers.running("orion", home=home, database=url, **settings) as server:
        size, quiet = -1, time.monotonic()
        while time.monotonic() - quiet < 3:
            if len(log := server.log()) != size:
                size, quiet = len(log), time.monotonic()
            time.sleep(0.1)
        yield server


def asked():
    """The shapes that are about runs, and not about the few rows of other tables alone."""
    return [shape for shape in shapes.load() if not re.match("/(block|saved|concurrency|flow_run_notif)",
                                                             shape["path"])]


def statements(url):
    """By shape, the SQL that it leads to and that reads tables of runs."""
    found = {}
    with server_on(url) as server:
        asker = reads.Asker(server)
        for shape in asked():
            begin = len(server.log())
            _, status, body = asker.ask(shape)
            assert status == 200, body
            sent = [sql for sql in STATEMENT.findall(server.log()[begin:]) if not ASIDE.search(sql)]
            found[shape["name"]] = [sql for sql in dict.fromkeys(sent) if OF_RUNS.search(sql)]
    return found


# ---- SQLite ----

def sqlite_url(folder):
    return f"sqlite+aiosqlite:///{folder}/orion.db"


def read_statistics(url):
    """Those that our server has made, of a large database."""
    with server_on(url) as server:
        deadline = time.monotonic() + 120
        while True:
            if server.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'") and not server.execute(
                    "SELECT 1 FROM sqlite_master WHERE name LIKE 'orion_%' AND name NOT IN"
                    " (SELECT idx FROM sqlite_stat1 WHERE idx IS NOT NULL)"):
                return server.execute("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY tbl, idx")
            assert time.monotonic() < deadline, "the server makes no statistics"
            time.sleep(0.5)


def set_statistics(path, rows):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("ANALYZE sqlite_master")  # which makes the table
        connection.execute("DELETE FROM sqlite_stat1")
        connection.executemany("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", rows)
        connection.commit()


def explain(connection, sql):
    """The lines of SQLite's plan, indented as they belong to each other."""
    places = {number: None for number in re.findall(r"\$(\d+)", sql)}
    depths, lines = {0: -1}, []
    for number, parent, _, detail in connection.execute("EXPLAIN QUERY PLAN " + sql, places):
        depths[number] = depths.get(parent, -1) + 1
        lines.append("  " * depths[number] + detail)
    return lines


def sqlite_plans(folder, statistics):
    """By shape, its statements and their plans in a small database that has a large one's statistics."""
    url = sqlite_url(folder)
    fill.fill(url, runs=SMALL)
    sent = statements(url)
    set_statistics(f"{folder}/orion.db", statistics)
    with contextlib.closing(sqlite3.connect(f"{folder}/orion.db")) as connection:
        return {name: [(sql, explain(connection, sql)) for sql in queries] for name, queries in sent.items() if queries}


def service_plans(folder, statistics):
    """By statement, the plans of what services look for, and of what is counted for those who watch the server."""
    url = sqlite_url(folder)
    fill.fill(url, runs=SMALL)
    with server_on(url, **SERVICES) as server:
        urllib.request.urlopen(f"{server.root}/orion/status", timeout=30).close()
        sent = [sql for sql in dict.fromkeys(STATEMENT.findall(server.log())) if LOOK.match(sql) or COUNTED.match(sql)]
    set_statistics(f"{folder}/orion.db", statistics)
    with contextlib.closing(sqlite3.connect(f"{folder}/orion.db")) as connection:
        return {sql: explain(connection, sql) for sql in sent}


# ---- PostgreSQL ----

EXPLAINED = {"session_preload_libraries": "auto_explain", "auto_explain.log_min_duration": 0,
             "auto_explain.log_analyze": "on", "auto_explain.log_timing": "off", "auto_explain.log_format": "json",
             "auto_explain.log_nested_statements": "on"}  # those of foreign keys
# What is deleted: of each kind the one with fewest runs.
DELETED = {
    "task run": ("task_runs", "SELECT task_run.id FROM task_run LIMIT 1"),
    "flow run": ("flow_runs", "SELECT flow_run.id FROM flow_run LIMIT 1"),
    "deployment": ("deployments", "SELECT deployment_id FROM flow_run WHERE deployment_id IS NOT NULL"
                   " GROUP BY deployment_id ORDER BY COUNT(*) LIMIT 1"),
    "work queue": ("work_queues", "SELECT work_queue_id FROM flow_run WHERE work_queue_id IS NOT NULL"
                   " GROUP BY work_queue_id ORDER BY COUNT(*) LIMIT 1"),
    "flow": ("flows", "SELECT flow_id FROM flow_run GROUP BY flow_id ORDER BY COUNT(*) LIMIT 1"),
}


def nodes(plan):
    """A plan's nodes, from the top."""
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def read_plans(log_path, begin, deadline=30):
    """What the log says from `begin` on, once it has gone quiet: a statement's plan is written as its transaction ends,
    which may be after the answer."""
    text, waited = "", 0
    while waited < deadline:
        time.sleep(0.05)
        waited += 0.05
        with open(log_path) as log:
            log.seek(begin)
            grown, text = text, log.read()
        if " plan:\n" in text and text == grown:
            break
    return text


def plans_since(cluster, begin):
    found = re.findall(r" plan:\n((?:\t.*\n)+)", read_plans(cluster.log_path, begin))
    return [plan["Plan"] | {"sql": plan["Query Text"]} for plan in map(json.loads, found)]


def delete(server, kind):
    route, select = DELETED[kind]
    [[row]] = server.execute(select)
    request = urllib.request.Request(f"{server.url}/{route}/{row}", method="DELETE")
    with urllib.request.urlopen(request, timeout=300) as answer:
        assert answer.status == 204


def prune(server):
    """The runs of the first days."""
    environment = servers.server_environment(server.home, PREFECT_ORION_DATABASE_CONNECTION_URL=server.store.url)
    subprocess.run([servers.ORION_BIN, "database", "prune", "--older-than", "55d", "-y"], env=environment, check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def postgres_plans(runs):
    """By shape, and by what is deleted, the plans that PostgreSQL has carried out, with the rows that each node has
    had."""
    found = {}
    with postgres.running(fsync="off", **EXPLAINED) as cluster:
        url = cluster.create_database("plans")
        fill.fill(url, runs=runs)
        with server_on(url) as server:
            cluster.execute("plans", "VACUUM ANALYZE")
            asker = reads.Asker(server)
            for shape in asked():
                asker.places.fill(shape, shapes.now())  # whose look-ups are not the server's
                begin = cluster.log_path.stat().st_size
                assert asker.ask(shape)[1] == 200
                found[shape["name"]] = plans_since(cluster, begin)
            for kind in [*DELETED, "prune"]:
                begin = cluster.log_path.stat().st_size
                prune(server) if kind == "prune" else delete(server, kind)
                found[kind] = plans_since(cluster, begin)
    return found


def write(file, content):
    file.write_text(json.dumps(content, indent=0) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--anew", action="store_true", required=True)
    parser.add_argument("--plans-only", action="store_true", help="with the statistics as they are")
    options = parser.parse_args()
    if not options.plans_only:
        with tempfile.TemporaryDirectory() as folder:
            fill.fill(sqlite_url(folder), runs=LARGE, tell=lambda words: print(words, end="", flush=True))
            write(STATISTICS, read_statistics(sqlite_url(folder)))
    with tempfile.TemporaryDirectory() as folder:
        found = sqlite_plans(folder, json.loads(STATISTICS.read_text()))
        write(EXPECTED, {name: [plan for _, plan in plans] for name, plans in found.items()})


if __name__ == "__main__":
    main()
