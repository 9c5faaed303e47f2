"""Block documents: nested ones, secrets, updates, lists, and those of a type by name."""
import pytest

from tests.lib.api_client import NOBODY, unique
from tests.lib.differences import expected
from .test_blocks import FIELDS, make_document, make_schema, make_type

SECRETS = {"secret_fields": ["token", "deep.key", "all.*", "child.token"]}
DATA = {"token": "t", "deep": {"key": "k", "other": 1}, "all": {"a": "x", "b": {"c": None, "d": 5}}, "open": "o",
        "empty": {}, "none": None}
SHOWN = {"token": "********", "deep": {"key": "********", "other": 1},
         "all": {"a": "********", "b": {"c": "********", "d": "********"}}, "open": "o", "empty": {}, "none": None}


def refer(document):
    return {"$ref": {"block_document_id": document["id"]}}


def named(api, schema=None, name=None, **fields):
    return make_document(api, schema, is_anonymous=False, name=name or unique("doc"), **fields)


def data_of(api, document, secrets="true"):
    return api.read(f"/block_documents/{document['id']}?include_secrets={secrets}")["data"]


def references(api, document):
    return [list(row) for row in api.server.execute(
        "SELECT name, reference_block_document_id FROM block_document_reference WHERE parent_block_document_id = ?"
        " ORDER BY name",
        document["id"])]


@pytest.fixture(scope="session")
def secretive(api):
    return make_schema(api, fields={**FIELDS, **SECRETS, "title": unique()})


def test_nested_documents(api):
    child = named(api, data={"path": "/c", "secret": "s"})
    middle = named(api, data={"path": "/m", "child": refer(child)})
    document = named(api, data={"path": "/p", "b": refer(middle), "a": refer(child), "plain": {"x": 1}})
    shown = {"path": "/p", "plain": {"x": 1}, "a": {"path": "/c", "secret": "********"},
             "b": {"path": "/m", "child": {"path": "/c", "secret": "********"}}}
    assert document["data"] == shown and api.read(f"/block_documents/{document['id']}") == document

    def entry(of, below):
        return {"block_document": {"id": of["id"], "name": of["name"], "block_type": of["block_type"],
                                   "is_anonymous": False, "block_document_references": below}}

    assert document["block_document_references"] == {"a": entry(child, {}),
                                                     "b": entry(middle, {"child": entry(child, {})})}
    assert data_of(api, document)["b"]["child"] == {"path": "/c", "secret": "s"}
    assert references(api, document) == [["a", child["id"]], ["b", middle["id"]]]
    assert api.delete(f"/block_documents/{child['id']}").status_code == 204
    assert data_of(api, document) == {"path": "/p", "plain": {"x": 1}, "b": {"path": "/m"}} \
        and references(api, document) == [["b", middle["id"]]]


@pytest.mark.parametrize("value, status", [({"$ref": {"block_document_id": NOBODY}}, 409), ({"$ref": {}}, None),
                                           ({"$ref": {"block_document_id": "x"}}, None),
                                           ({"$ref": {"block_document_id": None}}, None), ({"$ref": 5}, None)])
def test_bad_references(api, value, status):
    schema = make_schema(api)
    answer = api.post("/block_documents/", {"data": {"key": value}, "is_anonymous": True,
                                            "block_schema_id": schema["id"], "block_type_id": schema["block_type_id"]})
    assert answer.status_code == (status or expected("a reference without a document", api.kind))
    assert api.server.execute("SELECT count(*) FROM block_document WHERE block_schema_id = ?", schema["id"]) == [(0,)]


def test_an_update_with_a_reference_without_a_document(api):
    document = make_document(api)
    answer = api.patch(f"/block_documents/{document['id']}", {"data": {"key": {"$ref": {"x": 1}}}})
    assert (answer.status_code, answer.json()) == \
        (400, {"detail": "Received block reference without a block_document_id in key key"})
    assert data_of(api, document) == {"path": "/x", "secret": "hidden"}


def test_documents_that_would_contain_each_other(api):
    """The reference stores them, and then never ends to read: it is not asked."""
    first = named(api)
    second = named(api, data={"first": refer(first)})
    if api.kind == "reference":
        pytest.skip("its server would hang")
    for document, other in ((first, second), (first, first)):
        assert api.patch(f"/block_documents/{document['id']}", {"data": {"other": refer(other)}}).status_code == 400
    api.server.execute("INSERT INTO block_document_reference (name, parent_block_document_id,"
                       " reference_block_document_id) VALUES ('second', ?, ?)", first["id"], second["id"])
    assert api.read(f"/block_documents/{first['id']}")["data"] == {"path": "/x", "secret": "********", "second": {}}


def test_secrets(api, secretive):
    document = make_document(api, secretive, data=DATA)
    assert document["data"] == SHOWN and data_of(api, document, "false") == SHOWN and data_of(api, document) == DATA


@pytest.mark.parametrize("merge, update, kept", [
    (True, SHOWN, {**DATA, "deep": {"other": 1}}),
    (False, SHOWN, {"deep": {"other": 1}, "all": DATA["all"], "open": "o", "empty": {}, "none": None}),
    (True, {"token": "new"}, {**DATA, "token": "new"}),
    (True, {"all": {"a": "********", "new": "n"}}, {**DATA, "all": {"a": "x", "new": "n"}}),
    (True, {"deep": {"key": "********"}}, DATA),
    (True, {"open": "********"}, {**DATA, "open": "********"}),
    (True, {"token": None}, {**DATA, "token": None}),
    (True, {}, DATA),
    (False, {}, {}),
    (False, {"token": "new", "x": [1]}, {"token": "new", "x": [1]}),
    (False, {"all": {"b": {"d": "********"}}}, {"all": {"b": {"d": 5}}}),
])
def test_updates(api, secretive, merge, update, kept):
    document = make_document(api, secretive, data=DATA)
    answer = api.patch(f"/block_documents/{document['id']}", {"data": update, "merge_existing_data": merge})
    assert (answer.status_code, answer.content) == (204, b"")
    assert data_of(api, document) == kept
    now = api.read(f"/block_documents/{document['id']}")
    assert now["updated"] >= document["updated"] and now["created"] == document["created"]


def test_replacing_without_data(api):
    document = make_document(api)
    assert api.patch(f"/block_documents/{document['id']}", {"merge_existing_data": False}).status_code == 204
    assert data_of(api, document) == {}


def test_updates_of_references(api):
    one, two = named(api, data={"n": 1}), named(api, data={"n": 2})
    document = named(api, data={"path": "/p", "child": refer(one)})
    path = f"/block_documents/{document['id']}"
    assert api.patch(path, {"data": {"child": refer(two), "more": refer(one)}}).status_code == 204
    assert data_of(api, document) == {"path": "/p", "child": {"n": 2}, "more": {"n": 1}}
    assert api.patch(path, {"data": {"child": refer(two)}}).status_code == 204
    assert data_of(api, document) == {"path": "/p", "child": {"n": 2}} \
        and references(api, document) == [["child", two["id"]]]
    assert api.patch(path, {"data": {"child": {"n": 3}}}).status_code == 204
    assert data_of(api, document) == {"path": "/p", "child": {"n": 3}} and references(api, document) == []
    assert api.patch(path, {"data": {"child": refer(one)}, "merge_existing_data": False}).status_code == 204
    assert data_of(api, document) == {"child": {"n": 1}}
    assert api.patch(path, {"data": {"path": "/q"}}).status_code == 204
    assert data_of(api, document) == {"path": "/q"} and references(api, document) == []
    assert api.patch(path, {"data": {"child": {"$ref": {"block_document_id": NOBODY}}}}).status_code == 409
    assert data_of(api, document) == {"path": "/q"}


def test_moves_to_another_schema(api):
    block_type = make_type(api)
    schema, newer, foreign = make_schema(api, block_type), make_schema(api, block_type), make_schema(api)
    document = make_document(api, schema)
    path = f"/block_documents/{document['id']}"
    assert api.patch(path, {"data": {"path": "/y"}, "block_schema_id": newer["id"]}).status_code == 204
    now = api.read(path)
    assert (now["block_schema_id"], now["block_schema"], now["data"]["path"]) == (newer["id"], newer, "/y")
    assert api.patch(path, {"block_schema_id": schema["id"]}).status_code == 204
    assert api.read(path)["block_schema_id"] == newer["id"]  # without data nothing is done
    answer = api.patch(path, {"data": {"path": "/z"}, "block_schema_id": foreign["id"]})
    assert (answer.status_code, answer.json()) == \
        (400, {"detail": "Must migrate block document to a block schema of the same block type."})
    assert api.patch(path, {"data": {"path": "/z"}, "block_schema_id": NOBODY}).status_code == \
        expected("moving to no schema", api.kind)
    assert api.read(path) == now
    assert api.patch(path, {"block_schema_id": schema["id"], "merge_existing_data": False}).status_code == 204
    assert api.read(path)["block_schema_id"] == schema["id"]


def test_many_keys_are_merged_quickly(api):
    document = make_document(api, data={f"key{i}": i for i in range(50000)})
    assert api.patch(f"/block_documents/{document['id']}",
                     {"data": {f"key{i}": -i for i in range(0, 60000)}}).status_code == 204
    assert data_of(api, document) == {f"key{i}": -i for i in range(60000)}


def test_delete(api):
    document = make_document(api)
    answer = api.delete(f"/block_documents/{document['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    for path, method in ((document["id"], "DELETE"), (document["id"], "GET"), (NOBODY, "DELETE")):
        answer = api.request(method, f"/block_documents/{path}")
        assert (answer.status_code, answer.json()) == (404, {"detail": "Block document not found"})
    assert api.delete("/block_documents/x").status_code == 404


def test_what_documents_need(api):
    schema = make_schema(api)
    body = {"block_schema_id": schema["id"], "block_type_id": schema["block_type_id"]}
    assert api.post("/block_documents/", {**body, "block_schema_id": NOBODY, "name": "a"}).status_code == 409
    assert api.post("/block_documents/", {**body, "block_type_id": NOBODY, "name": "a"}).status_code == 409
    assert api.made("/block_documents/", {**body, "is_anonymous": True, "name": "given"})["name"] == "given"
    assert api.made("/block_documents/", {**body, "is_anonymous": True, "name": ""})["name"].startswith("anonymous-")
    assert api.post("/block_documents/", {**body, "is_anonymous": True, "name": "given"}).status_code == 409
    assert api.made("/block_documents/", {**body, "name": "ends-with-a-line\n"})["name"] == "ends-with-a-line\n"


# ---- lists ----

@pytest.fixture(scope="session")
def listed(api):
    """Documents b, a (of one type), c (of another), and an anonymous one."""
    schemas = [make_schema(api, capabilities=[unique("lists")]), make_schema(api, version="9.9")]
    prefix = unique("list")
    documents = [named(api, schemas[0], f"{prefix}-b"), named(api, schemas[0], f"{prefix}-a"),
                 named(api, schemas[1], f"{prefix}-c"), make_document(api, schemas[1], name=f"{prefix}-d")]
    return schemas, documents


def found(api, listed, status=200, **body):
    ids = [document["id"] for document in listed[1]]
    answer = api.post("/block_documents/filter", body)
    assert answer.status_code == status, answer.text
    return ["bacd"[ids.index(item["id"])] for item in answer.json() if item["id"] in ids]


def test_filters(api, listed):
    schemas, documents = listed
    ids, names, types = ([item["id"] for item in documents], [item["name"] for item in documents],
                         [schema["block_type_id"] for schema in schemas])
    slugs = [schema["block_type"]["slug"] for schema in schemas]
    assert found(api, listed) == list("abc") and found(api, listed, block_documents=None) == list("abc") \
        and found(api, listed, block_documents={}) == list("abc")
    assert found(api, listed, block_documents={"id": {"any_": ids}}) == list("abc")
    assert found(api, listed, block_documents={"id": {"any_": ids}, "is_anonymous": None}) == list("abcd")
    assert found(api, listed, block_documents={"id": {"any_": ids}, "is_anonymous": {}}) == list("abcd")
    assert found(api, listed, block_documents={"is_anonymous": {"eq_": True}}) == list("d")
    for empty in ("", [], [["operator", "and_"]], [["id", {"any_": ids}]]):  # what dict() takes
        assert found(api, listed, block_documents=empty) == list("abc"), empty
    for spoken_of in ([["is_anonymous", None], ["id", {"any_": ids}]], [["is_anonymous", ""], ["id", {"any_": ids}]]):
        assert found(api, listed, block_documents=spoken_of) == list("abcd"), spoken_of
    assert found(api, listed, block_documents={"operator": "or_", "name": {"any_": names[3:]}}) == list("abcd")
    assert found(api, listed, block_documents={"operator": "or_", "is_anonymous": None, "name": {"any_": names[3:]},
                                               "id": {"any_": ids[:1]}}) == list("bd")
    assert found(api, listed, block_documents={"block_type_id": {"any_": types[:1]}}) == list("ab")
    assert found(api, listed, block_types={"slug": {"any_": slugs[1:]}}) == list("c") \
        and found(api, listed, block_types={"name": {"like_": slugs[0].upper()}}) == list("ab")
    assert found(api, listed, block_schemas={"block_capabilities": {"all_": schemas[0]["capabilities"]}}) == list("ab")
    assert found(api, listed, block_schemas={"version": {"any_": ["9.9"]}}, block_types={"slug": {"any_": slugs}}) == \
        list("c")
    assert found(api, listed, block_documents={"id": {"any_": ids[:3]}}, limit=0) == []


def test_what_lists_show(api, listed):
    _, documents = listed
    wanted = {"block_documents": {"id": {"any_": [documents[0]["id"]]}}}
    assert api.made("/block_documents/filter", wanted, 200) == [documents[0]]
    [item] = api.made("/block_documents/filter", {**wanted, "include_secrets": True}, 200)
    assert item["data"] == {"path": "/x", "secret": "hidden"}


@pytest.mark.parametrize("body, places", [
    ({"block_documents": {"is_anonymous": 5, "nope": 1}, "block_types": {"operator": "or_"}, "block_schemas": {"id": 5},
      "offset": -1},
     [["body", "block_documents", "is_anonymous"], ["body", "block_documents", "nope"],
      ["body", "block_types", "operator"], ["body", "block_schemas", "id"], ["body", "offset"]]),
    ({"block_documents": 5}, [["body", "block_documents"]]),
    ({"include_secrets": "maybe", "offset": "x"}, [["body", "include_secrets"], ["body", "offset"]]),
    ({"block_documents": {"id": {"any_": [5]}}}, [["body", "block_documents", "id", "any_", 0]]),
])
def test_bad_filters(api, body, places):
    answer = api.post("/block_documents/filter", body)
    assert answer.status_code == 422 and [item["loc"] for item in answer.json()["exception_detail"]] == places
    assert answer.json()["request_body"] == body


def test_bodies_that_are_no_filters(api):
    for body in ([], 5, "x"):
        answer = api.post("/block_documents/filter", body)
        assert answer.status_code == 422, body
    assert api.post("/block_documents/filter").status_code == 200


# ---- of a type ----

def test_documents_of_a_type(api, listed):
    schemas, documents = listed
    path = f"/block_types/slug/{schemas[0]['block_type']['slug']}/block_documents"
    assert api.read(path) == [documents[1], documents[0]]
    assert [item["data"]["secret"] for item in api.read(f"{path}?include_secrets=true")] == ["hidden", "hidden"]
    assert api.read(f"{path}/name/{documents[0]['name']}") == documents[0]
    assert api.read(f"{path}/name/{documents[0]['name']}?include_secrets=1")["data"]["secret"] == "hidden"
    anonymous = f"/block_types/slug/{schemas[1]['block_type']['slug']}/block_documents"
    assert api.read(anonymous) == [documents[2]] \
        and api.read(f"{anonymous}/name/{documents[3]['name']}") == documents[3]


def test_documents_of_no_type(api, listed):
    slug = listed[0][0]["block_type"]["slug"]
    for path, detail in (("none/block_documents", "Block type not found"),
                         ("none/block_documents/name/x", "Block document not found"),
                         (f"{slug}/block_documents/name/none", "Block document not found")):
        answer = api.get(f"/block_types/slug/{path}")
        assert (answer.status_code, answer.json()) == (404, {"detail": detail})
    assert api.get(f"/block_types/slug/{slug}/block_documents?include_secrets=x").status_code == 422


@pytest.mark.parametrize("content", ["null", "{}", None, '{"block_documents": null}', '{"block_documents": []}'])
def test_no_filter_leaves_out_anonymous_documents(api, content):
    make_document(api)
    named(api)
    answer = api.send("POST", "/block_documents/filter", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 200 and answer.json()
    assert {document["is_anonymous"] for document in answer.json()} == {False}


def test_the_order_of_what_a_body_of_no_object_lacks(api):
    answer = api.send("POST", "/block_documents/filter", content="{}", headers={"content-type": "text/plain"})
    names = ["limit", "block_documents", "block_types", "block_schemas", "include_secrets", "offset"]
    assert [detail["loc"] for detail in answer.json()["exception_detail"]] == [["body", name] for name in names]
