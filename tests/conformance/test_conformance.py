"""The fixed-seed form of run.py, and proof that it can fail: altered answers are seen, and so is what nobody asked."""
import copy
import json

import pytest

from tests.lib.comparison import Difference
from . import run
from .known import listed
from .matching import Match
from .operations import Coverage, Document
from .wire import Answer, Request, with_identifiers

ONE, TWO = "6ba7b810-9dad-41d1-80b4-00c04fd430c8", "01a20896-2818-75a1-8f65-2ba12ff661b9"
JSON = {"content-type": "application/json"}
RUN = {"id": ONE, "name": "run-1", "created": "2026-11-23T13:26:23.801425+00:00",
       "start_time": "2030-01-01T00:00:00+00:00", "tags": ["a", "b"], "count": 1, "rate": 1.0, "note": None,
       "state": {"id": ONE, "type": "RUNNING"}}


def test_nothing_differs(tmp_path, engine):
    options = run.arguments(["--database", engine, "--seed", "1", "--count", "11000", "--report",
                             str(tmp_path / "report.txt")])
    runs, seconds = run.conform(options)
    report, good = run.summary(runs, options, seconds)
    print(report.rpartition("\n")[2])
    assert good, report[:20000] + "\n…\n" + report.rpartition("\n")[2]
    assert runs[0].world.asked >= 3000
    assert len(runs[0].document.operations) == 107


def answer(body, status=200, headers=None):
    return Answer(status, headers or JSON, json.dumps(body, ensure_ascii=False, separators=(",", ":")))


def compared(one, two, path="/flow_runs/x", method="GET", content=None):
    Match().answers(Request(method, path, content), one, two)


def other(**changes):
    return {**json.loads(json.dumps(RUN).replace(ONE, TWO)), **changes}


def test_the_same_is_the_same():
    compared(answer(RUN), answer(other(created="2026-11-23T13:26:24.1+00:00")))
    compared(answer({"detail": f"Run {ONE} not found"}), answer({"detail": f"Run {TWO} not found"}))
    compared(answer({"key": f"scheduled {ONE} 2026-11-23T13:00:00+00:00"}),
             answer({"key": f"scheduled {TWO} 2026-11-23T13:00:00+00:00"}))


@pytest.mark.parametrize("changes", [
    {"name": "run-2"}, {"count": 2}, {"count": 1.0}, {"count": "1"}, {"count": True}, {"rate": 1}, {"rate": 1.1},
    {"note": ""}, {"tags": ["a"]}, {"tags": ["a", "c"]}, {"more": None}, {"start_time": "2030-01-01T01:00:00+00:00"},
    {"start_time": "2030-01-01T00:00:00Z"}, {"start_time": None}, {"state": {"type": "RUNNING", "id": TWO}},
    {"state": {"id": ONE, "type": "RUNNING"}}, {"state": {"id": TWO, "type": "FAILED"}}, {"id": "x"},
    {"created": "2099-11-23T14:26:23+00:00"}])
def test_an_altered_row_is_seen(changes):
    with pytest.raises(Difference):
        compared(answer(RUN), answer(other(**changes)))


@pytest.mark.parametrize("altered", [
    answer(RUN, status=201), answer(RUN, headers={"content-type": "text/plain"}),
    answer(RUN, headers={**JSON, "allow": "GET"}), answer([RUN]), Answer(200, JSON, ""), Answer(200, JSON, "no JSON"),
    Answer(200, JSON, json.dumps(RUN)), answer(dict(reversed(RUN.items()))), Answer(200, JSON, "null")])
def test_an_altered_answer_is_seen(altered):
    with pytest.raises(Difference):
        compared(answer(RUN), altered)


def rows(*names):
    return [{"id": f"{ONE[:-1]}{place}", "name": name, "start_time": None} for place, name in enumerate(names)]


def theirs(listed_rows):
    return json.loads(json.dumps(listed_rows).replace(ONE[:-1], TWO[:-1]))


@pytest.mark.parametrize("sort, names", [("NAME_ASC", ["a", "b", "c"]), ("NAME_DESC", ["c", "b", "a"])])
def test_the_order_of_rows_is_seen(sort, names):
    one = rows(*names)
    two = theirs(one)
    content = json.dumps({"sort": sort})
    compared(answer(one), answer(two), "/flow_runs/filter", "POST", content)
    with pytest.raises(Difference):
        compared(answer(one), answer(two[::-1]), "/flow_runs/filter", "POST", content)
    with pytest.raises(Difference):
        compared(answer(one), answer(two[:-1]), "/flow_runs/filter", "POST", content)


def test_rows_without_an_order_are_paired():
    one = rows("a", "a", "b")
    two = theirs(one)
    match = Match()
    for left, right in zip(one, two):
        match.answers(Request("GET", "/flow_runs/x"), answer(left), answer(right))
    request = Request("POST", "/flow_runs/filter", "{}")
    match.answers(request, answer(one), answer(two[::-1]))
    altered = copy.deepcopy(two)
    altered[1]["name"] = "z"
    for wrong in (altered, [two[0], two[0], two[2]]):
        with pytest.raises(Difference):
            match.answers(request, answer(one), answer(wrong))


def test_rows_of_the_start_may_be_older():
    compared(answer({"created": "2020-01-01T00:00:00+00:00"}), answer({"created": "2020-01-01T00:02:00+00:00"}))
    with pytest.raises(Difference):
        compared(answer({"created": "2020-01-01T00:00:00+00:00"}), answer({"created": "2090-01-01T00:02:00+00:00"}))
    with pytest.raises(Difference):
        compared(answer({"timestamp": "2020-01-01T00:00:00+00:00"}), answer({"timestamp": "2020-01-01T00:02:00+00:00"}))


def test_one_identifier_is_one_row():
    match = Match()
    match.answers(Request("GET", "/x"), answer({"id": ONE}), answer({"id": TWO}))
    with pytest.raises(Difference):
        match.answers(Request("GET", "/x"), answer({"id": ONE}), answer({"id": ONE}))


@pytest.mark.parametrize("text, expected",
                         [(ONE, TWO), (ONE.upper(), TWO.upper()), (ONE.replace("-", ""), TWO.replace("-", "")),
                          (f"/flows/{ONE}?x", f"/flows/{TWO}?x"), (f"a{ONE}", f"a{ONE}"), ("x" * 40, "x" * 40)])
def test_identifiers_are_exchanged_in_their_form(text, expected):
    assert with_identifiers(text, {ONE: TWO}) == expected


def test_a_listed_difference_must_be_the_one_that_is_listed():
    request = Request("POST", f"/flow_runs/{ONE}/resume")
    crash, good = (answer({"exception_message": "Internal Server Error"}, 500),
                   answer({"detail": "Flow run not found"}, 404))
    assert listed(Match(), request, crash, good)
    for reference, ours in ((crash, answer({"detail": "x"}, 404)), (crash, answer({}, 200)), (answer({}, 200), good)):
        assert not listed(Match(), request, reference, ours)


DOCUMENT = {"components": {"schemas": {"Kind": {"enum": ["a", "b"]}, "Body": {
    "properties": {"name": {"type": "string"}, "kind": {"$ref": "#/components/schemas/Kind"},
                   "in": {"type": "array", "items": {"properties": {"x": {}}}}}}}},
            "paths": {"/api/things/{id}": {"post": {
                "parameters": [{"in": "path", "name": "id", "schema": {}},
                               {"in": "query", "name": "all", "schema": {}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Body"}}}}}}}}


def missing(*requests):
    coverage = Coverage(Document(DOCUMENT))
    for path, body, status in requests:
        coverage.note(Request("POST", path, json.dumps(body)), answer({}, status))
    return [name for _, name in coverage.missing(["things"], {})]


def test_what_nobody_asked_is_seen():
    whole = ("/things/1?all=1", {"name": "n", "kind": "a", "in": [{"x": 1}]}, 200)
    assert missing() == [None]
    assert missing(("/things/1?all=1", whole[1], 422)) == [None]
    assert missing(whole) == ["kind=b"]
    assert missing(whole, ("/things/1", {"kind": "b"}, 201)) == []
    assert missing(("/things/1", {"in": [], "kind": "b"}, 200)) == ["all", "in[].x", "kind=a", "name"]
