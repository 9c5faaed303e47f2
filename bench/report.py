#!/usr/bin/env python3
"""python -m bench.report [--anew] [--sizes 1000,10000,100000] [--connections 1,8,64] [--database sqlite,postgresql]

Measures what docs/performance.md shows, and writes its tables and pictures anew: every shape beside the reference at
several sizes, and the load of bench.bench over several numbers of connections. Each measurement is kept as a file in
build/bench and taken from there the next time, unless --anew is given: all of them together take an hour."""
import argparse
import json
import re
import statistics

from bench import bench, picture, reads, shapes
from tests.lib import servers

RESULTS = servers.ROOT / "build/bench"
DOCUMENT = servers.ROOT / "docs/performance.md"
IMAGES = servers.ROOT / "docs/images"
KINDS = ["orion", "reference"]
NAMES = {"orion": "Orion", "reference": "the reference"}
ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
# Those that were slow before there was an index or a statement for them.
CHOSEN = ["tasks_count", "history_30d", "runs_tagged", "task_history", "history_1d", "runs_of_flow", "runs_by_name",
          "runs_latest", "runs_active"]
DRAWN = [("POST flow_runs/", "create a run"), ("GET flow_runs/{id}", "read a run"),
         ("POST flow_runs/filter (50 rows)", "list 50 runs")]


def kept(name, anew, make):
    """What make() answers, or what it answered when it was last called."""
    file = RESULTS / f"{name}.json"
    if anew or not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(make(), indent=1) + "\n")
    return json.loads(file.read_text())


def measure_reads(database, kind, runs):
    options = reads.arguments().parse_args(["--database", database, "--only", kind, "--runs", str(runs),
                                            "--seconds", "1", *(["--first"] if kind == "orion" else [])])
    return reads.run(options)[0][kind]


def measured(options):
    """All figures: of reads by database, size and kind, and of the load by connections and kind."""
    found = {(database, runs, kind): kept(f"reads-{database}-{runs}-{kind}", options.anew,
                                          lambda: measure_reads(database, kind, runs))
             for database in options.database for runs in options.sizes for kind in KINDS}
    loads = {(connections, kind): kept(f"load-{connections}-{kind}", options.anew,
                                       lambda: bench.measure(kind, "sqlite", options.seconds, connections))
             for connections in options.connections for kind in KINDS}
    return found, loads


def figure(result, key="ms"):
    if result is None or key not in result:
        return "more than 180 000" if result and "within" in result.get("error", "") else "–"
    return f"{result[key]:.1f}" if result[key] < 100 else f"{result[key]:,.0f}".replace(",", " ")


def ratio(ours, theirs):
    if ours and theirs and "ms" in ours and "ms" in theirs:
        return f"{theirs['ms'] / ours['ms']:.0f}×"
    return ""


def row(*cells):
    return "| " + " | ".join(cells) + " |"


def table(ours, theirs, names):
    lines = [row("shape", "first, ms", "ms", "processor, ms", "the reference, ms", "processor, ms", "ratio"),
             row("---", *["---:"] * 6)]
    for name in names:
        one, two = ours.get(name), theirs.get(name)
        lines.append(row(name, figure(one, "first_ms"), figure(one), figure(one, "processor_ms"), figure(two),
                         figure(two, "processor_ms"), ratio(one, two)))
    return "\n".join(lines)


def times(results, key="ms"):
    return [result[key] for result in results.values() if key in result]


def size_table(found, options):
    lines = [row("engine", "flow runs", "shapes", "Orion: median ms", "slowest", "over 10 ms",
                 "over 10 ms of the processor", "the reference: median", "slowest", "median ratio"),
             row("---", *["---:"] * 9)]
    for database in options.database:
        for runs in options.sizes:
            ours, theirs = (found[database, runs, kind] for kind in KINDS)
            ratios = [theirs[name]["ms"] / ours[name]["ms"] for name in ours
                      if "ms" in ours[name] and "ms" in theirs.get(name, {})]
            mine, other = times(ours), times(theirs)
            lines.append(row(ENGINES[database], f"{runs:,}".replace(",", " "), str(len(mine)),
                             f"{statistics.median(mine):.1f}", f"{max(mine):.0f}", str(sum(ms > 10 for ms in mine)),
                             str(sum(ms > 10 for ms in times(ours, "processor_ms"))),
                             f"{statistics.median(other):.0f}", f"{max(other):.0f}",
                             f"{statistics.median(ratios):.0f}×"))
    return "\n".join(lines)


def read_tables(found, options):
    parts, largest = [], max(options.sizes)
    for database in options.database:
        ours, theirs = (found[database, largest, kind] for kind in KINDS)
        every = [shape["name"] for shape in shapes.load() if shape["name"] in ours]
        every.sort(key=lambda name: -ours[name].get("ms", 0))
        title = f"{ENGINES[database]}, {largest:,} flow runs".replace(",", " ", 2).replace("  ", ", ")
        parts.append(f"**{title}**\n\n" + table(ours, theirs, [name for name in CHOSEN if name in ours]))
        parts.append(f"<details><summary>All {len(every)} shapes, the slowest first</summary>\n\n"
                     + table(ours, theirs, every) + "\n\n</details>")
    return "\n\n".join(parts)


def load_table(loads, options):
    lines = [row("operation", *(f"{count} {'client' if count == 1 else 'clients'}" for count in options.connections)),
             row("---", *["---:"] * len(options.connections))]
    for operation in bench.OPERATIONS:
        cells = []
        for count in options.connections:
            ours, theirs = (loads[count, kind]["operations"][operation]["rps"] for kind in KINDS)
            times_theirs = f", {ours / theirs:.0f}×" if theirs else ""  # none was answered in time
            cells.append(f"{ours:.0f}/s{times_theirs}")
        lines.append(row(f"`{operation}`", *cells))
    return "\n".join(lines)


def draw(found, loads, options):
    database = options.database[0]
    lines = []
    for number, kind in enumerate(KINDS):
        for dashes, (what, of) in enumerate([("median", statistics.median), ("slowest tenth", lambda values:
                                                                            statistics.quantiles(values, n=10)[-1])]):
            lines.append((f"{NAMES[kind]}, {what}", number, dashes,
                          [(runs, of(times(found[database, runs, kind]))) for runs in options.sizes]))
    (IMAGES / "latency.svg").write_text(picture.chart(
        f"What the dashboard and the CLI ask, {ENGINES[database]}", "flow runs in the database", "ms", lines))
    lines = [(f"{NAMES[kind]}, {title}", number, dashes,
              [(count, loads[count, kind]["operations"][operation]["rps"]) for count in options.connections
               if loads[count, kind]["operations"][operation]["rps"]])
             for number, kind in enumerate(KINDS) for dashes, (operation, title) in enumerate(DRAWN)]
    (IMAGES / "throughput.svg").write_text(picture.chart(
        "Requests per second, SQLite", "connections", "requests/s", lines))


def fill_in(text, name, content):
    """The document with the content between the markers of that name."""
    pattern = re.compile(rf"(<!-- bench: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    assert pattern.search(text), f"{DOCUMENT} has no place for {name}"
    return pattern.sub(lambda found: f"{found[1]}\n{content}\n\n{found[2]}", text)


def main():
    def numbers(text):
        return sorted(map(int, text.split(",")))

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--anew", action="store_true")
    parser.add_argument("--sizes", type=numbers, default=[1_000, 10_000, 100_000])
    parser.add_argument("--connections", type=numbers, default=[1, 8, 64])
    parser.add_argument("--database", type=lambda text: text.split(","), default=["sqlite", "postgresql"])
    parser.add_argument("--seconds", type=int, default=4, help="of each load")
    options = parser.parse_args()
    found, loads = measured(options)
    text = DOCUMENT.read_text()
    for name, content in [("sizes", size_table(found, options)), ("reads", read_tables(found, options)),
                          ("load", load_table(loads, options))]:
        text = fill_in(text, name, content)
    DOCUMENT.write_text(text)
    draw(found, loads, options)


if __name__ == "__main__":
    main()
