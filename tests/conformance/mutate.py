"""Requests that are wrong in one place: every kind of mistake that a body, a path, a header or a method can have."""
import copy
import json

from .generate import is_data_of_new_run
from .wire import JSON
from .world import NOBODY, NOTHING

DROP = object()
HUGE = 10 ** 20
GENERAL = [DROP, None, "", "x", 0, -1, 1.5, True, [], {}, [None], {"a": 1}, "é漢😀", " "]
BY_TYPE = {
    "string": [5, 1.0, False, "a/b", "<&>%", "x" * 300, "5", ["x"], "\u0001"],
    "uuid": ["not-a-uuid", NOBODY, NOBODY.upper(), NOBODY.replace("-", ""), "{" + NOBODY + "}", "urn:uuid:" + NOBODY, 5,
             NOBODY[:-1]],
    "date-time": ["2020-13-45", "2020-02-30T00:00:00", "2020-01-01", "2020-01-01T00:00:00", "2020-01-01T00:00:00-05:30",
                  "2020-W05", "tomorrow", "2020-01-01 10:00", 1577836800, "1577836800", "20200101T101010Z",
                  "2020-01-01T25:00:00", "0000-01-01"],
    "time-delta": ["PT1H", "3600", "1:00:00", "P1D", "x", 1e9, "-5"],
    "integer": ["3", "x", "1.0", 2.0, 2.7, HUGE, -HUGE, 2 ** 31, 2 ** 63, "0x10", " 7 ", "1e3"],
    "number": ["3", "x", 1e300, -2.5, "1e3", "inf"],
    "boolean": ["true", "yes", "off", "2", 1, 0, 2, "TRUE", "maybe", 1.0],
    "array": ["x", [5], [[]], [{}], ["a", "a"], [None, "b"], [True], ["x"] * 3],
    "object": ["x", [], [["k", 1]], {"unknown": 1}, {"k": {"k": [1.10, 1e2, None]}}, {"": ""}],
    "enum": ["lower", "NOPE", 5, "", ["x"]],
    "limit": [0, -1, 200, 201, 1000, 1001, "3", None, HUGE, 1.5, 2 ** 31],
    "offset": [0, -1, 1, 3, "2", None, 1.5, 10 ** 6, True],
}
# Work without end for the reference: how many dates, intervals, or rows a value asks for.
ENDLESS = {
    "/deployments/{id}/schedule": lambda part, value: isinstance(value, (int, float)) and value > 1000
    or part == "end_time" or part == "start_time" and value in (1577836800, "1577836800"),
    "/history": lambda part, value: part.startswith("history_")
    and (isinstance(value, str) and not value.startswith(("x", "t", "20")) or isinstance(value, (int, float))
         and value > 3600 * 24),
}
MEDIA = ["text/plain", "application/x-www-form-urlencoded", "application/vnd.api+json",
         "application/json; charset=utf-8", "application/json5", "APPLICATION/JSON", "multipart/form-data; boundary=x",
         ""]
BROKEN = ["{", "[1,", "nul", "{\"a\":}", "{'a': 1}", "{\"a\": 1,}", "{\"a\": 1} x", "\"text\"", "5", "true", "null",
          "[]", "[[]]", "[{}]", "", " ", "{\"a\": \"\t\"}", "{\"a\": 01}", "\ufeff{}", "{\"a\": 1, \"a\": 2}"]
VERSIONS = ["0.8.4", "0.8.3", "0.7.9", "0.8.0", "1.0.0", "0.8", "x.y.z", "", "0.8.4.1", "-1.0.0", "99.99.99"]
REFUSED_VERSIONS = ["0.7.9", "0.8", "x.y.z", "0.8.4.1"]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
IDENTIFIERS = ["5", "not-a-uuid", NOBODY, NOBODY.upper(), NOBODY.replace("-", ""), "%20", "%C3%A9", "a%2Fb",
               NOBODY + "0"]


def values_for(document, part, schema):
    """The wrong, and the oddly right, values of one part."""
    kinds = []
    for member in document.members(schema):
        kinds += ["enum"] if member.get("enum") else [member.get("format") or "", member.get("type") or "object"]
    name = part.rpartition(".")[2]
    values = [*BY_TYPE.get(name, []), *(value for kind in kinds for value in BY_TYPE.get(kind, [])), *GENERAL]
    if "enum" in kinds:
        values += [member["enum"][0].lower() for member in document.members(schema) if member.get("enum")]
    if "array" in kinds:
        inner = [member for one in document.members(schema) if one.get("type") == "array"
                 for member in document.members(one.get("items", {}))]
        values += [[value] for member in inner for value in BY_TYPE.get(
            "enum" if member.get("enum") else member.get("format") or member.get("type") or "", [])]
    return values


def is_left_out(operation, part, value):
    """Bodies that are no mistakes: they would keep the reference busy for ever, empty the database, or leave it
    otherwise than ours."""
    if operation.family == "admin" and part == "confirm":
        return value in (1, "1", "true", "TRUE", "yes", "y", "on", "t")
    if is_data_of_new_run(operation, part):
        return value not in (None, DROP)
    if operation.path == "/task_runs/" and (part, value) in (("state", ""), ("state", []), ("state", {}),
                                                             ("state.type", DROP)):
        return True  # answered with 500, and made
    if "empirical_policy" in part and (value == "inf" or isinstance(value, (int, float)) and abs(value) >= 2 ** 63):
        return True
    if part == "priority" and operation.method == "POST" and isinstance(value, int) and abs(value) >= 2 ** 63:
        return True  # the reference gives the queue another one, whatever was asked
    if part.endswith("like_") and value == "x":  # names that were made up differ
        return True
    return any(operation.path.endswith(ending) and without_end(part, value) for ending, without_end in ENDLESS.items())


def mutated_bodies(document, generator, operation):
    """Yields (note, function that makes the body) for every part and every wrong value of it."""
    if operation.body is None:
        return
    for part, schema in sorted(dict(document.parts(operation.body)).items()):
        for value in values_for(document, part, schema):
            if not is_left_out(operation, part, value):
                yield f"{part} = {'left out' if value is DROP else json.dumps(value)[:60]}", \
                    lambda part=part, schema=schema, value=value: changed(generator, operation, part, schema, value)
        yield f"more in {part.rpartition('.')[0] or 'the body'}", \
            lambda part=part, schema=schema: changed(
                generator, operation, part.rpartition(".")[0] + ".unknown" if "." in part else "unknown", schema, 1)


def changed(generator, operation, part, schema, value):
    """A valid body that has the part, with the wrong value in its place."""
    body = copy.deepcopy(generator.minimal(operation))
    if value is not DROP:
        return generator.with_part(body, part, value)
    body = generator.with_part(body, part, generator.value(operation, part, schema))
    return without(body, part.split("."))


def without(body, names):
    target = body
    for name in names[:-1]:
        key = {"*[]": "x", "*": "x"}.get(name, name.removesuffix("[]"))
        target = target[0] if isinstance(target, list) else target.get(key, {})
        target = target[0] if isinstance(target, list) and target else target
    if isinstance(target, list):
        target = target[0]
    target.pop(names[-1], None)
    return body


def wrong_requests(world, generator, operation, long=False):
    """Yields the arguments of World.ask for what is wrong outside of the parts of a body: the error classes of one
    operation."""
    method = operation.method
    path, body = next(base for base in iter(lambda: generator.base(operation), None)
                      if operation.pattern.match(base[0].partition("?")[0]))  # a name may hold "?"
    plain, _, query = path.partition("?")
    content = None if body is None else json.dumps(body)

    def request(method=method, path=path, body=NOTHING, raw=None, headers=None, note=""):
        return {"method": method, "path": path, "body": body, "raw": raw, "headers": headers, "note": note}

    harmless = method == "GET" or operation.path.endswith(("/filter", "/count", "/history"))
    for name in operation.path_names():
        for identifier in IDENTIFIERS if long or harmless else IDENTIFIERS[:4]:
            other = operation.path
            for each, value in zip(operation.path_names(), operation.pattern.match(plain).groups()):
                other = other.replace("{" + each + "}", identifier if each == name else value)
            yield request(path=other + ("?" + query if query else ""), raw=content, note=f"another {name}")
    slash = plain[:-1] if plain.endswith("/") else plain + "/"
    yield request(path=slash, raw=content, note="another slash")
    yield request(path=slash + "?a=b&c", raw=content, note="another slash", headers={"x-forwarded-proto": "https"})
    yield request(path=plain + "/nope", raw=content, note="a longer path")
    if harmless:
        yield request(path=plain + "?x=%20y&limit=1&" + query, raw=content, note="an unknown query")
        yield request(raw=content, headers={"origin": "http://example.com"}, note="another origin")
    for other in METHODS:
        if other != method and not (other == "DELETE" and len(operation.path_names())) \
                and not (other in ("PATCH", "POST", "PUT")
                         and world.coverage.document.operation_of(Named(other, plain))):
            yield request(method=other, note="another method")
    yield request(method="OPTIONS", headers={"origin": "http://example.com", "access-control-request-method": method,
                                             "access-control-request-headers": "x-a, content-type"},
                  note="preflight")
    for version in VERSIONS if harmless else REFUSED_VERSIONS:
        yield request(raw=content, headers={"x-prefect-api-version": version}, note="the version header")
    for _, name, schema in [one for one in operation.parameters if one[0] == "query"]:
        for value in ["maybe", "", "5", "true", NOBODY, "%C3%A9", "1.0.0", None]:
            yield request(path=plain if value is None else f"{plain}?{name}={value}", note=f"the query {name}")
    if operation.body is not None:
        yield from wrong_contents(request, content, long)


class Named:
    """As much of a request as tells its operation."""

    def __init__(self, method, path):
        self.method, self.path = method, path


def wrong_contents(request, content, long):
    for media in MEDIA if long else MEDIA[:4] + MEDIA[-1:]:
        yield request(raw=content, headers={"content-type": media} if media else {"no-content-type": ""},
                      note="the content type")
    for text in BROKEN:
        yield request(raw=text, headers=JSON, note="the content")
    yield request(note="no content")
    cut = content[:len(content) // 2]
    yield request(raw=cut, headers=JSON, note="half of the content")
