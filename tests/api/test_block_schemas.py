"""Block schemas that nest others: what is stored, what comes back, lists, capabilities, protected types."""
import copy

import pytest
from prefect.blocks.core import Block

from tests.lib.api_client import NOBODY, unique
from tests.lib.differences import expected
from .test_blocks import make_document, make_schema, make_type

PLAIN = {"title": "Plain", "type": "object", "properties": {"mode": {"$ref": "#/definitions/Mode"}}}
MODE = {"title": "Mode", "enum": ["a", "b"]}


def fields_of(block_type, title=None, references=None, definitions=None, properties=None, **more):
    """As the client makes them; names of properties point to definitions of the same title."""
    fields = {"title": title or unique("Title"), "type": "object",
              "properties": {"plain": {"type": "string"}, **(properties or {})}, "required": [],
              "block_type_slug": block_type["slug"], "secret_fields": [], "block_schema_references": references or {},
              **more}
    return {**fields, "definitions": definitions} if definitions else fields


def reference_to(fields):
    return {"block_type_slug": fields["block_type_slug"],
            "block_schema_checksum": Block._calculate_schema_checksum(copy.deepcopy(fields))}


def points_to(fields):
    return {"$ref": f"#/definitions/{fields['title']}"}


def family(api, **child_more):
    """Fields of a parent that nests a child, whose types are there; the child's fields."""
    parent_type, child_type = make_type(api), make_type(api)
    child = fields_of(child_type, **child_more)
    parent = fields_of(parent_type, references={"child": reference_to(child)}, definitions={child["title"]: child},
                       properties={"child": points_to(child)})
    return parent_type, child_type, parent, child


def created(api, block_type, fields, status=201, **more):
    return api.made("/block_schemas/", {"fields": fields, "block_type_id": block_type["id"], **more}, status)


def references(api, schema):
    return api.server.execute("SELECT name, reference_block_schema_id FROM block_schema_reference"
                              " WHERE parent_block_schema_id = ? ORDER BY name", schema["id"])


def test_a_nested_schema_is_made_with_its_parent(api):
    parent_type, child_type, parent, child = family(api)
    schema = created(api, parent_type, parent, version="1.0", capabilities=["x"])
    assert schema["fields"] == parent and schema["checksum"] == Block._calculate_schema_checksum(copy.deepcopy(parent))
    found = api.read(f"/block_schemas/checksum/{parent['block_schema_references']['child']['block_schema_checksum']}")
    assert (found["block_type_id"], found["version"], found["capabilities"], found["fields"]) == \
        (child_type["id"], "non-versioned", [], child)
    assert [list(row) for row in references(api, schema)] == [["child", found["id"]]]
    assert api.read(f"/block_schemas/{schema['id']}") == schema
    [[stored]] = api.server.execute("SELECT fields FROM block_schema WHERE id = ?", schema["id"])
    assert "definitions\": {" not in stored and "block_schema_references" not in stored
    again = api.post("/block_schemas/", {"fields": parent, "block_type_id": parent_type["id"], "version": "1.0"})
    assert (again.status_code, again.json()) == (200, schema)
    other = created(api, parent_type, parent, version="2.0")
    assert [row[1] for row in references(api, other)] == [found["id"]]


def test_a_nested_schema_that_is_there(api):
    parent_type, child_type, parent, child = family(api)
    first = created(api, child_type, child, version="1")
    newest = created(api, child_type, child, version="2", capabilities=["can"])
    schema = created(api, parent_type, parent)
    assert [list(row) for row in references(api, schema)] == [["child", newest["id"]]] and first["id"] != newest["id"]
    assert api.read(f"/block_schemas/{schema['id']}")["fields"] == parent


def test_unions(api):
    parent_type, types = make_type(api), [make_type(api) for _ in range(3)]
    children = [fields_of(block_type) for block_type in types]
    refs = [reference_to(child) for child in children]
    definitions = {child["title"]: child for child in children}
    parent = fields_of(parent_type, references={"either": refs[:2], "other": refs[2]}, definitions=definitions,
                       properties={"either": {"anyOf": [points_to(child) for child in children[:2]]},
                                   "other": {"allOf": [points_to(children[2])]}})
    schema = created(api, parent_type, parent)
    assert schema["fields"] == parent
    read = api.read(f"/block_schemas/{schema['id']}")["fields"]
    assert read["block_schema_references"] == {"either": refs[:2], "other": refs[2]}
    assert read["definitions"] == definitions
    assert len(references(api, schema)) == 3


def test_three_generations_and_plain_definitions(api):
    types = [make_type(api) for _ in range(3)]
    youngest = fields_of(types[2], properties={"mode": {"$ref": "#/definitions/Mode"}})
    definitions = {"Mode": MODE, youngest["title"]: youngest}
    middle = fields_of(types[1], references={"youngest": reference_to({**youngest, "definitions": definitions})},
                       properties={"youngest": points_to(youngest)})
    definitions = {**definitions, middle["title"]: middle}
    whole_middle = {**middle, "definitions": definitions}
    oldest = fields_of(types[0], references={"middle": reference_to(whole_middle)},
                       properties={"middle": points_to(middle), "plainly": {"$ref": "#/definitions/Plain"}},
                       definitions={**definitions, "Plain": PLAIN, "Unused": {"title": "Unused"}})
    schema = created(api, types[0], oldest)
    assert schema["fields"] == oldest and schema["checksum"] == Block._calculate_schema_checksum(copy.deepcopy(oldest))
    read = api.read(f"/block_schemas/{schema['id']}")["fields"]
    assert set(read["definitions"]) == {"Mode", "Plain", youngest["title"], middle["title"]}
    found = api.read(f"/block_schemas/checksum/{read['block_schema_references']['middle']['block_schema_checksum']}")
    assert found["fields"]["block_schema_references"].keys() == {"youngest"} \
        and youngest["title"] in found["fields"]["definitions"]
    assert read["definitions"][middle["title"]]["block_schema_references"] == found["fields"]["block_schema_references"]
    listed = [item for item in
              api.made("/block_schemas/filter", {"block_schemas": {"id": {"any_": [schema["id"]]}}}, 200)]
    assert listed == [{**schema, "fields": read}]


def test_empty_definitions_and_no_references(api):
    block_type = make_type(api)
    schema = created(api, block_type, {"title": unique(), "definitions": {}})
    assert schema["fields"]["definitions"] == {} and schema["fields"]["block_schema_references"] == {}
    assert api.read(f"/block_schemas/{schema['id']}") == schema


def test_checksums(api):
    """Those of the reference's own function, over fields of many shapes."""
    block_type = make_type(api)
    for more in ({"z": [{"secret_fields": 1, "b": 2, "a": 1}], "secret_fields": ["x"]},
                 {"é": "\u2028\U0001f600", "n": [1.10, 1e22, 12345678901234567890, None, True]},
                 {"definitions": {"Mode": MODE}},
                 {"definitions": {"Mode": MODE}, "properties": {"m": {"items": [{"$ref": "#/definitions/Mode"}]}}},
                 {"definitions": {"B": {"block_type_slug": "b"}, "P": PLAIN, "Mode": MODE},
                  "anyOf": [{"$ref": "#/definitions/P"}, {"$ref": "#/definitions/B"}]}):
        fields = {"title": unique(), **more}
        assert created(api, block_type, fields)["checksum"] == Block._calculate_schema_checksum(copy.deepcopy(fields))


def test_a_nested_type_must_be_there(api):
    parent_type = make_type(api)
    child = fields_of({"slug": "no-such-type"})
    parent = fields_of(parent_type, references={"child": reference_to(child)}, definitions={child["title"]: child},
                       properties={"child": points_to(child)})
    answer = api.post("/block_schemas/", {"fields": parent, "block_type_id": parent_type["id"]})
    assert answer.status_code == 409
    assert answer.json() == {"detail": "Cannot create block schema because block type 'no-such-type' was not"
                                 " found.Did you forget to register the block type?"}
    assert api.server.execute("SELECT count(*) FROM block_schema WHERE block_type_id = ?", parent_type["id"]) == [(0,)]


@pytest.mark.parametrize("broken", ["definitions", "properties", "block_type_slug"])
def test_nested_schemas_that_are_not_defined(api, broken):
    parent_type, _, parent, child = family(api)
    if broken == "block_type_slug":
        del parent["block_schema_references"]["child"]["block_type_slug"]
    else:
        parent[broken] = {}
    answer = api.post("/block_schemas/", {"fields": parent, "block_type_id": parent_type["id"]})
    assert answer.status_code == expected("a nested block that is not defined", api.kind)
    assert api.server.execute("SELECT count(*) FROM block_schema WHERE block_type_id = ?", parent_type["id"]) == [(0,)]


def test_delete(api):
    parent_type, child_type, parent, child = family(api)
    schema = created(api, parent_type, parent)
    [[_, nested]] = references(api, schema)
    document = make_document(api, schema)
    assert api.delete(f"/block_schemas/{nested}").status_code == 204
    assert references(api, schema) == [] and api.get(f"/block_schemas/{nested}").status_code == 404
    answer = api.delete(f"/block_schemas/{schema['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.get(f"/block_documents/{document['id']}").status_code == 404
    answer = api.delete(f"/block_schemas/{schema['id']}")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Block schema not found"})
    assert api.delete("/block_schemas/x").status_code == 422


def test_filters(api):
    types = [make_type(api), make_type(api)]
    can, cannot = unique("can"), unique("cannot")
    made = [make_schema(api, types[0], capabilities=[can, cannot], version="1"),
            make_schema(api, types[0], capabilities=[can], version="2"),
            make_schema(api, types[1], capabilities=[], version="1")]
    ids = [schema["id"] for schema in made]

    def found(status=200, **filters):
        answer = api.post("/block_schemas/filter", {"block_schemas": filters})
        assert answer.status_code == status, answer.text
        return [ids.index(item["id"]) for item in answer.json() if item["id"] in ids]

    assert found(id={"any_": ids}) == [2, 1, 0] and found(id={"any_": []}) == []
    assert found(block_type_id={"any_": [types[0]["id"]]}) == [1, 0]
    assert found(block_capabilities={"all_": [can]}) == [1, 0] \
        and found(block_capabilities={"all_": [can, cannot]}) == [0] \
        and found(block_capabilities={"all_": []}) == [2, 1, 0]
    assert found(block_type_id={"any_": [types[0]["id"]]}, version={"any_": ["1"]}) == [0]
    assert found(operator="or_", id={"any_": ids[2:]}, block_capabilities={"all_": [cannot]}) == [2, 0]
    assert found() == [2, 1, 0] and found(id={}) == [2, 1, 0]
    page = api.made("/block_schemas/filter", {"block_schemas": {"id": {"any_": ids}}, "limit": 1, "offset": 1}, 200)
    assert page == [made[1]]


@pytest.mark.parametrize("body, places", [
    ({"block_schemas": {"name": {}}, "offset": -1}, [["body", "block_schemas", "name"], ["body", "offset"]]),
    ({"block_schemas": {"id": {"any_": ["x"]}, "version": {"any_": 5}}, "offset": "x"},
     [["body", "block_schemas", "id", "any_", 0], ["body", "block_schemas", "version", "any_"], ["body", "offset"]]),
    ({"block_schemas": 5}, [["body", "block_schemas"]]),
])
def test_bad_filters(api, body, places):
    answer = api.post("/block_schemas/filter", body)
    assert answer.status_code == 422 and [item["loc"] for item in answer.json()["exception_detail"]] == places


def test_capabilities(api):
    names = [unique("can"), unique("can")]
    make_schema(api, capabilities=names)
    make_schema(api, capabilities=names[1:])
    known = api.read("/block_capabilities/")
    assert set(names) <= set(known) and len(set(known)) == len(known)
    assert {"run-infrastructure", "notify", "read-path"} <= set(known)


def test_schemas_of_protected_types(api):
    block_type = api.read("/block_types/slug/secret")
    [schema] = api.made("/block_schemas/filter", {"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}},
                        200)
    answer = api.delete(f"/block_schemas/{schema['id']}")
    assert (answer.status_code, answer.json()) == \
        (403, {"detail": "Block schemas for protected block types cannot be deleted."})


def test_a_schema_of_nobody(api):
    for method, path in (("GET", f"/block_schemas/{NOBODY}"), ("DELETE", f"/block_schemas/{NOBODY}")):
        answer = api.request(method, path)
        assert (answer.status_code, answer.json()) == (404, {"detail": "Block schema not found"})
