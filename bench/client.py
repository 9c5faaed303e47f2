#!/usr/bin/env python3
"""python -m bench.client [--database sqlite|postgresql] [--rounds 3] [--only orion|reference]

How long the real client takes for a flow of 200 tasks, and for 20 flows of 10 tasks at once, on our server and on the
reference; and which share of all processor time is the server's. The rest is the client's own, the same with both, so
no server can make it shorter. Medians of the rounds."""
import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from bench import scaling
from tests.lib import servers

SHAPES = {"1 flow of 200 tasks": (1, 200), "20 flows of 10 tasks at once": (20, 10)}


def children_seconds():
    """The processor time of all clients that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_flows(server, flows, tasks):
    """Seconds by the clock, of the server's processor, and of the clients'."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**servers.server_environment(home), "PREFECT_API_URL": server.url}
        command = [sys.executable, servers.ROOT / "bench/client_flow.py", str(tasks)]
        before = time.monotonic(), scaling.processor_seconds(server.process.pid), children_seconds()
        clients = [subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL) for _ in range(flows)]
        for client in clients:
            if client.wait(600) != 0:
                raise RuntimeError(f"A client ended with {client.returncode}")
        after = time.monotonic(), scaling.processor_seconds(server.process.pid), children_seconds()
    return [end - begin for begin, end in zip(before, after)]


def measure(kind, options):
    found = {}
    with servers.running(kind, database=options.database) as server:
        for name, (flows, tasks) in SHAPES.items():
            rounds = [run_flows(server, flows, tasks) for _ in range(options.rounds)]
            found[name] = [statistics.median(values) for values in zip(*rounds)]
            done = server.execute("SELECT count(*) FROM flow_run WHERE state_type = 'COMPLETED'")[0][0]
            assert done >= flows * options.rounds, f"{done} flows have completed"
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["orion", "reference"])
    options = parser.parse_args()
    print(f"{'':40}{'seconds':>9}{'server CPU s':>14}{'clients CPU s':>15}{'share':>8}   ({os.cpu_count()} processors)")
    for kind in [options.only] if options.only else ["orion", "reference"]:
        for name, (wall, own, clients) in measure(kind, options).items():
            print(f"{kind + ': ' + name:40}{wall:>9.1f}{own:>14.2f}{clients:>15.1f}{own / (own + clients):>8.1%}",
                  flush=True)


if __name__ == "__main__":
    main()
