"""Block types: lists, updates, deletion, protection, installation; and what a fresh database is given at start."""
import json

import pytest

from tests.lib import servers
from tests.lib.api_client import NOBODY, Api, unique
from .test_blocks import TYPE, make_document, make_schema, make_type

SYSTEM = ["date-time", "json", "local-file-system", "process", "secret"]


def test_texts_are_escaped(api):
    block_type = make_type(api, description="a & <b> \"c\" 'd'", code_example="x < y && z")
    assert (block_type["description"], block_type["code_example"]) == \
        ("a &amp; &lt;b&gt; \"c\" 'd'", "x &lt; y &amp;&amp; z")
    assert api.patch(f"/block_types/{block_type['id']}", {"description": "<&>"}).status_code == 204
    assert api.read(f"/block_types/{block_type['id']}")["description"] == "<&>"


def test_reserved_names(api):
    for name in ("Prefect Thing", "prefect", "PREFECTED"):
        answer = api.post("/block_types/", {"name": name, "slug": unique()})
        assert (answer.status_code, answer.json()) == \
            (403, {"detail": "Block type names beginning with 'Prefect' are reserved."})


def test_filters(api):
    prefix, can = unique("filter"), unique("can")
    types = [api.made("/block_types/", {"name": f"{prefix}-{end}", "slug": f"{prefix}-{end.lower()}"})
             for end in ("b", "A", "c")]
    schema = make_schema(api, types[2], capabilities=[can], version="7")

    def found(**body):
        answer = api.post("/block_types/filter", body)
        assert answer.status_code == 200, answer.text
        return ["bAc"[types.index(item)] for item in answer.json() if item in types]

    assert found(block_types={"name": {"like_": prefix.upper()}}) == ["A", "b", "c"] \
        and found(block_types={"slug": {"any_": [f"{prefix}-a"]}}) == ["A"]
    assert found(block_types={"slug": {"any_": []}}) == []
    assert found(block_schemas={"block_capabilities": {"all_": [can]}}) == ["c"] \
        and found(block_schemas={"id": {"any_": [schema["id"]]}}) == ["c"]
    assert found(block_types={"name": {"like_": prefix}}, block_schemas={"version": {"any_": ["8"]}}) == []
    assert found(block_types={"name": {"like_": prefix}}, limit=1, offset=1) == ["b"]
    names = [item["name"] for item in api.made("/block_types/filter", {}, 200)]
    assert names == sorted(names) and "Slack Webhook" in names


@pytest.mark.parametrize("body, places", [
    ({"block_types": {"id": {}, "name": {"any_": []}}, "block_schemas": {"x": 1}, "offset": -1},
     [["body", "block_types", "name", "any_"], ["body", "block_types", "id"], ["body", "block_schemas", "x"],
      ["body", "offset"]]),
    ({"block_types": {"operator": "and_"}}, [["body", "block_types", "operator"]]),
])
def test_bad_filters(api, body, places):
    answer = api.post("/block_types/filter", body)
    assert answer.status_code == 422 and [item["loc"] for item in answer.json()["exception_detail"]] == places


def test_limits(api):
    answer = api.post("/block_types/filter", {"limit": 201})
    assert (answer.status_code, answer.json()) == (422, {"detail": "Invalid limit: must be less than or equal to 200."})


def test_delete(api):
    schema = make_schema(api)
    document = make_document(api, schema)
    answer = api.delete(f"/block_types/{schema['block_type_id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.get(f"/block_schemas/{schema['id']}").status_code == 404 \
        and api.get(f"/block_documents/{document['id']}").status_code == 404
    for method in ("GET", "DELETE"):
        answer = api.request(method, f"/block_types/{schema['block_type_id']}")
        assert (answer.status_code, answer.json()) == (404, {"detail": "Block type not found"})
    assert api.patch(f"/block_types/{NOBODY}", {}).status_code == 404


@pytest.mark.parametrize("slug", SYSTEM)
def test_protected_types(api, slug):
    block_type = api.read(f"/block_types/slug/{slug}")
    assert block_type["is_protected"] is True
    answer = api.delete(f"/block_types/{block_type['id']}")
    assert (answer.status_code, answer.json()) == (403, {"detail": "protected block types cannot be deleted."})


def test_system_types_are_installed_anew(api):
    block_type = api.read("/block_types/slug/json")
    api.patch(f"/block_types/{block_type['id']}", {"description": "changed", "logo_url": None})
    api.server.execute("UPDATE block_type SET is_protected = FALSE WHERE slug = 'json'")
    api.server.execute("DELETE FROM block_type WHERE slug = 'secret'")
    updated = api.read("/block_types/slug/json")["updated"]
    answer = api.post("/block_types/install_system_block_types")
    assert (answer.status_code, answer.content) == (200, b"null")
    again = api.read("/block_types/slug/json")
    assert (again["id"], again["logo_url"], again["is_protected"]) == (block_type["id"], block_type["logo_url"], True) \
        and again["description"] != "changed"
    assert again["updated"] == updated
    secret = api.read("/block_types/slug/secret")
    schemas = api.made("/block_schemas/filter", {"block_schemas": {"block_type_id": {"any_": [secret["id"]]}}}, 200)
    assert secret["is_protected"] and [schema["version"] for schema in schemas] == ["2.7.12"]


# ---- what a start registers ----

def registered(api):
    """Types, schemas and references of a database by what they say; our descriptions and examples are our own."""
    types = {item["slug"]: {key: item[key] for key in TYPE[3:] if key not in ("description", "code_example")}
             for item in api.made("/block_types/filter", {}, 200)}
    schemas = api.made("/block_schemas/filter", {}, 200)
    for schema in schemas:
        schema["capabilities"].sort()  # the reference has them in no order
    keys = ("checksum", "fields", "capabilities", "version")
    rows = api.server.execute("SELECT reference.name, parent.checksum, parent.version, child.checksum, child.version"
                              " FROM block_schema_reference AS reference"
                              " JOIN block_schema AS parent ON parent.id = parent_block_schema_id"
                              " JOIN block_schema AS child ON child.id = reference_block_schema_id")
    stored = {(checksum, version): json.loads(fields)
              for checksum, version, fields in api.server.execute("SELECT checksum, version, fields FROM block_schema")}
    return types, sorted(([schema["block_type"]["slug"], *(schema[key] for key in keys)] for schema in schemas),
                         key=str), sorted(rows), stored


@pytest.fixture(scope="module")
def fresh(engine):
    """Both servers on databases of their own."""
    with servers.running("reference", database=engine) as reference, servers.running("orion", database=engine) as orion:
        yield Api(reference), Api(orion)


def test_a_fresh_database_holds_what_the_references_does(fresh):
    theirs, ours = map(registered, fresh)
    assert len(theirs[0]) == len(theirs[1]) == 32 and len(theirs[2]) == 7
    for their_part, our_part in zip(theirs, ours):
        assert our_part == their_part


def test_descriptions(fresh):
    """Those of our own types are ours; those of the collections are theirs."""
    reference, orion = ({item["slug"]: item for item in api.made("/block_types/filter", {}, 200)} for api in fresh)
    own = [slug for slug in reference if reference[slug]["documentation_url"]
           and "docs.prefect.io" in reference[slug]["documentation_url"]]
    assert len(own) == 21
    for slug, item in orion.items():
        assert item["description"] and "load(" in item["code_example"]
        assert (item["description"] == reference[slug]["description"]) == (slug not in own), slug


def rows_of(server):
    return [server.execute(f"SELECT * FROM {table} ORDER BY id")
            for table in ("block_type", "block_schema", "block_schema_reference")]


def test_a_second_start_changes_nothing(fresh, tmp_path):
    """Also on what a client changed, and on the database of the reference."""
    for api in fresh:
        if api.kind == "orion":
            api.patch(f"/block_types/{api.read('/block_types/slug/s3')['id']}", {"description": "changed"})
            [[before]] = api.server.execute("SELECT description FROM block_type WHERE slug = 's3'")
            assert before == "changed"
        copy = tmp_path / api.kind
        copy.mkdir()
        api.server.store.copy(copy)
        before = rows_of(api.server)
        with servers.running("orion", home=copy, database=api.engine) as again:
            assert rows_of(again) == before


def test_registration_is_switched_off(engine):
    with servers.running("orion", database=engine, PREFECT_ORION_BLOCKS_REGISTER_ON_START="false") as server:
        assert Api(server).made("/block_types/filter", {}, 200) == []


# ---- encryption ----

def test_documents_are_read_by_the_other_server(tmp_path, engine):
    """One database, written and read by both in turn: data, nested documents, secrets."""
    data, documents = {"path": "/é", "secret": "s \u2028 🙂", "n": [1.5, None, {"a": {}}]}, []
    for kind in ("reference", "orion", "reference"):
        with servers.running(kind, home=tmp_path, database=engine) as server:
            api = Api(server)
            for document in documents:
                assert api.read(f"/block_documents/{document}?include_secrets=true")["data"] in (data, {"child": data})
            schema = make_schema(api)
            child = make_document(api, schema, data=data)
            parent = make_document(api, schema, data={"child": {"$ref": {"block_document_id": child["id"]}}})
            documents += [child["id"], parent["id"]]
