"""The operations of the reference's /openapi.json: which one a request asks, the parts of their bodies, and which of
all that was asked."""
import re
from collections import Counter, defaultdict

DEPTH = 7  # of the parts of a body that are told apart
VERSION_HEADER = "x-prefect-api-version"
MAPS = ("parameters", "context", "data", "fields", "infra_overrides", "base_job_template", "parameter_openapi_schema")


class Operation:
    """One method of one path. `path` is without /api; `body` the schema of its body or None."""

    def __init__(self, document, path, method, description):
        self.document = document
        self.path = path.removeprefix("/api")
        self.method = method.upper()
        self.name = f"{self.method} {self.path}"
        self.parameters = [(one["in"], one["name"], one["schema"]) for one in description.get("parameters", [])]
        self.statuses = {int(status) for status in description.get("responses", {}) if status.isdigit()}
        content = description.get("requestBody", {}).get("content", {})
        self.body = content.get("application/json", {}).get("schema")
        self.pattern = re.compile(re.sub(r"\{[^}]*\}", "([^/]+)", self.path) + "$")

    @property
    def family(self):
        words = self.path.split("/")[1:]
        return {"experimental": "work_pools", "health": "root", "hello": "root"}.get(words[0], words[0])

    def path_names(self):
        return [name for place, name, _ in self.parameters if place == "path"]


class Document:
    """The whole document. Operations stand in its order, which is that of the routes."""

    def __init__(self, document):
        self.schemas = document["components"]["schemas"]
        self.operations = [Operation(self, path, method, description) for path, methods in document["paths"].items()
                           for method, description in methods.items()]

    def operation_of(self, request):
        """Which operation answers a request: paths without parameters come first, as among the routes."""
        path = request.path.partition("?")[0]
        fitting = [one for one in self.operations if one.method == request.method and one.pattern.match(path)]
        return min(fitting, key=lambda one: len(one.path_names()), default=None)

    def resolved(self, schema):
        """A schema without its reference and without the wrapping that only adds a default."""
        while "$ref" in schema or len(schema.get("allOf", [])) == 1:
            schema = self.schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema["allOf"][0]
        return schema

    def members(self, schema):
        """The schemas that a value may follow, with the elements of lists for the lists."""
        schema = self.resolved(schema)
        if "anyOf" in schema:
            return [inner for member in schema["anyOf"] for inner in self.members(member)]
        return [schema]

    def parts(self, schema, prefix="", depth=0):
        """Yields (dotted name, schema) of every property in a body, those of objects in lists included."""
        for member in self.members(schema):
            if member.get("type") == "array":
                yield from self.parts(member.get("items", {}), prefix + "[]", depth)
            elif depth < DEPTH:
                for name, inner in member.get("properties", {}).items():
                    part = f"{prefix}.{name}" if prefix else name
                    yield part, self.resolved(inner)
                    yield from self.parts(inner, part, depth + 1)
                    inner = self.resolved(inner)
                    if name == "task_inputs":
                        yield from self.parts(inner["additionalProperties"], part + ".*", depth + 1)

    def parts_of(self, value, schema, prefix=""):
        """The dotted names of the parts that a value has, and of the enum values in it."""
        for member in self.members(schema):
            if isinstance(value, list) and member.get("type") == "array":
                for item in value:
                    yield from self.parts_of(item, member.get("items", {}), prefix + "[]")
            elif isinstance(value, str) and value in member.get("enum", []):
                yield f"{prefix}={value}"
            elif isinstance(value, dict):
                for name, inner in member.get("properties", {}).items():
                    if name in value:
                        part = f"{prefix}.{name}" if prefix else name
                        yield part
                        yield from self.parts_of(value[name], inner, part)
                if prefix.endswith("task_inputs"):
                    for item in value.values():
                        yield from self.parts_of(item, member["additionalProperties"], prefix + ".*")

    def wanted(self, operation):
        """What must be asked of an operation: its parameters, the parts of its body, each value of each enum."""
        names = {name for _, name, _ in operation.parameters}
        for part, schema in self.parts(operation.body or {}):
            names.add(part)
            for member in self.members(schema.get("items", {}) if schema.get("type") == "array" else schema):
                brackets = "[]" if schema.get("type") == "array" else ""
                names.update(f"{part}{brackets}={value}" for value in member.get("enum", []))
        return names


class Coverage:
    """Counts requests by operation and status, and keeps which parameters were in a request that succeeded."""

    def __init__(self, document):
        self.document = document
        self.statuses = defaultdict(Counter)
        self.seen = defaultdict(set)

    def note(self, request, answer):
        operation = self.document.operation_of(request)
        self.statuses[operation.name if operation else "no operation"][answer.status] += 1
        if not operation or answer.status >= 300:
            return
        seen = self.seen[operation.name]
        seen.update(operation.path_names())
        query = request.path.partition("?")[2]
        seen.update(name for place, name, _ in operation.parameters if place == "query"
                    and re.search(rf"(^|&){name}=", query))
        seen.update(name for place, name, _ in operation.parameters if place == "header"
                    and name.lower() in request.headers)
        if operation.body and request.parts is not None:
            seen.update(self.document.parts_of(request.parts, operation.body))

    def missing(self, families, excused):
        """(operation, parameter) that no successful request had; the parameter is None where no request succeeded at
        all."""
        found = []
        for operation in self.document.operations:
            if operation.family not in families:
                continue
            if not any(status < 300 for status in self.statuses[operation.name]):
                found.append((operation.name, None))
                continue
            lacking = self.document.wanted(operation) - self.seen[operation.name]
            found += [(operation.name, name) for name in sorted(lacking) if (operation.name, name) not in excused
                      and (None, name) not in excused]
        return found
