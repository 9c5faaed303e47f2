#!/usr/bin/env python3
"""python -m bench.fill URL --runs N [--flows 20] [--task-runs 4.85] [--logs 9.7] [--seed 1] [--ids ordered|random]

Fills a new database, SQLite or PostgreSQL, with N flow runs of the last 60 days and all that belongs to them, straight
by SQL. URL is that of a SQLAlchemy engine, or the path of a SQLite file. --task-runs and --logs are means per flow run.
The same seed and --now make the same rows. The tables are made by our server's `database upgrade`, unless they are
there already."""
import argparse
import asyncio
import contextlib
import os
import sqlite3
import subprocess
import tempfile
import time

import asyncpg

from bench import life
from tests.lib import servers


def database_command(url, *words):
    with tempfile.TemporaryDirectory() as home:
        environment = servers.server_environment(home, PREFECT_ORION_DATABASE_CONNECTION_URL=url)
        subprocess.run([servers.ORION_BIN, "database", *words], env=environment, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


class SQLite:
    """Without a journal: a fill that is interrupted is begun anew."""

    def __init__(self, url):
        self.path = url.partition(":///")[2]
        self.connection = sqlite3.connect(self.path, isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000"):
            self.connection.execute(f"PRAGMA {pragma}")

    def query(self, sql):
        return self.connection.execute(sql).fetchall()

    def indexes(self):
        """Names and texts of those that no constraint has made, in the order that the planner knows them in."""
        return self.query("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY rowid")

    def interval(self, duration):
        return life.text(duration)

    def begin(self):
        self.connection.execute("BEGIN")

    def add(self, table, rows):
        columns = life.TABLES[table].split()
        self.connection.executemany(f"INSERT INTO {table} ({', '.join(columns)})"
                                    f" VALUES ({', '.join('?' * len(columns))})", rows)

    def end(self):
        self.connection.execute("COMMIT")

    def settle(self):
        self.connection.execute("PRAGMA journal_mode = WAL")

    def close(self):
        self.connection.close()

    def size(self):
        return os.path.getsize(self.path)


class PostgreSQL:
    def __init__(self, url):
        self.loop = asyncio.new_event_loop()
        self.connection = self.wait(asyncpg.connect(url.replace("+asyncpg", "", 1)))
        self.query("SET timezone = 'UTC'")
        self.query("SET maintenance_work_mem = '400MB'")

    def wait(self, future):
        return self.loop.run_until_complete(future)

    def query(self, sql):
        return [tuple(row) for row in self.wait(self.connection.fetch(sql))]

    def indexes(self):
        return self.query("SELECT relname, pg_get_indexdef(pg_class.oid) FROM pg_class"
                          " JOIN pg_namespace ON pg_namespace.oid = relnamespace"
                          " WHERE relkind = 'i' AND nspname = 'public' AND NOT EXISTS"
                          " (SELECT FROM pg_constraint WHERE conindid = pg_class.oid) ORDER BY pg_class.oid")

    def interval(self, duration):
        return f"{duration} microseconds"

    def begin(self):
        self.query("BEGIN")
        self.query("SET LOCAL session_replication_role = replica")  # runs and their states refer to each other

    @staticmethod
    def field(value):
        if value is None:
            return r"\N"
        value = str(value)
        if "\\" in value or "\n" in value or "\t" in value:
            value = value.replace("\\", r"\\").replace("\n", r"\n").replace("\t", r"\t")
        return value

    def add(self, table, rows):
        async def lines():
            yield "".join("\t".join(map(self.field, row)) + "\n" for row in rows).encode()
        self.wait(self.connection.copy_to_table(table, source=lines(), columns=life.TABLES[table].split(),
                                                format="text"))

    def end(self):
        self.query("COMMIT")

    def settle(self):
        """What autovacuum would come to do."""
        self.query("VACUUM ANALYZE")

    def close(self):
        self.wait(self.connection.close())
        self.loop.close()

    def size(self):
        return self.query("SELECT pg_database_size(current_database())")[0][0]


def engine_of(url):
    return SQLite(url) if url.startswith("sqlite") else PostgreSQL(url)


def fill(url, *, runs, flows=20, task_runs=4.85, logs=9.7, seed=1, now=None, ordered=True, tell=lambda *words: None):
    """Fills the database; how many rows each table got."""
    if "://" not in url:
        url = f"sqlite+aiosqlite:///{os.path.abspath(url)}"
    database_command(url, "upgrade", "-y")
    counts = dict.fromkeys(life.TABLES, 0)
    with contextlib.closing(engine_of(url)) as engine:
        if engine.query("SELECT 1 FROM flow_run LIMIT 1"):
            raise SystemExit(f"There are runs in {url} already")
        pool = str(engine.query("SELECT id FROM work_pool WHERE name = 'default-agent-pool'")[0][0])
        rows = life.Life(runs=runs, flows=flows, task_runs=task_runs, logs=logs, seed=seed, pool=pool, ordered=ordered,
                         now=now or time.time_ns() // 1000, interval=engine.interval)
        # Indexes that are made from whole tables are made in a fraction of the time.
        indexes = engine.indexes()
        engine.begin()
        for name, _ in indexes:
            engine.query(f"DROP INDEX {name}")
        for batch in rows.batches():
            for table, lines in batch.items():
                if lines:
                    engine.add(table, lines)
                    counts[table] += len(lines)
            tell(f"\r{counts['flow_run']} runs")
        tell("\nindexes: ")
        for name, sql in indexes:
            engine.query(sql)
            tell(".")
        engine.end()
        engine.settle()
        tell(f"\n{counts}\n{engine.size() / 1e9:.2f} GB\n")
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--flows", type=int, default=20)
    parser.add_argument("--task-runs", type=float, default=4.85, help="mean per flow run")
    parser.add_argument("--logs", type=float, default=9.7, help="mean per flow run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--now", type=int, help="seconds since 1970")
    parser.add_argument("--ids", choices=["ordered", "random"], default="ordered",
                        help="as our server makes them, or as the reference does")
    options = parser.parse_args()
    started = time.monotonic()
    fill(options.url, runs=options.runs, flows=options.flows, task_runs=options.task_runs, logs=options.logs,
         seed=options.seed, now=options.now and options.now * life.SECOND, ordered=options.ids == "ordered",
         tell=lambda words: print(words, end="", flush=True))
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
