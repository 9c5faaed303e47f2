"""Requests in which one place holds a payload: generated from the API's description, for every parameter of every
operation, every part of every body, and keys that nobody expects."""
import copy
import re
from typing import Callable, NamedTuple

from tests.conformance.rows import NOBODY
from .payloads import PAYLOADS
from .wire import Request, as_bytes, encoded, written

# Headers that are not described, but read by this server or by what stands in front of others.
HEADERS = ["user-agent", "referer", "origin", "host", "cookie", "authorization", "content-type", "accept",
           "accept-encoding", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-prefix",
           "forwarded", "x-request-id", "if-none-match", "x-http-method-override", "transfer-encoding", "connection"]


class Place(NamedTuple):
    """Where a payload goes. `make(text)` is the request; `alone`: its bytes may be more than one request. `part` is
    that of the body, `stored(text)` what a row then has there."""
    operation: object
    name: str
    make: Callable
    alone: bool = False
    part: str | None = None
    stored: Callable | None = None

    def __str__(self):
        return f"{self.operation.name}, {self.name}"


def base(generator, operation):
    """(path and query, body) of a request that would succeed, but for a DELETE, which finds nothing."""
    if operation.method == "DELETE":
        return re.sub(r"\{[^}]*\}", NOBODY, operation.path).encode(), None
    path = generator.path(operation)
    return path.encode(), generator.minimal(operation)


def request(operation, path, body, headers=None):
    return Request(operation.method, b"/api" + path, headers or {}, None if body is None else written(body))


def with_header(operation, path, body, name, value):
    return request(operation, path, body, {name.encode(): value})


def path_places(generator, operation):
    names = operation.path_names()
    plain, _, query = base(generator, operation)[0].partition(b"?")
    values = operation.pattern.match(plain.decode()).groups()
    body = generator.minimal(operation) if operation.body else None

    def make(name, form, text):
        path = operation.path.encode()
        for each, value in zip(names, values):
            path = path.replace(b"{%s}" % each.encode(), form(text) if each == name else value.encode())
        return request(operation, path + (b"?" + query if query else b""), copy.deepcopy(body))

    for name in names:
        for how, form in (("", encoded), (" as it is", as_bytes),
                          (" encoded twice", lambda text: encoded(encoded(text).decode()))):
            yield Place(operation, f"path {name}{how}", lambda text, name=name, form=form: make(name, form, text),
                        alone=form is as_bytes)


def query_places(generator, operation):
    path, body = base(generator, operation)
    plain = path.partition(b"?")[0]
    for name in [name for place, name, _ in operation.parameters if place == "query"] + ["unknown"]:
        yield Place(operation, f"query {name}", lambda text, name=name: request(
            operation, plain + b"?" + name.encode() + b"=" + encoded(text), body))
    yield Place(operation, "query as it is", lambda text: request(operation, plain + b"?" + as_bytes(text), body),
                alone=True)


def header_places(generator, operation, number):
    """Those that are described, and one of the others, in turn."""
    described = [name for place, name, _ in operation.parameters if place == "header"]
    path, body = base(generator, operation)
    for name in [*described, HEADERS[number % len(HEADERS)]]:
        yield Place(operation, f"header {name}", lambda text, name=name: with_header(
            operation, path, body, name, as_bytes(text)), alone=True)
    if not path.endswith(b"/"):  # answered by a redirect, which repeats path, host and query
        yield Place(operation, "another slash", lambda text: with_header(
            operation, path.partition(b"?")[0] + b"/?" + encoded(text), body, "host", as_bytes(text)), alone=True)


def forms(document, schema):
    """What a part may be with a payload in it."""
    for member in document.members(schema):
        kind = member.get("type")
        if kind == "array":
            yield "[]", lambda text: [text]
        elif kind == "object" and "properties" not in member:
            yield " of one key", lambda text: {text: {"x": [text]}}
        elif kind not in ("object", "null"):
            yield "", lambda text: text


def body_places(generator, operation):
    if operation.body is None:
        return
    above = {""}
    for part, schema in sorted(dict(generator.document.parts(operation.body)).items()):
        above.add(part.rpartition(".")[0])
        for form, value in forms(generator.document, schema):
            yield Place(operation, f"body {part}{form}", lambda text, part=part, value=value: body_request(
                generator, operation, part, value(text)), part=part, stored=value)
    for part in sorted(above):
        yield Place(operation, f"key in {part or 'body'}", lambda text, part=part: body_request(
            generator, operation, f"{part}.unknown" if part else "unknown", 1, key=text))


def body_request(generator, operation, part, value, key=None):
    """A valid body but for one part, which gets a value, or for one key that nobody expects."""
    body = generator.with_part(generator.minimal(operation), part, value)
    content = written(body)
    if key is not None:
        content = content.replace(b'"unknown": 1', written({key: 1})[1:-1], 1)
    return Request(operation.method, b"/api" + generator.path(operation).encode(), {}, content)


def places(generator):
    for number, operation in enumerate(generator.document.operations):
        yield from path_places(generator, operation)
        yield from query_places(generator, operation)
        yield from header_places(generator, operation, number)
        yield from body_places(generator, operation)


def attacks(generator, each=None):
    """Yields (place, name of the payload): all of them, or `each` payloads a place, so that all have their turn."""
    names = list(PAYLOADS)
    for number, place in enumerate(list(places(generator))):
        start = number * each if each else 0
        for name in [names[(start + n) % len(names)] for n in range(each or len(names))]:
            yield place, name
