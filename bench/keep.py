#!/usr/bin/env python3
"""python -m bench.keep [--database ENGINE] [--runs N] [--clients N] [--only PART]

What keeping a database of N runs costs those who write meanwhile: how long each takes, how long the slowest writes
wait, and how much memory the command and the server need at most.

nothing      the writers alone
backup       orion database backup
gzip         the same with --gzip
restore      orion database restore, of that backup into another database, while the first is written to
delete       DELETE /flows/{id} of the flow with most runs, of those that do not write
prune        orion database prune --older-than 30d

Each part begins with what the one before has left. Each of the clients creates runs one after the other, with 10 ms
between; all writes must be answered by 201."""
import argparse
import contextlib
import re
import subprocess
import tempfile
import time
from pathlib import Path

from bench import fill
from tests.lib import servers
from tests.lib.load import Client, Threads, memory

PAUSE = 0.01
ALONE_SECONDS = 10


class Writers:
    """Clients that write until stopped; the milliseconds that each write took."""

    def __init__(self, server, count):
        self.server, self.is_stopped, self.flow = server, False, Client(server).flow()
        self.threads = Threads(count, self.write)

    def write(self, number):
        client, waits = Client(self.server, timeout=300), []
        while not self.is_stopped:
            began = time.perf_counter()
            client.flow_run(self.flow, state={"type": "PENDING"})
            waits.append((time.perf_counter() - began) * 1000)
            time.sleep(PAUSE)
        return waits

    def stop(self):
        self.is_stopped = True
        return sorted(wait for waits in self.threads.join() for wait in waits)


def share(waits, part):
    return waits[min(len(waits) - 1, int(len(waits) * part))]


def count_runs(server):
    return server.execute("SELECT COUNT(*) FROM flow_run")[0][0]


def peak_memory(process):
    """In MB; what it was when last seen. wait4() would tell that of the Python program before it became the command."""
    with contextlib.suppress(OSError, AttributeError):
        return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text()).group(1)) / 1024
    return 0


def run_command(home, store, *words):
    """Its peak memory in MB."""
    environment = servers.server_environment(home, PREFECT_ORION_DATABASE_CONNECTION_URL=store.url)
    with open(home / "command.log", "w+b") as log:
        command = subprocess.Popen([servers.ORION_BIN, "database", *words], env=environment, stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log)
        peak = 0
        while command.poll() is None:
            peak = max(peak, peak_memory(command))
            time.sleep(0.02)
        log.seek(0)
        assert command.returncode == 0, log.read().decode(errors="replace")
    return peak


# ---- the parts: each answers the peak memory of a command, or None ----

def do_nothing(server, folder):
    time.sleep(ALONE_SECONDS)


def back_up(server, folder):
    return run_command(server.home, server.store, "backup", str(folder / "backup.db"))


def pack(server, folder):
    return run_command(server.home, server.store, "backup", "--gzip", str(folder / "backup.db.gz"))


def restore(server, folder):
    if not (folder / "backup.db").exists():
        back_up(server, folder)
    with tempfile.TemporaryDirectory(dir=folder) as home:
        home = Path(home)
        store = servers.Store.of_home(server.engine, home)
        store.create("orion")
        try:
            return run_command(home, store, "restore", str(folder / "backup.db"), "-y")
        finally:
            store.drop()


def delete(server, folder):
    flow = server.execute("SELECT flow_id FROM flow_run JOIN flow ON flow.id = flow_id"
                          " WHERE flow.name NOT LIKE 'flow-%'"  # the writers'
                          " GROUP BY flow_id ORDER BY COUNT(*) DESC LIMIT 1")[0][0]
    answer = Client(server, timeout=3600).request("DELETE", f"/flows/{flow}")
    assert answer.status == 204, answer


def prune(server, folder):
    return run_command(server.home, server.store, "prune", "--older-than", "30d", "-y")


WORK = {"nothing": do_nothing, "backup": back_up, "gzip": pack, "restore": restore, "delete": delete, "prune": prune}


def measure(part, server, folder, clients):
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")  # from here on VmHWM is of this part
    runs, writers, began = count_runs(server), Writers(server, clients), time.monotonic()
    peak = WORK[part](server, folder)
    took = time.monotonic() - began
    waits = writers.stop()
    gone = runs + len(waits) - count_runs(server)
    print(f"{part:8} {took:7.1f} s, {gone} runs deleted; {len(waits)} writes: median {share(waits, .5):.1f} ms,"
          f" 99 % {share(waits, .99):.1f}, 99.9 % {share(waits, .999):.1f}, longest {waits[-1]:.1f};"
          f" memory: server {memory(server, 'VmHWM'):.1f} MB" + (f", command {peak:.1f} MB" if peak else ""),
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--only", choices=list(WORK), action="append")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orion-bench-keep-") as folder:
        folder = Path(folder)
        store = servers.Store.of_home(options.database, folder)
        store.create("orion")
        fill.fill(store.url, runs=options.runs)
        run_command(folder, store, "indexes", "make")  # writes wait for it, else the server would begin with it
        with servers.running("orion", home=folder, database=options.database) as server:
            for part in options.only or WORK:
                measure(part, server, folder, options.clients)
        store.drop()


if __name__ == "__main__":
    main()
