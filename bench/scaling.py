#!/usr/bin/env python3
"""python -m bench.scaling [--seconds N] [--servers 1,2,3] [--connections N] [--json FILE]

Puts the same load on several of our servers on one PostgreSQL, and on one server on SQLite. Prints requests per second,
and the processor time of a request: in our servers and in PostgreSQL. On one machine they all share its processors, so
the sum says less than the costs, from which docs/scaling.md estimates capacity."""
import argparse
import contextlib
import json
import os
import sys
import threading
from pathlib import Path

from bench import bench
from tests.lib import postgres, servers

OPERATIONS = ["GET flow_runs/{id}", "POST flow_runs/", "POST task_runs/", "POST flow_runs/{id}/set_state",
              "POST logs/ (50 lines)", "POST flow_runs/filter (50 rows)"]
TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(root):
    """Used so far by a process and its living descendants."""
    total = 0
    for pid in bench.process_tree(root):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def postmaster():
    return int((postgres.cluster().data / "postmaster.pid").read_text().split()[0])


def load_all(started, operation, flow, runs, options):
    """The same operation at every server at once; what each answered."""
    results = [None] * len(started)

    def one(number):
        own = runs[number::len(started)]
        results[number] = bench.load(started[number], operation, flow, own, options.seconds, options.connections)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(started))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def measure(database, count, options):
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(servers.running("orion", database=database))
        more = (servers.running("orion", database=first.store.url) for _ in range(count - 1))
        started = [first, *map(stack.enter_context, more)]
        flow, runs = bench.fill(first, options.connections * count)
        figures = {}
        for operation in OPERATIONS:
            ours_before = sum(processor_seconds(server.process.pid) for server in started)
            theirs_before = processor_seconds(postmaster()) if database == "postgresql" else 0
            results = load_all(started, operation, flow, runs, options)
            requests = sum(result["rps"] for result in results) * options.seconds
            ours = sum(processor_seconds(server.process.pid) for server in started) - ours_before
            theirs = processor_seconds(postmaster()) - theirs_before if database == "postgresql" else 0
            figures[operation] = {"rps": requests / options.seconds, "p99": max(result["p99"] for result in results),
                                  "errors": sum(result["errors"] for result in results),
                                  "orion_us": ours / requests * 1e6, "postgresql_us": theirs / requests * 1e6}
        return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=8, help="of each server's load")
    parser.add_argument("--servers", default="1,2,3")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    shapes = [("sqlite", 1), *(("postgresql", int(count)) for count in options.servers.split(","))]
    results = {}
    for database, count in shapes:
        name = f"{database} x {count}"
        print(f"\n{name}")
        print(f"{'operation':34}{'req/s':>9}{'p99 ms':>9}{'errors':>8}{'Orion µs':>10}{'PostgreSQL µs':>15}")
        results[name] = measure(database, count, options)
        for operation, f in results[name].items():
            print(f"{operation:34}{f['rps']:>9.0f}{f['p99']:>9.1f}{f['errors']:>8}{f['orion_us']:>10.0f}"
                  f"{f['postgresql_us']:>15.0f}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
