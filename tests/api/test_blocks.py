"""The routes of blocks that every flow run calls: types, schemas by checksum, anonymous documents and their
encryption."""
import pytest

from tests.lib.api_client import NOBODY, unique
from tests.lib.shapes import is_row

TYPE = ["id", "created", "updated", "name", "slug", "logo_url", "documentation_url", "description", "code_example",
        "is_protected"]
SCHEMA = ["id", "created", "updated", "checksum", "fields", "block_type_id", "block_type", "capabilities", "version"]
DOCUMENT = ["id", "created", "updated", "name", "data", "block_schema_id", "block_schema", "block_type_id",
            "block_type", "block_document_references", "is_anonymous"]
FIELDS = {"title": "T", "type": "object",
          "properties": {"path": {"title": "Path", "type": "string"},
                         "secret": {"title": "S", "type": "string", "format": "password", "writeOnly": True}},
          "required": [], "block_type_slug": "slug", "secret_fields": ["secret"], "block_schema_references": {}}


def make_type(api, **fields):
    name = unique("type")
    return api.made("/block_types/", {"name": name, "slug": name, **fields})


def make_schema(api, block_type=None, **fields):
    block_type = block_type or make_type(api)
    return api.made("/block_schemas/", {"fields": {**FIELDS, "title": unique()}, "block_type_id": block_type["id"],
                                        "capabilities": ["b-can", "a-can"], **fields})


def make_document(api, schema=None, **fields):
    schema = schema or make_schema(api)
    return api.made("/block_documents/", {"data": {"path": "/x", "secret": "hidden"}, "block_schema_id": schema["id"],
                                          "block_type_id": schema["block_type_id"], "is_anonymous": True, **fields})


def test_types(api):
    block_type = make_type(api, logo_url="https://x.example/a.png", documentation_url="http://x.example",
                           description="d", code_example="c")
    is_row(block_type, TYPE)
    assert [block_type[key] for key in TYPE[5:]] == ["https://x.example/a.png", "http://x.example", "d", "c", False]
    assert api.read(f"/block_types/{block_type['id']}") == block_type
    assert api.read(f"/block_types/slug/{block_type['slug']}") == block_type
    answer = api.patch(f"/block_types/{block_type['id']}",
                       {"description": "new", "logo_url": "https://y.example/b.png"})
    assert (answer.status_code, answer.content) == (204, b"")
    now = api.read(f"/block_types/{block_type['id']}")
    assert [now[key] for key in TYPE[3:]] == [block_type["name"], block_type["slug"], "https://y.example/b.png",
                                              "http://x.example", "new", "c", False]


def test_a_type_of_that_slug(api):
    block_type = make_type(api)
    answer = api.post("/block_types/", {"name": unique(), "slug": block_type["slug"]})
    assert answer.status_code == 409
    name = unique()
    answer = api.post("/block_types/", {"name": name, "slug": block_type["slug"]})
    assert answer.json() == {"detail": f'Block type with name "{name}" already exists'}


def test_schemas(api):
    block_type = make_type(api)
    fields = {**FIELDS, "title": unique("é")}
    answer = api.post("/block_schemas/", {"fields": fields, "block_type_id": block_type["id"],
                                          "capabilities": ["b-can", "a-can"], "version": "1.2"})
    assert answer.status_code == 201
    schema = answer.json()
    is_row(schema, SCHEMA)
    assert (schema["fields"], schema["capabilities"], schema["version"], schema["block_type"]) == \
        (fields, ["b-can", "a-can"], "1.2", block_type)
    assert schema["checksum"].startswith("sha256:") and len(schema["checksum"]) == 71
    assert api.read(f"/block_schemas/{schema['id']}") == schema
    assert api.read(f"/block_schemas/checksum/{schema['checksum']}") == schema
    assert api.read(f"/block_schemas/checksum/{schema['checksum']}?version=1.2") == schema
    assert api.get(f"/block_schemas/checksum/{schema['checksum']}?version=1.3").status_code == 404
    again = api.post("/block_schemas/", {"fields": fields, "block_type_id": block_type["id"], "version": "1.2"})
    assert (again.status_code, again.json()) == (200, schema)
    newer = api.made("/block_schemas/", {"fields": fields, "block_type_id": block_type["id"], "version": "1.3"})
    assert newer["checksum"] == schema["checksum"] and newer["id"] != schema["id"]
    assert api.read(f"/block_schemas/checksum/{schema['checksum']}") == newer


def test_checksums(api):
    """The checksum does not depend on the order of keys."""
    block_type = make_type(api)
    schema = make_schema(api, block_type,
                         fields={"title": block_type["name"], "type": "object", "a": {"y": 1, "x": [1.5, None, True]}})
    other = api.post("/block_schemas/",
                     {"fields": {"a": {"x": [1.5, None, True], "y": 1}, "type": "object", "title": block_type["name"]},
                      "block_type_id": block_type["id"]})
    assert (other.status_code, other.json()["id"]) == (200, schema["id"])


def test_a_schema_needs_its_type(api):
    answer = api.post("/block_schemas/", {"fields": {}, "block_type_id": NOBODY})
    assert (answer.status_code, answer.json()) == (404, {"detail": f"Block type {NOBODY} not found."})


def test_anonymous_documents(api):
    schema = make_schema(api)
    document = make_document(api, schema)
    is_row(document, DOCUMENT)
    assert document["name"].startswith("anonymous-") and len(document["name"]) == len("anonymous-") + 36
    assert document["data"] == {"path": "/x", "secret": "********"}
    assert (document["is_anonymous"], document["block_document_references"], document["block_type_id"]) == \
        (True, {}, schema["block_type_id"])
    assert document["block_schema"] == schema and document["block_type"] == schema["block_type"]
    assert api.read(f"/block_documents/{document['id']}") == document
    assert api.read(f"/block_documents/{document['id']}?include_secrets=true")["data"] == \
        {"path": "/x", "secret": "hidden"}
    assert make_document(api, schema)["name"] != document["name"]


def test_documents_are_encrypted(api):
    document = make_document(api)
    [[stored]] = api.server.execute("SELECT data FROM block_document WHERE id = ?", document["id"])
    assert "hidden" not in stored and stored.startswith('"gAAAA')
    [[key]] = api.server.execute("SELECT value FROM configuration WHERE key = 'ENCRYPTION_KEY'")
    assert "fernet_key" in key


@pytest.mark.parametrize("data, kept",
                         [({}, {}), ({"n": None, "l": [1, 2.5, {"é": True}]}, {"n": None, "l": [1, 2.5, {"é": True}]}),
                          ({"secret": None}, {"secret": None}), ({"secret": ""}, {"secret": "********"}),
                          ({"path": "x" * 5000}, {"path": "x" * 5000})])
def test_data_of_documents(api, data, kept):
    document = make_document(api, data=data)
    assert document["data"] == kept
    assert api.read(f"/block_documents/{document['id']}?include_secrets=1")["data"] == data


def test_update_of_documents(api):
    document = make_document(api)

    def data():
        return api.read(f"/block_documents/{document['id']}?include_secrets=true")["data"]

    answer = api.patch(f"/block_documents/{document['id']}", {"data": {"path": "/y"}})
    assert (answer.status_code, answer.content) == (204, b"")
    assert data() == {"path": "/y", "secret": "hidden"}
    assert api.patch(f"/block_documents/{document['id']}", {"data": {"secret": "********"}}).status_code == 204
    assert data() == {"path": "/y", "secret": "hidden"}
    assert api.patch(f"/block_documents/{document['id']}",
                     {"data": {"new": 1}, "merge_existing_data": False}).status_code == 204
    assert data() == {"new": 1}
    assert api.patch(f"/block_documents/{document['id']}", {}).status_code == 204
    assert data() == {"new": 1}


def test_named_documents_may_not_be_made_twice(api):
    schema = make_schema(api)
    document = make_document(api, schema, is_anonymous=False, name="mine")
    assert (document["name"], document["is_anonymous"]) == ("mine", False)
    answer = api.post("/block_documents/",
                      {"name": "mine", "block_schema_id": schema["id"], "block_type_id": schema["block_type_id"]})
    assert (answer.status_code, answer.json()) == (409, {"detail": "Block already exists"})


def test_flow_runs_refer_to_documents(api):
    document = make_document(api)
    run = api.flow_run(infrastructure_document_id=document["id"])
    assert api.again(run)["infrastructure_document_id"] == document["id"]
