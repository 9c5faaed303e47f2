#!/usr/bin/env python3
"""python -m bench.bench [--seconds N] [--connections N] [--only orion|reference] [--database ENGINE] [--json FILE]

Loads our server and the reference with the same requests, one after the other on the same machine, and prints requests
per second, the 99th percentile, memory, start time, and the ratios.

Each server has a database of its own in a fresh folder, filled alike. Figures of a shared machine vary; compare the
ratios."""
import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.lib import postgres, servers

# Reads come first: a fast server has written far more rows when the load ends, which would slow its reads down.
OPERATIONS = ["GET flow_runs/{id}", "POST flow_runs/filter (50 rows)", "POST flow_runs/count", "POST flow_runs/history",
              "POST flows/ (exists)", "POST flow_runs/", "POST task_runs/", "POST flow_runs/{id}/set_state",
              "POST logs/ (50 lines)"]
RUNS_BEFORE = 100


def post(server, path, body):
    request = urllib.request.Request(server.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def process_tree(root):
    """The pid and all its descendants: the reference serves from a child."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(entry.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += [child for child, parent in parents.items() if parent == pid]
    return found


def resident_mb(server):
    total = 0
    for pid in process_tree(server.process.pid):
        match = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
        total += int(match.group(1)) if match else 0
    return total / 1024


def fill(server, connections):
    flow = post(server, "/flows/", {"name": "bench"})["id"]
    when = datetime.datetime.now(datetime.timezone.utc).isoformat()
    run = {"flow_id": flow, "state": {"type": "SCHEDULED", "state_details": {"scheduled_time": when}}}
    runs = [post(server, "/flow_runs/", run)["id"] for _ in range(RUNS_BEFORE)]
    return flow, runs[:connections]


def load(server, operation, flow, runs, seconds, connections):
    """One run of wrk; requests per second and the 99th percentile in milliseconds."""
    command = ["wrk", "-t", str(connections), "-c", str(connections), "-d", f"{seconds}s", "--timeout", "30s",
               "-s", str(servers.ROOT / "bench/requests.lua"), server.root, "--", operation, flow, *runs]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    figures = re.search(r"^RESULT (\d+) (\d+) (\d+) (\d+)$", output, re.M).groups()
    requests, microseconds, p99, errors = map(int, figures)
    return {"rps": requests / microseconds * 1e6, "p99": p99 / 1000, "errors": errors}


def measure(kind, database, seconds, connections):
    if database == "postgresql":
        postgres.cluster()  # its start is not the server's
    started = time.monotonic()
    with servers.running(kind, database=database, as_users_do=True) as server:
        result = {"start": time.monotonic() - started, "idle": resident_mb(server), "operations": {}}
        flow, runs = fill(server, connections)
        for operation in OPERATIONS:
            result["operations"][operation] = load(server, operation, flow, runs, seconds, connections)
            print(f"  {kind}: {operation}: {result['operations'][operation]['rps']:.0f} req/s", file=sys.stderr)
        result["loaded"] = resident_mb(server)
    return result


def print_table(results):
    kinds = list(results)
    heads = [f"{kind + ' req/s':>17}{'p99 ms':>9}{'errors':>8}" for kind in kinds]
    print("\n" + "".join([f"{'operation':34}", *heads, f"{'ratio':>9}" if len(kinds) == 2 else ""]))
    for operation in OPERATIONS:
        cells = [results[kind]["operations"][operation] for kind in kinds]
        ratio = f"{cells[0]['rps'] / cells[1]['rps']:>8.1f}x" if len(cells) == 2 and cells[1]["rps"] else ""
        figures = [f"{c['rps']:>17.0f}{c['p99']:>9.1f}{c['errors']:>8}" for c in cells]
        print("".join([f"{operation:34}", *figures, ratio]))
    for title, key, unit in [("resident, idle", "idle", "MB"), ("resident, after the load", "loaded", "MB"),
                             ("start to first answer", "start", "s")]:
        print(f"{title:34}" + "".join(f"{results[kind][key]:>14.2f} {unit:<2}{'':17}" for kind in kinds))
    print(f"{'size of our executable':34}{os.path.getsize(servers.ORION_BIN) / 1e6:>14.2f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--only", choices=["orion", "reference"])
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    options = parser.parse_args()
    kinds = [options.only] if options.only else ["orion", "reference"]
    results = {kind: measure(kind, options.database, options.seconds, options.connections) for kind in kinds}
    print_table(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
