"""The real client and its commands work on blocks of our server as on the reference's: the same script on both, what it
printed and stored compared."""
import json
import re
import sys
from pathlib import Path

import pytest

from tests.lib import scenario, servers
from . import compare

SCRIPT = str(Path(__file__).with_name("blocks.py"))
KINDS = ["orion", "reference"]


def play(kind, engine, home):
    """What each step printed, and what is in the database at the end."""
    home.mkdir()
    with servers.running(kind, home=home, database=engine) as server:
        player = scenario.Player(server.url, home / "client")

        def command(*words, expect=0):
            out = player.prefect("block", *words, expect=expect)
            return re.sub(r"\s+", " ", compare.UUID.sub("<id>", out).replace(server.root, "<server>"))

        seen = {name: player.finish(player.start(sys.executable, SCRIPT, name)) for name in ("simple", "nested")}
        seen["register"] = command("register", "--file", SCRIPT)
        seen["ls"] = sorted(set(re.findall(r"\b[\w-]+/[\w-]+\b", command("ls"))))
        seen["inspect"] = command("inspect", "test-house/villa")
        seen["create"] = command("create", "s3")
        seen["delete"] = command("delete", "string/text")
        seen["delete again"] = command("delete", "string/text", expect=1)
        seen["type delete"] = command("type", "delete", "window")
        seen["type delete protected"] = command("type", "delete", "json", expect=1)
        slugs = [row[0] for row in server.execute("SELECT slug FROM block_type")]
        listed = command("type", "ls")
        seen["type ls"] = sorted(slug for slug in slugs if re.search(rf"\b{slug}\b", listed))
        return seen, stored(server)


def stored(server):
    """Every type, schema and document by what it says, those of the client's own classes word by word."""
    documents = compare.Database(server.store).tables["block_document"]
    types = {row[0]: row[1:]
             for row in server.execute("SELECT id, slug, name, description, logo_url, is_protected FROM block_type")}
    schemas = {row[0]: [types[row[1]][0], *row[2:4], json.loads(row[4]), sorted(json.loads(row[5]))]
               for row in server.execute(
                   "SELECT id, block_type_id, checksum, version, fields, capabilities FROM block_schema")}
    names = {row["id"]: row["name"] for row in documents if not row["is_anonymous"]}
    document_references = server.execute(
        "SELECT name, parent_block_document_id, reference_block_document_id FROM block_document_reference")
    schema_references = server.execute(
        "SELECT name, parent_block_schema_id, reference_block_schema_id FROM block_schema_reference")
    return {
        "types": sorted(row for row in types.values() if row[0] in ("test-door", "test-house")),
        "slugs": sorted(row[0] for row in types.values()),
        "schemas": sorted(schemas.values(), key=str),
        "documents": sorted(([types[row["block_type_id"]][0], names.get(row["id"]), schemas[row["block_schema_id"]][1],
                              json.loads(row["data"])] for row in documents), key=str),
        "document references": sorted((name, names[parent], names[child])
                                      for name, parent, child in document_references),
        "schema references": sorted((name, schemas[parent][1], schemas[child][1])
                                    for name, parent, child in schema_references),
    }


@pytest.fixture(scope="module")
def played(tmp_path_factory, engine):
    home = tmp_path_factory.mktemp("blocks")
    return {kind: play(kind, engine, home / kind) for kind in KINDS}


@pytest.mark.parametrize("step", ["simple", "nested", "register", "ls", "inspect", "create", "delete", "delete again",
                                  "type delete", "type delete protected", "type ls"])
def test_what_the_client_shows(played, step):
    ours, theirs = (played[kind][0][step] for kind in KINDS)
    assert ours == theirs and ours


@pytest.mark.parametrize("part", ["types", "slugs", "schemas", "documents", "document references", "schema references"])
def test_what_is_stored(played, part):
    ours, theirs = (played[kind][1][part] for kind in KINDS)
    assert ours == theirs and ours


def test_secrets_come_back(played):
    seen = played["orion"][0]
    assert '"hidden"' in seen["simple"] and '"code": "9999"' in seen["nested"] and "9999" not in seen["inspect"] \
        and "********" in seen["inspect"]
