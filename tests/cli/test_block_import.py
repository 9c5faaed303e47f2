"""`orion block import`: a command of ours alone, which registers the block types of a file in the database."""
import json
import os
import subprocess

import pytest

from tests.lib import servers

SCHEMA = {"checksum": "sha256:of-the-file", "fields": {"title": "T", "block_type_slug": "one"}, "capabilities": ["can"],
          "version": "1"}
ONE = {"name": "One", "slug": "one", "logo_url": "https://x.example/a.png", "description": "a < b",
       "is_protected": True, "block_schemas": [SCHEMA]}
TWO = {"name": "Two", "slug": "two"}


class Program:
    def __init__(self, home, engine):
        self.home = home
        self.store = servers.Store.of_home(engine, home)
        self.store.create("orion")
        assert self.run("database", "upgrade", "-y")[0] == 0

    def run(self, *words):
        environment = servers.server_environment(self.home, PREFECT_ORION_DATABASE_CONNECTION_URL=self.store.url)
        done = subprocess.run([str(servers.ORION_BIN), *words], env=environment, capture_output=True, text=True,
                              timeout=60)
        return done.returncode, done.stdout + done.stderr

    def imported(self, content):
        path = self.home / "file.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return self.run("block", "import", str(path))

    def rows(self, sql):
        return self.store.execute(sql)


@pytest.fixture
def program(tmp_path, engine):
    made = Program(tmp_path, engine)
    yield made
    made.store.drop()


def collections(**types):
    return {"collections": {"some": {"block_types": types}}}


def test_import(program):
    status, out = program.imported(collections(one=ONE, two=TWO))
    assert status == 0 and "one: registered, 1 new schema\ntwo: registered, 0 new schemas\n" in out
    assert program.rows("SELECT slug, name, description, is_protected FROM block_type ORDER BY slug") == \
        [("one", "One", "a &lt; b", 0), ("two", "Two", None, 0)]
    [(checksum, version, capabilities)] = program.rows("SELECT checksum, version, capabilities FROM block_schema")
    assert len(checksum) == 71 and (version, capabilities) == ("1", '["can"]')
    status, out = program.imported(collections(one={**ONE, "description": "new"}, two=TWO))
    assert status == 0 and "one: updated, 0 new schemas\ntwo: updated, 0 new schemas\n" in out
    assert program.rows("SELECT description, logo_url FROM block_type ORDER BY slug") == \
        [("new", "https://x.example/a.png"), (None, None)]
    assert program.rows("SELECT count(*) FROM block_schema") == [(1,)]


@pytest.mark.parametrize("content, words", [
    ("{", "it is not JSON"), ("", "it is not JSON"), ([], 'it has no object "collections"'),
    ({"collections": {}}, "it has no block types"), ({"collections": {"some": {}}}, 'some has no object "block_types"'),
    (collections(one=ONE, two={"name": "Two"}), 'block type "two" of some: slug: field required'),
    (collections(one=ONE, two={**TWO, "logo_url": "nope"}),
     'block type "two" of some: logo_url: invalid or missing URL scheme'),
    (collections(one=ONE, two={**TWO, "block_schemas": [{}]}), 'block type "two" of some: checksum: field required'),
    (collections(one=ONE, two={**TWO, "block_schemas": {}}),
     'block type "two" of some: block_schemas: value is not a valid list'),
    (collections(one=ONE, two={**TWO, "block_schemas": [{**SCHEMA, "fields": {
        "block_schema_references": {"x": {"block_type_slug": "none", "block_schema_checksum": "y"}}}}]}),
     "block type 'none' was not found"),
])
def test_bad_files_store_nothing(program, content, words):
    status, out = program.imported(content)
    assert status == 1 and words in out, out
    assert program.rows("SELECT count(*) FROM block_type") == [(0,)] \
        and program.rows("SELECT count(*) FROM block_schema") == [(0,)]


def test_files_that_cannot_be_read(program):
    assert program.run("block", "import", "nowhere.json") == \
        (1, "nowhere.json cannot be read: No such file or directory\n")
    status, out = program.run("block", "import", os.fspath(program.home))
    assert status == 1 and "not a regular file" in out


def test_other_commands_are_the_clients(program):
    for words in (["ls"], ["type", "ls"], ["register", "--file", "x"]):
        status, out = program.run("block", *words)
        assert status == 2 and "Python client" in out
