#!/usr/bin/env python3
"""python -m bench.writes [--seconds N] [--rounds N] [--connections 1,8,64] [--database ENGINE] [--reference]

What our server's writes cost beside a bare C program (bench/bare.c) that sends the same SQL with the same commits and
does nothing else. The SQL is recorded from the server. Both take turns on databases that are filled alike, on the same
disk; the figures are medians of the rounds, the ratio is of two that were taken one after the other.

"µs" is the processor time of one operation, all threads together."""
import argparse
import itertools
import json
import re
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from bench import bench, scaling
from tests.lib import postgres, servers

OPERATIONS = ["POST flow_runs/", "POST task_runs/", "POST flow_runs/{id}/set_state", "POST logs/ (50 lines)"]
GOALS = {1: 0.7, 8: 0.7, 64: 0.8}
LINES = 50
PARENTS = {"flow_run_state": "flow_run", "task_run_state": "task_run"}
ANEW = {("task_run", "flow_run_id"): "run", ("log", "flow_run_id"): "run", ("task_run", "dynamic_key"): "unique",
        ("task_run", "name"): "name", ("flow_run", "name"): "name"}
INSERT = re.compile(r"INSERT INTO (\w+) \(([^)]*)\)\s*(?:VALUES \(|SELECT )([^)]*?)(?:\)|FROM|$)")
LOCK = "SELECT id FROM flow_run WHERE id = $1 FOR UPDATE"  # what db_lock_row sends, which the log does not show


# ---- the script of an operation, from what the server logs ----

def requests_of(operation, flow, run):
    """One of each form that bench/requests.lua sends in turn, after what makes them steady."""
    line = {"name": "bench", "level": 20, "message": "a line of a log", "timestamp": "2026-01-01T12:00:00.123456+00:00",
            "flow_run_id": run}
    states = [{"state": {"type": "RUNNING"}}, {"state": {"type": "PENDING"}, "force": True}]
    return {
        "POST flow_runs/": ("/flow_runs/", [], [{"flow_id": flow, "state": {"type": "PENDING"},
                                                 "parameters": {"a": [1, 2, 3]}, "tags": ["bench"]}]),
        "POST task_runs/": ("/task_runs/", [], [{"flow_run_id": run, "task_key": "bench", "dynamic_key": "recorded",
                                                 "state": {"type": "PENDING"}}]),
        "POST flow_runs/{id}/set_state": (f"/flow_runs/{run}/set_state", states, states),
        "POST logs/ (50 lines)": ("/logs/", [], [[line] * LINES]),
    }[operation]


def post(server, path, body):
    request = urllib.request.Request(server.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 201 and b"ABORT" not in answer.read(), body


def logged(server, since):
    return re.findall(r"orion\.db - (.*?)(?: \[[0-9a-f]{16}\])?$", server.log()[since:], re.M)


def newest(server, table, run):
    """The columns, as text, of the row that was written last."""
    if table == "flow_run" and run:
        condition = f"id = '{run}'"
    else:
        condition = f"created = (SELECT max(created) FROM {table})"
    names = list(server.store.columns(table))
    columns = ", ".join(f"CAST({name} AS TEXT)" for name in names)
    return dict(zip(names, server.store.execute(f"SELECT {columns} FROM {table} WHERE {condition}")[0]))


class Values:
    """What to bind in the statements of one request."""

    def __init__(self, server, operation, run, statements):
        self.server = server
        self.run = run if "set_state" in operation else None
        self.sets_state_later = any(sql.startswith("UPDATE") and "state_id = $" in sql for sql in statements)
        self.rows = {}

    def row(self, table):
        if table not in self.rows:
            self.rows[table] = newest(self.server, table, self.run)
        return self.rows[table]

    def of_column(self, table, column, is_insert):
        if column == "id":
            if not is_insert:
                return ("run", "") if self.run else ("same_a", "")
            return ("new_b", "") if table in PARENTS else ("new_a", "")
        if column == "state_id":
            return ("null" if is_insert and self.sets_state_later else "new_b" if is_insert else "same_b"), ""
        if column == PARENTS.get(table, "") + "_id":
            return ("run", "") if self.run else ("same_a", "")
        if (table, column) in ANEW:
            return ANEW[table, column], ""
        text = self.row(table)[column]
        if text is None:
            return "null", ""
        if re.match(r"20\d\d-\d\d-\d\d ", text) and (table, column) != ("log", "timestamp"):
            return "now", ""
        return ("int" if re.fullmatch(r"-?\d+", text) else "text"), text

    def of(self, sql):
        """By the number of each place."""
        found = {}
        for table, columns, places in INSERT.findall(sql):
            for column, place in zip(columns.split(", "), places.split(", ")):
                if place.startswith("$"):
                    found[int(place[1:])] = self.of_column(table, column, True)
        target = re.match(r"UPDATE (\w+)|SELECT .* FROM (\w+)", sql)
        table = target and (target.group(1) or target.group(2))
        for column, number in re.findall(r"(\w+) = \$(\d+)", sql):
            found.setdefault(int(number), ("int" if self.server.store.engine == "sqlite" else "text", "1")
                             if column == "is_active" else self.of_column(table, column, False))
        for number in re.findall(r"\$(\d+)", sql):
            found.setdefault(int(number), ("now", ""))  # of SET_UPDATED
        return [found[number] for number in sorted(found)]


def waits(sql, following):
    """Whether the server waits for the result: it reads rows, or must know whether a row was inserted. What is followed
    by such a statement was sent together with it."""
    def reads(text):
        return text.startswith(("SELECT", "WITH")) and text != LOCK or "ON CONFLICT" in text
    return reads(sql) and not (following and reads(following))


def script_of(server, operation, flow, run):
    path, before, bodies = requests_of(operation, flow, run)
    for body in before:
        post(server, path, body)
    lines = []
    for body in bodies:
        since = len(server.log())
        post(server, path, body)
        statements = logged(server, since)
        if server.store.engine == "postgresql" and "set_state" in operation:
            statements.insert(0, LOCK)
        values = Values(server, operation, run, statements)
        lines.append("variant")
        distinct = list(dict.fromkeys(statements))
        for sql, following in itertools.zip_longest(distinct, distinct[1:]):
            lines.append(f"statement\t{statements.count(sql)}\t{waits(sql, following):d}\t{sql}")
            lines += [f"{kind}\t{text}" for kind, text in values.of(sql)]
    return "\n".join(lines) + "\n"


# ---- both sides ----

def build(folder):
    program = Path(folder) / "bare"
    headers = subprocess.check_output(["pg_config", "--includedir"], text=True).strip()
    subprocess.check_call(["cc", "-std=c17", "-O2", "-D_GNU_SOURCE", "-I" + headers, "-o", program,
                           servers.ROOT / "bench/bare.c", "-lsqlite3", "-lpq", "-lpthread"])
    return program


def load_server(server, operation, flow, runs, seconds, connections):
    before = scaling.processor_seconds(server.process.pid)
    figures = bench.load(server, operation, flow, runs, seconds, connections)
    used = scaling.processor_seconds(server.process.pid) - before
    return {**figures, "us": used / (figures["rps"] * seconds) * 1e6}


class Bare:
    """The bare program, the script of each operation, and a database that a server has filled and nobody uses."""

    def __init__(self, database, home):
        server = servers.Server("orion", home=home, database=database, PREFECT_ORION_DATABASE_ECHO="true",
                                PREFECT_LOGGING_SERVER_LEVEL="INFO")
        try:
            server.wait()
            flow, self.runs = bench.fill(server, bench.RUNS_BEFORE)
            self.scripts = {operation: script_of(server, operation, flow, self.runs[-1]) for operation in OPERATIONS}
        finally:
            server.stop()
        self.store, self.program = server.store, build(home)

    def load(self, operation, seconds, connections):
        place = str(self.store.path) if self.store.engine == "sqlite" else self.store.url.replace("+asyncpg", "", 1)
        output = subprocess.run([self.program, self.store.engine, place, str(connections), str(seconds),
                                 *self.runs[:connections]], input=self.scripts[operation],
                                stdout=subprocess.PIPE, text=True, check=True).stdout
        done, microseconds, used = map(int, re.findall(r"\d+", output))
        return {"rps": done / microseconds * 1e6, "us": used / done}


def compare(server, flow, runs, bare, operation, connections, options):
    rounds = []
    for _ in range(options.rounds):
        ours = load_server(server, operation, flow, runs[:connections], options.seconds, connections)
        theirs = bare.load(operation, options.seconds, connections)
        rounds.append((ours, theirs))
    median = {side: {key: statistics.median(pair[index][key] for pair in rounds) for key in ("rps", "us")}
              for index, side in enumerate(("orion", "bare"))}
    return {**median, "errors": sum(ours["errors"] for ours, _ in rounds),
            "ratio": statistics.median(ours["rps"] / theirs["rps"] for ours, theirs in rounds)}


def print_head(options):
    print(f"{'operation':32}{'conn.':>6}{'orion req/s':>13}{'bare op/s':>11}{'ratio':>7}{'goal':>6}{'orion µs':>10}"
          f"{'bare µs':>9}{'reference':>11}{'ratio':>8}" [:(113 if options.reference else 94)])


def print_row(operation, connections, row, reference):
    ours, bare = row["orion"], row["bare"]
    cells = [f"{operation:32}{connections:>6}{ours['rps']:>13.0f}{bare['rps']:>11.0f}{row['ratio']:>7.2f}",
             f"{GOALS.get(connections, 0.7):>6}{ours['us']:>10.0f}{bare['us']:>9.0f}"]
    if reference:
        cells.append(f"{reference:>11.0f}{ours['rps'] / reference:>7.1f}x")
    if row["errors"]:
        cells.append(f"  {row['errors']} errors")
    print("".join(cells), flush=True)


def measure_reference(options):
    """Requests per second by (operation, connections)."""
    if not options.reference:
        return {}
    with servers.running("reference", database=options.database, as_users_do=True) as server:
        flow, runs = bench.fill(server, bench.RUNS_BEFORE)
        return {(operation, count): bench.load(server, operation, flow, runs[:count], options.seconds, count)["rps"]
                for operation in options.only for count in options.connections}


def measure(options, bare):
    reference = measure_reference(options)
    results = {}
    print_head(options)
    with servers.running("orion", database=options.database) as server:
        flow, runs = bench.fill(server, bench.RUNS_BEFORE)
        for operation in options.only:
            for count in options.connections:
                row = compare(server, flow, runs, bare, operation, count, options)
                results[f"{operation} {count}"] = row
                print_row(operation, count, row, reference.get((operation, count)))
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=lambda text: list(map(int, text.split(","))), default=[1, 8, 64])
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--only", action="append", choices=OPERATIONS, help="may be given several times")
    parser.add_argument("--reference", action="store_true", help="also load the reference")
    parser.add_argument("--scripts", action="store_true", help="only print what the bare program sends")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    options = parser.parse_args()
    options.only = options.only or OPERATIONS
    if options.database == "postgresql":
        postgres.cluster()
    with tempfile.TemporaryDirectory() as folder:
        bare = Bare(options.database, folder)
        if options.scripts:
            print("\n".join(f"{operation}\n{script}" for operation, script in bare.scripts.items()))
        results = {} if options.scripts else measure(options, bare)
        bare.store.drop()
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
