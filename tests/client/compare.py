"""Compares what two servers stored for the same script: python -m tests.client.compare A.db B.db (or the URLs of
PostgreSQL databases), or differences(a, b) from a test.

Every row of every table is compared, column by column. What cannot be the same is brought to a common form first: ids
become labels made from what they stand for ("run:child#2", "task:…/add-0"), names that were generated become the label
of their run, times of the day of the test keep only their shape ("9999-99-99 99:99:99.999999", so that the precision is
compared), durations only whether they are zero. JSON columns are compared by value, encrypted ones after decryption.
What is left out on purpose is said in REASONED, and in docs/differences.md."""
import collections
import datetime
import json
import re
import sys
from pathlib import Path

from cryptography.fernet import Fernet

from tests.lib.servers import Store

# Tables of which belongs_here() leaves rows out, and why.
REASONED = {
    "log": "the reference leaves the logs of a deleted run behind; we delete them",
    "artifact": "the reference leaves the artifacts of a deleted run behind; we delete them",
    "block_type":
        "what a start registers has descriptions of our own, and is compared in tests/api; here those that a document"
        " uses",
    "block_schema": "as for block_type",
    "block_schema_reference": "as for block_type",
}
# Columns that hold Python sets, written in whatever order the client's process iterates them.
SETS = {("block_schema", "capabilities"), ("task_run", "task_inputs")}
GENERATED_NAME = re.compile(r"[a-z]+-[a-z]+")
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
STORAGE_KEY = re.compile(r"\b[0-9a-f]{32}\b")
TIME = re.compile(r"\b(\d{4}-\d\d-\d\d)[ T]\d\d:\d\d:\d\d(\.\d+)?")


class Database:
    """All rows of one database, and the labels of the ids in them. `home` is the client's: paths in it are made
    alike."""

    def __init__(self, store, home=None):
        self.home = str(home) if home else None
        self.labels, self.names = {}, {}
        columns = {table: store.columns(table) for table in store.tables()}
        self.tables = {table: [dict(zip(types, row)) for row in store.execute(f"SELECT * FROM {table}")]
                       for table, types in columns.items()}
        self.json_columns = {table: {name for name, kind in types.items() if kind.upper() in ("JSON", "JSONB")}
                             for table, types in columns.items()}
        self.days = self.days_of_the_test()
        self.decrypt_documents()
        self.label_rows()

    def days_of_the_test(self):
        created = [row["created"][:10] for row in self.tables["flow_run"]] or [datetime.date.today().isoformat()]
        first, last = (datetime.date.fromisoformat(f(created)) for f in (min, max))
        return {(first + datetime.timedelta(days=n)).isoformat() for n in range(-1, (last - first).days + 3)}

    def decrypt_documents(self):
        keys = [json.loads(r["value"])["fernet_key"]
                for r in self.tables["configuration"] if r["key"] == "ENCRYPTION_KEY"]
        for row in self.tables["block_document"]:
            token = json.loads(row["data"])
            row["data"] = Fernet(keys[0].encode()).decrypt(token.encode()).decode()

    def label_in_order(self, table, key):
        """Labels the rows of a table: key(row) and, since it may come again, its number in order of creation."""
        count = collections.Counter()
        for row in sorted(self.tables[table], key=lambda r: (r.get("timestamp") or "", r["created"])):
            text = key(row)
            count[text] += 1
            self.labels[row["id"]] = f"{text}#{count[text]}"

    def label_rows(self):
        label = lambda value: self.labels.get(value, "none" if value is None else "gone")
        self.label_in_order("flow", lambda r: f"flow:{r['name']}")
        self.label_in_order("flow_run", lambda r: f"run:{label(r['flow_id'])}")
        self.label_in_order("task_run", lambda r: f"task:{label(r['flow_run_id'])}/{r['task_key']}-{r['dynamic_key']}")
        self.label_in_order("flow_run_state", lambda r: f"state:{label(r['flow_run_id'])}")
        self.label_in_order("task_run_state", lambda r: f"state:{label(r['task_run_id'])}")
        self.label_in_order("artifact", lambda r: f"artifact:{label(r['flow_run_id'])}/{label(r['task_run_id'])}")
        self.label_in_order("block_type", lambda r: f"block_type:{r['slug']}")
        self.label_in_order("block_schema", lambda r: f"block_schema:{r['checksum']}")
        self.label_in_order("block_document", lambda r: f"document:{label(r['block_type_id'])}")
        self.label_in_order("work_pool", lambda r: f"pool:{r['name']}")
        self.label_in_order("work_queue", lambda r: f"queue:{r['name']}")
        self.label_in_order("concurrency_limit", lambda r: f"limit:{r['tag']}")
        for row in self.tables["flow_run"] + self.tables["task_run"]:
            if GENERATED_NAME.fullmatch(row["name"]):
                self.names[row["name"]] = f"<name of {self.labels[row['id']]}>"

    def belongs_here(self, table, row):
        if table in ("log", "artifact"):
            return all(row[key] is None or row[key] in self.labels for key in ("flow_run_id", "task_run_id"))
        used = {r["block_type_id"] for r in self.tables["block_document"]}
        if table == "block_type":
            return row["id"] in used
        used_schemas = {r["block_schema_id"] for r in self.tables["block_document"]}
        if table == "block_schema":
            return row["id"] in used_schemas
        if table == "block_schema_reference":
            return row["parent_block_schema_id"] in used_schemas
        return True

    def text(self, value):
        for name, label in self.names.items():
            if name in value:
                value = value.replace(name, label)
        if self.home:
            value = value.replace(self.home, "<home>")
        value = UUID.sub(lambda m: self.labels.get(m.group(0), "<id>"), value)
        value = STORAGE_KEY.sub("<key>", value)
        return TIME.sub(lambda m: re.sub(r"\d", "9", m.group(0)) if m.group(1) in self.days else m.group(0), value)

    def value(self, value):
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(v) for v in value]
        if isinstance(value, dict):
            return {self.text(k): self.value(v) for k, v in value.items()}
        return value

    def cell(self, table, column, value):
        if value is None:
            return None
        if column == "total_run_time":
            return "zero" if value == "1970-01-01 00:00:00.000000" else "not zero"
        if (table, column) in SETS:
            return in_order(self.value(json.loads(value)))
        if table == "configuration" and column == "value":
            return sorted(json.loads(value))
        return self.value(json.loads(value) if column in self.json_columns[table] else value)

    def rows(self, table):
        """The table in its common form, as a counter of rows in JSON."""
        return collections.Counter(
            json.dumps({column: self.cell(table, column, value) for column, value in row.items()}, sort_keys=True,
                       ensure_ascii=False) for row in self.tables[table] if self.belongs_here(table, row))


def in_order(value):
    """The lists in a value sorted, those in objects too."""
    if isinstance(value, dict):
        return {key: in_order(v) for key, v in value.items()}
    return sorted(value, key=json.dumps) if isinstance(value, list) else value


def describe(table, only_a, only_b):
    """One text for each row that only one side has; rows with the same id, or failing that the same text columns, are
    told column by column."""
    a, b = sorted(only_a.elements()), sorted(only_b.elements())
    by_id = {json.loads(row).get("id"): json.loads(row) for row in b}
    for row in map(json.loads, a):
        other = by_id.pop(row.get("id"), None) if row.get("id") not in (None, "<id>") else None
        if other is None:
            yield f"{table}: only in the first: {row}"
        else:
            changes = [f"{c}: {row.get(c)!r} / {other.get(c)!r}"
                       for c in sorted({*row, *other}) if row.get(c) != other.get(c)]
            yield f"{table} {row['id']}: {'; '.join(changes)}"
            b.remove(json.dumps(other, sort_keys=True, ensure_ascii=False))
    for row in b:
        yield f"{table}: only in the second: {json.loads(row)}"


def differences(a, b):
    """All differences of two Databases, as texts."""
    found = [f"table {name} is only in one of them" for name in sorted(a.tables.keys() ^ b.tables.keys())]
    for table in sorted(a.tables.keys() & b.tables.keys()):
        rows_a, rows_b = a.rows(table), b.rows(table)
        found += describe(table, rows_a - rows_b, rows_b - rows_a)
    return found


def store_at(place):
    return Store(place if "://" in place else f"sqlite+aiosqlite:///{Path(place).resolve()}")


if __name__ == "__main__":
    for line in differences(Database(store_at(sys.argv[1]), *sys.argv[3:4]),
                            Database(store_at(sys.argv[2]), *sys.argv[4:5])):
        print(line)
