"""All rows of a database as a script that makes them again, and two such scripts compared: a row with its values, and
what the migration made up itself, in which no two upgrades agree, by its place."""
import collections
import contextlib
import hashlib
import json
import re
import sqlite3
import subprocess
from typing import Callable, NamedTuple

from tests.lib import postgres

IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")  # ours are in order
TIME = re.compile(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?(\+00)?")
ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
ROUNDS = 4  # of refine(): the longest way from one row made by a migration to what tells it apart


def dump(store):
    """What is in the database, as a script."""
    return "\n".join(line for line in store.dump() if not line.startswith("--"))


def restore(store, script):
    """Fills an empty database."""
    if store.engine == "sqlite":
        with contextlib.closing(sqlite3.connect(store.path)) as connection:
            connection.executescript(script)
        return
    cluster = postgres.cluster()
    cluster.create_database(store.name)
    subprocess.run([cluster.bin / "psql", "-q", "-v", "ON_ERROR_STOP=1", cluster.url(store.name, "postgresql")],
                   input=script, text=True, check=True, cwd="/", stdout=subprocess.DEVNULL)


def unescaped(text):
    return None if text == r"\N" else re.sub(r"\\(.)", lambda found: ESCAPED[found.group(1)], text)


def read_copies(script):
    """An SQLite database in memory with the rows of the COPY statements of a script for PostgreSQL, all as text."""
    connection = sqlite3.connect(":memory:")
    lines = iter(script.split("\n"))
    for line in lines:
        found = re.fullmatch(r"COPY (?:public\.)?(\w+) \((.*)\) FROM stdin;", line)
        if not found:
            continue
        table, columns = found.group(1), found.group(2)
        connection.execute(f"CREATE TABLE {table} ({columns})")
        places = ", ".join("?" * len(columns.split(",")))
        rows = (map(unescaped, row.split("\t")) for row in iter(lines.__next__, r"\."))
        connection.executemany(f"INSERT INTO {table} VALUES ({places})", map(tuple, rows))
    return connection


class Snapshot:
    """The rows of a script, in SQLite of our own, so that what is wrong in them can be mended by SQL."""

    def __init__(self, engine, script):
        self.engine = engine
        if engine == "postgresql":
            self.connection = read_copies(script)
        else:
            self.connection = sqlite3.connect(":memory:")
            self.connection.executescript(script)

    def query(self, sql, *values):
        return self.connection.execute(sql, values).fetchall()

    def tables(self):
        return [name for name, in self.query("SELECT name FROM sqlite_master WHERE type = 'table'"
                                             " AND name NOT LIKE 'sqlite_%' ORDER BY 1")]

    def rows(self, table):
        """Each as {column: value}."""
        cursor = self.connection.execute(f'SELECT * FROM "{table}"')
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor]

    def identifiers(self):
        return {row["id"] for table in self.tables() for row in self.rows(table) if "id" in row}


def without_made_up_trigger(value):
    """The reference gives each trigger a random id, and takes the states through a set of Python's."""
    trigger = json.loads(value)
    assert IDENTIFIER.fullmatch(trigger["id"])
    return json.dumps({**trigger, "id": "made up", "expect": sorted(trigger["expect"])})


class Rule(NamedTuple):
    """A column in which two upgrades may differ: how it is read, and why."""
    table: str
    column: str
    read: Callable
    reason: str


RULES = [
    Rule("automation", "trigger", without_made_up_trigger,
         "of a notification policy: its id is random, the order of its states comes from a set"),
]
READ = {(rule.table, rule.column): rule.read for rule in RULES}


def plain_row(table, row, known):
    """A row in which the times of what a migration made are no longer told apart."""
    plain = {column: READ[table, column](value) if (table, column) in READ and value else value
             for column, value in row.items()}
    if "id" in row and row["id"] not in known:
        for column in ("created", "updated"):
            if isinstance(row[column], str) and TIME.fullmatch(row[column]):
                plain[column] = "of the upgrade"
    return plain


def refine(rows, labels):
    """Names for the ids that a migration made up, by what their rows hold and which rows refer to them."""
    told = collections.defaultdict(list)
    for table, row in rows:
        text = json.dumps([table, sorted((column, labels.get(value, value)) for column, value in row.items())])
        for column, value in row.items():
            if value in labels:
                told[value].append(f"{column} of {text}")
    return {key: hashlib.sha256(repr(sorted(texts)).encode()).hexdigest()[:16] for key, texts in told.items()}


def canonical(snapshot, known):
    """All rows as texts, counted. `known` holds the ids that were there before the upgrade."""
    rows = [(table, plain_row(table, row, known)) for table in snapshot.tables() for row in snapshot.rows(table)]
    labels = {row["id"]: table for table, row in rows
              if "id" in row and row["id"] not in known and IDENTIFIER.fullmatch(str(row["id"]))}
    for _ in range(ROUNDS):
        labels = refine(rows, labels)
    return collections.Counter(
        f"{table} " + json.dumps({column: labels.get(value, value) for column, value in sorted(row.items())},
                                 ensure_ascii=False) for table, row in rows)


def difference(expected, actual, known):
    """[rows that are missing, rows that should not be there], as texts."""
    left, right = canonical(expected, known), canonical(actual, known)
    return [sorted((left - right).elements()), sorted((right - left).elements())]
