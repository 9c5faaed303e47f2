"""Scripts for block types, schemas, documents and capabilities."""
from .world import NOBODY

PLAIN = {"type": "object",
         "properties": {"path": {"title": "Path", "type": "string"}, "count": {"type": "integer"},
                        "secret": {"title": "S", "type": "string", "format": "password", "writeOnly": True}},
         "required": [], "block_type_slug": "slug", "secret_fields": ["secret"], "block_schema_references": {}}
KEYS = {"type": "object", "properties": {"keys": {"type": "object"}, "outer": {"type": "object"}},
        "secret_fields": ["keys.*", "outer.inner"], "block_schema_references": {}}


def make_type(world, **fields):
    return world.made("/block_types/", {"name": world.name("type"), "slug": world.name("slug"), **fields})


def make_schema(world, kind, fields=PLAIN, **more):
    return world.made("/block_schemas/",
                      {"fields": {"title": world.name("schema"), **fields}, "block_type_id": kind["id"], **more})


def make_document(world, schema, data, **more):
    return world.made("/block_documents/",
                      {"name": world.name("document"), "data": data, "block_schema_id": schema["id"],
                       "block_type_id": schema.get("block_type_id", NOBODY), **more})


def block_types(world):
    world.post("/block_types/filter", {})
    for row in world.all("block_type"):
        world.get(f"/block_types/slug/{row['slug']}")
    registered = [row for row in world.all("block_type") if row["is_protected"]]
    for row in registered[:2]:
        world.patch(f"/block_types/{row['id']}", {"description": "x"})
        world.delete(f"/block_types/{row['id']}")
        world.post("/block_types/", {"name": world.name("type"), "slug": row["slug"]})
        world.post("/block_types/", {"name": row["name"], "slug": world.name("slug")})
    row = make_type(world, logo_url="https://x.example/a.png", documentation_url="http://x.example/é", description="d",
                    code_example="c")
    make_type(world)
    for body in ({"slug": row["slug"], "name": world.name("type")}, {"slug": "Not A Slug", "name": world.name("type")},
                 {"slug": "", "name": "n"}, {"slug": "a_b", "name": "n"}, {"slug": "é", "name": "n"},
                 {"slug": "ok-slug", "name": "a/b"},
                 {"slug": world.name("slug"), "name": "Prefect X"}, {"slug": "prefect-x", "name": world.name("type")},
                 {"slug": world.name("slug"), "name": world.name("type"), "logo_url": "x"},
                 {"slug": world.name("slug"), "name": world.name("type"), "logo_url": "ftp://x.example"},
                 {"slug": world.name("slug"), "name": world.name("type"),
                  "documentation_url": "HTTP://Example.COM:80/a b?c#d"}):
        world.post("/block_types/", body)
    for change in ({"description": "new"}, {"logo_url": "https://y.example/b.png"}, {"documentation_url": None},
                   {"code_example": None}, {}):
        world.patch(f"/block_types/{row['id']}", change)
        world.get(f"/block_types/{row['id']}")
    for body in ({"block_types": {"name": {"like_": "type-"}}},
                 {"block_types": {"slug": {"any_": [row["slug"], "s3"]}}}, {"limit": 3}, {"limit": 3, "offset": 3},
                 {"block_types": {"name": {"like_": "AWS"}}}, {"block_types": {}},
                 {"block_schemas": {"block_capabilities": {"all_": ["write-path"]}}},
                 {"block_schemas": {"version": {"any_": ["2.7.12"]}}},
                 {"block_schemas": {"block_type_id": {"any_": [row["id"]]}}}):
        world.post("/block_types/filter", body)
    for _ in range(2):
        world.delete(f"/block_types/{row['id']}", headers={"x-prefect-api-version": "0.8.4"})
    world.post("/block_types/install_system_block_types", headers={"x-prefect-api-version": "0.8.4"})
    world.post("/block_types/filter", {})


def block_schemas(world):
    world.post("/block_schemas/filter", {})
    world.get("/block_capabilities/")
    for row in world.all("block_schema"):
        world.get(f"/block_schemas/checksum/{row['checksum']}")
    kind = make_type(world)
    schema = make_schema(world, kind, capabilities=["b-can", "a-can"], version="1.2")
    for path in (f"/block_schemas/{schema['id']}", f"/block_schemas/checksum/{schema.get('checksum')}",
                 f"/block_schemas/checksum/{schema.get('checksum')}?version=1.2",
                 f"/block_schemas/checksum/{schema.get('checksum')}?version=9"):
        world.get(path)
    fields = schema.get("fields", PLAIN)
    world.post("/block_schemas/", {"fields": fields, "block_type_id": kind["id"], "version": "1.2"},
               note="the same again")
    newer = world.made("/block_schemas/",
                       {"fields": fields, "block_type_id": kind["id"], "version": "1.3", "capabilities": ["new-can"]})
    nested(world, kind, schema)
    world.post("/block_schemas/", {"fields": {}, "block_type_id": NOBODY})
    world.post("/block_schemas/",
               {"fields": {"title": world.name("schema")}, "block_type_id": kind["id"], "capabilities": []})
    world.get("/block_capabilities/")
    for body in ({"block_schemas": {"block_type_id": {"any_": [kind["id"]]}}},
                 {"block_schemas": {"block_capabilities": {"all_": ["a-can"]}}},
                 {"block_schemas": {"block_capabilities": {"all_": ["a-can", "b-can"]}}},
                 {"block_schemas": {"id": {"any_": [schema["id"], newer["id"]]}}},
                 {"block_schemas": {"version": {"any_": ["1.3"]}}},
                 {"block_schemas": {"operator": "or_", "version": {"any_": ["1.3"]}, "id": {"any_": [schema["id"]]}}},
                 {"limit": 2}, {"limit": 2, "offset": 1}, {"block_schemas": {"block_type_id": {"any_": []}}}):
        world.post("/block_schemas/filter", body)
    for _ in range(2):
        world.delete(f"/block_schemas/{newer['id']}", headers={"x-prefect-api-version": "0.8.4"})
    registered = next((row for row in world.all("block_schema") if (row.get("block_type") or {}).get("is_protected")),
                      None)
    if registered:
        world.delete(f"/block_schemas/{registered['id']}")


def nested(world, kind, schema):
    """Schemas that refer to another: by a definition, by a checksum that is there, and by one that is not."""
    slug = kind.get("slug", "none")
    title = schema.get("fields", {}).get("title", "none")
    for reference in ({"block_type_slug": slug, "block_schema_checksum": schema.get("checksum")},
                      {"block_type_slug": slug, "block_schema_checksum": "sha256:none"},
                      {"block_type_slug": "none", "block_schema_checksum": schema.get("checksum")}):
        fields = {"title": world.name("schema"), "type": "object",
                  "properties": {"inner": {"$ref": f"#/definitions/{title}"},
                                 "many": {"anyOf": [{"$ref": f"#/definitions/{title}"}, {"type": "string"}]}},
                  "secret_fields": ["inner.secret"], "block_schema_references": {"inner": reference},
                  "definitions": {title: schema.get("fields", {})}}
        row = world.made("/block_schemas/", {"fields": fields, "block_type_id": kind["id"]})
        world.get(f"/block_schemas/{row['id']}")
    fields["block_schema_references"] = {
        "many": [{"block_type_slug": slug, "block_schema_checksum": schema.get("checksum")}] * 2}
    world.post("/block_schemas/", {"fields": {**fields, "title": world.name("schema")}, "block_type_id": kind["id"]})


def block_documents(world):
    kind = make_type(world)
    schema = make_schema(world, kind, capabilities=["get-path"])
    data = {"path": "/x", "count": 3, "secret": "hidden"}
    row = make_document(world, schema, data)
    make_document(world, schema, {})
    anonymous = world.made("/block_documents/", {"data": data, "block_schema_id": schema["id"],
                                                 "block_type_id": kind["id"], "is_anonymous": True})
    for more in ({"name": row["name"]}, {"name": "with space"}, {"name": "a/b"}, {"name": "Upper"}, {"name": None},
                 {"is_anonymous": True, "name": "named"}, {"block_schema_id": NOBODY}, {"block_type_id": NOBODY},
                 {"data": None}, {"name": "é"}, {"data": {"secret": None, "path": ["x"]}}, {"name": ""}):
        world.post("/block_documents/", {"name": world.name("document"), "data": data, "block_schema_id": schema["id"],
                                         "block_type_id": kind["id"], **more})
    for one in (row, anonymous):
        for query in ("", "?include_secrets=true", "?include_secrets=false", "?include_secrets=nope"):
            world.get(f"/block_documents/{one['id']}{query}")
    for path in (f"/block_types/slug/{kind.get('slug')}/block_documents",
                 f"/block_types/slug/{kind.get('slug')}/block_documents/name/{row['name']}",
                 "/block_types/slug/none/block_documents", "/block_types/slug/none/block_documents/name/x",
                 f"/block_types/slug/{kind.get('slug')}/block_documents/name/none"):
        for query in ("", "?include_secrets=true"):
            world.get(path + query)
    changes(world, row, kind)
    inner(world, kind, schema, row)
    for secret in ({"keys": {"a": "x", "b": {"c": 1}}, "outer": {"inner": "y", "other": "z"}},
                   {"keys": {}, "outer": {}}, {"keys": None}, {"outer": "text"}):
        one = make_document(world, make_schema(world, kind, KEYS), secret)
        world.get(f"/block_documents/{one['id']}")
        world.get(f"/block_documents/{one['id']}?include_secrets=true")
    filtered(world, kind, schema, row)
    for _ in range(2):
        world.delete(f"/block_documents/{anonymous['id']}", headers={"x-prefect-api-version": "0.8.4"})
        world.get(f"/block_documents/{anonymous['id']}")


def changes(world, row, kind):
    other = make_schema(world, kind)
    stranger = make_schema(world, make_type(world))
    for change in ({"data": {"path": "/y"}}, {"data": {"secret": "********"}}, {"data": {"secret": "new"}},
                   {"data": {"more": [1, None]}, "merge_existing_data": False},
                   {"data": {}, "merge_existing_data": False}, {"data": {"secret": "again", "path": 1}}, {},
                   {"block_schema_id": other["id"], "data": {"path": "z"}},
                   {"block_schema_id": other["id"], "data": {"count": 1}, "merge_existing_data": False},
                   {"block_schema_id": stranger["id"]}, {"block_schema_id": NOBODY}, {"data": None}):
        world.patch(f"/block_documents/{row['id']}", change)
        world.get(f"/block_documents/{row['id']}?include_secrets=true")


def inner(world, kind, schema, row):
    """Documents that hold others."""
    title = schema.get("fields", {}).get("title", "none")
    fields = {"title": world.name("schema"), "type": "object",
              "properties": {"inner": {"$ref": f"#/definitions/{title}"}}, "secret_fields": ["inner.secret"],
              "block_schema_references": {"inner": {"block_type_slug": kind.get("slug"),
                                                    "block_schema_checksum": schema.get("checksum")}},
              "definitions": {title: schema.get("fields", {})}}
    holding = world.made("/block_schemas/", {"fields": fields, "block_type_id": kind["id"]})
    fresh = make_document(world, schema, {"path": "p", "secret": "deep"})
    one = make_document(world, holding, {"inner": {"$ref": {"block_document_id": fresh["id"]}}, "own": 1})
    for path in (f"/block_documents/{one['id']}", f"/block_documents/{one['id']}?include_secrets=true",
                 f"/block_documents/{fresh['id']}"):
        world.get(path)
    for data in ({"inner": {"$ref": {"block_document_id": NOBODY}}}, {"inner": {"$ref": {}}}, {"inner": {"$ref": "x"}},
                 {"inner": {"path": "by value", "secret": "s"}}, {"inner": None}):
        world.get(f"/block_documents/{make_document(world, holding, data)['id']}")
    for change in ({"data": {"inner": {"$ref": {"block_document_id": row["id"]}}}}, {"data": {"own": 2}},
                   {"data": {"inner": {"path": "now by value"}}}, {"data": {"own": 3}, "merge_existing_data": False}):
        world.patch(f"/block_documents/{one['id']}", change)
        world.get(f"/block_documents/{one['id']}?include_secrets=true")
    world.delete(f"/block_documents/{fresh['id']}")
    world.get(f"/block_documents/{one['id']}")


def filtered(world, kind, schema, row):
    for body in ({}, {"include_secrets": True}, {"block_documents": {"is_anonymous": {"eq_": True}}},
                 {"block_documents": {"is_anonymous": None}},
                 {"block_documents": {"name": {"any_": [row["name"], "named"]}}},
                 {"block_documents": {"id": {"any_": [row["id"]]}}},
                 {"block_documents": {"block_type_id": {"any_": [kind["id"]]}}},
                 {"block_types": {"slug": {"any_": [kind.get("slug")]}}}, {"block_types": {"name": {"like_": "type-"}}},
                 {"block_schemas": {"block_capabilities": {"all_": ["get-path"]}}},
                 {"block_schemas": {"id": {"any_": [schema["id"]]}}}, {"limit": 2}, {"limit": 2, "offset": 1},
                 {"block_documents": {"operator": "or_", "name": {"any_": [row["name"]]},
                                      "block_type_id": {"any_": [NOBODY]}}}, {"limit": 0}):
        world.post("/block_documents/filter", body)
