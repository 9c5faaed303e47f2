#!/usr/bin/env python3
"""Asks the reference and our server the same, thousands of times, and compares every answer.

    python -m tests.conformance.run [--database postgresql] [--seed 1] [--count 11000]
                                    [--only deployments,work_pools] [--long]

Scripts of every family come first, then a valid request for each parameter of each operation and each part of its body,
then mistakes of every class, then mutated bodies until there are --count requests, and at the end the routes that empty
the database. Fails on a difference that known.py does not list, and on an operation or parameter that no successful
request had. The whole report goes to a file."""
import argparse
import collections
import json
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lib import servers
from . import scripts_blocks, scripts_runs, scripts_work
from .generate import Generator
from .mutate import mutated_bodies, wrong_requests
from .operations import Coverage, Document
from .world import Enough, World

# In the order in which they are played: what others need comes first.
SCRIPTS = {
    "root": scripts_runs.root, "flows": scripts_runs.flows, "flow_runs": scripts_runs.flow_runs,
    "task_runs": scripts_runs.task_runs, "flow_run_states": scripts_runs.flow_run_states,
    "task_run_states": scripts_runs.flow_run_states, "logs": scripts_runs.logs,
    "concurrency_limits": scripts_runs.concurrency_limits, "block_types": scripts_blocks.block_types,
    "block_schemas": scripts_blocks.block_schemas, "block_capabilities": scripts_blocks.block_schemas,
    "block_documents": scripts_blocks.block_documents, "deployments": scripts_work.deployments,
    "work_queues": scripts_work.work_queues, "work_pools": scripts_work.work_pools,
    "saved_searches": scripts_work.saved_searches,
    "flow_run_notification_policies": scripts_work.flow_run_notification_policies, "ui": scripts_runs.ui,
}
# Parameters that no request can succeed with, and why.
EXCUSED = {(operation, "state.data"): "the reference answers 500 to a run that is created with data"
           for operation in ("POST /flow_runs/", "POST /task_runs/", "POST /deployments/{id}/create_flow_run")}
ENABLED = {"PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS": "true"}
TRIES = 4
SHOWN = 15  # differences that are printed; the file has all


class Run:
    """One run over a pair of servers."""

    def __init__(self, pair, options, coverage=None):
        with urllib.request.urlopen(f"{pair[0].root}/openapi.json") as answer:
            self.document = Document(json.load(answer))
        self.coverage = coverage or Coverage(self.document)
        self.options = options
        self.world = World(pair, self.coverage, options.seed, options.until)
        self.generator = Generator(self.world, self.document)
        self.families = options.only or [*SCRIPTS, "admin"]

    def operations(self):
        return [one for one in self.document.operations if one.family in self.families]

    def play(self):
        try:
            self.scripts()
            self.parts()
            self.mistakes()
            self.mutations()
            self.sweep()
            self.world.begin("admin", "unlike")
            scripts_runs.unlike(self.world)
        except Enough:
            pass

    def scripts(self):
        done = set()
        for family, script in SCRIPTS.items():
            if script not in done \
                    and (family in self.families or not self.options.only or family in needed(self.families)):
                done.add(script)
                self.world.begin(family, "script")
                script(self.world)

    def parts(self):
        """Each parameter and each part of each body, valid."""
        for operation in self.operations():
            if operation.family == "admin":
                continue
            self.world.begin(operation.family, f"parts of {operation.name}")
            if operation.method != "DELETE":
                path, body = self.generator.base(operation)
                self.world.ask(operation.method, path, **content(body), headers=self.generator.headers(operation),
                               note="with its headers")
            for part, make in self.generator.each_part(operation):
                for _ in range(TRIES):  # a row that was chosen may be gone
                    if self.world.ask(operation.method, self.generator.path(operation), make(),
                                      note=f"part {part}").status < 300:
                        break
            for _ in range(3 if operation.body else 0):
                self.world.ask(operation.method, self.generator.path(operation),
                               **content(self.generator.whole(operation)), note="many parts")

    def mistakes(self):
        for operation in self.operations():
            self.world.begin(operation.family, f"mistakes of {operation.name}")
            for request in list(wrong_requests(self.world, self.generator, operation, self.options.long)):
                request = {name: value for name, value in request.items() if name != "raw" or value is not None}
                self.world.ask(**request)

    def mutations(self):
        """Wrong bodies in a random order, the operations in turn, until there are enough requests."""
        self.world.begin("mutations", "order")
        queues = []
        for operation in self.operations():
            bodies = list(mutated_bodies(self.document, self.generator, operation))
            self.world.random.shuffle(bodies)
            queues.append((operation, collections.deque(bodies)))
        while queues and (self.options.long or self.world.asked < self.options.count):
            for operation, bodies in queues:
                for _ in range(1 + len(bodies) // 300):
                    if bodies:
                        note, make = bodies.popleft()
                        self.world.begin(operation.family, f"{operation.name} {note}")
                        self.world.ask(operation.method, self.generator.path(operation), make(), note=note)
            queues = [one for one in queues if one[1]]

    def sweep(self):
        """What is left of it all."""
        for operation in self.operations():
            self.world.begin(operation.family, f"sweep of {operation.name}")
            if operation.path.endswith(("/filter", "/count")):
                for offset in (0, 150, 300) if operation.path.endswith("/filter") else ():
                    self.world.ask("POST", self.generator.path(operation), {"offset": offset}, note="sweep")
                self.world.ask("POST", self.generator.path(operation), {}, note="sweep")
            elif operation.method == "GET":
                for _ in range(5):
                    self.world.ask("GET", self.generator.path(operation), note="sweep")


def needed(families):
    """The scripts that make the rows which these families need."""
    return ["flows", "flow_runs", "task_runs", "block_types", "block_schemas", "block_documents", "deployments"] \
        if set(families) & {"deployments", "work_queues", "work_pools"} \
        else ["flows", "flow_runs", "task_runs", "block_types", "block_schemas", "block_documents"]


def content(body):
    return {} if body is None else {"body": body}


def start(kind, engine, settings):
    return servers.Server(kind, database=engine, **settings).wait()


def started(engine, *pairs):
    """Pairs of servers, all started at once."""
    # Made once, before several threads want it.
    servers.reference_file() if engine == "sqlite" else servers.reference_template()
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(start, kind, engine, settings) for settings in pairs for kind in ("reference", "orion")]
        running = [future.result() for future in futures]
    return [running[place:place + 2] for place in range(0, len(running), 2)]


def stop(pairs):
    for pair in pairs:
        for server in pair:
            server.stop()
            server.remove()


def conform(options):
    """Plays everything; the runs, that of servers with their default settings last."""
    begun = time.monotonic()
    pairs = started(options.database, *([ENABLED, {}] if plays_disabled(options) else [ENABLED]))
    try:
        runs = [Run(pairs[0], options)]
        runs[0].play()
        if len(pairs) > 1:
            runs.append(Run(pairs[1], options, runs[0].coverage))
            for family, script in (("work_pools", scripts_work.disabled_work_pools), ("admin", scripts_runs.admin)):
                runs[1].world.begin(family, "default settings")
                script(runs[1].world)
    finally:
        stop(pairs)
    return runs, time.monotonic() - begun


def plays_disabled(options):
    return options.until is None and (not options.only or bool({"work_pools", "admin"} & set(options.only)))


def summary(runs, options, seconds):
    """(the whole report, whether it is good)."""
    lines, differences = [], [difference for run in runs for difference in run.world.differences]
    main = runs[0]
    lines += [difference["text"] + "\n" for difference in differences]
    missing = main.coverage.missing(main.families, EXCUSED) if options.until is None else []
    lines += [f"never asked with success: {operation} {name or '(the operation)'}" for operation, name in missing]
    lines += ["", "requests by operation and status:"]
    for operation, statuses in sorted(main.coverage.statuses.items()):
        lines.append(f"  {operation}: " + ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items())))
    lines += ["", "differences that are meant:"]
    for run in runs:
        lines += [f"  {len(places)} times: {reason} (first #{places[0]})"
                  for reason, places in run.world.excused.items()]
        lines += [f"  {run.world.match.described} times: block types that are registered at start are"
                  " described in our own sentences"] if run.world.match.described else []
    asked, weak = sum(run.world.asked for run in runs), sum(run.world.match.weak for run in runs)
    operations = len([name for name in main.coverage.statuses if name != "no operation"])
    lines += ["",
              f"{asked} requests to {operations} operations, {len(differences)} differences, {len(missing)} parameters"
              f" not covered, {sum(len(one) for run in runs for one in run.world.excused.values())} meant differences,"
              f" {weak} lists compared by length only, {seconds:.0f} s, {options.database}, seed {options.seed}"]
    return "\n".join(lines), not differences and not missing


def arguments(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite",
                        help="of both servers (default: sqlite)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=11000,
                        help="go on with mutated bodies until there are so many requests (default: 11000)")
    parser.add_argument("--only", type=lambda text: text.split(","), metavar="FAMILY,…",
                        help=f"of {', '.join([*SCRIPTS, 'admin'])}; the scripts that they need are played too")
    parser.add_argument("--long", action="store_true", help="every mutation that there is")
    parser.add_argument("--until", type=int, metavar="N", help="stop after request N, and show its answers")
    parser.add_argument("--report", type=Path, default=Path("conformance.txt"),
                        help="the file for the whole report (default: conformance.txt)")
    return parser.parse_args(words)


def main():
    options = arguments()
    runs, seconds = conform(options)
    report, good = summary(runs, options, seconds)
    options.report.write_text(report + "\n")
    differences = [difference for run in runs for difference in run.world.differences]
    for difference in differences[:SHOWN]:
        print(difference["text"][:2500], "\n")
    for (family, operation), count in collections.Counter((one["family"], one["operation"].partition("?")[0])
                                                          for one in differences).most_common(40):
        print(f"{count:4} [{family}] {operation}")
    if options.until and runs[0].world.last:
        request, other, reference, ours = runs[0].world.last
        print(request.curl("…"), other.curl("…"), reference, ours, sep="\n")
    print(report.rpartition("\n")[2], f"\nThe whole report: {options.report}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
