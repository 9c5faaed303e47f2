"""/openapi.json and the pages that show it; docs/compatibility.md beside what the reference has."""
import json
import os
import re
import subprocess
import sys

import pytest
from openapi_spec_validator import validate

from tests.lib import servers
from tests.lib.differences import REQUIRED

METHODS = {"get", "put", "post", "delete", "patch"}

# Its document does not say where null is accepted; its models know it.
REFERENCE_DOCUMENT = """
import json
import pydantic.schema
plain = pydantic.schema.field_schema
def field_schema(field, **options):
    schema, *rest = plain(field, **options)
    return ({**schema, "x-or-null": True} if field.allow_none else schema, *rest)
pydantic.schema.field_schema = field_schema
from prefect.orion.api.server import create_app
print(json.dumps(create_app().openapi()))
"""
REFERENCE_COMMANDS = """
import click, json, typer
from prefect.cli.root import app
def walk(command, path):
    if not isinstance(command, click.Group):
        return [" ".join(path)]
    return [found for name, child in command.commands.items() for found in walk(child, [*path, name])]
print(json.dumps(walk(typer.main.get_command(app), ["prefect"])))
"""


def told_by_reference(program, home):
    answer = subprocess.run([sys.executable, "-W", "ignore", "-c", program],
                            env=servers.server_environment(home, PATH=os.environ["PATH"]), capture_output=True,
                            check=True)
    return json.loads(answer.stdout)


@pytest.fixture(scope="module")
def reference_document(tmp_path_factory):
    return told_by_reference(REFERENCE_DOCUMENT, tmp_path_factory.mktemp("home"))


def fetched(api, path):
    return api.http.get(api.server.root + path)


@pytest.fixture(scope="module")
def document(api):
    return fetched(api, "/openapi.json").json()


def operations(document):
    return {f"{method.upper()} {path.removeprefix('/api')}": operation for path, methods in document["paths"].items()
            for method, operation in methods.items() if method in METHODS}


# ---- the documents ----

@pytest.mark.parametrize("path", ["/openapi.json", "/api/openapi.json"])
def test_the_document_is_valid(api, path):
    answer = fetched(api, path)
    assert answer.headers["content-type"] == "application/json"
    validate(answer.json())


def test_both_documents_say_the_same(api, document):
    inner = fetched(api, "/api/openapi.json").json()
    assert inner["servers"] == [{"url": "/api"}] and "servers" not in document
    assert {f"/api{path}": methods for path, methods in inner["paths"].items()} == document["paths"]
    assert inner["components"] == document["components"]
    assert [one["info"]["version"] for one in (document, inner)] == ["2.7.12", "0.1.0"]
    assert {one["info"]["title"] for one in (document, inner)} == {"Prefect Orion API"}


def test_names_of_operations_are_unique(document):
    names = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(names)) == len(names) == 107


# ---- what code generators read ----

NULL = {"type": "null"}


def or_null(schema):
    return schema.get("x-or-null", NULL in schema.get("anyOf", []))


def without_null(schema):
    """What a schema allows beside null."""
    choices = [choice for choice in schema.get("anyOf", []) if choice != NULL]
    return choices[0] if len(choices) == 1 else schema

class Facts:
    """A document as flat facts: {(operation, place): what}."""

    def __init__(self, document):
        self.schemas = document["components"]["schemas"]
        self.found = {}
        for name, operation in operations(document).items():
            self.add_operation(name, operation)

    def resolved(self, schema):
        schema = without_null(schema)
        while "$ref" in schema or len(schema.get("allOf", [])) == 1:
            schema = self.schemas[schema["$ref"].split("/")[-1]] if "$ref" in schema else schema["allOf"][0]
        return schema

    def kind(self, schema):
        schema = self.resolved(schema)
        choices = schema.get("anyOf")
        return [self.kind(choice) for choice in choices] if choices \
            else [schema.get("type"), schema.get("format"), schema.get("enum")]

    def add_schema(self, operation, place, schema):
        plain = self.resolved(schema)
        self.found[operation, place] = self.kind(schema)
        if "items" in plain:
            self.add_schema(operation, f"{place}[]", plain["items"])
        for name, member in plain.get("properties", {}).items():
            self.found[operation, f"{place}.{name} required"] = name in plain.get("required", [])
            self.add_schema(operation, f"{place}.{name}", member)
        if plain.get("type") == "object":
            self.found[operation, f"{place} closed"] = plain.get("additionalProperties") is False

    def add_answer(self, operation, status, answer):
        schema = answer.get("content", {}).get("application/json", {}).get("schema")
        name = (schema or {}).get("items", schema or {}).get("$ref")
        self.found[operation, f"answer {status}"] = schema is not None and [name, schema.get("type")]
        if name and status.startswith("2"):
            members = self.schemas[name.split("/")[-1]].get("properties", {})
            self.found.update({(operation, f"answer {status}.{member}"): self.kind(schema)
                               for member, schema in members.items()})

    def add_operation(self, name, operation):
        for fact in ("operationId", "summary"):
            self.found[name, fact] = operation[fact]
        self.found[name, "tags"] = operation["tags"][-1]
        for parameter in operation.get("parameters", []):
            place = f"{parameter['in']} {parameter['name']}"
            self.found[name, place] = [parameter["required"], *self.kind(parameter["schema"])]
        for status, answer in operation["responses"].items():
            self.add_answer(name, status, answer)
        body = operation.get("requestBody")
        if body:
            schema = body["content"]["application/json"]["schema"]
            self.found[name, "body"] = [body.get("required", False), schema.get("$ref")]
            self.add_schema(name, "body", schema)


# Beside those of differences.py.
ALSO_REQUIRED = {
    "/saved_searches/": ["name"],
    "/work_queues/": ["name"],
    "/experimental/work_pools/": ["name"],
    "/experimental/work_pools/{work_pool_name}/queues": ["name"],
}

# Where our document is meant to differ: (operation, place, reason), both as regular expressions. Each must be of use.
DIFFERENT = [
    *[(rf"(POST|PUT) {re.escape(path)}", rf"body(\[\])?\.({'|'.join(names)}) required",
       "it stumbles later where these are missing; ours refuses the body")
      for path, names in {**ALSO_REQUIRED, **REQUIRED}.items()],
    (r"POST /.*", r"body\.state\.type required", "the same for a state"),
    (r"PATCH /deployments/\{id\}", r"path id", "it answers 500 for what is no UUID"),
    (r"GET /admin/settings", r"answer 200\.PREFECT_\w+", "ours tells an object of settings without their names"),
    (r"GET /block_types/slug/\{slug\}/block_documents.*", r"tags", "one heading for each family"),
    (r".*", r"answer (4XX|503)", "ours tells the errors besides a 422"),
    (r"(POST|PUT) .*", r"answer 20[01].*", "ours tells both statuses of what makes a row or finds it"),
]


def different(name, place):
    return [index for index, (operation, where, _) in enumerate(DIFFERENT) if re.fullmatch(operation, name)
            and re.fullmatch(where, place)]


def test_what_generators_read_is_the_references(api, document, reference_document):
    ours, theirs = Facts(document).found, Facts(reference_document).found
    found = {key: (theirs.get(key), ours.get(key))
             for key in sorted(theirs.keys() | ours.keys()) if theirs.get(key) != ours.get(key)}
    assert {key: values for key, values in found.items() if not different(*key)} == {}
    if api.kind == "orion":
        assert {index for key in found for index in different(*key)} == set(range(len(DIFFERENT)))
    else:
        assert found == {}


# Two filters are named by their keys.
OTHER_NAMES = {"BlockSchemaFilterCapabilities": "BlockSchemaFilterBlockCapabilities",
               "TaskRunFilterSubFlowRuns": "TaskRunFilterSubflowRuns"}


def test_schemas_have_the_references_names(api, document, reference_document):
    ours, theirs = (set(one["components"]["schemas"]) for one in (document, reference_document))
    other, more = (OTHER_NAMES, {"HTTPMessage"}) if api.kind == "orion" else ({}, set())
    assert (theirs - ours, ours - theirs) == (set(other), set(other.values()) | more)


# Where null is told otherwise: (schema, member, reason).
NULLS = [
    (r"\w+", r"created|updated|last_heartbeat_time", "the reference's models allow it, and no row has it"),
    (r"DeploymentCreate", r"infra_overrides|is_schedule_active", "it is accepted, and then answers 500"),
    (r"WorkPoolUpdate", r"base_job_template", "it is accepted, and then answers 500"),
    (r"(Flow|Task)Run(Create|Update)", r"name", "it becomes a made-up name before the model sees it"),
    (r"SavedSearchFilter|State|StateCreate", r"value|data", "ours allows any value, and so null"),
]


def test_null_is_told_where_the_reference_has_it(api, document, reference_document):
    ours, theirs = ({(name, member): or_null(schema) for name, model in one["components"]["schemas"].items()
                     for member, schema in model.get("properties", {}).items()}
                    for one in (document, reference_document))
    both = ours.keys() & theirs.keys()
    assert len(both) > 300 and sum(theirs[key] for key in both) > 200
    if api.kind == "reference":  # it says nothing
        assert not any(ours.values())
        return
    found = {key for key in both if ours[key] != theirs[key]}
    used = {key: [row for row in NULLS if re.fullmatch(row[0], key[0]) and re.fullmatch(row[1], key[1])]
            for key in found}
    assert [key for key, rows in used.items() if not rows] == []
    assert [row for row in NULLS if not any(row in rows for rows in used.values())] == []


# ---- the pages ----

@pytest.mark.parametrize("path", ["/docs", "/redoc", "/api/docs", "/api/redoc"])
def test_pages(api, path):
    answer = fetched(api, path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "openapi.json" in answer.text


@pytest.mark.parametrize("path", ["/openapi.json", "/api/openapi.json", "/docs", "/api/redoc"])
def test_methods_of_pages(api, path):
    head = api.http.head(api.server.root + path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == fetched(api, path).headers["content-length"]
    refused = api.http.post(api.server.root + path)
    assert (refused.status_code, refused.json()) == (405, {"detail": "Method Not Allowed"})


@pytest.mark.parametrize("path", ["/api/docs/", "/api/redoc/", "/api/openapi.json/"])
def test_pages_have_no_slash_behind_them(api, path):
    answer = fetched(api, path)
    assert (answer.status_code, answer.headers["location"]) == (307, api.server.root + path[:-1])


def test_our_page_needs_no_other_host():
    page = (servers.ROOT / "ui/docs.html").read_text()
    assert not re.search(r"https?://|//\w+\.\w+/", page)


# ---- docs/compatibility.md ----

def table(heading):
    """The rows of the table below a heading, each as its cells."""
    text = (servers.ROOT / "docs/compatibility.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")]
            for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip("`| ") for cell in row] for row in rows[2:]]


def test_the_page_has_every_operation(document):
    listed = {row[0]: row for row in table("Operations")}
    assert listed.keys() == operations(document).keys()
    for name, operation in operations(document).items():
        assert listed[name][1] == operation["summary"].lower()
        assert (servers.ROOT / "src/api/routes" / listed[name][2]).is_file()


def test_the_page_has_every_service_and_command(tmp_path):
    names = told_by_reference(
        "import json, prefect.orion.services as s, prefect.orion.services.loop_service as l, pkgutil, importlib\n"
        "[importlib.import_module(f'prefect.orion.services.{m.name}') for m in pkgutil.iter_modules(s.__path__)]\n"
        "def below(c): return [n for k in c.__subclasses__() for n in [k.__name__, *below(k)]]\n"
        "print(json.dumps(below(l.LoopService)))", tmp_path)
    assert sorted(row[0] for row in table("Background services")) == sorted(names)
    plurals = re.compile(r"\b(block|type|workspace|concurrency-limit|deployment|flow-run|flow|profile|work-queue)s\b")
    commands = {plurals.sub(r"\1", command) for command in told_by_reference(REFERENCE_COMMANDS, tmp_path)}
    assert {row[0] for row in table("Commands")} == commands
