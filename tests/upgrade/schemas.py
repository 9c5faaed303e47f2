"""What a database consists of, as rows that can be compared, and what it consists of after each revision of the
reference's chain: schemas-ENGINE.json.xz.


`python -m tests.upgrade.schemas VENV_2_7_12 VENV_3_8_3` walks the chains of both on both engines and writes them.
The older chain must be the beginning of the newer one, and come to the same schemas."""
import functools
import json
import lzma
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.lib import servers
from tests.lib.servers import Store
from tests.schema import test_schema_postgres
from tests.schema.test_schema import schema

FOLDER = Path(__file__).parent
ENGINES = ("sqlite", "postgresql")
HEADS = {"sqlite": {"2": "bfe42b7090d6", "3": "14806cb26270"},
         "postgresql": {"2": "2a88656f4a23", "3": "50737cdaee36"}}  # of 2.7.12 and 3.8.3


def describe(store):
    """Each object of the database as a row of texts and numbers: what kind, its name, how it is defined. Layout, and an
    order that means nothing, do not count."""
    if store.engine == "sqlite":
        rows = [[*key, *value] for key, value in schema(store.path).items()]
    else:
        found = test_schema_postgres.describe(store.name)
        found["extensions"] = [row[:1] for row in found["extensions"]]  # their versions come with the server
        rows = [[kind, *row] for kind, some in found.items() for row in some]
    return sorted((json.loads(json.dumps(row)) for row in rows), key=json.dumps)


def difference(before, after):
    """[what is gone, what is new], rows of describe()."""
    left, right = ({json.dumps(row) for row in rows} for rows in (before, after))
    return [[json.loads(row) for row in sorted(rows)] for rows in (left - right, right - left)]


@functools.cache
def recorded(engine):
    """[[revision, gone, new], …] from the first revision to the head of 3.8.3."""
    return json.loads(lzma.decompress(path(engine).read_bytes()))


def path(engine):
    return FOLDER / f"schemas-{engine}.json.xz"


def revisions(engine):
    """All that the reference has, oldest first."""
    return [revision for revision, _, _ in recorded(engine)]


def at(engine, revision):
    """What describe() says of a database that the reference brought to that revision."""
    rows = set()
    for name, gone, new in recorded(engine):
        rows = (rows - {json.dumps(row) for row in gone}) | {json.dumps(row) for row in new}
        if name == revision:
            return [json.loads(row) for row in sorted(rows)]
    raise KeyError(revision)


class Walker:
    """The reference of a virtual environment, which migrates a database step by step."""

    def __init__(self, venv, store, home):
        url = {f"PREFECT_{name}_DATABASE_CONNECTION_URL": store.url for name in ("ORION", "API", "SERVER")}
        # The order of some constraints comes from a set of Python's.
        environment = servers.server_environment(home, PYTHONHASHSEED="0", PREFECT_API_URL="", **url)
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([Path(venv) / "bin/python", FOLDER / "walker.py"], env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        self.revisions = json.loads(self._answer())

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.log.seek(0)
            raise RuntimeError(self.log.read())
        return line

    def go_to(self, revision):
        print(revision, file=self.process.stdin, flush=True)
        assert self._answer() == f"{revision}\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def walk(venv, engine):
    """Takes an empty database through the whole chain: [[revision, gone, new], …]."""
    found = []
    with tempfile.TemporaryDirectory() as home:
        store = Store.of_home(engine, home)
        store.create("orion")
        before = []
        with Walker(venv, store, home) as walker:
            for revision in walker.revisions:
                walker.go_to(revision)
                after = describe(store)
                found.append([revision, *difference(before, after)])
                before = after
        store.drop()
    return found


def walk_both(older, newer, engine):
    """The walk of 3.8.3, of which that of 2.7.12 must be the beginning."""
    first, second = (walk(venv, engine) for venv in (older, newer))
    assert first == second[:len(first)], "the two references differ in what they have in common"
    assert {"2": first[-1][0], "3": second[-1][0]} == HEADS[engine]
    return second


def main():
    for engine in ENGINES:
        steps = walk_both(*sys.argv[1:], engine)
        text = json.dumps(steps, separators=(",", ":")).encode()
        path(engine).write_bytes(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))
        print(f"{engine}: {len(steps)} revisions")


if __name__ == "__main__":
    main()
