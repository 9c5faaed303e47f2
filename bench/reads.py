#!/usr/bin/env python3
"""python -m bench.reads [--runs 100000] [--database sqlite|postgresql] [--only orion|reference] [--first]
                      [--orion URL] [--reference URL] [--seconds 2] [--name WORDS] [--json FILE]

Sends every shape of bench/shapes.py to our server and to the reference, each on a database of its own with the same
rows, one request after the other. Prints medians of the milliseconds to the whole answer, the processor's milliseconds
for one (the database's included), and the ratios.

--orion and --reference name databases that bench.fill has filled (a path, or a URL); else fresh ones are filled.
--first starts ours anew for every shape, to measure the first answer of a process. A shape is repeated for --seconds,
but at least three times, so the reference takes a while. --name takes the shapes with these words in their names."""
import argparse
import contextlib
import http.client
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench import bench, fill, life, shapes
from tests.lib import postgres, servers

LEAST, MOST = 3, 25
LONG = 10_000  # ms: what takes longer is asked once
LIMIT = 180  # seconds: what takes longer is given up
IDLE = 2  # seconds
TICKS = os.sysconf("SC_CLK_TCK")


def processor_ms(pids):
    """Used so far by these processes: exact for the threads that live, in hundredths of a second with those that have
    ended, which the reference has many of."""
    exact, ticks = 0, 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
            exact += sum(int(thread.read_text().split()[0]) for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return exact / 1e6, ticks * 1000 / TICKS


class Asker:
    """Sends shapes to one server over one connection."""

    def __init__(self, server):
        self.server = server
        self.places = shapes.Places(server.store)
        self.last = time.monotonic()
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)

    def ask(self, shape, moment=None):
        """Milliseconds, status, body."""
        method, path, body = self.places.fill(shape, moment or shapes.now())
        headers = {"Content-Type": "application/json"} if body else {}
        if time.monotonic() - self.last > IDLE:  # the server may have closed it, while identifiers were looked for
            self.connection.close()
        started = time.perf_counter()
        self.connection.request(method, "/api" + path, body, headers)
        answer = self.connection.getresponse()
        data = answer.read()
        self.last = time.monotonic()
        return (time.perf_counter() - started) * 1000, answer.status, data

    def processes(self):
        found = bench.process_tree(self.server.process.pid)
        if self.server.engine == "postgresql":
            found += bench.process_tree(int((postgres.cluster().data / "postmaster.pid").read_text().split()[0]))
        return found

    def repeat(self, shape, seconds):
        """Medians of several answers."""
        times, size, least = [], 0, LEAST
        pids, started = self.processes(), time.monotonic()
        before = processor_ms(pids)
        while time.monotonic() - started < seconds and len(times) < MOST or len(times) < least:
            ms, status, data = self.ask(shape)
            if status != 200:
                return {"error": f"{status} {data[:200].decode(errors='replace')}"}
            times.append(ms)
            least = LEAST if ms < LONG else 1
            size = len(data)
        used = max(after - earlier for after, earlier in zip(processor_ms(pids), before))
        return {"ms": statistics.median(times), "processor_ms": used / len(times), "bytes": size}


def first_answers(todo, home, options):
    """Of a process that has just been started, for each shape."""
    found = {}
    for shape in todo:
        with server_on("orion", home, options) as server:
            found[shape["name"]] = Asker(server).ask(shape)[0]
    return found


def server_on(kind, url, options):
    if url.startswith("postgresql"):
        return servers.running(kind, home=options.home, database=url)
    settings = {"PREFECT_ORION_DATABASE_CONNECTION_URL": url}
    return servers.running(kind, home=options.home, database=url, **settings)


def measure(kind, url, todo, options):
    results, left = {}, list(todo)
    while left:  # a server that takes too long for something is started anew
        with server_on(kind, url, options) as server:
            asker = Asker(server)
            while left:
                name = left[0]["name"]
                try:
                    results[name] = asker.repeat(left.pop(0), options.seconds)
                except (OSError, http.client.HTTPException) as error:
                    results[name] = {"error": f"no answer within {LIMIT} s"
                                     if isinstance(error, TimeoutError) else repr(error)}
                    break
                finally:
                    print(f"  {kind}: {name}: {results.get(name)}", file=sys.stderr, flush=True)
    if kind == "orion" and options.first:
        for name, ms in first_answers(todo, url, options).items():
            results[name]["first_ms"] = ms
    return results


def cell(result, key):
    return f"{result[key]:9.1f}" if result and key in result else f"{'':>9}"


def print_table(results, todo):
    ours, theirs = results.get("orion", {}), results.get("reference", {})
    print(f"{'shape':56}{'first':>9}{'ms':>9}{'CPU ms':>9}{'theirs':>9}{'CPU ms':>9}{'ratio':>8}{'kB':>8}")
    for shape in sorted(todo, key=lambda shape: -ours.get(shape["name"], {}).get("ms", 0)):
        one, two = ours.get(shape["name"]), theirs.get(shape["name"])
        ratio = f"{two['ms'] / one['ms']:7.0f}x" if one and two and "ms" in one and "ms" in two else " " * 8
        print("".join([f"{shape['name'][:55]:56}", cell(one, "first_ms"), cell(one, "ms"), cell(one, "processor_ms"),
                       cell(two, "ms"), cell(two, "processor_ms"), ratio,
                       f"{((one or two).get('bytes', 0)) / 1000:8.1f}"]))
    for kind, found in results.items():
        for name, result in found.items():
            if "error" in result:
                print(f"{kind}: {name}: {result['error']}")
    times = sorted(result["ms"] for result in ours.values() if "ms" in result)
    if times:
        print(f"ours: {len(times)} shapes, median {statistics.median(times):.1f} ms, slowest {times[-1]:.1f} ms,"
              f" {sum(ms > 10 for ms in times)} over 10 ms")


def filled(kind, options, folder):
    """The URL of a fresh database for one of the servers; both get the same rows."""
    if options.database == "postgresql":
        url = postgres.cluster().create_database(f"bench_{kind}")
    else:
        url = f"sqlite+aiosqlite:///{folder}/{kind}.db"
    print(f"  filling {options.runs} runs for {kind}", file=sys.stderr)
    fill.fill(url, runs=options.runs, flows=options.flows, task_runs=options.task_runs, logs=options.logs,
              now=options.now)
    if kind == "orion":
        fill.database_command(url, "indexes", "make")  # and statistics, as a server has long had them
    return url


def url_of(place):
    return place if "://" in place else f"sqlite+aiosqlite:///{os.path.abspath(place)}"


def run(options):
    """The results by kind of server, and the shapes."""
    todo = [shape for shape in shapes.load() if options.name in shape["name"]]
    options.now = time.time_ns() // 1000 // life.SECOND * life.SECOND
    given = {kind: getattr(options, kind) for kind in ("orion", "reference") if getattr(options, kind)}
    kinds = list(given) or [options.only] if options.only or given else ["orion", "reference"]
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        options.home = f"{folder}/home"
        os.mkdir(options.home)
        for kind in kinds:
            url = url_of(given[kind]) if given else filled(kind, options, folder)
            results[kind] = measure(kind, url, todo, options)
    return results, todo


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--flows", type=int, default=20)
    parser.add_argument("--task-runs", type=float, default=4.85)
    parser.add_argument("--logs", type=float, default=9.7)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--only", choices=["orion", "reference"])
    parser.add_argument("--orion", help="a filled database for ours")
    parser.add_argument("--reference", help="a filled database for the reference")
    parser.add_argument("--first", action="store_true")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--name", default="")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    return parser


def main():
    options = arguments().parse_args()
    results, todo = run(options)
    print_table(results, todo)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
